//! Optimizers as loops over the flat vector: the task's own step, then the proximal step of the penalty.

use std::ops::Range;

use serde::{Deserialize, Serialize};

use crate::{continual::quadratic::Quadratic, schedule::LearningRateSchedule};

/// The optimizer as configured.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct OptimizerConfig {
    /// The rule.
    pub kind: OptimizerKind,
    /// The learning rate.
    pub learning_rate: f32,
    /// How it goes over a phase.
    pub learning_rate_schedule: LearningRateSchedule,
    /// The share of the learning rate that the linear schedule reaches at the phase's end.
    pub learning_rate_final: f32,
    /// Adam: decay of the mean of gradients.
    pub beta1: f32,
    /// Adam: decay of the mean of squared gradients.
    pub beta2: f32,
    /// `RMSProp`: decay of both means.
    pub decay: f32,
    /// `RMSProp`: whether the mean gradient is subtracted, so that the step is over a standard deviation.
    pub centred: bool,
    /// Keeps the denominator from 0.
    pub epsilon: f32,
    /// `RMSProp`: whether epsilon stands under the root.
    pub epsilon_inside_root: bool,
}

impl Default for OptimizerConfig {
    fn default() -> Self {
        Self {
            kind: OptimizerKind::Adam,
            learning_rate: 1e-3,
            learning_rate_schedule: LearningRateSchedule::Constant,
            learning_rate_final: 0.05,
            beta1: 0.9,
            beta2: 0.999,
            decay: 0.95,
            centred: true,
            epsilon: 1e-8,
            epsilon_inside_root: false,
        }
    }
}

/// The rule of an optimizer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum OptimizerKind {
    /// Kingma and Ba 2015, without weight decay.
    Adam,
    /// Tieleman and Hinton 2012; centred as in Graves 2013.
    Rmsprop,
}

/// The state of an optimizer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Optimizer {
    config: OptimizerConfig,
    /// Mean of gradients.
    mean: Vec<f32>,
    /// Mean of squared gradients.
    square: Vec<f32>,
    /// Steps since the moments were zero.
    steps: i32,
}

/// The smallest denominator that the proximal step's size is taken over, so that it stays finite where no gradient
/// has been seen.
const SMALLEST_DENOMINATOR: f32 = 1e-4;

impl Optimizer {
    /// An optimizer that has seen no gradient yet.
    pub fn new(config: OptimizerConfig, len: usize) -> Self {
        Self { config, mean: vec![0.0; len], square: vec![0.0; len], steps: 0 }
    }

    /// Forgets all gradients.
    pub fn reset(&mut self) {
        self.mean.fill(0.0);
        self.square.fill(0.0);
        self.steps = 0;
    }

    /// Steps taken since the moments were last zero.
    pub fn steps(&self) -> i32 {
        self.steps
    }

    /// Moves the parameters in `ranges` by one step, and only those; moments of the others stay.
    ///
    /// First the optimizer's own step on the gradient `g` of the task's loss. With step count `t`, Adam has
    /// `m = b1 m + (1-b1) g`, `v = b2 v + (1-b2) g^2`, denominator `D = sqrt(v / (1-b2^t)) + epsilon` and
    /// `theta^ = theta - rate m / (1-b1^t) / D`. `RMSProp` has `v = d v + (1-d) g^2` and, centred,
    /// `m = d m + (1-d) g`, with `D = sqrt(max(v - m^2, 0)) + epsilon` (or epsilon under the root) and
    /// `theta^ = theta - rate g / D`.
    ///
    /// Then, given a penalty, its proximal step in the optimizer's own metric: with `eta = rate / max(D, 1e-4)`,
    /// `theta = (theta^ + eta lambda A c) / (1 + eta lambda A)`, the exact minimiser of
    /// `(theta - theta^)^2 / (2 eta) + Omega(theta)`. It is stable for every lambda and exactly `theta^` where `A = 0`.
    pub fn step(
        &mut self,
        params: &mut [f32],
        gradient: &[f32],
        rate: f32,
        quadratic: Option<&Quadratic>,
        ranges: &[Range<usize>],
    ) {
        self.steps += 1;
        let rule = Rule::new(&self.config, rate, self.steps);
        for range in ranges {
            let params = &mut params[range.clone()];
            let moments = self.mean[range.clone()].iter_mut().zip(&mut self.square[range.clone()]);
            let gradients = gradient[range.clone()].iter().zip(moments);
            match quadratic {
                None => {
                    for (param, (g, (m, v))) in params.iter_mut().zip(gradients) {
                        let denominator = rule.denominator(*g, m, v);
                        *param -= rule.numerator(*g, *m) / denominator;
                    }
                }
                Some(quadratic) => {
                    let penalty = quadratic.importance[range.clone()].iter().zip(&quadratic.centre[range.clone()]);
                    for ((param, (g, (m, v))), (a, c)) in params.iter_mut().zip(gradients).zip(penalty) {
                        let denominator = rule.denominator(*g, m, v);
                        let own = *param - rule.numerator(*g, *m) / denominator;
                        let stiffness = rate / denominator.max(SMALLEST_DENOMINATOR) * quadratic.lambda * a;
                        *param = (own + stiffness * c) / (1.0 + stiffness);
                    }
                }
            }
        }
    }

