//! The files that a run has written so far, and how they are cut back to an earlier moment of it.

use std::{
    collections::BTreeMap,
    fs::{self, File},
    io,
    path::{Path, PathBuf},
};

use crate::{event_file, snapshot::UNFINISHED};

/// How long each output file is, by its path in the run directory.
pub type Outputs = BTreeMap<String, u64>;

/// Folders of outputs, each file of which is written whole.
const FOLDERS: [&str; 2] = ["consolidations", "recordings"];
const FILES: [&str; 5] =
    ["episodes.csv", "updates.csv", "evaluations.csv", "performance_matrix.csv", "params.safetensors"];

/// Whether a path in the run directory is that of an output. What else lies there is its owner's business.
pub fn is_output(name: &str) -> bool {
    match name.split_once(['/', '\\']) {
        None => FILES.contains(&name) || event_file::is_name(name),
        Some((folder, file)) => {
            FOLDERS.contains(&folder) && !file.contains(['/', '\\']) && !["", ".", ".."].contains(&file)
        }
    }
}

/// Lists the outputs and makes what they hold last through a crash of the machine.
pub fn sync(run: &Path) -> io::Result<Outputs> {
    let mut outputs = Outputs::new();
    for (name, path) in list(run)? {
        let file = File::open(path)?;
        file.sync_all()?;
        outputs.insert(name, file.metadata()?.len());
    }
    Ok(outputs)
}

/// Says which output has fewer bytes than it had at an earlier moment, if any has.
pub fn lost(run: &Path, earlier: &Outputs) -> Option<String> {
    earlier.iter().find_map(|(name, expected)| {
        let len = fs::metadata(run.join(name)).map_or(0, |file| file.len());
        (len < *expected).then(|| format!("{name} has {len} bytes, and had {expected} then"))
    })
}

/// Cuts the outputs back to an earlier moment: what came later goes, and what a killed process had begun to write.
pub fn cut_back(run: &Path, earlier: &Outputs) -> io::Result<()> {
    for (name, path) in list(run)? {
        match earlier.get(&name) {
            Some(len) if fs::metadata(&path)?.len() == *len => {}
            Some(len) => File::options().write(true).open(&path)?.set_len(*len)?,
            None => fs::remove_file(&path)?,
        }
    }
    for folder in FOLDERS.into_iter().chain(["", "checkpoints"]).map(|folder| run.join(folder)) {
        for name in names_in(&folder)?.into_iter().filter(|name| name.starts_with(UNFINISHED)) {
            fs::remove_file(folder.join(name))?;
        }
    }
    Ok(())
}

/// All outputs by their path in the run directory, in alphabetical order.
pub fn list(run: &Path) -> io::Result<BTreeMap<String, PathBuf>> {
    let mut files = BTreeMap::new();
    for name in names(run)?.into_iter().filter(|name| is_output(name)) {
        files.insert(name.clone(), run.join(name));
    }
    for folder in FOLDERS {
        let path = run.join(folder);
        for name in names_in(&path)?.into_iter().filter(|name| !name.starts_with(UNFINISHED)) {
            files.insert(format!("{folder}/{name}"), path.join(name));
        }
    }
    Ok(files)
}

/// As [`names`], of a folder that need not be there.
fn names_in(folder: &Path) -> io::Result<Vec<String>> {
    if folder.is_dir() { names(folder) } else { Ok(Vec::new()) }
}

/// The files in a folder whose names are text.
fn names(folder: &Path) -> io::Result<Vec<String>> {
    let mut names = Vec::new();
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        if entry.file_type()?.is_file() {
            names.extend(entry.file_name().into_string());
        }
    }
    Ok(names)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_came_later_goes_and_what_is_not_ours_stays() {
        let folder = tempfile::tempdir().unwrap();
        let run = folder.path();
        let write = |name: &str, text: &str| fs::write(run.join(name), text).unwrap();
        fs::create_dir(run.join("consolidations")).unwrap();
        write("episodes.csv", "one");
        write("consolidations/0.json", "{}");
        let earlier = sync(run).unwrap();
        assert_eq!(earlier, Outputs::from([("consolidations/0.json".into(), 2), ("episodes.csv".into(), 3)]));
        write("episodes.csv", "one, two");
        write("consolidations/1.json", "{}");
        write("events.out.tfevents.7.engram", "later");
        write("notes.txt", "mine");
        write(".unfinished-x", "half");
        write("consolidations/.unfinished-y", "half");
        assert_eq!(lost(run, &earlier), None);
        cut_back(run, &earlier).unwrap();
        assert_eq!(sync(run).unwrap(), earlier);
        assert_eq!(fs::read_to_string(run.join("episodes.csv")).unwrap(), "one");
        assert!(run.join("notes.txt").exists() && !run.join(".unfinished-x").exists());
        write("episodes.csv", "");
        assert_eq!(lost(run, &earlier).unwrap(), "episodes.csv has 0 bytes, and had 3 then");
    }
}
