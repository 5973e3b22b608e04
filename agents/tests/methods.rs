//! Every method through a short curriculum, on a small stand-in for an environment: what the first task is like, that a
//! run can be repeated and interrupted anywhere, and what a method takes of memory.

use engram_agents::{
    continual::{
        MemoryConfig, MethodConfig, MethodName, MethodState, OnlineStrength, PackNetConfig, ProgressCompressConfig,
    },
    dqn::{BoundaryConfig, Dqn, DqnConfig, Phase, TaskSet},
    fisher::FisherConfig,
    network::{Conditioning, DeviceKind, Input, NetworkConfig},
    replay::{Packing, ReplayConfig, Transition},
    schedule::EpsilonConfig,
};
use rand::{Rng, SeedableRng};
use rand_pcg::Pcg64;

const CONDITIONINGS: [Conditioning; 4] =
    [Conditioning::None, Conditioning::OneHot, Conditioning::Heads, Conditioning::Gains];
const STEPS: u64 = 60;
const TASKS: usize = 3;
/// Actions of the network; the second task has one fewer.
const ACTIONS: usize = 3;
const REMEMBERED: usize = 40;

fn config(conditioning: Conditioning) -> DqnConfig {
    DqnConfig {
        network: NetworkConfig { hidden: vec![8], conditioning, ..NetworkConfig::default() },
        discount: 0.5,
        batch_size: 8,
        train_period: 2,
        warmup_steps: 16,
        target_period: 15,
        replay: ReplayConfig { capacity: 100, per_task: false },
        epsilon: EpsilonConfig { initial: 1.0, last: 0.1, decay_fraction: 0.5 },
        ..DqnConfig::default()
    }
}

/// For runs in which something is learnt.
fn longer() -> DqnConfig {
    DqnConfig {
        network: NetworkConfig { hidden: vec![32], ..NetworkConfig::default() },
        replay: ReplayConfig { capacity: 1000, per_task: false },
        warmup_steps: 50,
        ..config(Conditioning::Heads)
    }
}

fn method(name: MethodName) -> MethodConfig {
    MethodConfig {
        name,
        fisher: FisherConfig { states: 32, ..FisherConfig::default() },
        memory: MemoryConfig { transitions: REMEMBERED },
        packnet: PackNetConfig { retrain_updates: 6 },
        progress_compress: ProgressCompressConfig { compress_updates: 6, ..ProgressCompressConfig::default() },
        ..MethodConfig::default()
    }
}

fn new(config: &DqnConfig, method: &MethodConfig, boundary: BoundaryConfig) -> Dqn {
    let tasks = TaskSet { input: Input::Vector(3), packing: Packing::Floats, actions: vec![3, 2, 3] };
    Dqn::new(config, boundary, method, tasks, DeviceKind::Cpu, &mut Pcg64::seed_from_u64(1)).unwrap()
}

fn begin(agent: &mut Dqn, task: usize, steps: u64) {
    let stream = |name: &str| Pcg64::seed_from_u64(task as u64 * 10 + name.len() as u64);
    agent.begin(Phase::new(task, steps, stream)).unwrap();
}

/// Episodes of four steps in which the action with the greatest observed component is right.
struct Game {
    task: usize,
    chance: Pcg64,
    observation: [f32; 3],
    step: u64,
}

impl Game {
    fn new(task: usize) -> Self {
        Self { task, chance: Pcg64::seed_from_u64(task as u64), observation: [0.5; 3], step: 0 }
    }

    fn right(&self, action: usize) -> bool {
        let valid = if self.task == 1 { 2 } else { 3 };
        (0..valid).all(|other| self.observation[(action + self.task) % 3] >= self.observation[(other + self.task) % 3])
    }

    fn step(&mut self, agent: &mut Dqn) {
        let action = agent.act(&self.observation).unwrap();
        let next_observation: [f32; 3] = self.chance.random();
        self.step += 1;
        let ended = self.step.is_multiple_of(4);
        let transition = Transition {
            observation: &self.observation,
            action,
            reward: f32::from(u8::from(self.right(action))),
            discount: if ended { 0.0 } else { 1.0 },
            next_observation: &next_observation,
            ended,
        };
        agent.learn(transition).unwrap();
        self.observation = next_observation;
    }

