//! Tells the program which commit it is built from.

use std::path::Path;
use std::process::Command;

fn main() {
    println!("cargo::rerun-if-changed=src/build.rs");
    // `logs/HEAD` changes with every commit, `HEAD` only when another branch is checked out.
    for file in [".git/HEAD", ".git/logs/HEAD"].iter().filter(|file| Path::new(file).exists()) {
        println!("cargo::rerun-if-changed={file}");
    }
    println!("cargo::rustc-env=ENGRAM_COMMIT={}", commit().unwrap_or_else(|| "unknown".into()));
}

fn commit() -> Option<String> {
    // Without this a source tree inside another project's checkout would name that project's commit.
    if !Path::new(".git").exists() {
        return None;
    }
    let output = Command::new("git").args(["rev-parse", "--short", "HEAD"]).output().ok()?;
    output.status.success().then(|| String::from_utf8_lossy(&output.stdout).trim().to_owned())
}
