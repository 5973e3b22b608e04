//! One update, and what the updates since the last report looked like.

use serde::{Deserialize, Serialize};

use super::{Dqn, PhaseState};
use crate::{
    AgentError,
    continual::Coupling,
    kernels::squared_norm,
    learning::{Learning, Rows, TdSums},
    optimizer::OptimizerConfig,
    replay::Batch,
};

/// Means over the updates since the last report; penalty, rate and stiffness as they are now.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Update {
    /// Mean temporal-difference loss.
    pub td_loss: f32,
    /// Mean `Q(s, a)` of the sampled transitions.
    pub q_value: f32,
    /// Mean norm of the gradient before clipping: the task's, with what the method adds to it, projects or masks.
    pub gradient_norm: f32,
    /// The penalty.
    pub penalty: f32,
    /// The learning rate.
    pub learning_rate: f32,
    /// The greatest `eta lambda F` of the penalty.
    pub stiffness: f32,
    /// How many updates the means are over.
    pub updates: u64,
}

/// A TD loss above this is taken for divergence: no sensible reward scale comes near.
const DIVERGED: f32 = 1e6;

/// Sums since the last report.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(super) struct Window {
    td_loss: f64,
    q_value: f64,
    gradient_norm: f64,
    updates: u64,
}

/// Buffers that an update writes into, kept so that it allocates nothing of its own.
#[derive(Default)]
pub(super) struct Scratch {
    slots: Vec<usize>,
    trained: Vec<usize>,
    batch: Batch,
    rows: Rows,
    gradient: Vec<f32>,
    pub q: Vec<f32>,
}

impl Dqn {
    /// One update, in this order: gradient of the TD loss, the method's losses, projections and masks, clipping, optimizer
    /// step, proximal step of the penalty, what the method does after it.
    ///
    /// A joint phase takes its batch from every task's buffer alike; where the batch is no multiple of their number, the
    /// rest goes round.
    pub(super) fn update(&mut self) -> Result<(), AgentError> {
        let phase = self.phase.as_mut().ok_or(AgentError::NotBegun)?;
        let Scratch { slots, trained, batch, rows, gradient, .. } = &mut self.scratch;
        gradient.clear();
        gradient.resize(self.online.layout().len(), 0.0);
        trained.clear();
        let (config, actions, generator) = (&self.config, self.tasks.actions.as_slice(), &mut phase.method);
        let (online, target) = (self.online.as_mut(), self.target.as_mut());
        let task = phase.task;
        let mut learning = Learning { config, actions, task, online, target, gradient, trained, generator, rows };

        let played = if phase.joint { 0..actions.len() } else { task..task + 1 };
        let buffers = self.replay.drawn_from(played.clone()).count();
        let (mut sums, size) = (TdSums::default(), config.batch_size);
        for (index, replay) in self.replay.drawn_from(played).enumerate() {
            let turn = (index + self.updates as usize) % buffers;
            replay.draw(share_of_batch(size, buffers, turn), None, &mut phase.replay, slots);
            for slots in slots.chunk_by(|a, b| replay.task(*a) == replay.task(*b)) {
                let task = replay.task(slots[0]).unwrap_or(task);
                replay.gather(slots, batch);
                let own = learning.add_td(batch, task, 1.0)?;
                sums.loss += own.loss / size as f32;
                sums.q_value += own.q_value / size as f32;
            }
        }
        self.method.shape_gradient(&mut learning)?;
        phase.updates += 1;
        let rate = learning_rate(&self.config.optimizer, phase);
        let norm = self.take_step(sums.loss, rate)?;
        self.window.td_loss += f64::from(sums.loss);
        self.window.q_value += f64::from(sums.q_value);
        self.window.gradient_norm += f64::from(norm);
        self.window.updates += 1;
        Ok(())
    }

