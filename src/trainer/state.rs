//! What a checkpoint holds of a run, and how a run goes back to it.

use engram_agents::dqn::DqnState;
use serde::{Deserialize, Serialize};

use super::Trainer;
use crate::{
    curriculum::Player,
    error::TrainError,
    evaluate::EvaluatorState,
    position::{Position, Stage},
};

/// What [`Trainer::save`] gives: everything that decides a run's future, apart from its config.
#[derive(Debug, Serialize, Deserialize)]
pub struct TrainerState<'a> {
    /// Where the run stands.
    pub position: Position,
    player: Option<Vec<u8>>,
    evaluator: EvaluatorState,
    #[serde(borrow)]
    agent: DqnState<'a>,
}

impl Trainer<'_> {
    /// Everything that decides what the run does from here on, apart from its config.
    pub fn save(&mut self) -> Result<TrainerState<'_>, TrainError> {
        let player = self.player.as_mut().map(Player::save).transpose()?.flatten();
        let evaluator = self.evaluator.save()?;
        Ok(TrainerState { position: self.position.clone(), player, evaluator, agent: self.agent.save() })
    }

    /// Goes back to what [`Trainer::save`] gave for the same config, or for one whose phases not yet ended are longer.
    /// After an error the trainer is of no use.
    pub fn load(&mut self, state: TrainerState<'_>) -> Result<(), TrainError> {
        let TrainerState { position, player, evaluator, agent } = state;
        position.check(&self.curriculum)?;
        self.agent.load(agent)?;
        self.evaluator.load(&evaluator)?;
        if let (Stage::Play(playing), Some(phase)) = (&position.stage, self.curriculum.phases.get(position.phase)) {
            let mut own = self.curriculum.tasks[phase.task].make()?;
            match player {
                Some(state) => own.load(&state)?,
                None if playing.chance.is_none() => {}
                None => return Err(TrainError::Misfit("it is in an episode of an environment without a state".into())),
            }
            self.player = Some(own);
        }
        self.position = position;
        Ok(())
    }
}
