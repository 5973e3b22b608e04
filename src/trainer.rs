//! The training loop: the curriculum's phases one after the other, each followed by its consolidation and by one row of
//! the performance matrix.

use engram_agents::{
    continual::{Consolidation, Coupling},
    dqn::{self, Dqn},
    replay::Transition,
};
use engram_envs::{End, Registry};

use crate::{
    config::Config,
    curriculum::{self, Curriculum},
    error::TrainError,
    evaluate::Evaluator,
    event::{Episode, Event, Score},
    metrics::{Metrics, PerformanceMatrix, Row, Trained},
    seeds,
    sink::Sink,
    stop::Stop,
};

/// How training ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ending {
    /// The curriculum was played to its end.
    Finished,
    /// A signal of this number asked it to stop.
    Stopped(usize),
}

/// A run in progress.
pub struct Trainer<'a> {
    config: &'a Config,
    curriculum: Curriculum,
    agent: Dqn,
    evaluator: Evaluator,
    matrix: PerformanceMatrix,
    step: u64,
    /// The phase in which a warning of an overshooting penalty was given, so that it is given once.
    stiff_phase: Option<usize>,
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
        Ok(Self {
            config,
            curriculum,
            agent,
            evaluator,
            matrix: PerformanceMatrix::default(),
            step: 0,
            stiff_phase: None,
        })
    }

    /// The agent as it is.
    pub fn agent(&self) -> &Dqn {
        &self.agent
    }

    /// The agent, once there is nothing more to train.
    pub fn into_agent(self) -> Dqn {
        self.agent
    }

    /// The curriculum that is played.
    pub fn curriculum(&self) -> &Curriculum {
        &self.curriculum
    }

    /// Environment steps so far.
    pub fn step(&self) -> u64 {
        self.step
    }

    /// The performance matrix so far.
    pub fn matrix(&self) -> &PerformanceMatrix {
        &self.matrix
    }

    /// Plays the whole curriculum, or as much of it as `stop` allows.
    pub fn run(&mut self, sinks: &mut dyn Sink, stop: &Stop) -> Result<Ending, TrainError> {
        match self.play_all(sinks, stop) {
            Ok(()) => Ok(Ending::Finished),
            Err(TrainError::Stopped(signal)) => Ok(Ending::Stopped(signal)),
            Err(error) => Err(error),
        }
    }

    fn play_all(&mut self, sinks: &mut dyn Sink, stop: &Stop) -> Result<(), TrainError> {
        self.evaluate_boundary(None, sinks, stop)?;
        for phase in 0..self.curriculum.phases.len() {
            self.play(phase, sinks, stop)?;
            self.consolidate(phase, sinks)?;
            let task = self.curriculum.phases[phase].task;
            self.evaluate_boundary(Some(Trained { phase, task }), sinks, stop)?;
        }
        Ok(())
    }

    /// Tells the sinks that the run is complete, once whatever belongs to it is saved.
    pub fn finish(&self, sinks: &mut dyn Sink) -> Result<(), TrainError> {
        let metrics = Metrics::of(&self.matrix);
        sinks.record(&Event::Finished { step: self.step, matrix: &self.matrix, metrics: &metrics })?;
        Ok(sinks.flush()?)
    }

    /// Plays one phase: act, step, remember, learn; evaluate and report at their periods.
    fn play(&mut self, phase: usize, sinks: &mut dyn Sink, stop: &Stop) -> Result<(), TrainError> {
        let curriculum::Phase { task, steps } = self.curriculum.phases[phase];
        let stream = |name, index| seeds::stream(self.config.seed, name, phase as u64, index);
        self.agent.begin(dqn::Phase { task, steps, explore: stream("explore", 0), replay: stream("replay", 0) });
        sinks.record(&Event::PhaseStarted { step: self.step, phase, task })?;

        let mut player = self.curriculum.tasks[task].make()?;
        let mut episode = Episode::new(phase, task, 0);
        let mut chance = stream("env", episode.episode);
        player.reset(&mut chance)?;
        let mut observation = player.observation().to_vec();
        for left in (0..steps).rev() {
            let action = self.agent.act(&observation).map_err(TrainError::at(self.step))?;
            let outcome = player.step(action, &mut chance)?;
            self.step += 1;
            let transition = Transition {
                observation: &observation,
                action,
                reward: outcome.reward,
                discount: if outcome.end == Some(End::Terminated) { 0.0 } else { 1.0 },
                next_observation: player.observation(),
                ended: outcome.end.is_some(),
            };
            self.agent.learn(transition).map_err(TrainError::at(self.step))?;

            episode.add(outcome.reward);
            if let Some(end) = outcome.end {
                sinks.record(&Event::Episode(episode.ended(self.step, end)))?;
                episode = Episode::new(phase, task, episode.episode + 1);
                chance = stream("env", episode.episode);
                if left > 0 {
                    player.reset(&mut chance)?;
                }
            }
            observation.copy_from_slice(player.observation());

            if self.step.is_multiple_of(STEPPED_PERIOD) {
                sinks.record(&Event::Stepped { step: self.step })?;
            }
            if self.step.is_multiple_of(self.config.log.period) || left == 0 {
                self.report_update(phase, task, sinks)?;
            }
            if self.step.is_multiple_of(self.config.evaluation.period) && left > 0 {
                self.evaluate(phase, sinks, stop)?;
                if self.step.is_multiple_of(self.config.evaluation.record_period) {
                    self.record(sinks)?;
                }
            }
            stop.heed()?;
        }
        Ok(())
    }

    fn report_update(&mut self, phase: usize, task: usize, sinks: &mut dyn Sink) -> Result<(), TrainError> {
        if let Some(update) = self.agent.take_update() {
            let epsilon = self.agent.epsilon();
            sinks.record(&Event::Updated { step: self.step, phase, task, update: &update, epsilon })?;
            let explicit = self.config.method.coupling == Coupling::Loss;
            if explicit && update.stiffness > 1.0 && self.stiff_phase != Some(phase) {
                self.stiff_phase = Some(phase);
                sinks.record(&Event::Warning { step: self.step, message: &overshoots(update.stiffness) })?;
            }
        }
        Ok(())
    }

    fn evaluate(&mut self, phase: usize, sinks: &mut dyn Sink, stop: &Stop) -> Result<Vec<Score>, TrainError> {
        let scores = self.evaluator.scores(&mut self.agent, &self.curriculum, stop)?;
        sinks.record(&Event::Evaluated { step: self.step, phase, scores: &scores })?;
        Ok(scores)
    }

    /// Evaluates every task into one row of the performance matrix.
    fn evaluate_boundary(
        &mut self,
        trained: Option<Trained>,
        sinks: &mut dyn Sink,
        stop: &Stop,
    ) -> Result<(), TrainError> {
        let scores = self.evaluate(trained.map_or(0, |trained| trained.phase), sinks, stop)?;
        let returns = scores.iter().map(|score| score.mean).collect();
        let normalized = scores.iter().map(|score| score.normalized).collect();
        self.matrix.rows.push(Row { step: self.step, trained, returns, normalized });
        let metrics = Metrics::of(&self.matrix);
        let row = &self.matrix.rows[self.matrix.rows.len() - 1];
        sinks.record(&Event::Row { row, matrix: &self.matrix, metrics: &metrics })?;
        if self.config.evaluation.record_period > 0 { self.record(sinks) } else { Ok(()) }
    }

    /// Shows how every task is played now.
    fn record(&mut self, sinks: &mut dyn Sink) -> Result<(), TrainError> {
        for (index, task) in self.curriculum.tasks.iter().enumerate() {
            let frames = self.evaluator.record(&mut self.agent, task, index)?;
            sinks.record(&Event::Recorded { step: self.step, task: index, frames: &frames })?;
        }
        Ok(())
    }

    fn consolidate(&mut self, phase: usize, sinks: &mut dyn Sink) -> Result<(), TrainError> {
        let task = self.curriculum.phases[phase].task;
        let mut generator = seeds::stream(self.config.seed, "consolidate", phase as u64, 0);
        let consolidation = self.agent.consolidate(&mut generator).map_err(TrainError::at(self.step))?;
        let Some(consolidation) = consolidation else { return Ok(()) };
        let revisited = self.curriculum.phases[..phase].iter().any(|earlier| earlier.task == task);
        for message in warnings(&consolidation, self.config, revisited) {
            sinks.record(&Event::Warning { step: self.step, message: &message })?;
        }
        sinks.record(&Event::Consolidated { step: self.step, phase, task, consolidation: &consolidation })?;
        Ok(())
    }
}

/// An explicit step of the penalty's gradient goes past the anchor where `eta lambda F > 1`, and away from it above 2.
fn overshoots(stiffness: f32) -> String {
    let what = if stiffness > 2.0 { "drives parameters away from their anchors" } else { "overshoots its anchors" };
    format!(
        "the penalty {what} (step size x lambda x importance reaches {stiffness:.1}); \
         set method.coupling = \"proximal\", or a smaller lambda"
    )
}

fn warnings(consolidation: &Consolidation, config: &Config, revisited: bool) -> Vec<String> {
    use engram_agents::continual::{MethodName, Revisit};
    let mut warnings = consolidation.warnings.clone();
    let separate = matches!(config.method.name, MethodName::Ewc | MethodName::L2);
    if revisited && separate && config.method.revisit == Revisit::Add {
        warnings.push(
            "this task was consolidated before and both penalties now count; \
             set method.revisit = \"replace\" to drop the old one"
                .into(),
        );
    }
    warnings
}
