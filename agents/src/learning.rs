//! An update in progress: the networks, and the gradient that the agent and its method add to.

use rand_pcg::Pcg64;

use crate::{AgentError, config::DqnConfig, loss::td_target, network::QNetwork, replay::Batch};

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

/// A loss of a state between a teacher's Q-values and the network's over so many valid actions: it writes its derivative by
/// the latter.
pub type LossOnQ<'a> = dyn FnMut(&[f32], &[f32], usize, &mut [f32]) + 'a;

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
                let target =
                    td_target(batch.rewards[row], batch.discounts[row], &next[cells.clone()], selector, actions);
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

    /// Adds `weight/B sum_n d loss_n / d theta` for a loss on the Q-values of states of one task, `B` the configured batch
    /// size; `teacher` has a row of Q-values for each state.
    pub fn add_loss_on_q(
        &mut self,
        (observations, teacher): (&[f32], &[f32]),
        task: usize,
        weight: f32,
        loss: &mut LossOnQ<'_>,
    ) -> Result<(), AgentError> {
        let (columns, actions) = (self.online.architecture().actions(), self.actions[task]);
        let factor = weight / self.config.batch_size as f32;
        let mut scores = |q: &[f32], derivatives: &mut [f32]| {
            let rows = teacher.chunks(columns).zip(q.chunks(columns)).zip(derivatives.chunks_mut(columns));
            for ((teacher, q), derivative) in rows {
                loss(teacher, q, actions, derivative);
                for value in derivative.iter_mut() {
                    *value *= factor;
                }
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

#[cfg(test)]
mod tests {
    use crate::{continual::stage::Stage, distillation::matched_kl, replay::Batch};

    fn batch(stage: &Stage) -> Batch {
        let mut batch = Batch::default();
        // Fewer than the batch size, as where a batch is of several tasks.
        let slots: Vec<usize> = stage.replay.slots_of(0).take(5).collect();
        stage.replay.gather(&slots, &mut batch);
        batch
    }

    /// Fails if the target is not held constant, if it is divided by the rows in place of the batch size, or if double
    /// Q-learning chooses by the target network.
    #[test]
    fn the_td_gradient_equals_finite_differences() {
        let mut stage = Stage::with_heads();
        let batch = batch(&stage);
        let targets = stage.targets(&batch);
        let sums = stage.learning().add_td(&batch, 0, 2.0).unwrap();
        let gradient = stage.gradient.clone();
        stage.assert_slope(&gradient, &batch.observations, &|stage, q| 2.0 * stage.td_loss(&batch, &targets, q));
        let mut q = [0.0; 15];
        stage.online.infer(&batch.observations, 0, &mut q).unwrap();
        let expected = 8.0 * stage.td_loss(&batch, &targets, &q);
        assert!((f64::from(sums.loss) / expected - 1.0).abs() < 1e-4, "{} {expected}", sums.loss);
        assert_eq!(stage.trained, [0]);
    }

    #[test]
    fn the_gradient_of_a_loss_on_q_values_equals_finite_differences() {
        let mut stage = Stage::with_heads();
        let batch = batch(&stage);
        let teacher = |row: usize| [row as f32 * 0.5, 0.3, -0.2];
        let taught: Vec<f32> = (0..batch.len()).flat_map(teacher).collect();
        let observations = &batch.observations;
        stage
            .learning()
            .add_loss_on_q((observations, &taught), 0, 3.0, &mut |teacher, q, actions, derivative| {
                matched_kl(0.5, teacher, q, actions, derivative);
            })
            .unwrap();
        let gradient = stage.gradient.clone();
        stage.assert_slope(&gradient, observations, &|_, q| {
            let mut unused = [0.0; 3];
            let loss = |(row, q): (usize, &[f32])| f64::from(matched_kl(0.5, &teacher(row), q, 3, &mut unused));
            3.0 / 8.0 * q.chunks(3).enumerate().map(loss).sum::<f64>()
        });
        // A second call adds, and counts its task once.
        let mut ones = |_: &[f32], _: &[f32], _: usize, derivative: &mut [f32]| derivative.fill(1.0);
        stage.learning().add_loss_on_q((observations, &taught), 0, 0.0, &mut ones).unwrap();
        assert_eq!((&stage.gradient, &stage.trained[..]), (&gradient, &[0][..]));
    }
}
