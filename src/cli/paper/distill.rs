//! `engram paper distill`: how much of their teachers' play students have, after tables 1 and 2 of Rusu et al. 2015.

use std::{
    fmt::Write as _,
    path::{Path, PathBuf},
};

use engram_agents::continual::MethodName;
use serde::Serialize;

use super::plan_of;
use crate::{
    cli::{distill::School, sweep::Sweeper},
    curriculum::Curriculum,
    distill::{self, BETA, Objective, Recipe},
    parallel, snapshot, statistics,
    sweep::{Plan, Sweep},
};

/// Three games of one curriculum, a teacher each: it is trained on its own game alone, and sees what the student sees.
const SETTINGS: &str = r#"
[set.curriculum]
tasks = [{ env = "MinAtar/Breakout-v1" }, { env = "MinAtar/SpaceInvaders-v1" }, { env = "MinAtar/Freeway-v1" }]
[set.evaluation]
period = 40000
[grid.curriculum]
phases = [[{ task = 0 }], [{ task = 1 }], [{ task = 2 }]]
"#;

/// Units of the hidden layer of smaller students of one game: about a quarter, a fourteenth and a 25th of the parameters.
const SMALLER: [usize; 3] = [32, 8, 4];

/// Games in [`SETTINGS`].
const GAMES: usize = 3;

/// The teachers: each game alone, five seeds.
pub(super) fn plan(quick: bool) -> anyhow::Result<Plan> {
    #[derive(serde::Deserialize)]
    struct Settings {
        set: toml::Table,
        grid: toml::Table,
    }
    let Settings { set, grid } = toml::from_str(SETTINGS)?;
    let teachers = Plan { methods: vec![MethodName::FineTune], set, grid, ..plan_of("minatar-quick", 5) };
    Ok(if quick { Plan { seeds: 2, steps_per_task: Some(8000), ..teachers } } else { teachers })
}

/// A student to be taught: by which runs, by which loss, how wide.
struct Student {
    seed: u64,
    row: usize,
    runs: Vec<PathBuf>,
    loss: Objective,
    hidden: Option<usize>,
}

/// A line of the data: one game of one student.
#[derive(Debug, Clone, Serialize)]
struct Line {
    student: String,
    loss: &'static str,
    /// The student's parameters over its teacher's, in percent.
    size: f64,
    seed: u64,
    env: String,
    random: f64,
    teacher: f64,
    score: f64,
    share: Option<f64>,
    #[serde(skip)]
    row: usize,
}

/// Teaches all students and writes their table and the numbers behind it.
pub(super) fn write(sweeper: &Sweeper<'_>, quick: bool, sweep: &Sweep, out: &Path) -> anyhow::Result<Vec<PathBuf>> {
    let students = students(sweep);
    let (states, updates) = if quick { (500, 500) } else { (5000, 5000) };
    let lines = parallel::map(&students, |student| taught(sweeper, student, states, updates));
    let lines: Vec<Line> = lines.into_iter().collect::<anyhow::Result<Vec<_>>>()?.concat();
    let mut rows = csv::Writer::from_writer(Vec::new());
    lines.iter().try_for_each(|line| rows.serialize(line))?;
    let (data, text) = (out.join("distill.csv"), out.join("distill.md"));
    snapshot::replace(&data, &rows.into_inner()?)?;
    snapshot::replace(&text, table(&lines).as_bytes())?;
    Ok(vec![text, data])
}

/// For each seed: all games by each loss, then each game alone by KL in smaller and smaller networks.
fn students(sweep: &Sweep) -> Vec<Student> {
    let mut seeds: Vec<u64> = sweep.runs.iter().map(|entry| entry.seed).collect();
    seeds.dedup();
    let mut students = Vec::new();
    for seed in seeds {
        let of_seed = sweep.runs.iter().filter(|entry| entry.seed == seed);
        let runs: Vec<PathBuf> = of_seed.map(|entry| sweep.folder.join(&entry.run)).collect();
        for (row, loss) in Objective::ALL.into_iter().enumerate() {
            students.push(Student { seed, row, runs: runs.clone(), loss, hidden: None });
        }
        for (row, hidden) in std::iter::once(None).chain(SMALLER.map(Some)).enumerate() {
            for run in &runs {
                let (row, runs) = (Objective::ALL.len() + row, vec![run.clone()]);
                students.push(Student { seed, row, runs, loss: Objective::Kl, hidden });
            }
        }
    }
    students
}

