//! Cloning after CLEAR (Rolnick et al. 2019), for Q-values: each update adds, on as many remembered transitions,
//! `weight loss(Q(s, a) - y) + policy_weight KL(softmax(Q_old / T) | softmax(Q / T)) + value_weight mean_a (Q_old - Q)^2`,
//! `Q_old` the values at the end of the task that the transition is of.

use super::{ClearConfig, Consolidation, FinishedTask, MemoryConfig, Method, MethodState, rehearsal::Rehearsal};
use crate::{
    AgentError,
    distillation::{DistillationLoss, distill, matched_kl},
    learning::Learning,
};

/// Old transitions are learnt from, and old Q-values cloned.
pub(super) struct Clear {
    config: ClearConfig,
    rehearsal: Rehearsal,
}

impl Clear {
    pub fn new(memory: MemoryConfig, config: ClearConfig) -> Self {
        Self { config, rehearsal: Rehearsal::new(memory, true) }
    }
}

impl Method for Clear {
    fn state(&self) -> &MethodState {
        &self.rehearsal.state
    }

    fn set_state(&mut self, state: MethodState) {
        self.rehearsal.state = state;
    }

    fn shape_gradient(&mut self, learning: &mut Learning<'_>) -> Result<(), AgentError> {
        let ClearConfig { weight, policy_weight, value_weight, temperature } = self.config;
        self.rehearsal.each_task(learning, |learning, batch, old, task| {
            learning.add_td(batch, task, weight)?;
            let taught = (batch.observations.as_slice(), old);
            learning.add_loss_on_q(taught, task, policy_weight, &mut |old, q, actions, derivative| {
                matched_kl(temperature, old, q, actions, derivative);
            })?;
            learning.add_loss_on_q(taught, task, value_weight, &mut |old, q, actions, derivative| {
                distill(DistillationLoss::Mse, temperature, old, q, actions, derivative);
            })
        })
    }

    fn consolidate(&mut self, task: FinishedTask<'_>) -> Result<Consolidation, AgentError> {
        self.rehearsal.consolidate(task)
    }
}

#[cfg(test)]
mod tests {
    use super::super::stage::Stage;
    use super::*;

    /// Fails if one of the three weights is left out or meets another loss, or if the old Q-values are the present ones.
    #[test]
    fn the_loss_is_the_one_that_is_written() {
        let mut stage = Stage::with_heads();
        let config = ClearConfig { weight: 0.5, policy_weight: 2.0, value_weight: 3.0, temperature: 0.5 };
        let mut method = Clear::new(MemoryConfig { transitions: 10 }, config);
        method.consolidate(stage.finished()).unwrap();
        stage.online.params_mut().iter_mut().enumerate().for_each(|(i, param)| *param += (i as f32).sin() * 0.3);
        let (batch, old) = stage.drawn(&method);
        let targets = stage.targets(&batch);
        method.shape_gradient(&mut stage.learning()).unwrap();
        let added = stage.gradient.clone();
        stage.assert_slope(&added, &batch.observations, &|stage, q| {
            let clone = |row: usize| {
                let (old, q) = (&old[3 * row..3 * row + 3], &q[3 * row..3 * row + 3]);
                let policy = |q: &[f32]| {
                    let weights = [0, 1, 2].map(|a| (f64::from(q[a]) / 0.5).exp());
                    weights.map(|weight| weight / weights.iter().sum::<f64>())
                };
                let (p, own) = (policy(old), policy(q));
                let divergence: f64 = (0..3).map(|a| p[a] * (p[a] / own[a]).ln()).sum();
                let distance: f64 = (0..3).map(|a| f64::from(old[a] - q[a]).powi(2)).sum();
                2.0 * divergence + 3.0 * distance / 3.0
            };
            let cloned = (0..batch.len()).map(clone).sum::<f64>() / 8.0;
            0.5 * stage.td_loss(&batch, &targets, q) + cloned
        });
        assert_eq!(stage.trained, [0]);
    }
}
