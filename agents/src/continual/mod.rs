//! What an agent does against forgetting. A method sees each finished task once, keeps something of it, and has a say in
//! the updates that follow.

mod a_gem;
mod clear;
mod config;
mod distill;
mod ewc;
mod fine_tune;
mod frozen;
mod huszar;
mod l2;
mod l2_init;
mod mas;
mod memory;
mod name;
mod online_ewc;
mod packnet;
mod progress_compress;
pub mod quadratic;
mod rehearsal;
mod replay;
mod reset;
mod shrink_perturb;
mod si;
#[cfg(test)]
pub(crate) mod stage;
mod state;

pub use config::{
    AwareStrength, ClearConfig, Coupling, DistillConfig, MemoryConfig, MethodConfig, OnlineStrength, PackNetConfig,
    ProgressCompressConfig, RehearsalWeight, Revisit, ShrinkPerturbConfig, Strength, SynapticStrength,
};
pub use memory::Memory;
pub use name::MethodName;
pub use state::MethodState;

use rand_pcg::Pcg64;

use crate::{
    AgentError,
    config::TaskSet,
    dead_units::DeadUnits,
    fisher::{self, Fisher, FisherConfig, FisherDiagnostics},
    learning::Learning,
    network::QNetwork,
    replay::{Batch, Replay},
};
use quadratic::Quadratic;

/// A continual-learning method. The hooks stand in the order in which they are called; each does nothing unless a method
/// needs it.
pub trait Method: Send {
    /// What it keeps, all of which is saved with the agent.
    fn state(&self) -> &MethodState;

    /// Goes back to what [`Method::state`] gave for an agent of the same shape.
    fn set_state(&mut self, state: MethodState);

    /// The penalty on the parameters; None before any task has ended, and for methods without one.
    fn quadratic(&self) -> Option<&Quadratic> {
        self.state().quadratic.as_ref()
    }

    /// A phase begins; says what it made of the network.
    fn begin(&mut self, _phase: Beginning<'_>) -> Result<Begun, AgentError> {
        Ok(Begun::Unchanged)
    }

    /// The task's gradient is there: adds losses on what is remembered, projects it, masks it.
    fn shape_gradient(&mut self, _learning: &mut Learning<'_>) -> Result<(), AgentError> {
        Ok(())
    }

    /// The optimizer has moved the parameters.
    fn after_update(&mut self, _params: &mut [f32]) {}

    /// A task has ended: how many updates of its own the method makes before the consolidation.
    fn prepare(&mut self, _task: FinishedTask<'_>) -> Result<u64, AgentError> {
        Ok(0)
    }

    /// Adds the gradient of one of these updates, on a batch of the finished task.
    fn compress(&mut self, _learning: &mut Learning<'_>, _batch: &Batch) -> Result<(), AgentError> {
        Ok(())
    }

    /// Takes in the task that has ended.
    fn consolidate(&mut self, task: FinishedTask<'_>) -> Result<Consolidation, AgentError> {
        Ok(Consolidation::new(task.network.params().to_vec()))
    }

    /// The parameters with which `task` is played while `current` is learnt, where they are not the network's own.
    fn parameters_for(&self, _task: usize, _current: Option<usize>, _own: &[f32]) -> Option<Vec<f32>> {
        None
    }
}

/// What a method has made of the network where a phase begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Begun {
    /// It goes on from where the last phase ended.
    Unchanged,
    /// Its parameters were changed: moments and target network are of no use.
    Changed,
    /// It knows nothing: the task is explored anew, too.
    Redrawn,
}

/// What a method may look at, and change, when a phase begins.
pub struct Beginning<'a> {
    /// The task that will be played.
    pub task: usize,
    /// Whether a phase came before it.
    pub later: bool,
    /// The network as the last phase left it.
    pub network: &'a mut dyn QNetwork,
    /// Randomness of the method in this phase.
    pub generator: &'a mut Pcg64,
}

/// What a method may look at when a task ends.
pub struct FinishedTask<'a> {
    /// The task's index.
    pub task: usize,
    /// How many actions are valid in it.
    pub actions: usize,
    /// Steps spent on it, over all its phases.
    pub steps: u64,
    /// Tasks of the curriculum.
    pub tasks: &'a TaskSet,
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

/// Builds the method that the config names, for tasks and for a network as it was drawn.
pub fn build(config: &MethodConfig, tasks: &TaskSet, network: &dyn QNetwork) -> Result<Box<dyn Method>, AgentError> {
    Ok(match config.name {
        MethodName::FineTune => Box::new(fine_tune::FineTune::default()),
        MethodName::Reset => Box::new(reset::Reset::default()),
        MethodName::Frozen => Box::new(frozen::Frozen::new(network.layout())),
        MethodName::L2 => Box::new(l2::L2::new(config)),
        MethodName::Ewc => Box::new(ewc::Ewc::new(config)),
        MethodName::OnlineEwc => Box::new(online_ewc::OnlineEwc::new(config.online_ewc, config.fisher)),
        MethodName::Huszar => Box::new(huszar::new(config.huszar, config.fisher)),
        MethodName::Si => Box::new(si::SynapticIntelligence::new(config.si, network)),
        MethodName::Mas => Box::new(mas::MemoryAwareSynapses::new(config.mas)),
        MethodName::L2Init => Box::new(l2_init::L2Init::new(config.l2_init, network)),
        MethodName::ShrinkPerturb => Box::new(shrink_perturb::ShrinkPerturb::new(config.shrink_perturb)),
        MethodName::Replay => Box::new(replay::Rehearse::new(config.memory, config.replay)),
        MethodName::AGem => Box::new(a_gem::AGem::new(config.memory)),
        MethodName::Clear => Box::new(clear::Clear::new(config.memory, config.clear)),
        MethodName::Distill => Box::new(distill::Distill::new(config.memory, config.distill)),
        MethodName::PackNet => Box::new(packnet::PackNet::new(config.packnet, tasks, network)),
        MethodName::ProgressCompress => {
            Box::new(progress_compress::ProgressCompress::new(config.progress_compress, config.fisher, network)?)
        }
    })
}
