//! How an estimate looks, and what in it deserves attention.

use serde::Serialize;

use super::labels::{Labels, softmax};
use crate::{network::QNetwork, params::Owner};

/// What is worth knowing of an estimate. Means and maxima are over shared parameters, before normalisation and floor.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct FisherDiagnostics {
    /// States in the mean.
    pub states: usize,
    /// Mean importance.
    pub mean: f64,
    /// Greatest importance.
    pub max: f64,
    /// Sum of all importance.
    pub trace: f64,
    /// Standard error of the trace of the plain Fisher information, from the spread between groups of states.
    pub trace_standard_error: f64,
    /// Share of the parameters below a thousandth of the mean.
    pub zero_share: f64,
    /// Layers in which no parameter has any importance.
    pub zero_layers: Vec<String>,
    /// Mean entropy of the softmax policy in nats, where there is one.
    pub entropy: Option<f64>,
    /// The temperature used, where there is one.
    pub temperature: Option<f64>,
}

pub(super) fn diagnose(
    network: &dyn QNetwork,
    importance: &[f32],
    traces: &[f64],
    states: usize,
    labels: &Labels,
    rows: &[&[f32]],
) -> FisherDiagnostics {
    let layout = network.layout();
    let shared: Vec<f64> =
        layout.shared().into_iter().flat_map(|range| &importance[range]).map(|f| f64::from(*f)).collect();
    let trace: f64 = shared.iter().sum();
    let mean = trace / shared.len().max(1) as f64;
    let group_mean = traces.iter().sum::<f64>() / traces.len() as f64;
    let spread: f64 = traces.iter().map(|trace| (trace - group_mean).powi(2)).sum();
    let entries = layout.entries().iter().filter(|entry| entry.owner == Owner::Shared);
    let entropy = |temperature: f32| {
        let of = |row: &&[f32]| -> f64 {
            softmax(row, temperature).iter().filter(|p| **p > 0.0).map(|p| -f64::from(*p) * f64::from(*p).ln()).sum()
        };
        rows.iter().map(of).sum::<f64>() / rows.len() as f64
    };
    FisherDiagnostics {
        states,
        mean,
        max: shared.iter().fold(0.0, |max, f| max.max(*f)),
        trace,
        trace_standard_error: (spread / (traces.len() * (traces.len() - 1).max(1)) as f64).sqrt(),
        zero_share: shared.iter().filter(|f| **f < 1e-3 * mean || **f == 0.0).count() as f64
            / shared.len().max(1) as f64,
        zero_layers: entries
            .filter(|entry| importance[entry.range.clone()].iter().all(|f| *f == 0.0))
            .map(|entry| entry.name.clone())
            .collect(),
        entropy: labels.temperature().map(entropy),
        temperature: labels.temperature().map(f64::from),
    }
}

impl FisherDiagnostics {
    /// What in the estimate deserves attention, a line each.
    pub fn warnings(&self) -> Vec<String> {
        let mut warnings = Vec::new();
        if self.states < 64 {
            warnings.push(format!(
                "the Fisher information is a mean over only {} states; set method.fisher.states to 64 or more",
                self.states
            ));
        }
        if self.trace == 0.0 {
            warnings.push(
                "the Fisher information is zero everywhere, so nothing is protected; use likelihood \"gaussian\""
                    .into(),
            );
        } else if !self.zero_layers.is_empty() {
            warnings.push(format!("the Fisher information is zero in all of {}", self.zero_layers.join(", ")));
        }
        if let Some(entropy) = self.entropy.filter(|entropy| *entropy < 0.01) {
            warnings.push(format!("the softmax policy is nearly deterministic (entropy {entropy:.4} nat), so its Fisher information is nearly zero; raise method.fisher.temperature"));
        }
        warnings
    }
}
