//! Which element of a list before is which element of the list after.

use std::collections::HashMap;

use serde_json::Value;

use crate::keyed;

/// How many pairs of elements are compared at most to find the equal ones; longer lists are paired by position.
const MOST_COMPARISONS: usize = 250_000;

/// How many elements are moved at most; past that all of them go and come.
const MOST_MOVES: usize = 32;

/// Two lists, side by side. Equal elements at both ends are left out; indices count from the start of the lists still.
pub(super) struct Alignment {
    head: usize,
    before: usize,
    after: usize,
    /// Index before, index after; both relative to `head`, in the order after.
    pairs: Vec<(usize, usize)>,
    /// Per pair: whether it keeps its place among the others.
    stays: Vec<bool>,
}

impl Alignment {
    /// Aligns by `key` where every element has one of its own, else by equality.
    pub(super) fn of(before: &[Value], after: &[Value], key: Option<&str>) -> Self {
        let head = before.iter().zip(after).take_while(|(old, new)| old == new).count();
        let (before, after) = (&before[head..], &after[head..]);
        let tail = before.iter().rev().zip(after.iter().rev()).take_while(|(old, new)| old == new).count();
        let (before, after) = (&before[..before.len() - tail], &after[..after.len() - tail]);
        let pairs = key.and_then(|key| same_key(before, after, key)).unwrap_or_else(|| same_place(before, after));
        let mut alignment =
            Self { head, before: before.len(), after: after.len(), pairs: Vec::new(), stays: Vec::new() };
        alignment.set(pairs);
        if alignment.stays.iter().filter(|stays| !**stays).count() > MOST_MOVES {
            alignment.part(|_, _| true);
        }
        alignment
    }

    /// Parts the pairs that would move and for which `is_parted(index before, index after)`: they go and come instead.
    pub(super) fn part(&mut self, mut is_parted: impl FnMut(usize, usize) -> bool) {
        let head = self.head;
        let mut pairs = std::mem::take(&mut self.pairs);
        let mut stays = self.stays.iter();
        pairs.retain(|(old, new)| stays.next() == Some(&true) || !is_parted(head + old, head + new));
        self.set(pairs);
    }

    /// Indices before of what goes, the last one first.
    pub(super) fn removed(&self) -> impl Iterator<Item = usize> {
        let mut kept = vec![false; self.before];
        self.pairs.iter().for_each(|(old, _)| kept[*old] = true);
        (0..self.before).rev().filter(move |index| !kept[*index]).map(|index| self.head + index)
    }

    /// Indices after of what comes.
    pub(super) fn added(&self) -> impl Iterator<Item = usize> {
        let mut kept = vec![false; self.after];
        self.pairs.iter().for_each(|(_, new)| kept[*new] = true);
        (0..self.after).filter(move |index| !kept[*index]).map(|index| self.head + index)
    }

    /// From where and to where elements move, one after the other, once what goes is gone.
    pub(super) fn moves(&self) -> Vec<(usize, usize)> {
        if !self.stays.contains(&false) {
            return Vec::new();
        }
        let mut current: Vec<usize> = self.pairs.iter().map(|(old, _)| *old).collect();
        current.sort_unstable();
        let mut moves = Vec::new();
        let mut previous = None;
        for ((old, _), stays) in self.pairs.iter().zip(&self.stays) {
            let position = |current: &[usize], wanted: usize| current.iter().position(|index| *index == wanted);
            if !stays && let Some(from) = position(&current, *old) {
                current.remove(from);
                let to = previous.and_then(|previous| position(&current, previous)).map_or(0, |behind| behind + 1);
                current.insert(to, *old);
                if from != to {
                    moves.push((self.head + from, self.head + to));
                }
            }
            previous = Some(*old);
        }
        moves
    }

    /// Index before and index after of what stays or moves, in the order after.
    pub(super) fn pairs(&self) -> impl Iterator<Item = (usize, usize)> {
        self.pairs.iter().map(|(old, new)| (self.head + old, self.head + new))
    }

    fn set(&mut self, pairs: Vec<(usize, usize)>) {
        let order: Vec<usize> = pairs.iter().map(|(old, _)| *old).collect();
        self.stays = keyed::ascending(&order);
        self.pairs = pairs;
    }
}

fn same_key(before: &[Value], after: &[Value], key: &str) -> Option<Vec<(usize, usize)>> {
    let (before, after) = (keyed::ids(before, key)?, keyed::ids(after, key)?);
    let positions: HashMap<&str, usize> = before.iter().enumerate().map(|(index, id)| (id.as_str(), index)).collect();
    let pair = |(new, id): (usize, &String)| positions.get(id.as_str()).map(|old| (*old, new));
    Some(after.iter().enumerate().filter_map(pair).collect())
}

/// Pairs equal elements, and between them by position what is left on both sides.
fn same_place(before: &[Value], after: &[Value]) -> Vec<(usize, usize)> {
    let mut pairs = Vec::new();
    let (mut old, mut new) = (0, 0);
    for (next_old, next_new) in equal(before, after).into_iter().chain([(before.len(), after.len())]) {
        pairs.extend((old..next_old).zip(new..next_new));
        if next_old < before.len() {
            pairs.push((next_old, next_new));
        }
        (old, new) = (next_old + 1, next_new + 1);
    }
    pairs
}

/// A longest common subsequence, as pairs of indices; empty when the lists are too long to look for one.
fn equal(before: &[Value], after: &[Value]) -> Vec<(usize, usize)> {
    if before.len().saturating_mul(after.len()) > MOST_COMPARISONS {
        return Vec::new();
    }
    let (before, after) = numbered(before, after);
    // `longest[row + column]`: length of a longest common subsequence of what follows from there.
    let width = after.len() + 1;
    let mut longest = vec![0_u32; (before.len() + 1) * width];
    for (old, number) in before.iter().enumerate().rev() {
        for (new, other) in after.iter().enumerate().rev() {
            let (here, below) = (old * width + new, (old + 1) * width + new);
            longest[here] =
                if number == other { longest[below + 1] + 1 } else { longest[below].max(longest[here + 1]) };
        }
    }
    let mut pairs = Vec::new();
    let (mut old, mut new) = (0, 0);
    while old < before.len() && new < after.len() {
        if before[old] == after[new] {
            pairs.push((old, new));
            (old, new) = (old + 1, new + 1);
        } else if longest[(old + 1) * width + new] >= longest[old * width + new + 1] {
            old += 1;
        } else {
            new += 1;
        }
    }
    pairs
}

/// A number for each element, equal ones having the same.
fn numbered(before: &[Value], after: &[Value]) -> (Vec<usize>, Vec<usize>) {
    let mut numbers: HashMap<&Value, usize> = HashMap::new();
    let mut number = |value| {
        let next = numbers.len();
        *numbers.entry(value).or_insert(next)
    };
    (before.iter().map(&mut number).collect(), after.iter().map(&mut number).collect())
}
