//! A run on its way to its end, begun by `train` or gone on with by `resume`.

use std::{
    process::ExitCode,
    time::{Duration, Instant},
};

use engram_agents::AgentError;

use super::{Exit, Output, outcome::Outcome, shell, train_args::checkpoint_period};
use crate::{
    config::Config,
    error::TrainError,
    event::Event,
    position::Stage,
    run_directory::RunDirectory,
    sink::{
        Sink, SinkError, Start,
        consolidations::ConsolidationSink,
        csv::CsvSink,
        progress::{ProgressSink, Verbosity},
        recordings::RecordingSink,
        status::{Cost, State, StatusSink},
        tensorboard::TensorBoardSink,
    },
    stop::{Due, Stop},
    trainer::{Ending, Trainer},
};

/// How often a checkpoint is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CheckpointPeriod {
    /// Only where the run leaves off.
    Never,
    /// Every so many environment steps.
    Steps(u64),
    /// After so much time.
    Time(Duration),
}

/// How a run is trained, whichever command began it.
#[derive(Debug, Clone, Copy, clap::Args)]
pub struct Ways {
    /// How often everything is saved, so that `engram resume` can go on: steps, or a time such as 90s, 10m, 2h; 0 for
    /// never but where the run is stopped
    #[arg(long, value_name = "STEPS|TIME", default_value = "5m", value_parser = checkpoint_period)]
    pub checkpoint_period: CheckpointPeriod,
    /// Prints nothing but errors, and the result where it is asked for as JSON
    #[arg(long)]
    pub quiet: bool,
    /// How the result is printed.
    #[command(flatten)]
    pub output: Output,
}

impl CheckpointPeriod {
    fn due(self, step: u64) -> Due {
        match self {
            Self::Never => Due::Never,
            Self::Steps(steps) => Due::Step(step.saturating_add(steps) / steps * steps),
            Self::Time(time) => Instant::now().checked_add(time).map_or(Due::Never, Due::Time),
        }
    }
}

/// A run with what it is written down by.
pub struct Training<'a> {
    pub trainer: Trainer<'a>,
    pub directory: &'a RunDirectory,
    /// The resolved config.
    pub config: &'a Config,
    /// The same as text.
    pub resolved: &'a str,
    pub sinks: Vec<Box<dyn Sink>>,
    pub ways: Ways,
}

impl<'a> Training<'a> {
    /// Opens the outputs of a run.
    pub fn new(
        trainer: Trainer<'a>,
        directory: &'a RunDirectory,
        (config, resolved): (&'a Config, &'a str),
        start: Start,
        ways: Ways,
    ) -> Result<Self, SinkError> {
        let (path, curriculum) = (directory.path(), trainer.curriculum());
        let envs = curriculum.env_ids();
        let architecture = trainer.agent().network().architecture();
        let hidden = architecture.hidden().into_iter().map(|layer| (layer.name, layer.units)).collect();
        let phases: Vec<_> = curriculum.phases.iter().map(|phase| (phase.task, phase.steps)).collect();
        let verbosity = match ways {
            Ways { quiet: true, .. } => Verbosity::Quiet,
            Ways { output: Output { json: true }, .. } => Verbosity::Aside,
            _ => Verbosity::Normal,
        };
        let cost = if let Start::Resumed { cost } = start { cost } else { Cost::default() };
        let layout = architecture.layout();
        let sinks: Vec<Box<dyn Sink>> = vec![
            Box::new(StatusSink::new(path, config, curriculum.total_steps(), cost)?),
            Box::new(CsvSink::new(path, &envs)?),
            Box::new(TensorBoardSink::new(path, config, layout, start, trainer.step())?),
            Box::new(ConsolidationSink::new(path, layout, hidden)?),
            Box::new(RecordingSink::new(path)),
            Box::new(ProgressSink::new(&envs, &phases, verbosity)),
        ];
        Ok(Self { trainer, directory, config, resolved, sinks, ways })
    }