    fn play(&mut self, agent: &mut Dqn, steps: u64) {
        (0..steps).for_each(|_| self.step(agent));
    }
}

/// The share of right answers, as the task is evaluated.
fn score(agent: &mut Dqn, task: usize) -> f64 {
    agent.evaluated(task, |agent| {
        let mut game = Game::new(task);
        let right = (0..400).filter(|_| {
            game.observation = game.chance.random();
            let action = agent.greedy(&game.observation, task).unwrap();
            game.right(action)
        });
        right.count() as f64 / 400.0
    })
}

fn consolidate(agent: &mut Dqn) {
    agent.consolidate(&mut Pcg64::seed_from_u64(77)).unwrap().unwrap();
}

fn bits(values: &[f32]) -> Vec<u32> {
    values.iter().map(|value| value.to_bits()).collect()
}

/// The Q-values of some states, as the task is evaluated.
fn q_values(agent: &mut Dqn, task: usize) -> Vec<u32> {
    let observations: Vec<f32> = Pcg64::seed_from_u64(9).random::<[f32; 30]>().to_vec();
    let mut q = vec![0.0; 10 * ACTIONS];
    agent.evaluated(task, |agent| agent.network_mut().infer(&observations, task, &mut q)).unwrap();
    bits(&q)
}

/// Where a run may be interrupted.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Place {
    Playing,
    Compressing,
    Compressed,
    Consolidated,
}

/// What came out of a run.
#[derive(Debug, PartialEq)]
struct Outcome {
    /// The parameters where the first task's steps end.
    first: Vec<u32>,
    /// The parameters and every task's Q-values after each consolidation.
    after: Vec<(Vec<u32>, Vec<Vec<u32>>)>,
    /// What the method takes after each.
    bytes: Vec<usize>,
    /// What it keeps in the end.
    state: MethodState,
}

/// Learns the three tasks. Wherever `cut` says so, of a task, a place and a number there, the agent is saved as bytes and
/// loaded into a new one.
fn run(config: &DqnConfig, method: &MethodConfig, cut: &dyn Fn(usize, Place, u64) -> bool) -> Outcome {
    let boundary = BoundaryConfig::default();
    let mut agent = new(config, method, boundary);
    let may_cut = |agent: &mut Dqn, task, place, number| {
        if cut(task, place, number) {
            let bytes = postcard::to_stdvec(&agent.save()).unwrap();
            *agent = new(config, method, boundary);
            agent.load(postcard::from_bytes(&bytes).unwrap()).unwrap();
        }
    };
    let (mut first, mut after, mut bytes) = (Vec::new(), Vec::new(), Vec::new());
    for task in 0..TASKS {
        begin(&mut agent, task, STEPS);
        let mut game = Game::new(task);
        for step in 0..STEPS {
            may_cut(&mut agent, task, Place::Playing, step);
            game.step(&mut agent);
        }
        if task == 0 {
            first = bits(agent.network().params());
        }
        let mut update = 0;
        may_cut(&mut agent, task, Place::Compressing, update);
        while agent.compress().unwrap() {
            update += 1;
            may_cut(&mut agent, task, Place::Compressing, update);
        }
        may_cut(&mut agent, task, Place::Compressed, 0);
        consolidate(&mut agent);
        may_cut(&mut agent, task, Place::Consolidated, 0);
        let q = (0..TASKS).map(|task| q_values(&mut agent, task)).collect();
        after.push((bits(agent.network().params()), q));
        bytes.push(agent.method().state().bytes());
    }
    Outcome { first, after, bytes, state: agent.method().state().clone() }
}

fn uninterrupted(conditioning: Conditioning, name: MethodName) -> Outcome {
    run(&config(conditioning), &method(name), &|_, _, _| false)
}

/// Fails for a method that draws from the phase's randomness, or shapes an update, before there is anything to keep.
#[test]
fn the_first_task_is_that_of_fine_tuning_bit_for_bit() {
    for conditioning in CONDITIONINGS {
        let fine_tuned = uninterrupted(conditioning, MethodName::FineTune);
        for name in MethodName::ALL {
            let outcome = uninterrupted(conditioning, name);
            // It pulls to the start from the first update on.
            let differs = name == MethodName::L2Init;
            assert_eq!(outcome.first != fine_tuned.first, differs, "{name:?} {conditioning:?}");
            // A-GEM changes only what would raise the old loss, and that may not come up in a run as short as this.
            if ![MethodName::FineTune, MethodName::AGem].contains(&name) {
                assert!(outcome.after[2] != fine_tuned.after[2], "{name:?} {conditioning:?} does nothing");
            }
        }
    }
}

