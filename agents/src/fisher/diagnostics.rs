//! How an estimate looks, and what in it deserves attention.

use serde::Serialize;

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
    /// Standard error of the trace of the plain Fisher information, from the spread between groups of states; None where
    /// the states make only one group.
    pub trace_standard_error: Option<f64>,
    /// Share of the parameters below a thousandth of the mean.
    pub zero_share: f64,
    /// Layers in which no parameter has any importance.
    pub zero_layers: Vec<String>,
    /// Mean entropy of the softmax policy in nats, where there is one.
    pub entropy: Option<f64>,
    /// The temperature used, where there is one.
    pub temperature: Option<f64>,
}

impl FisherDiagnostics {
    /// What the importance alone tells; the rest is None.
    pub(super) fn of(network: &dyn QNetwork, importance: &[f32], states: usize) -> Self {
        let layout = network.layout();
        let shared: Vec<f64> =
            layout.shared().into_iter().flat_map(|range| &importance[range]).map(|f| f64::from(*f)).collect();
        let trace: f64 = shared.iter().sum();
        let mean = trace / shared.len().max(1) as f64;
        let entries = layout.entries().iter().filter(|entry| entry.owner == Owner::Shared);
        Self {
            states,
            mean,
            max: shared.iter().fold(0.0, |max, f| max.max(*f)),
            trace,
            trace_standard_error: None,
            zero_share: shared.iter().filter(|f| **f < 1e-3 * mean || **f == 0.0).count() as f64
                / shared.len().max(1) as f64,
            zero_layers: entries
                .filter(|entry| importance[entry.range.clone()].iter().all(|f| *f == 0.0))
                .map(|entry| entry.name.clone())
                .collect(),
            entropy: None,
            temperature: None,
        }
    }

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
            warnings.push(format!(
                "the Fisher information is zero in all of {}, so nothing is protected there: no signal comes \
                 through; where units never fire, set method.fisher.leak = 0.1",
                self.zero_layers.join(", ")
            ));
        }
        if let Some(entropy) = self.entropy.filter(|entropy| *entropy < 0.01) {
            warnings.push(format!("the softmax policy is nearly deterministic (entropy {entropy:.4} nat), so its Fisher information is nearly zero; raise method.fisher.temperature"));
        }
        warnings
    }
}

/// Means over groups of states, for the standard error of the mean over all of them.
#[derive(Debug, Default)]
pub(super) struct Spread {
    groups: Vec<(f64, f64)>,
}

impl Spread {
    /// Takes in the mean over one group of `states`.
    pub fn add(&mut self, states: usize, mean: f64) {
        self.groups.push((states as f64, mean));
    }

    /// With groups of `n_g` states and means `t_g`, `N = sum n_g` and `T = sum n_g t_g / N`: a group's mean has the
    /// variance `s^2 / n_g`, estimated by `s^2 = sum n_g (t_g - T)^2 / (G - 1)`, and `T` has the standard error
    /// `sqrt(s^2 / N)`. One group has no spread.
    pub fn standard_error(&self) -> Option<f64> {
        if self.groups.len() < 2 {
            return None;
        }
        let states: f64 = self.groups.iter().map(|(n, _)| n).sum();
        let mean = self.groups.iter().map(|(n, t)| n * t).sum::<f64>() / states;
        let spread: f64 = self.groups.iter().map(|(n, t)| n * (t - mean).powi(2)).sum();
        Some((spread / (self.groups.len() - 1) as f64 / states).sqrt())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn standard_error(groups: &[(usize, f64)]) -> Option<f64> {
        let mut spread = Spread::default();
        for (states, mean) in groups {
            spread.add(*states, *mean);
        }
        spread.standard_error()
    }

    #[test]
    fn the_standard_error_by_hand() {
        assert_eq!(standard_error(&[]), None);
        assert_eq!(standard_error(&[(32, 1.0)]), None);
        // Groups of one size: the standard deviation of their means, sqrt(2), over the root of their number.
        assert_eq!(standard_error(&[(32, 1.0), (32, 3.0)]), Some(1.0));
        // T = 1.5; s^2 = 3 * 0.25 + 1 * 2.25 = 3; N = 4.
        assert_eq!(standard_error(&[(3, 1.0), (1, 3.0)]), Some(0.75_f64.sqrt()));
    }
}
