//! Semantic versions: `semver` and `semverCompare`.

mod constraint;
mod methods;
mod version;

use self::constraint::Constraint;
use self::version::Version;
use crate::function::{FunctionError, Functions};
use crate::limits::Budget;
use crate::text::Str;

pub(super) fn add(functions: &mut Functions) {
    methods::define();
    functions.add("semver", |text: Str| -> Result<methods::Shared, FunctionError> {
        Ok(methods::Shared(Some(Version::parse(&text)?)))
    });
    functions.add("semverCompare", |budget: &Budget, constraint: Str, version: Str| -> Result<bool, FunctionError> {
        let alternatives = Constraint::parse_all(budget, &constraint)?;
        let version = Version::parse(&version)?;
        Ok(alternatives.iter().any(|all| all.iter().all(|constraint| constraint.allows(&version))))
    });
}

#[cfg(test)]
mod tests;
