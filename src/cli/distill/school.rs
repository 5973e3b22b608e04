//! Finished runs as teachers.

use std::path::{Path, PathBuf};

use engram_agents::params::fnv1a;
use engram_envs::Registry;
use serde::Serialize;

use crate::{
    cli::{BadInput, saved_policy::SavedPolicy},
    config::{self, Config},
    curriculum::Curriculum,
    distill::{self, Lesson, Objective, Recipe, Teacher},
    run_directory::RunDirectory,
    sink::status::State,
};

/// More numbers in all memories together would not fit into that of a large machine.
const LARGEST_MEMORY: usize = 1 << 33;

/// Finished runs and the tasks that they teach.
pub(in crate::cli) struct School {
    policies: Vec<SavedPolicy>,
    /// Of each teacher its run, by index, and its task in it.
    seats: Vec<(usize, usize)>,
    /// Parameters of the first teacher's network.
    pub parameters: usize,
    pub teachers: Vec<Teacher>,
    pub taught: Vec<Taught>,
}

/// Which run has taught a task.
#[derive(Debug, Clone, Serialize)]
pub(in crate::cli) struct Taught {
    pub run: String,
    pub task: usize,
    pub env: String,
    /// The hash of its parameters (FNV-1a of their bytes).
    pub params: String,
}

impl School {
    /// Reads runs that have finished; each task in their phases is taught once, in the order of its first phase.
    pub fn open(registry: &Registry, runs: &[PathBuf], recipe: &Recipe) -> anyhow::Result<Self> {
        let (policies, seats, teachers, taught) = Default::default();
        let mut school = Self { policies, seats, parameters: 0, teachers, taught };
        for run in runs {
            let mut policy = finished(registry, run)?;
            let SavedPolicy { config, curriculum, agent, directory } = &mut policy;
            let mut tasks: Vec<usize> = Vec::new();
            let count = curriculum.tasks.len();
            for task in curriculum.phases.iter().flat_map(|phase| phase.task.map_or(0..count, |task| task..task + 1)) {
                if !tasks.contains(&task) {
                    tasks.push(task);
                }
            }
            for task in tasks {
                directory.load_params(Some(task), agent)?;
                let params = hash(agent.network().params());
                let teacher = Teacher::new(agent.network(), &config.agent.network, config.device, task)?;
                if recipe.loss == Objective::ActorMimic && !teacher.has_features() {
                    return Err(BadInput(format!(
                        "{} has no hidden layer to be mimicked (agent.network.hidden is empty); use --loss kl",
                        run.display()
                    ))
                    .into());
                }
                school.teachers.push(teacher);
                school.seats.push((school.policies.len(), task));
                let env = curriculum.tasks[task].env.clone();
                school.taught.push(Taught { run: run.display().to_string(), task, env, params });
            }
            if school.policies.is_empty() {
                school.parameters = agent.network().layout().len();
            }
            school.policies.push(policy);
        }
        Ok(school)
    }

    /// The validated and resolved config of their student.
    pub fn config(
        &self,
        name: &str,
        seed: u64,
        hidden: Option<&[usize]>,
        recipe: &Recipe,
        registry: &Registry,
    ) -> anyhow::Result<Config> {
        let lesson = |(policy, task): &(usize, usize)| Lesson { config: &self.policies[*policy].config, task: *task };
        let lessons: Vec<_> = self.seats.iter().map(lesson).collect();
        let config = distill::student(name, seed, &lessons, recipe, hidden).map_err(BadInput)?;
        config::validate(&config, registry)?;
        let config = config.resolve();
        let widest = Curriculum::new(&config, registry)?.set.input.len();
        let numbers = widest.saturating_mul(recipe.states).saturating_mul(lessons.len());
        if numbers > LARGEST_MEMORY {
            return Err(BadInput(format!(
                "--states is {}; of {} tasks with {widest} numbers a state it must be at most {}",
                recipe.states,
                lessons.len(),
                LARGEST_MEMORY / widest.saturating_mul(lessons.len()).max(1)
            ))
            .into());
        }
        Ok(config)
    }
}

/// The agent of a run that has finished.
pub(in crate::cli) fn finished(registry: &Registry, run: &Path) -> anyhow::Result<SavedPolicy> {
    let shown = run.display();
    match RunDirectory::open(run)?.status()?.map(|status| status.state) {
        Some(State::Finished) => SavedPolicy::load(run, registry),
        Some(State::Running | State::Stopped | State::Failed) => {
            Err(BadInput(format!("{shown} has not finished; go on with it first: engram resume {shown}")).into())
        }
        None => {
            Err(BadInput(format!("{shown} has no status.json, so it cannot have finished; give a finished run")).into())
        }
    }
}

/// The hash of parameters, by which it is known where they were taken from.
pub(in crate::cli) fn hash(params: &[f32]) -> String {
    format!("{:016x}", fnv1a(params.iter().flat_map(|param| param.to_le_bytes())))
}
