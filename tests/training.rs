//! The trainer as a whole: the order of calls, independence from evaluation, reproducibility, and recurring tasks.

use std::{
    collections::BTreeSet,
    path::Path,
    sync::{Arc, Mutex},
};

use engram::{
    config::{Config, CurriculumConfig, Overrides, PhaseConfig, Source, read},
    curriculum::Curriculum,
    error::TrainError,
    evaluate::Evaluator,
    event::Event,
    metrics::PerformanceMatrix,
    sink::{Sink, SinkError},
    stop::Stop,
    trainer::{Ending, Trainer},
};
use engram_agents::{continual::MethodName, replay::Batch};
use engram_envs::{Chance, End, Entry, Env, EnvError, ObservationSpace, Options, Outcome, Registry, Spec};

fn config(preset: &str, set: &[&str]) -> Config {
    let overrides = Overrides { set: set.iter().map(ToString::to_string).collect(), ..Overrides::default() };
    read(&Source::Preset(preset.into()), &overrides, &Registry::standard()).unwrap().resolve()
}

/// Remembers what happened, a line an event.
#[derive(Clone, Default)]
struct Tape(Arc<Mutex<Vec<String>>>);

impl Tape {
    fn note(&self, line: String) {
        self.0.lock().unwrap().push(line);
    }

    fn lines(&self) -> Vec<String> {
        self.0.lock().unwrap().clone()
    }
}

impl Sink for Tape {
    fn record(&mut self, event: &Event<'_>) -> Result<(), SinkError> {
        self.note(match event {
            Event::PhaseStarted { step, phase, task } => format!("phase {phase} task {} at {step}", task.unwrap_or(99)),
            Event::Episode(episode) => {
                format!("episode {} of {} steps at {}", episode.episode, episode.length, episode.step)
            }
            Event::Updated { step, update, .. } => format!("{} updates at {step}", update.updates),
            Event::Evaluated { step, .. } => format!("evaluated at {step}"),
            Event::Recorded { step, task, frames } => format!("{} pictures of task {task} at {step}", frames.len()),
            Event::Consolidated { step, .. } => format!("consolidated at {step}"),
            Event::Kept { step, .. } => format!("kept at {step}"),
            Event::Row { row, .. } => format!("row at {}", row.step),
            Event::Finished { step, .. } => format!("finished at {step}"),
            Event::Stepped { .. } | Event::Resumed { .. } | Event::Warning { .. } | Event::Broken { .. } => {
                return Ok(());
            }
        });
        Ok(())
    }

    fn flush(&mut self) -> Result<(), SinkError> {
        Ok(())
    }
}

fn run(config: &Config, registry: &Registry, tape: &Tape) -> (Vec<u32>, PerformanceMatrix) {
    let mut trainer = Trainer::new(config, registry).unwrap();
    assert_eq!(trainer.run(&mut tape.clone(), &Stop::default()).unwrap(), Ending::Finished);
    trainer.finish(&mut tape.clone()).unwrap();
    let params = trainer.agent().network().params().iter().map(|param| param.to_bits()).collect();
    (params, trainer.matrix().clone())
}

/// An environment with episodes of three steps that writes its calls on the tape.
struct Noted {
    spec: Spec,
    tape: Tape,
    step: u32,
    end: End,
}

impl Env for Noted {
    fn spec(&self) -> &Spec {
        &self.spec
    }

    fn reset(&mut self, _chance: &mut dyn Chance) -> Result<(), EnvError> {
        self.step = 0;
        self.tape.note("reset".into());
        Ok(())
    }

    fn step(&mut self, _action: usize, _chance: &mut dyn Chance) -> Result<Outcome, EnvError> {
        self.step += 1;
        self.tape.note("step".into());
        let end = (self.step == 3).then_some(self.end);
        Ok(Outcome { reward: 1.0, end })
    }

