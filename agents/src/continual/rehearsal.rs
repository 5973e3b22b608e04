//! Rehearsing what is remembered of finished tasks: draws a batch and hands it out task by task. Methods that rehearse
//! differ only in what they make of it.

use super::{
    Consolidation, FinishedTask, MemoryConfig, MethodState,
    memory::{Memory, Slot},
};
use crate::{AgentError, learning::Learning, replay::Batch};

/// A memory and what is drawn from it.
pub(super) struct Rehearsal {
    budget: usize,
    pub state: MethodState,
    slots: Vec<Slot>,
    batch: Batch,
    q: Vec<f32>,
}

impl Rehearsal {
    /// Nothing is remembered yet; `values` says whether Q-values will be, too.
    pub fn new(config: MemoryConfig, values: bool) -> Self {
        let state = MethodState { memory: Some(Memory::new(values)), ..MethodState::default() };
        Self { budget: config.transitions, state, slots: Vec::new(), batch: Batch::default(), q: Vec::new() }
    }

    /// Draws as many transitions as an update has and calls `visit` with those of each task and their old Q-values.
    pub fn each_task(
        &mut self,
        learning: &mut Learning<'_>,
        mut visit: impl FnMut(&mut Learning<'_>, &Batch, &[f32], usize) -> Result<(), AgentError>,
    ) -> Result<(), AgentError> {
        let Some(memory) = &self.state.memory else { return Ok(()) };
        memory.draw(learning.config.batch_size, learning.generator, &mut self.slots);
        for slots in self.slots.chunk_by(|a, b| a.0 == b.0) {
            let task = memory.gather(slots, &mut self.batch, &mut self.q);
            visit(learning, &self.batch, &self.q, task)?;
        }
        Ok(())
    }

    /// Remembers a finished task.
    pub fn consolidate(&mut self, finished: FinishedTask<'_>) -> Result<Consolidation, AgentError> {
        let FinishedTask { task, replay, network, generator, tasks, .. } = finished;
        if let Some(memory) = &mut self.state.memory {
            memory.remember(self.budget, task, replay, tasks, network, generator)?;
        }
        Ok(Consolidation::new(network.params().to_vec()))
    }
}
