//! Random choices that a seed repeats.

/// A generator of numbers (splitmix64).
pub(crate) struct Random(pub(crate) u64);

impl Random {
    /// A number below `limit`.
    pub(crate) fn below(&mut self, limit: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut bits = self.0;
        bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((bits ^ (bits >> 31)) % limit as u64) as usize
    }

    pub(crate) fn percent(&mut self, chance: usize) -> bool {
        self.below(100) < chance
    }

    pub(crate) fn pick<T: Clone>(&mut self, choices: &[T]) -> T {
        choices[self.below(choices.len())].clone()
    }

    /// Between `least` and all of `choices`, each at most once, in any order.
    pub(crate) fn subset<T: Clone>(&mut self, choices: &[T], least: usize) -> Vec<T> {
        let mut rest = choices.to_vec();
        let count = least + self.below(choices.len() - least + 1);
        (0..count).map(|_| rest.swap_remove(self.below(rest.len()))).collect()
    }
}
