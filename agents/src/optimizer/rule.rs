//! The arithmetic of one step at one parameter.

use super::{OptimizerConfig, OptimizerKind};

/// The constants of one step.
pub(super) struct Rule {
    kind: OptimizerKind,
    rate: f32,
    mean_decay: f32,
    square_decay: f32,
    square_correction: f32,
    centred: bool,
    epsilon: f32,
    inside: f32,
}

impl Rule {
    pub fn new(config: &OptimizerConfig, rate: f32, steps: i32) -> Self {
        match config.kind {
            OptimizerKind::Adam => Self {
                kind: config.kind,
                rate: rate / (1.0 - config.beta1.powi(steps)),
                mean_decay: config.beta1,
                square_decay: config.beta2,
                square_correction: 1.0 / (1.0 - config.beta2.powi(steps)),
                centred: false,
                epsilon: config.epsilon(),
                inside: 0.0,
            },
            OptimizerKind::Rmsprop => Self {
                kind: config.kind,
                rate,
                mean_decay: config.decay,
                square_decay: config.decay,
                square_correction: 1.0,
                centred: config.centred,
                epsilon: if config.epsilon_inside_root() { 0.0 } else { config.epsilon() },
                inside: if config.epsilon_inside_root() { config.epsilon() } else { 0.0 },
            },
        }
    }

    /// Takes in the gradient `g` and gives the denominator `D`.
    pub fn denominator(&self, g: f32, m: &mut f32, v: &mut f32) -> f32 {
        *m = self.mean_decay * *m + (1.0 - self.mean_decay) * g;
        *v = self.square_decay * *v + (1.0 - self.square_decay) * g * g;
        self.root(*m, *v)
    }

    /// The denominator `D` that the moments stand for.
    pub fn root(&self, m: f32, v: f32) -> f32 {
        let variance = if self.centred { (v - m * m).max(0.0) } else { v * self.square_correction };
        (variance + self.inside).sqrt() + self.epsilon
    }

    /// What is divided by `D`, the rate included.
    pub fn numerator(&self, g: f32, m: f32) -> f32 {
        self.rate * if self.kind == OptimizerKind::Adam { m } else { g }
    }
}
