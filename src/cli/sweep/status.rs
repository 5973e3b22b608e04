//! `engram sweep status`: how far the runs of a sweep are, and where they stand on a cluster.

use std::process::ExitCode;

use serde::Serialize;

use super::{args::StatusArgs, counts, slurm};
use crate::{
    cli::{Exit, output::print_json, print, table::table},
    sink::status::State,
    sweep::{Summary, Sweep, last_line, slurm::Queued},
};

/// A run that is not at its end, as it is shown.
#[derive(Serialize)]
struct Unfinished {
    run: String,
    state: Option<State>,
    /// Where it stands on a cluster.
    queue: Option<String>,
    step: u64,
    total_steps: u64,
    average_performance: Option<f64>,
    last_line: Option<String>,
}

/// Runs the command.
pub(super) fn run(args: &StatusArgs) -> anyhow::Result<ExitCode> {
    let sweep = Sweep::open(&args.folder)?;
    let standings = sweep.standings();
    let summary = Summary::new(&sweep, &standings);
    let queue = slurm::queue(&sweep);
    let runs = sweep.runs.iter().zip(&standings).filter(|(_, standing)| !standing.is_finished());
    let runs = runs.map(|(entry, standing)| {
        // That a run has failed says more than that its task is over.
        let failed = standing.state == Some(State::Failed);
        (entry, standing, queue.get(&entry.run).filter(|queued| !(failed && **queued == Queued::Gone)))
    });
    // Of the runs that have not begun only those are of interest that will not do so by themselves.
    let shown = runs.clone().filter(|(_, standing, queued)| standing.state.is_some() || *queued == Some(&Queued::Gone));
    let unfinished: Vec<Unfinished> = shown
        .map(|(entry, standing, queued)| Unfinished {
            run: entry.run.clone(),
            state: standing.state,
            queue: queued.map(|queued| queued.text(standing.state.is_some())),
            step: standing.step,
            total_steps: entry.steps,
            average_performance: standing.average_performance,
            last_line: last_line(&sweep.folder.join(&entry.run)),
        })
        .collect();
    if args.output.json {
        print_json(&serde_json::json!({ "folder": sweep.folder, "summary": summary, "unfinished": unfinished }))?;
        return Ok(Exit::Done.into());
    }
    let percent = 100.0 * summary.step as f64 / summary.total_steps.max(1) as f64;
    let mut text = format!("{}: {}, {percent:.0} % of all steps\n", sweep.folder.display(), counts(&summary));
    text.push_str(&slurm::counts(runs.filter_map(|(_, standing, queued)| Some((queued?, standing.state.is_some())))));
    text.push_str(&table(&unfinished.iter().map(Unfinished::row).collect::<Vec<_>>()));
    print(&text)?;
    Ok(Exit::Done.into())
}

impl Unfinished {
    fn row(&self) -> [String; 4] {
        let state = match self.state {
            None => "new",
            Some(State::Running) => "running",
            Some(State::Stopped) => "stopped",
            Some(State::Failed) => "failed",
            Some(State::Finished) => "finished",
        };
        let state = self.queue.as_deref().unwrap_or(state);
        let percent = 100.0 * self.step as f64 / self.total_steps.max(1) as f64;
        let line = self.last_line.clone().unwrap_or_default();
        [self.run.clone(), state.into(), format!("{percent:.0} %"), line]
    }
}
