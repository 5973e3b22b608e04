//! The noise test on a run's final policy: how it plays with its shared parameters moved.

use engram_agents::dqn::Dqn;

use crate::{
    cli::saved_policy::SavedPolicy,
    curriculum::Curriculum,
    evaluate::Evaluator,
    fisher_analysis::{Noise, Perturbation, put_shared, shared},
    reference, seeds, statistics,
    stop::Stop,
};

/// Lengths of the noise, as shares of that of the shared parameters.
pub const MAGNITUDES: [f64; 9] = [0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.8, 1.0];

/// What is tried.
#[derive(Debug, Clone, Copy)]
pub struct NoiseTest<'a> {
    /// `c`, as a share of the mean importance.
    pub damping: f64,
    /// How often each shape is drawn; all shapes and magnitudes share the draws.
    pub draws: u64,
    /// The tasks whose scores are averaged.
    pub tasks: &'a [usize],
}

/// How the policy plays under noise.
pub struct NoiseScores {
    /// How many shared parameters there are.
    pub parameters: usize,
    /// How many of them lie in the null space.
    pub null_space: usize,
    /// Of each shape of [`Noise::ALL`] and each of [`MAGNITUDES`], the mean score over tasks of every draw; NaN where there
    /// is no such noise.
    pub scores: [Vec<Vec<f64>>; 3],
}

impl NoiseTest<'_> {
    /// Plays, and leaves the policy as it was.
    pub fn run(self, policy: &mut SavedPolicy, importance: &[f32], stop: &Stop) -> anyhow::Result<NoiseScores> {
        let SavedPolicy { config, curriculum, agent, .. } = policy;
        let layout = agent.network().layout().clone();
        let importance = shared(&layout, importance);
        let whole = agent.network().params().to_vec();
        let params = shared(&layout, &whole);
        let mut evaluator = Evaluator::new(curriculum, config.seed, config.evaluation)?;
        let mut scores: [Vec<Vec<f64>>; 3] = Default::default();
        for (noise, scores) in Noise::ALL.into_iter().zip(&mut scores) {
            let deviations = noise.deviations(&importance, self.damping);
            *scores = vec![Vec::new(); MAGNITUDES.len()];
            for draw in 0..self.draws {
                let mut generator = seeds::stream(config.seed, "noise", draw, 0);
                let perturbation = Perturbation::draw(&deviations, &mut generator);
                for (magnitude, scores) in MAGNITUDES.into_iter().zip(scores.iter_mut()) {
                    scores.push(match &perturbation {
                        Some(perturbation) => {
                            let moved = perturbation.applied(&params, magnitude);
                            put_shared(&layout, &moved, agent.network_mut().params_mut());
                            self.score(&mut evaluator, agent, curriculum, stop)?
                        }
                        None => f64::NAN,
                    });
                }
            }
        }
        agent.network_mut().params_mut().copy_from_slice(&whole);
        let null = Noise::Null.deviations(&importance, self.damping);
        let null_space = null.iter().filter(|deviation| **deviation > 0.0).count();
        Ok(NoiseScores { parameters: importance.len(), null_space, scores })
    }

    /// The mean score over the tasks.
    fn score(
        self,
        evaluator: &mut Evaluator,
        agent: &mut Dqn,
        curriculum: &Curriculum,
        stop: &Stop,
    ) -> anyhow::Result<f64> {
        let mut scores = Vec::with_capacity(self.tasks.len());
        for task in self.tasks {
            let mean = statistics::mean(&evaluator.returns(agent, *task, stop)?);
            scores.push(reference::normalize(mean, curriculum.tasks[*task].reference));
        }
        Ok(statistics::mean(&scores))
    }
}
