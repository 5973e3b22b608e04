//! The methods by name, and what kind each is.

use serde::{Deserialize, Serialize};

/// The methods.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum MethodName {
    /// Nothing is kept.
    FineTune,
    /// The network is drawn anew for each task.
    Reset,
    /// After the first task what tasks share stays as it is.
    Frozen,
    /// Every shared parameter is pulled to its old values alike.
    L2,
    /// Elastic weight consolidation, one penalty a task (Kirkpatrick et al. 2017).
    #[default]
    Ewc,
    /// Online elastic weight consolidation, one decaying penalty (Schwarz et al. 2018).
    OnlineEwc,
    /// One penalty around the latest parameters, with the sum of all Fisher informations (Huszár 2018).
    Huszar,
    /// Synaptic intelligence: importance from the path of learning (Zenke et al. 2017).
    Si,
    /// Memory aware synapses: importance from the sensitivity of the outputs (Aljundi et al. 2018).
    Mas,
    /// Every shared parameter is pulled to where it began (Kumar et al. 2023).
    L2Init,
    /// Parameters are shrunk and perturbed where a task begins (Ash and Adams 2020).
    ShrinkPerturb,
    /// Transitions of finished tasks are rehearsed: system-level consolidation in sequence.
    Replay,
    /// The gradient is projected so that it does not raise the loss on remembered transitions (Chaudhry et al. 2019).
    AGem,
    /// Rehearsal, and old Q-values are cloned (after Rolnick et al. 2019).
    Clear,
    /// Finished tasks are distilled into the network from remembered states (after Rusu et al. 2015).
    Distill,
    /// Each task owns a part of the weights (Mallya and Lazebnik 2018).
    #[serde(rename = "packnet")]
    PackNet,
    /// A fresh network learns each task and is compressed into a knowledge base (Schwarz et al. 2018).
    ProgressCompress,
}

impl MethodName {
    /// All methods, in the order of the documentation.
    pub const ALL: [Self; 17] = [
        Self::FineTune,
        Self::Reset,
        Self::Frozen,
        Self::L2,
        Self::Ewc,
        Self::OnlineEwc,
        Self::Huszar,
        Self::Si,
        Self::Mas,
        Self::L2Init,
        Self::ShrinkPerturb,
        Self::Replay,
        Self::AGem,
        Self::Clear,
        Self::Distill,
        Self::PackNet,
        Self::ProgressCompress,
    ];

    /// The name in configs and on the command line.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::FineTune => "fine-tune",
            Self::Reset => "reset",
            Self::Frozen => "frozen",
            Self::L2 => "l2",
            Self::Ewc => "ewc",
            Self::OnlineEwc => "online-ewc",
            Self::Huszar => "huszar",
            Self::Si => "si",
            Self::Mas => "mas",
            Self::L2Init => "l2-init",
            Self::ShrinkPerturb => "shrink-perturb",
            Self::Replay => "replay",
            Self::AGem => "a-gem",
            Self::Clear => "clear",
            Self::Distill => "distill",
            Self::PackNet => "packnet",
            Self::ProgressCompress => "progress-compress",
        }
    }

    /// Whether it keeps nothing before its first consolidation, so that a run may go over to it.
    pub fn begins_at_consolidation(self) -> bool {
        !self.has_memory() && !matches!(self, Self::Si | Self::L2Init | Self::PackNet | Self::ProgressCompress)
    }

    /// Whether it never keeps anything.
    pub fn keeps_nothing(self) -> bool {
        matches!(self, Self::FineTune | Self::Reset | Self::ShrinkPerturb)
    }

    /// Whether it holds parameters by a penalty, so that `coupling` matters.
    pub fn has_penalty(self) -> bool {
        matches!(
            self,
            Self::L2
                | Self::Ewc
                | Self::OnlineEwc
                | Self::Huszar
                | Self::Si
                | Self::Mas
                | Self::L2Init
                | Self::ProgressCompress
        )
    }

    /// The key in its own table that says how strong it is; None where it has no strength.
    pub fn strength(self) -> Option<&'static str> {
        match self {
            Self::Replay | Self::Clear | Self::Distill => Some("weight"),
            _ => self.has_penalty().then_some("lambda"),
        }
    }

    /// Whether each task has a penalty of its own, so that `revisit` and `penalty_after_steps` matter.
    pub fn has_separate_penalties(self) -> bool {
        matches!(self, Self::L2 | Self::Ewc)
    }

    /// Whether it estimates a Fisher information.
    pub fn has_fisher(self) -> bool {
        matches!(self, Self::Ewc | Self::OnlineEwc | Self::Huszar | Self::ProgressCompress)
    }

    /// Whether it remembers transitions of finished tasks.
    pub fn has_memory(self) -> bool {
        matches!(self, Self::Replay | Self::AGem | Self::Clear | Self::Distill)
    }
}
