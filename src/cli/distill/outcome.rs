//! What `engram distill` ends with.

use std::{fmt, path::Path};

use serde::Serialize;

use super::Taught;
use crate::{
    cli::{shell, table::table},
    curriculum::Curriculum,
    distill::{self, Distilled, Recipe},
};

/// How well a student plays beside its teachers.
#[derive(Debug, Serialize)]
pub(super) struct Outcome {
    run_directory: String,
    #[serde(flatten)]
    recipe: Recipe,
    tasks: Vec<Task>,
    /// None unless the shares of all tasks are known and greater than 0.
    pub geometric_mean: Option<f64>,
}

/// One task.
#[derive(Debug, Serialize)]
struct Task {
    env: String,
    /// The run directory of its teacher.
    run: String,
    /// The mean return of random play.
    random: f64,
    /// The mean return of its teacher.
    teacher: f64,
    /// The mean return of the student.
    student: f64,
    /// None where the teacher plays no better than at random.
    share: Option<f64>,
    /// The mean loss over the last tenth of the updates.
    loss_at_end: f64,
}

impl Outcome {
    pub fn new(run: &Path, recipe: &Recipe, taught: &[Taught], curriculum: &Curriculum, distilled: &Distilled) -> Self {
        let shares = distilled.shares(curriculum);
        let task = |(index, share): (usize, &Option<f64>)| Task {
            env: taught[index].env.clone(),
            run: taught[index].run.clone(),
            random: curriculum.tasks[index].reference.random,
            teacher: distilled.teachers[index].mean,
            student: distilled.students[index].mean,
            share: *share,
            loss_at_end: distilled.losses[index],
        };
        Self {
            run_directory: run.display().to_string(),
            recipe: *recipe,
            tasks: shares.iter().enumerate().map(task).collect(),
            geometric_mean: distill::geometric_mean(&shares),
        }
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let percent = |share: Option<f64>| share.map_or("n/a".into(), |share| format!("{:.1} %", 100.0 * share));
        let mut rows = vec![["task", "random", "teacher", "student", "share of teacher"].map(str::to_owned)];
        for Task { env, random, teacher, student, share, .. } in &self.tasks {
            let [random, teacher, student] = [random, teacher, student].map(|mean| format!("{mean:.2}"));
            rows.push([env.clone(), random, teacher, student, percent(*share)]);
        }
        let mean = percent(self.geometric_mean);
        rows.push(["geometric mean".into(), String::new(), String::new(), String::new(), mean]);
        f.write_str(&table(&rows))?;
        let folder = shell::quoted(Path::new(&self.run_directory));
        writeln!(f, "run directory   {}\n\nnext:\n  engram evaluate {folder}", self.run_directory)
    }
}