    fn observe(&mut self, out: &mut [f32]) -> Result<(), EnvError> {
        out.fill(self.step as f32);
        self.tape.note("observe".into());
        Ok(())
    }

    fn save(&mut self) -> Result<Vec<u8>, EnvError> {
        Ok(Vec::new())
    }

    fn load(&mut self, _state: &[u8]) -> Result<(), EnvError> {
        Ok(())
    }
}

/// A registry with `Noted` alone, and a small config that plays it.
fn noted(tape: &Tape, end: End) -> (Registry, Config) {
    let mut registry = Registry::empty();
    let tape = tape.clone();
    registry.add(Entry::new("Noted", "writes its calls on a tape", move |_| {
        let spec = Spec {
            id: "Noted".into(),
            observation: ObservationSpace::Vector { components: vec!["steps".into()] },
            actions: ["left", "right"].map(String::from).to_vec(),
            step_limit: None,
            starts: Some(1),
        };
        Ok(Box::new(Noted { spec, tape: tape.clone(), step: 0, end }))
    }));
    let periods = ["agent.warmup_steps=2", "agent.train_period=2", "evaluation.period=4", "log.period=4"];
    let mut config = config("addition", &periods);
    config.agent.discount = 0.5;
    config.curriculum.tasks.truncate(1);
    config.curriculum.tasks[0].env = "Noted".into();
    config.curriculum.tasks[0].reference = Some(engram::config::ReferenceConfig { random: Some(0.0), single: 3.0 });
    config.curriculum.phases = vec![PhaseConfig::new(Some(0), Some(50))];
    (registry, config)
}

/// P14 and P15. What the trainer puts into the replay buffer: fails if a truncation is stored as a termination, or if
/// the environment is reset before its last observation is remembered.
#[test]
fn p14_p15_the_replay_buffer_holds_true_ends() {
    for end in [End::Terminated, End::Truncated] {
        let (registry, config) = noted(&Tape::default(), end);
        let mut trainer = Trainer::new(&config, &registry).unwrap();
        trainer.run(&mut Tape::default(), &Stop::default()).unwrap();
        let replay = trainer.agent().replay(0).unwrap();
        let (mut slots, mut batch) = (Vec::new(), Batch::default());
        replay.draw(500, None, &mut engram::seeds::stream(0, "test", 0, 0), &mut slots);
        replay.gather(&slots, &mut batch);
        for row in 0..batch.len() {
            assert_eq!(batch.next_observations[row], batch.observations[row] + 1.0);
            let terminated = end == End::Terminated && batch.next_observations[row] == 3.0;
            assert_eq!(batch.discounts[row], if terminated { 0.0 } else { 0.5 });
        }
        assert!(batch.next_observations.contains(&3.0));
    }
}

/// P11. The order of calls around a boundary: the last update, the consolidation on the old replay buffer, the
/// evaluation of every task, and only then the next phase.
#[test]
fn p11_the_tape_of_a_run() {
    let tape = Tape::default();
    let (registry, mut config) = noted(&tape, End::Terminated);
    config.curriculum.phases = vec![PhaseConfig::new(Some(0), Some(5)), PhaseConfig::new(Some(0), Some(2))];
    let evaluation = ["reset", "observe", "step", "observe", "step", "observe", "step", "observe"];
    run(&config, &registry, &tape);

    let mut expected: Vec<&str> = Vec::new();
    expected.extend(evaluation);
    expected.extend(["evaluated at 0", "row at 0", "phase 0 task 0 at 0", "reset", "observe"]);
    expected.extend(["step", "observe", "step", "observe", "step", "observe", "episode 0 of 3 steps at 3"]);
    expected.extend(["reset", "observe", "step", "observe", "2 updates at 4"]);
    expected.extend(evaluation);
    expected.extend(["evaluated at 4", "step", "observe", "consolidated at 5", "kept at 5"]);
    expected.extend(evaluation);
    expected.extend(["evaluated at 5", "row at 5", "phase 1 task 0 at 5", "reset", "observe"]);
    expected.extend(["step", "observe", "step", "observe", "1 updates at 7", "consolidated at 7", "kept at 7"]);
    expected.extend(evaluation);
    expected.extend(["evaluated at 7", "row at 7", "finished at 7"]);
    assert_eq!(tape.lines(), expected);
}

