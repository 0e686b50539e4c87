//! The variables of an execution.

use std::cell::Cell;

use super::Slot;
use crate::syntax::Symbol;

/// All variables, those of calling templates included.
pub(super) struct Variables {
    slots: Vec<(Symbol, Slot)>,
    /// Where those of the present template begin.
    frame: usize,
    /// Steps that it took to pass by other variables.
    passed: Cell<u64>,
}

/// Variables that are passed by in the time of a step.
const PER_STEP: usize = 16;

/// How many variables there were, or where the frame began.
#[derive(Clone, Copy)]
pub(super) struct Mark(usize);

impl Variables {
    /// Those of a template with that data.
    pub(super) fn new(data: Slot) -> Self {
        let mut slots = Vec::with_capacity(16);
        slots.push((Symbol::ROOT, data));
        Self { slots, frame: 0, passed: Cell::new(0) }
    }

    /// The innermost variable of that name, in the present template.
    pub(super) fn get(&self, symbol: Symbol) -> Option<&Slot> {
        self.slots.get(self.position(symbol)?).map(|(_, slot)| slot)
    }

    pub(super) fn get_mut(&mut self, symbol: Symbol) -> Option<&mut Slot> {
        let position = self.position(symbol)?;
        self.slots.get_mut(position).map(|(_, slot)| slot)
    }

    /// Steps that it took, since this was last asked, to find variables among many.
    pub(super) fn take_passed(&self) -> u64 {
        self.passed.take()
    }

    fn position(&self, symbol: Symbol) -> Option<usize> {
        let own = self.slots.get(self.frame..)?;
        let position = own.iter().rposition(|(name, _)| *name == symbol)?;
        self.passed.set(self.passed.get() + ((own.len() - position) / PER_STEP) as u64);
        Some(self.frame + position)
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