    /// Trains until the run ends, one way or another, with a checkpoint whenever one is due.
    pub fn run(mut self) -> anyhow::Result<ExitCode> {
        let ending = self.train().map_err(|error| self.failed(error))?;
        // All that belongs to the run is on the disk: what fails from here on is no failure of the run.
        if let Ending::Stopped(signal) = ending {
            let (step, folder) = (self.trainer.step(), shell::quoted(self.directory.path()));
            super::complain(&format!("stopped by signal {signal} at step {step}; go on with: engram resume {folder}"));
            if self.ways.output.json {
                self.show(State::Stopped)?;
            }
            return Ok(Exit::Signal(signal as u8).into());
        }
        self.directory.drop_checkpoints()?;
        if self.ways.output.json || !self.ways.quiet {
            self.show(State::Finished)?;
        }
        Ok(Exit::Done.into())
    }

    fn show(&self, state: State) -> anyhow::Result<()> {
        let cost = self.directory.status()?.map(|status| status.cost).unwrap_or_default();
        self.ways.output.show(&Outcome::of(&self.trainer, self.config, self.directory.path(), state, cost))
    }

    fn train(&mut self) -> anyhow::Result<Ending> {
        let stop = Stop::on_signals()?;
        loop {
            let due = self.ways.checkpoint_period.due(self.trainer.step());
            let ending = self.trainer.run_until(due, &mut self.sinks, &stop)?;
            let step = self.trainer.step();
            match ending {
                Ending::Paused => self.save()?,
                Ending::Stopped(_) => {
                    self.save()?;
                    self.directory.save_params(self.trainer.agent(), step)?;
                    self.sinks.record(&Event::Broken { step, failed: false })?;
                    self.sinks.flush()?;
                    return Ok(ending);
                }
                Ending::Finished => {
                    self.directory.save_params(self.trainer.agent(), step)?;
                    self.sinks.flush()?;
                    self.directory.sync_outputs()?;
                    self.trainer.finish(&mut self.sinks)?;
                    return Ok(ending);
                }
            }
        }
    }

    /// Tells the sinks where a run that goes on stands.
    pub fn resumed(&mut self) -> Result<(), TrainError> {
        let position = self.trainer.position();
        let playing = matches!(position.stage, Stage::Play(_)).then_some(position.phase);
        Ok(self.sinks.record(&Event::Resumed { step: position.step, playing, matrix: &position.matrix })?)
    }

    /// Saves a checkpoint.
    pub fn save(&mut self) -> Result<(), TrainError> {
        self.sinks.flush()?;
        self.directory.save_checkpoint(&mut self.trainer, self.resolved)?;
        Ok(())
    }

    /// Saves the parameters and says `failed` in the status, as far as that is still possible.
    fn failed(&mut self, error: anyhow::Error) -> anyhow::Error {
        let step = self.trainer.step();
        for sink in &mut self.sinks {
            // What failed may fail again; the error that is reported is the first.
            let _ = sink.record(&Event::Broken { step, failed: true });
            let _ = sink.flush();
        }
        let source = error.downcast_ref::<TrainError>();
        let diverged = matches!(source, Some(TrainError::Agent { source: AgentError::Diverged { .. }, .. }));
        let saved = self.directory.save_last_params(self.trainer.agent(), step);
        let folder = shell::quoted(self.directory.path());
        match saved {
            Ok(path) if diverged => error.context(format!(
                "training stopped; the parameters from before are in {}. Try a lower learning rate or \
                 agent.max_gradient_norm = 10",
                path.display()
            )),
            Ok(path) => error.context(format!(
                "training stopped; the parameters are in {}. Once the cause is gone: engram resume {folder}",
                path.display()
            )),
            Err(_) => error.context(format!(
                "training stopped and the parameters could not be saved; once the cause is gone: engram resume {folder}"
            )),
        }
    }
}
