//! The training loop: the curriculum's phases one after the other, each followed by its consolidation and by one row of
//! the performance matrix.

use std::time::Instant;

use engram_agents::{
    dqn::{self, Dqn},
    replay::Transition,
};
use engram_envs::{End, Registry};

pub use self::state::TrainerState;
use crate::{
    config::Config,
    curriculum::{self, Curriculum, Player},
    error::TrainError,
    evaluate::Evaluator,
    event::{self, Episode, Event, Score},
    metrics::{Metrics, PerformanceMatrix, Trained},
    position::{Alarm, Playing, Position, Stage},
    seeds,
    sink::Sink,
    stop::{Due, Stop},
};

mod state;
mod warnings;

/// How training ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ending {
    /// The curriculum was played to its end.
    Finished,
    /// The moment that it was to go on to has come.
    Paused,
    /// A signal of this number asked it to stop.
    Stopped(usize),
}

/// A run in progress. It can leave off at any step and go on exactly, also in another process: see [`Trainer::save`].
pub struct Trainer<'a> {
    config: &'a Config,
    curriculum: Curriculum,
    agent: Dqn,
    evaluator: Evaluator,
    /// The environments of the phase that is played, by task.
    players: Vec<Option<Player>>,
    position: Position,
}

/// Steps between two [`Event::Stepped`].
const STEPPED_PERIOD: u64 = 100;

impl<'a> Trainer<'a> {
    /// Prepares a run of a validated and resolved config. Nothing is written yet.
    pub fn new(config: &'a Config, registry: &Registry) -> Result<Self, TrainError> {
        let curriculum = Curriculum::new(config, registry)?;
        let mut init = seeds::stream(config.seed, "init", 0, 0);
        let agent =
            Dqn::new(&config.agent, config.boundary, &config.method, curriculum.set.clone(), config.device, &mut init)?;
        let evaluator = Evaluator::new(&curriculum, config.seed, config.evaluation)?;
        let players = curriculum.tasks.iter().map(|_| None).collect();
        Ok(Self { config, curriculum, agent, evaluator, players, position: Position::default() })
    }

    /// The agent as it is.
    pub fn agent(&self) -> &Dqn {
        &self.agent
    }

    /// Begins with these parameters in place of the drawn ones, before the run has begun.
    pub fn begin_from(&mut self, params: &[f32]) -> Result<(), TrainError> {
        Ok(self.agent.begin_from(params)?)
    }

    /// The agent, once there is nothing more to train.
    pub fn into_agent(self) -> Dqn {
        self.agent
    }

    /// The curriculum that is played.
    pub fn curriculum(&self) -> &Curriculum {
        &self.curriculum
    }

    /// Where the run stands.
    pub fn position(&self) -> &Position {
        &self.position
    }

    /// Environment steps so far.
    pub fn step(&self) -> u64 {
        self.position.step
    }

    /// The performance matrix so far.
    pub fn matrix(&self) -> &PerformanceMatrix {
        &self.position.matrix
    }

    /// Plays the whole curriculum, or as much of it as `stop` allows.
    pub fn run(&mut self, sinks: &mut dyn Sink, stop: &Stop) -> Result<Ending, TrainError> {
        self.run_until(Due::Never, sinks, stop)
    }

    /// Goes on from where the run stands, until the moment that is `due` at the latest.
    pub fn run_until(&mut self, due: Due, sinks: &mut dyn Sink, stop: &Stop) -> Result<Ending, TrainError> {
        match self.go_on(due, sinks, stop) {
            Ok(()) => Ok(Ending::Finished),
            Err(TrainError::Paused) => Ok(Ending::Paused),
            Err(TrainError::Stopped(signal)) => Ok(Ending::Stopped(signal)),
            Err(error) => Err(error),
        }
    }

    /// Stage after stage. One that leaves off early has either not begun, or stands at a step of its phase.
    fn go_on(&mut self, due: Due, sinks: &mut dyn Sink, stop: &Stop) -> Result<(), TrainError> {
        loop {
            match &self.position.stage {
                Stage::Boundary => {
                    due.heed_boundary(self.position.phase)?;
                    self.evaluate_boundary(sinks, stop)?;
                    self.begin(sinks)?;
                }
                Stage::Play(playing) => {
                    let mut playing = playing.clone();
                    let mut players = std::mem::take(&mut self.players);
                    let outcome = self.play(&mut playing, &mut players, due, sinks, stop);
                    (self.position.stage, self.players) = (Stage::Play(playing), players);
                    outcome?;
                    self.players.iter_mut().for_each(|player| *player = None);
                    self.position.stage = Stage::Consolidate;
                }
                Stage::Consolidate => {
                    self.end_phase(sinks, stop)?;
                    self.position.phase += 1;
                    self.position.stage = Stage::Boundary;
                }
                Stage::Finished => return Ok(()),
            }
        }
    }

