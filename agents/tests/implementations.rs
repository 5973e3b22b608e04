//! The fused implementation computes what candle's automatic differentiation does, up to rounding.

use engram_agents::network::{self, Conditioning, ConvolutionConfig, Implementation, Input, NetworkConfig, QNetwork};
use proptest::prelude::*;
use rand::{Rng, SeedableRng};
use rand_pcg::Pcg64;

const TASKS: usize = 2;

/// Of the largest entry of a tensor.
const TOLERANCE: f32 = 1e-5;

/// Of the largest entry of all tensors: in a tensor of a single entry many terms can cancel, and rounding stays.
const ROUNDING: f32 = 1e-6;

/// A network in both implementations with the same parameters, a batch, and score vectors for it.
struct Case {
    name: String,
    networks: [Box<dyn QNetwork>; 2],
    observations: Vec<f32>,
    scores: Vec<f32>,
    actions: usize,
}

impl Case {
    fn new(config: &NetworkConfig, input: Input, actions: usize, rows: usize, zeros: f32, seed: u64) -> Self {
        let mut generator = Pcg64::seed_from_u64(seed);
        let networks = [Implementation::Autograd, Implementation::Fused].map(|implementation| {
            let config = NetworkConfig { implementation, ..config.clone() };
            let mut generator = Pcg64::seed_from_u64(seed);
            let device = candle_core::Device::Cpu;
            let mut network = network::build(&config, input, actions, TASKS, &device, &mut generator).unwrap();
            network.params_mut().iter_mut().for_each(|param| *param += generator.random_range(-0.1..0.1));
            network
        });
        let mut number =
            |zeros: f32| if generator.random::<f32>() < zeros { 0.0 } else { generator.random_range(-1.0..1.0) };
        let observations = (0..rows * input.len()).map(|_| number(zeros)).collect();
        let scores = (0..rows * actions).map(|_| number(0.5)).collect();
        let name = format!("{config:?} {input:?} {rows} rows, {zeros} zeros");
        Self { name, networks, observations, scores, actions }
    }

    /// What `of` gives in both implementations, tensor by tensor.
    fn compare(&mut self, what: &str, mut of: impl FnMut(&mut dyn QNetwork, &[f32], &[f32]) -> Vec<f32>) {
        let [expected, got] =
            self.networks.each_mut().map(|network| of(network.as_mut(), &self.observations, &self.scores));
        let layout = self.networks[0].layout();
        let whole = (expected.len() != layout.len()).then_some(("Q", 0..expected.len()));
        let tensors = layout.entries().iter().map(|entry| (entry.name.as_str(), entry.range.clone()));
        let tensors: Vec<_> = whole.map_or_else(|| tensors.collect(), |whole| vec![whole]);
        let largest_of = |numbers: &[f32]| numbers.iter().fold(0.0_f32, |largest, x| largest.max(x.abs()));
        for (tensor, range) in tensors {
            let tolerance = (TOLERANCE * largest_of(&expected[range.clone()])).max(ROUNDING * largest_of(&expected));
            for (expected, got) in expected[range.clone()].iter().zip(&got[range]) {
                assert!((expected - got).abs() <= tolerance, "{}: {what} {tensor}: {expected} {got}", self.name);
            }
        }
    }

    fn compare_all(&mut self) {
        let actions = self.actions;
        for task in 0..TASKS {
            self.compare("values", |network, observations, scores| {
                let mut q = vec![0.0; scores.len()];
                network.infer(observations, task, &mut q).unwrap();
                q
            });
            self.compare("gradient", |network, observations, scores| {
                let mut gradient = vec![0.0; network.params().len()];
                let mut choose = |_: &[f32], dq: &mut [f32]| dq.copy_from_slice(scores);
                network.gradient(observations, task, &mut choose, &mut gradient).unwrap();
                gradient
            });
            for leak in [0.0, 0.1] {
                self.compare("squares", |network, observations, scores| {
                    let mut squares = vec![0.0; network.params().len()];
                    let mut round = 0;
                    let mut choose = |_: &[f32], dq: &mut [f32]| {
                        dq.copy_from_slice(scores);
                        dq.iter_mut().skip(round % actions).step_by(actions).for_each(|x| *x += 1.0);
                        round += 1;
                    };
                    network.squared_gradient(observations, task, 2, leak, &mut choose, &mut squares).unwrap();
                    squares
                });
            }
        }
    }
}

