//! Foreign bytes: configs, event files and parameters that no program wrote are refused or taken, never a panic.
//!
//! `ENGRAM_FUZZ_CASES` sets how many are tried.

use std::fs;

use engram::{
    config::{self, Overrides, Source},
    event_file, presets,
    snapshot::{self, Snapshot},
};
use engram_agents::params::{Layout, Owner};
use engram_envs::Registry;
use proptest::prelude::*;
use proptest::sample::Index;
use proptest::test_runner::{Config, TestRunner};

fn runner(few: u32) -> TestRunner {
    let cases = std::env::var("ENGRAM_FUZZ_CASES").ok().and_then(|cases| cases.parse().ok()).unwrap_or(few);
    TestRunner::new(Config { cases, failure_persistence: None, ..Config::default() })
}

fn bytes() -> impl Strategy<Value = Vec<u8>> {
    prop::collection::vec(any::<u8>(), 0..200)
}

/// Values that are more telling than any.
fn values() -> impl Strategy<Value = String> {
    let telling = prop::sample::select(vec![
        "0",
        "1",
        "-1",
        "1e30",
        "-1e30",
        "nan",
        "inf",
        "9223372036854775807",
        "1e-45",
        "\"\"",
        "[]",
        "{}",
        "true",
        "\"ewc\"",
        "[0]",
        "[1, 2, 3]",
        "[99999999]",
        "\"MinAtar/Breakout-v1\"",
        "\"../..\"",
        "4294967296",
    ]);
    telling.prop_map(str::to_owned)
}

/// A preset with some of its values replaced, and perhaps a byte that does not belong there.
#[test]
fn config_files() {
    let folder = tempfile::tempdir().unwrap();
    let registry = Registry::standard();
    let texts: Vec<String> = ["catch-3", "classic2", "minatar2", "minatar-dqn", "addition"]
        .map(|name| presets::get(name).unwrap().toml.into_owned())
        .to_vec();
    let change = prop::collection::vec((any::<Index>(), values()), 1..4);
    let noise = prop::option::weighted(0.2, (any::<Index>(), any::<char>()));
    let outcome = runner(300).run(&(any::<Index>(), change, noise), |(which, changes, noise)| {
        let mut lines: Vec<String> = which.get(&texts).lines().map(str::to_owned).collect();
        let keys: Vec<usize> = (0..lines.len()).filter(|line| lines[*line].contains(" = ")).collect();
        for (at, value) in changes {
            let line = &mut lines[*at.get(&keys)];
            let key = line.split(" = ").next().unwrap_or_default().to_owned();
            *line = format!("{key} = {value}");
        }
        let mut text = lines.join("\n");
        if let Some((at, letter)) = noise {
            let places: Vec<usize> = text.char_indices().map(|(place, _)| place).collect();
            text.insert(*at.get(&places), letter);
        }
        let path = folder.path().join("changed.toml");
        fs::write(&path, text).unwrap();
        if let Ok(config) = config::read(&Source::File(path), &Overrides::default(), &registry) {
            let resolved = config.resolve();
            let text = config::to_toml(&resolved).unwrap();
            prop_assert_eq!(toml::from_str::<config::Config>(&text).unwrap(), resolved);
        }
        Ok(())
    });
    outcome.unwrap();
}

#[test]
fn settings() {
    let registry = Registry::standard();
    let setting = prop_oneof![
        "[a-z.0-9=_\\[\\]{}\", -]{0,40}",
        ("(agent|method|curriculum)\\.[a-z_.0-9]{0,20}", values()).prop_map(|(key, value)| format!("{key}={value}")),
    ];
    let outcome = runner(300).run(&setting, |setting| {
        let overrides = Overrides { set: vec![setting], ..Overrides::default() };
        let _ = config::read(&Source::Preset("catch-3".into()), &overrides, &registry);
        Ok(())
    });
    outcome.unwrap();
}

#[test]
fn event_files() {
    // One record as it is written, without a right checksum, which readers of one's own files do not need.
    let record = [8, 1, 42, 8, 10, 6, 10, 1, b'a', 21, 0, 0];
    let framed = |record: &[u8]| [&(record.len() as u64).to_le_bytes()[..], &[0; 4], record, &[0; 4]].concat();
    let outcome = runner(1000).run(&(bytes(), any::<Index>(), any::<u8>(), 0..3_usize), |(bytes, at, value, whole)| {
        let _ = event_file::read(&bytes);
        let _ = event_file::read(&framed(&bytes));
        let mut file = framed(&record).repeat(3);
        let place = at.index(file.len());
        file[place] = value;
        let _ = event_file::read(&file);
        prop_assert!(event_file::read(&file[..whole * framed(&record).len() + 5]).is_err());
        Ok(())
    });
    outcome.unwrap();
}

#[test]
fn parameters() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("params.safetensors");
    let mut layout = Layout::default();
    layout.push("weight", &[2, 3], Owner::Shared);
    snapshot::write(&path, &layout, 7, &snapshot::by_name(&layout, "", &[0.5; 6])).unwrap();
    let original = fs::read(&path).unwrap();
    let outcome = runner(300).run(&(any::<Index>(), any::<u8>(), bytes()), |(at, value, any)| {
        let mut changed = original.clone();
        changed[at.index(original.len())] = value;
        for bytes in [&changed, &any] {
            fs::write(&path, bytes).unwrap();
            let snapshot = Snapshot::open(&path).unwrap();
            let _ = snapshot.read(&layout, "", &mut [0.0; 6]);
            let _ = snapshot.flags("weight", 24);
        }
        Ok(())
    });
    outcome.unwrap();
}
