//! Gradients and squared gradients of every network against finite differences and against one example at a time.

use engram_agents::network::{self, Conditioning, ConvolutionConfig, Implementation, Input, NetworkConfig, QNetwork};
use rand::{Rng, SeedableRng};
use rand_pcg::Pcg64;

const TASKS: usize = 2;
const ACTIONS: usize = 3;
const PLANES: Input = Input::Planes { channels: 2, height: 5, width: 4 };

/// Every body with every conditioning in every implementation.
fn networks() -> Vec<(String, Input, Box<dyn QNetwork>)> {
    [Implementation::Autograd, Implementation::Fused].into_iter().flat_map(networks_of).collect()
}

fn networks_of(implementation: Implementation) -> Vec<(String, Input, Box<dyn QNetwork>)> {
    let mut all = Vec::new();
    let convolution = |channels, kernel, stride| ConvolutionConfig { channels, kernel, stride };
    let bodies = [
        (vec![], Input::Vector(6)),
        (vec![convolution(3, 3, 1)], PLANES),
        (vec![convolution(3, 2, 1), convolution(2, 2, 2)], PLANES),
        (
            vec![convolution(2, 3, 2), convolution(3, 2, 2), convolution(2, 2, 1)],
            Input::Planes { channels: 2, height: 12, width: 11 },
        ),
    ];
    for (convolutions, input) in bodies {
        for conditioning in [Conditioning::None, Conditioning::OneHot, Conditioning::Heads, Conditioning::Gains] {
            let config =
                NetworkConfig { convolutions: convolutions.clone(), hidden: vec![7, 5], conditioning, implementation };
            let mut generator = Pcg64::seed_from_u64(3);
            let device = candle_core::Device::Cpu;
            let mut network = network::build(&config, input, ACTIONS, TASKS, &device, &mut generator).unwrap();
            // Biases and gains away from 0 and 1, so that a mistake with them shows.
            for param in network.params_mut() {
                *param += generator.random_range(-0.2..0.2);
            }
            all.push((
                format!("{implementation:?}, {} convolutions, {conditioning:?}", convolutions.len()),
                input,
                network,
            ));
        }
    }
    all
}

fn observations(input: Input, rows: usize, seed: u64) -> Vec<f32> {
    let mut generator = Pcg64::seed_from_u64(seed);
    (0..rows * input.len()).map(|_| generator.random_range(-1.0..1.0)).collect()
}

fn close(a: f32, b: f32, tolerance: f32) -> bool {
    (a - b).abs() <= tolerance * a.abs().max(b.abs()).max(1e-2)
}

#[test]
fn gradient_equals_finite_differences() {
    for (name, input, mut network) in networks() {
        let x = observations(input, 4, 1);
        let weights: Vec<f32> = observations(Input::Vector(4 * ACTIONS), 1, 2);
        let mut gradient = vec![0.0; network.params().len()];
        let mut scores = |_: &[f32], dq: &mut [f32]| dq.copy_from_slice(&weights);
        network.gradient(&x, 1, &mut scores, &mut gradient).unwrap();
        let loss = |network: &mut dyn QNetwork| {
            let mut q = vec![0.0; 4 * ACTIONS];
            network.infer(&x, 1, &mut q).unwrap();
            q.iter().zip(&weights).map(|(q, w)| f64::from(*q) * f64::from(*w)).sum::<f64>()
        };
        let here = loss(network.as_mut());
        let mut kinks = 0;
        for (i, gradient) in gradient.iter().enumerate() {
            let param = network.params()[i];
            let mut slope = |step: f32| {
                network.params_mut()[i] = param + step;
                let there = loss(network.as_mut());
                network.params_mut()[i] = param;
                ((there - here) / f64::from(step)) as f32
            };
            let (right, left) = (slope(2e-3), slope(-2e-3));
            // Where a ReLU turns on or off within the step, the two sides differ and there is nothing to compare.
            if close(right, left, 0.02) {
                assert!(close(f32::midpoint(right, left), *gradient, 0.02), "{name} {i}: {right} {left} {gradient}");
            } else {
                kinks += 1;
            }
        }
        assert!(kinks * 10 <= network.params().len(), "{name}: {kinks} kinks among {}", gradient.len());
    }
}

