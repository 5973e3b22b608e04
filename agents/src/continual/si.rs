//! Synaptic intelligence (Zenke et al. 2017): a parameter's importance is what it contributed to the fall of the loss on
//! its way. In each update `w_i = w_i - g_i (theta_i' - theta_i)`, `g` the gradient of the task's loss alone and `theta'`
//! the parameters after the whole update, penalty included. At a task's end
//! `Omega_i = max(0, Omega_i + w_i / ((theta_i - theta_start,i)^2 + damping))`, `w = 0`, and the penalty is
//! `lambda/2 sum_i Omega_i (theta_i - theta*_i)^2` around the latest parameters.

use super::{
    Beginning, Begun, Consolidation, FinishedTask, Method, MethodState, SynapticStrength, quadratic::Quadratic,
};
use crate::{AgentError, learning::Learning, network::QNetwork};

/// Where in the state's vectors what lies.
const PATH: usize = 0;
const START: usize = 1;

/// The path of learning as importance.
pub(super) struct SynapticIntelligence {
    strength: SynapticStrength,
    /// Vectors: `w`, and the parameters at the phase's start.
    state: MethodState,
    /// The task's gradient and the parameters before the update.
    gradient: Vec<f32>,
    before: Vec<f32>,
}

impl SynapticIntelligence {
    pub fn new(strength: SynapticStrength, network: &dyn QNetwork) -> Self {
        let params = network.params();
        let vectors = vec![vec![0.0; params.len()], params.to_vec()];
        let (gradient, before) = Default::default();
        Self { strength, state: MethodState { vectors, ..MethodState::default() }, gradient, before }
    }
}

impl Method for SynapticIntelligence {
    fn state(&self) -> &MethodState {
        &self.state
    }

    fn set_state(&mut self, state: MethodState) {
        self.state = state.with_lambda(self.strength.lambda);
    }

    fn begin(&mut self, phase: Beginning<'_>) -> Result<Begun, AgentError> {
        self.state.vectors[PATH].fill(0.0);
        self.state.vectors[START].copy_from_slice(phase.network.params());
        Ok(Begun::Unchanged)
    }

    fn shape_gradient(&mut self, learning: &mut Learning<'_>) -> Result<(), AgentError> {
        self.gradient.clear();
        self.gradient.extend_from_slice(learning.gradient);
        self.before.clear();
        self.before.extend_from_slice(learning.online.params());
        Ok(())
    }

    fn after_update(&mut self, params: &mut [f32]) {
        let path = self.state.vectors[PATH].iter_mut().zip(&self.gradient);
        for (((w, g), before), after) in path.zip(&self.before).zip(params) {
            *w -= g * (*after - before);
        }
    }

    fn consolidate(&mut self, task: FinishedTask<'_>) -> Result<Consolidation, AgentError> {
        let anchor = task.network.params().to_vec();
        let (path, start) = (&self.state.vectors[PATH], &self.state.vectors[START]);
        let mut own = vec![0.0; anchor.len()];
        for range in task.network.layout().shared() {
            for i in range {
                own[i] = path[i] / ((anchor[i] - start[i]).powi(2) + self.strength.damping);
            }
        }
        let importance = match &self.state.quadratic {
            None => own.iter().map(|own| own.max(0.0)).collect::<Vec<f32>>(),
            Some(old) => old.importance.iter().zip(&own).map(|(old, own)| (old + own).max(0.0)).collect(),
        };
        self.state.quadratic = Some(Quadratic::new(self.strength.lambda, importance, anchor.clone()));
        let own = own.into_iter().map(|own: f32| own.max(0.0)).collect();
        Ok(Consolidation { importance: Some(own), ..Consolidation::new(anchor) })
    }
}

#[cfg(test)]
mod tests {
    use super::super::stage::Stage;
    use super::*;

