//! The Fisher information against numbers worked by hand and against what must not change it.

use engram_agents::{
    AgentError,
    fisher::{FisherConfig, Likelihood, Normalization, of_batch},
    network::{self, Architecture, Conditioning, Input, NetworkConfig, QNetwork, Scores},
    replay::Batch,
};
use rand::{Rng, SeedableRng};
use rand_pcg::Pcg64;

fn network(hidden: &[usize], inputs: usize, actions: usize, seed: u64) -> Box<dyn QNetwork> {
    let config =
        NetworkConfig { hidden: hidden.to_vec(), conditioning: Conditioning::None, ..NetworkConfig::default() };
    let mut generator = Pcg64::seed_from_u64(seed);
    network::build(&config, Input::Vector(inputs), actions, 1, &candle_core::Device::Cpu, &mut generator).unwrap()
}

fn config(likelihood: Likelihood) -> FisherConfig {
    let normalization = Normalization::None;
    FisherConfig { likelihood, normalization, temperature: 0.5, leak: 0.0, ..FisherConfig::default() }
}

fn batch(inputs: usize, rows: usize, actions: usize) -> Batch {
    let mut generator = Pcg64::seed_from_u64(9);
    let mut draw = |n: usize| (0..n).map(|_| generator.random_range(-1.0..1.0)).collect::<Vec<f32>>();
    let (observations, next_observations) = (draw(inputs * rows), draw(inputs * rows));
    Batch {
        rewards: draw(rows),
        observations,
        next_observations,
        actions: (0..rows).map(|row| row % actions).collect(),
        discounts: vec![0.9; rows],
    }
}

fn fisher(config: &FisherConfig, network: &mut dyn QNetwork, batch: &Batch, actions: usize) -> Vec<f32> {
    of_batch(config, network, batch, 0, actions, &mut Pcg64::seed_from_u64(4)).unwrap().importance
}

const ALL: [Likelihood; 6] = [
    Likelihood::Gaussian,
    Likelihood::GaussianTaken,
    Likelihood::Softmax,
    Likelihood::SoftmaxSampled,
    Likelihood::SoftmaxTaken,
    Likelihood::Td,
];

fn assert_close(a: &[f32], b: &[f32], tolerance: f32, what: &str) {
    let scale = b.iter().fold(1e-12_f32, |max, f| max.max(f.abs()));
    for (i, (a, b)) in a.iter().zip(b).enumerate() {
        assert!((a - b).abs() <= tolerance * scale, "{what} {i}: {a} {b}");
    }
}

/// A linear network of two inputs and two actions: weights `[input, action]`, then biases. States (1, 2) and (3, 0).
///
/// Q(1,2) = (0.5 + 0.2, -1 + 0.4) = (0.7, -0.6) with weights (0.5, -1; 0.1, 0.2); Q(3,0) = (1.5, -3).
#[test]
fn by_hand_on_a_linear_network() {
    let mut network = network(&[], 2, 2, 0);
    network.params_mut().copy_from_slice(&[0.5, -1.0, 0.1, 0.2, 0.0, 0.0]);
    let batch = Batch {
        observations: vec![1.0, 2.0, 3.0, 0.0],
        actions: vec![1, 0],
        rewards: vec![0.0, 0.0],
        discounts: vec![0.0, 0.0],
        next_observations: vec![0.0; 4],
    };
    // g_a is the input at the weights into a: the mean of squared inputs for each action.
    let gaussian = fisher(&config(Likelihood::Gaussian), network.as_mut(), &batch, 2);
    assert_close(&gaussian, &[5.0, 5.0, 2.0, 2.0, 1.0, 1.0], 1e-6, "gaussian");
    let taken = fisher(&config(Likelihood::GaussianTaken), network.as_mut(), &batch, 2);
    assert_close(&taken, &[4.5, 0.5, 0.0, 2.0, 0.5, 0.5], 1e-6, "gaussian-taken");
    // delta = Q(s, a) - 0 = -0.6 and 1.5, clipped to 1.
    let td = fisher(&config(Likelihood::Td), network.as_mut(), &batch, 2);
    assert_close(&td, &[4.5, 0.36 * 0.5, 0.0, 0.36 * 2.0, 0.5, 0.36 * 0.5], 1e-5, "td");
    // For two actions E_a (d ln pi_a / dQ_0)^2 = pi_0 pi_1 / tau^2, and the same for Q_1.
    let weight = |gap: f64| {
        let p = 1.0 / (1.0 + (-gap / 0.5).exp());
        p * (1.0 - p) / 0.25
    };
    let (a, b) = (weight(1.3) / 2.0, weight(4.5) / 2.0);
    let by_hand = [a + 9.0 * b, a + 9.0 * b, 4.0 * a, 4.0 * a, a + b, a + b].map(|f| f as f32);
    assert_close(&fisher(&config(Likelihood::Softmax), network.as_mut(), &batch, 2), &by_hand, 1e-5, "softmax");
}

