//! The agent as a whole, on a small stand-in for an environment: what happens at boundaries, and what methods do.

use engram_agents::{
    AgentError,
    continual::{
        AwareStrength, Consolidation, Coupling, MethodConfig, MethodName, OnlineStrength, Revisit, Strength,
        SynapticStrength,
    },
    dqn::{BoundaryConfig, Dqn, DqnConfig, Phase, TaskSet},
    fisher::FisherConfig,
    network::{DeviceKind, Input, NetworkConfig},
    optimizer::{OptimizerConfig, OptimizerKind},
    replay::{Packing, ReplayConfig, Transition},
    schedule::EpsilonConfig,
};
use rand::{Rng, SeedableRng};
use rand_pcg::Pcg64;

/// Methods that hold the network at its parameters at the end of a task.
const ANCHORED: [MethodName; 6] =
    [MethodName::L2, MethodName::Ewc, MethodName::OnlineEwc, MethodName::Huszar, MethodName::Si, MethodName::Mas];

const ALL: [MethodName; MethodName::ALL.len()] = MethodName::ALL;

fn config() -> DqnConfig {
    DqnConfig {
        network: NetworkConfig { hidden: vec![16], ..NetworkConfig::default() },
        train_period: 1,
        warmup_steps: 32,
        target_period: 20,
        replay: ReplayConfig { capacity: 500, per_task: false },
        epsilon: EpsilonConfig { initial: 1.0, last: 0.1, decay_fraction: 0.5 },
        ..DqnConfig::default()
    }
}

fn method(name: MethodName) -> MethodConfig {
    MethodConfig { name, fisher: FisherConfig { states: 64, ..FisherConfig::default() }, ..MethodConfig::default() }
}

fn agent_with(config: &DqnConfig, method: &MethodConfig, boundary: BoundaryConfig) -> Dqn {
    let tasks = TaskSet { input: Input::Vector(3), packing: Packing::Floats, actions: vec![3, 2, 3] };
    Dqn::new(config, boundary, method, tasks, DeviceKind::Cpu, &mut Pcg64::seed_from_u64(1)).unwrap()
}

fn agent(method: &MethodConfig) -> Dqn {
    agent_with(&config(), method, BoundaryConfig::default())
}

fn begin(agent: &mut Dqn, task: usize, steps: u64) {
    let stream = |name: &str| Pcg64::seed_from_u64(task as u64 * 10 + name.len() as u64);
    agent.begin(Phase::new(task, steps, stream)).unwrap();
}

/// Plays one-step episodes in which the action with the greatest observed component is right.
fn play(agent: &mut Dqn, task: usize, steps: u64) {
    play_scaled(agent, task, steps, 1.0);
}

fn play_scaled(agent: &mut Dqn, task: usize, steps: u64, scale: f32) {
    let mut chance = Pcg64::seed_from_u64(task as u64);
    let mut draw = || chance.random::<[f32; 3]>().map(|component| component * scale);
    let mut observation = draw();
    for _ in 0..steps {
        let action = agent.act(&observation).unwrap();
        let next = draw();
        let right = (0..3).all(|other| observation[(action + task) % 3] >= observation[other]);
        let transition = Transition {
            observation: &observation,
            action,
            reward: f32::from(u8::from(right)),
            discount: 0.0,
            next_observation: &next,
            ended: true,
        };
        agent.learn(transition).unwrap();
        observation = next;
    }
}

fn consolidate(agent: &mut Dqn) -> Consolidation {
    agent.consolidate(&mut Pcg64::seed_from_u64(77)).unwrap().unwrap()
}

fn bits(agent: &Dqn) -> Vec<u32> {
    agent.network().params().iter().map(|param| param.to_bits()).collect()
}

#[test]
fn no_method_has_a_penalty_on_the_first_task_but_l2_init() {
    for name in ALL {
        let mut agent = agent(&method(name));
        begin(&mut agent, 0, 50);
        play(&mut agent, 0, 50);
        assert_eq!(agent.method().quadratic().is_some(), name == MethodName::L2Init, "{name:?}");
    }
}

