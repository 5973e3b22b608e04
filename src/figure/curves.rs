//! The learning curves: one panel a task, one colour a method.

use std::collections::BTreeSet;

use plotters::chart::MeshStyle;
use plotters::coord::{Shift, types::RangedCoordf64};
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

use super::canvas::{DrawError, Drawing, FINE};
use super::colors::colors;
use super::{Comparison, Evaluation, Group, Run, short_name};
use crate::statistics::{Bootstrap, CONFIDENCE, Interval, mean};

/// Resamples at each point of a curve: a band is looked at, not read off, and there are thousands of points.
const RESAMPLES: usize = 2_000;

const INK: RGBColor = RGBColor(0x22, 0x22, 0x22);
const GRID: RGBColor = RGBColor(0xD8, 0xD8, 0xD8);
const SHADE: RGBColor = RGBColor(0xF3, 0xEF, 0xE2);
/// Opacity of an interval.
const BAND: f64 = 0.18;

// Layout in points.
const MARGIN: i32 = 16;
const LEGEND_TOP: i32 = 62;
const LEGEND_ROW: i32 = 24;
const LEGEND_COLUMNS: usize = 5;
/// From the left end of a swatch to its label.
const LEGEND_INDENT: i32 = 32;
/// No less than the mean width of a letter in a legend.
const LETTER: i32 = 7;
const SHADE_LABEL: &str = "trained here";
const Y_AXIS: i32 = 56;
const X_AXIS: i32 = 44;
const COLUMN: i32 = 720;
const PANEL: i32 = 150;
const CAPTION: i32 = 30;
/// More panels than these on top of each other do not fit a page.
const STACK: usize = 5;

/// The axes of a panel before they are drawn.
type Axes<'a, 'b, B> = MeshStyle<'a, 'b, RangedCoordf64, RangedCoordf64, B>;

/// The curves of a comparison, computed and ready to draw.
pub struct Curves {
    title: String,
    subtitle: String,
    tasks: Vec<Task>,
    lines: Vec<Curve>,
    x: (f64, f64),
    y: (f64, f64),
    columns: usize,
    legend_columns: usize,
}

/// What a panel shows of an evaluation: one task, or the mean over tasks.
#[derive(Clone, Copy)]
enum Shown {
    Task(usize),
    /// All tasks whose training has begun.
    SoFar,
}

/// Tasks that a figure of all tasks so far shows by themselves.
const SHOWN_BY_THEMSELVES: usize = 3;

/// A panel's caption and when its task is trained, in thousands of steps.
struct Task {
    name: String,
    trained: Vec<(f64, f64)>,
}

/// One group of runs in every panel.
struct Curve {
    label: String,
    color: RGBColor,
    tasks: Vec<Vec<Point>>,
}

#[derive(Clone, Copy)]
struct Point {
    x: f64,
    mean: f64,
    band: Option<Interval>,
}

impl Curves {
    /// A panel for every task.
    pub fn new(comparison: &Comparison) -> Self {
        let title = format!("{}: score on each task while all are learned in turn", comparison.preset);
        Self::of(
            comparison,
            title,
            tasks(comparison).into_iter().enumerate().map(|(task, panel)| (Shown::Task(task), panel)),
        )
    }

    /// A panel for each of the first tasks, and one for the mean over all tasks so far.
    pub fn so_far(comparison: &Comparison) -> Self {
        let tasks = tasks(comparison);
        let count = tasks.len();
        let title =
            format!("{}: {count} tasks in sequence, the first ones and the mean over all so far", comparison.preset);
        let first = tasks.into_iter().take(SHOWN_BY_THEMSELVES).enumerate();
        let all = Task { name: "all tasks so far, in the mean".into(), trained: Vec::new() };
        Self::of(comparison, title, first.map(|(task, panel)| (Shown::Task(task), panel)).chain([(Shown::SoFar, all)]))
    }

    /// Computes means and intervals.
    fn of(comparison: &Comparison, title: String, panels: impl Iterator<Item = (Shown, Task)>) -> Self {
        let (shown, tasks): (Vec<Shown>, Vec<Task>) = panels.unzip();
        let runs = comparison.groups.first().map_or(0, |group| group.runs.len());
        let equal = comparison.groups.iter().all(|group| group.runs.len() == runs);
        let seeds = match (equal, runs) {
            (false, _) => "Mean over seeds (their number in parentheses) with 95 % bootstrap interval".to_owned(),
            (true, 1) => "One seed".to_owned(),
            (true, _) => format!("Mean over {runs} seeds with 95 % bootstrap interval"),
        };
        let colors = colors(comparison.groups.iter().map(|group| group.method.as_str()));
        let groups = comparison.groups.iter().zip(colors);
        let lines: Vec<Curve> = groups.map(|(group, color)| Curve::new(group, color, !equal, &shown)).collect();
        let points = || lines.iter().flat_map(|curve| curve.tasks.iter().flatten());
        let trained = tasks.iter().flat_map(|task| &task.trained).flat_map(|&(from, to)| [from, to]);
        let x = extent((0.0, 0.0), points().map(|point| point.x).chain(trained));
        let bands = points().filter_map(|point| point.band).flat_map(|band| [band.low, band.high]);
        let y = extent((0.0, 1.0), points().map(|point| point.mean).chain(bands));
        let pad = 0.04 * (y.1 - y.0);
        Self {
            title,
            subtitle: format!("{seeds}. Score 0: random policy, 1: agent trained on the task alone."),
            columns: tasks.len().div_ceil(STACK).max(1),
            legend_columns: legend_columns(&lines),
            tasks,
            lines,
            x: (x.0, x.1.max(x.0 + 1e-3)),
            y: (y.0 - pad, y.1 + pad),
        }
    }

