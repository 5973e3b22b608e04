//! The returns that normalised scores refer to: what random play gets, and what an agent trained on the task alone gets.

pub mod measure;
mod records;

pub use records::{Record, RecordError, Records};

use engram_envs::Value;

use crate::config::TaskConfig;

/// The returns of a task that stand for scores of 0 and 1.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Reference {
    /// The mean return of a uniformly random policy.
    pub random: f64,
    /// The mean return of an agent trained on this task alone.
    pub single: f64,
}

/// `(return - random) / (single - random)`: 0 as a uniformly random policy, 1 as an agent trained on the task alone.
pub fn normalize(episode_return: f64, reference: Reference) -> f64 {
    (episode_return - reference.random) / (reference.single - reference.random)
}

/// Both returns of a task: its own where the config gives them, or else those on record.
pub fn of(task: &TaskConfig) -> Option<Reference> {
    Some(Reference { random: random(task)?, single: single(task)? })
}

/// The return of random play: the config's, or the one on record.
pub fn random(task: &TaskConfig) -> Option<f64> {
    let own = task.reference.and_then(|own| own.random);
    own.or_else(|| exact(task).map(|exact| exact.random)).or_else(|| Some(Records::shipped().of(task)?.random))
}

/// The return after training on the task alone: the config's, or the one on record.
pub fn single(task: &TaskConfig) -> Option<f64> {
    let own = task.reference.map(|own| own.single);
    own.or_else(|| exact(task).map(|exact| exact.single)).or_else(|| Records::shipped().of(task)?.single)
}

/// What needs no measuring.
fn exact(task: &TaskConfig) -> Option<Reference> {
    let random = match task.env.split('/').next().unwrap_or_default() {
        // The paddle of a random policy ends within 0..=4, the ball's column is uniform; a perfect policy gets 1.
        "Catch" | "PermutedCatch" => -0.6,
        // One of 10 + tasks answers is right; a perfect policy gets 1.
        "Addition" => 1.0 / (10.0 + addends(task)),
        _ => return None,
    };
    Some(Reference { random, single: 1.0 })
}

fn addends(task: &TaskConfig) -> f64 {
    match task.options.get("tasks") {
        Some(Value::Integer(tasks)) => *tasks as f64,
        _ => 3.0,
    }
}

#[cfg(test)]
mod tests {
    use engram_envs::Options;

    use super::*;
    use crate::config::ReferenceConfig;

    fn task(env: &str) -> TaskConfig {
        TaskConfig { env: env.into(), options: Options::new(), reference: None }
    }

    #[test]
    fn scores_by_hand() {
        let reference = of(&task("PermutedCatch/a-1")).unwrap();
        assert_eq!(normalize(-0.6, reference), 0.0);
        assert_eq!(normalize(1.0, reference), 1.0);
        assert!((normalize(0.2, reference) - 0.5).abs() < 1e-12);
    }

    #[test]
    fn a_tasks_own_reference_wins_and_strangers_have_none() {
        let with =
            |env, random, single| TaskConfig { reference: Some(ReferenceConfig { random, single }), ..task(env) };
        assert_eq!(of(&with("Catch", Some(1.0), 2.0)), Some(Reference { random: 1.0, single: 2.0 }));
        assert_eq!(of(&with("CartPole-v1", None, 200.0)), Some(Reference { random: 22.65, single: 200.0 }));
        assert_eq!(of(&with("Breakfast", None, 2.0)), None);
        assert_eq!(of(&task("Breakfast")), None);
    }

    #[test]
    fn addition_counts_its_answers() {
        let mut five = task("Addition/0");
        five.options.insert("tasks".into(), 5.into());
        assert_eq!(of(&five).unwrap().random, 1.0 / 15.0);
        assert_eq!(of(&task("Addition/0")).unwrap().random, 1.0 / 13.0);
    }

    #[test]
    fn the_random_return_of_catch_is_exact() {
        let mut places = [0.0, 0.0, 1.0, 0.0, 0.0];
        for _ in 0..9 {
            let mut moved = [0.0; 5];
            for (place, share) in places.iter().enumerate() {
                for to in [place.saturating_sub(1), place, (place + 1).min(4)] {
                    moved[to] += share / 3.0;
                }
            }
            places = moved;
        }
        let caught = places.iter().sum::<f64>() / 5.0;
        assert!((2.0 * caught - 1.0 - of(&task("Catch")).unwrap().random).abs() < 1e-12);
    }

    /// Within four standard errors of the mean over 500 episodes.
    #[test]
    fn random_returns_on_record_are_those_of_the_random_policy() {
        let registry = engram_envs::Registry::standard();
        for entry in registry.local() {
            let task = task(&entry.example);
            let Some(recorded) = random(&task) else { continue };
            let budget = measure::Budget { episodes: 500, steps: u64::MAX, episode_steps: 1000 };
            let measured = measure::random(&registry, &task, 1, budget).unwrap();
            let slack = 4.0 * measured.standard_error + 0.01;
            assert!((measured.mean - recorded).abs() <= slack, "{}: {measured:?}, on record {recorded}", task.env);
        }
    }
}
