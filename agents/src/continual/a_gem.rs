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

/// `g = g - (g . r / r . r) r` where `g . r < 0`; without a reference gradient `g` stays as it is.
fn project(gradient: &mut [f32], reference: &[f32]) {
    let dot = |a: &[f32], b: &[f32]| a.iter().zip(b).map(|(a, b)| f64::from(*a) * f64::from(*b)).sum::<f64>();
    let (along, length) = (dot(gradient, reference), dot(reference, reference));
    if along < 0.0 && length > 0.0 {
        let factor = (along / length) as f32;
        gradient.iter_mut().zip(reference).for_each(|(g, r)| *g -= factor * r);
    }
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
        // The loss on what is remembered is added to a gradient of its own.
        self.reference.clear();
        self.reference.extend_from_slice(learning.gradient);
        learning.gradient.fill(0.0);
        self.rehearsal.each_task(learning, |learning, batch, _, task| learning.add_td(batch, task, 1.0).map(drop))?;
        self.reference.swap_with_slice(learning.gradient);
        project(learning.gradient, &self.reference);
        Ok(())
    }

    fn consolidate(&mut self, mut task: FinishedTask<'_>) -> Result<Consolidation, AgentError> {
        self.rehearsal.remember(&mut task)?;
        Ok(Consolidation::new(task.network.params().to_vec()))
    }
}

#[cfg(test)]
mod tests {
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

    /// P21. Fails if the length of the reference gradient is divided by where it is 0.
    #[test]
    fn p21_without_a_reference_the_gradient_stays() {
        let mut gradient = [1.0, -2.0];
        project(&mut gradient, &[0.0, 0.0]);
        assert_eq!(gradient, [1.0, -2.0]);
    }
}
