//! The learning curves: one panel a task, one colour a group.

use plotters::coord::Shift;
use plotters::prelude::*;
use serde::Serialize;

use super::canvas::{DrawError, Drawing, FINE};
use super::colors::colors;
use super::header::{Header, Swatch};
use super::panel::{
    Line, MARGIN, Point, SHADE, WIDTH, X_AXIS, Y_AXIS, draw_lines, extent, font, quiet, score_axis, thousands,
};
use super::{Comparison, Evaluation, Group, Run, short_name};
use crate::statistics::{Bootstrap, CONFIDENCE, Estimate, mean};

/// Resamples at each point of a curve: a band is looked at, not read off, and there are thousands of points.
pub const RESAMPLES: usize = 2_000;

// Layout in points.
const PANEL: i32 = 150;
const CAPTION: i32 = 30;
/// More panels than these on top of each other do not fit a page.
const STACK: usize = 5;

/// Tasks that a figure of all tasks so far shows by themselves.
const SHOWN_BY_THEMSELVES: usize = 3;

/// What a panel shows of an evaluation.
#[derive(Clone, Copy)]
enum Shown {
    /// The score on one task.
    Task(usize),
    /// The mean over all tasks whose training has begun.
    SoFar,
}

/// The mean score over runs of every task at every evaluation, `[evaluations, tasks]`, with 95 % intervals over whole runs.
pub fn learning_curve(group: &Group) -> Vec<Vec<Estimate>> {
    let tasks = group.runs.first().map_or(0, |run| run.envs.len());
    curve(group, &(0..tasks).map(Shown::Task).collect::<Vec<_>>())
}

/// The same of whatever is shown, `[evaluations, shown]`.
fn curve(group: &Group, shown: &[Shown]) -> Vec<Vec<Estimate>> {
    let Some(first) = group.runs.first() else { return Vec::new() };
    let evaluations = first.evaluations.len();
    let columns = evaluations * shown.len();
    let mut scores = Vec::with_capacity(group.runs.len() * columns);
    for run in &group.runs {
        scores.extend((0..evaluations).flat_map(|index| shown.iter().map(move |shown| shown.score(run, index))));
    }
    let intervals = Bootstrap::new(group.runs.len(), RESAMPLES, 0).mean_intervals(&scores, columns, CONFIDENCE);
    let column = |column: usize| scores.iter().copied().skip(column).step_by(columns).collect::<Vec<_>>();
    let estimates: Vec<Estimate> = intervals
        .into_iter()
        .enumerate()
        .map(|(index, interval)| Estimate { value: mean(&column(index)), interval })
        .collect();
    estimates.chunks_exact(shown.len().max(1)).map(<[_]>::to_vec).collect()
}

impl Shown {
    fn score(self, run: &Run, index: usize) -> f64 {
        let Evaluation { phase, normalized, .. } = &run.evaluations[index];
        match self {
            Self::Task(task) => normalized[task],
            Self::SoFar => {
                let trained = run.matrix.rows.iter().filter_map(|row| row.trained);
                let begun: Vec<_> = trained.filter(|trained| trained.phase <= *phase).collect();
                let has_begun = |task: usize| begun.iter().any(|trained| trained.is(task));
                let scores = normalized.iter().enumerate().filter(|(task, _)| has_begun(*task));
                mean(&scores.map(|(_, score)| *score).collect::<Vec<_>>())
            }
        }
    }
}

/// The curves of a comparison, computed and ready to draw.
pub struct Curves {
    header: Header,
    tasks: Vec<Task>,
    /// Of each task, a line a group.
    lines: Vec<Vec<Line>>,
    x: (f64, f64),
    y: (f64, f64),
    columns: usize,
}

/// A panel's caption and when its task is trained, in thousands of steps.
struct Task {
    name: String,
    trained: Vec<(f64, f64)>,
}

