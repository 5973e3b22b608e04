//! What a person sees while a run trains: bars in a terminal, a few plain lines elsewhere.
//!
//! Bars and warnings go to the standard error, lines to the standard output. A reader that goes away (`| head`) ends
//! the display, never the training.

use std::collections::VecDeque;
use std::fmt::Write as _;
use std::io::{self, IsTerminal, Write};
use std::path::Path;
use std::time::Instant;

use super::bars::{Bars, grouped};
use super::{Sink, SinkError, env_id};
use crate::event::{Event, Score};
use crate::figure::matrix::Columns;
use crate::figure::{short_name, two_decimals};
use crate::metrics::{PerformanceMatrix, Row};

/// Episodes in the moving mean of returns.
const WINDOW: usize = 20;
/// Plain lines about evaluations in a phase, at most.
const LINES_PER_PHASE: u64 = 10;
/// Finished bars stay up to this many phases; more would push the running ones off the screen.
const BARS_KEPT: usize = 8;

/// How much to show.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verbosity {
    /// Bars where the standard error is a terminal, else lines.
    Normal,
    /// The same, with lines on the standard error: the standard output is for a result.
    Aside,
    /// Warnings only.
    Quiet,
}

/// Shows the progress of a run.
pub struct ProgressSink {
    envs: Vec<String>,
    phases: Vec<(Option<usize>, u64)>,
    bars: Option<Bars>,
    quiet: bool,
    out: Box<dyn Write + Send>,
    err: Box<dyn Write + Send>,
    /// Environment steps before the current phase.
    phase_start: u64,
    phase: usize,
    returns: VecDeque<f64>,
    /// Steps at the last evaluation that was told.
    told: Option<u64>,
    started: Instant,
    /// Steps that had been made when this process began.
    started_at: u64,
}

impl ProgressSink {
    /// Shows progress on the process's own streams.
    ///
    /// `envs` holds the environment id of each task, `phases` the task and the steps of each phase.
    pub fn new(envs: &[String], phases: &[(Option<usize>, u64)], verbosity: Verbosity) -> Self {
        let out: Box<dyn Write + Send> =
            if verbosity == Verbosity::Aside { Box::new(io::stderr()) } else { Box::new(io::stdout()) };
        let mut sink = Self::to(envs, phases, verbosity, out, Box::new(io::stderr()));
        if verbosity != Verbosity::Quiet && io::stderr().is_terminal() {
            sink.bars = Some(Bars::new(sink.total()));
        }
        sink
    }

    /// Writes plain lines to `out` and warnings to `err`.
    pub fn to(
        envs: &[String],
        phases: &[(Option<usize>, u64)],
        verbosity: Verbosity,
        out: Box<dyn Write + Send>,
        err: Box<dyn Write + Send>,
    ) -> Self {
        Self {
            envs: envs.to_vec(),
            phases: phases.to_vec(),
            bars: None,
            quiet: verbosity == Verbosity::Quiet,
            out,
            err,
            phase_start: 0,
            phase: 0,
            returns: VecDeque::with_capacity(WINDOW),
            told: None,
            started: Instant::now(),
            started_at: 0,
        }
    }

    fn total(&self) -> u64 {
        self.phases.iter().map(|(_, steps)| steps).sum()
    }

    fn phase_steps(&self) -> u64 {
        self.phases.get(self.phase).map_or(0, |(_, steps)| *steps)
    }

    /// Prints to the standard output, above the bars if there are any.
    fn say(&mut self, text: &str) -> Result<(), SinkError> {
        if self.quiet {
            return Ok(());
        }
        let Self { bars, out, .. } = self;
        let mut print = || print(out, "standard output", text);
        match bars {
            Some(bars) => bars.all.suspend(print),
            None => print(),
        }
    }

    fn warn(&mut self, step: u64, message: &str) -> Result<(), SinkError> {
        let Self { bars, err, .. } = self;
        let mut print = || print(err, "standard error", &format!("warning: step {step}: {message}\n"));
        match bars {
            Some(bars) => bars.all.suspend(print),
            None => print(),
        }
    }

    fn start_phase(&mut self, step: u64, phase: usize, task: Option<usize>) -> Result<(), SinkError> {
        (self.phase, self.phase_start, self.told) = (phase, step, None);
        self.returns.clear();
        let name = task.map_or("all in turns", |task| short_name(env_id(&self.envs, task))).to_owned();
        let (count, steps) = (self.phases.len(), self.phase_steps());
        if let Some(bars) = &mut self.bars {
            bars.start(format!("{}/{count} {name}", phase + 1), steps, count > BARS_KEPT);
            return Ok(());
        }
        self.say(&format!("phase {}/{count}: {name}, {} steps\n", phase + 1, grouped(steps)))
    }

