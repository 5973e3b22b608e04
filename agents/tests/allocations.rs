//! Once a batch of its size was seen, the fused network acts and learns without asking for memory.

// Counting what is asked for is possible in no other way.
#![allow(unsafe_code)]

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

use engram_agents::{
    continual::{MethodConfig, MethodName},
    dqn::{BoundaryConfig, Dqn, DqnConfig, Phase, TaskSet},
    network::{Conditioning, ConvolutionConfig, DeviceKind, Input, NetworkConfig},
    replay::{Packing, ReplayConfig, Transition},
};
use rand::{Rng, SeedableRng};
use rand_pcg::Pcg64;

struct Counting;

thread_local! {
    static ASKED: Cell<u64> = const { Cell::new(0) };
}

// SAFETY: every call goes to the system's allocator as it came.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        ASKED.set(ASKED.get() + 1);
        // SAFETY: the caller's.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        // SAFETY: the caller's.
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

fn asked_for(work: impl FnOnce()) -> u64 {
    let before = ASKED.get();
    work();
    ASKED.get() - before
}

/// How often memory is asked for in 200 steps after 400 others, each with an action and an update.
fn asked(
    input: Input,
    packing: Packing,
    convolutions: Vec<ConvolutionConfig>,
    conditioning: Conditioning,
    name: MethodName,
) -> u64 {
    let network = NetworkConfig { convolutions, hidden: vec![24, 16], conditioning, ..NetworkConfig::default() };
    let config = DqnConfig {
        network,
        double: true,
        batch_size: 32,
        train_period: 1,
        warmup_steps: 100,
        target_period: 50,
        max_gradient_norm: 1.0,
        replay: ReplayConfig { capacity: 300, per_task: false },
        ..DqnConfig::default()
    };
    let method = MethodConfig { name, ..MethodConfig::default() };
    let tasks = TaskSet { input, packing, actions: vec![3, 3] };
    let mut generator = Pcg64::seed_from_u64(1);
    let boundary = BoundaryConfig { reset_replay: false, ..BoundaryConfig::default() };
    let mut agent = Dqn::new(&config, boundary, &method, tasks, DeviceKind::Cpu, &mut generator).unwrap();
    let mut observation: Vec<f32> =
        (0..input.len()).map(|_| f32::from(u8::from(generator.random::<f32>() < 0.2))).collect();
    let mut next = observation.clone();
    let mut step = |agent: &mut Dqn, index: usize| {
        let action = agent.act(&observation).unwrap();
        // Three numbers change, so that sparse and dense examples both come up.
        for _ in 0..3 {
            let at = generator.random_range(0..next.len());
            next[at] = 1.0 - next[at];
        }
        let (reward, ended) = (action as f32, index % 40 == 39);
        let transition =
            Transition { observation: &observation, action, reward, discount: 1.0, next_observation: &next, ended };
        agent.learn(transition).unwrap();
        observation.copy_from_slice(&next);
    };
    let mut count = 0;
    for task in 0..2 {
        agent.begin(Phase::new(task, 600, |name| Pcg64::seed_from_u64(name.len() as u64))).unwrap();
        (0..400).for_each(|index| step(&mut agent, index));
        count += asked_for(|| (400..600).for_each(|index| step(&mut agent, index)));
        agent.consolidate(&mut Pcg64::seed_from_u64(4)).unwrap();
    }
    count
}

#[test]
fn a_step_asks_for_no_memory() {
    let planes = Input::Planes { channels: 4, height: 7, width: 6 };
    let convolution = |channels, kernel, stride| ConvolutionConfig { channels, kernel, stride };
    for conditioning in [Conditioning::None, Conditioning::OneHot, Conditioning::Heads, Conditioning::Gains] {
        for name in MethodName::ALL {
            let asked = asked(Input::Vector(9), Packing::Floats, vec![], conditioning, name);
            assert_eq!(asked, 0, "{name:?} {conditioning:?}");
        }
        for convolutions in [vec![convolution(16, 3, 1)], vec![convolution(5, 3, 2), convolution(4, 2, 1)]] {
            let asked = asked(planes, Packing::Bits, convolutions, conditioning, MethodName::Ewc);
            assert_eq!(asked, 0, "{conditioning:?}");
        }
    }
    for name in MethodName::ALL.into_iter().filter(|name| name.has_memory()) {
        let asked = asked(planes, Packing::Bits, vec![convolution(5, 3, 1)], Conditioning::Heads, name);
        assert_eq!(asked, 0, "{name:?}");
    }
    // The count itself counts.
    assert_eq!(asked_for(|| drop(vec![0_u8; 100])), 1);
}
