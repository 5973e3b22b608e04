//! Figures and tables that compare finished runs: what `engram figure` makes of run directories.

mod arrows;
mod canvas;
mod colors;
mod comparison;
mod curves;
mod error;
mod fisher;
mod folders;
mod header;
mod interventions;
mod line_chart;
mod matrices;
pub mod matrix;
mod panel;
mod profiles;
mod recall;
mod retention;
mod runs;
mod settings;
mod stability;
mod table;

use std::path::{Path, PathBuf};

pub use arrows::{Arrow, Landscape};
pub use canvas::Png;
pub use comparison::{Comparison, Group, Unfinished};
pub use curves::{CurvePoint, learning_curve};
pub use error::FigureError;
pub use fisher::{NamedLine, Noises, Overlaps};
pub use interventions::{Intervention, Interventions};
pub use panel::Point;
pub use recall::{Recall, Remembered};
#[cfg(test)]
pub(crate) use runs::tests::run as made_up_run;
pub use runs::{Evaluation, Run};
pub use settings::{Settings, decides};
pub use table::{MeanOverRuns, Summary, old_tasks, table};

use crate::snapshot;
use crate::statistics::Estimate;

/// Format of a figure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Format {
    Svg,
    Png,
}

/// Checks that a figure can be written to `out`, so that a typing error is found before any run is read.
pub fn check_output(out: &Path) -> Result<(), FigureError> {
    format(out).map(|_| ())
}

/// Draws the learning curves of `comparison` into `out`, an SVG or a PNG by its extension.
///
/// One panel a task: the mean normalised score over seeds and its 95 % bootstrap interval, a colour a group. The
/// background is shaded where the panel's own task is being trained. The same runs give the same bytes.
pub fn write(comparison: &Comparison, out: &Path) -> Result<(), FigureError> {
    draw(&curves::Curves::new(comparison), out)
}

/// Draws what an intervention does into `out`, an SVG or a PNG by its extension.
pub fn write_interventions(interventions: &Interventions<'_>, out: &Path) -> Result<(), FigureError> {
    draw(interventions, out)
}

/// A figure in both formats.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Figure {
    /// The text of an SVG.
    pub svg: String,
    /// The same as pixels.
    pub png: Png,
}

impl Figure {
    /// Writes both into a folder, under a name without its ending.
    pub fn write(&self, folder: &Path, name: &str) -> Result<Vec<PathBuf>, FigureError> {
        let files = [("svg", self.svg.as_bytes()), ("png", self.png.bytes.as_slice())];
        let write = |(ending, bytes): (&str, &[u8])| {
            let path = folder.join(format!("{name}.{ending}"));
            snapshot::replace(&path, bytes).map_err(|cause| FigureError::Write { path: path.clone(), cause })?;
            Ok(path)
        };
        files.into_iter().map(write).collect()
    }
}

/// The first tasks of `comparison` and the mean over all tasks so far, with the points of its curves.
pub fn so_far(comparison: &Comparison) -> Result<(Figure, Vec<CurvePoint>), FigureError> {
    let curves = curves::Curves::so_far(comparison);
    Ok((both(&curves)?, curves.table(comparison)))
}

/// Where a second game takes the parameters.
pub fn landscapes(landscapes: &[Landscape]) -> Result<Figure, FigureError> {
    both(&arrows::Landscapes(landscapes))
}

/// The Fisher overlap of tasks, layer by layer.
pub fn overlaps(overlaps: &Overlaps<'_>) -> Result<Figure, FigureError> {
    both(&overlaps.chart())
}

/// What noise on the parameters does to scores.
pub fn noises(noises: &Noises<'_>) -> Result<Figure, FigureError> {
    both(&noises.chart())
}

/// Draws the Fisher overlap and, if there is one, the noise test into `out`, an SVG or a PNG by its extension.
pub fn write_fisher(overlaps: &Overlaps<'_>, noises: Option<&Noises<'_>>, out: &Path) -> Result<(), FigureError> {
    let charts = [overlaps.chart()].into_iter().chain(noises.map(Noises::chart));
    draw(&line_chart::Stack(charts.collect()), out)
}

/// What is left of the first facts while others are learnt.
pub fn recall(recall: &Recall) -> Result<Figure, FigureError> {
    both(recall)
}

/// The learning curves of `comparison`, as [`write()`] draws them, of the [`learning_curve`]s of its groups.
pub fn learning_curves(comparison: &Comparison, curves: &[Vec<Vec<Estimate>>]) -> Result<Figure, FigureError> {
    both(&curves::Curves::of(comparison, curves))
}

/// The mean performance matrix of every group, with 95 % intervals over whole runs in its cells.
pub fn mean_matrices(comparison: &Comparison) -> Result<Figure, FigureError> {
    both(&matrices::Matrices::new(comparison))
}

