//! The mean performance matrices of groups, one below the other.

use plotters::coord::Shift;
use plotters::prelude::*;

use super::canvas::{DrawError, Drawing, FINE};
use super::matrix::Picture;
use super::{Comparison, Group};
use crate::metrics::Row;
use crate::statistics::{Bootstrap, CONFIDENCE, Interval, RESAMPLES};

/// The matrices of a comparison, ready to draw.
pub struct Matrices<'a>(Vec<Picture<'a>>);

impl<'a> Matrices<'a> {
    /// Computes means and intervals.
    pub fn new(comparison: &'a Comparison) -> Self {
        Self(comparison.groups.iter().map(|group| picture(group, &comparison.envs)).collect())
    }
}

fn picture<'a>(group: &Group, envs: &'a [String]) -> Picture<'a> {
    let runs = group.runs.len();
    let scores: Vec<f64> =
        group.runs.iter().flat_map(|run| run.matrix.rows.iter().flat_map(|row| &row.normalized)).copied().collect();
    let example = group.runs.first().map_or(&[][..], |run| &run.matrix.rows);
    let (tasks, cells) = (envs.len(), envs.len() * example.len());
    let mean = |cell: usize| scores.iter().skip(cell).step_by(cells).sum::<f64>() / runs as f64;
    let row = |(index, row): (usize, &Row)| Row {
        normalized: (0..tasks).map(|task| mean(index * tasks + task)).collect(),
        ..row.clone()
    };
    let intervals = || -> Vec<Vec<Interval>> {
        let all = Bootstrap::new(runs, RESAMPLES, 0).mean_intervals(&scores, cells, CONFIDENCE);
        all.chunks_exact(tasks).map(<[_]>::to_vec).collect()
    };
    let of_runs = if runs == 1 { "one run".into() } else { format!("mean of {runs} runs [95 % interval]") };
    Picture {
        title: format!("{}: {of_runs}; framed: task just trained", group.label),
        rows: example.iter().enumerate().map(row).collect(),
        intervals: (runs > 1).then(intervals),
        envs,
    }
}

impl Drawing for Matrices<'_> {
    fn size(&self) -> (u32, u32) {
        let sizes = self.0.iter().map(Drawing::size);
        sizes.fold((0, 0), |(width, height), (wide, high)| (width.max(wide), height + high))
    }

    fn draw<B: DrawingBackend>(&self, area: &DrawingArea<B, Shift>) -> Result<(), DrawError<B>> {
        area.fill(&WHITE)?;
        let mut top = 0;
        for picture in &self.0 {
            let (width, height) = picture.size();
            picture.draw(&area.clone().shrink((0, top), (width as i32 * FINE, height as i32 * FINE)))?;
            top += height as i32 * FINE;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::super::canvas;
    use super::super::runs::tests::run;
    use super::*;

    #[test]
    fn cells_are_means_with_their_intervals() {
        let runs = [("ewc", 1, 0.25), ("ewc", 2, 0.75), ("l2", 1, 0.5)];
        let runs = runs.map(|(method, seed, kept)| run(method, seed, [[0.0; 2], [1.0, 0.0], [kept, 1.0]]));
        let comparison = Comparison::new(runs.into()).unwrap();
        let Matrices(pictures) = Matrices::new(&comparison);
        assert_eq!(pictures[1].rows[2].normalized, [0.5, 1.0]);
        assert_eq!(pictures[1].intervals.as_ref().unwrap()[2][0], Interval { low: 0.25, high: 0.75 });
        assert!(pictures[0].intervals.is_none(), "one run has none");
        let text = canvas::svg(&Matrices(pictures)).unwrap();
        for part in ["l2: one run", "ewc: mean of 2 runs", "[0.25, 0.75]", "after 2 Breakout"] {
            assert!(text.contains(part), "{part}");
        }
    }
}