    /// Plain steps on `sum_i h_i/2 (theta_i - m_i)^2` over the parameters from `from` on; gives the fall of the loss.
    fn descend(method: &mut SynapticIntelligence, stage: &mut Stage, rate: f32, steps: usize) -> f64 {
        let curvature = |i: usize| 1.0 + (i % 3) as f32;
        let minimum = |i: usize| (i as f32).cos();
        let loss = |params: &[f32]| -> f64 {
            let term = |(i, param): (usize, &f32)| 0.5 * curvature(i) * (param - minimum(i)).powi(2);
            params.iter().enumerate().map(|own| f64::from(term(own))).sum()
        };
        let before = loss(stage.online.params());
        for _ in 0..steps {
            let params = stage.online.params().to_vec();
            for (i, g) in stage.gradient.iter_mut().enumerate() {
                *g = curvature(i) * (params[i] - minimum(i));
            }
            method.shape_gradient(&mut stage.learning()).unwrap();
            // Clipping comes after the method has seen the gradient.
            stage.gradient.iter_mut().for_each(|g| *g *= 0.5);
            let Stage { online, gradient, .. } = stage;
            online.params_mut().iter_mut().zip(gradient).for_each(|(param, g)| *param -= 2.0 * rate * *g);
            method.after_update(online.params_mut());
        }
        before - loss(stage.online.params())
    }

    fn begin(method: &mut SynapticIntelligence, stage: &mut Stage) {
        let Stage { online, generator, .. } = stage;
        let beginning = Beginning { task: 0, later: true, network: online.as_mut(), generator };
        assert_eq!(method.begin(beginning).unwrap(), Begun::Unchanged);
    }

    /// Fails if the sign of the path is wrong, or if it takes the clipped gradient.
    #[test]
    fn the_path_adds_up_to_the_fall_of_the_loss() {
        let mut stage = Stage::with_heads();
        let mut method = SynapticIntelligence::new(SynapticStrength::default(), stage.online.as_ref());
        begin(&mut method, &mut stage);
        let fall = descend(&mut method, &mut stage, 1e-3, 2000);
        let path: f64 = method.state.vectors[PATH].iter().map(|w| f64::from(*w)).sum();
        assert!(fall > 1.0 && (path / fall - 1.0).abs() < 0.01, "{path} {fall}");
    }

    /// Two steps, from 1 with curvature 2 and the minimum at 0 at a rate of 0.1: to 0.8, then to 0.64.
    #[test]
    fn importance_by_hand() {
        let mut stage = Stage::with_heads();
        let strength = SynapticStrength { lambda: 3.0, damping: 0.1 };
        let mut method = SynapticIntelligence::new(strength, stage.online.as_ref());
        let shared = stage.online.layout().shared()[0].start;
        let own = stage.online.layout().len() - 1;
        let go = |method: &mut SynapticIntelligence, stage: &mut Stage, to: f32, g: f32| {
            for i in [shared, own] {
                stage.gradient[i] = g;
            }
            method.shape_gradient(&mut stage.learning()).unwrap();
            for i in [shared, own] {
                stage.online.params_mut()[i] = to;
            }
            method.after_update(stage.online.params_mut());
        };
        for i in [shared, own] {
            stage.online.params_mut()[i] = 1.0;
        }
        begin(&mut method, &mut stage);
        go(&mut method, &mut stage, 0.8, 2.0);
        go(&mut method, &mut stage, 0.64, 1.6);
        let close = |value: f32, expected: f32| assert!((value / expected - 1.0).abs() < 1e-5, "{value} {expected}");
        close(method.state.vectors[PATH][shared], 2.0 * 0.2 + 1.6 * 0.16);
        let consolidation = method.consolidate(stage.finished()).unwrap();
        let first = 0.656 / (0.36 * 0.36 + 0.1);
        close(consolidation.importance.unwrap()[shared], first);
        let quadratic = method.quadratic().unwrap();
        close(quadratic.importance[shared], first);
        assert_eq!((quadratic.importance[own], quadratic.lambda), (0.0, 3.0), "what a task owns is free");
        assert_eq!(quadratic.centre, stage.online.params());

        // A path that raised the loss takes importance away: -2 * 0.1 / (0.1^2 + 0.1); and never below 0.
        begin(&mut method, &mut stage);
        assert_eq!(method.state.vectors[PATH][shared], 0.0);
        go(&mut method, &mut stage, 0.74, 2.0);
        method.consolidate(stage.finished()).unwrap();
        close(method.quadratic().unwrap().importance[shared], first - 0.2 / 0.11);
        begin(&mut method, &mut stage);
        go(&mut method, &mut stage, 0.84, 20.0);
        method.consolidate(stage.finished()).unwrap();
        assert_eq!(method.quadratic().unwrap().importance[shared], 0.0);
    }
}