    fn resumed(&mut self, step: u64, playing: Option<usize>, matrix: &PerformanceMatrix) -> Result<(), SinkError> {
        self.started_at = step;
        if let Some(bars) = &self.bars {
            bars.total.set_position(step);
            bars.total.reset_eta();
        }
        self.say(&format!("resumed at step {} of {}\n", grouped(step), grouped(self.total())))?;
        matrix.rows.iter().try_for_each(|row| self.row(row))?;
        let Some(phase) = playing else { return Ok(()) };
        let start = self.phases.iter().take(phase).map(|(_, steps)| steps).sum();
        let task = self.phases.get(phase).and_then(|(task, _)| *task);
        self.start_phase(start, phase, task)?;
        self.step(step);
        Ok(())
    }

    fn step(&mut self, step: u64) {
        let Some(bars) = &self.bars else { return };
        bars.total.set_position(step);
        if let Some(bar) = bars.phase() {
            bar.set_position(step.saturating_sub(self.phase_start));
        }
    }

    fn episode(&mut self, episode_return: f64) {
        if self.returns.len() == WINDOW {
            self.returns.pop_front();
        }
        self.returns.push_back(episode_return);
        if let Some(bar) = self.bars.as_ref().and_then(|bars| bars.phase()) {
            // The bar redraws itself a few times a second; its text need not be made more often.
            if self.returns.len() < WINDOW || bar.position().is_multiple_of(16) {
                bar.set_message(self.recent());
            }
        }
    }

    /// The moving mean of returns as text.
    fn recent(&self) -> String {
        let mean = self.returns.iter().sum::<f64>() / self.returns.len() as f64;
        if mean.is_nan() { String::new() } else { format!("return {mean:.2}") }
    }

    fn evaluated(&mut self, step: u64, scores: &[Score]) -> Result<(), SinkError> {
        let due = self.told.is_none_or(|told| step.saturating_sub(told) >= self.phase_steps() / LINES_PER_PHASE);
        // The scores before training are a row of the matrix.
        if self.bars.is_some() || step == 0 || !due {
            return Ok(());
        }
        self.told = Some(step);
        let rate = step.saturating_sub(self.started_at) as f64 / self.started.elapsed().as_secs_f64().max(1e-9);
        let mut line = format!("step {}/{} ({} steps/s)", grouped(step), grouped(self.total()), grouped(rate as u64));
        if !self.returns.is_empty() {
            let _ = write!(line, " {}", self.recent());
        }
        line.push_str(" | scores");
        for score in scores {
            let name = short_name(env_id(&self.envs, score.task));
            let _ = write!(line, " {name} {}", two_decimals(score.normalized));
        }
        line.push('\n');
        self.say(&line)
    }

    fn row(&mut self, row: &Row) -> Result<(), SinkError> {
        let columns = Columns::new(&self.envs, self.phases.iter().map(|(task, _)| *task));
        let mut text = String::new();
        if row.trained.is_none() {
            text.push_str(&columns.header(&self.envs));
        }
        text.push_str(&columns.row(row, &self.envs));
        self.say(&text)
    }
}

impl Sink for ProgressSink {
    fn record(&mut self, event: &Event<'_>) -> Result<(), SinkError> {
        match event {
            Event::Stepped { step } => {
                self.step(*step);
                Ok(())
            }
            Event::Resumed { step, playing, matrix } => self.resumed(*step, *playing, matrix),
            Event::PhaseStarted { step, phase, task } => self.start_phase(*step, *phase, *task),
            Event::Episode(episode) => {
                self.episode(episode.episode_return);
                Ok(())
            }
            Event::Evaluated { step, scores, .. } => self.evaluated(*step, scores),
            Event::Row { row, .. } => self.row(row),
            Event::Warning { step, message } => self.warn(*step, message),
            Event::Broken { step, .. } | Event::Finished { step, .. } => {
                self.step(*step);
                if let Some(bars) = &mut self.bars {
                    bars.finish();
                }
                self.flush()
            }
            Event::Updated { .. } | Event::Consolidated { .. } | Event::Kept { .. } | Event::Recorded { .. } => Ok(()),
        }
    }

    fn flush(&mut self) -> Result<(), SinkError> {
        tolerate("standard output", self.out.flush())?;
        tolerate("standard error", self.err.flush())
    }
}

fn print(stream: &mut dyn Write, name: &str, text: &str) -> Result<(), SinkError> {
    tolerate(name, stream.write_all(text.as_bytes()).and_then(|()| stream.flush()))
}

