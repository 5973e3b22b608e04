//! The layers of a network as data: sizes, where their parameters lie, how these are drawn.

use rand_distr::{Distribution, StandardNormal};
use rand_pcg::Pcg64;

use super::{Conditioning, NetworkConfig, convolution::Convolution};
use crate::{
    AgentError,
    params::{Layout, Owner},
};

/// What a network sees.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Input {
    /// A vector of this length.
    Vector(usize),
    /// Planes in the order channel, row, column.
    Planes {
        /// How many planes.
        channels: usize,
        /// Rows.
        height: usize,
        /// Columns.
        width: usize,
    },
}

impl Input {
    /// Numbers in an observation.
    pub fn len(self) -> usize {
        match self {
            Self::Vector(length) => length,
            Self::Planes { channels, height, width } => channels * height * width,
        }
    }

    /// Whether an observation is empty.
    pub fn is_empty(self) -> bool {
        self.len() == 0
    }
}

/// The layers and where their parameters lie.
#[derive(Debug, Clone)]
pub struct Architecture {
    input: Input,
    actions: usize,
    tasks: usize,
    one_hot: bool,
    convolutions: Vec<Convolution>,
    layers: Vec<Layer>,
    layout: Layout,
}

/// One layer: `y = W x + b`, or `(W x + b) g` with gains. The first ones are the convolutions.
#[derive(Debug, Clone)]
pub(crate) struct Layer {
    pub name: String,
    /// Inputs of one unit.
    pub fan_in: usize,
    /// Units; channels for a convolution.
    pub units: usize,
    pub weight: Slot,
    pub bias: Slot,
    pub gain: Option<Slot>,
}

/// Which entry of the layout holds a tensor, for each task.
#[derive(Debug, Clone)]
pub(crate) enum Slot {
    Shared(usize),
    PerTask(Vec<usize>),
}

impl Slot {
    pub fn of(&self, task: usize) -> usize {
        match self {
            Self::Shared(entry) => *entry,
            Self::PerTask(entries) => entries[task],
        }
    }

    fn entries(&self) -> &[usize] {
        match self {
            Self::Shared(entry) => std::slice::from_ref(entry),
            Self::PerTask(entries) => entries,
        }
    }
}

/// A hidden layer as the diagnostics see it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HiddenLayer {
    /// Its name, such as `dense1`.
    pub name: String,
    /// Its units; for a convolution one for each channel and position.
    pub units: usize,
}

impl Architecture {
    /// Lays out a network with `actions` outputs for `tasks` tasks.
    pub fn new(config: &NetworkConfig, input: Input, actions: usize, tasks: usize) -> Result<Self, AgentError> {
        let mut convolutions: Vec<Convolution> = Vec::new();
        for (index, own) in config.convolutions.iter().enumerate() {
            convolutions.push(match convolutions.last() {
                None => Convolution::first(input, *own)?,
                Some(before) => Convolution::after(&before.output, config.convolutions[index - 1].channels, *own)?,
            });
        }
        if let Some(width) = config.hidden.iter().find(|units| **units == 0) {
            return Err(AgentError::Network(format!("`hidden` has a layer of {width} units; each needs at least 1")));
        }
        let one_hot = config.conditioning == Conditioning::OneHot;
        let mut architecture =
            Self { input, actions, tasks, one_hot, convolutions, layers: Vec::new(), layout: Layout::default() };
        let mut inputs = input.len();
        for (index, own) in config.convolutions.iter().enumerate() {
            let (patch, positions) =
                (architecture.convolutions[index].patch, architecture.convolutions[index].positions());
            architecture.add(&format!("conv{}", index + 1), patch, own.channels, config.conditioning, false);
            inputs = positions * own.channels;
        }
        inputs += if one_hot { tasks } else { 0 };
        for (index, units) in config.hidden.iter().enumerate() {
            architecture.add(&format!("dense{}", index + 1), inputs, *units, config.conditioning, false);
            inputs = *units;
        }
        architecture.add("output", inputs, actions, config.conditioning, config.conditioning == Conditioning::Heads);
        Ok(architecture)
    }

    fn add(&mut self, name: &str, fan_in: usize, units: usize, conditioning: Conditioning, own_head: bool) {
        let tasks = self.tasks;
        let layout = &mut self.layout;
        let mut slot = |kind: &str, shape: [usize; 2], per_task: bool| {
            if per_task {
                let own = |task| layout.push(format!("task{task}.{name}.{kind}"), &shape, Owner::Task(task));
                Slot::PerTask((0..tasks).map(own).collect())
            } else {
                Slot::Shared(layout.push(format!("{name}.{kind}"), &shape, Owner::Shared))
            }
        };
        let gains = conditioning == Conditioning::Gains;
        let weight = slot("weight", [fan_in, units], own_head);
        let bias = slot("bias", [1, units], own_head || gains);
        let gain = gains.then(|| slot("gain", [1, units], true));
        self.layers.push(Layer { name: name.into(), fan_in, units, weight, bias, gain });
    }

