//! From a batch of transitions to the gradient of the temporal-difference loss.

use super::DqnConfig;
use crate::{AgentError, loss::td_target, network::QNetwork, replay::Batch};

/// The gradient of the temporal-difference loss on transitions of one task.
pub(super) struct TdGradient<'a> {
    pub config: &'a DqnConfig,
    pub batch: &'a Batch,
    pub actions: usize,
}

impl TdGradient<'_> {
    /// Adds `1/B sum_n d loss(Q(s_n, a_n) - y_n) / d theta`, `B` the whole batch size and `y` held constant, to
    /// `gradient`; returns the sums of the losses and of `Q(s_n, a_n)`.
    pub fn add_to(
        &self,
        gradient: &mut [f32],
        task: usize,
        (online, target): (&mut Box<dyn QNetwork>, &mut Box<dyn QNetwork>),
        (next, selector): (&mut Vec<f32>, &mut Vec<f32>),
    ) -> Result<(f32, f32), AgentError> {
        let Self { config, batch, actions } = self;
        let columns = online.architecture().actions();
        next.resize(batch.len() * columns, 0.0);
        target.infer(&batch.next_observations, task, next)?;
        if config.double {
            selector.resize(batch.len() * columns, 0.0);
            online.infer(&batch.next_observations, task, selector)?;
        }
        let (mut loss, mut q_value) = (0.0, 0.0);
        let mut scores = |q: &[f32], chosen: &mut [f32]| {
            for row in 0..batch.len() {
                let cells = row * columns..(row + 1) * columns;
                let selector = config.double.then(|| &selector[cells.clone()]);
                let target =
                    td_target(batch.rewards[row], batch.discounts[row], &next[cells.clone()], selector, *actions);
                let taken = cells.start + batch.actions[row];
                let delta = q[taken] - target;
                loss += config.loss.value(delta);
                q_value += q[taken];
                chosen[taken] = config.loss.derivative(delta) / config.batch_size as f32;
            }
        };
        online.gradient(&batch.observations, task, &mut scores, gradient)?;
        Ok((loss, q_value))
    }
}
