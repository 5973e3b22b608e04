//! Reads run directories.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::{FigureError, Settings};
use crate::metrics::{PerformanceMatrix, Row, Trained};
use crate::sink::status::Cost;

/// A finished run.
#[derive(Debug, Clone, PartialEq)]
pub struct Run {
    /// Its directory.
    pub path: PathBuf,
    /// The experiment.
    pub preset: String,
    /// The method.
    pub method: String,
    /// The seed.
    pub seed: u64,
    /// The version and commit of the program that it was begun with, if it says so.
    pub built_from: Option<String>,
    /// What else it was configured with.
    pub settings: Settings,
    /// The environment id of each task.
    pub envs: Vec<String>,
    /// The evaluations during training, oldest first.
    pub evaluations: Vec<Evaluation>,
    /// The scores at the boundaries of phases.
    pub matrix: PerformanceMatrix,
    /// The time and memory that it took.
    pub cost: Cost,
}

/// The scores of every task at one moment of training.
#[derive(Debug, Clone, PartialEq)]
pub struct Evaluation {
    /// Environment steps so far.
    pub step: u64,
    /// Index of the phase.
    pub phase: usize,
    /// Mean return of each task.
    pub returns: Vec<f64>,
    /// Normalised score of each task.
    pub normalized: Vec<f64>,
}

#[derive(Deserialize)]
struct Status {
    state: String,
    preset: String,
    method: String,
    seed: u64,
    version: Option<String>,
    commit: Option<String>,
    #[serde(flatten)]
    cost: Cost,
}

#[derive(Deserialize)]
struct EvaluationRecord {
    step: u64,
    phase: usize,
    task: usize,
    mean_return: f64,
    normalized: f64,
}

#[derive(Deserialize)]
struct MatrixRecord {
    row: usize,
    step: u64,
    trained_phase: Option<usize>,
    trained_task: Option<usize>,
    task: usize,
    env: String,
    mean_return: f64,
    normalized: f64,
}

impl Run {
    /// Reads a run directory; the run must have finished.
    pub fn read(path: &Path) -> Result<Self, FigureError> {
        let status = read_status(path)?;
        if status.state != "finished" {
            return Err(FigureError::Unfinished { path: path.to_owned(), state: status.state });
        }
        let (envs, matrix) = read_matrix(&path.join("performance_matrix.csv"))?;
        let evaluations = read_evaluations(&path.join("evaluations.csv"), envs.len())?;
        let settings = Settings::read(&path.join("config.toml"))?;
        let Status { preset, method, seed, version, commit, cost, .. } = status;
        let built_from = version.zip(commit).map(|(version, commit)| format!("{version} ({commit})"));
        Ok(Self { path: path.to_owned(), preset, method, seed, built_from, settings, envs, evaluations, matrix, cost })
    }
}