/// Fails if any state of a method is left out of what is saved, or an update hangs on one that is not.
#[test]
fn a_run_is_repeated_and_goes_on_wherever_it_was_cut() {
    for conditioning in CONDITIONINGS {
        for name in MethodName::ALL {
            let (config, method) = (config(conditioning), method(name));
            let whole = run(&config, &method, &|_, _, _| false);
            assert!(whole == run(&config, &method, &|_, _, _| false), "{name:?} {conditioning:?}: another run");
            assert!(whole == run(&config, &method, &|_, _, _| true), "{name:?} {conditioning:?}: cut everywhere");
            for at in [
                (0, Place::Playing, 31),
                (0, Place::Compressing, 0),
                (0, Place::Compressing, 1),
                (0, Place::Compressed, 0),
                (0, Place::Consolidated, 0),
                (1, Place::Playing, 0),
                (1, Place::Playing, 44),
                (1, Place::Compressing, 4),
                (2, Place::Playing, 9),
                (2, Place::Compressing, 2),
            ] {
                let cut = run(&config, &method, &|task, place, number| (task, place, number) == at);
                assert!(whole == cut, "{name:?} {conditioning:?}: cut at {at:?}");
            }
        }
    }
}

/// Bytes that the documentation says a method takes, with `p` parameters, after `tasks` tasks.
fn documented_bytes(name: MethodName, p: usize, tasks: usize) -> usize {
    const FLOAT: usize = 4;
    // Two observations of three numbers, action, reward and discount.
    let transition = 2 * 3 * FLOAT + 3 * FLOAT;
    let remembered = REMEMBERED / tasks * tasks;
    match name {
        MethodName::FineTune | MethodName::Reset | MethodName::Frozen | MethodName::ShrinkPerturb => 0,
        // Importance and centre.
        MethodName::L2
        | MethodName::Ewc
        | MethodName::OnlineEwc
        | MethodName::Huszar
        | MethodName::Mas
        | MethodName::L2Init => 2 * p * FLOAT,
        // And the path and where it began; and the knowledge base and the column.
        MethodName::Si | MethodName::ProgressCompress => 4 * p * FLOAT,
        MethodName::Replay | MethodName::AGem => remembered * transition,
        MethodName::Clear | MethodName::Distill => remembered * (transition + ACTIONS * FLOAT),
        // An owner for each parameter.
        MethodName::PackNet => p,
    }
}

/// Fails for a method whose memory grows with the number of tasks, or that keeps more than its page says.
#[test]
fn a_method_takes_what_its_page_says_whatever_the_number_of_tasks() {
    for conditioning in CONDITIONINGS {
        for name in MethodName::ALL {
            let outcome = uninterrupted(conditioning, name);
            let p = outcome.first.len();
            let expected: Vec<usize> = (1..=TASKS).map(|tasks| documented_bytes(name, p, tasks)).collect();
            assert_eq!(outcome.bytes, expected, "{name:?} {conditioning:?}");
        }
    }
}

#[test]
fn what_another_method_kept_is_refused() {
    let configs = [MethodName::Replay, MethodName::Distill, MethodName::Si, MethodName::PackNet, MethodName::L2Init];
    for saved in configs {
        for own in configs {
            let config = config(Conditioning::Heads);
            let mut agent = new(&config, &method(saved), BoundaryConfig::default());
            begin(&mut agent, 0, STEPS);
            Game::new(0).play(&mut agent, STEPS);
            consolidate(&mut agent);
            let mut other = new(&config, &method(own), BoundaryConfig::default());
            assert_eq!(other.load(agent.save()).is_ok(), saved == own, "{saved:?} {own:?}");
        }
    }
}