fn taught(sweeper: &Sweeper<'_>, student: &Student, states: usize, updates: u64) -> anyhow::Result<Vec<Line>> {
    let Student { seed, row, runs, loss, hidden } = student;
    let recipe = Recipe { loss: *loss, temperature: loss.temperature(), beta: BETA, states, updates };
    let mut school = School::open(sweeper.registry, runs, &recipe)?;
    let hidden = hidden.map(|units| vec![units]);
    let config = school.config("student", *seed, hidden.as_deref(), &recipe, sweeper.registry)?;
    let curriculum = Curriculum::new(&config, sweeper.registry)?;
    let distilled = distill::teach(&config, &curriculum, &mut school.teachers, &recipe, &sweeper.stop)?;
    let own = distilled.agent.network().layout().len();
    let line = |(task, share): (usize, &Option<f64>)| Line {
        student: if runs.len() > 1 { format!("{} games", runs.len()) } else { "one game".into() },
        loss: loss.as_str(),
        size: 100.0 * own as f64 / school.parameters as f64,
        seed: *seed,
        env: school.taught[task].env.clone(),
        random: curriculum.tasks[task].reference.random,
        teacher: distilled.teachers[task].mean,
        score: distilled.students[task].mean,
        share: *share,
        row: *row,
    };
    Ok(distilled.shares(&curriculum).iter().enumerate().map(line).collect())
}

/// A row a student: the mean share in each game, and the geometric mean over games, averaged over seeds with its interval.
fn table(lines: &[Line]) -> String {
    let mut envs: Vec<&str> = lines.iter().take(GAMES).map(|line| line.env.as_str()).collect();
    envs.sort_unstable();
    let mut text = String::from("| student | loss | size |");
    for env in &envs {
        text.push_str(&[" ", env, " |"].concat());
    }
    text.push_str(" geometric mean | seeds |\n|---|---|---:|");
    text.push_str(&"---:|".repeat(envs.len()));
    text.push_str("---|---:|\n");
    let percent = |value: f64| format!("{:.1} %", 100.0 * value);
    for row in 0..=lines.iter().map(|line| line.row).max().unwrap_or(0) {
        let own: Vec<&Line> = lines.iter().filter(|line| line.row == row).collect();
        let Some(first) = own.first() else { continue };
        let mean = |values: Vec<f64>| if values.is_empty() { "n/a".into() } else { percent(statistics::mean(&values)) };
        let _ = write!(
            text,
            "| {} | {} | {:.0} % |",
            first.student,
            first.loss,
            own.iter().map(|line| line.size).sum::<f64>() / own.len() as f64
        );
        for env in &envs {
            let shares = own.iter().filter(|line| line.env == *env).filter_map(|line| line.share).collect();
            let _ = write!(text, " {} |", mean(shares));
        }
        let mut seeds: Vec<u64> = own.iter().map(|line| line.seed).collect();
        seeds.sort_unstable();
        seeds.dedup();
        let means: Vec<f64> = seeds.iter().filter_map(|seed| of_seed(&own, *seed)).collect();
        let interval = statistics::mean_interval(&means);
        let interval = if means.is_empty() {
            "n/a".into()
        } else {
            format!("{} [{}, {}]", percent(statistics::mean(&means)), percent(interval.low), percent(interval.high))
        };
        let _ = writeln!(text, " {interval} | {} of {} |", means.len(), seeds.len());
    }
    text
}

/// The geometric mean over the games of one seed.
fn of_seed(lines: &[&Line], seed: u64) -> Option<f64> {
    let shares: Vec<_> = lines.iter().filter(|line| line.seed == seed).map(|line| line.share).collect();
    distill::geometric_mean(&shares)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_has_means_over_seeds_of_geometric_means_over_games() {
        let line = |row, seed, env: &str, share| Line {
            student: "3 games".into(),
            loss: "kl",
            size: 50.0,
            seed,
            env: env.into(),
            random: 0.0,
            teacher: 1.0,
            score: 1.0,
            share,
            row,
        };
        let text = table(&[
            line(0, 100, "a", Some(0.5)),
            line(0, 100, "b", Some(2.0)),
            line(0, 100, "c", Some(1.0)),
            line(0, 101, "a", Some(1.0)),
            line(0, 101, "b", None),
            line(0, 101, "c", Some(-0.5)),
        ]);
        let row = text.lines().nth(2).unwrap();
        assert_eq!(row, "| 3 games | kl | 50 % | 75.0 % | 200.0 % | 25.0 % | 100.0 % [100.0 %, 100.0 %] | 1 of 2 |");
    }
}
