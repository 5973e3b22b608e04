//! What may still change in a run that has begun: phases that have not ended may become longer.

use super::{Config, ConfigError, PhaseConfig, differing, error::check, keys, validate::MOST_STEPS};

impl Config {
    /// Makes every phase from `first` on `steps` long, a joint one as long for each task. Their schedules stay as they were resolved, so that what has been
    /// played is what a run of the longer config plays.
    pub fn extend(&mut self, first: usize, steps: u64) -> Result<(), ConfigError> {
        let tasks = self.curriculum.tasks.len() as u64;
        let phases = &mut self.curriculum.phases;
        let shares = |phase: &PhaseConfig| if phase.task.is_some() { 1 } else { tasks };
        let own = |phase: &PhaseConfig| Some(phase.steps?.div_ceil(shares(phase)));
        let longest = phases.iter().skip(first).filter_map(own).max().unwrap_or(1);
        let expected =
            format!("at least {longest}, for a run that has begun can only become longer, and at most {MOST_STEPS}");
        check("steps-per-task", steps, (longest..=MOST_STEPS).contains(&steps), expected)?;
        for phase in phases.iter_mut().skip(first) {
            let steps = Some(steps.saturating_mul(shares(phase)));
            if phase.steps != steps {
                phase.schedule_steps = phase.schedule_steps.or(phase.steps);
                phase.steps = steps;
            }
        }
        Ok(())
    }

    /// The keys in which this config differs from the one that the run has had so far, apart from longer phases from
    /// `first` on, in alphabetical order.
    pub fn changed_since(&self, earlier: &Self, first: usize) -> Result<Vec<String>, String> {
        let mut extended = earlier.clone();
        if self.curriculum.phases.len() == earlier.curriculum.phases.len() {
            let phases = extended.curriculum.phases.iter_mut().zip(&self.curriculum.phases).skip(first);
            for (phase, own) in phases.filter(|(phase, own)| own.steps > phase.steps) {
                phase.schedule_steps = phase.schedule_steps.or(phase.steps);
                phase.steps = own.steps;
            }
        }
        Ok(differing(&keys(&extended)?, &keys(self)?))
    }
}

#[cfg(test)]
mod tests {
    use crate::config::{Config, Overrides, Source, load};

    fn config(set: &[&str]) -> Config {
        let set = set.iter().map(|&text| text.to_owned()).collect();
        load(&Source::from("catch-3"), &Overrides { set, ..Overrides::default() }).unwrap().resolve()
    }

    fn phases(config: &Config) -> Vec<(Option<u64>, Option<u64>)> {
        config.curriculum.phases.iter().map(|phase| (phase.steps, phase.schedule_steps)).collect()
    }

    #[test]
    fn phases_that_have_not_ended_become_longer_and_keep_their_schedules() {
        let earlier = config(&["curriculum.steps_per_task=500"]);
        let mut longer = earlier.clone();
        longer.extend(1, 800).unwrap();
        let extended = (Some(800), Some(500));
        assert_eq!(phases(&longer), [(Some(500), None), extended, extended]);
        longer.extend(2, 900).unwrap();
        assert_eq!(phases(&longer)[2], (Some(900), Some(500)));
        assert_eq!(longer.changed_since(&earlier, 1), Ok(vec![]));
        assert_eq!(longer.clone().resolve(), longer);
        let error = longer.extend(1, 700).unwrap_err().to_string();
        assert!(error.contains("700") && error.contains("at least 900"), "{error}");
        assert!(longer.extend(1, 1_000_000_000_001).is_err());
    }

    #[test]
    fn a_joint_phase_becomes_longer_for_each_task() {
        let mut joint = config(&["curriculum.phases=[{}]", "curriculum.steps_per_task=500", "method.name=fine-tune"]);
        assert_eq!(phases(&joint), [(Some(1500), None)]);
        assert!(joint.extend(0, 499).is_err());
        joint.extend(0, 500).unwrap();
        assert_eq!(phases(&joint), [(Some(1500), None)]);
        joint.extend(0, 600).unwrap();
        assert_eq!(phases(&joint), [(Some(1800), Some(1500))]);
    }

    #[test]
    fn what_else_changed_is_named() {
        let earlier = config(&["curriculum.steps_per_task=500"]);
        let mut other = config(&["curriculum.steps_per_task=500", "seed=9", "agent.discount=0.5"]);
        other.extend(1, 800).unwrap();
        assert_eq!(other.changed_since(&earlier, 1), Ok(vec!["agent.discount".into(), "seed".into()]));
        let names = ["curriculum.phases.1.schedule_steps", "curriculum.phases.1.steps"].map(String::from);
        let mut ended = earlier.clone();
        ended.extend(1, 800).unwrap();
        assert_eq!(ended.changed_since(&earlier, 2), Ok(names.to_vec()), "a phase that has ended is as it was");
    }
}