fn read_status(run: &Path) -> Result<Status, FigureError> {
    let path = run.join("status.json");
    match fs::read_to_string(&path) {
        Ok(text) => {
            serde_json::from_str(&text).map_err(|problem| FigureError::Malformed { path, problem: problem.to_string() })
        }
        Err(cause) if matches!(cause.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => {
            Err(FigureError::NotARun { path: run.to_owned() })
        }
        Err(cause) => Err(FigureError::Read { path, cause }),
    }
}

fn read_matrix(path: &Path) -> Result<(Vec<String>, PerformanceMatrix), FigureError> {
    let malformed = |problem: &str| FigureError::Malformed { path: path.to_owned(), problem: problem.to_owned() };
    let mut envs = Vec::new();
    let mut rows: Vec<Row> = Vec::new();
    for record in read_records::<MatrixRecord>(path)? {
        if record.row == rows.len() {
            let trained = record.trained_phase.map(|phase| Trained { phase, task: record.trained_task });
            rows.push(Row { step: record.step, trained, returns: Vec::new(), normalized: Vec::new() });
        }
        let index = rows.len();
        match rows.last_mut() {
            Some(row) if record.row + 1 == index && record.task == row.returns.len() => {
                row.returns.push(record.mean_return);
                row.normalized.push(record.normalized);
            }
            _ => return Err(malformed("rows and tasks must count up from 0")),
        }
        if index == 1 {
            envs.push(record.env);
        }
    }
    if rows.is_empty() {
        return Err(malformed("it has no rows"));
    }
    if rows.iter().any(|row| {
        row.returns.len() != envs.len() || row.trained.and_then(|at| at.task).is_some_and(|task| task >= envs.len())
    }) {
        return Err(malformed("a row does not have every task"));
    }
    Ok((envs, PerformanceMatrix { rows }))
}

fn read_evaluations(path: &Path, tasks: usize) -> Result<Vec<Evaluation>, FigureError> {
    let partial = |step| FigureError::PartialEvaluation { path: path.to_owned(), step };
    let mut evaluations: Vec<Evaluation> = Vec::new();
    for record in read_records::<EvaluationRecord>(path)? {
        let EvaluationRecord { step, phase, task, mean_return, normalized } = record;
        if task == 0 {
            let (returns, normalized) = (Vec::with_capacity(tasks), Vec::with_capacity(tasks));
            evaluations.push(Evaluation { step, phase, returns, normalized });
        }
        match evaluations.last_mut() {
            Some(last) if (last.step, last.phase) == (step, phase) && last.normalized.len() == task => {
                last.returns.push(mean_return);
                last.normalized.push(normalized);
            }
            _ => return Err(partial(step)),
        }
    }
    if evaluations.is_empty() {
        return Err(FigureError::Malformed { path: path.to_owned(), problem: "it has no evaluations".into() });
    }
    match evaluations.iter().find(|evaluation| evaluation.normalized.len() != tasks) {
        Some(evaluation) => Err(partial(evaluation.step)),
        None => Ok(evaluations),
    }
}

fn read_records<T: DeserializeOwned>(path: &Path) -> Result<Vec<T>, FigureError> {
    let text = fs::read_to_string(path).map_err(|cause| FigureError::Read { path: path.to_owned(), cause })?;
    csv::Reader::from_reader(text.as_bytes())
        .into_deserialize()
        .collect::<Result<_, _>>()
        .map_err(|problem| FigureError::Malformed { path: path.to_owned(), problem: problem.to_string() })
}

#[cfg(test)]
pub(crate) mod tests {
    use super::super::Comparison;
    use super::*;

    /// A run whose scores are made up: two tasks, two phases of 1,000 steps, three evaluations.
    pub fn run(method: &str, seed: u64, rows: [[f64; 2]; 3]) -> Run {
        let row = |index: usize, normalized: [f64; 2]| Row {
            step: 1_000 * index as u64,
            trained: index.checked_sub(1).map(|phase| Trained { phase, task: Some(phase) }),
            returns: normalized.to_vec(),
            normalized: normalized.to_vec(),
        };
        let rows: Vec<Row> = rows.into_iter().enumerate().map(|(index, scores)| row(index, scores)).collect();
        let evaluations = rows
            .iter()
            .map(|row| Evaluation {
                step: row.step,
                phase: row.trained.map_or(0, |trained| trained.phase),
                returns: row.returns.clone(),
                normalized: row.normalized.clone(),
            })
            .collect();
        Run {
            path: PathBuf::from(format!("runs/{method}-{seed}")),
            preset: "catch".into(),
            method: method.into(),
            seed,
            built_from: None,
            settings: Settings::default(),
            envs: vec!["Catch".into(), "MinAtar/Breakout-v1".into()],
            evaluations,
            matrix: PerformanceMatrix { rows },
            cost: Cost::default(),
        }
    }

    pub const SCORES: [[f64; 2]; 3] = [[0.0, 0.1], [1.0, 0.2], [0.5, 0.9]];

    /// Writes the files of a run directory by hand, as `runs/README.md` describes them.
    fn directory(state: &str, evaluations: &str) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        let status = format!(r#"{{"state": "{state}", "preset": "catch", "method": "ewc", "seed": 7, "step": 10}}"#);
        let matrix = "row,step,trained_phase,trained_task,task,env,mean_return,normalized\n\
                      0,0,,,0,Catch,-0.5,0.25\n0,0,,,1,Other,0.0,NaN\n\
                      1,10,0,1,0,Catch,1.0,1.0\n1,10,0,1,1,Other,2.0,0.5\n";
        let header = "step,phase,task,env,episodes,mean_return,normalized\n";
        fs::write(folder.path().join("status.json"), status).unwrap();
        let config = "[curriculum]\nsteps_per_task = 10\ntasks = [{ env = \"Catch\" }, { env = \"Other\" }]\n";
        fs::write(folder.path().join("config.toml"), config).unwrap();
        fs::write(folder.path().join("performance_matrix.csv"), matrix).unwrap();
        fs::write(folder.path().join("evaluations.csv"), format!("{header}{evaluations}")).unwrap();
        folder
    }

    #[test]
    fn a_directory_is_read_back() {
        let folder = directory("finished", "5,0,0,Catch,5,0.0,0.125\n5,0,1,Other,5,1.0,0.75\n");
        let run = Run::read(folder.path()).unwrap();
        assert_eq!((run.method.as_str(), run.seed), ("ewc", 7));
        assert_eq!(run.envs, ["Catch", "Other"]);
        assert_eq!(run.settings.value("curriculum.tasks.1.env"), "Other");
        assert_eq!(
            run.evaluations,
            [Evaluation { step: 5, phase: 0, returns: vec![0.0, 1.0], normalized: vec![0.125, 0.75] }]
        );
        assert_eq!(run.matrix.rows[1].trained, Some(Trained { phase: 0, task: Some(1) }));
        assert_eq!(run.matrix.rows[1].returns, [1.0, 2.0]);
        assert!(run.matrix.rows[0].normalized[1].is_nan());
    }

    #[test]
    fn files_among_the_directories_are_skipped() {
        let folder = directory("finished", "5,0,0,Catch,5,0.0,0.125\n5,0,1,Other,5,1.0,0.75\n");
        let file = folder.path().join("status.json");
        let comparison = Comparison::read(&[file.clone(), folder.path().to_owned()]).unwrap();
        assert_eq!(comparison.groups[0].runs.len(), 1);
        assert!(matches!(Comparison::read(&[file]), Err(FigureError::NoRuns)));
        assert!(matches!(Comparison::read(&[folder.path().join("gone")]), Err(FigureError::NotARun { .. })));
    }

    #[test]
    fn broken_directories_are_named_with_their_fault() {
        let whole = "5,0,0,Catch,5,0.0,0.125\n5,0,1,Other,5,1.0,0.75\n";
        let folder = tempfile::tempdir().unwrap();
        assert!(matches!(Run::read(folder.path()), Err(FigureError::NotARun { .. })));
        assert!(matches!(Run::read(Path::new("Cargo.toml")), Err(FigureError::NotARun { .. })));
        let running = directory("running", whole);
        assert!(matches!(Run::read(running.path()), Err(FigureError::Unfinished { state, .. }) if state == "running"));
        for (rows, step) in [("5,0,0,Catch,5,0.0,0.1\n", 5), ("5,0,0,Catch,5,0.0,0.1\n6,0,1,Other,5,0.0,0.1\n", 6)] {
            let partial = directory("finished", rows);
            assert!(
                matches!(Run::read(partial.path()), Err(FigureError::PartialEvaluation { step: at, .. }) if at == step)
            );
        }
        let garbled = directory("finished", "5,0,zero,Catch,5,0.0,0.1\n");
        let error = Run::read(garbled.path()).unwrap_err().to_string();
        assert!(error.contains("evaluations.csv") && error.contains("line: 2"), "{error}");
        let unconfigured = directory("finished", whole);
        fs::remove_file(unconfigured.path().join("config.toml")).unwrap();
        let error = Run::read(unconfigured.path()).unwrap_err().to_string();
        assert!(error.contains("config.toml") && error.contains("there is no such file"), "{error}");
        let empty = directory("finished", "");
        assert!(Run::read(empty.path()).unwrap_err().to_string().contains("no evaluations"));
    }
}