/// P4. Fails with the square of the batch mean, which shrinks as examples cancel and moves with the batch size.
#[test]
fn p4_duplicating_the_sample_changes_nothing_and_the_wrong_estimate_is_seen() {
    let mut network = network(&[6], 4, 3, 1);
    let single = batch(4, 24, 3);
    let twice = |values: &[f32]| [values, values].concat();
    let double = Batch {
        observations: twice(&single.observations),
        actions: [single.actions.clone(), single.actions.clone()].concat(),
        rewards: twice(&single.rewards),
        discounts: twice(&single.discounts),
        next_observations: twice(&single.next_observations),
    };
    for likelihood in ALL.into_iter().filter(|likelihood| *likelihood != Likelihood::SoftmaxSampled) {
        let one = fisher(&config(likelihood), network.as_mut(), &single, 3);
        let two = fisher(&config(likelihood), network.as_mut(), &double, 3);
        assert_close(&one, &two, 1e-5, &format!("{likelihood:?}"));
    }
    // The known wrong answer: the gradient of the mean over the batch, squared.
    let mut mean = vec![0.0; network.params().len()];
    let mut scores = |_: &[f32], dq: &mut [f32]| {
        dq.chunks_exact_mut(3).zip(&single.actions).for_each(|(dq, action)| dq[*action] = 1.0 / 24.0);
    };
    network.gradient(&single.observations, 0, &mut scores, &mut mean).unwrap();
    let wrong: f32 = mean.iter().map(|g| g * g).sum();
    let right: f32 = fisher(&config(Likelihood::GaussianTaken), network.as_mut(), &single, 3).iter().sum();
    assert!(right > 2.0 * wrong, "{right} {wrong}");
}

/// The softmax estimate in expectation over sampled actions, and the leak and masks with each likelihood.
#[test]
fn sampled_scores_average_to_the_exact_ones() {
    let mut network = network(&[6], 4, 3, 1);
    let one = batch(4, 1, 3);
    let many = Batch {
        observations: one.observations.repeat(6000),
        actions: one.actions.repeat(6000),
        rewards: one.rewards.repeat(6000),
        discounts: one.discounts.repeat(6000),
        next_observations: one.next_observations.repeat(6000),
    };
    let exact = fisher(&config(Likelihood::Softmax), network.as_mut(), &one, 3);
    let sampled = fisher(&config(Likelihood::SoftmaxSampled), network.as_mut(), &many, 3);
    assert_close(&sampled, &exact, 0.05, "softmax-sampled");
}

/// P5. Fails if a parameter axis is reduced away or the actions' values are summed before the square.
#[test]
fn p5_importance_differs_between_the_inputs_of_a_unit() {
    let mut network = network(&[6], 4, 3, 1);
    let importance = fisher(&config(Likelihood::Gaussian), network.as_mut(), &batch(4, 50, 3), 3);
    let rows: Vec<&[f32]> = importance[..24].chunks_exact(6).collect();
    assert!(rows.windows(2).all(|pair| pair[0] != pair[1]), "{rows:?}");
    // Summing Q over actions first would give (sum_a w_a)^2 in place of sum_a w_a^2 at the hidden biases.
    let mut linear = network_with_opposite_outputs();
    let importance = fisher(&config(Likelihood::Gaussian), linear.as_mut(), &batch(2, 50, 2), 2);
    assert!(importance[4] > 0.1, "opposite actions must not cancel: {importance:?}");
}

fn network_with_opposite_outputs() -> Box<dyn QNetwork> {
    let mut network = network(&[2], 2, 2, 0);
    network.params_mut().copy_from_slice(&[1.0, -1.0, 1.0, -1.0, 0.5, 0.5, 1.0, -1.0, 1.0, -1.0, 0.0, 0.0]);
    network
}

