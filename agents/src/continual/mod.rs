//! What an agent does against forgetting. A method sees each finished task once and keeps a penalty for the next ones.

mod ewc;
mod fine_tune;
mod l2;
mod online_ewc;
pub mod quadratic;

use rand_pcg::Pcg64;
use serde::{Deserialize, Serialize};

use crate::{
    AgentError,
    dead_units::DeadUnits,
    fisher::{self, Fisher, FisherConfig, FisherDiagnostics},
    network::QNetwork,
    replay::Replay,
};
use quadratic::Quadratic;

/// A continual-learning method.
pub trait Method: Send {
    /// The penalty on the parameters; None before any task has ended, and for methods without one.
    fn quadratic(&self) -> Option<&Quadratic>;

    /// Takes in the task that has just ended.
    fn consolidate(&mut self, task: FinishedTask<'_>) -> Result<Consolidation, AgentError>;

    /// Everything that decides the method's future.
    fn save(&self) -> MethodState;

    /// Restores what [`Method::save`] gave.
    fn load(&mut self, state: MethodState);
}

/// What a method may look at when a task ends.
pub struct FinishedTask<'a> {
    /// The task's index.
    pub task: usize,
    /// How many actions are valid in it.
    pub actions: usize,
    /// The network as training left it.
    pub network: &'a mut dyn QNetwork,
    /// The replay buffer, before any reset.
    pub replay: &'a Replay,
    /// Randomness for this consolidation alone.
    pub generator: &'a mut Pcg64,
}

impl FinishedTask<'_> {
    /// The Fisher information of the task and the parameters it holds at.
    fn weigh(self, config: &FisherConfig) -> Result<(Fisher, Vec<f32>), AgentError> {
        let fisher = fisher::estimate(config, self.network, self.replay, self.task, self.actions, self.generator)?;
        Ok((fisher, self.network.params().to_vec()))
    }
}

/// What a consolidation found.
#[derive(Debug, Clone, PartialEq)]
pub struct Consolidation {
    /// `F`, one number a parameter; None for methods that weigh nothing.
    pub importance: Option<Vec<f32>>,
    /// `theta*`, the parameters at the end of the task.
    pub anchor: Vec<f32>,
    /// How the Fisher information looks, where there is one.
    pub diagnostics: Option<FisherDiagnostics>,
    /// Which hidden units fire on the task's states, all layers in order; filled in by the agent, for every method.
    pub fired: Vec<bool>,
    /// Units that fire on none of them, layer by layer.
    pub dead: Vec<DeadUnits>,
    /// What deserves attention, a line each.
    pub warnings: Vec<String>,
}

impl Consolidation {
    fn new(anchor: Vec<f32>) -> Self {
        let (fired, dead, warnings) = Default::default();
        Self { importance: None, anchor, diagnostics: None, fired, dead, warnings }
    }

    fn weighed(fisher: Fisher, anchor: Vec<f32>) -> Self {
        let warnings = fisher.diagnostics.warnings();
        let (importance, diagnostics) = (Some(fisher.importance), Some(fisher.diagnostics));
        Self { importance, diagnostics, warnings, ..Self::new(anchor) }
    }
}

/// The method as configured. Each has a table of its own, so that changing the name never inherits another's strength.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct MethodConfig {
    /// Which method.
    pub name: MethodName,
    /// How a penalty enters the optimizer's step.
    pub coupling: Coupling,
    /// What a second visit does to a task's old penalty.
    pub revisit: Revisit,
    /// How importance is estimated where it is a Fisher information.
    pub fisher: FisherConfig,
    /// `l2`.
    pub l2: Strength,
    /// `ewc`.
    pub ewc: Strength,
    /// `online-ewc`.
    #[serde(rename = "online-ewc")]
    pub online_ewc: OnlineStrength,
}

impl Default for MethodConfig {
    fn default() -> Self {
        Self {
            name: MethodName::Ewc,
            coupling: Coupling::Proximal,
            revisit: Revisit::Add,
            fisher: FisherConfig::default(),
            l2: Strength { lambda: 0.02 },
            ewc: Strength { lambda: 1.0 },
            online_ewc: OnlineStrength::default(),
        }
    }
}

/// The methods.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum MethodName {
    /// Nothing is kept.
    FineTune,
    /// Every shared parameter is pulled to its old values alike.
    L2,
    /// Elastic weight consolidation, one penalty a task (Kirkpatrick et al. 2017).
    #[default]
    Ewc,
    /// Online elastic weight consolidation, one decaying penalty (Schwarz et al. 2018).
    OnlineEwc,
}

impl MethodName {
    /// All methods, in the order of the documentation.
    pub const ALL: [Self; 4] = [Self::FineTune, Self::L2, Self::Ewc, Self::OnlineEwc];

    /// The name in configs and on the command line.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::FineTune => "fine-tune",
            Self::L2 => "l2",
            Self::Ewc => "ewc",
            Self::OnlineEwc => "online-ewc",
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

/// Builds the method that the config names.
pub fn build(config: &MethodConfig) -> Box<dyn Method> {
    match config.name {
        MethodName::FineTune => Box::new(fine_tune::FineTune),
        MethodName::L2 => Box::new(l2::L2::new(config.l2.lambda, config.revisit)),
        MethodName::Ewc => Box::new(ewc::Ewc::new(config.ewc.lambda, config.revisit, config.fisher)),
        MethodName::OnlineEwc => Box::new(online_ewc::OnlineEwc::new(config.online_ewc, config.fisher)),
    }
}

/// The state of a method: the merged penalty and, only with `revisit = "replace"`, the penalty of each task.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct MethodState {
    quadratic: Option<Quadratic>,
    terms: Vec<Term>,
}

/// One task's own penalty.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Term {
    task: usize,
    importance: Vec<f32>,
    anchor: Vec<f32>,
}

impl MethodState {
    /// Refuses a state that is not of a network with this many parameters.
    pub(crate) fn check(&self, params: usize) -> Result<(), AgentError> {
        let quadratic = self.quadratic.iter().flat_map(|quadratic| [&quadratic.importance, &quadratic.centre]);
        let terms = self.terms.iter().flat_map(|term| [&term.importance, &term.anchor]);
        quadratic
            .chain(terms)
            .try_for_each(|values| AgentError::unless_equal("numbers in a penalty", values.len(), params))
    }

    /// The same penalty at the strength that the config has now.
    fn with_lambda(mut self, lambda: f32) -> Self {
        self.quadratic.iter_mut().for_each(|quadratic| quadratic.lambda = lambda);
        self
    }

    /// Adds the penalty of a finished task to the separate penalties of the earlier ones.
    fn add_separate(&mut self, lambda: f32, revisit: Revisit, task: usize, importance: &[f32], anchor: &[f32]) {
        if revisit == Revisit::Replace {
            self.terms.retain(|term| term.task != task);
            self.terms.push(Term { task, importance: importance.to_vec(), anchor: anchor.to_vec() });
            self.quadratic = None;
            for term in std::mem::take(&mut self.terms) {
                self.merge(lambda, &term.importance, &term.anchor);
                self.terms.push(term);
            }
        } else {
            self.merge(lambda, importance, anchor);
        }
    }

    fn merge(&mut self, lambda: f32, importance: &[f32], anchor: &[f32]) {
        match &mut self.quadratic {
            None => self.quadratic = Some(Quadratic::new(lambda, importance.to_vec(), anchor.to_vec())),
            Some(quadratic) => quadratic.add(importance, anchor),
        }
    }
}
