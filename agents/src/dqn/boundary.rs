//! Where one phase ends and the next begins: resets, the method's own work, and the consolidation.

use rand_pcg::Pcg64;

use super::{Dqn, Phase, PhaseState};
use crate::{
    AgentError,
    continual::{Beginning, Begun, Consolidation, FinishedTask, Method},
    dead_units,
};

/// Replayed states on which a unit must be silent to be called dead.
const DEAD_UNIT_STATES: usize = 1024;

impl Dqn {
    /// Begins a phase. Between two phases the boundary's resets take place here, after the consolidation.
    pub fn begin(&mut self, phase: Phase) -> Result<(), AgentError> {
        let Phase { task, joint, steps, explore, replay, mut method } = phase;
        let later = self.phase.is_some();
        let network = self.online.as_mut();
        let begun = self.method.begin(Beginning { task, later, network, generator: &mut method })?;
        let changed = begun != Begun::Unchanged;
        if later {
            // The new phase starts an episode of its own, wherever the old one was.
            self.replay.end_episodes();
            if self.boundary.reset_replay {
                self.replay.clear_shared();
            }
            if self.boundary.reset_optimizer || changed {
                self.optimizer.reset();
            }
            if self.boundary.sync_target || changed {
                self.copy_target();
            }
        }
        let tasks = self.tasks.actions.len();
        for task in if joint { 0..tasks } else { task..task + 1 } {
            let own_steps = if joint { steps / tasks as u64 } else { steps };
            if begun == Begun::Redrawn {
                self.steps_on_task[task] = 0;
            }
            self.epsilon_steps[task].get_or_insert(self.config.epsilon.decay_steps(own_steps));
        }
        let (step, updates, copies, compressing) = (0, 0, 0, None);
        self.phase =
            Some(PhaseState { task, joint, steps, step, updates, copies, compressing, explore, replay, method });
        Ok(())
    }

    /// Refuses parameters that are not finite. The loss of each update shows those of the update before it, so only the
    /// last one of a phase is left to look at.
    fn check_finite(&self) -> Result<(), AgentError> {
        match self.online.params().iter().find(|param| !param.is_finite()) {
            None => Ok(()),
            Some(value) => Err(AgentError::Diverged { quantity: "a parameter", value: *value, updates: self.updates }),
        }
    }

    /// What the method works on before the consolidation: one update of it; false once there is nothing left.
    pub fn compress(&mut self) -> Result<bool, AgentError> {
        let Some(phase) = &mut self.phase else { return Ok(false) };
        if phase.joint {
            return Ok(false);
        }
        let task = phase.task;
        if let Some(left) = phase.compressing {
            if left == 0 {
                return Ok(false);
            }
            phase.compressing = Some(left - 1);
            self.compress_update()?;
            if left == 1 {
                self.optimizer.reset();
            }
            return Ok(true);
        }
        let mut generator = phase.method.clone();
        let updates = match self.finished(&mut generator) {
            Some((method, finished)) => method.prepare(finished)?,
            None => 0,
        };
        if updates > 0 {
            if self.replay(task).is_none_or(|replay| !replay.holds(task)) {
                return Err(AgentError::EmptyReplay { task });
            }
            self.optimizer.reset();
        }
        if let Some(phase) = &mut self.phase {
            (phase.compressing, phase.method) = (Some(updates), generator);
        }
        Ok(updates > 0)
    }

    /// The method, and the task of the phase that has just ended.
    fn finished<'a>(&'a mut self, generator: &'a mut Pcg64) -> Option<(&'a mut dyn Method, FinishedTask<'a>)> {
        let task = self.phase.as_ref()?.task;
        let finished = FinishedTask {
            task,
            actions: self.tasks.actions[task],
            steps: self.steps_on_task[task],
            tasks: &self.tasks,
            network: self.online.as_mut(),
            replay: self.replay.of(task)?,
            generator,
        };
        Some((self.method.as_mut(), finished))
    }

    /// Hands the task of the phase that has just ended to the method, after what is left of [`Dqn::compress`], and looks
    /// for dead units. A joint phase leaves no task behind.
    pub fn consolidate(&mut self, generator: &mut Pcg64) -> Result<Option<Consolidation>, AgentError> {
        self.check_finite()?;
        while self.compress()? {}
        self.check_finite()?;
        let Some(PhaseState { task, joint: false, .. }) = self.phase else { return Ok(None) };
        let Some(replay) = self.replay.of(task) else { return Err(AgentError::EmptyReplay { task }) };
        let fired = dead_units::fired(self.online.as_mut(), replay, task, DEAD_UNIT_STATES, generator)?;
        let Some((method, finished)) = self.finished(generator) else { return Ok(None) };
        let consolidation = method.consolidate(finished)?;
        let dead = dead_units::count(self.online.architecture().hidden(), &fired);
        Ok(Some(Consolidation { fired, dead, ..consolidation }))
    }
}
