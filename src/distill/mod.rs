//! One student network taught by the agents of finished runs: Policy Distillation (Rusu et al. 2015) and Actor-Mimic
//! (Parisotto et al. 2016). `docs/methods/distill.md` has the equations.

mod memory;
mod student;
mod teacher;

pub use student::{Lesson, student};
pub use teacher::Teacher;

use engram_agents::{
    AgentError,
    distillation::{DistillationLoss, distill, feature_regression, policy_regression},
    dqn::Dqn,
    loss::greedy,
    network::{self, QNetwork},
    optimizer::Optimizer,
};
use rand::Rng;
use serde::{Deserialize, Serialize};

use crate::{
    config::Config, curriculum::Curriculum, error::TrainError, evaluate::Evaluator, event::Score, reference, seeds,
    statistics, stop::Stop,
};
use memory::Memory;

/// What the student is to agree with its teachers in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "kebab-case")]
pub enum Objective {
    /// Their policies, sharpened by the temperature (Rusu et al. 2015).
    Kl,
    /// Their best actions.
    Nll,
    /// Their values.
    Mse,
    /// Their policies and what they make of a state in their last hidden layer (Parisotto et al. 2016).
    ActorMimic,
}

impl Objective {
    /// All of them, in the order of the documentation.
    pub const ALL: [Self; 4] = [Self::Kl, Self::Nll, Self::Mse, Self::ActorMimic];

    /// The name on the command line.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Kl => "kl",
            Self::Nll => "nll",
            Self::Mse => "mse",
            Self::ActorMimic => "actor-mimic",
        }
    }

    /// The temperature where none is given: 0.01 (Rusu et al. 2015), and 1 for Actor-Mimic.
    pub fn temperature(self) -> f64 {
        if self == Self::ActorMimic { 1.0 } else { 0.01 }
    }
}

/// How the student is taught.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Recipe {
    /// What it is to agree in.
    pub loss: Objective,
    /// What the teachers' Q-values are divided by before the softmax.
    pub temperature: f64,
    /// Actor-Mimic's weight of the teachers' last hidden layers.
    pub beta: f64,
    /// States that each teacher shows.
    pub states: usize,
    /// Updates of each task.
    pub updates: u64,
}

/// A weight of features that leaves the policy in the lead (the code of Parisotto et al. 2016).
pub const BETA: f64 = 0.01;

impl Recipe {
    /// The loss of one state. A row has the Q-values first, `columns` of them, and then the features. Writes the
    /// derivative with respect to the student's row.
    fn loss(&self, teacher: &[f32], student: &[f32], shape: Shape, derivative: &mut [f32]) -> f32 {
        let Shape { actions, columns, features } = shape;
        let temperature = self.temperature as f32;
        let loss = match self.loss {
            Objective::Kl => DistillationLoss::Kl,
            Objective::Nll => DistillationLoss::Nll,
            Objective::Mse => DistillationLoss::Mse,
            Objective::ActorMimic => {
                let policy = policy_regression(temperature, teacher, student, actions, derivative);
                let shown = columns..columns + features;
                let (teacher, student) = (&teacher[shown.clone()], &student[shown.clone()]);
                return policy + feature_regression(self.beta as f32, teacher, student, &mut derivative[shown]);
            }
        };
        distill(loss, temperature, teacher, student, actions, derivative)
    }
}

/// What of a row means something in a task.
#[derive(Debug, Clone, Copy)]
struct Shape {
    /// Valid actions.
    actions: usize,
    /// Actions of the network.
    columns: usize,
    /// Features of the task's teacher.
    features: usize,
}

/// A student that has been taught.
pub struct Distilled {
    /// It, as an agent.
    pub agent: Dqn,
    /// The scores of the network before.
    pub untrained: Vec<Score>,
    /// Those of the teachers, each on its task.
    pub teachers: Vec<Score>,
    /// Those of the student.
    pub students: Vec<Score>,
    /// The mean loss of each task over the last tenth of its updates.
    pub losses: Vec<f64>,
}

