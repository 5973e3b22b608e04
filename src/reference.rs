//! The returns that normalised scores refer to, by environment, with where each comes from.

use crate::config::{ReferenceConfig, TaskConfig};

/// `(return - random) / (single - random)`: 0 as a uniformly random policy, 1 as an agent trained on the task alone.
pub fn normalize(episode_return: f64, reference: ReferenceConfig) -> f64 {
    (episode_return - reference.random) / (reference.single - reference.random)
}

/// The reference of a task: its own, or the one on record for its environment.
pub fn of(task: &TaskConfig) -> Option<ReferenceConfig> {
    task.reference.or_else(|| on_record(task))
}

fn on_record(task: &TaskConfig) -> Option<ReferenceConfig> {
    let (random, single) = match task.env.split('/').next().unwrap_or_default() {
        // Exact: the paddle of a random policy ends within 0..=4, the ball's column is uniform; a perfect policy gets 1.
        "Catch" | "PermutedCatch" => (-0.6, 1.0),
        // Exact: one of 10 + tasks answers is right; a perfect policy gets 1.
        "Addition" => (1.0 / (10.0 + addends(task)), 1.0),
        // Random: 1,000 episodes of Gymnasium's environment. Single: the step limit.
        "CartPole-v1" => (22.65, 500.0),
        // Random: 1,000 episodes of Gymnasium's environment. Single: assumed, not measured.
        "Acrobot-v1" => (-499.6, -85.0),
        // Random: 1,000 episodes of Gymnasium's environment. Single: assumed, not measured.
        "MountainCar-v0" => (-200.0, -110.0),
        // Random: 2,000 episodes of it, 7.74 ± 0.24; most starts are lost already. Single: the step limit, assumed.
        "gym-rs" if task.env == "gym-rs/CartPole" => (7.74, 500.0),
        _ => return None,
    };
    Some(ReferenceConfig { random, single })
}

fn addends(task: &TaskConfig) -> f64 {
    match task.options.get("tasks") {
        Some(engram_envs::Value::Integer(tasks)) => *tasks as f64,
        _ => 3.0,
    }
}

#[cfg(test)]
mod tests {
    use rand::Rng;

    use super::*;
    use crate::{seeds, statistics};

    fn task(env: &str) -> TaskConfig {
        TaskConfig { env: env.into(), options: engram_envs::Options::new(), reference: None }
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
        let own = ReferenceConfig { random: 1.0, single: 2.0 };
        assert_eq!(of(&TaskConfig { reference: Some(own), ..task("Catch") }), Some(own));
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

    /// Within four standard errors of the mean over 2,000 episodes.
    #[test]
    fn random_returns_on_record_are_those_of_the_random_policy() {
        let registry = engram_envs::Registry::standard();
        for entry in registry.entries() {
            let task = task(&entry.example);
            let Some(recorded) = of(&task) else { continue };
            let mut env = registry.make(&task.env, &task.options).unwrap();
            let actions = env.spec().actions.len();
            let returns: Vec<f64> = (0..2000)
                .map(|episode| {
                    let mut chance = seeds::stream(1, "reference", 0, episode);
                    env.reset(&mut chance).unwrap();
                    let mut episode_return = 0.0;
                    loop {
                        let action = chance.random_range(0..actions);
                        let outcome = env.step(action, &mut chance).unwrap();
                        episode_return += f64::from(outcome.reward);
                        if outcome.end.is_some() {
                            return episode_return;
                        }
                    }
                })
                .collect();
            let error = statistics::standard_deviation(&returns) / 2000.0_f64.sqrt();
            let (mean, recorded) = (statistics::mean(&returns), recorded.random);
            assert!(
                (mean - recorded).abs() <= 4.0 * error + 0.01,
                "{}: {mean} +- {error}, on record {recorded}",
                task.env
            );
        }
    }
}