    /// Tells the sinks that the run is complete, once whatever belongs to it is saved.
    pub fn finish(&self, sinks: &mut dyn Sink) -> Result<(), TrainError> {
        let Position { step, matrix, .. } = &self.position;
        sinks.record(&Event::Finished { step: *step, matrix, metrics: &Metrics::of(matrix) })?;
        Ok(sinks.flush()?)
    }

    /// Begins the next phase, if there is one.
    fn begin(&mut self, sinks: &mut dyn Sink) -> Result<(), TrainError> {
        let Position { step, phase, .. } = self.position;
        let Some(&curriculum::Phase { task, schedule_steps, .. }) = self.curriculum.phases.get(phase) else {
            self.position.stage = Stage::Finished;
            return Ok(());
        };
        let stream = |name| seeds::stream(self.config.seed, name, phase as u64, 0);
        let (first, joint) = (task.unwrap_or(0), task.is_none());
        let begun = self.agent.begin(dqn::Phase { joint, ..dqn::Phase::new(first, schedule_steps, stream) });
        begun.map_err(TrainError::at(step))?;
        let (episode, shares) = (Episode::new(phase, first, 0), vec![0; self.curriculum.tasks.len()]);
        self.position.stage = Stage::Play(Playing { played: 0, evaluated: step, episode, chance: None, shares });
        sinks.record(&Event::PhaseStarted { step, phase, task })?;
        self.position.given.clear();
        let again =
            self.curriculum.phases[..phase].iter().any(|earlier| earlier.task.is_none_or(|own| Some(own) == task));
        let name = &self.curriculum.tasks[first].env;
        let message = warnings::explores_again(&self.config.agent.epsilon, name, self.agent.epsilon());
        self.warn(message.filter(|_| again && task.is_some()).map(|message| (Alarm::ExploresAgain, message)), sinks)
    }

    /// Plays the phase: act, step, remember, learn; evaluate and report at their periods. In a joint phase each episode
    /// is of the task that has had the fewest steps.
    fn play(
        &mut self,
        playing: &mut Playing,
        players: &mut [Option<Player>],
        due: Due,
        sinks: &mut dyn Sink,
        stop: &Stop,
    ) -> Result<(), TrainError> {
        let phase = self.position.phase;
        let curriculum::Phase { task, steps, .. } = self.curriculum.phases[phase];
        let mut player = self.player(players, playing.episode.task)?;
        let mut observation = player.observation().to_vec();
        while playing.played < steps {
            self.evaluate_when_due(playing, sinks, stop)?;
            if playing.chance.is_none() {
                let mut chance = seeds::stream(self.config.seed, "env", phase as u64, playing.episode.episode);
                player.reset(&mut chance)?;
                playing.chance = Some(chance);
                observation.copy_from_slice(player.observation());
            }
            let Some(chance) = &mut playing.chance else { continue };

            let action = self.agent.act(&observation).map_err(TrainError::at(self.position.step))?;
            let outcome = player.step(action, chance)?;
            self.position.step += 1;
            playing.played += 1;
            playing.shares[playing.episode.task] += 1;
            let step = self.position.step;
            let transition = Transition {
                observation: &observation,
                action,
                reward: outcome.reward,
                discount: if outcome.end == Some(End::Terminated) { 0.0 } else { 1.0 },
                next_observation: player.observation(),
                ended: outcome.end.is_some(),
            };
            self.agent.learn(transition).map_err(TrainError::at(step))?;
            observation.copy_from_slice(player.observation());

            playing.episode.add(outcome.reward);
            if let Some(end) = outcome.end {
                sinks.record(&Event::Episode(playing.episode.ended(step, end)))?;
                let next = task.unwrap_or_else(|| playing.task_of_fewest_steps());
                playing.episode = Episode::new(phase, next, playing.episode.episode + 1);
                playing.chance = None;
                if task.is_none() {
                    self.agent.switch(next);
                    player = self.player(players, next)?;
                }
            }
            if step.is_multiple_of(STEPPED_PERIOD) {
                sinks.record(&Event::Stepped { step })?;
            }
            if step.is_multiple_of(self.config.log.period) {
                self.report_update(phase, task, sinks)?;
            }
            stop.heed()?;
            due.heed(step)?;
        }
        self.report_update(phase, task, sinks)?;
        let (updates, copies) = self.agent.updates_of_phase();
        let message = warnings::target_stays(&self.config.agent, updates, copies);
        self.warn(message.map(|message| (Alarm::TargetStays, message)), sinks)
    }

