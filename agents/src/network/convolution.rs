//! A convolution as data: which inputs lie under its kernel at each place.

use serde::{Deserialize, Serialize};

use super::Input;
use crate::AgentError;

/// A convolution as configured: without padding, followed by a ReLU.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ConvolutionConfig {
    /// Channels of its output.
    pub channels: usize,
    /// Rows and columns of its kernel.
    pub kernel: usize,
    /// Rows and columns between two places of the kernel.
    #[serde(default = "one")]
    pub stride: usize,
}

fn one() -> usize {
    1
}

/// Where the kernel lies. The input is channel, row, column for the first convolution, which sees the observation, and
/// row, column, channel for those after it; the output is always row, column, channel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Convolution {
    /// Channels, rows and columns of the input.
    pub shape: [usize; 3],
    /// How far apart in memory two of them are.
    pub steps: [usize; 3],
    /// Rows and columns of the kernel, and between two of its places.
    pub kernel: usize,
    pub stride: usize,
    /// Rows and columns of the output.
    pub output: (usize, usize),
    /// Inputs under the kernel.
    pub patch: usize,
    /// The inputs under the kernel at each place: `[positions, kernel row, kernel column, channel]`.
    pub offsets: Vec<u32>,
    /// Numbers in an example's input.
    pub inputs: usize,
}

impl Convolution {
    /// The first convolution, over the planes of an observation.
    pub fn first(input: Input, config: ConvolutionConfig) -> Result<Self, AgentError> {
        let Input::Planes { channels, height, width } = input else {
            return Err(AgentError::Network(
                "`convolutions` need observations that are planes; these are vectors, use `convolutions = []`".into(),
            ));
        };
        Self::new([channels, height, width], [height * width, width, 1], config)
    }

    /// The convolution after one with this output.
    pub fn after(
        &(height, width): &(usize, usize),
        channels: usize,
        config: ConvolutionConfig,
    ) -> Result<Self, AgentError> {
        Self::new([channels, height, width], [1, width * channels, channels], config)
    }

    /// Over an input of these numbers of channels, rows and columns, each of which lies so far from the next.
    fn new(
        [channels, height, width]: [usize; 3],
        steps: [usize; 3],
        config: ConvolutionConfig,
    ) -> Result<Self, AgentError> {
        let ConvolutionConfig { channels: units, kernel, stride } = config;
        let side = height.min(width);
        if units == 0 || stride == 0 || !(1..=side).contains(&kernel) {
            return Err(AgentError::Network(format!(
                "a convolution with `channels = {units}`, `kernel = {kernel}`, `stride = {stride}` does not suit planes of \
                 {height}x{width}; use at least 1 channel, a kernel of 1 to {side} and a stride of at least 1"
            )));
        }
        let output = ((height - kernel) / stride + 1, (width - kernel) / stride + 1);
        let patch = kernel * kernel * channels;
        let mut offsets = Vec::with_capacity(output.0 * output.1 * patch);
        for (top, left) in
            (0..output.0).flat_map(|row| (0..output.1).map(move |column| (row * stride, column * stride)))
        {
            for (row, column) in
                (top..top + kernel).flat_map(|row| (left..left + kernel).map(move |column| (row, column)))
            {
                let cell = row * steps[1] + column * steps[2];
                offsets.extend((0..channels).map(|channel| (channel * steps[0] + cell) as u32));
            }
        }
        let shape = [channels, height, width];
        Ok(Self { shape, steps, kernel, stride, output, patch, offsets, inputs: channels * height * width })
    }

    /// Places at which the kernel is laid.
    pub fn positions(&self) -> usize {
        self.output.0 * self.output.1
    }

    /// Writes what lies under the kernel for each example of `inputs`: `[examples * positions, patch]`.
    pub fn unfold(&self, inputs: &[f32], patches: &mut Vec<f32>) {
        patches.clear();
        for input in inputs.chunks_exact(self.inputs) {
            patches.extend(self.offsets.iter().map(|offset| input[*offset as usize]));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn unfolded(convolution: &Convolution, inputs: &[f32]) -> Vec<f32> {
        let mut patches = Vec::new();
        convolution.unfold(inputs, &mut patches);
        patches
    }

    #[test]
    fn patches_by_hand() {
        let planes = Input::Planes { channels: 2, height: 2, width: 3 };
        let config = ConvolutionConfig { channels: 1, kernel: 2, stride: 1 };
        let inputs: Vec<f32> = (0..12).map(|i| i as f32).collect();
        let patches = unfolded(&Convolution::first(planes, config).unwrap(), &inputs);
        assert_eq!(patches[..8], [0., 6., 1., 7., 3., 9., 4., 10.]);
        assert_eq!(patches[8..], [1., 7., 2., 8., 4., 10., 5., 11.]);
        // The same numbers with the channel last.
        let last: Vec<f32> = (0..6).flat_map(|cell| [cell as f32, (cell + 6) as f32]).collect();
        assert_eq!(unfolded(&Convolution::after(&(2, 3), 2, config).unwrap(), &last), patches);
    }

    #[test]
    fn strides_skip_places_and_leave_a_rest() {
        let planes = Input::Planes { channels: 1, height: 5, width: 6 };
        let convolution = Convolution::first(planes, ConvolutionConfig { channels: 1, kernel: 2, stride: 3 }).unwrap();
        assert_eq!((convolution.output, convolution.patch), ((2, 2), 4));
        let inputs: Vec<f32> = (0..30).map(|i| i as f32).collect();
        assert_eq!(
            unfolded(&convolution, &inputs),
            [0, 1, 6, 7, 3, 4, 9, 10, 18, 19, 24, 25, 21, 22, 27, 28].map(|i| i as f32)
        );
    }
}