#[test]
fn a_lambda_of_zero_equals_fine_tuning_bit_for_bit() {
    let run = |config: &MethodConfig| {
        let mut agent = agent(config);
        for task in 0..3 {
            begin(&mut agent, task, 100);
            play(&mut agent, task, 100);
            consolidate(&mut agent);
        }
        bits(&agent)
    };
    let fine_tuned = run(&method(MethodName::FineTune));
    let zero = Strength { lambda: 0.0 };
    // A knowledge base is compressed into, whatever its penalty.
    for name in ALL.into_iter().filter(|name| name.has_penalty() && *name != MethodName::ProgressCompress) {
        let online_ewc = OnlineStrength { lambda: 0.0, decay: 0.9 };
        let si = SynapticStrength { lambda: 0.0, ..SynapticStrength::default() };
        let mas = AwareStrength { lambda: 0.0, ..AwareStrength::default() };
        let config =
            MethodConfig { ewc: zero, l2: zero, huszar: zero, l2_init: zero, online_ewc, si, mas, ..method(name) };
        assert_eq!(run(&config), fine_tuned, "{name:?}");
    }
    assert_ne!(run(&method(MethodName::Ewc)), fine_tuned);
}

/// P1. Fails if the consolidation never ran, or if the anchor follows the live weights.
#[test]
fn p1_the_penalty_is_zero_at_the_boundary_and_positive_after_one_update_of_the_second_task() {
    for name in ANCHORED {
        let mut agent = agent(&method(name));
        begin(&mut agent, 0, 200);
        play(&mut agent, 0, 200);
        consolidate(&mut agent);
        assert_eq!(agent.method().quadratic().unwrap().value(agent.network().params()), 0.0, "{name:?}");
        begin(&mut agent, 1, 200);
        play(&mut agent, 1, 33);
        assert!(agent.take_update().unwrap().penalty > 0.0, "{name:?}");
        assert!(agent.take_update().is_none(), "the window was emptied");
    }
}

/// P2. Fails if the penalty's gradient is lost on the way, as with an anchor that stays in the graph.
#[test]
fn p2_the_penalty_has_the_gradient_that_its_value_says() {
    let mut agent = agent(&method(MethodName::Ewc));
    begin(&mut agent, 0, 200);
    play(&mut agent, 0, 200);
    consolidate(&mut agent);
    let quadratic = agent.method().quadratic().unwrap().clone();
    let mut params: Vec<f32> = agent.network().params().iter().map(|param| param + 0.1).collect();
    let mut gradient = vec![0.0; params.len()];
    quadratic.add_gradient(&params, &mut gradient);
    let strongest = (0..params.len()).max_by(|a, b| gradient[*a].total_cmp(&gradient[*b])).unwrap();
    assert!(gradient[strongest] > 0.0);
    let mut moved = |by: f32| {
        params[strongest] += by;
        let value = f64::from(quadratic.value(&params));
        params[strongest] -= by;
        value
    };
    let difference = (moved(0.05) - moved(-0.05)) / 0.1;
    assert!((difference / f64::from(gradient[strongest]) - 1.0).abs() < 1e-2, "{difference} {}", gradient[strongest]);
}

#[test]
fn only_shared_parameters_have_importance() {
    for name in ANCHORED {
        let mut agent = agent(&method(name));
        begin(&mut agent, 1, 200);
        play(&mut agent, 1, 200);
        let importance = consolidate(&mut agent).importance.unwrap();
        for entry in agent.network().layout().entries() {
            let some = importance[entry.range.clone()].iter().any(|f| *f > 0.0);
            assert_eq!(some, !entry.name.starts_with("task"), "{name:?} {}", entry.name);
        }
    }
}

/// A penalty of each task apart grows with their number; the merged one does not.
#[test]
fn separate_penalties_are_saved_whole_and_take_what_they_say() {
    for name in [MethodName::L2, MethodName::Ewc] {
        for (revisit, bytes) in [(Revisit::Add, [8, 8, 8]), (Revisit::Replace, [16, 24, 24])] {
            let config = MethodConfig { revisit, ..method(name) };
            let mut agent = agent(&config);
            let params = agent.network().params().len();
            for (task, bytes) in [0, 1, 0].into_iter().zip(bytes) {
                begin(&mut agent, task, 100);
                play(&mut agent, task, 100);
                consolidate(&mut agent);
                assert_eq!(agent.method().state().bytes(), bytes * params, "{name:?} {revisit:?}");
            }
            let mut loaded = self::agent(&config);
            loaded.load(agent.save()).unwrap();
            assert_eq!(loaded.method().quadratic(), agent.method().quadratic(), "{name:?}");
            assert_eq!(loaded.method().state(), agent.method().state());
        }
    }
}

