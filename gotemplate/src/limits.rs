//! How much one execution may use.

use std::cell::Cell;

use crate::function::FunctionError;

/// What one execution may use at most. The defaults stop what runs away and let everything sensible pass.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of output: 64 MiB.
    pub output: u64,
    /// Bytes of all values that functions make, the short-lived ones included: 1 GiB.
    pub memory: u64,
    /// Rounds of all `range` loops together: 10,000,000.
    pub iterations: u64,
    /// Nodes executed and values visited: 100,000,000.
    pub steps: u64,
    /// Blocks, parentheses and template calls within each other: 10,000.
    pub depth: u32,
}

impl Default for Limits {
    fn default() -> Self {
        Self { output: 64 << 20, memory: 1 << 30, iterations: 10_000_000, steps: 100_000_000, depth: 10_000 }
    }
}

/// What is left of an execution's [`Limits`]. Functions that may make much of little charge it beforehand.
#[derive(Debug)]
pub struct Budget {
    limits: Limits,
    memory: Cell<u64>,
    steps: Cell<u64>,
    iterations: Cell<u64>,
}

impl Budget {
    /// A budget of which nothing is used yet.
    pub fn new(limits: Limits) -> Self {
        let Limits { memory, steps, iterations, .. } = limits;
        Self { limits, memory: Cell::new(memory), steps: Cell::new(steps), iterations: Cell::new(iterations) }
    }

    /// The limits it was made of.
    pub fn limits(&self) -> &Limits {
        &self.limits
    }

    /// Charges for a value of so many bytes, before it is made.
    ///
    /// # Errors
    /// When so much is not left. The execution ends with this error.
    pub fn allocate(&self, bytes: usize) -> Result<(), FunctionError> {
        take(&self.memory, bytes as u64)
            .ok_or_else(|| FunctionError::limit(format!("values pass the limit of {} bytes", self.limits.memory)))
    }

    /// Charges for a list or map of so many values, before it is made.
    ///
    /// # Errors
    /// As [`Budget::allocate`].
    pub fn allocate_values(&self, count: usize) -> Result<(), FunctionError> {
        self.allocate(count.saturating_mul(size_of::<crate::Value>()))
    }

    /// Bytes that are left for values.
    pub fn memory_left(&self) -> usize {
        usize::try_from(self.memory.get()).unwrap_or(usize::MAX)
    }

    /// Charges for work: once for each value that is visited.
    ///
    /// # Errors
    /// When no step is left.
    pub fn step(&self) -> Result<(), FunctionError> {
        self.work(1)
    }

    /// Charges for work that takes as long as visiting so many values.
    ///
    /// # Errors
    /// When so many steps are not left.
    pub fn work(&self, steps: u64) -> Result<(), FunctionError> {
        take(&self.steps, steps)
            .ok_or_else(|| FunctionError::limit(format!("execution passes the limit of {} steps", self.limits.steps)))
    }

    pub(crate) fn iterate(&self) -> Result<(), FunctionError> {
        take(&self.iterations, 1)
            .ok_or_else(|| FunctionError::limit(format!("loops pass the limit of {} rounds", self.limits.iterations)))
    }
}

impl Default for Budget {
    fn default() -> Self {
        Self::new(Limits::default())
    }
}

fn take(left: &Cell<u64>, wanted: u64) -> Option<()> {
    left.set(left.get().checked_sub(wanted)?);
    Some(())
}
