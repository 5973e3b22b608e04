//! What a checkpoint holds of a run, and how a run goes back to it.

use engram_agents::dqn::DqnState;
use engram_envs::EnvError;
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
    /// The environments of the phase that is played, by task.
    players: Vec<Option<Vec<u8>>>,
    evaluator: EvaluatorState,
    #[serde(borrow)]
    agent: DqnState<'a>,
}

impl Trainer<'_> {
    /// Everything that decides what the run does from here on, apart from its config.
    pub fn save(&mut self) -> Result<TrainerState<'_>, TrainError> {
        let save = |player: &mut Option<Player>| Ok(player.as_mut().map(Player::save).transpose()?.flatten());
        let players = self.players.iter_mut().map(save).collect::<Result<_, EnvError>>()?;
        let evaluator = self.evaluator.save()?;
        Ok(TrainerState { position: self.position.clone(), players, evaluator, agent: self.agent.save() })
    }

    /// Goes back to what [`Trainer::save`] gave for the same config, or for one whose phases not yet ended are longer.
    /// After an error the trainer is of no use.
    pub fn load(&mut self, state: TrainerState<'_>) -> Result<(), TrainError> {
        let TrainerState { position, players, evaluator, agent } = state;
        position.check(&self.curriculum)?;
        self.agent.load(agent)?;
        self.evaluator.load(&evaluator)?;
        self.players = self.curriculum.tasks.iter().map(|_| None).collect();
        if let Stage::Play(playing) = &position.stage {
            if players.len() != self.players.len() {
                return Err(TrainError::Misfit(format!("it has environments of {} tasks", players.len())));
            }
            if playing.chance.is_some() && players[playing.episode.task].is_none() {
                return Err(TrainError::Misfit("it is in an episode of an environment without a state".into()));
            }
            for ((own, task), state) in self.players.iter_mut().zip(&self.curriculum.tasks).zip(players) {
                if let Some(state) = state {
                    own.insert(task.make()?).load(&state)?;
                }
            }
        }
        self.position = position;
        Ok(())
    }
}