/// P20. Separate and online penalties agree after one task, and after two with decay 1 up to the centre; with decay 1
/// their importance always agrees and their centres must differ.
#[test]
fn p20_separate_and_online_agree_on_one_past_task_and_differ_on_two() {
    let after = |name, tasks| {
        let config = MethodConfig { online_ewc: OnlineStrength { lambda: 1.0, decay: 1.0 }, ..method(name) };
        let mut agent = agent(&config);
        for task in 0..tasks {
            begin(&mut agent, task, 100);
            play(&mut agent, task, 100);
            consolidate(&mut agent);
        }
        agent.method().quadratic().unwrap().clone()
    };
    assert_eq!(after(MethodName::Ewc, 1), after(MethodName::OnlineEwc, 1));
    let (separate, online) = (after(MethodName::Ewc, 2), after(MethodName::OnlineEwc, 2));
    assert_eq!(separate.importance, online.importance);
    assert_ne!(separate.centre, online.centre);
}

/// Fails if the steps of a task's earlier phases are not counted, or if those of other tasks are.
#[test]
fn a_penalty_counts_once_its_task_was_played_long_enough() {
    for name in [MethodName::L2, MethodName::Ewc] {
        let mut agent = agent(&MethodConfig { penalty_after_steps: 150, ..method(name) });
        let mut anchors = Vec::new();
        for (task, held) in [(0, false), (1, false), (0, true), (2, true)] {
            begin(&mut agent, task, 100);
            play(&mut agent, task, 100);
            anchors.push(consolidate(&mut agent).anchor);
            assert_eq!(agent.method().quadratic().is_some(), held, "{name:?} after {} phases", anchors.len());
        }
        let quadratic = agent.method().quadratic().unwrap();
        assert_eq!(quadratic.centre, anchors[2], "the one penalty is of the second visit");
    }
}

/// The merged penalty equals the explicit sum over consolidations, also when a task recurs and replaces its old one.
#[test]
fn the_merged_penalty_equals_the_explicit_sum_of_consolidations() {
    for (revisit, counted) in [(Revisit::Add, vec![0, 1, 2]), (Revisit::Replace, vec![1, 2])] {
        let mut agent = agent(&MethodConfig { revisit, ..method(MethodName::Ewc) });
        let mut consolidations = Vec::new();
        for task in [0, 1, 0] {
            begin(&mut agent, task, 100);
            play(&mut agent, task, 100);
            consolidations.push(consolidate(&mut agent));
        }
        let params: Vec<f32> = agent.network().params().iter().map(|param| param + 0.05).collect();
        let explicit: f64 = counted
            .iter()
            .map(|phase| {
                let Consolidation { importance, anchor, .. } = &consolidations[*phase];
                let terms = importance.as_ref().unwrap().iter().zip(anchor).zip(&params);
                0.5 * terms.map(|((f, a), p)| f64::from(*f) * f64::from(p - a).powi(2)).sum::<f64>()
            })
            .sum();
        let merged = f64::from(agent.method().quadratic().unwrap().value(&params));
        assert!((merged / explicit - 1.0).abs() < 1e-4, "{revisit:?}: {merged} {explicit}");
    }
}

/// P12. Fails with one global schedule: a revisit goes on with the task's own timer, a new task starts afresh.
#[test]
fn p12_each_task_has_its_own_exploration_timer() {
    let mut agent = agent(&method(MethodName::FineTune));
    begin(&mut agent, 0, 200);
    assert_eq!(agent.epsilon(), 1.0);
    play(&mut agent, 0, 50);
    let left = agent.epsilon();
    assert!((left - 0.55).abs() < 1e-6);
    begin(&mut agent, 1, 200);
    assert_eq!(agent.epsilon(), 1.0);
    play(&mut agent, 1, 200);
    assert_eq!(agent.epsilon(), 0.1);
    begin(&mut agent, 0, 200);
    assert_eq!(agent.epsilon(), left);
}