/// The multilayer perceptron is the one that candle-nn's own layers make of the same parameters.
#[test]
fn values_equal_those_of_candle_nns_layers() {
    use candle_core::{Device, Tensor};
    use candle_nn::{Linear, Module};
    let config = NetworkConfig { hidden: vec![7, 5], conditioning: Conditioning::None, ..NetworkConfig::default() };
    let mut generator = Pcg64::seed_from_u64(3);
    let mut network = network::build(&config, Input::Vector(6), ACTIONS, 1, &Device::Cpu, &mut generator).unwrap();
    let x = observations(Input::Vector(6), 10, 1);
    let tensors: Vec<Tensor> = network
        .layout()
        .entries()
        .iter()
        .map(|entry| {
            Tensor::from_slice(&network.params()[entry.range.clone()], entry.shape.as_slice(), &Device::Cpu).unwrap()
        })
        .collect();
    let mut expected = Tensor::from_slice(&x, (10, 6), &Device::Cpu).unwrap();
    for (layer, parameters) in tensors.chunks_exact(2).enumerate() {
        // candle-nn keeps weights as [outputs, inputs].
        let linear = Linear::new(parameters[0].t().unwrap(), Some(parameters[1].flatten_all().unwrap()));
        expected = linear.forward(&expected).unwrap();
        if layer < 2 {
            expected = expected.relu().unwrap();
        }
    }
    let mut q = vec![0.0; 10 * ACTIONS];
    network.infer(&x, 0, &mut q).unwrap();
    let expected = expected.flatten_all().unwrap().to_vec1::<f32>().unwrap();
    assert!(q.iter().zip(&expected).all(|(q, expected)| close(*q, *expected, 1e-5)), "{q:?} {expected:?}");
}

#[test]
fn another_tasks_parameters_have_no_gradient() {
    for (name, input, mut network) in networks() {
        let mut gradient = vec![0.0; network.params().len()];
        network.gradient(&observations(input, 4, 1), 1, &mut |_, dq| dq.fill(1.0), &mut gradient).unwrap();
        for entry in network.layout().entries().iter().filter(|entry| entry.name.starts_with("task0")) {
            assert!(gradient[entry.range.clone()].iter().all(|g| *g == 0.0), "{name} {}", entry.name);
        }
    }
}

/// The batched square is the sum over examples of the squared gradient of one example alone, within 1e-5.
#[test]
fn squared_gradient_equals_one_example_at_a_time() {
    for (name, input, mut network) in networks() {
        let rows = 9;
        let x = observations(input, rows, 5);
        let mut expected = vec![0.0_f64; network.params().len()];
        for row in x.chunks_exact(input.len()) {
            for action in 0..ACTIONS {
                let mut gradient = vec![0.0; expected.len()];
                let mut scores = |q: &[f32], dq: &mut [f32]| dq[action] = 1.0 + q[action];
                network.gradient(row, 1, &mut scores, &mut gradient).unwrap();
                expected.iter_mut().zip(&gradient).for_each(|(sum, g)| *sum += f64::from(*g).powi(2));
            }
        }
        let mut squares = vec![0.0; expected.len()];
        let mut round = 0;
        let mut scores = |q: &[f32], dq: &mut [f32]| {
            for (q, dq) in q.chunks_exact(ACTIONS).zip(dq.chunks_exact_mut(ACTIONS)) {
                dq[round] = 1.0 + q[round];
            }
            round += 1;
        };
        network.squared_gradient(&x, 1, ACTIONS, 0.0, &mut scores, &mut squares).unwrap();
        for entry in network.layout().entries() {
            let scale = expected[entry.range.clone()].iter().fold(1e-9_f64, |max, f| max.max(*f));
            for i in entry.range.clone() {
                let expected = if entry.name.starts_with("task") { 0.0 } else { expected[i] };
                let difference = (f64::from(squares[i]) - expected).abs();
                assert!(difference <= 1e-5 * scale, "{name} {} {}: {} {expected}", entry.name, i, squares[i]);
            }
        }
    }
}

