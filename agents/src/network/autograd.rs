//! The network on candle tensors with candle's automatic differentiation: the reference, on any device.

use candle_core::{DType, Device, Tensor, Var};

use super::{Architecture, QNetwork, Scores};
use crate::{
    AgentError,
    params::{Entry, Owner},
};

/// A Q-network computed by candle.
///
/// The flat vector on the host is the truth; the `Var`s on the device are refreshed from it when it has changed.
pub struct Autograd {
    architecture: Architecture,
    params: Vec<f32>,
    vars: Vec<Var>,
    /// The same storage as `vars`, outside the graph: inference builds none.
    detached: Vec<Tensor>,
    /// The inputs under the kernel of each convolution but the first, whose patches are laid out on the host.
    offsets: Vec<Tensor>,
    stale: bool,
    device: Device,
}

/// What a forward pass leaves behind for a backward pass by hand.
struct Trace {
    /// The input of each layer, `[rows, fan_in]`; patches for a convolution.
    inputs: Vec<Tensor>,
    /// `W x + b` or `(W x + b) g` of each layer, before its ReLU; the last are the Q-values.
    outputs: Vec<Tensor>,
}

impl Autograd {
    /// Puts `params`, laid out as `architecture` says, on a device.
    pub fn new(architecture: Architecture, params: Vec<f32>, device: &Device) -> Result<Self, AgentError> {
        let vars = architecture
            .layout()
            .entries()
            .iter()
            .map(|entry| Var::from_slice(&params[entry.range.clone()], entry.shape.as_slice(), device))
            .collect::<Result<Vec<_>, _>>()?;
        let detached = vars.iter().map(Var::as_detached_tensor).collect();
        let offsets = architecture
            .convolutions()
            .iter()
            .skip(1)
            .map(|convolution| Tensor::new(convolution.offsets.as_slice(), device))
            .collect::<Result<Vec<_>, _>>()?;
        Ok(Self { architecture, params, vars, detached, offsets, stale: false, device: device.clone() })
    }

    fn refresh(&mut self) -> Result<(), AgentError> {
        if self.stale {
            for (entry, var) in self.architecture.layout().entries().iter().zip(&self.vars) {
                let values = &self.params[entry.range.clone()];
                var.set(&Tensor::from_slice(values, entry.shape.as_slice(), &self.device)?)?;
            }
            self.stale = false;
        }
        Ok(())
    }

    fn forward(&self, observations: &[f32], task: usize, weights: &[Tensor]) -> Result<Trace, AgentError> {
        let architecture = &self.architecture;
        let rows = observations.len() / architecture.input().len();
        let convolutions = architecture.convolutions();
        let mut x = match convolutions.first() {
            Some(convolution) => {
                let mut patches = Vec::new();
                convolution.unfold(observations, &mut patches);
                Tensor::from_vec(patches, (rows * convolution.positions(), convolution.patch), &self.device)?
            }
            None => Tensor::from_slice(observations, (rows, architecture.input().len()), &self.device)?,
        };
        let last = architecture.layers().len() - 1;
        let mut trace = Trace { inputs: Vec::new(), outputs: Vec::new() };
        for (index, layer) in architecture.layers().iter().enumerate() {
            if (1..convolutions.len()).contains(&index) {
                let patches = x.reshape((rows, ()))?.index_select(&self.offsets[index - 1], 1)?;
                x = patches.reshape(((), convolutions[index].patch))?;
            } else if index == convolutions.len() {
                x = x.reshape((rows, ()))?;
                if architecture.one_hot() {
                    let mut code = vec![0.0_f32; architecture.tasks()];
                    code[task] = 1.0;
                    let code = Tensor::from_vec(code, (1, architecture.tasks()), &self.device)?;
                    x = Tensor::cat(&[x, code.repeat((rows, 1))?], 1)?;
                }
            }
            let mut y =
                (x.matmul(&weights[layer.weight.of(task)])? + each_row(&weights[layer.bias.of(task)], x.dim(0)?)?)?;
            if let Some(gain) = &layer.gain {
                y = y.mul(&each_row(&weights[gain.of(task)], x.dim(0)?)?)?;
            }
            trace.inputs.push(x);
            x = if index < last { relu(&y)? } else { y.clone() };
            trace.outputs.push(y);
        }
        Ok(trace)
    }

    /// The Q-values on the host and the score vectors chosen for them, as a tensor.
    fn choose(&self, q: &Tensor, scores: &mut Scores<'_>) -> Result<Tensor, AgentError> {
        let values = q.flatten_all()?.to_vec1::<f32>()?;
        let mut chosen = vec![0.0; values.len()];
        scores(&values, &mut chosen);
        Ok(Tensor::from_vec(chosen, q.shape(), &self.device)?)
    }
}

/// A `[1, n]` tensor in each of `rows` rows. As a product its gradient is a product too; candle's sum over rows, which
/// broadcasting would need, is forty times slower.
fn each_row(tensor: &Tensor, rows: usize) -> Result<Tensor, candle_core::Error> {
    if rows == 1 { Ok(tensor.clone()) } else { Tensor::ones((rows, 1), DType::F32, tensor.device())?.matmul(tensor) }
}

/// `max(y, 0)` with the derivative 0 at 0, as where squares are taken. candle's own ReLU has 1 there, which would send a
/// gradient through every unit whose input is all zeros and whose bias has not moved yet.
fn relu(y: &Tensor) -> Result<Tensor, candle_core::Error> {
    if y.track_op() { y.mul(&y.gt(0.0)?.to_dtype(y.dtype())?) } else { y.relu() }
}