/// The mean score on tasks by the steps since their training ended; None if no task is ever left.
///
/// A task counts from each end of a phase of its own until it is trained again, or until the run ends. At each distance the
/// mean is taken over the tasks that were left that long: all but the last at first, the first alone at the end.
pub fn forgetting_curves(comparison: &Comparison) -> Result<Option<Figure>, FigureError> {
    retention::chart(comparison).map(|chart| both(&chart)).transpose()
}

/// What groups learn (x: score right after a task's training) against what they keep (y: final score on tasks before the
/// last), a point a run and one a group; None where no task is left.
pub fn stability_plasticity(comparison: &Comparison) -> Result<Option<Figure>, FigureError> {
    stability::Stability::new(comparison).map(|stability| both(&stability)).transpose()
}

/// The performance profiles of the groups: the share of scores above each threshold.
pub fn performance_profiles(
    comparison: &Comparison,
    thresholds: &[f64],
    profiles: &[Vec<Estimate>],
) -> Result<Figure, FigureError> {
    both(&profiles::chart(comparison, thresholds, profiles))
}

/// The colour that each group has in every figure, as `#RRGGBB`.
pub fn group_colors(comparison: &Comparison) -> Vec<String> {
    let methods = comparison.groups.iter().map(|group| group.method.as_str());
    colors::colors(methods).into_iter().map(colors::hexadecimal).collect()
}

fn both(drawing: &impl canvas::Drawing) -> Result<Figure, FigureError> {
    Ok(Figure { svg: canvas::svg(drawing)?, png: canvas::png(drawing)? })
}

fn draw(drawing: &impl canvas::Drawing, out: &Path) -> Result<(), FigureError> {
    let bytes = match format(out)? {
        Format::Svg => canvas::svg(drawing)?.into_bytes(),
        Format::Png => canvas::png(drawing)?.bytes,
    };
    snapshot::replace(out, &bytes).map_err(|cause| FigureError::Write { path: out.to_owned(), cause })
}

fn format(out: &Path) -> Result<Format, FigureError> {
    let extension = out.extension().unwrap_or_default().to_string_lossy().to_ascii_lowercase();
    let format = match extension.as_str() {
        "svg" => Format::Svg,
        "png" => Format::Png,
        _ => return Err(FigureError::UnknownExtension { path: out.to_owned() }),
    };
    match out.parent() {
        Some(folder) if !folder.as_os_str().is_empty() && !folder.is_dir() => {
            Err(FigureError::MissingFolder { path: folder.to_owned() })
        }
        _ => Ok(format),
    }
}

/// The part of an environment id that tells it apart at a glance: `MinAtar/Breakout-v1` is `Breakout`.
pub fn short_name(id: &str) -> &str {
    // A namespace says where a game comes from. `Addition/0` and `PermutedCatch/a-0` have none: their name is needed.
    let name = match id.rsplit_once('/') {
        Some((_, name)) if name.starts_with(|first: char| first.is_ascii_uppercase()) => name,
        _ => id,
    };
    match name.rsplit_once("-v") {
        Some((stem, version)) if !version.is_empty() && version.bytes().all(|byte| byte.is_ascii_digit()) => stem,
        _ => name,
    }
}

/// A score as figures and tables print it; a zero has no sign.
pub fn two_decimals(score: f64) -> String {
    let text = format!("{score:.2}");
    if text == "-0.00" { "0.00".into() } else { text }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn short_names_drop_namespace_and_version_only() {
        for (id, short) in [
            ("CartPole-v1", "CartPole"),
            ("MinAtar/Breakout-v1", "Breakout"),
            ("Addition/0", "Addition/0"),
            ("PermutedCatch/a-0", "PermutedCatch/a-0"),
            ("Catch", "Catch"),
            ("Odd-very", "Odd-very"),
        ] {
            assert_eq!(short_name(id), short);
        }
    }

    #[test]
    fn zero_has_no_sign() {
        assert_eq!([-0.001, -0.006, 1.0].map(two_decimals), ["0.00", "-0.01", "1.00"]);
    }

    #[test]
    fn output_is_checked_first() {
        let folder = tempfile::tempdir().unwrap();
        assert!(check_output(&folder.path().join("a.PNG")).is_ok());
        assert!(check_output(Path::new("a.svg")).is_ok());
        let error = check_output(Path::new("a.pdf")).unwrap_err();
        assert_eq!(error.to_string(), "a.pdf must end in .svg or .png");
        assert!(matches!(check_output(Path::new("a")), Err(FigureError::UnknownExtension { .. })));
        let missing = folder.path().join("gone");
        assert!(
            matches!(check_output(&missing.join("a.svg")), Err(FigureError::MissingFolder { path }) if path == missing)
        );
    }
}
