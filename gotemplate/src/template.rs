//! Templates, ready to be executed.

use std::collections::BTreeMap;
use std::io::Write;
use std::sync::Arc;

use crate::error::{ExecError, ParseError};
use crate::exec;
use crate::function::Functions;
use crate::lexer::Delimiters;
use crate::limits::Limits;
use crate::parser::{self, ParseLimits, Parsed};
use crate::syntax::{BlockId, Syntax};
use crate::text::Str;
use crate::value::Value;

/// A parsed template, with all that its text defines. It is executed any number of times, from any thread.
///
/// ```
/// use gotemplate::{Functions, Limits, Template, Value};
///
/// let template = Template::parse("greeting", "Hello, {{.name | printf `%q`}}!", &Functions::new())?;
/// let data = Value::from(serde_json::json!({"name": "Ada"}));
/// let mut output = Vec::new();
/// template.execute(&data, &mut output, &Limits::default())?;
/// assert_eq!(output, b"Hello, \"Ada\"!");
/// # Ok::<_, Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct Template {
    name: Str,
    options: Options,
    trees: BTreeMap<Str, Tree>,
}

/// How a template is read and what it does about absent keys.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Options {
    /// What begins and ends an action: `{{` and `}}`. An empty one stands for the default.
    pub delimiters: (String, String),
    /// What an absent key of a map gives.
    pub missing_key: MissingKey,
}

/// What an absent key of a map gives.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum MissingKey {
    /// Nil, which prints as `<no value>`. Go calls it `default` or `invalid`.
    #[default]
    Default,
    /// The zero value of the map's values.
    Zero,
    /// An error.
    Error,
}

/// One template of a set.
#[derive(Clone, Debug)]
pub(crate) struct Tree {
    pub(crate) name: Str,
    pub(crate) syntax: Arc<Syntax>,
    pub(crate) root: BlockId,
}

impl Template {
    /// Parses `text`, usually a `&str`, under a name that errors give.
    ///
    /// # Errors
    /// When the text is not a template, or calls a function that is not among `functions`.
    pub fn parse(name: impl Into<Str>, text: impl AsRef<[u8]>, functions: &Functions) -> Result<Self, ParseError> {
        Self::parse_with(name, text, functions, &Options::default())
    }

    /// Parses with other options.
    ///
    /// # Errors
    /// As [`Template::parse`].
    pub fn parse_with(
        name: impl Into<Str>,
        text: impl AsRef<[u8]>,
        functions: &Functions,
        options: &Options,
    ) -> Result<Self, ParseError> {
        let name = name.into();
        let mut template = Self { name: name.clone(), options: options.clone(), trees: BTreeMap::new() };
        template.add(name, text, functions)?;
        Ok(template)
    }

    /// Parses another text into the set, so that templates of both can call each other. What it defines takes the
    /// place of what had the same name, unless it is empty.
    ///
    /// # Errors
    /// As [`Template::parse`]; then the set stays as it was.
    pub fn add(
        &mut self,
        name: impl Into<Str>,
        text: impl AsRef<[u8]>,
        functions: &Functions,
    ) -> Result<&mut Self, ParseError> {
        let (left, right) = &self.options.delimiters;
        let delimiters = Delimiters { left: left.as_bytes(), right: right.as_bytes() };
        let name = name.into();
        let Parsed { syntax, trees } =
            parser::parse(&name, text.as_ref(), delimiters, functions, ParseLimits::default())?;
        let syntax = Arc::new(syntax);
        for parser::Tree { name, root, empty } in trees {
            if !empty || !self.trees.contains_key(&name) {
                self.trees.insert(name.clone(), Tree { name, syntax: Arc::clone(&syntax), root });
            }
        }
        Ok(self)
    }

    /// Executes the template with `data` as the dot and writes what it renders.
    ///
    /// # Errors
    /// When the template asks for what cannot be had, when a function fails, when a limit is passed or the writer
    /// fails. What was rendered before is written already.
    pub fn execute(&self, data: &Value, writer: &mut impl Write, limits: &Limits) -> Result<(), ExecError> {
        self.execute_template(self.name.as_bytes(), data, writer, limits)
    }

    /// Executes one of the templates that the texts define.
    ///
    /// # Errors
    /// As [`Template::execute`], and when there is no template of that name.
    pub fn execute_template(
        &self,
        name: impl AsRef<[u8]>,
        data: &Value,
        writer: &mut impl Write,
        limits: &Limits,
    ) -> Result<(), ExecError> {
        let name = name.as_ref();
        match self.tree(name) {
            Some(tree) => exec::execute(self, tree, data, writer, limits).map_err(|error| *error),
            None => Err(ExecError::no_template(&Str::from(name), &self.name)),
        }
    }

    /// Executes it and gives what it renders, with U+FFFD in the place of bytes that are not UTF-8.
    ///
    /// # Errors
    /// As [`Template::execute`].
    pub fn render(&self, data: &Value, limits: &Limits) -> Result<String, ExecError> {
        let mut output = Vec::new();
        self.execute(data, &mut output, limits)?;
        Ok(String::from_utf8(output).unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned()))
    }

    /// The name it was parsed under.
    pub fn name(&self) -> &Str {
        &self.name
    }

    /// The names of all templates of the set, in order.
    pub fn names(&self) -> impl Iterator<Item = &Str> {
        self.trees.keys()
    }

    pub(crate) fn tree(&self, name: &[u8]) -> Option<&Tree> {
        self.trees.get(name)
    }

    pub(crate) fn missing_key(&self) -> MissingKey {
        self.options.missing_key
    }
}

impl Default for Options {
    fn default() -> Self {
        Self { delimiters: ("{{".to_owned(), "}}".to_owned()), missing_key: MissingKey::Default }
    }
}