    /// What the network sees.
    pub fn input(&self) -> Input {
        self.input
    }

    /// Outputs of the network.
    pub fn actions(&self) -> usize {
        self.actions
    }

    /// How many tasks it is laid out for.
    pub fn tasks(&self) -> usize {
        self.tasks
    }

    /// The layout of its parameters.
    pub fn layout(&self) -> &Layout {
        &self.layout
    }

    pub(crate) fn one_hot(&self) -> bool {
        self.one_hot
    }

    /// The convolutions, which are the first layers.
    pub(crate) fn convolutions(&self) -> &[Convolution] {
        &self.convolutions
    }

    pub(crate) fn layers(&self) -> &[Layer] {
        &self.layers
    }

    /// Draws parameters: weights normal with standard deviation `sqrt(2 / fan_in)` (He et al. 2015), `sqrt(1 / fan_in)`
    /// in the output layer; biases 0; gains 1.
    pub fn initialize(&self, generator: &mut Pcg64) -> Vec<f32> {
        let mut params = vec![0.0; self.layout.len()];
        let output = self.layers.len() - 1;
        for (index, layer) in self.layers.iter().enumerate() {
            let numerator = if index == output { 1.0 } else { 2.0 };
            let deviation = (numerator / layer.fan_in as f64).sqrt();
            for param in layer.weight.entries().iter().flat_map(|entry| self.layout.entries()[*entry].range.clone()) {
                let normal: f64 = StandardNormal.sample(generator);
                params[param] = (deviation * normal) as f32;
            }
            for entry in layer.gain.iter().flat_map(Slot::entries) {
                params[self.layout.entries()[*entry].range.clone()].fill(1.0);
            }
        }
        params
    }

    /// The hidden layers, in order.
    pub fn hidden(&self) -> Vec<HiddenLayer> {
        let positions = |index: usize| self.convolutions.get(index).map_or(1, Convolution::positions);
        let hidden = self.layers[..self.layers.len() - 1].iter().enumerate();
        hidden
            .map(|(index, layer)| HiddenLayer { name: layer.name.clone(), units: layer.units * positions(index) })
            .collect()
    }