/// Fails if the decay is not 1, or if the centre is that of separate penalties.
#[test]
fn huszar_is_online_without_decay_and_not_ewc() {
    for conditioning in CONDITIONINGS {
        let config = config(conditioning);
        let huszar = uninterrupted(conditioning, MethodName::Huszar);
        let online_ewc = OnlineStrength { lambda: 1.0, decay: 1.0 };
        let undecayed = run(&config, &MethodConfig { online_ewc, ..method(MethodName::OnlineEwc) }, &|_, _, _| false);
        assert!(huszar == undecayed);
        let ewc = uninterrupted(conditioning, MethodName::Ewc);
        assert!(huszar.after[1] == ewc.after[1], "one finished task: the same penalty");
        assert!(huszar.after[2] != ewc.after[2], "two: another one");
    }
}

/// Fails if the pull is to the latest parameters, or if its strength grows with the tasks.
#[test]
fn l2_init_pulls_to_where_the_network_began() {
    let mut agent = new(&config(Conditioning::Heads), &method(MethodName::L2Init), BoundaryConfig::default());
    let start = agent.network().params().to_vec();
    for task in 0..TASKS {
        begin(&mut agent, task, STEPS);
        Game::new(task).play(&mut agent, STEPS);
        consolidate(&mut agent);
        let quadratic = agent.method().quadratic().unwrap();
        assert_eq!(quadratic.centre, start);
        let mut expected = vec![0.0; start.len()];
        agent.network().layout().shared().into_iter().for_each(|range| expected[range].fill(1.0));
        assert_eq!(quadratic.importance, expected);
        let squares =
            agent.network().params().iter().zip(&start).zip(&expected).map(|((a, b), one)| one * (a - b).powi(2));
        let penalty = 0.5 * 0.001 * squares.sum::<f32>();
        assert!(penalty > 0.0 && (agent.take_update().unwrap().penalty / penalty - 1.0).abs() < 1e-4);
    }
}

/// Fails if moments of the first task move the shared parameters on.
#[test]
fn frozen_parameters_do_not_move_whatever_the_optimizer_remembers() {
    for conditioning in CONDITIONINGS {
        for reset_optimizer in [true, false] {
            let boundary = BoundaryConfig { reset_optimizer, ..BoundaryConfig::default() };
            let mut agent = new(&config(conditioning), &method(MethodName::Frozen), boundary);
            let mut ends: Vec<Vec<f32>> = Vec::new();
            for task in 0..TASKS {
                begin(&mut agent, task, STEPS);
                Game::new(task).play(&mut agent, STEPS);
                consolidate(&mut agent);
                ends.push(agent.network().params().to_vec());
            }
            let owned = matches!(conditioning, Conditioning::Heads | Conditioning::Gains);
            for pair in ends.windows(2) {
                for range in agent.network().layout().shared() {
                    assert_eq!(bits(&pair[0][range.clone()]), bits(&pair[1][range]), "{conditioning:?}");
                }
                assert_eq!(bits(&pair[0]) != bits(&pair[1]), owned, "{conditioning:?}: what tasks own learns");
            }
        }
    }
}

/// Fails if a gradient is not masked, if the optimizer's moments are not, if a bias of a later task moves, or if a task is
/// evaluated with weights that came after it.
#[test]
fn packnet_plays_old_tasks_to_the_bit_as_it_did() {
    for conditioning in CONDITIONINGS {
        // Without retraining the optimizer is not reset in between, and what it remembers would move what is owned.
        for (reset_optimizer, retrain_updates) in [(true, 6), (false, 6), (false, 0)] {
            let boundary = BoundaryConfig { reset_optimizer, ..BoundaryConfig::default() };
            // Large enough that every task finds units that fire: what no task owns begins at 0, on both sides of a unit.
            let network = NetworkConfig { hidden: vec![32], conditioning, ..NetworkConfig::default() };
            let config = DqnConfig { network, ..config(conditioning) };
            let packnet = PackNetConfig { retrain_updates };
            let mut agent = new(&config, &MethodConfig { packnet, ..method(MethodName::PackNet) }, boundary);
            let mut learnt: Vec<Vec<u32>> = Vec::new();
            for task in 0..TASKS {
                begin(&mut agent, task, STEPS);
                let mut game = Game::new(task);
                for _ in 0..STEPS / 20 {
                    game.play(&mut agent, 20);
                    for (old, q) in learnt.iter().enumerate() {
                        assert!(q_values(&mut agent, old) == *q, "task {old} while {task} is learnt, {conditioning:?}");
                    }
                }
                while agent.compress().unwrap() {
                    for (old, q) in learnt.iter().enumerate() {
                        assert!(q_values(&mut agent, old) == *q, "task {old} while {task} is packed, {conditioning:?}");
                    }
                }
                consolidate(&mut agent);
                let own = q_values(&mut agent, task);
                assert!(!learnt.contains(&own), "{conditioning:?}: task {task} has learnt nothing of its own");
                learnt.push(own);
            }
        }
    }
}

