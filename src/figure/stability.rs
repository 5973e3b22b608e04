//! Stability and plasticity: what a group learns against what it keeps.

use plotters::coord::Shift;
use plotters::prelude::*;

use super::canvas::{DrawError, Drawing, FINE};
use super::colors::colors;
use super::curves::legend;
use super::header::Header;
use super::panel::{MARGIN, WIDTH, X_AXIS, Y_AXIS, extent, quiet};
use super::{Comparison, Group, old_tasks};
use crate::metrics::Metrics;
use crate::statistics::{Bootstrap, CONFIDENCE, Interval, RESAMPLES, mean};

/// Points from the top to the bottom of the panel.
const PANEL: i32 = 400;
/// Opacity of a run.
const RUN: f64 = 0.4;
/// Runs of a group that are drawn one by one. More would cover each other, and fill the file.
const MOST_RUNS: usize = 200;
/// An axis is at least so long, or noise would look like a difference.
const SHORTEST: f64 = 0.2;

/// Where every group stands, ready to draw.
pub struct Stability {
    header: Header,
    groups: Vec<Place>,
    x: (f64, f64),
    y: (f64, f64),
}

/// A group: its runs, their mean, and the 95 % interval of that in each direction.
struct Place {
    color: RGBColor,
    runs: Vec<(f64, f64)>,
    mean: (f64, f64),
    intervals: Option<[Interval; 2]>,
}

impl Stability {
    /// The score right after a task's training (x) and the final score on tasks before the last (y); None where there are
    /// no such tasks.
    pub fn new(comparison: &Comparison) -> Option<Self> {
        let colors = colors(comparison.groups.iter().map(|group| group.method.as_str()));
        let places = comparison.groups.iter().zip(colors).map(|(group, color)| Place::new(group, color));
        let groups: Vec<Place> = places.collect::<Option<_>>()?;
        let sampled = groups.iter().any(|place| place.runs.len() > MOST_RUNS);
        let shown =
            if sampled { format!("A small point a run (the first {MOST_RUNS})") } else { "A small point a run".into() };
        Some(Self {
            header: Header {
                title: format!("{}: what is learnt and what is kept", comparison.preset),
                subtitle: format!("{shown}; a large one the mean over runs, with 95 % bootstrap intervals."),
                legend: legend(comparison),
            },
            x: axis(&groups, |place, all| {
                all.extend(place.drawn().iter().map(|run| run.0));
                all.extend(place.intervals.iter().flat_map(|[x, _]| [x.low, x.high]));
            }),
            y: axis(&groups, |place, all| {
                all.extend(place.drawn().iter().map(|run| run.1));
                all.extend(place.intervals.iter().flat_map(|[_, y]| [y.low, y.high]));
            }),
            groups,
        })
    }
}

impl Place {
    fn new(group: &Group, color: RGBColor) -> Option<Self> {
        let place = |run: &super::Run| Some((Metrics::of(&run.matrix).learning?, old_tasks(&run.matrix)?));
        let runs: Vec<(f64, f64)> = group.runs.iter().map(place).collect::<Option<_>>()?;
        let both: Vec<f64> = runs.iter().flat_map(|&(x, y)| [x, y]).collect();
        let intervals = Bootstrap::new(runs.len(), RESAMPLES, 0).mean_intervals(&both, 2, CONFIDENCE);
        let of = |axis: usize| mean(&both.iter().copied().skip(axis).step_by(2).collect::<Vec<_>>());
        let several = runs.len() > 1;
        Some(Self { color, mean: (of(0), of(1)), intervals: several.then(|| [intervals[0], intervals[1]]), runs })
    }

    fn drawn(&self) -> &[(f64, f64)] {
        &self.runs[..self.runs.len().min(MOST_RUNS)]
    }

    fn draw<B: DrawingBackend>(
        &self,
        chart: &mut ChartContext<'_, B, super::panel::Plane>,
    ) -> Result<(), DrawError<B>> {
        let finite = |&(x, y): &(f64, f64)| x.is_finite() && y.is_finite();
        let small = |at: (f64, f64)| Circle::new(at, 3 * FINE, self.color.mix(RUN).filled());
        chart.draw_series(self.drawn().iter().copied().filter(finite).map(small))?;
        if !finite(&self.mean) {
            return Ok(());
        }
        let (x, y) = self.mean;
        if let Some([across, up]) = self.intervals {
            let bar = |ends: [(f64, f64); 2]| PathElement::new(ends, self.color.stroke_width(3 * FINE as u32 / 2));
            chart.draw_series([bar([(across.low, y), (across.high, y)]), bar([(x, up.low), (x, up.high)])])?;
        }
        chart.draw_series([Circle::new(self.mean, 6 * FINE, self.color.filled())])?;
        Ok(())
    }
}

