//! What decides an agent's future apart from its config, so that a run can leave off anywhere and go on exactly.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use super::{Dqn, PhaseState, update::Window};
use crate::{AgentError, continual::MethodState, optimizer::OptimizerState, replay::BuffersState};

/// What [`Dqn::save`] gives and [`Dqn::load`] takes. To be written it is borrowed from the agent, so that a large replay
/// buffer is not copied; what was read owns its parts.
#[derive(Debug, Serialize, Deserialize)]
pub struct DqnState<'a> {
    /// The hash of the layout of the network's parameters.
    layout: u64,
    online: Cow<'a, [f32]>,
    target: Cow<'a, [f32]>,
    optimizer: OptimizerState<'a>,
    method: Cow<'a, MethodState>,
    phase: Option<PhaseState>,
    steps_on_task: Vec<u64>,
    epsilon_steps: Vec<Option<u64>>,
    updates: u64,
    target_copies: u64,
    target_age: u64,
    window: Window,
    #[serde(borrow)]
    replay: BuffersState<'a>,
}

impl Dqn {
    /// Everything that decides what the agent does from here on, apart from its config.
    pub fn save(&self) -> DqnState<'_> {
        DqnState {
            layout: self.online.layout().hash(),
            online: self.online.params().into(),
            target: self.target.params().into(),
            optimizer: self.optimizer.save(),
            method: Cow::Borrowed(self.method.state()),
            phase: self.phase.clone(),
            steps_on_task: self.steps_on_task.clone(),
            epsilon_steps: self.epsilon_steps.clone(),
            updates: self.updates,
            target_copies: self.target_copies,
            target_age: self.target_age,
            window: self.window.clone(),
            replay: self.replay.save(),
        }
    }

    /// Goes back to what [`Dqn::save`] gave for an agent of the same shape. After an error the agent is of no use.
    pub fn load(&mut self, state: DqnState<'_>) -> Result<(), AgentError> {
        let params = self.online.layout().len();
        let tasks = self.tasks.actions.len();
        let task_of_phase = state.phase.as_ref().map_or(0, |phase| phase.task);
        for (what, saved, own) in [
            ("parameters", state.online.len(), params),
            ("parameters of the target network", state.target.len(), params),
            ("step counts by task", state.steps_on_task.len(), tasks),
            ("exploration schedules", state.epsilon_steps.len(), tasks),
        ] {
            AgentError::unless_equal(what, saved, own)?;
        }
        if state.layout != self.online.layout().hash() {
            return Err(AgentError::State("its network has other layers".into()));
        }
        if task_of_phase >= tasks {
            return Err(AgentError::State(format!("it is in task {task_of_phase}, and there are {tasks}")));
        }
        state.method.check(self.method.state(), params, &self.tasks)?;
        self.optimizer.load(&state.optimizer)?;
        self.replay.load(&state.replay, &self.tasks.actions)?;
        self.online.params_mut().copy_from_slice(&state.online);
        self.target.params_mut().copy_from_slice(&state.target);
        self.method.set_state(state.method.into_owned());
        self.phase = state.phase;
        self.steps_on_task = state.steps_on_task;
        self.epsilon_steps = state.epsilon_steps;
        self.updates = state.updates;
        self.target_copies = state.target_copies;
        self.target_age = state.target_age;
        self.window = state.window;
        Ok(())
    }
}
