//! A run on its way to its end, begun by `train` or gone on with by `resume`.

use std::{
    io,
    path::Path,
    process::ExitCode,
    time::{Duration, Instant},
};

use engram_agents::AgentError;

use super::{Exit, shell, train_args::checkpoint_period};
use crate::{
    config::Config,
    error::TrainError,
    event::Event,
    figure::matrix,
    metrics::Metrics,
    position::Stage,
    run_directory::RunDirectory,
    sink::{
        Sink, SinkError, Start,
        consolidations::ConsolidationSink,
        csv::CsvSink,
        progress::{ProgressSink, Verbosity},
        recordings::RecordingSink,
        status::StatusSink,
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
    /// Prints nothing but errors
    #[arg(long)]
    pub quiet: bool,
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
    pub resolved: &'a str,
    pub sinks: Vec<Box<dyn Sink>>,
    pub ways: Ways,
}

impl<'a> Training<'a> {
    /// Opens the outputs of a run.
    pub fn new(
        trainer: Trainer<'a>,
        directory: &'a RunDirectory,
        (config, resolved): (&Config, &'a str),
        start: Start,
        ways: Ways,
    ) -> Result<Self, SinkError> {
        let (path, curriculum) = (directory.path(), trainer.curriculum());
        let envs = curriculum.env_ids();
        let architecture = trainer.agent().network().architecture();
        let hidden = architecture.hidden().into_iter().map(|layer| (layer.name, layer.units)).collect();
        let phases: Vec<_> = curriculum.phases.iter().map(|phase| (phase.task, phase.steps)).collect();
        let verbosity = if ways.quiet { Verbosity::Quiet } else { Verbosity::Normal };
        let seconds = if let Start::Resumed { seconds } = start { seconds } else { 0.0 };
        let layout = architecture.layout();
        let sinks: Vec<Box<dyn Sink>> = vec![
            Box::new(StatusSink::new(path, config, curriculum.total_steps(), seconds)?),
            Box::new(CsvSink::new(path, &envs)?),
            Box::new(TensorBoardSink::new(path, config, layout, start, trainer.step())?),
            Box::new(ConsolidationSink::new(path, layout, hidden)?),
            Box::new(RecordingSink::new(path)),
            Box::new(ProgressSink::new(&envs, &phases, verbosity)),
        ];
        Ok(Self { trainer, directory, resolved, sinks, ways })
    }

    /// Trains until the run ends, one way or another, with a checkpoint whenever one is due.
    pub fn run(mut self) -> anyhow::Result<ExitCode> {
        let ending = self.train().map_err(|error| self.failed(error))?;
        // All that belongs to the run is on the disk: what fails from here on is no failure of the run.
        if let Ending::Stopped(signal) = ending {
            let (step, folder) = (self.trainer.step(), shell::quoted(self.directory.path()));
            super::complain(&format!("stopped by signal {signal} at step {step}; go on with: engram resume {folder}"));
            return Ok(Exit::Signal(signal as u8).into());
        }
        self.directory.drop_checkpoints()?;
        if !self.ways.quiet {
            summarize(&self.trainer, self.directory)?;
        }
        Ok(Exit::Done.into())
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
                    self.directory.save_params(self.trainer.agent().network(), step)?;
                    self.sinks.record(&Event::Broken { step, failed: false })?;
                    self.sinks.flush()?;
                    return Ok(ending);
                }
                Ending::Finished => {
                    self.directory.save_params(self.trainer.agent().network(), step)?;
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
        let saved = self.directory.save_last_params(self.trainer.agent().network(), step);
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

/// Prints the matrix, the metrics, the folder and the commands that come next.
fn summarize(trainer: &Trainer<'_>, directory: &RunDirectory) -> io::Result<()> {
    let envs = trainer.curriculum().env_ids();
    let metrics = Metrics::of(trainer.matrix());
    // Rounded first, so that a small negative number does not show as -0.000.
    let show =
        |value: Option<f64>| value.map_or("n/a".into(), |value| format!("{:.3}", (value * 1e3).round() / 1e3 + 0.0));
    let folder = directory.path().display();
    let parent = directory.path().parent().filter(|parent| !parent.as_os_str().is_empty());
    let quoted_runs = shell::quoted(parent.unwrap_or(Path::new(".")));
    let quoted_folder = shell::quoted(directory.path());
    super::print(&format!(
        "\nscore of each task (0 random, 1 learnt alone)\n{}\n\
         average performance  {:.3}\n\
         forgetting           {}\n\
         backward transfer    {}\n\
         run directory        {folder}\n\n\
         next:\n  \
         engram evaluate {quoted_folder}\n  \
         engram figure {quoted_folder} --out curves.svg\n  \
         tensorboard --logdir {quoted_runs}\n",
        matrix::text(trainer.matrix(), &envs),
        metrics.average_performance,
        show(metrics.forgetting),
        show(metrics.backward_transfer),
    ))
}
