//! The commands that make the runs of a report, and the report.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use super::Report;
use super::json::name;
use crate::statistics::Resampling;

/// Paths, or stretches of seeds, that are named one by one.
const MOST_NAMED: usize = 12;

/// The lines of a shell that train the runs again, and make the figure and the report of them.
pub fn commands(report: &Report, given: &[PathBuf]) -> Vec<String> {
    let mut lines = Vec::new();
    let plans = given.iter().map(|path| path.join("plan.toml")).filter(|plan| plan.is_file());
    lines.extend(plans.map(|plan| format!("engram sweep {}", quoted(&plan))));
    if lines.is_empty() {
        lines.extend(report.comparison.groups.iter().map(|group| {
            let config = quoted(&group.runs[0].path.join("config.toml"));
            let seeds: Vec<u64> = group.runs.iter().map(|run| run.seed).collect();
            match seeds[..] {
                [seed] => format!("engram train {config} --seed {seed}"),
                _ => format!("for seed in {}; do engram train {config} --seed $seed; done", shell_seeds(&seeds)),
            }
        }));
    }
    let runs = named(given);
    lines.push(format!("engram figure --out curves.svg {runs}"));
    let intervals = match report.resampling {
        Resampling::WholeRuns => String::new(),
        Resampling::Stratified => format!(" --intervals {}", name(report.resampling)),
    };
    // What follows a # is a comment, so that the runs come last.
    lines.push(format!("engram report --out report{intervals} {runs}"));
    lines
}

/// The paths as words of a shell: a folder and a star where all that lies in it was given.
fn named(given: &[PathBuf]) -> String {
    if given.len() <= MOST_NAMED {
        return given.iter().map(|path| quoted(path)).collect::<Vec<_>>().join(" ");
    }
    let mut folders: BTreeMap<&Path, usize> = BTreeMap::new();
    for path in given {
        *folders.entry(path.parent().unwrap_or(Path::new(""))).or_default() += 1;
    }
    let is_whole = |folder: &Path, count| {
        let place = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
        fs::read_dir(place).is_ok_and(|entries| entries.count() == count)
    };
    if folders.len() <= MOST_NAMED && folders.iter().all(|(folder, &count)| is_whole(folder, count)) {
        return folders.keys().map(|folder| format!("{}*", quoted(&folder.join("")))).collect::<Vec<_>>().join(" ");
    }
    format!("RUNS…  # {} run directories", given.len())
}

/// Seeds as words of a shell: in a row as a sequence, and very many only begun.
fn shell_seeds(seeds: &[u64]) -> String {
    let ranges = ranges(seeds);
    let words = ranges.iter().take(MOST_NAMED).map(|&(first, last)| match last - first {
        0 => first.to_string(),
        1 => format!("{first} {last}"),
        _ => format!("$(seq {first} {last})"),
    });
    let more = if ranges.len() > MOST_NAMED { " …" } else { "" };
    words.collect::<Vec<_>>().join(" ") + more
}

/// Seeds in words: `100–109, 7`, and very many as their number and ends.
pub fn seeds(seeds: &[u64]) -> String {
    let ranges = ranges(seeds);
    if let (true, Some((first, _)), Some((_, last))) = (ranges.len() > MOST_NAMED, ranges.first(), ranges.last()) {
        return format!("{first} … {last}");
    }
    let range = |&(first, last): &(u64, u64)| match last - first {
        0 => first.to_string(),
        1 => format!("{first}, {last}"),
        _ => format!("{first}–{last}"),
    };
    ranges.iter().map(range).collect::<Vec<_>>().join(", ")
}

/// The first and the last of each stretch of seeds that count up by one.
fn ranges(seeds: &[u64]) -> Vec<(u64, u64)> {
    let stretches = seeds.chunk_by(|one, next| one.checked_add(1) == Some(*next));
    stretches.map(|stretch| (stretch[0], stretch[stretch.len() - 1])).collect()
}

/// A path as a word of a shell.
fn quoted(path: &Path) -> String {
    let text = path.display().to_string();
    let plain = |c: char| c.is_ascii_alphanumeric() || "/._-+=:,@%".contains(c);
    if !text.is_empty() && text.chars().all(plain) { text } else { format!("'{}'", text.replace('\'', "'\\''")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seeds_in_a_row_are_a_range() {
        assert_eq!(seeds(&[100, 101, 102, 7, 8, 3]), "100–102, 7, 8, 3");
        assert_eq!(shell_seeds(&[4, 5, 6]), "$(seq 4 6)");
        assert_eq!(shell_seeds(&[4, 6, 7]), "4 6 7");
        let even: Vec<u64> = (0..100).step_by(2).collect();
        assert_eq!(seeds(&even), "0 … 98");
        assert_eq!(shell_seeds(&even), "0 2 4 6 8 10 12 14 16 18 20 22 …");
        assert_eq!(seeds(&[u64::MAX]), u64::MAX.to_string());
    }

    #[test]
    fn names_are_words_of_a_shell() {
        assert_eq!(named(&["runs/a__1".into(), "it's; rm".into()]), r"runs/a__1 'it'\''s; rm'");
    }

    #[test]
    fn a_star_stands_for_a_whole_folder_only() {
        let folder = tempfile::tempdir().unwrap();
        let runs: Vec<PathBuf> = (0..20).map(|run| folder.path().join(run.to_string())).collect();
        for run in &runs {
            fs::create_dir(run).unwrap();
        }
        assert_eq!(named(&runs), format!("{}/*", folder.path().display()));
        assert_eq!(named(&runs[..19]), "RUNS…  # 19 run directories");
    }
}