    /// Panels in a full column.
    fn stack(&self) -> usize {
        self.tasks.len().div_ceil(self.columns)
    }

    fn header_height(&self) -> i32 {
        let rows = (self.lines.len() + 1).div_ceil(self.legend_columns);
        LEGEND_TOP + rows as i32 * LEGEND_ROW
    }

    fn header<B: DrawingBackend>(&self, area: &DrawingArea<B, Shift>) -> Result<(), DrawError<B>> {
        area.draw_text(&self.title, &font(19), (MARGIN * FINE, 12 * FINE))?;
        area.draw_text(&self.subtitle, &font(14), (MARGIN * FINE, 37 * FINE))?;
        let style = font(15).pos(Pos::new(HPos::Left, VPos::Center));
        let methods = self.lines.iter().map(|curve| (curve.label.as_str(), Some(curve.color)));
        for (index, (label, line)) in methods.chain([(SHADE_LABEL, None)]).enumerate() {
            let (column, row) = ((index % self.legend_columns) as i32, (index / self.legend_columns) as i32);
            let left = MARGIN + column * COLUMN / self.legend_columns as i32;
            let middle = LEGEND_TOP + row * LEGEND_ROW + LEGEND_ROW / 2;
            let swatch =
                |half: i32| [(left * FINE, (middle - half) * FINE), ((left + 26) * FINE, (middle + half) * FINE)];
            match line {
                Some(color) => {
                    area.draw(&Rectangle::new(swatch(7), color.mix(BAND).filled()))?;
                    area.draw(&Rectangle::new(swatch(1), color.filled()))?;
                }
                None => area.draw(&Rectangle::new(swatch(7), SHADE.filled()))?,
            }
            area.draw_text(label, &style, ((left + LEGEND_INDENT) * FINE, middle * FINE))?;
        }
        Ok(())
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
        for curve in &self.lines {
            let band = curve.tasks[task].iter().filter_map(|point| Some((point.x, point.band?)));
            let low = band.clone().map(|(x, band)| (x, band.low));
            let high = band.rev().map(|(x, band)| (x, band.high));
            chart.draw_series([Polygon::new(low.chain(high).collect::<Vec<_>>(), curve.color.mix(BAND))])?;
        }
        for curve in &self.lines {
            let line = curve.tasks[task].iter().map(|point| (point.x, point.mean));
            chart.draw_series(LineSeries::new(line, curve.color.stroke_width(2 * FINE as u32)))?;
        }
        Ok(())
    }

    fn is_last_in_column(&self, task: usize) -> bool {
        (task + 1).is_multiple_of(self.stack()) || task + 1 == self.tasks.len()
    }
}

impl Drawing for Curves {
    fn size(&self) -> (u32, u32) {
        let width = MARGIN + self.columns as i32 * (COLUMN + MARGIN);
        let height = self.header_height() + self.stack() as i32 * (CAPTION + PANEL) + X_AXIS + MARGIN / 2;
        (width as u32, height as u32)
    }

    fn draw<B: DrawingBackend>(&self, area: &DrawingArea<B, Shift>) -> Result<(), DrawError<B>> {
        area.fill(&WHITE)?;
        self.header(area)?;
        for task in 0..self.tasks.len() {
            let (column, row) = ((task / self.stack()) as i32, (task % self.stack()) as i32);
            let left = MARGIN + column * (COLUMN + MARGIN);
            let top = self.header_height() + row * (CAPTION + PANEL);
            let cell =
                area.clone().shrink((left * FINE, top * FINE), (COLUMN * FINE, (CAPTION + PANEL + X_AXIS) * FINE));
            self.panel(&cell, task)?;
        }
        Ok(())
    }
}

impl Curve {
    fn new(group: &Group, color: RGBColor, count: bool, shown: &[Shown]) -> Self {
        let runs = group.runs.len();
        let bootstrap = Bootstrap::new(runs, RESAMPLES, 0);
        let evaluations = group.runs.first().map_or(0, |run| run.evaluations.len());
        let point = |shown: Shown, index: usize| {
            let scores: Vec<f64> = group.runs.iter().map(|run| shown.score(run, index)).collect();
            let band = (runs > 1).then(|| bootstrap.mean_interval(&scores, CONFIDENCE));
            Point { x: thousands(group.runs[0].evaluations[index].step), mean: mean(&scores), band }
        };
        let curve = |shown: &Shown| {
            // A diverged run has no number to draw; the gap shows.
            (0..evaluations).map(|index| point(*shown, index)).filter(|point| point.mean.is_finite()).collect()
        };
        Self {
            label: if count { format!("{} ({runs})", group.label) } else { group.label.clone() },
            color,
            tasks: shown.iter().map(curve).collect(),
        }
    }
}