/// Fails if pruning leaves weights that no task owns out of the retraining, or if the retraining is not run: what was
/// pruned away must be learnt again.
#[test]
fn packnet_learns_its_tasks_with_what_is_left() {
    let steps = 2500;
    let mut agent = new(
        &longer(),
        &MethodConfig { packnet: PackNetConfig { retrain_updates: 300 }, ..method(MethodName::PackNet) },
        BoundaryConfig::default(),
    );
    for task in 0..TASKS {
        begin(&mut agent, task, steps);
        Game::new(task).play(&mut agent, steps);
        consolidate(&mut agent);
    }
    let scores: Vec<f64> = (0..TASKS).map(|task| score(&mut agent, task)).collect();
    assert!(scores.iter().all(|score| *score > 0.75), "{scores:?}");
}

/// Fails if the column does not begin afresh, if it is held by the penalty, or if the base follows it.
#[test]
fn progress_compress_plays_old_tasks_with_its_knowledge_base() {
    let steps = 2500;
    let mut agent = new(
        &longer(),
        &MethodConfig {
            progress_compress: ProgressCompressConfig {
                compress_updates: 400,
                temperature: 0.05,
                ..ProgressCompressConfig::default()
            },
            ..method(MethodName::ProgressCompress)
        },
        BoundaryConfig::default(),
    );
    let drawn = agent.network().params().to_vec();
    let mut base = drawn.clone();
    for task in 0..2 {
        begin(&mut agent, task, steps);
        if task > 0 {
            let params = agent.network().params();
            assert!(bits(params) != bits(&base) && bits(params) != bits(&drawn), "a column of its own");
            assert_eq!(bits(&agent.parameters_for(0).unwrap()), bits(&base), "the base plays the old task");
            assert!(agent.parameters_for(task).is_none(), "the column the new one");
        }
        Game::new(task).play(&mut agent, steps);
        assert!(agent.method().quadratic().is_none(), "a column is free");
        let column = agent.network().params().to_vec();
        assert!(score(&mut agent, task) > 0.8, "the column has learnt task {task}");
        assert!(agent.compress().unwrap());
        assert_eq!(bits(agent.network().params()), bits(&base), "compression begins with the base");
        assert_eq!(agent.method().quadratic().is_some(), task > 0, "which is held as soon as it holds anything");
        consolidate(&mut agent);
        assert!(agent.method().quadratic().is_none());
        base = agent.network().params().to_vec();
        assert!(bits(&base) != bits(&column));
        assert!(score(&mut agent, task) > 0.8, "the base has learnt task {task}: {}", score(&mut agent, task));
    }
    let kept = score(&mut agent, 0);
    begin(&mut agent, 2, steps);
    Game::new(2).play(&mut agent, 500);
    assert_eq!(score(&mut agent, 0), kept, "nothing that the column learns touches it");
    assert!(kept > 0.6, "{kept}");
}

/// With remembered transitions the heads of finished tasks go on learning; without they rest.
#[test]
fn rehearsal_moves_the_heads_of_finished_tasks() {
    for name in MethodName::ALL {
        let mut agent = new(&config(Conditioning::Heads), &method(name), BoundaryConfig::default());
        begin(&mut agent, 0, STEPS);
        Game::new(0).play(&mut agent, STEPS);
        consolidate(&mut agent);
        begin(&mut agent, 1, STEPS);
        let head = |agent: &Dqn| -> Vec<u32> {
            let entries = agent.network().layout().entries().iter().filter(|entry| entry.name.starts_with("task0."));
            entries.flat_map(|entry| bits(&agent.network().params()[entry.range.clone()])).collect()
        };
        let before = head(&agent);
        assert!(!before.is_empty());
        Game::new(1).play(&mut agent, STEPS);
        assert_eq!(head(&agent) != before, name.has_memory(), "{name:?}");
    }
}

