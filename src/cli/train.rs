//! `engram train`: an experiment from its config to its figures.

use std::{io, path::Path, process::ExitCode};

use engram_agents::AgentError;
use engram_envs::Registry;

use super::{Exit, TrainArgs, shell};
use crate::{
    config::{self, Config},
    error::TrainError,
    event::Event,
    figure::matrix,
    metrics::Metrics,
    run_directory::{Place, RunDirectory},
    sink::{
        Sink, SinkError,
        consolidations::ConsolidationSink,
        csv::CsvSink,
        progress::{ProgressSink, Verbosity},
        recordings::RecordingSink,
        status::StatusSink,
        tensorboard::TensorBoardSink,
    },
    stop::Stop,
    trainer::{Ending, Trainer},
};

/// Runs the command.
pub fn run(registry: &Registry, args: &TrainArgs) -> anyhow::Result<ExitCode> {
    let config = args.config(registry)?;
    let resolved = config::to_toml(&config)?;
    let mut trainer = Trainer::new(&config, registry)?;
    let place = Place { runs: args.runs.clone(), name: args.name.clone(), path: args.run_dir.clone() };
    let directory = RunDirectory::create(&place, &config, &resolved)?;
    let mut sinks = sinks(&directory, &config, &resolved, &trainer, args.quiet)?;

    match trainer.run(&mut sinks, &Stop::on_signals()?) {
        Ok(Ending::Finished) => {
            directory.save_params(trainer.agent().network(), trainer.step())?;
            trainer.finish(&mut sinks)?;
            if !args.quiet {
                summarize(&trainer, &directory)?;
            }
            Ok(Exit::Done.into())
        }
        Ok(Ending::Stopped(signal)) => {
            directory.save_params(trainer.agent().network(), trainer.step())?;
            sinks.record(&Event::Broken { step: trainer.step(), failed: false })?;
            sinks.flush()?;
            let (step, folder) = (trainer.step(), directory.path().display());
            super::complain(&format!(
                "stopped by signal {signal} at step {step}; the parameters are saved in {folder}"
            ));
            Ok(Exit::Signal(signal as u8).into())
        }
        Err(error) => Err(keep_what_is_there(error, &trainer, &directory, &mut sinks)),
    }
}

fn sinks(
    directory: &RunDirectory,
    config: &Config,
    resolved: &str,
    trainer: &Trainer<'_>,
    quiet: bool,
) -> Result<Vec<Box<dyn Sink>>, SinkError> {
    let (path, curriculum) = (directory.path(), trainer.curriculum());
    let envs = curriculum.env_ids();
    let architecture = trainer.agent().network().architecture();
    let hidden = architecture.hidden().into_iter().map(|layer| (layer.name, layer.units)).collect();
    let phases: Vec<_> = curriculum.phases.iter().map(|phase| (phase.task, phase.steps)).collect();
    let verbosity = if quiet { Verbosity::Quiet } else { Verbosity::Normal };
    Ok(vec![
        Box::new(StatusSink::new(path, config, curriculum.total_steps())?),
        Box::new(CsvSink::new(path, &envs)?),
        Box::new(TensorBoardSink::new(path, &envs, architecture.layout(), resolved)?),
        Box::new(ConsolidationSink::new(path, architecture.layout(), hidden)?),
        Box::new(RecordingSink::new(path)),
        Box::new(ProgressSink::new(&envs, &phases, verbosity)),
    ])
}

/// Saves a checkpoint and says `failed` in the status, as far as that is still possible.
fn keep_what_is_there(
    error: TrainError,
    trainer: &Trainer<'_>,
    directory: &RunDirectory,
    sinks: &mut Vec<Box<dyn Sink>>,
) -> anyhow::Error {
    let step = trainer.step();
    for sink in sinks.iter_mut() {
        // What failed may fail again; the error that is reported is the first.
        let _ = sink.record(&Event::Broken { step, failed: true });
        let _ = sink.flush();
    }
    let diverged = matches!(error, TrainError::Agent { source: AgentError::Diverged { .. }, .. });
    let saved = directory.save_checkpoint(trainer.agent().network(), step);
    let error = anyhow::Error::from(error);
    match saved {
        Ok(path) if diverged => error.context(format!(
            "training stopped; the parameters from before are in {}. Try a lower learning rate or \
             agent.max_gradient_norm = 10",
            path.display()
        )),
        Ok(path) => error.context(format!("training stopped; the parameters are in {}", path.display())),
        Err(_) => error.context("training stopped and the parameters could not be saved"),
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
