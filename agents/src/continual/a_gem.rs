//! Averaged gradient episodic memory (Chaudhry et al. 2019): with `g` the task's gradient and `r` that of the loss on
//! remembered transitions, an update that would raise the latter is projected onto those that do not:
//! `g = g - (g . r / r . r) r` where `g . r < 0`, over all parameters at once.

use super::{Consolidation, FinishedTask, MemoryConfig, Method, MethodState, rehearsal::Rehearsal};
use crate::{AgentError, learning::Learning};

/// The projected gradient.
pub(super) struct AGem {
    rehearsal: Rehearsal,
    reference: Vec<f32>,
}

impl AGem {
    pub fn new(memory: MemoryConfig) -> Self {
        Self { rehearsal: Rehearsal::new(memory, false), reference: Vec::new() }
    }
}

/// `g = g - (g . r / r . r) r` where `g . r < 0`; without a reference gradient `g` stays as it is. Says whether it changed.
fn project(gradient: &mut [f32], reference: &[f32]) -> bool {
    let dot = |a: &[f32], b: &[f32]| a.iter().zip(b).map(|(a, b)| f64::from(*a) * f64::from(*b)).sum::<f64>();
    let (along, length) = (dot(gradient, reference), dot(reference, reference));
    // Then `r` is not 0, either.
    let against = along < 0.0;
    if against {
        let factor = (along / length) as f32;
        gradient.iter_mut().zip(reference).for_each(|(g, r)| *g -= factor * r);
    }
    against
}

impl Method for AGem {
    fn state(&self) -> &MethodState {
        &self.rehearsal.state
    }

    fn set_state(&mut self, state: MethodState) {
        self.rehearsal.state = state;
    }

    fn shape_gradient(&mut self, learning: &mut Learning<'_>) -> Result<(), AgentError> {
        if self.rehearsal.state.memory.as_ref().is_none_or(super::Memory::is_empty) {
            return Ok(());
        }
        let own = learning.trained.len();
        // The loss on what is remembered is added to a gradient of its own.
        self.reference.clear();
        self.reference.extend_from_slice(learning.gradient);
        learning.gradient.fill(0.0);
        self.rehearsal.each_task(learning, |learning, batch, _, task| learning.add_td(batch, task, 1.0).map(drop))?;
        self.reference.swap_with_slice(learning.gradient);
        if !project(learning.gradient, &self.reference) {
            // What the old tasks own has no gradient, and must not move by the optimizer's moments alone.
            learning.trained.truncate(own);
        }
        Ok(())
    }

    fn consolidate(&mut self, task: FinishedTask<'_>) -> Result<Consolidation, AgentError> {
        self.rehearsal.consolidate(task)
    }
}

#[cfg(test)]
mod tests {
    use super::super::stage::Stage;
    use super::*;

    #[test]
    fn projection_by_hand() {
        let projected = |g: [f32; 2], r: [f32; 2]| {
            let mut gradient = g;
            project(&mut gradient, &r);
            gradient
        };
        assert_eq!(projected([1.0, -2.0], [0.0, 1.0]), [1.0, 0.0], "what would raise the old loss is gone");
        assert_eq!(projected([1.0, 2.0], [0.0, 1.0]), [1.0, 2.0], "what lowers it stays");
        assert_eq!(projected([3.0, -1.0], [-1.0, 1.0]), [1.0, 1.0], "g.r = -4, r.r = 2");
    }

    /// P22. Fails with `along <= 0.0`: the length of the reference gradient is divided by where it is 0.
    #[test]
    fn p22_without_a_reference_the_gradient_stays() {
        let mut gradient = [1.0, -2.0];
        project(&mut gradient, &[0.0, 0.0]);
        assert_eq!(gradient, [1.0, -2.0]);
    }

    /// Fails if the projection is left out, or made where the gradients agree, or if what the old task owns is trained
    /// without it.
    #[test]
    fn an_update_never_raises_the_old_loss_and_one_that_does_not_is_left_alone() {
        let dot = |a: &[f32], b: &[f32]| a.iter().zip(b).map(|(a, b)| f64::from(*a) * f64::from(*b)).sum::<f64>();
        for sign in [1.0, -1.0] {
            let mut stage = Stage::with_heads();
            let mut method = AGem::new(MemoryConfig { transitions: 10 });
            method.shape_gradient(&mut stage.learning()).unwrap();
            assert!(stage.gradient.iter().all(|g| *g == 0.0), "nothing is remembered yet");
            method.consolidate(stage.finished()).unwrap();
            let (batch, _) = stage.drawn(&method);
            stage.learning().add_td(&batch, 0, 1.0).unwrap();
            let reference = stage.gradient.clone();
            stage.trained.clear();
            for (i, g) in stage.gradient.iter_mut().enumerate() {
                *g = sign * *g + (i as f32).sin() * 0.01;
            }
            let own = stage.gradient.clone();
            assert!(f64::from(sign) * dot(&own, &reference) > 0.0);
            method.shape_gradient(&mut stage.learning()).unwrap();
            if sign > 0.0 {
                assert_eq!(stage.gradient, own);
                assert!(stage.trained.is_empty());
            } else {
                let along = dot(&stage.gradient, &reference) / dot(&reference, &reference);
                assert!(along.abs() < 1e-6, "{along}");
                assert_eq!(stage.trained, [0]);
            }
        }
    }
}
