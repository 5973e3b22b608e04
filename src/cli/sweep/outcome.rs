//! How a sweep has ended.

use std::collections::BTreeMap;

use super::{args::SweepWays, counts};
use crate::{
    cli::{Exit, output::print_json, print, shell},
    sweep::{Summary, Sweep, local::Ending},
};

/// How the runs of a sweep have ended.
pub struct SweepOutcome {
    /// Each run that was trained, by its index.
    pub endings: Vec<(usize, Ending)>,
    /// The signal that ended it early, if one has.
    pub signal: Option<usize>,
}

impl SweepOutcome {
    /// Says where the sweep stands now, and what comes next.
    pub fn report(&self, sweep: &Sweep, ways: &SweepWays) -> anyhow::Result<()> {
        let summary = Summary::new(sweep, &sweep.standings());
        let failed = self.failed(sweep);
        if ways.output.json {
            let failed: Vec<_> =
                failed.iter().map(|(run, line)| serde_json::json!({ "run": run, "last_line": line })).collect();
            let folder = &sweep.folder;
            print_json(
                &serde_json::json!({ "folder": folder, "summary": summary, "failed": failed, "submitted": [] }),
            )?;
        } else if !ways.quiet {
            print(&format!("{}: {}\n", sweep.folder.display(), counts(&summary)))?;
            for (run, line) in &failed {
                print(&format!("failed: {run}: {line}\n"))?;
            }
            let folder = shell::quoted(&sweep.folder);
            match self.signal {
                Some(_) => print("the same command again goes on\n")?,
                None if summary.finished > 0 => print(&format!("next:\n  engram report {folder}\n"))?,
                None => {}
            }
        }
        Ok(())
    }

    /// Which runs have failed, with the last line that each said.
    fn failed<'a>(&'a self, sweep: &'a Sweep) -> BTreeMap<&'a str, &'a str> {
        let failure = |(index, ending): &'a (usize, Ending)| match ending {
            Ending::Failed(line) => Some((sweep.runs[*index].run.as_str(), line.as_str())),
            _ => None,
        };
        self.endings.iter().filter_map(failure).collect()
    }

    /// The exit code of the command: that all runs are at their end, or that some could not go on, or were stopped.
    pub fn exit(&self) -> Exit {
        let failed = self.endings.iter().any(|(_, ending)| matches!(ending, Ending::Failed(_)));
        // Somebody else may have stopped a run.
        let stopped = self.endings.iter().any(|(_, ending)| matches!(ending, Ending::Stopped));
        match self.signal {
            Some(signal) => Exit::Signal(signal as u8),
            None if failed || stopped => Exit::Broken,
            None => Exit::Done,
        }
    }
}
