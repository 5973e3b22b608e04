//! Optimizers as loops over the flat vector: the task's own step, then the proximal step of the penalty.

mod config;
mod rule;

pub use config::{OptimizerConfig, OptimizerKind};

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use crate::{
    AgentError,
    continual::quadratic::Quadratic,
    kernels::vectorized,
    params::{Layout, Owner, Part},
};
use rule::{Penalty, Rule};

/// An optimizer.
#[derive(Debug, Clone, PartialEq)]
pub struct Optimizer {
    config: OptimizerConfig,
    /// Mean of gradients.
    mean: Vec<f32>,
    /// Mean of squared gradients.
    square: Vec<f32>,
    clocks: Vec<Clock>,
}

/// The parameters of one owner and the steps they have taken since their moments were zero. What a task owns rests while
/// others are trained, so that one count for all would correct its moments for steps that it never took.
#[derive(Debug, Clone, PartialEq)]
struct Clock {
    part: Part,
    steps: i32,
}

/// What an optimizer has gathered: moments, and the steps of each owner.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct OptimizerState<'a> {
    mean: Cow<'a, [f32]>,
    square: Cow<'a, [f32]>,
    steps: Vec<i32>,
}

/// The smallest denominator that the proximal step's size is taken over, so that it stays finite where no gradient
/// has been seen.
const SMALLEST_DENOMINATOR: f32 = 1e-4;

impl Optimizer {
    /// An optimizer of the parameters in `layout` that has seen no gradient yet.
    pub fn new(config: OptimizerConfig, layout: &Layout) -> Self {
        let clocks = layout.parts().into_iter().map(|part| Clock { part, steps: 0 }).collect();
        Self { config, mean: vec![0.0; layout.len()], square: vec![0.0; layout.len()], clocks }
    }

    /// Forgets all gradients.
    pub fn reset(&mut self) {
        self.mean.fill(0.0);
        self.square.fill(0.0);
        self.clocks.iter_mut().for_each(|clock| clock.steps = 0);
    }