    /// One update of what the method does between a task's end and its consolidation, on a batch of that task.
    pub(super) fn compress_update(&mut self) -> Result<(), AgentError> {
        let phase = self.phase.as_mut().ok_or(AgentError::NotBegun)?;
        let Scratch { slots, trained, batch, rows, gradient, .. } = &mut self.scratch;
        gradient.clear();
        gradient.resize(self.online.layout().len(), 0.0);
        trained.clear();
        let task = phase.task;
        let replay = self.replay.of(task).ok_or(AgentError::EmptyReplay { task })?;
        replay.draw(self.config.batch_size, Some(task), &mut phase.replay, slots);
        replay.gather(slots, batch);
        let (config, actions, generator) = (&self.config, self.tasks.actions.as_slice(), &mut phase.method);
        let (online, target) = (self.online.as_mut(), self.target.as_mut());
        let mut learning = Learning { config, actions, task, online, target, gradient, trained, generator, rows };
        self.method.compress(&mut learning, batch)?;
        self.take_step(0.0, self.config.optimizer.learning_rate)?;
        self.target_age += self.config.train_period;
        if self.target_age >= self.config.target_period {
            self.copy_target();
        }
        Ok(())
    }

    /// Moves the parameters along the gradient; gives its norm before clipping.
    fn take_step(&mut self, loss: f32, rate: f32) -> Result<f32, AgentError> {
        let Scratch { trained, gradient, .. } = &mut self.scratch;
        self.updates += 1;
        let norm = squared_norm(gradient).sqrt() as f32;
        let diverged = |quantity, value| Err(AgentError::Diverged { quantity, value, updates: self.updates });
        if !loss.is_finite() || loss > DIVERGED {
            return diverged("the TD loss", loss);
        }
        if !norm.is_finite() {
            return diverged("the gradient's norm", norm);
        }
        let limit = self.config.max_gradient_norm;
        if limit > 0.0 && norm > limit {
            for g in gradient.iter_mut() {
                *g *= limit / norm;
            }
        }
        let quadratic = self.method.quadratic();
        if let (Coupling::Loss, Some(quadratic)) = (self.method_config.coupling, quadratic) {
            quadratic.add_gradient(self.online.params(), gradient);
        }
        let proximal = quadratic.filter(|_| self.method_config.coupling == Coupling::Proximal);
        self.optimizer.step(self.online.params_mut(), gradient, rate, proximal, trained);
        self.method.after_update(self.online.params_mut());
        Ok(norm)
    }

    /// What the updates since the last call looked like; None if there were none.
    pub fn take_update(&mut self) -> Option<Update> {
        let phase = self.phase.as_ref()?;
        let window = std::mem::take(&mut self.window);
        if window.updates == 0 {
            return None;
        }
        let mean = |sum: f64| (sum / window.updates as f64) as f32;
        let learning_rate = learning_rate(&self.config.optimizer, phase);
        let quadratic = self.method.quadratic();
        Some(Update {
            td_loss: mean(window.td_loss),
            q_value: mean(window.q_value),
            gradient_norm: mean(window.gradient_norm),
            penalty: quadratic.map_or(0.0, |quadratic| quadratic.value(self.online.params())),
            learning_rate,
            stiffness: quadratic.map_or(0.0, |quadratic| self.optimizer.stiffness(learning_rate, quadratic)),
            updates: window.updates,
        })
    }
}

/// How many of `size` transitions are drawn from the buffer whose `turn`-th it is of `buffers`: as many as from each other,
/// and one of the rest if it is early.
fn share_of_batch(size: usize, buffers: usize, turn: usize) -> usize {
    size / buffers + usize::from(turn < size % buffers)
}

fn learning_rate(config: &OptimizerConfig, phase: &PhaseState) -> f32 {
    config.learning_rate_schedule.at(config.learning_rate, config.learning_rate_final, phase.step, phase.steps)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Fails if the rest of a batch is lost, or if it always falls to the same buffers.
    #[test]
    fn a_batch_is_shared_among_buffers_alike() {
        for (size, buffers) in [(32, 1), (32, 3), (32, 5), (2, 3), (6, 3)] {
            let shares: Vec<usize> = (0..buffers).map(|turn| share_of_batch(size, buffers, turn)).collect();
            assert_eq!(shares.iter().sum::<usize>(), size);
            assert!(shares.iter().max().unwrap() - shares.iter().min().unwrap() <= 1, "{shares:?}");
        }
        assert_eq!([0, 1, 2].map(|turn| share_of_batch(32, 3, turn)), [11, 11, 10]);
    }
}