impl Distilled {
    /// What the student gets of what its teacher gets above random play in each task:
    /// `(student - random) / (teacher - random)`. None where the teacher does no better than random play.
    pub fn shares(&self, curriculum: &Curriculum) -> Vec<Option<f64>> {
        let scores = self.students.iter().zip(&self.teachers).zip(&curriculum.tasks);
        scores.map(|((student, teacher), task)| share(student.mean, teacher.mean, task.reference)).collect()
    }
}

/// The student's share of what its teacher gets above random play. Which way up returns are better, the reference says.
fn share(student: f64, teacher: f64, reference: reference::Reference) -> Option<f64> {
    let [student, teacher] = [student, teacher].map(|own| reference::normalize(own, reference));
    (teacher > 0.0).then(|| student / teacher)
}

/// The geometric mean of shares, as the papers average games; None unless all are known and greater than 0.
pub fn geometric_mean(shares: &[Option<f64>]) -> Option<f64> {
    let logs: Option<Vec<f64>> = shares.iter().map(|share| share.filter(|share| *share > 0.0).map(f64::ln)).collect();
    logs.filter(|logs| !logs.is_empty()).map(|logs| statistics::mean(&logs).exp())
}

/// Teaches a student of the validated and resolved `config`, which [`student`] has made, by one teacher a task.
///
/// Each teacher plays its game and fills a memory; the student's updates take the tasks in turn, a minibatch from one
/// memory each; then student and teachers play the same evaluation episodes.
pub fn teach(
    config: &Config,
    curriculum: &Curriculum,
    teachers: &mut [Teacher],
    recipe: &Recipe,
    stop: &Stop,
) -> Result<Distilled, TrainError> {
    let seed = config.seed;
    let set = &curriculum.set;
    let columns = set.actions.iter().copied().max().unwrap_or(1);
    // The targets of the feature regression are further outputs of the heads, cut off in the end.
    let mimics = recipe.loss == Objective::ActorMimic;
    let features: Vec<usize> = teachers.iter().map(|own| if mimics { own.features() } else { 0 }).collect();
    let outputs = columns + features.iter().copied().max().unwrap_or(0);
    let device = config.device.open()?;
    let init = || seeds::stream(seed, "init", 0, 0);
    let mut network = network::build(&config.agent.network, set.input, outputs, teachers.len(), &device, &mut init())?;

    let mut memories = Vec::new();
    for (task, teacher) in teachers.iter_mut().enumerate() {
        let shape = Shape { actions: set.actions[task], columns, features: features[task] };
        memories.push(Memory::fill(teacher, (task, &curriculum.tasks[task]), shape, config, recipe, stop)?);
    }

    let mut agent = Dqn::new(&config.agent, config.boundary, &config.method, set.clone(), config.device, &mut init())?;
    student::cut_heads(network.as_ref(), agent.network_mut());
    let untrained = Evaluator::new(curriculum, seed, config.evaluation)?.scores(&mut agent, curriculum, stop)?;
    let losses = learn(network.as_mut(), &memories, config, recipe, stop)?;
    student::cut_heads(network.as_ref(), agent.network_mut());
    let students = Evaluator::new(curriculum, seed, config.evaluation)?.scores(&mut agent, curriculum, stop)?;

    let mut evaluator = Evaluator::new(curriculum, seed, config.evaluation)?;
    let mut scores = Vec::new();
    for (task, teacher) in teachers.iter_mut().enumerate() {
        let actions = set.actions[task];
        let mut policy = |observation: &[f32]| Ok(greedy(teacher.values(observation)?, actions));
        let returns = evaluator.returns_of(task, &mut policy, stop)?;
        scores.push(Score::new(task, returns, curriculum.tasks[task].reference));
    }
    Ok(Distilled { agent, untrained, teachers: scores, students, losses })
}