    /// Everything that decides its future steps, apart from its config.
    pub fn save(&self) -> OptimizerState<'_> {
        let steps = self.clocks.iter().map(|clock| clock.steps).collect();
        OptimizerState { mean: self.mean.as_slice().into(), square: self.square.as_slice().into(), steps }
    }

    /// Goes back to what [`Optimizer::save`] gave for the same layout.
    pub fn load(&mut self, state: &OptimizerState<'_>) -> Result<(), AgentError> {
        AgentError::unless_equal("means of gradients", state.mean.len(), self.mean.len())?;
        AgentError::unless_equal("means of squared gradients", state.square.len(), self.square.len())?;
        AgentError::unless_equal("step counts of the optimizer", state.steps.len(), self.clocks.len())?;
        self.mean.copy_from_slice(&state.mean);
        self.square.copy_from_slice(&state.square);
        self.clocks.iter_mut().zip(&state.steps).for_each(|(clock, steps)| clock.steps = *steps);
        Ok(())
    }

    /// Moves the shared parameters and those of `tasks` by one step, and only those; moments and step counts of the
    /// others stay.
    ///
    /// First the optimizer's own step on the gradient `g` of the task's loss. With `t` the steps that a parameter has
    /// taken since its moments were zero, this one included, Adam has
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
        tasks: &[usize],
    ) {
        for Clock { part: Part { range, owner }, steps } in &mut self.clocks {
            if matches!(owner, Owner::Task(task) if !tasks.contains(task)) {
                continue;
            }
            *steps += 1;
            let rule = Rule::new(&self.config, rate, *steps);
            let params = &mut params[range.clone()];
            let (g, m) = (&gradient[range.clone()], &mut self.mean[range.clone()]);
            let v = &mut self.square[range.clone()];
            let penalty = quadratic.map(|quadratic| Penalty {
                rate,
                lambda: quadratic.lambda,
                importance: &quadratic.importance[range.clone()],
                centre: &quadratic.centre[range.clone()],
            });
            // Each combination is a loop of its own, without a branch inside.
            vectorized(|| match (self.config.kind, self.config.centred, penalty) {
                (OptimizerKind::Adam, _, None) => rule.step::<true, false>(params, g, m, v),
                (OptimizerKind::Rmsprop, false, None) => rule.step::<false, false>(params, g, m, v),
                (OptimizerKind::Rmsprop, true, None) => rule.step::<false, true>(params, g, m, v),
                (OptimizerKind::Adam, _, Some(own)) => rule.proximal_step::<true, false>(params, g, m, v, own),
                (OptimizerKind::Rmsprop, false, Some(own)) => rule.proximal_step::<false, false>(params, g, m, v, own),
                (OptimizerKind::Rmsprop, true, Some(own)) => rule.proximal_step::<false, true>(params, g, m, v, own),
            });
        }
    }

    /// The greatest stiffness `eta_i lambda A_i` of a penalty on the shared parameters, with `eta` as the last step left
    /// it: an explicit step overshoots above 1 and diverges above 2.
    pub fn stiffness(&self, rate: f32, quadratic: &Quadratic) -> f32 {
        let mut greatest = 0.0_f32;
        for Clock { part, steps } in self.clocks.iter().filter(|clock| clock.part.owner == Owner::Shared) {
            let rule = Rule::new(&self.config, rate, (*steps).max(1));
            let centred = self.config.kind == OptimizerKind::Rmsprop && self.config.centred;
            for i in part.range.clone() {
                let (m, v) = (self.mean[i], self.square[i]);
                let root = if centred { rule.root::<true>(m, v) } else { rule.root::<false>(m, v) };
                let eta = rate / root.max(SMALLEST_DENOMINATOR);
                greatest = greatest.max(eta * quadratic.lambda * quadratic.importance[i]);
            }
        }
        greatest
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// An optimizer of `len` shared parameters.
    fn optimizer(config: OptimizerConfig, len: usize) -> Optimizer {
        let mut layout = Layout::default();
        layout.push("weights", &[len], Owner::Shared);
        Optimizer::new(config, &layout)
    }

    fn adam() -> OptimizerConfig {
        OptimizerConfig { learning_rate: 0.1, ..OptimizerConfig::default() }
    }

    #[test]
    fn adam_by_hand() {
        let mut optimizer = optimizer(adam(), 1);
        let mut params = [1.0];
        optimizer.step(&mut params, &[2.0], 0.1, None, &[]);
        assert!((params[0] - 0.9).abs() < 1e-6, "the first step is the rate times the gradient's sign");
        optimizer.step(&mut params, &[-1.0], 0.1, None, &[]);
        // m = .9 * .2 - .1 = .08, corrected .08 / .19; v = .999 * .004 + .001 = .004996, corrected / .001999.
        let expected = 0.9 - 0.1 * (0.08 / 0.19) / (0.004_996_f64 / 0.001_999).sqrt();
        assert!((f64::from(params[0]) - expected).abs() < 1e-5, "{params:?} {expected}");
    }

    #[test]
    fn rmsprop_by_hand_in_its_three_forms() {
        let config = |centred, inside| OptimizerConfig {
            kind: OptimizerKind::Rmsprop,
            decay: 0.9,
            epsilon: Some(0.01),
            centred,
            epsilon_inside_root: Some(inside),
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
            optimizer(config(centred, inside), 1).step(&mut params, &[2.0], 0.1, None, &[]);
            assert!((1.0 - f64::from(params[0]) - step).abs() < 1e-6, "{centred} {inside}");
        }
    }

    #[test]
    fn a_constant_gradient_does_not_break_centred_rmsprop() {
        let config = OptimizerConfig { kind: OptimizerKind::Rmsprop, epsilon: Some(1e-8), ..adam() };
        let mut optimizer = optimizer(config, 1);
        let mut params = [0.0];
        for _ in 0..2000 {
            optimizer.step(&mut params, &[1.0], 1e-6, None, &[]);
        }
        assert!(params[0].is_finite());
    }

    /// P10. Fails with a decay of weights inside the optimizer, as `AdamW` has by default.
    #[test]
    fn p10_no_gradient_no_movement() {
        for kind in [OptimizerKind::Adam, OptimizerKind::Rmsprop] {
            let mut optimizer = optimizer(OptimizerConfig { kind, ..adam() }, 2);
            let mut params = [1.25, -3.5];
            for _ in 0..100 {
                optimizer.step(&mut params, &[0.0, 0.0], 0.1, None, &[]);
            }
            assert_eq!(params, [1.25, -3.5]);
        }
    }

    /// P8. Fails with an explicit step of the penalty, which diverges.
    #[test]
    fn p8_a_huge_lambda_stays_at_the_anchor() {
        for lambda in [1e9, 1e12] {
            let quadratic = Quadratic::new(lambda, vec![0.5, 0.0], vec![2.0, 2.0]);
            let mut optimizer = optimizer(adam(), 2);
            let mut params = [2.5, 2.5];
            for step in 0..100 {
                let gradient = if step % 2 == 0 { [3.0, 0.0] } else { [-1.0, 0.0] };
                optimizer.step(&mut params, &gradient, 0.1, Some(&quadratic), &[]);
                assert!((params[0] - 2.0).abs() < 1e-5, "{params:?}");
            }
            assert_eq!(params[1], 2.5, "no importance, no pull");
        }
    }

    #[test]
    fn without_importance_the_proximal_step_changes_no_bit() {
        let quadratic = Quadratic::new(7.0, vec![0.0; 3], vec![1e3, -1e3, 0.1]);
        let (mut with, mut without) = (optimizer(adam(), 3), optimizer(adam(), 3));
        let (mut a, mut b) = ([0.3, 0.1, -0.7], [0.3, 0.1, -0.7]);
        for step in 0..50 {
            let gradient = [0.1 * step as f32, -0.3, 1.0 / (1.0 + step as f32)];
            with.step(&mut a, &gradient, 0.01, Some(&quadratic), &[]);
            without.step(&mut b, &gradient, 0.01, None, &[]);
        }
        assert_eq!(a.map(f32::to_bits), b.map(f32::to_bits));
    }

    #[test]
    fn the_proximal_step_minimises_its_objective() {
        let quadratic = Quadratic::new(3.0, vec![0.7], vec![-1.0]);
        let mut optimizer = optimizer(adam(), 1);
        let (mut own, mut params) = ([0.5], [0.5]);
        optimizer.clone().step(&mut own, &[0.2], 0.1, None, &[]);
        optimizer.step(&mut params, &[0.2], 0.1, Some(&quadratic), &[]);
        let eta = f64::from(optimizer.stiffness(0.1, &quadratic)) / (3.0 * 0.7);
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
            let mut optimizer = optimizer(adam(), 1);
            let mut params = [0.0];
            for _ in 0..500 {
                let gradient = [params[0] - 1.0];
                optimizer.step(&mut params, &gradient, 0.01, Some(&quadratic), &[]);
            }
            params[0]
        };
        assert!(distance(1.0) > 3.0 * distance(1000.0), "{} {}", distance(1.0), distance(1000.0));
    }

    fn two_heads() -> Layout {
        let mut layout = Layout::default();
        layout.push("body", &[1], Owner::Shared);
        layout.push("task0", &[1], Owner::Task(0));
        layout.push("task1", &[1], Owner::Task(1));
        layout
    }

    #[test]
    fn what_another_task_owns_keeps_its_values_and_moments() {
        let mut optimizer = Optimizer::new(adam(), &two_heads());
        let mut params = [1.0, 2.0, 3.0];
        optimizer.step(&mut params, &[1.0; 3], 0.1, None, &[1]);
        assert_eq!(params[1], 2.0);
        assert_eq!((optimizer.mean[1], optimizer.square[1]), (0.0, 0.0));
        assert!(params[0] < 1.0 && params[2] < 3.0);
    }

    /// Adam's first step is the rate times the gradient's sign, also for a head that waited a hundred steps for it.
    #[test]
    fn a_head_that_waited_is_corrected_for_its_own_steps() {
        let mut optimizer = Optimizer::new(adam(), &two_heads());
        let mut params = [0.0; 3];
        for _ in 0..100 {
            optimizer.step(&mut params, &[0.2, 0.2, 0.0], 0.1, None, &[0]);
        }
        optimizer.step(&mut params, &[0.2; 3], 0.1, None, &[1]);
        assert!((params[2] + 0.1).abs() < 1e-6, "{params:?}");
        optimizer.reset();
        params = [0.0; 3];
        optimizer.step(&mut params, &[0.2; 3], 0.1, None, &[0, 1]);
        assert!(params.iter().all(|param| (param + 0.1).abs() < 1e-6), "{params:?}");
    }
}