    /// Within a phase: evaluates all tasks at each multiple of the period, once, and records them at its own.
    fn evaluate_when_due(
        &mut self,
        playing: &mut Playing,
        sinks: &mut dyn Sink,
        stop: &Stop,
    ) -> Result<(), TrainError> {
        let step = self.position.step;
        if step.is_multiple_of(self.config.evaluation.period) && playing.evaluated != step {
            self.evaluate(self.position.phase, sinks, stop)?;
            playing.evaluated = step;
            if step.is_multiple_of(self.config.evaluation.record_period) {
                self.record(sinks)?;
            }
        }
        Ok(())
    }

    /// The environment of a task, made where it is played for the first time in a phase.
    fn player<'p>(&self, players: &'p mut [Option<Player>], task: usize) -> Result<&'p mut Player, TrainError> {
        let player = players[task].take().map_or_else(|| self.curriculum.tasks[task].make(), Ok)?;
        Ok(players[task].insert(player))
    }

    fn report_update(&mut self, phase: usize, task: Option<usize>, sinks: &mut dyn Sink) -> Result<(), TrainError> {
        if let Some(update) = self.agent.take_update() {
            let (step, epsilon) = (self.position.step, self.agent.epsilon());
            sinks.record(&Event::Updated { step, phase, task, update: &update, epsilon })?;
            let alarms = warnings::of_update(self.config, phase, &update, self.agent.updates_of_phase());
            self.warn(alarms, sinks)?;
        }
        Ok(())
    }

    /// Tells what was not told in this phase before.
    fn warn(
        &mut self,
        alarms: impl IntoIterator<Item = (Alarm, String)>,
        sinks: &mut dyn Sink,
    ) -> Result<(), TrainError> {
        for (alarm, message) in alarms {
            if self.position.given.insert(alarm) {
                sinks.record(&Event::Warning { step: self.position.step, message: &message })?;
            }
        }
        Ok(())
    }

    fn evaluate(&mut self, phase: usize, sinks: &mut dyn Sink, stop: &Stop) -> Result<Vec<Score>, TrainError> {
        let scores = self.evaluator.scores(&mut self.agent, &self.curriculum, stop)?;
        sinks.record(&Event::Evaluated { step: self.position.step, phase, scores: &scores })?;
        Ok(scores)
    }

    /// Evaluates every task into one row of the performance matrix.
    fn evaluate_boundary(&mut self, sinks: &mut dyn Sink, stop: &Stop) -> Result<(), TrainError> {
        let ended = self.position.phase.checked_sub(1);
        let trained = ended.map(|phase| Trained { phase, task: self.curriculum.phases[phase].task });
        let scores = self.evaluate(ended.unwrap_or(0), sinks, stop)?;
        let row = event::row(self.position.step, trained, &scores);
        let matrix = &mut self.position.matrix;
        matrix.rows.push(row.clone());
        sinks.record(&Event::Row { row: &row, matrix, metrics: &Metrics::of(matrix) })?;
        if self.config.evaluation.record_period > 0 { self.record(sinks) } else { Ok(()) }
    }

    /// Shows how every task is played now.
    fn record(&mut self, sinks: &mut dyn Sink) -> Result<(), TrainError> {
        for (index, task) in self.curriculum.tasks.iter().enumerate() {
            let frames = self.evaluator.record(&mut self.agent, task, index)?;
            sinks.record(&Event::Recorded { step: self.position.step, task: index, frames: &frames })?;
        }
        Ok(())
    }

    /// Ends the phase: the method takes in its task, and what is kept of it is measured.
    fn end_phase(&mut self, sinks: &mut dyn Sink, stop: &Stop) -> Result<(), TrainError> {
        let began = Instant::now();
        self.consolidate(sinks, stop)?;
        let (method_bytes, replay_bytes) = (self.agent.method().state().bytes(), self.agent.replay_bytes());
        Ok(sinks.record(&Event::Kept {
            step: self.position.step,
            method_bytes: method_bytes as u64,
            replay_bytes: replay_bytes as u64,
            seconds: began.elapsed().as_secs_f64(),
        })?)
    }

    fn consolidate(&mut self, sinks: &mut dyn Sink, stop: &Stop) -> Result<(), TrainError> {
        let Position { step, phase, .. } = self.position;
        while self.agent.compress().map_err(TrainError::at(step))? {
            stop.heed()?;
        }
        let mut generator = seeds::stream(self.config.seed, "consolidate", phase as u64, 0);
        let consolidation = self.agent.consolidate(&mut generator).map_err(TrainError::at(step))?;
        let Some((task, consolidation)) = self.curriculum.phases[phase].task.zip(consolidation) else { return Ok(()) };
        let revisited = self.curriculum.phases[..phase].iter().any(|earlier| earlier.task == Some(task));
        let layout = self.agent.network().layout();
        for message in warnings::of_consolidation(&consolidation, &self.config.method, layout, revisited) {
            sinks.record(&Event::Warning { step, message: &message })?;
        }
        Ok(sinks.record(&Event::Consolidated { step, phase, task, consolidation: &consolidation })?)
    }
}