    /// Zeroes the outgoing weights of every hidden unit whose flag is set, so that the network plays as if the unit
    /// never fired. `silent` has a flag for each unit of [`Architecture::hidden`], in order. Below another convolution
    /// the places of a channel share their outgoing weights: there a channel is silenced if it is silent everywhere.
    pub fn silence(&self, silent: &[bool], params: &mut [f32]) {
        let mut flags = silent;
        for (index, (hidden, next)) in self.hidden().iter().zip(&self.layers[1..]).enumerate() {
            let (own, rest) = flags.split_at(hidden.units);
            flags = rest;
            let channels = self.layers[index].units;
            let below_convolution = index + 1 < self.convolutions.len();
            let is_silent = |input: usize| {
                if below_convolution {
                    own.iter().skip(input % channels).step_by(channels).all(|silent| *silent)
                } else {
                    own.get(input).is_some_and(|silent| *silent)
                }
            };
            for entry in next.weight.entries() {
                let start = self.layout.entries()[*entry].range.start;
                for input in (0..next.fan_in).filter(|input| is_silent(*input)) {
                    let row = start + input * next.units;
                    params[row..row + next.units].fill(0.0);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{network::ConvolutionConfig, params::Part};
    use rand::SeedableRng;

    fn config(convolutions: &[[usize; 3]], hidden: &[usize], conditioning: Conditioning) -> NetworkConfig {
        let convolution = |[channels, kernel, stride]: &[usize; 3]| ConvolutionConfig {
            channels: *channels,
            kernel: *kernel,
            stride: *stride,
        };
        let convolutions = convolutions.iter().map(convolution).collect();
        NetworkConfig { convolutions, hidden: hidden.to_vec(), conditioning, ..NetworkConfig::default() }
    }

    const PLANES: Input = Input::Planes { channels: 10, height: 10, width: 10 };

    #[test]
    fn minatar_network_has_the_published_size() {
        let config = config(&[[16, 3, 1]], &[128], Conditioning::None);
        let architecture = Architecture::new(&config, PLANES, 6, 1).unwrap();
        assert_eq!(architecture.layout().len(), 90 * 16 + 16 + 1024 * 128 + 128 + 128 * 6 + 6);
        assert_eq!(architecture.hidden()[0], HiddenLayer { name: "conv1".into(), units: 1024 });
    }

    #[test]
    fn heads_and_gains_belong_to_their_tasks() {
        let heads = Architecture::new(&config(&[], &[3], Conditioning::Heads), Input::Vector(2), 2, 2).unwrap();
        assert_eq!(heads.layout().shared(), vec![0..9]);
        let own = |part: &&Part| part.owner == Owner::Task(1);
        assert_eq!(heads.layout().parts().iter().filter(own).map(|part| part.range.len()).sum::<usize>(), 8);
        let gains = Architecture::new(&config(&[], &[3], Conditioning::Gains), Input::Vector(2), 2, 2).unwrap();
        let shared: usize = gains.layout().shared().iter().map(ExactSizeIterator::len).sum();
        assert_eq!(shared, 6 + 6, "only the weights are shared");
        let one_hot = Architecture::new(&config(&[], &[3], Conditioning::OneHot), Input::Vector(2), 2, 2).unwrap();
        assert_eq!(one_hot.layout().entries()[0].shape, [4, 3]);
    }

    #[test]
    fn initial_weights_have_the_stated_spread_and_are_reproducible() {
        let architecture =
            Architecture::new(&config(&[], &[400], Conditioning::Gains), Input::Vector(200), 400, 1).unwrap();
        let draw = |seed| architecture.initialize(&mut Pcg64::seed_from_u64(seed));
        let params = draw(1);
        assert_eq!(params, draw(1));
        assert_ne!(params, draw(2));
        let deviation = |name: &str| {
            let entry = architecture.layout().entries().iter().find(|entry| entry.name == name).unwrap();
            let values = &params[entry.range.clone()];
            (values.iter().map(|v| f64::from(*v).powi(2)).sum::<f64>() / values.len() as f64).sqrt()
        };
        assert!((deviation("dense1.weight") - 0.1).abs() < 0.001);
        assert!((deviation("output.weight") - 0.05).abs() < 0.0005);
        assert_eq!(deviation("task0.dense1.bias"), 0.0);
        assert_eq!(deviation("task0.output.gain"), 1.0);
    }

    #[test]
    fn the_network_of_the_atari_paper_has_its_published_size() {
        let config = config(&[[32, 8, 4], [64, 4, 2], [64, 3, 1]], &[512], Conditioning::None);
        let input = Input::Planes { channels: 4, height: 84, width: 84 };
        let architecture = Architecture::new(&config, input, 18, 1).unwrap();
        let units: Vec<_> = architecture.hidden().iter().map(|layer| layer.units).collect();
        assert_eq!(units, [20 * 20 * 32, 9 * 9 * 64, 7 * 7 * 64, 512]);
        let convolutions = 8 * 8 * 4 * 32 + 32 + 4 * 4 * 32 * 64 + 64 + 3 * 3 * 64 * 64 + 64;
        assert_eq!(architecture.layout().len(), convolutions + 3136 * 512 + 512 + 512 * 18 + 18);
    }

    #[test]
    fn below_a_convolution_only_channels_silent_everywhere_are_silenced() {
        let config = config(&[[2, 1, 1], [1, 1, 1]], &[], Conditioning::None);
        let input = Input::Planes { channels: 1, height: 1, width: 2 };
        let architecture = Architecture::new(&config, input, 1, 1).unwrap();
        let mut params = vec![1.0; architecture.layout().len()];
        // Two places of two channels, of which the second is silent at both; then the first place of the last layer.
        architecture.silence(&[false, true, true, true, true, false], &mut params);
        let zeros: Vec<_> = architecture
            .layout()
            .entries()
            .iter()
            .map(|entry| (entry.name.as_str(), params[entry.range.clone()].iter().filter(|x| **x == 0.0).count()))
            .filter(|(_, zeros)| *zeros > 0)
            .collect();
        assert_eq!(zeros, [("conv2.weight", 1), ("output.weight", 1)]);
    }

    #[test]
    fn a_network_that_cannot_be_built_says_why() {
        let message = |config: NetworkConfig, input| Architecture::new(&config, input, 2, 1).unwrap_err().to_string();
        assert!(
            message(config(&[[16, 3, 1]], &[8], Conditioning::None), Input::Vector(4)).contains("convolutions = []")
        );
        assert!(message(config(&[], &[8, 0], Conditioning::None), Input::Vector(4)).contains("hidden"));
        for (convolutions, what) in [
            (&[[16, 11, 1]][..], "`kernel = 11`"),
            (&[[16, 3, 0]], "`stride = 0`"),
            (&[[0, 3, 1]], "`channels = 0`"),
            (&[[4, 8, 1], [4, 4, 1]], "planes of 3x3"),
        ] {
            assert!(message(config(convolutions, &[8], Conditioning::None), PLANES).contains(what), "{what}");
        }
    }
}
