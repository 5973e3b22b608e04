//! The states of an estimate, handed out a few at a time, so that memory does not grow with their number.

use std::ops::Range;

use crate::replay::{Batch, Replay};

/// Transitions of the finished task, by their index in the estimate.
pub(super) trait States {
    /// How many there are.
    fn len(&self) -> usize;

    /// Puts those in `rows` into `batch`, in place of what it held.
    fn gather(&self, rows: Range<usize>, batch: &mut Batch);
}

/// Transitions drawn from the replay buffer; only their slots are kept.
pub(super) struct Drawn<'a> {
    pub replay: &'a Replay,
    pub slots: Vec<usize>,
}

impl States for Drawn<'_> {
    fn len(&self) -> usize {
        self.slots.len()
    }

    fn gather(&self, rows: Range<usize>, batch: &mut Batch) {
        self.replay.gather(&self.slots[rows], batch);
    }
}

impl States for Batch {
    fn len(&self) -> usize {
        Batch::len(self)
    }

    fn gather(&self, rows: Range<usize>, batch: &mut Batch) {
        self.copy_rows(rows, batch);
    }
}
