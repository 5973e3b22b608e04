//! Replay, the system-level consolidation that the EWC paper argues against, in sequence and within a budget: each update
//! adds the temporal-difference loss on as many transitions remembered of finished tasks,
//! `L = L_task + weight E_memory loss(Q(s, a) - y)`.

use super::{Consolidation, FinishedTask, MemoryConfig, Method, MethodState, RehearsalWeight, rehearsal::Rehearsal};
use crate::{AgentError, learning::Learning};

/// Old transitions are learnt from beside the new ones.
pub(super) struct Rehearse {
    weight: f32,
    rehearsal: Rehearsal,
}

impl Rehearse {
    pub fn new(memory: MemoryConfig, config: RehearsalWeight) -> Self {
        Self { weight: config.weight, rehearsal: Rehearsal::new(memory, false) }
    }
}

impl Method for Rehearse {
    fn state(&self) -> &MethodState {
        &self.rehearsal.state
    }

    fn set_state(&mut self, state: MethodState) {
        self.rehearsal.state = state;
    }

    fn shape_gradient(&mut self, learning: &mut Learning<'_>) -> Result<(), AgentError> {
        let weight = self.weight;
        self.rehearsal.each_task(learning, |learning, batch, _, task| learning.add_td(batch, task, weight).map(drop))
    }

    fn consolidate(&mut self, task: FinishedTask<'_>) -> Result<Consolidation, AgentError> {
        self.rehearsal.consolidate(task)
    }
}

#[cfg(test)]
mod tests {
    use super::super::stage::Stage;
    use super::*;

    /// Fails if the weight is left out, if the batch is not the one that was drawn, or if the heads of the old task rest.
    #[test]
    fn the_loss_on_the_memory_is_added() {
        let mut stage = Stage::with_heads();
        let mut method = Rehearse::new(MemoryConfig { transitions: 10 }, RehearsalWeight { weight: 2.0 });
        method.consolidate(stage.finished()).unwrap();
        let (batch, _) = stage.drawn(&method);
        let targets = stage.targets(&batch);
        stage.gradient.fill(1.0);
        method.shape_gradient(&mut stage.learning()).unwrap();
        let added: Vec<f32> = stage.gradient.iter().map(|g| g - 1.0).collect();
        stage.assert_slope(&added, &batch.observations, &|stage, q| 2.0 * stage.td_loss(&batch, &targets, q));
        assert_eq!(stage.trained, [0], "the old task's head moves");
    }
}
