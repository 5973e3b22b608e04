//! The plane in which a second game moves the parameters, with the scores that its points get in both games.

use std::path::{Path, PathBuf};

use engram_agents::dqn::Dqn;

use super::plane::Plane;
use crate::{
    cli::{saved_policy::SavedPolicy, sweep::Sweeper},
    curriculum::Curriculum,
    evaluate::Evaluator,
    figure::{Arrow, Landscape},
    snapshot::Snapshot,
    statistics,
    stop::Stop,
};

/// Points of the plane that are evaluated, a side.
const SIDE: usize = 61;
/// Room around the arrows, as a share of their extent.
const MARGIN: f64 = 0.35;

/// The plane of one seed: through the end of the first game and the ends of the first and the last of the runs, which are
/// given with their methods.
pub fn landscape(sweeper: &Sweeper<'_>, seed: u64, runs: &[(&str, PathBuf); 3]) -> anyhow::Result<Landscape> {
    let mut ends = Vec::new();
    let mut game = None;
    for (_, run) in runs {
        let mut played = Game::load(run, sweeper)?;
        ends.push((played.params().to_vec(), played.scores()?));
        game = Some(played);
    }
    let mut game = game.ok_or_else(|| anyhow::anyhow!("no runs"))?;
    let start = game.anchor(&runs[2].1)?;
    let Some(plane) = Plane::through(&start, &ends[0].0, &ends[2].0) else {
        anyhow::bail!(
            "seed {seed}: the parameters after the first game and at both ends lie on a line: nothing was learnt"
        );
    };
    let arrows: Vec<Arrow> = runs
        .iter()
        .zip(&ends)
        .map(|((method, _), (params, scores))| {
            let projection = plane.project(params);
            Arrow { method: (*method).to_owned(), to: projection.at, off: projection.off, scores: *scores }
        })
        .collect();
    game.set(&start);
    let start_scores = game.scores()?;
    let (low, high) = square(&arrows);
    let mut landscape = Landscape { seed, start: start_scores, arrows, low, high, side: SIDE, scores: Vec::new() };
    let mut params = start;
    for cell in 0..SIDE * SIDE {
        plane.params(landscape.middle(cell), &mut params);
        game.set(&params);
        landscape.scores.push(game.scores()?);
    }
    Ok(landscape)
}

/// A square around the start, which lies at the origin, and all ends.
fn square(arrows: &[Arrow]) -> ([f64; 2], [f64; 2]) {
    let mut bounds = [(0.0_f64, 0.0_f64); 2];
    for arrow in arrows {
        for (bound, at) in bounds.iter_mut().zip(arrow.to) {
            *bound = (bound.0.min(at), bound.1.max(at));
        }
    }
    let half = bounds.iter().map(|(low, high)| high - low).fold(0.0, f64::max) * (0.5 + MARGIN);
    let centre = bounds.map(|(low, high)| f64::midpoint(low, high));
    (centre.map(|centre| centre - half), centre.map(|centre| centre + half))
}

/// The two games, and an agent whose parameters are put in from outside.
struct Game {
    curriculum: Curriculum,
    agent: Dqn,
    evaluator: Evaluator,
    stop: Stop,
}

impl Game {
    fn load(run: &Path, sweeper: &Sweeper<'_>) -> anyhow::Result<Self> {
        let SavedPolicy { config, curriculum, agent, .. } = SavedPolicy::load(run, sweeper.registry)?;
        let evaluator = Evaluator::new(&curriculum, config.seed, config.evaluation)?;
        Ok(Self { curriculum, agent, evaluator, stop: sweeper.stop.clone() })
    }

    fn params(&self) -> &[f32] {
        self.agent.network().params()
    }

    fn set(&mut self, params: &[f32]) {
        self.agent.network_mut().params_mut().copy_from_slice(params);
    }

    /// The parameters at the end of the first game.
    fn anchor(&self, run: &Path) -> anyhow::Result<Vec<f32>> {
        let mut anchor = self.params().to_vec();
        let snapshot = Snapshot::open(&run.join("consolidations/0.safetensors"))?;
        snapshot.read(self.agent.network().layout(), "anchor/", &mut anchor)?;
        Ok(anchor)
    }

    /// The scores of the first and the second game.
    fn scores(&mut self) -> anyhow::Result<[f64; 2]> {
        let mut scores = [f64::NAN; 2];
        for (task, score) in scores.iter_mut().enumerate() {
            let returns = self.evaluator.returns(&mut self.agent, task, &self.stop)?;
            let mean = statistics::mean(&returns);
            *score = crate::reference::normalize(mean, self.curriculum.tasks[task].reference);
        }
        Ok(scores)
    }
}