/// P3. Fails if the default vanishes where the task is solved; the TD likelihood does, which is why it is no default.
#[test]
fn p3_a_solved_task_keeps_its_importance() {
    let mut network = network(&[6], 4, 3, 1);
    let mut solved = batch(4, 200, 3);
    let mut q = vec![0.0; 600];
    network.infer(&solved.observations, 0, &mut q).unwrap();
    solved.discounts.fill(0.0);
    solved.rewards = (0..200).map(|row| q[row * 3 + solved.actions[row]]).collect();
    let trace = |importance: Vec<f32>| importance.iter().sum::<f32>();
    assert!(trace(fisher(&FisherConfig::default(), network.as_mut(), &solved, 3)) > 1.0);
    assert!(trace(fisher(&config(Likelihood::Td), network.as_mut(), &solved, 3)) < 1e-9);
    let estimate =
        of_batch(&config(Likelihood::Td), network.as_mut(), &solved, 0, 3, &mut Pcg64::seed_from_u64(4)).unwrap();
    assert!(
        estimate.diagnostics.warnings().iter().any(|warning| warning.contains("zero")),
        "{:?}",
        estimate.diagnostics
    );
    let sharp = FisherConfig { temperature: 1e-3, ..config(Likelihood::Softmax) };
    let estimate = of_batch(&sharp, network.as_mut(), &solved, 0, 3, &mut Pcg64::seed_from_u64(4)).unwrap();
    assert!(estimate.diagnostics.warnings().iter().any(|warning| warning.contains("entropy")));
}

/// P7. Fails if the normalised importance depends on the scale of rewards, that is of Q: with it the stiffness
/// `eta lambda F` of one lambda stays the same, without it that of a network whose Q-values are a hundred times greater
/// is a hundred times greater, too.
#[test]
fn p7_normalised_importance_does_not_depend_on_the_reward_scale() {
    let mut small = network(&[6], 4, 3, 1);
    let mut large = network(&[6], 4, 3, 1);
    // Both layers grow alike, as they do in training; only the output's biases, with a quarter of the
    // trace, have the same importance on any scale.
    large.params_mut().iter_mut().for_each(|param| *param *= 10.0);
    let output_bias = large.layout().entries().iter().find(|entry| entry.name == "output.bias").unwrap().range.clone();
    let ratios = |normalization, small: &mut dyn QNetwork, large: &mut dyn QNetwork| {
        let config = FisherConfig { normalization, ..config(Likelihood::Gaussian) };
        let (a, b) = (fisher(&config, small, &batch(4, 64, 3), 3), fisher(&config, large, &batch(4, 64, 3), 3));
        let others = (0..a.len()).filter(|i| !output_bias.contains(i) && a[*i] > 0.0);
        others.map(|i| b[i] / a[i]).collect::<Vec<f32>>()
    };
    let normalised = ratios(Normalization::Mean, small.as_mut(), large.as_mut());
    assert!(normalised.len() > 20 && normalised.iter().all(|ratio| (ratio - 1.0).abs() < 0.5), "{normalised:?}");
    let raw = ratios(Normalization::None, small.as_mut(), large.as_mut());
    assert!(raw.iter().all(|ratio| (ratio - 100.0).abs() < 0.1), "{raw:?}");
}

#[test]
fn masked_actions_take_no_part_in_any_likelihood() {
    for likelihood in ALL {
        let mut network = network(&[6], 4, 3, 1);
        let two = batch(4, 40, 2);
        let masked = fisher(&config(likelihood), network.as_mut(), &two, 2);
        // Whatever the third action's weights are, nothing may change.
        let entries: Vec<_> =
            network.layout().entries().iter().filter(|entry| entry.name.starts_with("output")).cloned().collect();
        for entry in &entries {
            network.params_mut()[entry.range.clone()].iter_mut().skip(2).step_by(3).for_each(|weight| *weight = 50.0);
            assert!(masked[entry.range.clone()].iter().skip(2).step_by(3).all(|f| *f == 0.0), "{likelihood:?}");
        }
        assert_eq!(masked, fisher(&config(likelihood), network.as_mut(), &two, 2), "{likelihood:?}");
    }
}

#[test]
fn the_leaky_importance_never_lies_below_the_plain_one_and_protects_dead_units() {
    let mut network = network(&[6], 4, 3, 1);
    let bias = network.layout().entries()[1].range.clone();
    network.params_mut()[bias.start] = -100.0;
    let plain = fisher(&config(Likelihood::Gaussian), network.as_mut(), &batch(4, 64, 3), 3);
    let leaky = FisherConfig { leak: 0.1, ..config(Likelihood::Gaussian) };
    let leaky = fisher(&leaky, network.as_mut(), &batch(4, 64, 3), 3);
    assert!(plain.iter().zip(&leaky).all(|(plain, leaky)| leaky >= plain));
    assert_eq!(plain[bias.start], 0.0);
    assert!(leaky[bias.start] > 0.0);
}

#[test]
fn the_floor_is_a_share_of_the_mean() {
    let mut network = network(&[6], 4, 3, 1);
    let plain = fisher(&config(Likelihood::Gaussian), network.as_mut(), &batch(4, 64, 3), 3);
    let floor = FisherConfig { floor: 0.5, ..config(Likelihood::Gaussian) };
    let floored = fisher(&floor, network.as_mut(), &batch(4, 64, 3), 3);
    let mean = plain.iter().sum::<f32>() / plain.len() as f32;
    assert!(plain.iter().zip(&floored).all(|(plain, floored)| (floored - plain - 0.5 * mean).abs() < 1e-5));
}

