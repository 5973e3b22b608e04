//! A small update set up by hand, for the tests of single methods: two tasks of three and two actions, of which the first
//! has been played.

use rand::{Rng, SeedableRng};
use rand_pcg::Pcg64;

use super::{FinishedTask, Method};
use crate::{
    config::{DqnConfig, TaskSet},
    learning::{Learning, Rows},
    network::{self, Input, NetworkConfig, QNetwork},
    replay::{Batch, Packing, Replay, ReplayConfig, Transition},
};

/// What an update is made of.
pub(crate) struct Stage {
    pub config: DqnConfig,
    pub tasks: TaskSet,
    pub online: Box<dyn QNetwork>,
    pub target: Box<dyn QNetwork>,
    pub replay: Replay,
    pub gradient: Vec<f32>,
    pub trained: Vec<usize>,
    pub generator: Pcg64,
    rows: Rows,
}

impl Stage {
    /// A network of its own layers; the target network is another draw.
    pub fn new(network: NetworkConfig) -> Self {
        let tasks = TaskSet { input: Input::Vector(3), packing: Packing::Floats, actions: vec![3, 2] };
        let config = DqnConfig { network, batch_size: 8, discount: 0.5, ..DqnConfig::default() };
        let build = |seed| {
            let mut generator = Pcg64::seed_from_u64(seed);
            network::build(&config.network, tasks.input, 3, 2, &candle_core::Device::Cpu, &mut generator).unwrap()
        };
        let (online, target) = (build(1), build(2));
        let mut replay = Replay::new(ReplayConfig { capacity: 50, per_task: false }, 3, tasks.packing);
        let mut chance = Pcg64::seed_from_u64(3);
        for step in 0..20 {
            let (seen, next): ([f32; 3], [f32; 3]) = (chance.random(), chance.random());
            let transition = Transition {
                observation: &seen,
                action: step % 3,
                reward: chance.random(),
                discount: if step % 4 == 0 { 0.0 } else { 0.5 },
                next_observation: &next,
                ended: true,
            };
            replay.push(0, transition);
        }
        let gradient = vec![0.0; online.layout().len()];
        let (trained, rows, generator) = (Vec::new(), Rows::default(), Pcg64::seed_from_u64(4));
        Self { config, tasks, online, target, replay, gradient, trained, generator, rows }
    }

    /// One hidden layer, and an output layer for each task.
    pub fn with_heads() -> Self {
        Self::new(NetworkConfig { hidden: vec![6], ..NetworkConfig::default() })
    }

    /// The update while the second task is played.
    pub fn learning(&mut self) -> Learning<'_> {
        Learning {
            config: &self.config,
            actions: &self.tasks.actions,
            task: 1,
            online: self.online.as_mut(),
            target: self.target.as_mut(),
            gradient: &mut self.gradient,
            trained: &mut self.trained,
            generator: &mut self.generator,
            rows: &mut self.rows,
        }
    }

    /// The first task, as it is handed to a method.
    pub fn finished(&mut self) -> FinishedTask<'_> {
        FinishedTask {
            task: 0,
            actions: 3,
            steps: 20,
            tasks: &self.tasks,
            network: self.online.as_mut(),
            replay: &self.replay,
            generator: &mut self.generator,
        }
    }

    /// What a method that rehearses would draw now: transitions of the first task, and their old Q-values.
    pub fn drawn(&self, method: &dyn Method) -> (Batch, Vec<f32>) {
        let memory = method.state().memory.as_ref().unwrap();
        let (mut slots, mut batch, mut q) = (Vec::new(), Batch::default(), Vec::new());
        memory.draw(self.config.batch_size, &mut self.generator.clone(), &mut slots);
        assert_eq!(memory.gather(&slots, &mut batch, &mut q), 0);
        (batch, q)
    }

    /// The targets of a batch of the first task, by hand.
    pub fn targets(&mut self, batch: &Batch) -> Vec<f32> {
        let (mut next, mut selector) = (vec![0.0; 3 * batch.len()], vec![0.0; 3 * batch.len()]);
        self.target.infer(&batch.next_observations, 0, &mut next).unwrap();
        self.online.infer(&batch.next_observations, 0, &mut selector).unwrap();
        let best = |row: usize| (0..3).max_by(|a, b| selector[3 * row + a].total_cmp(&selector[3 * row + b])).unwrap();
        let bootstrap = |row: usize| batch.discounts[row] * next[3 * row + best(row)];
        (0..batch.len()).map(|row| batch.rewards[row] + bootstrap(row)).collect()
    }

    /// `1/B sum_n loss(Q(s_n, a_n) - y_n)`.
    pub fn td_loss(&self, batch: &Batch, targets: &[f32], q: &[f32]) -> f64 {
        let loss = |row: usize| self.config.loss.value(q[3 * row + batch.actions[row]] - targets[row]);
        (0..batch.len()).map(|row| f64::from(loss(row))).sum::<f64>() / self.config.batch_size as f64
    }

    /// Asserts that `gradient` is the slope of `loss`, a function of the Q-values of `observations` in the first task, in
    /// every parameter.
    pub fn assert_slope(&mut self, gradient: &[f32], observations: &[f32], loss: &dyn Fn(&Self, &[f32]) -> f64) {
        const STEP: f32 = 5e-4;
        let mut q = vec![0.0; observations.len()];
        let mut greatest = 0.0_f64;
        for (i, g) in gradient.iter().enumerate() {
            let own = self.online.params()[i];
            let mut at = |value: f32| {
                self.online.params_mut()[i] = value;
                self.online.infer(observations, 0, &mut q).unwrap();
                loss(self, &q)
            };
            let (above, below) = (own + STEP, own - STEP);
            let slope = (at(above) - at(below)) / f64::from(above - below);
            self.online.params_mut()[i] = own;
            greatest = greatest.max(slope.abs());
            assert!((slope - f64::from(*g)).abs() < 2e-3, "parameter {i}: {slope} {g}");
        }
        assert!(greatest > 0.04, "{greatest}: a slope that could be told from 0");
    }
}
