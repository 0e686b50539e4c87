//! The variables of an execution.

use super::Slot;
use crate::syntax::Symbol;

/// All variables, those of calling templates included.
pub(super) struct Variables {
    slots: Vec<(Symbol, Slot)>,
    /// Where those of the present template begin.
    frame: usize,
}

/// How many variables there were, or where the frame began.
#[derive(Clone, Copy)]
pub(super) struct Mark(usize);

impl Variables {
    /// Those of a template with that data.
    pub(super) fn new(data: Slot) -> Self {
        let mut slots = Vec::with_capacity(16);
        slots.push((Symbol::ROOT, data));
        Self { slots, frame: 0 }
    }

    /// The innermost variable of that name, in the present template.
    pub(super) fn get(&self, symbol: Symbol) -> Option<&Slot> {
        self.slots[self.frame..].iter().rev().find(|(name, _)| *name == symbol).map(|(_, slot)| slot)
    }

    pub(super) fn get_mut(&mut self, symbol: Symbol) -> Option<&mut Slot> {
        self.slots[self.frame..].iter_mut().rev().find(|(name, _)| *name == symbol).map(|(_, slot)| slot)
    }

    pub(super) fn declare(&mut self, symbol: Symbol, value: Slot) {
        self.slots.push((symbol, value));
    }

    /// The variable that was declared last but `count` others.
    pub(super) fn latest_but(&mut self, count: usize) -> Option<&mut Slot> {
        let at = self.slots.len().checked_sub(count + 1)?;
        self.slots.get_mut(at).map(|(_, slot)| slot)
    }

    pub(super) fn mark(&self) -> Mark {
        Mark(self.slots.len())
    }

    /// Forgets what was declared since.
    pub(super) fn forget(&mut self, mark: Mark) {
        self.slots.truncate(mark.0);
    }

    /// Begins with those of a called template; what [`Variables::leave`] needs.
    pub(super) fn enter(&mut self, data: Slot) -> Mark {
        let caller = Mark(self.frame);
        self.frame = self.slots.len();
        self.slots.push((Symbol::ROOT, data));
        caller
    }

    /// Goes back to those of the caller.
    pub(super) fn leave(&mut self, caller: Mark) {
        self.slots.truncate(self.frame);
        self.frame = caller.0;
    }
}