/// P18. Fails if evaluation shares an environment, a generator or any state of the agent with training.
#[test]
fn p18_training_does_not_depend_on_evaluation() {
    let registry = Registry::standard();
    let train = |set: &[&str]| {
        let mut set = set.to_vec();
        set.push("curriculum.steps_per_task=1500");
        let tape = Tape::default();
        let (params, _) = run(&config("classic2", &set), &registry, &tape);
        let training: Vec<String> = tape.lines().into_iter().filter(|line| !line.starts_with("evaluated")).collect();
        (params, training)
    };
    let rare = train(&["evaluation.period=1000", "evaluation.episodes=1"]);
    assert_eq!(rare, train(&["evaluation.period=100", "evaluation.episodes=3"]));
}

#[test]
fn the_same_seed_gives_the_same_run_and_another_does_not() {
    let registry = Registry::standard();
    for method in MethodName::ALL {
        let set = format!("method.name={:?}", method.as_str());
        let steps = "curriculum.steps_per_task=300";
        let train = |seed: &str| run(&config("catch-3", &[&set, steps, seed]), &registry, &Tape::default());
        assert_eq!(train("seed=1"), train("seed=1"));
        assert_ne!(train("seed=1").0, train("seed=2").0);
    }
}

/// The resolved config is the run: a random order and cycles are spelled out, and it reads back to itself.
#[test]
fn the_resolved_config_reproduces_the_run() {
    let registry = Registry::standard();
    let set = ["curriculum.order=\"random\"", "curriculum.cycles=2", "curriculum.steps_per_task=200", "seed=5"];
    let resolved = config("addition", &set);
    assert_eq!(resolved.curriculum.phases.len(), 6);
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("config.toml");
    std::fs::write(&file, engram::config::to_toml(&resolved).unwrap()).unwrap();
    let again = read(&Source::File(file), &Overrides::default(), &registry).unwrap().resolve();
    assert_eq!(again, resolved);
    assert_eq!(run(&resolved, &registry, &Tape::default()), run(&again, &registry, &Tape::default()));
}

#[test]
fn a_task_that_recurs_has_a_row_for_each_phase() {
    let mut config = config("addition", &["curriculum.steps_per_task=200"]);
    config.curriculum.phases = [0, 1, 0].map(|task| PhaseConfig::new(Some(task), Some(200))).to_vec();
    let (_, matrix) = run(&config, &Registry::standard(), &Tape::default());
    let trained: Vec<_> = matrix.rows[1..].iter().map(|row| row.trained.unwrap().task).collect();
    assert_eq!(trained, [0, 1, 0].map(Some));
    assert!(matrix.rows.iter().all(|row| row.returns.len() == 3 && row.normalized.len() == 3));
}

#[test]
fn tasks_of_different_sizes_share_one_network() {
    let registry = Registry::standard();
    let config = config("classic2", &["curriculum.steps_per_task=1100"]);
    let trainer = Trainer::new(&config, &registry).unwrap();
    assert_eq!(trainer.curriculum().set.input.len(), 6);
    assert_eq!(trainer.curriculum().set.actions, [2, 3]);
    let mut cart_pole = trainer.curriculum().tasks[0].make().unwrap();
    cart_pole.reset(&mut engram::seeds::stream(1, "env", 0, 0)).unwrap();
    let raw = {
        let mut env = registry.make("CartPole-v1", &Options::new()).unwrap();
        env.reset(&mut engram::seeds::stream(1, "env", 0, 0)).unwrap();
        let mut raw = [0.0; 4];
        env.observe(&mut raw).unwrap();
        raw
    };
    let seen = cart_pole.observation();
    assert_eq!(seen[4..], [0.0, 0.0]);
    assert_eq!(seen[1], raw[1] * 0.5);
    assert_eq!(seen[2], raw[2] * 5.0);
}