/// A joint phase learns from every task's own buffer: fails if it draws from the played task's alone.
#[test]
fn a_joint_phase_learns_all_tasks_at_once() {
    let per_task = ReplayConfig { capacity: 100, per_task: true };
    let mut agent = new(
        &DqnConfig { replay: per_task, ..config(Conditioning::Heads) },
        &method(MethodName::FineTune),
        BoundaryConfig::default(),
    );
    let stream = |name: &str| Pcg64::seed_from_u64(name.len() as u64);
    agent.begin(Phase { joint: true, ..Phase::new(0, 90, stream) }).unwrap();
    let heads = |agent: &Dqn| {
        [0, 1, 2].map(|task| {
            let name = format!("task{task}.output.weight");
            let entry = agent.network().layout().entries().iter().find(|entry| entry.name == name).unwrap();
            bits(&agent.network().params()[entry.range.clone()])
        })
    };
    let drawn = heads(&agent);
    Game::new(0).play(&mut agent, 20);
    let first = heads(&agent);
    assert!(first[0] != drawn[0] && first[1..] == drawn[1..], "of the others there is nothing yet");
    agent.switch(1);
    Game::new(1).play(&mut agent, 20);
    agent.switch(2);
    Game::new(2).play(&mut agent, 1);
    let before = heads(&agent);
    // One more update, in a step of the last task.
    Game::new(2).play(&mut agent, 1);
    let after = heads(&agent);
    assert!((0..3).all(|task| after[task] != before[task]), "one update moves them all");
    let held: Vec<usize> = (0..3).map(|task| agent.replay(task).unwrap().len()).collect();
    assert_eq!(held, [20, 20, 2]);
    assert!(!agent.compress().unwrap());
    assert!(agent.consolidate(&mut Pcg64::seed_from_u64(1)).unwrap().is_none(), "no task is finished");
}

/// Fails if a boundary empties the buffer of another task.
#[test]
fn a_buffer_of_its_own_waits_for_its_task() {
    let replay = ReplayConfig { capacity: 100, per_task: true };
    let config = DqnConfig { replay, ..config(Conditioning::Heads) };
    let mut agent = new(&config, &method(MethodName::FineTune), BoundaryConfig::default());
    // A ring of 100 slots, five for each episode of four steps.
    for (task, held) in [(0, [60, 0, 0]), (1, [60, 60, 0]), (0, [80, 60, 0])] {
        begin(&mut agent, task, STEPS);
        Game::new(task).play(&mut agent, STEPS);
        consolidate(&mut agent);
        assert_eq!([0, 1, 2].map(|task| agent.replay(task).map_or(0, engram_agents::replay::Replay::len)), held);
    }
}

/// A phase in which nothing was played leaves nothing to compress: an error, and no endless draw.
#[test]
fn compressing_a_task_that_was_not_played_is_an_error() {
    for name in [MethodName::PackNet, MethodName::ProgressCompress] {
        for reset_replay in [true, false] {
            let boundary = BoundaryConfig { reset_replay, ..BoundaryConfig::default() };
            let mut agent = new(&config(Conditioning::Heads), &method(name), boundary);
            begin(&mut agent, 0, STEPS);
            Game::new(0).play(&mut agent, STEPS);
            consolidate(&mut agent);
            begin(&mut agent, 1, STEPS);
            let error = agent.consolidate(&mut Pcg64::seed_from_u64(1)).unwrap_err().to_string();
            assert!(error.starts_with("task 1 has no transitions"), "{error}");
        }
    }
}

/// Fails if a network that was drawn anew is left with the exploration of the one before it.
#[test]
fn a_task_that_recurs_with_a_new_network_is_explored_anew() {
    for name in MethodName::ALL {
        let mut agent = new(&config(Conditioning::Heads), &method(name), BoundaryConfig::default());
        let mut rates = Vec::new();
        for task in [0, 1, 0] {
            if name == MethodName::PackNet && rates.len() == 2 {
                // It plays no task twice.
                break;
            }
            begin(&mut agent, task, STEPS);
            rates.push(agent.epsilon());
            Game::new(task).play(&mut agent, STEPS);
            consolidate(&mut agent);
        }
        let anew = matches!(name, MethodName::Reset | MethodName::ProgressCompress);
        assert_eq!(rates[0], rates[1], "{name:?}");
        assert!(rates.get(2).is_none_or(|again| (*again == rates[0]) == anew), "{name:?}: {rates:?}");
    }
}
