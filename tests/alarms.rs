//! What a run says by itself when something is wrong: each alarm in a run that deserves it, and none in those that are
//! sound. `docs/alarms.md` lists them.

use engram::{
    config::{Config, Overrides, Source, read},
    event::Event,
    sink::{Sink, SinkError},
    stop::{Due, Stop},
    trainer::{Ending, Trainer, TrainerState},
};
use engram_envs::Registry;

/// Keeps the warnings.
#[derive(Default)]
struct Warnings(Vec<String>);

impl Sink for Warnings {
    fn record(&mut self, event: &Event<'_>) -> Result<(), SinkError> {
        if let Event::Warning { step, message } = event {
            self.0.push(format!("{step}: {message}"));
        }
        Ok(())
    }

    fn flush(&mut self) -> Result<(), SinkError> {
        Ok(())
    }
}

fn config(preset: &str, set: &[&str]) -> Config {
    let overrides = Overrides { set: set.iter().map(ToString::to_string).collect(), ..Overrides::default() };
    read(&Source::from(preset), &overrides, &Registry::standard()).unwrap().resolve()
}

fn warnings(preset: &str, set: &[&str]) -> Vec<String> {
    let (config, mut sink) = (config(preset, set), Warnings::default());
    let ending = Trainer::new(&config, &Registry::standard()).unwrap().run(&mut sink, &Stop::default());
    assert_eq!(ending.unwrap(), Ending::Finished);
    sink.0
}

/// The warnings that say this, of a run of three short phases.
fn told(what: &str, preset: &str, set: &[&str]) -> usize {
    let all = warnings(preset, &[&["curriculum.steps_per_task=800", "log.period=100"], set].concat());
    let found = all.iter().filter(|line| line.contains(what)).count();
    assert!(found > 0, "no {what:?} in {all:#?}");
    found
}

#[test]
fn a_sound_run_gives_none() {
    for preset in ["addition", "catch-3", "classic2"] {
        assert_eq!(warnings(preset, &[]), [""; 0], "{preset}");
    }
}

#[test]
fn a_penalty_of_zero_is_told_once_a_phase() {
    let zero = "the penalty of ewc is zero although parameters have moved";
    assert_eq!(told(zero, "catch-3", &["method.ewc.lambda=0"]), 2, "the second and the third phase");
    let late = "no task has had method.penalty_after_steps = 5000 steps";
    assert_eq!(told(late, "catch-3", &["method.penalty_after_steps=5000"]), 2);
    // On its second visit a task has had them: it is as it was asked for.
    let set = ["curriculum.steps_per_task=800", "curriculum.cycles=2", "method.penalty_after_steps=1000"];
    let later = warnings("catch-3", &set);
    assert!(later.iter().all(|line| !line.contains("is zero")), "{later:#?}");
    told("set method.si.lambda above 0", "catch-3", &["method.name=si", "method.si.lambda=0"]);
}

/// A column of `progress-compress` is free, and a penalty that lets nothing move is zero with good reason.
#[test]
fn a_penalty_that_is_rightly_zero_is_not_told() {
    let short = ["curriculum.steps_per_task=800", "log.period=100"];
    for set in [&["method.name=progress-compress"][..], &["method.name=l2", "method.l2.lambda=1e9"]] {
        let all = warnings("catch-3", &[&short, set].concat());
        assert!(all.iter().all(|line| !line.contains("is zero although")), "{set:?} {all:#?}");
    }
}

#[test]
fn importance_of_zero_is_told_with_its_layer() {
    let certain = ["method.fisher.likelihood=softmax", "method.fisher.temperature=1e-7"];
    assert_eq!(told("the Fisher information is zero everywhere", "catch-3", &certain), 3);
    assert_eq!(told("the softmax policy is nearly deterministic", "catch-3", &certain), 3);
    let blind = "agent.observation_scale.CartPole-v1=[0, 0, 0, 0]";
    let short = ["curriculum.steps_per_task=1500", blind];
    told("the Fisher information is zero in all of dense1.weight", "classic2", &short);
    told("the importance of mas is zero everywhere", "classic2", &[&short[..], &["method.name=mas"]].concat());
}

#[test]
fn a_penalty_far_above_the_loss_is_told() {
    let steep = ["agent.optimizer.kind=rmsprop", "method.coupling=loss", "method.l2.lambda=1e4", "method.name=l2"];
    let set = [&steep[..], &["curriculum.steps_per_task=2000"]].concat();
    assert_eq!(told("times the TD loss", "catch-3", &set), 2);
}

#[test]
fn a_target_network_that_is_never_or_always_copied_is_told() {
    assert_eq!(told("the target network was not copied", "catch-3", &["agent.target_period=5000"]), 3);
    assert_eq!(told("the target network was copied", "catch-3", &["agent.target_period=4"]), 3);
    // Without a discount there is no target to be wrong.
    let all = warnings("addition", &["agent.target_period=5000", "curriculum.steps_per_task=800"]);
    assert!(all.iter().all(|line| !line.contains("target network")), "{all:?}");
}

#[test]
fn exploration_that_starts_again_is_told() {
    let phases = |first: &str| format!("curriculum.phases=[{{ task = 0{first} }}, {{ task = 1 }}, {{ task = 0 }}]");
    let cut_off = phases(", schedule_steps = 40000");
    assert_eq!(told("Catch is played again with an exploration rate of 0.94", "catch-3", &[&cut_off]), 1);
    let whole = warnings("catch-3", &["curriculum.steps_per_task=800", &phases("")]);
    assert!(whole.iter().all(|line| !line.contains("exploration rate")), "{whole:?}");
}

#[test]
fn dead_units_are_told_with_their_layer() {
    let fast = "agent.optimizer.learning_rate=1";
    told("units of dense1 never fire on this task, and the penalty leaves", "addition", &[fast]);
    told("units of dense1 never fire on this task, and nothing", "addition", &[fast, "method.name=fine-tune"]);
}

/// Fails if what was told is not saved: every piece would then tell it again.
#[test]
fn a_run_in_pieces_tells_the_same() {
    let set = ["method.ewc.lambda=0", "agent.target_period=4", "curriculum.steps_per_task=800", "log.period=50"];
    let config = config("catch-3", &set);
    let registry = Registry::standard();
    let mut sink = Warnings::default();
    let mut trainer = Trainer::new(&config, &registry).unwrap();
    while trainer.run_until(Due::Step(trainer.step() + 170), &mut sink, &Stop::default()).unwrap() != Ending::Finished {
        let bytes = postcard::to_stdvec(&trainer.save().unwrap()).unwrap();
        trainer = Trainer::new(&config, &registry).unwrap();
        trainer.load(postcard::from_bytes::<TrainerState<'_>>(&bytes).unwrap()).unwrap();
    }
    let whole = warnings("catch-3", &set);
    assert!(whole.len() >= 5 && whole == sink.0, "{whole:#?} {:#?}", sink.0);
}
