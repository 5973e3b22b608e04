//! The figures of a report, each with the words that go with it.

use std::borrow::Cow;

use super::Report;
use crate::figure::{self, Comparison, Figure, FigureError};
use crate::parallel;
use crate::statistics::Estimate;

/// Groups that a figure can tell apart by colour. The tables have all of them.
const MOST_DRAWN: usize = 12;

/// A figure and what is said about it.
pub struct Picture {
    /// Its file name without the ending.
    pub name: &'static str,
    /// Its heading.
    pub title: &'static str,
    /// How to read it.
    pub caption: String,
    /// What it shows, for who cannot see it.
    pub description: String,
    /// The picture.
    pub figure: Figure,
}

/// A figure that is yet to be drawn.
struct Sketch<'a> {
    name: &'static str,
    title: &'static str,
    caption: &'static str,
    draw: Box<dyn Fn() -> Result<Option<Figure>, FigureError> + Sync + 'a>,
}

/// Draws all figures that the runs have something to show in.
pub fn draw(report: &Report, curves: &[Vec<Vec<Estimate>>]) -> Result<Vec<Picture>, FigureError> {
    let all = report.comparison;
    let shown: Cow<Comparison> = if all.groups.len() > MOST_DRAWN {
        let mut first = all.clone();
        first.groups.truncate(MOST_DRAWN);
        Cow::Owned(first)
    } else {
        Cow::Borrowed(all)
    };
    let shown = shown.as_ref();
    let sketches = sketches(report, shown, curves);
    let drawn = parallel::map(&sketches, |sketch| (sketch.draw)());
    let labels: Vec<&str> = shown.groups.iter().map(|group| group.label.as_str()).collect();
    let groups = labels.join("; ");
    let left_out = match all.groups.len() - shown.groups.len() {
        0 => String::new(),
        _ => format!(" Shown are the first {} of {} groups.", shown.groups.len(), all.groups.len()),
    };
    let mut pictures = Vec::new();
    for (Sketch { name, title, caption, .. }, figure) in sketches.iter().zip(drawn) {
        let Some(figure) = figure? else { continue };
        let description =
            format!("{title} of {}, for {groups}. The numbers stand in the tables and CSV files.", all.preset);
        pictures.push(Picture { name, title, caption: format!("{caption}{left_out}"), description, figure });
    }
    Ok(pictures)
}

fn sketches<'a>(report: &'a Report, shown: &'a Comparison, curves: &'a [Vec<Vec<Estimate>>]) -> [Sketch<'a>; 5] {
    [
        Sketch {
            name: "learning-curves",
            title: "Learning curves",
            caption: "The mean score on each task over the whole run, one panel a task, shaded while that task is trained; \
                      bands are 95 % intervals.",
            draw: Box::new(|| figure::learning_curves(shown, curves).map(Some)),
        },
        Sketch {
            name: "stability-plasticity",
            title: "Stability and plasticity",
            caption: "How well tasks are learnt against how much of the old ones is left at the end. Up and to the right \
                      is better on both counts. The axes need not begin at 0.",
            draw: Box::new(|| figure::stability_plasticity(shown)),
        },
        Sketch {
            name: "forgetting-curves",
            title: "Forgetting curves",
            caption: "The score on tasks by the steps since their training ended. At each distance it is the mean over the \
                      tasks that were left that long: all but the last at first, the first alone at the end. So a line \
                      falls where tasks are forgotten, and may rise where a worse task drops out of the mean.",
            draw: Box::new(|| figure::forgetting_curves(shown)),
        },
        Sketch {
            name: "performance-profiles",
            title: "Performance profiles",
            caption: "The share of final scores, over all runs and tasks, above each threshold.",
            draw: Box::new(|| figure::performance_profiles(shown, &report.thresholds, &report.profiles).map(Some)),
        },
        Sketch {
            name: "performance-matrices",
            title: "Performance matrices",
            caption: "The mean score on every task (columns) after each phase of training (rows), with 95 % intervals.",
            draw: Box::new(|| figure::mean_matrices(shown).map(Some)),
        },
    ]
}