fn convolutions(of: &[[usize; 3]]) -> Vec<ConvolutionConfig> {
    of.iter()
        .map(|[channels, kernel, stride]| ConvolutionConfig { channels: *channels, kernel: *kernel, stride: *stride })
        .collect()
}

const CONDITIONINGS: [Conditioning; 4] =
    [Conditioning::None, Conditioning::OneHot, Conditioning::Heads, Conditioning::Gains];

fn config(of: &[[usize; 3]], hidden: &[usize], conditioning: Conditioning) -> NetworkConfig {
    NetworkConfig { convolutions: convolutions(of), hidden: hidden.to_vec(), conditioning, ..NetworkConfig::default() }
}

#[test]
fn the_networks_of_the_presets_agree() {
    for conditioning in CONDITIONINGS {
        for (input, hidden, actions, rows) in
            [(4, vec![120, 84], 2, 128), (7, vec![33, 21], 3, 17), (50, vec![64, 64], 3, 32)]
        {
            Case::new(&config(&[], &hidden, conditioning), Input::Vector(input), actions, rows, 0.3, 1).compare_all();
        }
        for channels in [4, 10] {
            // Sparse, as MinAtar's planes, and dense.
            for zeros in [0.9, 0.0] {
                let input = Input::Planes { channels, height: 10, width: 10 };
                Case::new(&config(&[[16, 3, 1]], &[128], conditioning), input, 6, 9, zeros, 2).compare_all();
            }
        }
    }
    let atari = config(&[[32, 8, 4], [64, 4, 2], [64, 3, 1]], &[64], Conditioning::Heads);
    Case::new(&atari, Input::Planes { channels: 2, height: 44, width: 40 }, 6, 3, 0.0, 3).compare_all();
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn dense_networks_of_any_shape_agree(
        input in 1_usize..40, hidden in proptest::collection::vec(1_usize..40, 0..4), actions in 1_usize..8,
        rows in 1_usize..34, conditioning in 0..4_usize, seed in 0_u64..1000,
    ) {
        Case::new(&config(&[], &hidden, CONDITIONINGS[conditioning]), Input::Vector(input), actions, rows, 0.2, seed).compare_all();
    }

    #[test]
    fn convolutions_of_any_shape_agree(
        channels in 1_usize..11, height in 5_usize..12, width in 5_usize..12,
        first in (1_usize..20, 1_usize..4, 1_usize..3), second in proptest::option::of((1_usize..9, 1_usize..3, 1_usize..3)),
        rows in 1_usize..20, zeros in 0.0_f32..1.0, conditioning in 0..4_usize, seed in 0_u64..1000,
    ) {
        let of: Vec<_> = [Some(first), second].into_iter().flatten().map(|(c, k, s)| [c, k, s]).collect();
        let input = Input::Planes { channels, height, width };
        Case::new(&config(&of, &[17], CONDITIONINGS[conditioning]), input, 3, rows, zeros, seed).compare_all();
    }
}

#[test]
fn results_are_the_same_to_the_bit_whatever_was_computed_before() {
    let case = || {
        Case::new(
            &config(&[[16, 3, 1]], &[32], Conditioning::Heads),
            Input::Planes { channels: 4, height: 10, width: 10 },
            3,
            8,
            0.8,
            5,
        )
    };
    let squares = |case: &mut Case| {
        let mut squares = vec![0.0; case.networks[1].params().len()];
        let mut choose = |_: &[f32], dq: &mut [f32]| dq.copy_from_slice(&case.scores);
        case.networks[1].squared_gradient(&case.observations, 1, 1, 0.1, &mut choose, &mut squares).unwrap();
        squares
    };
    let expected = squares(&mut case());
    let mut used = case();
    // A larger batch leaves more in every buffer.
    let larger = used.observations.repeat(3);
    used.networks[1].infer(&larger, 0, &mut vec![0.0; 3 * 8 * 3]).unwrap();
    assert!(squares(&mut used) == expected);
}
