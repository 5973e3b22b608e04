//! A finished run's agent as a teacher of one of its tasks.

use engram_agents::{
    AgentError,
    network::{self, Conditioning, DeviceKind, NetworkConfig, QNetwork},
};

use crate::seeds;

/// A teacher of one task.
pub struct Teacher {
    network: Box<dyn QNetwork>,
    /// The network up to its last hidden layer, before the ReLU; None where it has no hidden layer but convolutions.
    body: Option<Box<dyn QNetwork>>,
    /// The task in the teacher's own run.
    task: usize,
    observation: Vec<f32>,
    q: Vec<f32>,
}

impl Teacher {
    /// The network of `config` as it plays `task` of its own run.
    pub fn new(
        network: &dyn QNetwork,
        config: &NetworkConfig,
        device: DeviceKind,
        task: usize,
    ) -> Result<Self, AgentError> {
        let (observation, q) = (network.architecture().input().len(), network.architecture().actions());
        Ok(Self {
            network: network.duplicate()?,
            body: body(network, config, device)?,
            task,
            observation: vec![0.0; observation],
            q: vec![0.0; q],
        })
    }

    /// Its Q-values of a state. The observation may be padded for other tasks than the teacher had: then either is zero
    /// beyond the end of the other.
    pub(super) fn values(&mut self, observation: &[f32]) -> Result<&[f32], AgentError> {
        fit(observation, &mut self.observation);
        self.network.infer(&self.observation, self.task, &mut self.q)?;
        Ok(&self.q)
    }

    /// How many units its last hidden layer has.
    pub(super) fn features(&self) -> usize {
        self.body.as_ref().map_or(0, |body| body.architecture().actions())
    }

    /// Writes what its last hidden layer makes of a state into `features`, as many as [`Teacher::features`].
    pub(super) fn hidden(&mut self, observation: &[f32], features: &mut [f32]) -> Result<(), AgentError> {
        let Some(body) = &mut self.body else { return Ok(()) };
        fit(observation, &mut self.observation);
        body.infer(&self.observation, self.task, features)?;
        for feature in features {
            *feature = feature.max(0.0);
        }
        Ok(())
    }

    /// Whether it has a last hidden layer that can be mimicked.
    pub fn has_features(&self) -> bool {
        self.body.is_some()
    }
}

/// Copies as much as both hold; what is left of `to` is zero.
fn fit(from: &[f32], to: &mut [f32]) {
    let both = from.len().min(to.len());
    to[..both].copy_from_slice(&from[..both]);
    to[both..].fill(0.0);
}

/// The network without its output layer: its last hidden layer is the output of another one.
fn body(
    network: &dyn QNetwork,
    config: &NetworkConfig,
    device: DeviceKind,
) -> Result<Option<Box<dyn QNetwork>>, AgentError> {
    let Some((last, before)) = config.hidden.split_last() else { return Ok(None) };
    // A head is an output layer, and that is what goes.
    let conditioning =
        if config.conditioning == Conditioning::Heads { Conditioning::None } else { config.conditioning };
    let shorter = NetworkConfig { hidden: before.to_vec(), conditioning, ..config.clone() };
    let (architecture, mut generator) = (network.architecture(), seeds::stream(0, "init", 0, 0));
    let (input, tasks) = (architecture.input(), architecture.tasks());
    let mut body = network::build(&shorter, input, *last, tasks, &device.open()?, &mut generator)?;
    let name = format!("dense{}", config.hidden.len());
    for entry in body.layout().clone().entries() {
        let own = entry.name.replace("output", &name);
        let from = network.layout().entries().iter().find(|other| other.name == own && other.shape == entry.shape);
        let from = from.ok_or_else(|| AgentError::Network(format!("the teacher has no parameters `{own}`")))?;
        body.params_mut()[entry.range.clone()].copy_from_slice(&network.params()[from.range.clone()]);
    }
    Ok(Some(body))
}

#[cfg(test)]
mod tests {
    use engram_agents::network::{Input, build};

    use super::*;

    fn teacher(conditioning: Conditioning, hidden: &[usize]) -> (Teacher, Box<dyn QNetwork>) {
        let config = NetworkConfig { hidden: hidden.to_vec(), conditioning, ..NetworkConfig::default() };
        let device = DeviceKind::Cpu.open().unwrap();
        let network = build(&config, Input::Vector(3), 2, 2, &device, &mut seeds::stream(1, "init", 0, 0)).unwrap();
        (Teacher::new(network.as_ref(), &config, DeviceKind::Cpu, 1).unwrap(), network)
    }

    /// The output layer by hand on the features must give the Q-values.
    #[test]
    fn features_are_what_the_output_layer_sees() {
        for conditioning in [Conditioning::None, Conditioning::OneHot, Conditioning::Heads] {
            for hidden in [&[5][..], &[6, 4]] {
                let (mut teacher, network) = teacher(conditioning, hidden);
                let seen = [0.3, -1.2, 0.7];
                let mut features = vec![0.0; teacher.features()];
                assert_eq!(features.len(), *hidden.last().unwrap());
                teacher.hidden(&seen, &mut features).unwrap();
                let prefix = if conditioning == Conditioning::Heads { "task1." } else { "" };
                let entry = |kind: &str| {
                    let name = format!("{prefix}output.{kind}");
                    let entry = network.layout().entries().iter().find(|entry| entry.name == name).unwrap();
                    &network.params()[entry.range.clone()]
                };
                let (weight, bias) = (entry("weight"), entry("bias"));
                let q = teacher.values(&seen).unwrap();
                for action in 0..2 {
                    let sum: f32 = features.iter().enumerate().map(|(unit, own)| own * weight[unit * 2 + action]).sum();
                    assert!((sum + bias[action] - q[action]).abs() < 1e-5, "{conditioning:?} {hidden:?}");
                }
                assert!(features.iter().all(|own| *own >= 0.0) && features.iter().any(|own| *own > 0.0));
            }
        }
    }

    #[test]
    fn observations_are_padded_or_cut_to_what_the_teacher_sees() {
        let (mut teacher, mut network) = teacher(Conditioning::Heads, &[5]);
        let mut expected = [0.0; 2];
        network.infer(&[0.5, 0.25, 0.0], 1, &mut expected).unwrap();
        assert_eq!(teacher.values(&[0.5, 0.25]).unwrap(), expected);
        assert_eq!(teacher.values(&[0.5, 0.25, 0.0, 0.0]).unwrap(), expected);
    }

    #[test]
    fn without_a_hidden_layer_there_is_nothing_to_mimic() {
        let (teacher, _) = teacher(Conditioning::None, &[]);
        assert!(!teacher.has_features());
        assert_eq!(teacher.features(), 0);
    }
}
