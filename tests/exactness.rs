//! Leaving off and going on within the library: the events of a run are the same, whatever interrupts it.

use engram::{
    config::{Config, Overrides, Source, read},
    event::Event,
    sink::{Sink, SinkError},
    stop::{Due, Stop},
    trainer::{Ending, Trainer, TrainerState},
};
use engram_agents::continual::MethodName;
use engram_envs::Registry;

/// Writes down everything that is said of every event, and asks for an end when told to.
#[derive(Default)]
struct Record {
    lines: Vec<String>,
    /// After how many lines the run is asked to stop.
    stop_after: Option<usize>,
    stop: Stop,
}

impl Sink for Record {
    fn record(&mut self, event: &Event<'_>) -> Result<(), SinkError> {
        if !matches!(event, Event::Stepped { .. }) {
            self.lines.push(match event {
                // All but how long it took.
                Event::Kept { step, method_bytes, replay_bytes, .. } => format!("{step} {method_bytes} {replay_bytes}"),
                event => format!("{event:?}"),
            });
            if self.stop_after.is_some_and(|lines| self.lines.len() >= lines) {
                self.stop.ask(15);
            }
        }
        Ok(())
    }

    fn flush(&mut self) -> Result<(), SinkError> {
        Ok(())
    }
}

fn config(preset: &str, set: &[&str]) -> Config {
    let set = set.iter().map(|&text| text.to_owned()).collect();
    let overrides = Overrides { set, ..Overrides::default() };
    read(&Source::from(preset), &overrides, &Registry::standard()).unwrap().resolve()
}

fn small(set: &[&str]) -> Config {
    let mut all = vec![
        "curriculum.steps_per_task=300",
        "agent.warmup_steps=60",
        "agent.batch_size=16",
        "agent.replay.capacity=200",
        "evaluation.period=70",
        "evaluation.episodes=2",
        "evaluation.record_period=140",
        "log.period=50",
        "method.fisher.states=64",
        "agent.network.hidden=[16, 12]",
        "method.memory.transitions=50",
        "method.packnet.retrain_updates=20",
        "method.progress-compress.compress_updates=20",
    ];
    all.extend(set);
    config("catch-3", &all)
}

/// What is left of a run when its process has ended.
fn through_bytes(trainer: &mut Trainer<'_>) -> Vec<u8> {
    postcard::to_stdvec(&trainer.save().unwrap()).unwrap()
}

fn load<'a>(config: &'a Config, bytes: &[u8]) -> Trainer<'a> {
    let mut trainer = Trainer::new(config, &Registry::standard()).unwrap();
    trainer.load(postcard::from_bytes::<TrainerState<'_>>(bytes).unwrap()).unwrap();
    trainer
}

fn params(trainer: &Trainer<'_>) -> Vec<u32> {
    trainer.agent().network().params().iter().map(|param| param.to_bits()).collect()
}

fn whole(config: &Config) -> (Vec<String>, Vec<u32>) {
    let (mut trainer, mut record) = (Trainer::new(config, &Registry::standard()).unwrap(), Record::default());
    assert_eq!(trainer.run(&mut record, &Stop::default()).unwrap(), Ending::Finished);
    (record.lines, params(&trainer))
}

/// The same run with a new process, as it were, every so many steps.
fn in_pieces(config: &Config, every: u64) -> (Vec<String>, Vec<u32>) {
    let mut record = Record::default();
    let mut trainer = Trainer::new(config, &Registry::standard()).unwrap();
    loop {
        let due = Due::Step(trainer.step() + every);
        if trainer.run_until(due, &mut record, &Stop::default()).unwrap() == Ending::Finished {
            return (record.lines, params(&trainer));
        }
        let bytes = through_bytes(&mut trainer);
        trainer = load(config, &bytes);
    }
}

/// P24. Fails if any state is left out of what is saved: the target network, a generator, a counter.
#[test]
fn p24_every_method_goes_on_as_if_nothing_had_happened() {
    for method in MethodName::ALL {
        let name = format!("method.name={}", method.as_str());
        for extra in ["method.revisit=replace", "method.coupling=loss", "boundary.reset_replay=false", "seed=3"] {
            // A task that owns weights is played once.
            let cycles = if method == MethodName::PackNet { "curriculum.cycles=1" } else { "curriculum.cycles=2" };
            // Nor does a method that owns or freezes weights go together with a buffer that mixes tasks.
            let own = format!("agent.replay.per_task={}", matches!(method, MethodName::PackNet | MethodName::Frozen));
            let config = small(&[&name, extra, cycles, &own, "curriculum.steps_per_task=150"]);
            assert!(whole(&config) == in_pieces(&config, 37), "{name} {extra}");
        }
    }
}

/// Fails if the steps that each task has had are not saved, or if the environments of the tasks that wait are not.
#[test]
fn a_joint_phase_goes_on_in_the_middle_of_an_episode() {
    for method in ["fine-tune", "reset", "shrink-perturb", "l2-init"] {
        let name = format!("method.name={method}");
        for phases in ["curriculum.phases=[{}]", "curriculum.phases=[{}, {}]"] {
            let set = [name.as_str(), phases, "agent.replay.per_task=true", "curriculum.steps_per_task=120"];
            let config = small(&set);
            let expected = whole(&config);
            assert!([5, 37].iter().all(|every| in_pieces(&config, *every) == expected), "{method} {phases}");
        }
    }
}

