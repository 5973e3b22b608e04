//! A run that begins with the body of another one's network.

use std::path::Path;

use engram_agents::params::{Entry, Layout, Owner};
use engram_envs::Registry;

use super::{
    BadInput,
    distill::{finished, hash},
};
use crate::{
    config::{Config, WeightsConfig},
    trainer::Trainer,
};

/// The network of a finished run.
pub(super) struct Weights {
    run: String,
    layout: Layout,
    params: Vec<f32>,
}

impl Weights {
    /// Reads what the config names, if it names a run; its parameters must be those that the config knows, where it does.
    pub fn of(config: &Config, registry: &Registry) -> anyhow::Result<Option<Self>> {
        let Some(WeightsConfig { run, hash: known }) = &config.weights else { return Ok(None) };
        let network = finished(registry, Path::new(run))?.agent;
        let weights = Self {
            run: run.clone(),
            layout: network.network().layout().clone(),
            params: network.network().params().to_vec(),
        };
        match known {
            Some(known) if *known != weights.hash() => Err(BadInput(format!(
                "the parameters of {run} have the hash {}; `weights.hash` is {known}: it is not the run that this one began \
                 with",
                weights.hash()
            ))
            .into()),
            _ => Ok(Some(weights)),
        }
    }

    /// What the parameters are known by.
    pub fn hash(&self) -> String {
        hash(&self.params)
    }

    /// Begins a run with the shared layers below the output layer; output layers, and what a task owns, stay as drawn.
    pub fn begin(&self, trainer: &mut Trainer<'_>) -> anyhow::Result<()> {
        let network = trainer.agent().network();
        let mut params = network.params().to_vec();
        for entry in network.layout().entries().iter().filter(|entry| is_body(entry)) {
            let theirs = self.layout.entries().iter().find(|other| other.name == entry.name && is_body(other));
            let Some(theirs) = theirs else { return Err(self.misfit(entry, "there is none").into()) };
            if theirs.shape != entry.shape {
                return Err(self.misfit(entry, &format!("it has the shape {:?}", theirs.shape)).into());
            }
            params[entry.range.clone()].copy_from_slice(&self.params[theirs.range.clone()]);
        }
        Ok(trainer.begin_from(&params)?)
    }

    fn misfit(&self, entry: &Entry, theirs: &str) -> BadInput {
        let Self { run, .. } = self;
        BadInput(format!(
            "`{}` has the shape {:?} here, and in {run} {theirs}; the run that weights come from must see observations of \
             the same size with the same layers (agent.network, curriculum.tasks)",
            entry.name, entry.shape
        ))
    }
}

/// Whether a parameter is one of the shared body, below the output layer.
fn is_body(entry: &Entry) -> bool {
    entry.owner == Owner::Shared && !entry.name.starts_with("output.")
}