/// Updates of the student, tasks in turn; the mean loss of each task over the last tenth of its updates.
fn learn(
    student: &mut dyn QNetwork,
    memories: &[Memory],
    config: &Config,
    recipe: &Recipe,
    stop: &Stop,
) -> Result<Vec<f64>, TrainError> {
    let mut optimizer = Optimizer::new(config.agent.optimizer, student.layout());
    let mut gradient = vec![0.0; student.layout().len()];
    let outputs = student.architecture().actions();
    let mut generators: Vec<_> =
        (0..memories.len()).map(|task| seeds::stream(config.seed, "distill-batch", task as u64, 0)).collect();
    let batch_size = config.agent.batch_size;
    let mut batch = Vec::new();
    let mut losses = vec![0.0; memories.len()];
    let counted = (recipe.updates / 10).max(1);
    for update in 0..recipe.updates {
        stop.heed()?;
        for (task, (memory, generator)) in memories.iter().zip(&mut generators).enumerate() {
            let states: Vec<usize> = (0..batch_size).map(|_| generator.random_range(0..memory.len())).collect();
            batch.clear();
            for state in &states {
                batch.extend_from_slice(memory.observation(*state));
            }
            gradient.fill(0.0);
            let mut sum = 0.0;
            let mut scores = |rows: &[f32], derivatives: &mut [f32]| {
                let rows = rows.chunks_exact(outputs).zip(derivatives.chunks_exact_mut(outputs));
                for ((row, derivative), state) in rows.zip(&states) {
                    sum += recipe.loss(memory.target(*state), row, memory.shape, derivative);
                    for own in derivative {
                        *own /= batch_size as f32;
                    }
                }
            };
            student.gradient(&batch, task, &mut scores, &mut gradient)?;
            let loss = sum / batch_size as f32;
            if !loss.is_finite() {
                let updates = update * memories.len() as u64 + task as u64;
                let source = AgentError::Diverged { quantity: "the distillation loss", value: loss, updates };
                return Err(TrainError::Agent { step: update, source });
            }
            if update + counted >= recipe.updates {
                losses[task] += f64::from(loss) / counted as f64;
            }
            optimizer.step(student.params_mut(), &gradient, config.agent.optimizer.learning_rate, None, &[task]);
        }
    }
    Ok(losses)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::reference::Reference;

    #[test]
    fn shares_by_hand() {
        let up = Reference { random: -500.0, single: -100.0 };
        assert_eq!(share(-300.0, -200.0, up), Some(200.0 / 300.0));
        assert_eq!(share(-150.0, -200.0, up), Some(350.0 / 300.0), "a student may beat its teacher");
        assert_eq!(share(-300.0, -500.0, up), None, "of nothing there is no share");
        let mean = geometric_mean(&[Some(0.5), Some(2.0), Some(1.0)]).unwrap();
        assert!((mean - 1.0).abs() < 1e-12, "{mean}");
        assert_eq!(geometric_mean(&[Some(0.5), None]), None);
        assert_eq!(geometric_mean(&[Some(0.5), Some(-0.1)]), None);
        assert_eq!(geometric_mean(&[]), None);
    }

    /// A row of two valid actions, one that is not, two features of the task's teacher and one of a wider one.
    #[test]
    fn actor_mimic_looks_at_valid_actions_and_at_the_features_of_its_own_teacher() {
        let recipe = |loss| Recipe { loss, temperature: 1.0, beta: 0.5, states: 1, updates: 1 };
        let shape = Shape { actions: 2, columns: 3, features: 2 };
        let (teacher, student) = ([0.0, 0.0, 7.0, 1.0, 0.0], [1.0, 1.0, 9.0, 3.0, 1.0, 5.0]);
        let mut derivative = [f32::NAN; 6];
        let loss = recipe(Objective::ActorMimic).loss(&teacher, &student, shape, &mut derivative);
        // ln 2 for two actions alike, and 0.5 (2^2 + 1^2) for the features.
        assert!((loss - (2_f32.ln() + 2.5)).abs() < 1e-6, "{loss}");
        assert_eq!(derivative, [0.0, 0.0, 0.0, 2.0, 1.0, 0.0]);
        let kl = recipe(Objective::Kl).loss(&teacher, &student, shape, &mut derivative);
        assert_eq!((kl, derivative), (0.0, [0.0; 6]));
    }
}
