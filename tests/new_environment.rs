//! `engram env new` through the program: what it writes, and what it refuses without writing.

use assert_cmd::Command;
use std::fs;
use std::path::Path;

fn new(folder: &Path, name: &str) -> assert_cmd::assert::Assert {
    Command::new(env!("CARGO_BIN_EXE_engram")).current_dir(folder).args(["env", "new", name]).assert()
}

#[test]
fn the_file_is_written_and_the_lines_are_named() {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("src")).unwrap();
    fs::write(folder.path().join("Cargo.toml"), "").unwrap();
    let output = new(folder.path(), "DeepSea").success().get_output().stdout.clone();
    let said = String::from_utf8(output).unwrap();
    assert!(said.contains("mod deep_sea;") && said.contains("registry.add(deep_sea::entry());"), "{said}");
    assert!(fs::read_to_string(folder.path().join("src/deep_sea.rs")).unwrap().contains("pub struct DeepSea"));
    let said = String::from_utf8(new(folder.path(), "DeepSea").code(2).get_output().stderr.clone()).unwrap();
    assert!(said.contains("src/deep_sea.rs: it exists already") && said.lines().count() == 1, "{said}");
}

#[test]
fn what_cannot_be_is_one_line_and_nothing_is_written() {
    let folder = tempfile::tempdir().unwrap();
    for (name, what) in [("deep-sea", "`DeepSea`"), ("Catch", "already"), ("Maze", "no crate"), ("Loop", "`loop`")] {
        let said = String::from_utf8(new(folder.path(), name).code(2).get_output().stderr.clone()).unwrap();
        assert!(said.contains(what) && said.lines().count() == 1, "{said}");
    }
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
}
