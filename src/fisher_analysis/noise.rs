//! Noise on trained parameters, shaped by their importance: what it does tells whether the Fisher information knows which
//! weights may move (Kirkpatrick et al. 2017, the noise test).

use rand::Rng;
use rand_distr::StandardNormal;
use serde::Serialize;

/// A parameter lies in the null space if its importance is at most this share of the mean importance.
const NULL_SPACE: f64 = 1e-6;

/// The shape of noise.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Noise {
    /// Covariance proportional to `(F + c I)⁻¹`: most where little counts. Mild, if the Fisher information is right.
    Inverse,
    /// Covariance proportional to `I`.
    Uniform,
    /// Uniform, but only on parameters whose importance is nil. Harmless, if the Fisher information is right.
    Null,
}

impl Noise {
    /// All shapes, in the order in which they are shown.
    pub const ALL: [Self; 3] = [Self::Inverse, Self::Uniform, Self::Null];

    /// Its name in tables and figures.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Inverse => "inverse",
            Self::Uniform => "uniform",
            Self::Null => "null",
        }
    }

    /// The standard deviation of the noise on each parameter, up to a common factor. With the mean importance `F̄`:
    /// `inverse` is `(Fᵢ + d F̄)^-½` where `d` is the damping, `uniform` is 1, and `null` is 1 where `Fᵢ ≤ 10⁻⁶ F̄` and else 0.
    pub fn deviations(self, importance: &[f32], damping: f64) -> Vec<f64> {
        let values = || importance.iter().map(|value| f64::from(*value));
        let mean = values().sum::<f64>() / importance.len() as f64;
        let deviation = |value: f64| match self {
            Self::Inverse => (value + damping * mean).powf(-0.5),
            Self::Uniform => 1.0,
            Self::Null => f64::from(u8::from(value <= NULL_SPACE * mean)),
        };
        values().map(deviation).collect()
    }
}

/// A direction in which parameters are moved, of length 1.
#[derive(Debug, Clone, PartialEq)]
pub struct Perturbation {
    direction: Vec<f64>,
}

impl Perturbation {
    /// `z / |z|` with `zᵢ = σᵢ nᵢ` and `n` standard normal; None where all deviations are 0, or one is no number.
    ///
    /// The generator gives a number for every parameter, so that shapes drawn from equal generators share their `n`.
    pub fn draw(deviations: &[f64], generator: &mut impl Rng) -> Option<Self> {
        let drawn = deviations.iter().map(|deviation| deviation * generator.sample::<f64, _>(StandardNormal));
        let mut direction: Vec<f64> = drawn.collect();
        let length = length(&direction);
        if !(length.is_finite() && length > 0.0) {
            return None;
        }
        for value in &mut direction {
            *value /= length;
        }
        Some(Self { direction })
    }

    /// The parameters moved by a share `r` of their own length: `θ + r |θ| z / |z|`. So every shape of noise moves them equally
    /// far.
    pub fn applied(&self, params: &[f32], magnitude: f64) -> Vec<f32> {
        let norm = length(&params.iter().map(|value| f64::from(*value)).collect::<Vec<_>>());
        let moved = |(value, direction): (&f32, &f64)| (f64::from(*value) + magnitude * norm * direction) as f32;
        params.iter().zip(&self.direction).map(moved).collect()
    }
}

fn length(values: &[f64]) -> f64 {
    values.iter().map(|value| value * value).sum::<f64>().sqrt()
}

#[cfg(test)]
mod tests {
    use crate::seeds;

    use super::*;

    #[test]
    fn deviations_by_hand() {
        // The mean importance is 4.
        let importance = [0.0, 12.0, 0.0, 4.0];
        assert_eq!(Noise::Inverse.deviations(&importance, 1.0), [0.5, 0.25, 0.5, 8.0_f64.powf(-0.5)]);
        assert_eq!(Noise::Uniform.deviations(&importance, 1.0), [1.0; 4]);
        assert_eq!(Noise::Null.deviations(&importance, 1.0), [1.0, 0.0, 1.0, 0.0]);
        // What is next to nothing beside the mean is in the null space, too.
        assert_eq!(Noise::Null.deviations(&[1e-7, 2.0, 1e-5], 1.0), [1.0, 0.0, 0.0]);
    }

    #[test]
    fn all_shapes_move_parameters_equally_far() {
        let importance = [0.0, 1.0, 5.0, 0.0, 2.0];
        let params = [3.0, 0.0, 4.0, 0.0, 0.0];
        for noise in Noise::ALL {
            let deviations = noise.deviations(&importance, 0.1);
            let noise = Perturbation::draw(&deviations, &mut seeds::stream(1, "noise", 0, 0)).unwrap();
            let moved = noise.applied(&params, 0.2);
            let way: Vec<f64> = moved.iter().zip(&params).map(|(to, from)| f64::from(to - from)).collect();
            assert!((length(&way) - 0.2 * 5.0).abs() < 1e-6, "{way:?}");
        }
        let null = Perturbation::draw(&[1.0, 0.0, 0.0, 1.0, 0.0], &mut seeds::stream(1, "noise", 0, 0)).unwrap();
        let moved = null.applied(&params, 0.2);
        assert_eq!([moved[1], moved[2], moved[4]], [0.0, 4.0, 0.0], "what counts stays");
        assert!(moved[0] != 3.0 && moved[3] != 0.0);
    }

    #[test]
    fn the_covariance_is_that_of_the_deviations() {
        // Scaled to the length 1, the shares of the squares still stand as σᵢ² in the mean over many draws, nearly, where one
        // parameter in many hardly decides the length.
        let deviations: Vec<f64> = (0..200).map(|index| if index < 100 { 2.0 } else { 1.0 }).collect();
        let mut squares = [0.0; 2];
        for draw in 0..200 {
            let noise = Perturbation::draw(&deviations, &mut seeds::stream(3, "noise", draw, 0)).unwrap();
            for (index, value) in noise.direction.iter().enumerate() {
                squares[index / 100] += value * value;
            }
        }
        // 20,000 squares each: the ratio is known to about 1.4 %.
        let ratio = squares[0] / squares[1];
        assert!((ratio - 4.0).abs() < 0.25, "{ratio}");
    }

    #[test]
    fn an_empty_null_space_has_no_noise() {
        let deviations = Noise::Null.deviations(&[1.0, 2.0], 1.0);
        assert_eq!(Perturbation::draw(&deviations, &mut seeds::stream(1, "noise", 0, 0)), None);
        assert_eq!(Perturbation::draw(&[f64::NAN], &mut seeds::stream(1, "noise", 0, 0)), None);
    }
}