    /// The size `eta` of the proximal step for parameter `index` as the last step left it.
    pub fn step_size(&self, rate: f32, index: usize) -> f32 {
        let rule = Rule::new(&self.config, rate, self.steps.max(1));
        rate / rule.root(self.mean[index], self.square[index]).max(SMALLEST_DENOMINATOR)
    }
}

/// The constants of one step.
struct Rule {
    kind: OptimizerKind,
    rate: f32,
    mean_decay: f32,
    square_decay: f32,
    square_correction: f32,
    centred: bool,
    epsilon: f32,
    inside: f32,
}

impl Rule {
    fn new(config: &OptimizerConfig, rate: f32, steps: i32) -> Self {
        match config.kind {
            OptimizerKind::Adam => Self {
                kind: config.kind,
                rate: rate / (1.0 - config.beta1.powi(steps)),
                mean_decay: config.beta1,
                square_decay: config.beta2,
                square_correction: 1.0 / (1.0 - config.beta2.powi(steps)),
                centred: false,
                epsilon: config.epsilon,
                inside: 0.0,
            },
            OptimizerKind::Rmsprop => Self {
                kind: config.kind,
                rate,
                mean_decay: config.decay,
                square_decay: config.decay,
                square_correction: 1.0,
                centred: config.centred,
                epsilon: if config.epsilon_inside_root { 0.0 } else { config.epsilon },
                inside: if config.epsilon_inside_root { config.epsilon } else { 0.0 },
            },
        }
    }

    fn denominator(&self, g: f32, m: &mut f32, v: &mut f32) -> f32 {
        *m = self.mean_decay * *m + (1.0 - self.mean_decay) * g;
        *v = self.square_decay * *v + (1.0 - self.square_decay) * g * g;
        self.root(*m, *v)
    }

    fn root(&self, m: f32, v: f32) -> f32 {
        let variance = if self.centred { (v - m * m).max(0.0) } else { v * self.square_correction };
        (variance + self.inside).sqrt() + self.epsilon
    }