/// P13. Fails with an inverted period or with a counter that restarts in the wrong place: a target network that the
/// boundary does not copy grows older through it.
#[test]
fn p13_the_target_network_is_copied_once_a_period() {
    let mut agent = agent(&method(MethodName::FineTune));
    begin(&mut agent, 0, 200);
    play(&mut agent, 0, 200);
    assert_eq!(agent.target_copies(), 10);
    begin(&mut agent, 1, 200);
    assert_eq!(agent.target_copies(), 11, "and once at the boundary");
    play(&mut agent, 1, 200);
    assert_eq!(agent.target_copies(), 21);

    let copies = |sync_target, phases: u64, steps| {
        let boundary = BoundaryConfig { sync_target, ..BoundaryConfig::default() };
        let mut agent = agent_with(&config(), &method(MethodName::FineTune), boundary);
        for phase in 0..phases {
            begin(&mut agent, phase as usize % 3, steps);
            play(&mut agent, phase as usize % 3, steps);
        }
        agent.target_copies()
    };
    // The period is 20: phases of 15 steps are shorter, those of 50 no multiple of it.
    assert_eq!([copies(false, 8, 15), copies(false, 3, 50), copies(false, 2, 40)], [6, 7, 4]);
    assert_eq!([copies(true, 8, 15), copies(true, 3, 50)], [7, 8], "two in each phase of 50, one at each boundary");
}

#[test]
fn before_a_phase_begins_the_agent_says_so() {
    let mut agent = agent(&method(MethodName::FineTune));
    assert!(matches!(agent.act(&[0.0; 3]), Err(AgentError::NotBegun)));
    let observation = [0.0; 3];
    let transition = Transition {
        observation: &observation,
        action: 0,
        reward: 0.0,
        discount: 1.0,
        next_observation: &observation,
        ended: false,
    };
    assert!(matches!(agent.learn(transition), Err(AgentError::NotBegun)));
    assert!(agent.greedy(&observation, 0).is_ok(), "evaluation needs no phase");
}

/// A phase whose only update is its last step: no later loss shows what it did.
#[test]
fn parameters_that_the_last_update_broke_are_seen_at_the_boundary() {
    for name in ALL {
        let optimizer = OptimizerConfig { learning_rate: f32::MAX, ..OptimizerConfig::default() };
        let mut agent = agent_with(&DqnConfig { optimizer, ..config() }, &method(name), BoundaryConfig::default());
        begin(&mut agent, 0, 32);
        play(&mut agent, 0, 32);
        let error = agent.consolidate(&mut Pcg64::seed_from_u64(77)).unwrap_err();
        assert!(matches!(error, AgentError::Diverged { quantity: "a parameter", updates: 1, .. }), "{error}");
    }
}

#[test]
fn rewards_learnt_from_are_clipped() {
    let train = |reward: f32, reward_clip| {
        let config = DqnConfig { reward_clip, ..config() };
        let mut agent = agent_with(&config, &method(MethodName::FineTune), BoundaryConfig::default());
        begin(&mut agent, 0, 100);
        for step in 0..100 {
            let (observation, next_observation) = ([0.1 * step as f32; 3], [0.1 * step as f32 + 0.1; 3]);
            let transition = Transition {
                observation: &observation,
                action: step % 3,
                reward,
                discount: 1.0,
                next_observation: &next_observation,
                ended: false,
            };
            agent.learn(transition).unwrap();
        }
        bits(&agent)
    };
    assert_eq!(train(40.0, 1.0), train(1.0, 0.0));
    assert_ne!(train(40.0, 0.0), train(1.0, 0.0));
}

