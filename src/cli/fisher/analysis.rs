//! What `engram fisher` finds out, as text, as JSON, and as a figure.

use std::{fmt, path::Path};

use serde::Serialize;

use super::noise_test::{MAGNITUDES, NoiseScores};
use crate::{
    cli::table::table,
    figure::{self, FigureError, NamedLine, Noises, Overlaps, Point},
    fisher_analysis::{Noise, TopWeight},
    statistics::{self, Interval},
};

/// The importances of a run.
#[derive(Debug, Serialize)]
pub struct Analysis {
    pub run: String,
    pub phases: Vec<Ended>,
    /// The names of the layers with shared parameters.
    pub layers: Vec<String>,
    pub overlaps: Vec<Pair>,
    /// Where it was asked for.
    pub noise: Option<NoiseResult>,
    /// The figure's file, where one was asked for.
    pub figure: Option<String>,
}

/// A phase that has ended.
#[derive(Debug, Serialize)]
pub struct Ended {
    pub phase: usize,
    pub task: usize,
    pub env: String,
    /// The sum of its importances.
    pub trace: f64,
    pub top: Vec<TopWeight>,
}

/// Two phases.
#[derive(Debug, Serialize)]
pub struct Pair {
    pub phases: [usize; 2],
    /// The overlap in each layer; None where one of the two has no importance there.
    pub layers: Vec<Option<f64>>,
    /// The overlap over all shared parameters.
    pub all: Option<f64>,
    /// What the overlaps in the layers would be by chance.
    pub chance_layers: Vec<Option<f64>>,
    /// What the one over all shared parameters would be.
    pub chance_all: Option<f64>,
}

/// How the policy plays under noise.
#[derive(Debug, Serialize)]
pub struct NoiseResult {
    pub damping: f64,
    pub draws: u64,
    pub parameters: usize,
    pub null_space: usize,
    pub curves: Vec<NoiseCurve>,
}

/// How it plays under noise of one shape.
#[derive(Debug, Serialize)]
pub struct NoiseCurve {
    pub noise: Noise,
    pub points: Vec<NoisePoint>,
}

/// How it plays under noise of one shape and length.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct NoisePoint {
    pub magnitude: f64,
    /// The mean over draws.
    pub score: f64,
    /// The lower end of its 95 % interval over draws.
    pub low: f64,
    /// The upper end.
    pub high: f64,
}

impl NoiseResult {
    pub fn new(damping: f64, draws: u64, found: &NoiseScores) -> Self {
        let NoiseScores { parameters, null_space, scores } = found;
        let curve = |(noise, scores): (Noise, &Vec<Vec<f64>>)| {
            let point = |(magnitude, scores): (f64, &Vec<f64>)| {
                let Interval { low, high } = statistics::mean_interval(scores);
                NoisePoint { magnitude, score: statistics::mean(scores), low, high }
            };
            NoiseCurve { noise, points: MAGNITUDES.into_iter().zip(scores).map(point).collect() }
        };
        let curves = Noise::ALL.into_iter().zip(scores).map(curve).collect();
        Self { damping, draws, parameters: *parameters, null_space: *null_space, curves }
    }
}

impl Analysis {
    /// A phase in words.
    fn name(&self, phase: usize) -> String {
        let env = self.phases.iter().find(|known| known.phase == phase).map_or("", |known| known.env.as_str());
        format!("{phase} {env}")
    }

    /// Draws overlaps and scores under noise.
    pub fn draw(&self, out: &Path) -> Result<(), FigureError> {
        let point =
            |(layer, overlap): (usize, &Option<f64>)| Some(Point { x: layer as f64, y: (*overlap)?, band: None });
        let line = |pair: &Pair| NamedLine {
            label: pair.phases.map(|phase| self.name(phase)).join(" and "),
            points: pair.layers.iter().enumerate().filter_map(point).collect(),
        };
        let overlaps = Overlaps {
            title: format!("Fisher overlap of the phases of {}", self.run),
            subtitle: "1: they count on the same weights in the same proportions, 0: on none in common.".into(),
            layers: &self.layers,
            lines: &self.overlaps.iter().map(line).collect::<Vec<_>>(),
        };
        let lines: Option<Vec<NamedLine>> =
            self.noise.as_ref().map(|noise| noise.curves.iter().map(NoiseCurve::line).collect());
        let noises = self.noise.as_ref().zip(lines.as_ref()).map(|(noise, lines)| Noises {
            title: "Score with noise on the parameters".into(),
            subtitle: format!("{} draws with 95 % bootstrap interval; all noise is equally long.", noise.draws),
            lines,
        });
        figure::write_fisher(&overlaps, noises.as_ref(), out)
    }
}

impl NoiseCurve {
    fn line(&self) -> NamedLine {
        let point = |point: &NoisePoint| Point {
            x: point.magnitude,
            y: point.score,
            band: Some(Interval { low: point.low, high: point.high }),
        };
        NamedLine { label: self.noise.as_str().into(), points: self.points.iter().map(point).collect() }
    }
}

impl fmt::Display for Analysis {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let number = |overlap: Option<f64>| overlap.map_or("n/a".into(), |overlap| format!("{overlap:.3}"));
        if !self.overlaps.is_empty() {
            let head = [&["overlap of".to_owned()], self.layers.as_slice(), &["all".to_owned()]].concat();
            let numbers =
                |layers: &[Option<f64>], all| layers.iter().copied().chain([all]).map(number).collect::<Vec<_>>();
            let rows = |pair: &Pair| {
                let name = pair.phases.map(|phase| self.name(phase)).join(" and ");
                let chance = [vec!["  by chance".into()], numbers(&pair.chance_layers, pair.chance_all)].concat();
                [[vec![name], numbers(&pair.layers, pair.all)].concat(), chance]
            };
            let rows = [head].into_iter().chain(self.overlaps.iter().flat_map(rows));
            f.write_str(&table(&rows.collect::<Vec<_>>()))?;
        }
        for Ended { phase, trace, top, .. } in &self.phases {
            writeln!(f, "\nphase {}: trace {trace:.4e}", self.name(*phase))?;
            if !top.is_empty() {
                let head = ["tensor", "index", "importance", "share of the trace"].map(str::to_owned);
                let row = |weight: &TopWeight| {
                    let index = weight.index.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
                    let share = format!("{:.2} %", 100.0 * weight.share);
                    [weight.tensor.clone(), index, format!("{:.4e}", weight.importance), share]
                };
                f.write_str(&table(&[head].into_iter().chain(top.iter().map(row)).collect::<Vec<_>>()))?;
            }
        }
        if let Some(noise) = &self.noise {
            writeln!(
                f,
                "\nscore under noise, {} draws; {} of {} shared parameters lie in the null space",
                noise.draws, noise.null_space, noise.parameters
            )?;
            let names = noise.curves.iter().map(|curve| format!("{} [95 % interval]", curve.noise.as_str()));
            let mut rows = vec![["length".to_owned()].into_iter().chain(names).collect::<Vec<_>>()];
            for (index, magnitude) in MAGNITUDES.iter().enumerate() {
                let score = |curve: &NoiseCurve| match curve.points.get(index) {
                    Some(point) if point.score.is_finite() => {
                        let [score, low, high] = [point.score, point.low, point.high].map(figure::two_decimals);
                        format!("{score} [{low}, {high}]")
                    }
                    _ => "n/a".into(),
                };
                rows.push([magnitude.to_string()].into_iter().chain(noise.curves.iter().map(score)).collect());
            }
            f.write_str(&table(&rows))?;
        }
        self.figure.iter().try_for_each(|figure| write!(f, "\n{figure}\n"))
    }
}
