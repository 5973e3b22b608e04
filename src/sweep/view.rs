//! What a person sees of a sweep: one bar over all runs in a terminal, a line a run elsewhere.

use std::{
    io::{self, IsTerminal as _, Write as _},
    time::{Duration, Instant},
};

use indicatif::{HumanDuration, ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::{Standing, Sweep, local::Ending};
use crate::figure::two_decimals;

/// How often the runs are asked how far they are.
const PERIOD: Duration = Duration::from_millis(500);

/// Shows the progress of a sweep.
pub struct View {
    /// Over the environment steps of all runs that are to be trained, those made before included.
    bar: ProgressBar,
    /// Whether lines are printed in place of the bar.
    lines: bool,
    quiet: bool,
    /// How many runs are to be trained.
    runs: usize,
    /// Steps of the runs that have ended.
    ended_steps: u64,
    /// How many endings have been told.
    told: usize,
    looked: Option<Instant>,
}

impl View {
    /// A view of the runs of these indices.
    pub fn new(sweep: &Sweep, pending: &[usize], quiet: bool) -> Self {
        let steps = pending.iter().map(|index| sweep.runs[*index].steps).sum();
        let lines = !io::stderr().is_terminal();
        let target = if lines || quiet { ProgressDrawTarget::hidden() } else { ProgressDrawTarget::stderr_with_hz(8) };
        let bar = ProgressBar::with_draw_target(Some(steps), target);
        let template = "{prefix} {wide_bar} {percent:>3}%  {elapsed} done, {eta} left\n{msg}";
        bar.set_style(ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar()));
        let made: u64 = pending.iter().map(|index| Standing::of(&sweep.run(*index)).step).sum();
        bar.set_position(made);
        bar.reset_eta();
        Self { bar, lines, quiet, runs: pending.len(), ended_steps: 0, told: 0, looked: None }
    }

    /// Shows where the sweep stands, if it is time to look or something has ended.
    pub fn show(&mut self, sweep: &Sweep, running: &[usize], endings: &[(usize, Ending)]) {
        let news = endings.len() > self.told;
        for (index, ending) in &endings[self.told..] {
            self.told += 1;
            self.ended_steps += sweep.runs[*index].steps;
            self.tell(&sweep.runs[*index].run, ending);
        }
        if !news && self.looked.is_some_and(|looked| looked.elapsed() < PERIOD) {
            return;
        }
        self.looked = Some(Instant::now());
        let steps: u64 = running.iter().map(|index| Standing::of(&sweep.run(*index)).step).sum();
        self.bar.set_position(self.ended_steps + steps);
        let failed = endings.iter().filter(|(_, ending)| matches!(ending, Ending::Failed(_))).count();
        let failed = if failed > 0 { format!(", {failed} failed") } else { String::new() };
        self.bar.set_prefix(format!("{}/{} runs{failed}", endings.len(), self.runs));
        let names: Vec<_> = running.iter().map(|index| sweep.runs[*index].run.as_str()).collect();
        self.bar.set_message(names.join("  "));
        if endings.len() == self.runs {
            self.bar.finish_and_clear();
        }
    }

    fn tell(&self, run: &str, ending: &Ending) {
        let how = match ending {
            Ending::Finished(standing) => standing
                .average_performance
                .map_or_else(|| "finished".into(), |score| format!("average performance {}", two_decimals(score))),
            Ending::Failed(line) => format!("failed: {line}"),
            Ending::Stopped => "stopped".into(),
        };
        let line = format!("{}/{} {run}: {how}", self.told, self.runs);
        if matches!(ending, Ending::Failed(_)) {
            self.bar.suspend(|| writeln!(io::stderr(), "{line}")).ok();
        } else if self.lines && !self.quiet {
            let left = self.bar.eta();
            let left = if left.is_zero() { String::new() } else { format!(" ({} left)", HumanDuration(left)) };
            // Nobody may read any more, which is no reason to stop.
            let _ = writeln!(io::stderr(), "{line}{left}");
        }
    }
}
