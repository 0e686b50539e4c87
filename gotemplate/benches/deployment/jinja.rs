//! The same template for minijinja.

use minijinja::syntax::SyntaxConfig;
use minijinja::{Environment, Error, UndefinedBehavior};

pub(crate) const TEMPLATE: &str = include_str!("deployment.jinja");

/// Reads absent keys and ends lines as Go does.
pub(crate) fn environment() -> Result<Environment<'static>, Error> {
    let mut environment = Environment::new();
    environment.set_undefined_behavior(UndefinedBehavior::Chainable);
    environment.set_syntax(SyntaxConfig::builder().keep_trailing_newline(true).build()?);
    environment.add_filter("quote", quote);
    Ok(environment)
}

/// What `printf "%q"` makes of a text, at least of those in the data.
fn quote(text: &str) -> String {
    format!("{text:?}")
}