/// The ends of an axis that shows what `add` collects of each group.
fn axis(groups: &[Place], add: impl Fn(&Place, &mut Vec<f64>)) -> (f64, f64) {
    let mut values = Vec::new();
    for place in groups {
        add(place, &mut values);
    }
    let first = values.iter().copied().find(|value| value.is_finite()).unwrap_or(0.5);
    let (low, high) = extent((first, first), values.into_iter());
    let length = (high - low).max(SHORTEST) * 1.12;
    let middle = f64::midpoint(low, high);
    (middle - length / 2.0, middle + length / 2.0)
}

impl Drawing for Stability {
    fn size(&self) -> (u32, u32) {
        ((2 * MARGIN + WIDTH) as u32, (self.header.height() + MARGIN + PANEL + X_AXIS + MARGIN / 2) as u32)
    }

    fn draw<B: DrawingBackend>(&self, area: &DrawingArea<B, Shift>) -> Result<(), DrawError<B>> {
        area.fill(&WHITE)?;
        self.header.draw(area)?;
        let top = (self.header.height() + MARGIN) * FINE;
        let area = area.clone().shrink((MARGIN * FINE, top), (WIDTH * FINE, (PANEL + X_AXIS) * FINE));
        let mut chart = ChartBuilder::on(&area)
            .set_label_area_size(LabelAreaPosition::Left, Y_AXIS * FINE)
            .set_label_area_size(LabelAreaPosition::Bottom, X_AXIS * FINE)
            .build_cartesian_2d(self.x.0..self.x.1, self.y.0..self.y.1)?;
        quiet(&mut chart.configure_mesh())
            .x_labels(8)
            .y_labels(6)
            .x_label_formatter(&|x| format!("{x:.2}"))
            .y_label_formatter(&|y| format!("{y:.2}"))
            .x_desc("plasticity: score right after a task's training")
            .y_desc("stability: final score on old tasks")
            .draw()?;
        self.groups.iter().try_for_each(|place| place.draw(&mut chart))
    }
}

#[cfg(test)]
mod tests {
    use super::super::canvas;
    use super::super::runs::tests::run;
    use super::*;

    fn comparison(runs: u64) -> Comparison {
        let scores = |seed: u64| [[0.0, 0.0], [0.9, 0.0], [0.5 + 0.1 * (seed % 3) as f64, 0.7]];
        Comparison::new((0..runs).map(|seed| run("ewc", seed, scores(seed))).collect()).unwrap()
    }

    #[test]
    fn a_group_stands_at_what_it_learns_and_keeps() {
        let stability = Stability::new(&comparison(3)).unwrap();
        let Place { mean, intervals, runs, .. } = &stability.groups[0];
        assert!((mean.0 - 0.8).abs() < 1e-12 && (mean.1 - 0.6).abs() < 1e-12, "{mean:?}");
        assert_eq!((runs.len(), intervals.is_some()), (3, true));
        let text = canvas::svg(&stability).unwrap();
        assert_eq!(text.matches("<circle").count(), 4, "three runs and their mean");
        assert!(Stability::new(&comparison(1)).unwrap().groups[0].intervals.is_none());
    }

    #[test]
    fn many_runs_are_not_all_drawn() {
        let text = canvas::svg(&Stability::new(&comparison(300)).unwrap()).unwrap();
        assert_eq!(text.matches("<circle").count(), MOST_RUNS + 1);
        assert!(text.contains("the first 200"));
    }

    #[test]
    fn without_old_tasks_there_is_nothing_to_keep() {
        let mut single = run("ewc", 1, [[0.0, 0.0], [1.0, 0.0], [1.0, 1.0]]);
        single.matrix.rows.truncate(2);
        assert!(Stability::new(&Comparison::new(vec![single]).unwrap()).is_none());
    }
}
