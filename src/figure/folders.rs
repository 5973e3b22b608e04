//! Which run directories are meant by the folders that a user names.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use serde::Deserialize;

use super::FigureError;
use crate::sweep::{RUNS, is_name};

/// A run directory that is to be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Named {
    /// Where it is, or will be.
    pub path: PathBuf,
    /// Whether a sweep's list names it, so that it may well have to be run yet.
    pub of_sweep: bool,
}

#[derive(Deserialize)]
struct Listed {
    run: String,
}

/// The run directories that the paths stand for, in order: a sweep folder stands for the runs of its list. Plain files
/// stand for nothing, since `runs/*` names `runs/README.md` too.
pub fn named(paths: &[PathBuf]) -> Result<Vec<Named>, FigureError> {
    let mut all = Vec::new();
    for path in paths.iter().filter(|path| !path.is_file()) {
        match listed(path)? {
            Some(names) => all.extend(names.iter().map(|name| Named { path: path.join(name), of_sweep: true })),
            None => all.push(Named { path: path.clone(), of_sweep: false }),
        }
    }
    Ok(all)
}

/// The names in the list of a sweep folder; None if the folder is none.
fn listed(folder: &Path) -> Result<Option<Vec<String>>, FigureError> {
    let path = folder.join(RUNS);
    let text = match fs::read_to_string(&path) {
        Ok(text) => text,
        Err(cause) if matches!(cause.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => {
            return Ok(None);
        }
        Err(cause) => return Err(FigureError::Read { path, cause }),
    };
    let malformed = |problem: String| FigureError::Malformed { path: path.clone(), problem };
    let mut names = Vec::new();
    for record in csv::Reader::from_reader(text.as_bytes()).into_deserialize::<Listed>() {
        let name = record.map_err(|error| malformed(error.to_string()))?.run;
        // A name that leads out of the folder is no run of this sweep.
        if !is_name(&name) {
            return Err(malformed(format!("the run `{name}` must be the name of a folder in it")));
        }
        names.push(name);
    }
    Ok(Some(names))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sweep(list: &str) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join(RUNS), list).unwrap();
        folder
    }

    #[test]
    fn a_sweep_stands_for_its_runs_in_order() {
        let sweep = sweep("label,run,seed\newc,ewc__1__ab,1\nl2,l2__0__cd,0\n");
        let file = sweep.path().join(RUNS);
        let all = named(&["runs/a".into(), file, sweep.path().to_owned()]).unwrap();
        let names: Vec<_> =
            all.iter().map(|named| (named.path.file_name().unwrap().to_str().unwrap(), named.of_sweep)).collect();
        assert_eq!(names, [("a", false), ("ewc__1__ab", true), ("l2__0__cd", true)]);
    }

    #[test]
    fn a_list_names_folders_beside_it_only() {
        for name in ["../other", "/tmp/run", "a/b", "", "."] {
            let sweep = sweep(&format!("run\n\"{name}\"\n"));
            let error = named(&[sweep.path().to_owned()]).unwrap_err().to_string();
            assert!(error.contains(&format!("the run `{name}` must be")), "{error}");
        }
        let error = named(&[sweep("seed\n1\n").path().to_owned()]).unwrap_err().to_string();
        assert!(error.contains("missing field `run`"), "{error}");
    }
}
