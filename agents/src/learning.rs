//! An update in progress: the networks, and the gradient that the agent and its method add to.

use rand_pcg::Pcg64;

use crate::{AgentError, dqn::DqnConfig, loss::td_target, network::QNetwork, replay::Batch};

/// What one update is made from.
pub struct Learning<'a> {
    /// The agent as configured.
    pub config: &'a DqnConfig,
    /// How many actions are valid in each task.
    pub actions: &'a [usize],
    /// The task that is played.
    pub task: usize,
    /// The network that learns.
    pub online: &'a mut dyn QNetwork,
    /// The network that bootstraps.
    pub target: &'a mut dyn QNetwork,
    /// The gradient of the losses so far, one number a parameter.
    pub gradient: &'a mut [f32],
    /// The tasks whose own parameters this update moves, beside the shared ones.
    pub trained: &'a mut Vec<usize>,
    /// Randomness of the method alone.
    pub generator: &'a mut Pcg64,
    /// Room for Q-values of the next observations.
    pub rows: &'a mut Rows,
}

/// Q-values of a batch's next observations, kept so that an update allocates nothing of its own.
#[derive(Debug, Clone, Default)]
pub struct Rows {
    next: Vec<f32>,
    selector: Vec<f32>,
}

/// What [`Learning::add_td`] found: sums over the batch.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct TdSums {
    /// Of the losses.
    pub loss: f32,
    /// Of `Q(s_n, a_n)`.
    pub q_value: f32,
}

impl Learning<'_> {
    /// Adds `weight/B sum_n d loss(Q(s_n, a_n) - y_n) / d theta`, `B` the configured batch size and `y` held constant, to
    /// the gradient, for transitions of one task.
    pub fn add_td(&mut self, batch: &Batch, task: usize, weight: f32) -> Result<TdSums, AgentError> {
        let (config, actions) = (self.config, self.actions[task]);
        let columns = self.online.architecture().actions();
        let Rows { next, selector } = &mut *self.rows;
        next.resize(batch.len() * columns, 0.0);
        self.target.infer(&batch.next_observations, task, next)?;
        if config.double {
            selector.resize(batch.len() * columns, 0.0);
            self.online.infer(&batch.next_observations, task, selector)?;
        }
        let mut sums = TdSums::default();
        let mut scores = |q: &[f32], chosen: &mut [f32]| {
            for row in 0..batch.len() {
                let cells = row * columns..(row + 1) * columns;
                let selector = config.double.then(|| &selector[cells.clone()]);
                let target = td_target(batch.rewards[row], batch.discounts[row], &next[cells.clone()], selector, actions);
                let taken = cells.start + batch.actions[row];
                let delta = q[taken] - target;
                sums.loss += config.loss.value(delta);
                sums.q_value += q[taken];
                chosen[taken] = weight * config.loss.derivative(delta) / config.batch_size as f32;
            }
        };
        self.online.gradient(&batch.observations, task, &mut scores, self.gradient)?;
        self.trains(task);
        Ok(sums)
    }

    /// Adds `weight/B sum_n d loss_n / d theta` for a loss on the Q-values of states of one task: `loss` is given the
    /// number of the row, its Q-values and room for the loss's derivative by them. `B` is the configured batch size.
    pub fn add_loss_on_q(
        &mut self,
        observations: &[f32],
        task: usize,
        weight: f32,
        loss: &mut dyn FnMut(usize, &[f32], &mut [f32]),
    ) -> Result<(), AgentError> {
        let columns = self.online.architecture().actions();
        let factor = weight / self.config.batch_size as f32;
        let mut scores = |q: &[f32], derivatives: &mut [f32]| {
            for (row, (q, derivative)) in q.chunks(columns).zip(derivatives.chunks_mut(columns)).enumerate() {
                loss(row, q, derivative);
                derivative.iter_mut().for_each(|value| *value *= factor);
            }
        };
        self.online.gradient(observations, task, &mut scores, self.gradient)?;
        self.trains(task);
        Ok(())
    }

    /// The update moves what this task owns.
    fn trains(&mut self, task: usize) {
        if !self.trained.contains(&task) {
            self.trained.push(task);
        }
    }
}
