//! What is set of an optimizer, and what its rule sets where nothing is said.

use serde::{Deserialize, Serialize};

use crate::schedule::LearningRateSchedule;

/// The optimizer as configured.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct OptimizerConfig {
    /// The rule.
    pub kind: OptimizerKind,
    /// The learning rate.
    pub learning_rate: f32,
    /// How it goes over a phase.
    pub learning_rate_schedule: LearningRateSchedule,
    /// The share of the learning rate that the linear schedule reaches at the phase's end.
    pub learning_rate_final: f32,
    /// Adam: decay of the mean of gradients.
    pub beta1: f32,
    /// Adam: decay of the mean of squared gradients.
    pub beta2: f32,
    /// `RMSProp`: decay of both means.
    pub decay: f32,
    /// `RMSProp`: whether the mean gradient is subtracted, so that the step is over a standard deviation.
    pub centred: bool,
    /// Keeps the denominator from 0; None stands for the rule's own, [`OptimizerConfig::epsilon`].
    pub epsilon: Option<f32>,
    /// `RMSProp`: whether epsilon stands under the root; None stands for the rule's own,
    /// [`OptimizerConfig::epsilon_inside_root`].
    pub epsilon_inside_root: Option<bool>,
}

impl Default for OptimizerConfig {
    fn default() -> Self {
        Self {
            kind: OptimizerKind::Adam,
            learning_rate: 1e-3,
            learning_rate_schedule: LearningRateSchedule::Constant,
            learning_rate_final: 0.05,
            beta1: 0.9,
            beta2: 0.999,
            decay: 0.95,
            centred: true,
            epsilon: None,
            epsilon_inside_root: None,
        }
    }
}

impl OptimizerConfig {
    /// Epsilon as set, or as the rule needs it: `1e-8` for Adam (Kingma and Ba 2015), `0.01` for `RMSProp` (Mnih et al.
    /// 2015), whose denominator is a standard deviation and vanishes where gradients are constant.
    pub fn epsilon(&self) -> f32 {
        self.epsilon.unwrap_or(match self.kind {
            OptimizerKind::Adam => 1e-8,
            OptimizerKind::Rmsprop => 0.01,
        })
    }

    /// Whether epsilon stands under the root: as set, or as Mnih et al. 2015 have it for `RMSProp`.
    pub fn epsilon_inside_root(&self) -> bool {
        self.epsilon_inside_root.unwrap_or(self.kind == OptimizerKind::Rmsprop)
    }

    /// The same with the rule's own values in place of None.
    #[must_use]
    pub fn resolved(self) -> Self {
        Self { epsilon: Some(self.epsilon()), epsilon_inside_root: Some(self.epsilon_inside_root()), ..self }
    }
}

/// The rule of an optimizer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum OptimizerKind {
    /// Kingma and Ba 2015, without weight decay.
    Adam,
    /// Tieleman and Hinton 2012; centred as in Graves 2013.
    Rmsprop,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn epsilon_is_the_rules_own_until_it_is_set() {
        let adam = OptimizerConfig::default();
        assert_eq!((adam.epsilon(), adam.epsilon_inside_root()), (1e-8, false));
        let rmsprop = OptimizerConfig { kind: OptimizerKind::Rmsprop, ..adam };
        assert_eq!((rmsprop.epsilon(), rmsprop.epsilon_inside_root()), (0.01, true));
        assert_eq!((rmsprop.resolved().epsilon, rmsprop.resolved().epsilon_inside_root), (Some(0.01), Some(true)));
        let set = OptimizerConfig { epsilon: Some(1e-5), epsilon_inside_root: Some(false), ..rmsprop };
        assert_eq!(set.resolved(), set);
    }
}
