//! What is set of a method. Each has a table of its own, so that changing the name never inherits another's strength.

use serde::{Deserialize, Serialize};

use super::MethodName;
use crate::{distillation::DistillationLoss, fisher::FisherConfig};

/// The method as configured.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct MethodConfig {
    /// Which method.
    pub name: MethodName,
    /// How a penalty enters the optimizer's step.
    pub coupling: Coupling,
    /// What a second visit does to a task's old penalty.
    pub revisit: Revisit,
    /// Steps of a task, over all its phases, before its penalty counts (Kirkpatrick et al. 2017, Atari agent).
    pub penalty_after_steps: u64,
    /// How importance is estimated where it is a Fisher information.
    pub fisher: FisherConfig,
    /// What methods that rehearse remember of finished tasks.
    pub memory: MemoryConfig,
    /// `l2`.
    pub l2: Strength,
    /// `ewc`.
    pub ewc: Strength,
    /// `online-ewc`.
    #[serde(rename = "online-ewc")]
    pub online_ewc: OnlineStrength,
    /// `huszar`.
    pub huszar: Strength,
    /// `si`.
    pub si: SynapticStrength,
    /// `mas`.
    pub mas: AwareStrength,
    /// `l2-init`.
    #[serde(rename = "l2-init")]
    pub l2_init: Strength,
    /// `shrink-perturb`.
    #[serde(rename = "shrink-perturb")]
    pub shrink_perturb: ShrinkPerturbConfig,
    /// `replay`.
    pub replay: RehearsalWeight,
    /// `clear`.
    pub clear: ClearConfig,
    /// `distill`.
    pub distill: DistillConfig,
    /// `packnet`.
    pub packnet: PackNetConfig,
    /// `progress-compress`.
    #[serde(rename = "progress-compress")]
    pub progress_compress: ProgressCompressConfig,
}

impl Default for MethodConfig {
    fn default() -> Self {
        Self {
            name: MethodName::Ewc,
            coupling: Coupling::Proximal,
            revisit: Revisit::Add,
            penalty_after_steps: 0,
            fisher: FisherConfig::default(),
            memory: MemoryConfig::default(),
            l2: Strength { lambda: 0.02 },
            ewc: Strength { lambda: 1.0 },
            online_ewc: OnlineStrength::default(),
            huszar: Strength { lambda: 1.0 },
            si: SynapticStrength::default(),
            mas: AwareStrength::default(),
            l2_init: Strength { lambda: 0.001 },
            shrink_perturb: ShrinkPerturbConfig::default(),
            replay: RehearsalWeight::default(),
            clear: ClearConfig::default(),
            distill: DistillConfig::default(),
            packnet: PackNetConfig::default(),
            progress_compress: ProgressCompressConfig::default(),
        }
    }
}

/// How a penalty enters the optimizer's step.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Coupling {
    /// As a proximal step in the optimizer's own metric, after its step on the task's loss.
    #[default]
    Proximal,
    /// Its gradient is added to the task's, as the papers write it; Adam then rescales both.
    Loss,
}

/// What a second visit does to a task's old penalty.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Revisit {
    /// Both penalties count.
    #[default]
    Add,
    /// The new one replaces the old one; memory then grows with the number of tasks.
    Replace,
}

/// What is remembered of finished tasks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct MemoryConfig {
    /// Transitions of all finished tasks together, shared among them alike.
    pub transitions: usize,
}

impl Default for MemoryConfig {
    fn default() -> Self {
        Self { transitions: 2000 }
    }
}

/// The strength of a penalty.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Strength {
    /// The factor of the penalty.
    pub lambda: f32,
}

/// The strength of the online penalty.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct OnlineStrength {
    /// The factor of the penalty.
    pub lambda: f32,
    /// What remains of the old importance at each boundary.
    pub decay: f32,
}

impl Default for OnlineStrength {
    fn default() -> Self {
        Self { lambda: 1.0, decay: 0.9 }
    }
}

/// The strength of synaptic intelligence.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct SynapticStrength {
    /// The factor of the penalty, twice the `c` of the paper.
    pub lambda: f32,
    /// What keeps the importance of parameters that hardly moved finite.
    pub damping: f32,
}

impl Default for SynapticStrength {
    fn default() -> Self {
        Self { lambda: 1.0, damping: 0.1 }
    }
}

/// The strength of memory aware synapses.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct AwareStrength {
    /// The factor of the penalty, twice the lambda of the paper.
    pub lambda: f32,
    /// How many replayed states the sensitivity is a mean over.
    pub states: usize,
}

impl Default for AwareStrength {
    fn default() -> Self {
        Self { lambda: 0.1, states: 1024 }
    }
}

/// `shrink-perturb` as configured.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ShrinkPerturbConfig {
    /// What remains of each parameter.
    pub shrink: f32,
    /// The share of a freshly drawn network that is added.
    pub perturb: f32,
}

impl Default for ShrinkPerturbConfig {
    fn default() -> Self {
        Self { shrink: 0.6, perturb: 0.1 }
    }
}

/// The weight of a loss on remembered transitions.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct RehearsalWeight {
    /// The factor of the temporal-difference loss on them.
    pub weight: f32,
}

impl Default for RehearsalWeight {
    fn default() -> Self {
        Self { weight: 1.0 }
    }
}

/// `clear` as configured.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ClearConfig {
    /// The factor of the temporal-difference loss on remembered transitions.
    pub weight: f32,
    /// The factor of the divergence from the old policy.
    pub policy_weight: f32,
    /// The factor of the squared distance to the old Q-values.
    pub value_weight: f32,
    /// The temperature at which Q-values become policies.
    pub temperature: f32,
}

impl Default for ClearConfig {
    fn default() -> Self {
        Self { weight: 1.0, policy_weight: 0.01, value_weight: 0.5, temperature: 1.0 }
    }
}

/// `distill` as configured.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct DistillConfig {
    /// The loss between teacher and student.
    pub loss: DistillationLoss,
    /// The factor of the loss.
    pub weight: f32,
    /// The temperature that sharpens the teacher in `kl`.
    pub temperature: f32,
}

impl Default for DistillConfig {
    fn default() -> Self {
        Self { loss: DistillationLoss::Mse, weight: 1.0, temperature: 0.01 }
    }
}

/// `packnet` as configured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct PackNetConfig {
    /// Updates on the finished task's replay after its weights were pruned.
    pub retrain_updates: u64,
}

impl Default for PackNetConfig {
    fn default() -> Self {
        Self { retrain_updates: 500 }
    }
}

/// `progress-compress` as configured.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ProgressCompressConfig {
    /// The factor of the penalty on the knowledge base.
    pub lambda: f32,
    /// What remains of the old importance at each boundary.
    pub decay: f32,
    /// Updates in which a finished task's network is distilled into the knowledge base.
    pub compress_updates: u64,
    /// The temperature that sharpens the column's Q-values into a policy.
    pub temperature: f32,
}

impl Default for ProgressCompressConfig {
    fn default() -> Self {
        Self { lambda: 0.1, decay: 0.9, compress_updates: 1000, temperature: 0.01 }
    }
}
