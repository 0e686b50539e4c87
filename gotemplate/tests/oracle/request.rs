//! One rendering, as the oracle and this crate are asked for it.

use gotemplate::{Functions, Limits, Options, Template};
use serde_json::Value as Json;

use crate::cases::Outcome;
use crate::{data, functions};

/// A template, its data and how to read it.
#[derive(Clone, Default)]
pub(crate) struct Request {
    pub(crate) template: Vec<u8>,
    /// Further texts of the same set.
    pub(crate) more: Vec<(String, Vec<u8>)>,
    pub(crate) data: Json,
    pub(crate) sprig: bool,
    pub(crate) options: Options,
}

impl Request {
    /// Renders it with this crate.
    pub(crate) fn render(&self, limits: &Limits) -> Outcome {
        let mut functions = if self.sprig { Functions::sprig() } else { Functions::new() };
        functions::add(&mut functions);
        let parsed =
            Template::parse_with("test", &self.template, &functions, &self.options).and_then(|mut template| {
                for (name, text) in &self.more {
                    template.add(name.as_str(), text, &functions)?;
                }
                Ok(template)
            });
        let template = match parsed {
            Ok(template) => template,
            Err(error) => return Outcome { output: None, error: Some(("parse".to_owned(), error.to_string().into())) },
        };
        let mut output = Vec::new();
        match template.execute(&data::value(&self.data), &mut output, limits) {
            Ok(()) => Outcome { output: Some(output), error: None },
            Err(error) => {
                let error = Some(("execute".to_owned(), error.to_string().into()));
                Outcome { output: Some(output).filter(|output| !output.is_empty()), error }
            }
        }
    }
}
