//! The performance matrix and the metrics of continual learning, defined by phase so that tasks may recur.

/// Row `i` holds the scores of every task after phase `i - 1`; row 0 those of the untrained network.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct PerformanceMatrix {
    /// The rows, oldest first.
    pub rows: Vec<Row>,
}

/// The scores of every task at one boundary.
#[derive(Debug, Clone, PartialEq)]
pub struct Row {
    /// Environment steps so far.
    pub step: u64,
    /// The phase that just ended and its task; None in row 0.
    pub trained: Option<Trained>,
    /// Mean raw return of each task.
    pub returns: Vec<f64>,
    /// Normalised score of each task: 0 as the random policy, 1 as a single-task agent.
    pub normalized: Vec<f64>,
}

/// Which phase a row follows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Trained {
    /// Index of the phase.
    pub phase: usize,
    /// Index of the phase's task.
    pub task: usize,
}

/// Metrics on normalised scores `R[row][task]`. None where there is nothing to average.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Metrics {
    /// Mean over all tasks of the last row.
    pub average_performance: f64,
    /// Mean over tasks not trained in the last phase of (maximum over earlier rows - last row).
    pub forgetting: Option<f64>,
    /// Mean over tasks not trained in the last phase of (last row - row after the task's last phase).
    pub backward_transfer: Option<f64>,
    /// Mean over tasks of the score right after their last phase: plasticity.
    pub learning: Option<f64>,
    /// Mean over tasks, but the first trained, of (row before the task's first phase - row 0): zero-shot transfer.
    pub forward_transfer: Option<f64>,
}
