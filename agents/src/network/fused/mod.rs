//! The network as loops over slices of the flat vector, for the processor: nothing is allocated once a batch of its size
//! was seen, and what a pass needs of the one before it lies where that left it.

mod convolution;
mod dense;

use super::{Architecture, QNetwork, Scores};
use crate::{AgentError, kernels::vectorized, params::Owner};
use convolution::Sparse;

/// A Q-network computed on the processor without tensors.
pub struct Fused {
    architecture: Architecture,
    params: Vec<f32>,
    /// Of each convolution, how it goes over a sparse input.
    sparse: Vec<Option<Sparse>>,
    trace: Trace,
    scratch: Scratch,
}

/// What a forward pass leaves behind for a backward pass.
#[derive(Default)]
struct Trace {
    /// What each layer gives, after its ReLU; the last are the Q-values. `[rows, units]`, for a convolution
    /// `[rows, positions, channels]`.
    outputs: Vec<Vec<f32>>,
    /// The same before the gains, where the network has them.
    before_gain: Vec<Vec<f32>>,
}

/// Buffers that keep their memory from one call to the next.
#[derive(Default)]
struct Scratch {
    /// The gradient with respect to the outputs of the layer at hand, and of the one below.
    delta: Vec<f32>,
    below: Vec<f32>,
    row: Vec<f32>,
    transposed: Vec<f32>,
    patches: Vec<f32>,
    example: Vec<f32>,
    squared_inputs: Vec<f32>,
    squared_delta: Vec<f32>,
}

/// Where a backward pass adds what it finds.
enum Sink<'a> {
    /// Gradients, summed over the examples.
    Gradient(&'a mut [f32]),
    /// Squares of each example's gradient, of shared parameters only.
    Squares(&'a mut [f32]),
}

impl Sink<'_> {
    /// The place of an entry of the layout, unless it is not asked for.
    fn of(&mut self, architecture: &Architecture, entry: usize) -> Option<&mut [f32]> {
        let entry = &architecture.layout().entries()[entry];
        match self {
            Self::Gradient(sums) => Some(&mut sums[entry.range.clone()]),
            Self::Squares(sums) => (entry.owner == Owner::Shared).then(|| &mut sums[entry.range.clone()]),
        }
    }

    fn squares(&self) -> bool {
        matches!(self, Self::Squares(_))
    }
}

impl Fused {
    /// A network with these parameters, laid out as `architecture` says.
    pub fn new(architecture: Architecture, params: Vec<f32>) -> Self {
        let convolutions = architecture.convolutions().iter().zip(architecture.layers());
        let sparse = convolutions.map(|(convolution, layer)| Sparse::new(convolution, layer.units)).collect();
        let buffers = || vec![Vec::new(); architecture.layers().len()];
        let trace = Trace { outputs: buffers(), before_gain: buffers() };
        Self { architecture, params, sparse, trace, scratch: Scratch::default() }
    }

    fn forward(&mut self, observations: &[f32], task: usize) {
        let Self { architecture, params, sparse, trace: Trace { outputs, before_gain }, scratch } = self;
        let rows = observations.len() / architecture.input().len();
        let entry = |entry: usize| &params[architecture.layout().entries()[entry].range.clone()];
        let last = architecture.layers().len() - 1;
        for (index, layer) in architecture.layers().iter().enumerate() {
            let (done, rest) = outputs.split_at_mut(index);
            let inputs: &[f32] = done.last().map_or(observations, Vec::as_slice);
            let gain = layer.gain.as_ref().map(|gain| entry(gain.of(task)));
            let sums = if gain.is_some() { &mut before_gain[index] } else { &mut rest[0] };
            let relu = index < last && gain.is_none();
            let (weight, bias) = (entry(layer.weight.of(task)), entry(layer.bias.of(task)));
            match architecture.convolutions().get(index) {
                Some(convolution) => {
                    let convolution = (convolution, sparse[index].as_ref());
                    convolution::forward(convolution, inputs, weight, bias, relu, sums, &mut scratch.patches);
                }
                None => dense::forward(inputs, rows, weight, bias, task, relu, sums, &mut scratch.row),
            }
            if let Some(gain) = gain {
                let (sums, output) = (&before_gain[index], &mut rest[0]);
                dense::scale(sums, gain, index < last, output);
            }
        }
    }