#[test]
fn a_diverging_run_stops_and_says_where() {
    let config = config("catch-3", &["agent.reward_scale=1e30", "curriculum.steps_per_task=400"]);
    let mut trainer = Trainer::new(&config, &Registry::standard()).unwrap();
    let error = trainer.run(&mut Tape::default(), &Stop::default()).unwrap_err();
    assert!(matches!(error, TrainError::Agent { step: 200.., .. }), "{error}");
    assert!(error.to_string().contains("diverged"), "{error}");
}

/// Asks for an end at the first event of this name.
struct Asks {
    name: &'static str,
    stop: Stop,
    tape: Tape,
}

impl Sink for Asks {
    fn record(&mut self, event: &Event<'_>) -> Result<(), SinkError> {
        self.tape.record(event)?;
        if self.tape.lines().last().is_some_and(|line| line.starts_with(self.name)) {
            self.stop.ask(15);
        }
        Ok(())
    }

    fn flush(&mut self) -> Result<(), SinkError> {
        Ok(())
    }
}

/// Wherever a signal arrives, nothing more is evaluated or recorded: in an episode, before an evaluation and after the
/// last consolidation.
#[test]
fn a_signal_stops_the_run_within_a_step() {
    for (name, end) in [("episode 0", 9), ("phase 1", 301), ("kept at 600", 600)] {
        let config = config("catch-3", &["curriculum.steps_per_task=300", "evaluation.period=9"]);
        let config = Config {
            curriculum: CurriculumConfig {
                phases: vec![PhaseConfig::new(Some(0), None); 2],
                ..config.curriculum.clone()
            },
            ..config
        };
        let mut asks = Asks { name, stop: Stop::default(), tape: Tape::default() };
        let stop = asks.stop.clone();
        let mut trainer = Trainer::new(&config, &Registry::standard()).unwrap();
        let ending = trainer.run(&mut asks, &stop).unwrap();
        assert_eq!((ending, trainer.step()), (Ending::Stopped(15), end), "{name}");
        assert!(asks.tape.lines().last().unwrap().starts_with(name), "{:?}", asks.tape.lines());
    }
}

/// Keeps the warnings.
#[derive(Default)]
struct Warnings(Vec<String>);

impl Sink for Warnings {
    fn record(&mut self, event: &Event<'_>) -> Result<(), SinkError> {
        if let Event::Warning { message, .. } = event {
            self.0.push((*message).into());
        }
        Ok(())
    }

    fn flush(&mut self) -> Result<(), SinkError> {
        Ok(())
    }
}

/// P8. A penalty whose explicit steps overshoot is told once a phase, and not where the step is proximal: fails if the
/// trainer does not look at the stiffness.
#[test]
fn p8_an_overshooting_penalty_is_told() {
    let warnings = |coupling: &str, lambda: &str| {
        let set = ["method.name=l2", coupling, lambda, "curriculum.steps_per_task=600", "log.period=100"];
        let mut sink = Warnings::default();
        let config = config("catch-3", &set);
        Trainer::new(&config, &Registry::standard()).unwrap().run(&mut sink, &Stop::default()).unwrap();
        sink.0
    };
    let told = warnings("method.coupling=loss", "method.l2.lambda=10");
    assert_eq!(told.len(), 2, "{told:?}");
    assert!(told.iter().all(|message| message.contains("drives parameters away")), "{told:?}");
    assert!(warnings("method.coupling=loss", "method.l2.lambda=1e-6").is_empty());
    assert!(warnings("method.coupling=proximal", "method.l2.lambda=10").is_empty());
}

