//! What a template has seen of itself while it is parsed.

use std::collections::HashMap;

use crate::lexer::Token;
use crate::syntax::Symbol;

/// Each template begins with a new one, wherever it is defined.
#[derive(Default)]
pub(super) struct Scope {
    /// The last token that was read.
    pub(super) latest: Option<Token>,
    /// Line of the action that is being parsed, unless others were within.
    pub(super) action_line: Option<u32>,
    /// Loops around.
    pub(super) range_depth: usize,
    /// Parentheses around.
    pub(super) expression_depth: usize,
    /// The variables that are visible besides `$`, in the order they appeared.
    variables: Vec<Symbol>,
    /// How often each is among them.
    counts: HashMap<Symbol, usize>,
}

impl Scope {
    pub(super) fn declare(&mut self, variable: Symbol) {
        self.variables.push(variable);
        *self.counts.entry(variable).or_default() += 1;
    }

    pub(super) fn sees(&self, variable: Symbol) -> bool {
        variable == Symbol::ROOT || self.counts.contains_key(&variable)
    }

    pub(super) fn variable_count(&self) -> usize {
        self.variables.len()
    }

    /// Forgets the variables that appeared since there were so many.
    pub(super) fn forget_variables(&mut self, count: usize) {
        for variable in self.variables.drain(count.min(self.variables.len())..) {
            if let Some(times) = self.counts.get_mut(&variable) {
                *times -= 1;
                if *times == 0 {
                    self.counts.remove(&variable);
                }
            }
        }
    }
}
