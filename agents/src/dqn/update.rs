//! One update, and what the updates since the last report looked like.

use serde::{Deserialize, Serialize};

use super::{Dqn, PhaseState, td_gradient::TdGradient};
use crate::{AgentError, continual::Coupling, kernels::squared_norm, optimizer::OptimizerConfig, replay::Batch};

/// Means over the updates since the last report; penalty, rate and stiffness as they are now.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Update {
    /// Mean temporal-difference loss.
    pub td_loss: f32,
    /// Mean `Q(s, a)` of the sampled transitions.
    pub q_value: f32,
    /// Mean norm of the task's gradient before clipping.
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
    next: Vec<f32>,
    selector: Vec<f32>,
    gradient: Vec<f32>,
    pub q: Vec<f32>,
}

impl Dqn {
    /// One update, in this order: gradient of the TD loss, clipping, optimizer step, proximal step of the penalty.
    pub(super) fn update(&mut self) -> Result<(), AgentError> {
        let phase = self.phase.as_mut().ok_or(AgentError::NotBegun)?;
        let scratch = &mut self.scratch;
        self.replay.draw(self.config.batch_size, None, &mut phase.replay, &mut scratch.slots);
        scratch.gradient.clear();
        scratch.gradient.resize(self.online.layout().len(), 0.0);

        scratch.trained.clear();
        let (mut loss, mut q_value) = (0.0, 0.0);
        for slots in scratch.slots.chunk_by(|a, b| self.replay.task(*a) == self.replay.task(*b)) {
            let task = self.replay.task(slots[0]).unwrap_or(phase.task);
            self.replay.gather(slots, &mut scratch.batch);
            let td = TdGradient { config: &self.config, batch: &scratch.batch, actions: self.tasks.actions[task] };
            let (networks, buffers) =
                ((&mut self.online, &mut self.target), (&mut scratch.next, &mut scratch.selector));
            let sums = td.add_to(&mut scratch.gradient, task, networks, buffers)?;
            loss += sums.0 / self.config.batch_size as f32;
            q_value += sums.1 / self.config.batch_size as f32;
            scratch.trained.push(task);
        }
        self.updates += 1;
        let norm = squared_norm(&scratch.gradient).sqrt() as f32;
        let diverged = |quantity, value| Err(AgentError::Diverged { quantity, value, updates: self.updates });
        if !loss.is_finite() || loss > DIVERGED {
            return diverged("the TD loss", loss);
        }
        if !norm.is_finite() {
            return diverged("the gradient's norm", norm);
        }
        let limit = self.config.max_gradient_norm;
        if limit > 0.0 && norm > limit {
            scratch.gradient.iter_mut().for_each(|g| *g *= limit / norm);
        }

        let quadratic = self.method.quadratic();
        if let (Coupling::Loss, Some(quadratic)) = (self.coupling, quadratic) {
            quadratic.add_gradient(self.online.params(), &mut scratch.gradient);
        }
        let proximal = quadratic.filter(|_| self.coupling == Coupling::Proximal);
        let rate = learning_rate(&self.config.optimizer, phase);
        self.optimizer.step(self.online.params_mut(), &scratch.gradient, rate, proximal, &scratch.trained);
        self.window.td_loss += f64::from(loss);
        self.window.q_value += f64::from(q_value);
        self.window.gradient_norm += f64::from(norm);
        self.window.updates += 1;
        Ok(())
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

fn learning_rate(config: &OptimizerConfig, phase: &PhaseState) -> f32 {
    config.learning_rate_schedule.at(config.learning_rate, config.learning_rate_final, phase.step, phase.steps)
}