/// With one hidden unit that is off, the plain square is zero at its weights and the leaky one is `leak^2` times what it
/// would be if it were on.
#[test]
fn the_leak_reaches_units_that_are_off() {
    let config = NetworkConfig { hidden: vec![1], conditioning: Conditioning::None, ..NetworkConfig::default() };
    let mut generator = Pcg64::seed_from_u64(0);
    let device = candle_core::Device::Cpu;
    let mut network = network::build(&config, Input::Vector(2), 1, 1, &device, &mut generator).unwrap();
    // Weights 1 and -2, bias 0, output weight 3, output bias 0.
    network.params_mut().copy_from_slice(&[1.0, -2.0, 0.0, 3.0, 0.0]);
    let square = |network: &mut dyn QNetwork, x: [f32; 2], leak| {
        let mut squares = vec![0.0; 5];
        network.squared_gradient(&x, 0, 1, leak, &mut |_, dq| dq.fill(1.0), &mut squares).unwrap();
        squares
    };
    assert_eq!(square(network.as_mut(), [5.0, 2.0], 0.0), [9.0 * 25.0, 9.0 * 4.0, 9.0, 1.0, 1.0]);
    assert_eq!(square(network.as_mut(), [5.0, 3.0], 0.0), [0.0, 0.0, 0.0, 0.0, 1.0]);
    let leaky = square(network.as_mut(), [5.0, 3.0], 0.5);
    assert_eq!(leaky, [0.25 * 9.0 * 25.0, 0.25 * 9.0 * 9.0, 0.25 * 9.0, 0.0, 1.0]);
    let mut q = [0.0];
    network.infer(&[5.0, 3.0], 0, &mut q).unwrap();
    assert_eq!(q, [0.0], "the network itself stays a ReLU network");
}

/// At a preactivation of exactly 0 a ReLU is off for every purpose: in the gradient, in its square and in what fired.
#[test]
fn a_unit_at_exactly_zero_is_off() {
    let config = NetworkConfig { hidden: vec![1], conditioning: Conditioning::None, ..NetworkConfig::default() };
    let mut generator = Pcg64::seed_from_u64(0);
    let device = candle_core::Device::Cpu;
    let mut network = network::build(&config, Input::Vector(2), 1, 1, &device, &mut generator).unwrap();
    // Weights 1 and -1, bias 0, output weight 3, output bias 0.
    network.params_mut().copy_from_slice(&[1.0, -1.0, 0.0, 3.0, 0.0]);
    let x = [2.0, 2.0];
    let (mut gradient, mut squares, mut fired) = (vec![0.0; 5], vec![0.0; 5], vec![false]);
    network.gradient(&x, 0, &mut |_, dq| dq.fill(1.0), &mut gradient).unwrap();
    network.squared_gradient(&x, 0, 1, 0.0, &mut |_, dq| dq.fill(1.0), &mut squares).unwrap();
    network.mark_fired(&x, 0, &mut fired).unwrap();
    assert_eq!(gradient, [0.0, 0.0, 0.0, 0.0, 1.0]);
    assert_eq!(squares, gradient);
    assert_eq!(fired, [false]);
}

#[test]
fn silenced_units_take_no_part() {
    for (name, input, mut network) in networks() {
        let x = observations(input, 3, 8);
        let units: usize = network.architecture().hidden().iter().map(|layer| layer.units).sum();
        let mut fired = vec![false; units];
        network.mark_fired(&x, 1, &mut fired).unwrap();
        assert!(fired.iter().any(|fired| *fired) && fired.iter().any(|fired| !*fired), "{name}");
        let infer = |network: &mut dyn QNetwork| {
            let mut q = vec![0.0; 3 * ACTIONS];
            network.infer(&x, 1, &mut q).unwrap();
            q
        };
        let before = infer(network.as_mut());
        let architecture = network.architecture().clone();
        let dead: Vec<bool> = fired.iter().map(|fired| !fired).collect();
        architecture.silence(&dead, network.params_mut());
        assert_eq!(before, infer(network.as_mut()), "{name}: units that never fire change nothing");
        architecture.silence(&fired, network.params_mut());
        assert_ne!(before, infer(network.as_mut()), "{name}");
    }
}

#[test]
fn results_are_the_same_to_the_bit_each_time() {
    for (name, input, mut network) in networks() {
        let x = observations(input, 32, 1);
        let mut run = || {
            let mut gradient = vec![0.0; network.params().len()];
            network.gradient(&x, 0, &mut |q, dq| dq.copy_from_slice(q), &mut gradient).unwrap();
            gradient.iter().map(|g| g.to_bits()).collect::<Vec<_>>()
        };
        assert_eq!(run(), run(), "{name}");
    }
}

/// P17. Fails if a task's head, gains or code is ignored: each task must see its own.
#[test]
fn p17_the_task_changes_the_values_where_it_should() {
    for (name, input, mut network) in networks() {
        let x = observations(input, 1, 1);
        let (mut first, mut second) = (vec![0.0; ACTIONS], vec![0.0; ACTIONS]);
        network.infer(&x, 0, &mut first).unwrap();
        network.infer(&x, 1, &mut second).unwrap();
        assert_eq!(first == second, name.ends_with("None"), "{name}");
    }
}