/// A point of a curve, as a line of a table.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct CurvePoint {
    /// What the panel shows.
    pub panel: String,
    /// The group's label.
    pub group: String,
    /// Environment steps so far.
    pub step: u64,
    /// The mean over runs.
    pub mean: f64,
    /// The lower end of its 95 % interval; None for one run.
    pub low: Option<f64>,
    /// The upper end.
    pub high: Option<f64>,
}

impl Curves {
    /// Computes means and intervals.
    pub fn new(comparison: &Comparison) -> Self {
        let curves: Vec<_> = comparison.groups.iter().map(learning_curve).collect();
        Self::of(comparison, &curves)
    }

    /// Lays out the [`learning_curve`]s of the groups.
    pub fn of(comparison: &Comparison, curves: &[Vec<Vec<Estimate>>]) -> Self {
        let title = format!("{}: score on each task while all are learned in turn", comparison.preset);
        Self::lay_out(comparison, title, tasks(comparison), curves)
    }

    /// A panel for each of the first tasks, and one for the mean over all tasks so far.
    pub fn so_far(comparison: &Comparison) -> Self {
        let count = comparison.envs.len();
        let title =
            format!("{}: {count} tasks in sequence, the first ones and the mean over all so far", comparison.preset);
        let mut panels: Vec<Task> = tasks(comparison).into_iter().take(SHOWN_BY_THEMSELVES).collect();
        let shown: Vec<Shown> = (0..panels.len()).map(Shown::Task).chain([Shown::SoFar]).collect();
        panels.push(Task { name: "all tasks so far, in the mean".into(), trained: Vec::new() });
        let curves: Vec<_> = comparison.groups.iter().map(|group| curve(group, &shown)).collect();
        Self::lay_out(comparison, title, panels, &curves)
    }

    fn lay_out(comparison: &Comparison, title: String, tasks: Vec<Task>, curves: &[Vec<Vec<Estimate>>]) -> Self {
        let colors = colors(comparison.groups.iter().map(|group| group.method.as_str()));
        let line = |task: usize, index: usize| {
            let group = &comparison.groups[index];
            Line { color: colors[index], points: points(group, &curves[index], task) }
        };
        let lines: Vec<Vec<Line>> =
            (0..tasks.len()).map(|task| (0..colors.len()).map(|index| line(task, index)).collect()).collect();
        let shown = lines.iter().flatten().flat_map(|line| &line.points).map(|point| point.x);
        let trained = tasks.iter().flat_map(|task| &task.trained).flat_map(|&(from, to)| [from, to]);
        let x = extent((0.0, 0.0), shown.chain(trained));
        let mut legend = legend(comparison);
        legend.push(("trained here".into(), Swatch::Area(SHADE)));
        Self {
            header: Header {
                title,
                subtitle: format!("{}. Score 0: random policy, 1: agent trained on the task alone.", seeds(comparison)),
                legend,
            },
            columns: tasks.len().div_ceil(STACK).max(1),
            y: score_axis(lines.iter().flatten()),
            tasks,
            lines,
            x: (x.0, x.1.max(x.0 + 1e-3)),
        }
    }

    /// All points, panel after panel and group after group.
    pub fn table(&self, comparison: &Comparison) -> Vec<CurvePoint> {
        let panels = self.tasks.iter().zip(&self.lines);
        let lines = panels.flat_map(|(task, lines)| lines.iter().zip(&comparison.groups).map(move |line| (task, line)));
        let points = |(task, (line, group)): (&Task, (&Line, &Group))| {
            let point = |point: &Point| CurvePoint {
                panel: task.name.clone(),
                group: group.label.clone(),
                step: (point.x * 1e3).round() as u64,
                mean: point.y,
                low: point.band.map(|band| band.low),
                high: point.band.map(|band| band.high),
            };
            line.points.iter().map(point).collect::<Vec<_>>()
        };
        lines.flat_map(points).collect()
    }