    /// Goes back through the layers from `scratch.delta`, the gradient with respect to the Q-values.
    fn backward(&mut self, observations: &[f32], task: usize, leak: f32, mut sink: Sink<'_>) {
        let Self { architecture, params, sparse, trace: Trace { outputs, before_gain }, scratch } = self;
        let rows = observations.len() / architecture.input().len();
        for (index, layer) in architecture.layers().iter().enumerate().rev() {
            let entry = |entry: usize| &params[architecture.layout().entries()[entry].range.clone()];
            let inputs: &[f32] = if index == 0 { observations } else { &outputs[index - 1] };
            if let Some(gain) = &layer.gain {
                if let Some(sums) = sink.of(architecture, gain.of(task)) {
                    dense::add_products(&scratch.delta, &before_gain[index], sums);
                }
                dense::multiply_rows(&mut scratch.delta, entry(gain.of(task)));
            }
            let weight = entry(layer.weight.of(task));
            let squares = sink.squares();
            if let Some(convolution) = architecture.convolutions().get(index) {
                if let Some(sums) = sink.of(architecture, layer.bias.of(task)) {
                    convolution::add_bias(&scratch.delta, rows, squares, sums, &mut scratch.row);
                }
                if let Some(sums) = sink.of(architecture, layer.weight.of(task)) {
                    convolution::add_weights((convolution, sparse[index].as_ref()), inputs, squares, sums, scratch);
                }
                if index > 0 {
                    convolution::below(convolution, weight, layer.units, scratch);
                }
            } else {
                if let Some(sums) = sink.of(architecture, layer.bias.of(task)) {
                    dense::add_rows(&scratch.delta, squares, sums);
                }
                if let Some(sums) = sink.of(architecture, layer.weight.of(task)) {
                    dense::add_weights(inputs, rows, layer.units, task, squares, sums, scratch);
                }
                if index > 0 {
                    dense::below(weight, rows, inputs.len() / rows, layer.units, scratch);
                }
            }
            if index > 0 {
                dense::through_relu(&mut scratch.below, inputs, leak);
                std::mem::swap(&mut scratch.delta, &mut scratch.below);
            }
        }
    }

    fn q(&self) -> &[f32] {
        &self.trace.outputs[self.trace.outputs.len() - 1]
    }

    /// Asks for the score vectors of the Q-values at hand.
    fn choose(&mut self, scores: &mut Scores<'_>) {
        let q = &self.trace.outputs[self.trace.outputs.len() - 1];
        self.scratch.delta.clear();
        self.scratch.delta.resize(q.len(), 0.0);
        scores(q, &mut self.scratch.delta);
    }
}

impl QNetwork for Fused {
    fn architecture(&self) -> &Architecture {
        &self.architecture
    }

    fn params(&self) -> &[f32] {
        &self.params
    }

    fn params_mut(&mut self) -> &mut [f32] {
        &mut self.params
    }

    fn infer(&mut self, observations: &[f32], task: usize, q: &mut [f32]) -> Result<(), AgentError> {
        self.forward(observations, task);
        q.copy_from_slice(self.q());
        Ok(())
    }

    fn gradient(
        &mut self,
        observations: &[f32],
        task: usize,
        scores: &mut Scores<'_>,
        gradient: &mut [f32],
    ) -> Result<(), AgentError> {
        self.forward(observations, task);
        self.choose(scores);
        self.backward(observations, task, 0.0, Sink::Gradient(gradient));
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
        self.forward(observations, task);
        for _ in 0..rounds {
            self.choose(scores);
            self.backward(observations, task, leak, Sink::Squares(squares));
        }
        Ok(())
    }

    fn mark_fired(&mut self, observations: &[f32], task: usize, fired: &mut [bool]) -> Result<(), AgentError> {
        self.forward(observations, task);
        let mut flags = fired;
        for (hidden, outputs) in self.architecture.hidden().iter().zip(&self.trace.outputs) {
            let (own, rest) = flags.split_at_mut(hidden.units);
            flags = rest;
            vectorized(|| {
                for row in outputs.chunks_exact(hidden.units) {
                    own.iter_mut().zip(row).for_each(|(flag, output)| *flag |= *output > 0.0);
                }
            });
        }
        Ok(())
    }

    fn duplicate(&self) -> Result<Box<dyn QNetwork>, AgentError> {
        Ok(Box::new(Self::new(self.architecture.clone(), self.params.clone())))
    }
}
