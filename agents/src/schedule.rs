//! Quantities that change over a phase: the exploration rate and the learning rate.

use serde::{Deserialize, Serialize};

/// The exploration rate: linear from `initial` to `final`, then constant.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct EpsilonConfig {
    /// The rate at a task's first step.
    pub initial: f32,
    /// The rate from `decay_fraction` of the task's first phase on.
    #[serde(rename = "final")]
    pub last: f32,
    /// The share of the steps of the task's first phase over which the rate falls.
    pub decay_fraction: f64,
}

impl Default for EpsilonConfig {
    fn default() -> Self {
        Self { initial: 1.0, last: 0.05, decay_fraction: 0.3 }
    }
}

impl EpsilonConfig {
    /// The rate after `step` steps on the task, with `decay_steps` resolved from the phase:
    /// `max(final, initial - (initial - final) step / decay_steps)`.
    pub fn at(&self, step: u64, decay_steps: u64) -> f32 {
        linear(self.initial, self.last, step, decay_steps)
    }

    /// The steps over which the rate falls in a phase of `steps`.
    pub fn decay_steps(&self, steps: u64) -> u64 {
        (self.decay_fraction * steps as f64).round() as u64
    }
}

/// How the learning rate goes over a phase.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum LearningRateSchedule {
    /// Always the same.
    #[default]
    Constant,
    /// Linear, down to `learning_rate_final` times the rate at the phase's end, restarted with each phase.
    Linear,
}

impl LearningRateSchedule {
    /// The rate after `step` of `steps` steps of the phase.
    pub fn at(self, rate: f32, final_share: f32, step: u64, steps: u64) -> f32 {
        match self {
            Self::Constant => rate,
            Self::Linear => linear(rate, rate * final_share, step, steps),
        }
    }
}

fn linear(first: f32, last: f32, step: u64, steps: u64) -> f32 {
    if step >= steps {
        return last;
    }
    (f64::from(first) + f64::from(last - first) * step as f64 / steps as f64) as f32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn epsilon_falls_linearly_then_stays() {
        let epsilon = EpsilonConfig { initial: 1.0, last: 0.1, decay_fraction: 0.5 };
        let decay = epsilon.decay_steps(200);
        assert_eq!(decay, 100);
        assert_eq!(epsilon.at(0, decay), 1.0);
        assert!((epsilon.at(50, decay) - 0.55).abs() < 1e-6);
        assert_eq!(epsilon.at(100, decay), 0.1);
        assert_eq!(epsilon.at(10_000, decay), 0.1);
        assert_eq!(epsilon.at(0, 0), 0.1);
    }

    #[test]
    fn learning_rate_reaches_its_final_share_at_the_phase_end() {
        let rate = |step| LearningRateSchedule::Linear.at(1e-3, 0.05, step, 1000);
        assert_eq!(rate(0), 1e-3);
        assert!((rate(500) - 0.525e-3).abs() < 1e-9);
        assert!((rate(1000) - 0.05e-3).abs() < 1e-9);
        assert_eq!(LearningRateSchedule::Constant.at(1e-3, 0.05, 1000, 1000), 1e-3);
    }
}