impl Shown {
    fn score(self, run: &Run, index: usize) -> f64 {
        let Evaluation { phase, normalized, .. } = &run.evaluations[index];
        match self {
            Self::Task(task) => normalized[task],
            Self::SoFar => {
                let trained = run.matrix.rows.iter().filter_map(|row| row.trained);
                let begun: BTreeSet<usize> =
                    trained.filter(|trained| trained.phase <= *phase).map(|trained| trained.task).collect();
                mean(&begun.into_iter().map(|task| normalized[task]).collect::<Vec<_>>())
            }
        }
    }
}

/// The tasks of the runs and the phases in which each is trained, from the boundaries of the performance matrix.
fn tasks(comparison: &Comparison) -> Vec<Task> {
    let rows = comparison.example().map_or(&[][..], |run| &run.matrix.rows);
    let phases = |task: usize| {
        rows.windows(2)
            .filter(|pair| pair[1].trained.is_some_and(|trained| trained.task == task))
            .map(|pair| (thousands(pair[0].step), thousands(pair[1].step)))
            .collect()
    };
    let name = |(task, env): (usize, &String)| Task { name: short_name(env).to_owned(), trained: phases(task) };
    comparison.envs.iter().enumerate().map(name).collect()
}

/// As many columns as leave room for the longest label.
fn legend_columns(lines: &[Curve]) -> usize {
    let letters = lines.iter().map(|curve| curve.label.chars().count()).fold(SHADE_LABEL.len(), usize::max);
    let widest = LEGEND_INDENT as usize + letters * LETTER as usize;
    (COLUMN as usize / widest).clamp(1, LEGEND_COLUMNS)
}

/// How every panel's axes look: horizontal lines alone, and no more of them than there are labels.
pub fn quiet<'m, 'a, 'b, B: DrawingBackend>(mesh: &'m mut Axes<'a, 'b, B>) -> &'m mut Axes<'a, 'b, B> {
    mesh.disable_x_mesh()
        .light_line_style(TRANSPARENT)
        .bold_line_style(GRID.stroke_width(FINE as u32 / 2))
        .axis_style(INK.stroke_width(FINE as u32 / 2))
        .label_style(font(14))
        .axis_desc_style(font(15))
        .set_all_tick_mark_size(4 * FINE)
}

/// The smallest and the largest of the values, and of `start`.
pub fn extent(start: (f64, f64), values: impl Iterator<Item = f64>) -> (f64, f64) {
    values.filter(|value| value.is_finite()).fold(start, |(low, high), value| (low.min(value), high.max(value)))
}

fn thousands(step: u64) -> f64 {
    step as f64 / 1000.0
}

/// The figures' font in a size.
pub fn font(points: i32) -> TextStyle<'static> {
    ("sans-serif", points * FINE).into_font().color(&INK)
}

#[cfg(test)]
mod tests {
    use super::super::canvas;
    use super::super::runs::tests::run;
    use super::*;

    fn comparison() -> Comparison {
        let scores = |shift: f64| [[0.0, 0.1], [1.0 - shift, 0.2], [0.5 + shift, 0.9]];
        let runs = [("ewc", 1, 0.0), ("ewc", 2, 0.1), ("fine-tune", 1, 0.2)];
        Comparison::new(runs.map(|(method, seed, shift)| run(method, seed, scores(shift))).into()).unwrap()
    }

    #[test]
    fn a_curve_is_the_mean_over_seeds_with_its_band() {
        let comparison = comparison();
        let curves = Curves::new(&comparison);
        let point = curves.lines[1].tasks[0][1];
        assert_eq!((point.x, point.mean), (1.0, 0.95));
        assert_eq!(point.band, Some(Interval { low: 0.9, high: 1.0 }));
        assert!(curves.lines[0].tasks[0][1].band.is_none());
        assert_eq!(curves.tasks[1].trained, [(1.0, 2.0)]);
    }

    #[test]
    fn tasks_count_in_the_mean_from_the_phase_that_begins_them() {
        let curves = Curves::so_far(&comparison());
        let all: Vec<f64> = curves.lines[0].tasks.last().unwrap().iter().map(|point| point.mean).collect();
        // fine-tune has one run: the first task alone, then both.
        assert_eq!(all, [0.0, 0.8, f64::midpoint(0.7, 0.9)]);
        assert_eq!(curves.tasks.len(), 3, "two tasks and their mean");
    }

    #[test]
    fn long_labels_do_not_overlap_in_the_legend() {
        let mut comparison = comparison();
        assert_eq!(Curves::new(&comparison).legend_columns, LEGEND_COLUMNS);
        comparison.groups[0].label = "fine-tune, agent.optimizer.learning_rate = 0.0003".into();
        let curves = Curves::new(&comparison);
        assert_eq!(curves.legend_columns, 1);
        assert!(curves.header_height() >= LEGEND_TOP + 3 * LEGEND_ROW);
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