/// With all actions observed the penalty predicts the mean squared change of Q, on the diagonal: exact for a move of
/// one parameter in a linear network.
#[test]
fn the_gaussian_importance_is_the_curvature_of_the_change_of_q() {
    let mut network = network(&[], 3, 2, 2);
    let batch = batch(3, 30, 2);
    let importance = fisher(&config(Likelihood::Gaussian), network.as_mut(), &batch, 2);
    let infer = |network: &mut dyn QNetwork| {
        let mut q = vec![0.0; 60];
        network.infer(&batch.observations, 0, &mut q).unwrap();
        q
    };
    let before = infer(network.as_mut());
    for (i, importance) in importance.iter().enumerate() {
        network.params_mut()[i] += 0.5;
        let change: f32 = infer(network.as_mut()).iter().zip(&before).map(|(a, b)| (a - b).powi(2)).sum::<f32>() / 30.0;
        network.params_mut()[i] -= 0.5;
        assert!((change - importance * 0.25).abs() < 1e-4 * change.max(1e-2), "{i}: {change} {importance}");
    }
}

/// The states are taken a few at a time, and sums are in double precision: no number of states moves the result.
#[test]
fn a_long_sum_loses_nothing() {
    let mut network = network(&[6], 4, 3, 1);
    let one = batch(4, 32, 3);
    let many = Batch {
        observations: one.observations.repeat(3000),
        actions: one.actions.repeat(3000),
        rewards: one.rewards.repeat(3000),
        discounts: one.discounts.repeat(3000),
        next_observations: one.next_observations.repeat(3000),
    };
    let once = fisher(&config(Likelihood::Gaussian), network.as_mut(), &one, 3);
    let often = fisher(&config(Likelihood::Gaussian), network.as_mut(), &many, 3);
    assert!(once.iter().zip(&often).all(|(a, b)| (a - b).abs() <= f32::EPSILON * a), "{once:?} {often:?}");
}

#[test]
fn one_group_of_states_has_no_standard_error() {
    let mut network = network(&[6], 4, 3, 1);
    let mut standard_error = |rows| {
        let states = batch(4, rows, 3);
        let fisher =
            of_batch(&config(Likelihood::Gaussian), network.as_mut(), &states, 0, 3, &mut Pcg64::seed_from_u64(4));
        fisher.unwrap().diagnostics.trace_standard_error
    };
    assert_eq!(standard_error(32), None);
    assert!(standard_error(33).is_some_and(|error| error > 0.0));
}

/// However many states are asked for, no more than a few are ever laid out at once.
#[test]
fn memory_does_not_grow_with_the_number_of_states() {
    let mut network = Watched { inner: network(&[6], 4, 3, 1), most: 0 };
    let states = batch(4, 1000, 3);
    for likelihood in ALL {
        let config = FisherConfig { temperature: 0.0, leak: 0.1, ..config(likelihood) };
        of_batch(&config, &mut network, &states, 0, 3, &mut Pcg64::seed_from_u64(4)).unwrap();
    }
    assert!((1..=64).contains(&network.most), "{} states at once", network.most);
}

/// A network that remembers the most rows it was asked for at once.
struct Watched {
    inner: Box<dyn QNetwork>,
    most: usize,
}

impl Watched {
    fn watch(&mut self, observations: &[f32]) {
        self.most = self.most.max(observations.len() / self.inner.architecture().input().len());
    }
}

impl QNetwork for Watched {
    fn architecture(&self) -> &Architecture {
        self.inner.architecture()
    }

    fn params(&self) -> &[f32] {
        self.inner.params()
    }

    fn params_mut(&mut self) -> &mut [f32] {
        self.inner.params_mut()
    }

    fn infer(&mut self, observations: &[f32], task: usize, q: &mut [f32]) -> Result<(), AgentError> {
        self.watch(observations);
        self.inner.infer(observations, task, q)
    }

    fn gradient(
        &mut self,
        observations: &[f32],
        task: usize,
        scores: &mut Scores<'_>,
        gradient: &mut [f32],
    ) -> Result<(), AgentError> {
        self.watch(observations);
        self.inner.gradient(observations, task, scores, gradient)
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
        self.watch(observations);
        self.inner.squared_gradient(observations, task, rounds, leak, scores, squares)
    }

    fn mark_fired(&mut self, observations: &[f32], task: usize, fired: &mut [bool]) -> Result<(), AgentError> {
        self.watch(observations);
        self.inner.mark_fired(observations, task, fired)
    }

    fn duplicate(&self) -> Result<Box<dyn QNetwork>, AgentError> {
        self.inner.duplicate()
    }
}