#[test]
fn every_conditioning_optimizer_and_implementation_goes_on() {
    for set in [
        ["agent.network.conditioning=heads", "agent.optimizer.kind=rmsprop"],
        ["agent.network.conditioning=one-hot", "agent.optimizer.learning_rate_schedule=linear"],
        ["agent.network.conditioning=none", "boundary.reset_optimizer=false"],
        ["agent.network.conditioning=heads", "agent.network.implementation=autograd"],
        ["agent.network.conditioning=heads", "boundary.sync_target=false"],
    ] {
        let config = small(&set);
        assert!(whole(&config) == in_pieces(&config, 41), "{set:?}");
    }
}

#[test]
fn games_of_every_kind_go_on_in_the_middle_of_an_episode() {
    let cut = [
        "curriculum.steps_per_task=250",
        "agent.warmup_steps=40",
        "agent.target_period=60",
        "agent.replay.capacity=90",
        "evaluation.period=120",
        "evaluation.episodes=2",
        "evaluation.step_limit=60",
        "method.fisher.states=16",
        "log.period=40",
    ];
    for preset in ["addition", "classic2", "catch-5-one-hot", "minatar2", "minatar5"] {
        let config = config(preset, &cut);
        assert!(whole(&config) == in_pieces(&config, 33), "{preset}");
    }
    // What is remembered of them, too: bits of planes and numbers of vectors.
    for preset in ["addition", "classic2", "minatar2"] {
        let mut set = cut.to_vec();
        set.extend(["method.name=clear", "method.memory.transitions=30"]);
        let config = config(preset, &set);
        assert!(whole(&config) == in_pieces(&config, 33), "{preset}");
    }
}

/// Where a run stands that was stopped in the evaluation of a boundary.
#[test]
fn a_boundary_is_a_moment_to_leave_off() {
    let config = small(&[]);
    let (mut record, mut trainer) = (Record::default(), Trainer::new(&config, &Registry::standard()).unwrap());
    for phase in 0..=3 {
        let ending = trainer.run_until(Due::Boundary(phase), &mut record, &Stop::default()).unwrap();
        assert_eq!((ending, trainer.step()), (Ending::Paused, 300 * phase as u64));
        assert_eq!(trainer.matrix().rows.len(), phase);
        let bytes = through_bytes(&mut trainer);
        trainer = load(&config, &bytes);
    }
    assert_eq!(trainer.run(&mut record, &Stop::default()).unwrap(), Ending::Finished);
    assert!((record.lines, params(&trainer)) == whole(&config));
}

/// Also one that arrives in an evaluation or between two stages of a boundary: nothing is told twice, nothing left out.
#[test]
fn a_signal_after_any_event_leaves_off_where_the_run_goes_on() {
    // The last two have updates of their own between a task's last event and its consolidation.
    for method in ["ewc", "packnet", "progress-compress"] {
        let name = format!("method.name={method}");
        signal_after_any_event(&small(&[&name, "curriculum.steps_per_task=120", "evaluation.period=50"]));
    }
}

fn signal_after_any_event(config: &Config) {
    let (expected, params_expected) = whole(config);
    for stop_after in 1..expected.len() {
        let mut first = Record { stop_after: Some(stop_after), ..Record::default() };
        let stop = first.stop.clone();
        let mut trainer = Trainer::new(config, &Registry::standard()).unwrap();
        let ending = trainer.run(&mut first, &stop).unwrap();
        if ending == Ending::Finished {
            // Only the last row and the recordings after it come after the last look.
            assert!(expected.len() - stop_after < 5, "{stop_after} of {} events", expected.len());
        }
        let bytes = through_bytes(&mut trainer);
        let (mut second, mut trainer) = (Record::default(), load(config, &bytes));
        assert_eq!(trainer.run(&mut second, &Stop::default()).unwrap(), Ending::Finished);
        first.lines.extend(second.lines);
        assert!(first.lines == expected, "after {stop_after} events");
        assert!(params(&trainer) == params_expected, "after {stop_after} events");
    }
}

/// A phase that is made longer while it is played is what a run of the longer config plays.
#[test]
fn a_run_that_is_extended_is_a_run_of_the_longer_config() {
    let config = small(&["agent.optimizer.learning_rate_schedule=linear"]);
    let mut longer = config.clone();
    longer.extend(1, 450).unwrap();
    // In the middle of the second phase; at its very last step; before it.
    for step in [400, 600, 299] {
        let mut record = Record::default();
        let mut trainer = Trainer::new(&config, &Registry::standard()).unwrap();
        assert_eq!(trainer.run_until(Due::Step(step), &mut record, &Stop::default()).unwrap(), Ending::Paused);
        let bytes = through_bytes(&mut trainer);
        let mut trainer = load(&longer, &bytes);
        trainer.run(&mut record, &Stop::default()).unwrap();
        assert!((record.lines, params(&trainer)) == whole(&longer), "extended at step {step}");
    }
}

#[test]
fn a_state_of_another_run_is_refused() {
    let config = small(&[]);
    let mut trainer = Trainer::new(&config, &Registry::standard()).unwrap();
    trainer.run_until(Due::Step(400), &mut Record::default(), &Stop::default()).unwrap();
    let bytes = through_bytes(&mut trainer);
    for (set, expected) in [
        ("agent.network.hidden=[8]", "parameters"),
        ("agent.replay.capacity=100", "capacity"),
        ("agent.network.conditioning=none", "parameters"),
        ("curriculum.phases=[{ task = 0, steps = 350 }, { task = 1 }]", "its phases end at other steps"),
        ("curriculum.phases=[{ task = 0 }]", "phase 1"),
    ] {
        let other = small(&[set]);
        let mut trainer = Trainer::new(&other, &Registry::standard()).unwrap();
        let error = trainer.load(postcard::from_bytes(&bytes).unwrap()).unwrap_err().to_string();
        assert!(error.contains(expected), "{set}: {error}");
    }
}