    fn numerator(&self, g: f32, m: f32) -> f32 {
        self.rate * if self.kind == OptimizerKind::Adam { m } else { g }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn adam() -> OptimizerConfig {
        OptimizerConfig { learning_rate: 0.1, ..OptimizerConfig::default() }
    }

    #[test]
    fn adam_by_hand() {
        let mut optimizer = Optimizer::new(adam(), 1);
        let mut params = [1.0];
        optimizer.step(&mut params, &[2.0], 0.1, None, &[0..1]);
        assert!((params[0] - 0.9).abs() < 1e-6, "the first step is the rate times the gradient's sign");
        optimizer.step(&mut params, &[-1.0], 0.1, None, &[0..1]);
        // m = .9 * .2 - .1 = .08, corrected .08 / .19; v = .999 * .004 + .001 = .004996, corrected / .001999.
        let expected = 0.9 - 0.1 * (0.08 / 0.19) / (0.004_996_f64 / 0.001_999).sqrt();
        assert!((f64::from(params[0]) - expected).abs() < 1e-5, "{params:?} {expected}");
    }

    #[test]
    fn rmsprop_by_hand_in_its_three_forms() {
        let config = |centred, inside| OptimizerConfig {
            kind: OptimizerKind::Rmsprop,
            decay: 0.9,
            epsilon: 0.01,
            centred,
            epsilon_inside_root: inside,
            ..adam()
        };
        // m = .1 * 2 = .2, v = .1 * 4 = .4.
        let cases = [
            (false, false, 0.1 * 2.0 / (0.4_f64.sqrt() + 0.01)),
            (true, false, 0.1 * 2.0 / (0.36_f64.sqrt() + 0.01)),
            (true, true, 0.1 * 2.0 / 0.37_f64.sqrt()),
        ];
        for (centred, inside, step) in cases {
            let mut params = [1.0];
            Optimizer::new(config(centred, inside), 1).step(&mut params, &[2.0], 0.1, None, &[0..1]);
            assert!((1.0 - f64::from(params[0]) - step).abs() < 1e-6, "{centred} {inside}");
        }
    }

    #[test]
    fn a_constant_gradient_does_not_break_centred_rmsprop() {
        let config = OptimizerConfig { kind: OptimizerKind::Rmsprop, epsilon_inside_root: true, ..adam() };
        let mut optimizer = Optimizer::new(config, 1);
        let mut params = [0.0];
        for _ in 0..2000 {
            optimizer.step(&mut params, &[1.0], 1e-6, None, &[0..1]);
        }
        assert!(params[0].is_finite());
    }

    /// P10. Fails with a decay of weights inside the optimizer, as `AdamW` has by default.
    #[test]
    fn p10_no_gradient_no_movement() {
        for kind in [OptimizerKind::Adam, OptimizerKind::Rmsprop] {
            let mut optimizer = Optimizer::new(OptimizerConfig { kind, ..adam() }, 2);
            let mut params = [1.25, -3.5];
            for _ in 0..100 {
                optimizer.step(&mut params, &[0.0, 0.0], 0.1, None, &[0..2]);
            }
            assert_eq!(params, [1.25, -3.5]);
        }
    }

    /// P8. Fails with an explicit step of the penalty, which diverges.
    #[test]
    fn p8_a_huge_lambda_stays_at_the_anchor() {
        for lambda in [1e9, 1e12] {
            let quadratic = Quadratic::new(lambda, vec![0.5, 0.0], vec![2.0, 2.0]);
            let mut optimizer = Optimizer::new(adam(), 2);
            let mut params = [2.5, 2.5];
            for step in 0..100 {
                let gradient = if step % 2 == 0 { [3.0, 0.0] } else { [-1.0, 0.0] };
                optimizer.step(&mut params, &gradient, 0.1, Some(&quadratic), &[0..2]);
                assert!((params[0] - 2.0).abs() < 1e-5, "{params:?}");
            }
            assert_eq!(params[1], 2.5, "no importance, no pull");
        }
    }

    #[test]
    fn without_importance_the_proximal_step_changes_no_bit() {
        let quadratic = Quadratic::new(7.0, vec![0.0; 3], vec![1e3, -1e3, 0.1]);
        let (mut with, mut without) = (Optimizer::new(adam(), 3), Optimizer::new(adam(), 3));
        let (mut a, mut b) = ([0.3, 0.1, -0.7], [0.3, 0.1, -0.7]);
        for step in 0..50 {
            let gradient = [0.1 * step as f32, -0.3, 1.0 / (1.0 + step as f32)];
            with.step(&mut a, &gradient, 0.01, Some(&quadratic), &[0..3]);
            without.step(&mut b, &gradient, 0.01, None, &[0..3]);
        }
        assert_eq!(a.map(f32::to_bits), b.map(f32::to_bits));
    }

    #[test]
    fn the_proximal_step_minimises_its_objective() {
        let quadratic = Quadratic::new(3.0, vec![0.7], vec![-1.0]);
        let mut optimizer = Optimizer::new(adam(), 1);
        let (mut own, mut params) = ([0.5], [0.5]);
        optimizer.clone().step(&mut own, &[0.2], 0.1, None, &[0..1]);
        optimizer.step(&mut params, &[0.2], 0.1, Some(&quadratic), &[0..1]);
        let eta = f64::from(optimizer.step_size(0.1, 0));
        let objective = |theta: f64| {
            (theta - f64::from(own[0])).powi(2) / (2.0 * eta) + f64::from(quadratic.value(&[theta as f32]))
        };
        let at = f64::from(params[0]);
        assert!(objective(at) < objective(at + 0.01) && objective(at) < objective(at - 0.01));
    }

    /// P9. Fails if the penalty's strength is normalised away by Adam.
    #[test]
    fn p9_a_stronger_penalty_ends_nearer_to_the_anchor() {
        let distance = |lambda| {
            let quadratic = Quadratic::new(lambda, vec![1.0], vec![0.0]);
            let mut optimizer = Optimizer::new(adam(), 1);
            let mut params = [0.0];
            for _ in 0..500 {
                let gradient = [params[0] - 1.0];
                optimizer.step(&mut params, &gradient, 0.01, Some(&quadratic), &[0..1]);
            }
            params[0]
        };
        assert!(distance(1.0) > 3.0 * distance(1000.0), "{} {}", distance(1.0), distance(1000.0));
    }

    #[test]
    fn parameters_outside_the_ranges_keep_their_values_and_moments() {
        let mut optimizer = Optimizer::new(adam(), 3);
        let mut params = [1.0, 2.0, 3.0];
        optimizer.step(&mut params, &[1.0; 3], 0.1, None, &[0..1, 2..3]);
        assert_eq!(params[1], 2.0);
        assert_eq!((optimizer.mean[1], optimizer.square[1]), (0.0, 0.0));
        assert!(params[0] < 1.0 && params[2] < 3.0);
    }
}
