//! Sampled transitions, row by row.

use std::ops::Range;

/// Sampled transitions of one task, row by row.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Batch {
    /// `[n, observation]`.
    pub observations: Vec<f32>,
    /// `[n]`.
    pub actions: Vec<usize>,
    /// `[n]`.
    pub rewards: Vec<f32>,
    /// `[n]`.
    pub discounts: Vec<f32>,
    /// `[n, observation]`.
    pub next_observations: Vec<f32>,
}

impl Batch {
    /// How many transitions it holds.
    pub fn len(&self) -> usize {
        self.actions.len()
    }

    /// Whether it holds none.
    pub fn is_empty(&self) -> bool {
        self.actions.is_empty()
    }

    pub(crate) fn clear(&mut self) {
        self.observations.clear();
        self.actions.clear();
        self.rewards.clear();
        self.discounts.clear();
        self.next_observations.clear();
    }

    /// Copies the transitions in `rows` into `out`, in place of what it held.
    pub(crate) fn copy_rows(&self, rows: Range<usize>, out: &mut Self) {
        out.clear();
        if self.is_empty() {
            return;
        }
        let width = self.observations.len() / self.len();
        let cells = rows.start * width..rows.end * width;
        out.observations.extend_from_slice(&self.observations[cells.clone()]);
        out.actions.extend_from_slice(&self.actions[rows.clone()]);
        out.rewards.extend_from_slice(&self.rewards[rows.clone()]);
        out.discounts.extend_from_slice(&self.discounts[rows]);
        out.next_observations.extend_from_slice(&self.next_observations[cells]);
    }
}