    /// Panels in a full column.
    fn stack(&self) -> usize {
        self.tasks.len().div_ceil(self.columns)
    }

    fn panel<B: DrawingBackend>(&self, area: &DrawingArea<B, Shift>, task: usize) -> Result<(), DrawError<B>> {
        let Task { name, trained } = &self.tasks[task];
        area.draw_text(name, &font(16), (Y_AXIS * FINE, 9 * FINE))?;
        let mut chart = ChartBuilder::on(area)
            .margin_top(CAPTION * FINE)
            .set_label_area_size(LabelAreaPosition::Left, Y_AXIS * FINE)
            .set_label_area_size(LabelAreaPosition::Bottom, X_AXIS * FINE)
            .build_cartesian_2d(self.x.0..self.x.1, self.y.0..self.y.1)?;
        let (low, high) = self.y;
        chart
            .draw_series(trained.iter().map(|&(from, to)| Rectangle::new([(from, low), (to, high)], SHADE.filled())))?;
        let last = self.is_last_in_column(task);
        let mut mesh = chart.configure_mesh();
        quiet(&mut mesh)
            .x_labels(if last { 8 } else { 0 })
            .y_labels(4)
            .x_label_formatter(&|x| format!("{x}"))
            .y_label_formatter(&|y| format!("{y:.1}"))
            .y_desc("score");
        if last {
            mesh.x_desc("environment steps (thousands)");
        }
        mesh.draw()?;
        draw_lines(&mut chart, &self.lines[task])
    }

    fn is_last_in_column(&self, task: usize) -> bool {
        (task + 1).is_multiple_of(self.stack()) || task + 1 == self.tasks.len()
    }
}

impl Drawing for Curves {
    fn size(&self) -> (u32, u32) {
        let width = MARGIN + self.columns as i32 * (WIDTH + MARGIN);
        let height = self.header.height() + self.stack() as i32 * (CAPTION + PANEL) + X_AXIS + MARGIN / 2;
        (width as u32, height as u32)
    }

    fn draw<B: DrawingBackend>(&self, area: &DrawingArea<B, Shift>) -> Result<(), DrawError<B>> {
        area.fill(&WHITE)?;
        self.header.draw(area)?;
        for task in 0..self.tasks.len() {
            let (column, row) = ((task / self.stack()) as i32, (task % self.stack()) as i32);
            let left = MARGIN + column * (WIDTH + MARGIN);
            let top = self.header.height() + row * (CAPTION + PANEL);
            let cell =
                area.clone().shrink((left * FINE, top * FINE), (WIDTH * FINE, (CAPTION + PANEL + X_AXIS) * FINE));
            self.panel(&cell, task)?;
        }
        Ok(())
    }
}

/// The points of one task's line. A diverged run has no number to draw; the gap shows.
fn points(group: &Group, curve: &[Vec<Estimate>], task: usize) -> Vec<Point> {
    let several = group.runs.len() > 1;
    let evaluations = group.runs.first().map_or(&[][..], |run| &run.evaluations);
    let point = |(at, estimates): (&Evaluation, &Vec<Estimate>)| {
        let Estimate { value, interval } = estimates[task];
        Point { x: thousands(at.step), y: value, band: several.then_some(interval) }
    };
    evaluations.iter().zip(curve).map(point).filter(|point| point.y.is_finite()).collect()
}

/// What the lines and bands of a figure are.
pub fn seeds(comparison: &Comparison) -> String {
    match equal_runs(comparison) {
        None => "Mean over seeds (their number in parentheses) with 95 % bootstrap interval".into(),
        Some(1) => "One seed".into(),
        Some(runs) => format!("Mean over {runs} seeds with 95 % bootstrap interval"),
    }
}