/// Nobody reads any more: that is no reason to stop a run.
fn tolerate(name: &str, result: io::Result<()>) -> Result<(), SinkError> {
    match result {
        Err(cause) if cause.kind() != io::ErrorKind::BrokenPipe => Err(SinkError::new(Path::new(name), cause)),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use engram_envs::End;
    use indicatif::ProgressDrawTarget;

    use super::*;
    use crate::event::Episode;
    use crate::metrics::{Metrics, Trained};

    /// A stream that the test reads afterwards.
    #[derive(Clone, Default)]
    struct Shared(Arc<Mutex<Vec<u8>>>);

    impl Shared {
        fn text(&self) -> String {
            String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
        }
    }

    impl Write for Shared {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().write(bytes)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    struct Failing(io::ErrorKind);

    impl Write for Failing {
        fn write(&mut self, _: &[u8]) -> io::Result<usize> {
            Err(self.0.into())
        }

        fn flush(&mut self) -> io::Result<()> {
            Err(self.0.into())
        }
    }

    fn envs() -> Vec<String> {
        vec!["Catch".into(), "MinAtar/Breakout-v1".into()]
    }

    fn row(trained: Option<(usize, usize)>, normalized: [f64; 2]) -> Row {
        let trained = trained.map(|(phase, task)| Trained { phase, task: Some(task) });
        Row { step: 0, trained, returns: normalized.to_vec(), normalized: normalized.to_vec() }
    }

    fn matrix() -> PerformanceMatrix {
        let rows = vec![row(None, [0.0, -0.125]), row(Some((0, 0)), [1.0, 0.0]), row(Some((1, 1)), [0.5, f64::NAN])];
        PerformanceMatrix { rows }
    }

    fn record_a_run(sink: &mut ProgressSink) -> Result<(), SinkError> {
        let (matrix, metrics) = (matrix(), Metrics::default());
        sink.record(&Event::Row { row: &matrix.rows[0], matrix: &matrix, metrics: &metrics })?;
        sink.record(&Event::PhaseStarted { step: 0, phase: 0, task: Some(0) })?;
        for index in 1..=100 {
            let step = 10 * index;
            sink.record(&Event::Episode(Episode {
                step,
                phase: 0,
                task: 0,
                episode: index - 1,
                episode_return: if index > 80 { 1.0 } else { -1.0 },
                length: 10,
                end: End::Terminated,
            }))?;
            let scores = [0, 1].map(|task| Score { task, returns: vec![], mean: 0.0, normalized: 0.25 });
            sink.record(&Event::Evaluated { step, phase: 0, scores: &scores })?;
        }
        sink.record(&Event::Warning { step: 1000, message: "few states" })?;
        sink.record(&Event::Row { row: &matrix.rows[1], matrix: &matrix, metrics: &metrics })?;
        sink.record(&Event::Finished { step: 1000, matrix: &matrix, metrics: &metrics })
    }

    fn told(verbosity: Verbosity) -> (String, String) {
        let (out, err) = (Shared::default(), Shared::default());
        let phases = [(Some(0), 1000), (Some(1), 1000)];
        let mut sink = ProgressSink::to(&envs(), &phases, verbosity, Box::new(out.clone()), Box::new(err.clone()));
        record_a_run(&mut sink).unwrap();
        (out.text(), err.text())
    }

    #[test]
    fn lines_tell_phases_evaluations_and_rows() {
        let (out, err) = told(Verbosity::Normal);
        let lines: Vec<_> = out.lines().collect();
        assert_eq!(lines[0], "                  Catch  Breakout");
        assert_eq!(lines[1], "untrained          0.00     -0.12");
        assert_eq!(lines[2], "phase 1/2: Catch, 1,000 steps");
        assert!(lines[3].starts_with("step 10/2,000 ("), "{}", lines[3]);
        assert!(lines[3].ends_with("return -1.00 | scores Catch 0.25 Breakout 0.25"), "{}", lines[3]);
        assert_eq!(lines.last().unwrap(), &"after 1 Catch      1.00      0.00");
        let evaluations = lines.iter().filter(|line| line.starts_with("step")).count();
        assert_eq!(evaluations, LINES_PER_PHASE as usize);
        assert!(lines[12].contains("return 0.10 |"), "moving mean of 9 losses and 11 wins: {}", lines[12]);
        assert_eq!(err, "warning: step 1000: few states\n");
    }

    #[test]
    fn quiet_leaves_only_warnings() {
        assert_eq!(told(Verbosity::Quiet), (String::new(), "warning: step 1000: few states\n".into()));
    }

    #[test]
    fn a_reader_that_went_away_does_not_stop_the_run() {
        let to = |kind| {
            let streams = (Box::new(Failing(kind)), Box::new(Failing(kind)));
            ProgressSink::to(&envs(), &[(Some(0), 1000)], Verbosity::Normal, streams.0, streams.1)
        };
        assert!(record_a_run(&mut to(io::ErrorKind::BrokenPipe)).is_ok());
        let error = record_a_run(&mut to(io::ErrorKind::StorageFull)).unwrap_err();
        assert!(error.to_string().starts_with("cannot write standard output"), "{error}");
    }

    #[test]
    fn bars_survive_a_whole_run() {
        let mut sink = ProgressSink::to(
            &envs(),
            &[(Some(0), 1000), (Some(1), 1000)],
            Verbosity::Normal,
            Box::new(io::sink()),
            Box::new(io::sink()),
        );
        let bars = Bars::new(2000);
        bars.all.set_draw_target(ProgressDrawTarget::hidden());
        sink.bars = Some(bars);
        record_a_run(&mut sink).unwrap();
        let bars = sink.bars.unwrap();
        assert_eq!(bars.total.position(), 1000);
        assert!(bars.total.is_finished());
    }
}
