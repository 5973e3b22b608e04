//! `engram report`: many runs compared, on the terminal and as a page.

use std::process::ExitCode;

use super::args::{Intervals, ReportArgs};
use super::table::table;
use super::{Exit, print};
use crate::figure::Comparison;
use crate::report::tables::{self, Cell, Table};
use crate::report::{self, Report};
use crate::statistics::Resampling;

/// Runs the command.
pub(super) fn run(args: &ReportArgs) -> anyhow::Result<ExitCode> {
    if let Some(out) = &args.out {
        report::check_output(out)?;
    }
    let comparison = Comparison::read(&args.runs)?;
    let resampling = match args.intervals {
        Intervals::WholeRun => Resampling::WholeRuns,
        Intervals::Stratified => Resampling::Stratified,
    };
    let report = Report::new(&comparison, resampling);
    let files = match &args.out {
        Some(out) => report.write(out, &args.runs)?,
        None => Vec::new(),
    };
    if args.output.json {
        print(&report.json())?;
    } else {
        let [scores, sequence] = tables::narrow(&report);
        let tables = [
            Some(scores),
            Some(sequence),
            tables::costs(&report),
            tables::improvements(&report),
            tables::single_runs(&report),
        ];
        let mut parts: Vec<String> = tables.iter().flatten().map(text).collect();
        parts.push(comparison.left_out());
        parts.retain(|part| !part.is_empty());
        let written: Vec<String> = files.iter().map(|path| format!("{}\n", path.display())).collect();
        parts.extend((!written.is_empty()).then(|| written.concat()));
        print(&parts.join("\n"))?;
    }
    Ok(Exit::Done.into())
}

fn text(Table { caption, headings, rows }: &Table) -> String {
    let cells = rows.iter().map(|row| row.iter().map(Cell::text).collect());
    let lines: Vec<Vec<String>> = [headings.clone()].into_iter().chain(cells).collect();
    format!("{caption}\n{}", table(&lines))
}
