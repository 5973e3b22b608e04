//! Distillation in sequence (after Rusu et al. 2015, and Li and Hoiem 2016): at a task's end the network is its teacher.
//! States of its replay are remembered with the teacher's Q-values, and each update adds
//! `weight E_memory l(Q_teacher(s), Q(s))`, `l` one of the losses of policy distillation. No reward is rehearsed.

use super::{Consolidation, DistillConfig, FinishedTask, MemoryConfig, Method, MethodState, rehearsal::Rehearsal};
use crate::{AgentError, distillation::distill, learning::Learning};

/// Finished tasks teach.
pub(super) struct Distill {
    config: DistillConfig,
    rehearsal: Rehearsal,
}

impl Distill {
    pub fn new(memory: MemoryConfig, config: DistillConfig) -> Self {
        Self { config, rehearsal: Rehearsal::new(memory, true) }
    }
}

impl Method for Distill {
    fn state(&self) -> &MethodState {
        &self.rehearsal.state
    }

    fn set_state(&mut self, state: MethodState) {
        self.rehearsal.state = state;
    }

    fn shape_gradient(&mut self, learning: &mut Learning<'_>) -> Result<(), AgentError> {
        let DistillConfig { loss, weight, temperature } = self.config;
        self.rehearsal.each_task(learning, |learning, batch, old, task| {
            learning.add_loss_on_q((&batch.observations, old), task, weight, &mut |old, q, actions, derivative| {
                distill(loss, temperature, old, q, actions, derivative);
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
    use crate::distillation::DistillationLoss;

    /// Fails if the weight or the batch size is left out, or if the teacher follows the network.
    #[test]
    fn the_loss_is_the_one_that_is_written() {
        for loss in DistillationLoss::ALL {
            let mut stage = Stage::with_heads();
            let config = DistillConfig { loss, weight: 3.0, temperature: 0.5 };
            let mut method = Distill::new(MemoryConfig { transitions: 10 }, config);
            method.consolidate(stage.finished()).unwrap();
            stage.online.params_mut().iter_mut().enumerate().for_each(|(i, param)| *param += (i as f32).sin() * 0.3);
            let (batch, old) = stage.drawn(&method);
            method.shape_gradient(&mut stage.learning()).unwrap();
            let added = stage.gradient.clone();
            stage.assert_slope(&added, &batch.observations, &|_, q| {
                let mut unused = [0.0; 3];
                let rows = old.chunks(3).zip(q.chunks(3));
                let losses = rows.map(|(old, q)| f64::from(distill(loss, 0.5, old, q, 3, &mut unused)));
                3.0 * losses.sum::<f64>() / 8.0
            });
        }
    }
}