/// P11. Fails if a reset is skipped: with all of them the second task starts as it would in a new agent with the same
/// weights; without one of them it must not.
#[test]
fn p11_resets_leave_nothing_of_the_old_task_but_the_weights() {
    let second_task = |boundary: BoundaryConfig| {
        let mut agent = agent_with(&config(), &method(MethodName::FineTune), boundary);
        begin(&mut agent, 0, 190);
        play(&mut agent, 0, 190);
        let weights = agent.network().params().to_vec();
        begin(&mut agent, 1, 60);
        play(&mut agent, 1, 60);
        (weights, bits(&agent))
    };
    let all = BoundaryConfig::default();
    let (weights, reset) = second_task(all);
    let mut fresh = agent_with(&config(), &method(MethodName::FineTune), all);
    begin(&mut fresh, 0, 1);
    fresh.network_mut().params_mut().copy_from_slice(&weights);
    begin(&mut fresh, 1, 60);
    play(&mut fresh, 1, 60);
    assert_eq!(bits(&fresh), reset);
    for boundary in [BoundaryConfig { reset_replay: false, ..all }, BoundaryConfig { reset_optimizer: false, ..all }] {
        assert_ne!(second_task(boundary).1, reset, "{boundary:?}");
    }
}

/// P16. Fails if the Fisher information is taken from another task's states.
#[test]
fn p16_a_kept_replay_buffer_does_not_mix_tasks_in_the_fisher_information() {
    let importance = |reset_replay| {
        let boundary = BoundaryConfig { reset_replay, ..BoundaryConfig::default() };
        let frozen = DqnConfig { warmup_steps: 1_000_000, ..config() };
        let mut agent = agent_with(&frozen, &method(MethodName::Ewc), boundary);
        begin(&mut agent, 0, 40);
        // States of another scale have another Fisher information.
        play_scaled(&mut agent, 0, 40, 20.0);
        begin(&mut agent, 1, 40);
        play(&mut agent, 1, 40);
        let replay = agent.replay(1).unwrap();
        let drawn = (0..500).filter(|slot| *slot < 2 * replay.len()).filter_map(|slot| replay.task(slot));
        let tasks: std::collections::BTreeSet<usize> = drawn.collect();
        (tasks.len(), consolidate(&mut agent))
    };
    let ((one, cleared), (two, kept)) = (importance(true), importance(false));
    assert_eq!((one, two), (1, 2), "only the kept buffer holds both tasks");
    let trace = |consolidation: &Consolidation| consolidation.importance.as_ref().unwrap().iter().sum::<f32>();
    assert!((trace(&kept) / trace(&cleared) - 1.0).abs() < 0.1, "{} {}", trace(&kept), trace(&cleared));
}

#[test]
fn invalid_actions_are_never_chosen() {
    let mut agent = agent(&method(MethodName::FineTune));
    begin(&mut agent, 1, 200);
    for entry in agent.network().layout().entries().to_vec() {
        if entry.name == "task1.output.bias" {
            agent.network_mut().params_mut()[entry.range.end - 1] = 1e3;
        }
    }
    let mut chance = Pcg64::seed_from_u64(0);
    assert!((0..500).all(|_| agent.act(&chance.random::<[f32; 3]>()).unwrap() < 2));
    assert!((0..500).all(|_| agent.greedy(&chance.random::<[f32; 3]>(), 1).unwrap() < 2));
}

/// Whatever the network says of an action that the task does not have, learning goes on alike.
#[test]
fn invalid_actions_take_no_part_in_the_bootstrap() {
    for double in [false, true] {
        let train = |bias: f32| {
            let config = DqnConfig { double, ..config() };
            let mut agent = agent_with(&config, &method(MethodName::FineTune), BoundaryConfig::default());
            begin(&mut agent, 0, 1);
            let entries = agent.network().layout().entries().iter();
            let invalid = entries.clone().find(|entry| entry.name == "task1.output.bias").unwrap().range.end - 1;
            agent.network_mut().params_mut()[invalid] = bias;
            // The boundary copies it into the target network.
            begin(&mut agent, 1, 100);
            let mut chance = Pcg64::seed_from_u64(0);
            let mut observation: [f32; 3] = chance.random();
            for step in 0..100 {
                let next_observation: [f32; 3] = chance.random();
                let transition = Transition {
                    observation: &observation,
                    action: step % 2,
                    reward: observation[0],
                    discount: 1.0,
                    next_observation: &next_observation,
                    ended: false,
                };
                agent.learn(transition).unwrap();
                observation = next_observation;
            }
            let mut params = bits(&agent);
            params.remove(invalid);
            params
        };
        assert_eq!(train(0.0), train(1e3), "double = {double}");
    }
}

