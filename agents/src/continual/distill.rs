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
            let (columns, actions) = (learning.online.architecture().actions(), learning.actions[task]);
            learning.add_loss_on_q(&batch.observations, task, weight, &mut |row, q, derivative| {
                distill(loss, temperature, &old[row * columns..(row + 1) * columns], q, actions, derivative);
            })
        })
    }

    fn consolidate(&mut self, mut task: FinishedTask<'_>) -> Result<Consolidation, AgentError> {
        self.rehearsal.remember(&mut task)?;
        Ok(Consolidation::new(task.network.params().to_vec()))
    }
}
