//! Q-networks. Everything that is learned is a loss on Q-values, so a network offers three things: Q-values, the
//! gradient of a weighting of them, and the exact per-example square of that gradient.

mod architecture;
mod autograd;
mod convolution;
mod fused;

pub use architecture::{Architecture, HiddenLayer, Input};
pub use autograd::Autograd;
pub use convolution::ConvolutionConfig;
pub use fused::Fused;

use candle_core::Device;
use rand_pcg::Pcg64;
use serde::{Deserialize, Serialize};

use crate::{AgentError, params::Layout};

/// The network as configured.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct NetworkConfig {
    /// The first layers: convolutions, for observations that are planes. Each is followed by a ReLU.
    pub convolutions: Vec<ConvolutionConfig>,
    /// Units of each hidden dense layer after them; planes are flattened. Each is followed by a ReLU.
    pub hidden: Vec<usize>,
    /// How the network is told which task it plays.
    pub conditioning: Conditioning,
    /// How it is computed.
    pub implementation: Implementation,
}

impl Default for NetworkConfig {
    fn default() -> Self {
        Self {
            convolutions: Vec::new(),
            hidden: vec![64, 64],
            conditioning: Conditioning::Heads,
            implementation: Implementation::Auto,
        }
    }
}

/// How the network is told which task it plays.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Conditioning {
    /// It is not told.
    None,
    /// A one-hot code of the task is appended to the input of the first dense layer.
    OneHot,
    /// Each task has an output layer of its own.
    Heads,
    /// Each task has a bias and a gain for every unit, output included: `y = (W x + bias) gain`
    /// (Kirkpatrick et al. 2017, Atari agent).
    Gains,
}

/// How a network is computed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Implementation {
    /// `fused` on the processor, `autograd` elsewhere.
    #[default]
    Auto,
    /// Loops over slices of the flat vector; for the processor alone.
    Fused,
    /// candle tensors and candle's automatic differentiation.
    Autograd,
}

/// Where tensors live.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum DeviceKind {
    /// The processor.
    #[default]
    Cpu,
    /// The first CUDA device; needs a build with the feature `cuda`.
    Cuda,
    /// The first Metal device; needs a build with the feature `metal`.
    Metal,
}

impl DeviceKind {
    /// Opens the device.
    pub fn open(self) -> Result<Device, AgentError> {
        let missing = |device, feature| AgentError::Device {
            device,
            message: format!("this build has no support for it; build with `--features {feature}` or use `cpu`"),
        };
        match self {
            Self::Cpu => Ok(Device::Cpu),
            Self::Cuda if cfg!(feature = "cuda") => Ok(Device::new_cuda(0)?),
            Self::Metal if cfg!(feature = "metal") => Ok(Device::new_metal(0)?),
            Self::Cuda => Err(missing("cuda", "cuda")),
            Self::Metal => Err(missing("metal", "metal")),
        }
    }
}

/// Chooses a row of score vectors: given the Q-values of a batch it fills `dQ`, both `[batch, actions]`.
pub type Scores<'a> = dyn FnMut(&[f32], &mut [f32]) + 'a;

/// A Q-network: parameters in one flat vector and three functions of them.
///
/// `observations` are rows of the architecture's input, all of one task; `[B, n]` means `B` rows of `n`, row-major.
pub trait QNetwork: Send {
    /// The layers and the layout of the parameters.
    fn architecture(&self) -> &Architecture;

    /// The parameters.
    fn params(&self) -> &[f32];

    /// The parameters, to be changed.
    fn params_mut(&mut self) -> &mut [f32];

    /// Writes `Q(s, a)` of each row into `q`, `[B, actions]`.
    fn infer(&mut self, observations: &[f32], task: usize, q: &mut [f32]) -> Result<(), AgentError>;

    /// Adds `sum_n d(dQ_n . Q_n)/d theta` to `gradient`, with `dQ` chosen by `scores` once Q is known. The derivative of
    /// a ReLU at exactly 0 is 0, here as in [`QNetwork::squared_gradient`].
    fn gradient(
        &mut self,
        observations: &[f32],
        task: usize,
        scores: &mut Scores<'_>,
        gradient: &mut [f32],
    ) -> Result<(), AgentError>;

    /// Adds `sum_n (d(dQ_n . Q_n)/d theta)^2` to `squares`: the square inside the sum, exact for each example.
    ///
    /// `rounds` score vectors an example are taken one after the other after a single forward pass, each adding its
    /// squares; `scores` is called once a round. `leak` stands in for the derivative 0 of a ReLU that is off (0: the
    /// true derivative). Only shared parameters are filled in.
    fn squared_gradient(
        &mut self,
        observations: &[f32],
        task: usize,
        rounds: usize,
        leak: f32,
        scores: &mut Scores<'_>,
        squares: &mut [f32],
    ) -> Result<(), AgentError>;

    /// Sets `fired` at each hidden unit that is positive on at least one row; the units of all hidden layers in order.
    fn mark_fired(&mut self, observations: &[f32], task: usize, fired: &mut [bool]) -> Result<(), AgentError>;

    /// A second network with the same parameters.
    fn duplicate(&self) -> Result<Box<dyn QNetwork>, AgentError>;

    /// The layout of the parameters.
    fn layout(&self) -> &Layout {
        self.architecture().layout()
    }
}

/// Builds a network with freshly drawn parameters.
pub fn build(
    config: &NetworkConfig,
    input: Input,
    actions: usize,
    tasks: usize,
    device: &Device,
    generator: &mut Pcg64,
) -> Result<Box<dyn QNetwork>, AgentError> {
    let architecture = Architecture::new(config, input, actions, tasks)?;
    let params = architecture.initialize(generator);
    match (config.implementation, device.is_cpu()) {
        (Implementation::Auto | Implementation::Fused, true) => Ok(Box::new(Fused::new(architecture, params))),
        (Implementation::Auto, false) | (Implementation::Autograd, _) => {
            Ok(Box::new(Autograd::new(architecture, params, device)?))
        }
        (Implementation::Fused, false) => Err(AgentError::Network(
            "`implementation = \"fused\"` is for the processor; use \"autograd\" or `device = \"cpu\"`".into(),
        )),
    }
}