/// P17. Each task is evaluated under its own id: fails if the evaluator asks the network for another task's values.
#[test]
fn p17_each_task_is_evaluated_under_its_own_id() {
    let registry = Registry::standard();
    let config = config("addition", &["agent.network.conditioning=heads", "method.name=fine-tune", "seed=1"]);
    let mut trainer = Trainer::new(&config, &registry).unwrap();
    trainer.run(&mut Tape::default(), &Stop::default()).unwrap();
    let last = config.curriculum.tasks.len() - 1;
    assert!(trainer.matrix().rows[last + 1].normalized[last] > 0.95, "{:?}", trainer.matrix());

    let mut swapped = config.clone();
    swapped.curriculum.tasks.swap(0, last);
    let curriculum = Curriculum::new(&swapped, &registry).unwrap();
    let mut agent = trainer.into_agent();
    let mut scores = |curriculum: &Curriculum| {
        let mut evaluator = Evaluator::new(curriculum, config.seed, config.evaluation).unwrap();
        evaluator.scores(&mut agent, curriculum, &Stop::default()).unwrap()
    };
    assert!(scores(&curriculum)[0].normalized < 0.5, "the last task under the id of the first");
}

/// Some games never end under some policies.
#[test]
fn an_evaluation_episode_ends_at_the_step_limit() {
    let tape = Tape::default();
    let (registry, mut config) = noted(&tape, End::Terminated);
    config.evaluation.step_limit = 2;
    let mut trainer = Trainer::new(&config, &registry).unwrap();
    trainer.run(&mut Tape::default(), &Stop::default()).unwrap();
    assert!(trainer.matrix().rows.iter().all(|row| row.returns == [2.0]), "{:?}", trainer.matrix());
}

/// Every pitfall of the list in the documentation that concerns this code has a test with its number.
#[test]
fn every_pitfall_has_its_test() {
    let mut found = BTreeSet::new();
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut folders: Vec<_> = ["tests", "src", "agents", "envs"].map(|folder| root.join(folder)).into();
    while let Some(folder) = folders.pop() {
        for path in std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let text = std::fs::read_to_string(&path).unwrap();
                found.extend(text.split("fn p").skip(1).filter_map(|rest| rest.split('_').next()?.parse::<u32>().ok()));
            }
        }
    }
    // 23 is of task recognition, which is not part of the program.
    assert_eq!(found, (1..=22).chain([24]).collect());
}

/// The pictures of the first task, and whether they were taken while a later one was learnt.
#[derive(Default)]
struct Pictures {
    phase: usize,
    later: Vec<Vec<engram_envs::Frame>>,
}

impl Sink for Pictures {
    fn record(&mut self, event: &Event<'_>) -> Result<(), SinkError> {
        match event {
            Event::PhaseStarted { phase, .. } => self.phase = *phase,
            Event::Recorded { task: 0, frames, .. } if self.phase == 1 => self.later.push(frames.to_vec()),
            _ => {}
        }
        Ok(())
    }

    fn flush(&mut self) -> Result<(), SinkError> {
        Ok(())
    }
}

/// Fails if a task is recorded with the parameters that learn, where the method plays it with others.
#[test]
fn a_task_is_recorded_as_it_is_evaluated() {
    let changes = |method: &str| {
        let name = format!("method.name={method}");
        let set =
            [name.as_str(), "curriculum.steps_per_task=1500", "evaluation.period=300", "evaluation.record_period=300"];
        let config = config("catch-3", &set);
        let mut pictures = Pictures::default();
        Trainer::new(&config, &Registry::standard()).unwrap().run(&mut pictures, &Stop::default()).unwrap();
        assert!(pictures.later.len() > 3);
        // The boundary before the next phase is recorded after the consolidation.
        let learning = &pictures.later[..pictures.later.len() - 1];
        learning.windows(2).any(|pair| pair[0] != pair[1])
    };
    assert!(!changes("progress-compress") && !changes("packnet"));
    assert!(changes("fine-tune"), "the count counts");
}