fn add_to(slice: &mut [f32], tensor: &Tensor) -> Result<(), AgentError> {
    for (sum, value) in slice.iter_mut().zip(tensor.flatten_all()?.to_vec1::<f32>()?) {
        *sum += value;
    }
    Ok(())
}

impl QNetwork for Autograd {
    fn architecture(&self) -> &Architecture {
        &self.architecture
    }

    fn params(&self) -> &[f32] {
        &self.params
    }

    fn params_mut(&mut self) -> &mut [f32] {
        self.stale = true;
        &mut self.params
    }

    fn infer(&mut self, observations: &[f32], task: usize, q: &mut [f32]) -> Result<(), AgentError> {
        self.refresh()?;
        let trace = self.forward(observations, task, &self.detached)?;
        q.copy_from_slice(&trace.outputs[trace.outputs.len() - 1].flatten_all()?.to_vec1::<f32>()?);
        Ok(())
    }

    fn gradient(
        &mut self,
        observations: &[f32],
        task: usize,
        scores: &mut Scores<'_>,
        gradient: &mut [f32],
    ) -> Result<(), AgentError> {
        self.refresh()?;
        let weights: Vec<Tensor> = self.vars.iter().map(|var| var.as_tensor().clone()).collect();
        let trace = self.forward(observations, task, &weights)?;
        let q = &trace.outputs[trace.outputs.len() - 1];
        let loss = q.mul(&self.choose(q, scores)?)?.sum_all()?;
        let gradients = loss.backward()?;
        for (entry, var) in self.architecture.layout().entries().iter().zip(&self.vars) {
            if let Some(tensor) = gradients.get(var) {
                add_to(&mut gradient[entry.range.clone()], tensor)?;
            }
        }
        Ok(())
    }

    fn squared_gradient(
        &mut self,
        observations: &[f32],
        task: usize,
        rounds: usize,
        leak: f32,
        scores: &mut Scores<'_>,
        squares: &mut [f32],
    ) -> Result<(), AgentError> {
        self.refresh()?;
        let trace = self.forward(observations, task, &self.detached)?;
        let rows = observations.len() / self.architecture.input().len();
        let last = self.architecture.layers().len() - 1;
        let convolutions = self.architecture.convolutions();
        // The derivative of each ReLU: 1 where it is on, `leak` where it is off.
        let slopes = trace.outputs[..last]
            .iter()
            .map(|y| y.gt(0.0)?.to_dtype(DType::F32)?.affine(f64::from(1.0 - leak), f64::from(leak)))
            .collect::<Result<Vec<_>, _>>()?;
        let mut add = |entry: usize, tensor: &Tensor| {
            let Entry { range, owner, .. } = &self.architecture.layout().entries()[entry];
            if *owner == Owner::Shared { add_to(&mut squares[range.clone()], tensor) } else { Ok(()) }
        };
        for _ in 0..rounds {
            let mut delta = self.choose(&trace.outputs[last], scores)?;
            for index in (0..=last).rev() {
                let layer = &self.architecture.layers()[index];
                let x = &trace.inputs[index];
                if let Some(gain) = &layer.gain {
                    delta = delta.mul(&each_row(&self.detached[gain.of(task)], x.dim(0)?)?)?;
                }
                if index < convolutions.len() {
                    // Positions share the weights: their gradients add up within an example before the square.
                    let patches = x.reshape((rows, (), layer.fan_in))?.transpose(1, 2)?.contiguous()?;
                    let delta = delta.reshape((rows, (), layer.units))?;
                    add(layer.weight.of(task), &patches.matmul(&delta)?.sqr()?.sum(0)?)?;
                    add(layer.bias.of(task), &delta.sum(1)?.sqr()?.sum(0)?)?;
                } else {
                    // (delta_j x_i)^2 summed over examples is one product of squares.
                    let squared = delta.sqr()?;
                    add(layer.weight.of(task), &x.sqr()?.t()?.matmul(&squared)?)?;
                    add(layer.bias.of(task), &squared.sum(0)?)?;
                }
                if index > 0 {
                    let slope = &slopes[index - 1];
                    let mut back = delta.matmul(&self.detached[layer.weight.of(task)].t()?)?;
                    if let Some(convolution) = convolutions.get(index) {
                        let zeros = Tensor::zeros((rows, convolution.inputs), DType::F32, &self.device)?;
                        back = zeros.index_add(&self.offsets[index - 1], &back.reshape((rows, ()))?, 1)?;
                    }
                    if back.elem_count() != slope.elem_count() {
                        back = back.narrow(1, 0, slope.elem_count() / rows)?; // the one-hot code takes no part
                    }
                    delta = back.reshape(slope.shape())?.mul(slope)?;
                }
            }
        }
        Ok(())
    }

    fn mark_fired(&mut self, observations: &[f32], task: usize, fired: &mut [bool]) -> Result<(), AgentError> {
        self.refresh()?;
        let trace = self.forward(observations, task, &self.detached)?;
        let mut flags = fired;
        for (hidden, y) in self.architecture.hidden().iter().zip(&trace.outputs) {
            let (own, rest) = flags.split_at_mut(hidden.units);
            flags = rest;
            for row in y.flatten_all()?.to_vec1::<f32>()?.chunks_exact(hidden.units) {
                for (flag, value) in own.iter_mut().zip(row) {
                    *flag |= *value > 0.0;
                }
            }
        }
        Ok(())
    }

    fn duplicate(&self) -> Result<Box<dyn QNetwork>, AgentError> {
        Ok(Box::new(Self::new(self.architecture.clone(), self.params.clone(), &self.device)?))
    }
}
