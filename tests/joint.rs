//! Multi-task training: all tasks in turns in one phase, each with a replay buffer of its own.

use assert_cmd::Command;
use engram::{
    config::{Config, Overrides, Source, read},
    event::{Episode, Event},
    metrics::Metrics,
    sink::{Sink, SinkError},
    stop::Stop,
    trainer::{Ending, Trainer},
};
use engram_agents::continual::MethodName;
use engram_envs::Registry;

fn joint(preset: &str, steps_per_task: u64) -> Config {
    let overrides = Overrides { joint: true, steps_per_task: Some(steps_per_task), ..Overrides::default() };
    read(&Source::from(preset), &overrides, &Registry::standard()).unwrap().resolve()
}

/// Keeps the episodes, and counts consolidations.
#[derive(Default)]
struct Episodes {
    episodes: Vec<Episode>,
    consolidated: usize,
}

impl Sink for Episodes {
    fn record(&mut self, event: &Event<'_>) -> Result<(), SinkError> {
        match event {
            Event::Episode(episode) => self.episodes.push(*episode),
            Event::Consolidated { .. } => self.consolidated += 1,
            _ => {}
        }
        Ok(())
    }

    fn flush(&mut self) -> Result<(), SinkError> {
        Ok(())
    }
}

/// Fails if tasks take turns by episodes in place of steps: episodes of CartPole are shorter than those of Acrobot.
#[test]
fn the_task_with_the_fewest_steps_is_played_next() {
    for (preset, tasks) in [("catch-3", 3), ("classic2", 2)] {
        let config = joint(preset, 1500);
        assert_eq!((config.curriculum.phases.len(), config.method.name), (1, MethodName::FineTune));
        let mut trainer = Trainer::new(&config, &Registry::standard()).unwrap();
        let mut seen = Episodes::default();
        assert_eq!(trainer.run(&mut seen, &Stop::default()).unwrap(), Ending::Finished);
        assert_eq!((trainer.step(), seen.consolidated), (1500 * tasks as u64, 0));

        let mut steps = vec![0_u64; tasks];
        for episode in &seen.episodes {
            let fewest = (0..tasks).min_by_key(|task| steps[*task]).unwrap();
            assert_eq!(episode.task, fewest, "{preset}: {steps:?}");
            steps[fewest] += u64::from(episode.length);
        }
        let least = *steps.iter().min().unwrap();
        assert!(least > 0 && steps.iter().all(|own| own - least <= 500), "{steps:?}");

        let rows = &trainer.matrix().rows;
        assert_eq!(rows.len(), 2, "before and after");
        assert_eq!((rows[1].step, rows[1].trained.unwrap().task), (trainer.step(), None));
        let metrics = Metrics::of(trainer.matrix());
        assert_eq!((metrics.forgetting, metrics.backward_transfer, metrics.forward_transfer), (None, None, None));
        assert!(metrics.learning.is_some());
        assert!((0..tasks).all(|task| trainer.agent().replay(task).is_some_and(|own| own.len() > 300)));
    }
}

/// As many steps as the sequence would have, also where its phases have their own, or cycles.
#[test]
fn a_joint_run_has_the_steps_of_the_sequence() {
    let steps = |set: &[&str]| {
        let set = set.iter().map(ToString::to_string).collect();
        let overrides = Overrides { joint: true, set, ..Overrides::default() };
        let config = read(&Source::from("catch-3"), &overrides, &Registry::standard()).unwrap().resolve();
        assert!(config.agent.replay.per_task);
        let phases: Vec<_> = config.curriculum.phases.iter().map(|phase| (phase.task, phase.steps)).collect();
        assert!(matches!(phases[..], [(None, Some(_))]), "{phases:?}");
        phases[0].1.unwrap()
    };
    assert_eq!(steps(&["curriculum.steps_per_task=400"]), 1200);
    assert_eq!(steps(&["curriculum.steps_per_task=400", "curriculum.cycles=2"]), 2400);
    let phases = "curriculum.phases=[{ task = 0, steps = 700 }, { task = 2 }]";
    assert_eq!(steps(&["curriculum.steps_per_task=400", phases]), 1100);
}

#[test]
fn joint_training_from_the_command_line() {
    let folder = tempfile::tempdir().unwrap();
    let engram = |args: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_engram"));
        command.current_dir(folder.path()).args(args).output().unwrap()
    };
    let train = ["train", "catch-3", "--curriculum", "joint", "--steps-per-task", "200"];
    let output = engram(&[&train[..], &["--run-dir", "run"]].concat());
    let (said, error) = (String::from_utf8(output.stdout).unwrap(), String::from_utf8(output.stderr).unwrap());
    assert_eq!(output.status.code(), Some(0), "{error}");
    for metric in ["forgetting", "backward transfer"] {
        let line = said.lines().find(|line| line.starts_with(metric)).unwrap();
        assert!(line.ends_with(" n/a"), "{said}");
    }
    let matrix = std::fs::read_to_string(folder.path().join("run/performance_matrix.csv")).unwrap();
    assert_eq!(matrix.lines().count(), 1 + 2 * 3, "{matrix}");
    let verified = engram(&["verify", "run"]);
    assert_eq!(verified.status.code(), Some(0), "{}", String::from_utf8_lossy(&verified.stderr));

    let refused = engram(&[&train[..], &["--method", "ewc", "--run-dir", "other"]].concat());
    let error = String::from_utf8(refused.stderr).unwrap();
    assert_eq!((refused.status.code(), error.lines().count()), (Some(2), 1), "{error}");
    assert!(error.contains("`method.name` is `ewc`; it must be `fine-tune`, `reset`"), "{error}");
    assert!(error.contains("--method ewc"), "{error}");
    assert!(!folder.path().join("other").exists(), "nothing is left behind");
}

/// Fails if what `--curriculum joint` implies stands over what is asked for.
#[test]
fn what_is_set_stands_over_what_joint_implies() {
    let set = ["method.name=l2-init", "agent.replay.per_task=false"].map(str::to_owned).to_vec();
    let overrides = Overrides { joint: true, set, ..Overrides::default() };
    let config = read(&Source::from("catch-3"), &overrides, &Registry::standard()).unwrap();
    assert_eq!((config.method.name, config.agent.replay.per_task), (MethodName::L2Init, false));
}