/// `RMSProp` with a huge epsilon is gradient descent: the step is the rate over epsilon times the clipped gradient.
#[test]
fn the_tasks_gradient_is_clipped_to_its_norm() {
    let moved = |max_gradient_norm| {
        let optimizer = OptimizerConfig {
            kind: OptimizerKind::Rmsprop,
            centred: false,
            epsilon: Some(1e3),
            epsilon_inside_root: Some(false),
            learning_rate: 1e3,
            ..OptimizerConfig::default()
        };
        let config = DqnConfig { max_gradient_norm, optimizer, ..config() };
        let mut agent = agent_with(&config, &method(MethodName::FineTune), BoundaryConfig::default());
        let before = agent.network().params().to_vec();
        begin(&mut agent, 0, 100);
        play(&mut agent, 0, 32);
        let squares = agent.network().params().iter().zip(&before).map(|(a, b)| f64::from(a - b).powi(2));
        (squares.sum::<f64>().sqrt(), f64::from(agent.take_update().unwrap().gradient_norm))
    };
    let (free, norm) = moved(0.0);
    assert!((free / norm - 1.0).abs() < 0.01 && norm > 0.1, "{free} {norm}");
    let (clipped, reported) = moved(0.01);
    assert!((clipped / 0.01 - 1.0).abs() < 0.01, "{clipped}");
    assert_eq!(reported, norm, "the norm is reported as it was");
    assert_eq!(moved(2.0 * norm as f32), (free, norm));
}

/// The penalty through the loss: nothing at lambda 0, a pull to the anchor at a great one, clipped or not.
#[test]
fn a_penalty_through_the_loss_pulls_to_the_anchor() {
    let distance = |lambda, max_gradient_norm| {
        let method = MethodConfig { coupling: Coupling::Loss, l2: Strength { lambda }, ..method(MethodName::L2) };
        let config = DqnConfig { max_gradient_norm, ..config() };
        let mut agent = agent_with(&config, &method, BoundaryConfig::default());
        begin(&mut agent, 0, 200);
        play(&mut agent, 0, 200);
        let anchor = consolidate(&mut agent).anchor;
        begin(&mut agent, 1, 200);
        play(&mut agent, 1, 200);
        let shared = agent.network().layout().shared();
        let squares = shared.into_iter().flatten().map(|i| f64::from(agent.network().params()[i] - anchor[i]).powi(2));
        (squares.sum::<f64>().sqrt(), bits(&agent))
    };
    let free = {
        let mut agent = agent(&method(MethodName::FineTune));
        for task in 0..2 {
            begin(&mut agent, task, 200);
            play(&mut agent, task, 200);
        }
        bits(&agent)
    };
    let (far, unpenalised) = distance(0.0, 0.0);
    assert_eq!(unpenalised, free);
    assert!(distance(10.0, 0.0).0 < 0.5 * far, "{} {far}", distance(10.0, 0.0).0);
    assert!(distance(10.0, 0.1).0 < 0.5 * far, "clipping spares the penalty");
}

#[test]
fn it_learns() {
    let mut agent = agent(&method(MethodName::FineTune));
    begin(&mut agent, 0, 3000);
    play(&mut agent, 0, 3000);
    let mut chance = Pcg64::seed_from_u64(5);
    let right = (0..500).filter(|_| {
        let observation: [f32; 3] = chance.random();
        let action = agent.greedy(&observation, 0).unwrap();
        observation.iter().all(|other| observation[action] >= *other)
    });
    assert!(right.count() > 450);
}

#[test]
fn divergence_is_an_error_and_leaves_finite_parameters() {
    let wild = DqnConfig { reward_scale: 1e30, ..config() };
    let mut agent = agent_with(&wild, &method(MethodName::FineTune), BoundaryConfig::default());
    begin(&mut agent, 0, 200);
    let transition = |next: &'static [f32; 3]| Transition {
        observation: &[0.1, 0.2, 0.3],
        action: 0,
        reward: 1.0,
        discount: 1.0,
        next_observation: next,
        ended: false,
    };
    let error = (0..200).find_map(|_| agent.learn(transition(&[0.1, 0.2, 0.3])).err()).expect("it diverges");
    assert!(error.to_string().contains("the TD loss is"), "{error}");
    assert!(agent.network().params().iter().all(|param| param.is_finite()));
}