/// A label a group, with its number of runs where these differ.
pub fn legend(comparison: &Comparison) -> Vec<(String, Swatch)> {
    let equal = equal_runs(comparison).is_some();
    let colors = colors(comparison.groups.iter().map(|group| group.method.as_str()));
    let label = |(group, color): (&Group, RGBColor)| {
        let label = if equal { group.label.clone() } else { format!("{} ({})", group.label, group.runs.len()) };
        (label, Swatch::Line(color))
    };
    comparison.groups.iter().zip(colors).map(label).collect()
}

/// How many runs every group has, if all have as many.
fn equal_runs(comparison: &Comparison) -> Option<usize> {
    let runs = comparison.groups.first().map_or(0, |group| group.runs.len());
    comparison.groups.iter().all(|group| group.runs.len() == runs).then_some(runs)
}

/// The tasks of the runs and the phases in which each is trained, from the boundaries of the performance matrix.
fn tasks(comparison: &Comparison) -> Vec<Task> {
    let rows = comparison.example().map_or(&[][..], |run| &run.matrix.rows);
    let phases = |task: usize| {
        rows.windows(2)
            .filter(|pair| pair[1].trained.is_some_and(|trained| trained.is(task)))
            .map(|pair| (thousands(pair[0].step), thousands(pair[1].step)))
            .collect()
    };
    let name = |(task, env): (usize, &String)| Task { name: short_name(env).to_owned(), trained: phases(task) };
    comparison.envs.iter().enumerate().map(name).collect()
}

#[cfg(test)]
mod tests {
    use super::super::canvas;
    use super::super::runs::tests::run;
    use super::*;
    use crate::statistics::Interval;

    fn comparison() -> Comparison {
        let scores = |shift: f64| [[0.0, 0.1], [1.0 - shift, 0.2], [0.5 + shift, 0.9]];
        let runs = [("ewc", 1, 0.0), ("ewc", 2, 0.1), ("fine-tune", 1, 0.2)];
        Comparison::new(runs.map(|(method, seed, shift)| run(method, seed, scores(shift))).into()).unwrap()
    }

    #[test]
    fn a_curve_is_the_mean_over_seeds_with_its_band() {
        let comparison = comparison();
        let curves = Curves::new(&comparison);
        let point = curves.lines[0][1].points[1];
        assert_eq!((point.x, point.y), (1.0, 0.95));
        assert_eq!(point.band, Some(Interval { low: 0.9, high: 1.0 }));
        assert!(curves.lines[0][0].points[1].band.is_none());
        assert_eq!(curves.tasks[1].trained, [(1.0, 2.0)]);
    }

    #[test]
    fn tasks_count_in_the_mean_from_the_phase_that_begins_them() {
        let curves = Curves::so_far(&comparison());
        // fine-tune has one run: the first task alone, then both.
        let all: Vec<f64> = curves.lines.last().unwrap()[0].points.iter().map(|point| point.y).collect();
        assert_eq!(all, [0.0, 0.8, f64::midpoint(0.7, 0.9)]);
        assert_eq!(curves.tasks.len(), 3, "two tasks and their mean");
        let table = curves.table(&comparison());
        let last = table.last().unwrap();
        assert_eq!(
            (last.panel.as_str(), last.group.as_str(), last.step),
            ("all tasks so far, in the mean", "ewc", 2000)
        );
        assert_eq!((last.mean, last.low.is_some()), (0.725, true));
    }

    #[test]
    fn the_figure_names_tasks_methods_and_axes_and_never_changes() {
        let comparison = comparison();
        let text = canvas::svg(&Curves::new(&comparison)).unwrap();
        for label in ["Catch", "Breakout", "ewc (2)", "fine-tune (1)", "environment steps (thousands)"] {
            assert!(text.contains(label), "{label}");
        }
        assert_eq!(text, canvas::svg(&Curves::new(&comparison)).unwrap());
        let png = canvas::png(&Curves::new(&comparison)).unwrap();
        assert_eq!(png, canvas::png(&Curves::new(&comparison)).unwrap());
    }
}
