//! Losses by which a student network comes to play like a teacher (Rusu et al. 2015; Parisotto et al. 2016), as pure
//! functions on rows of Q-values. Only a task's valid actions enter a sum, a maximum or a softmax.

use serde::{Deserialize, Serialize};

use crate::loss::greedy;

/// How far a student's outputs are from a teacher's.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum DistillationLoss {
    /// `sum_a p_a ln(p_a / q_a)` with `p = softmax(teacher / temperature)` and `q = softmax(student)`. The student is not
    /// divided by the temperature, so its outputs become logits: they say which action is best, not what it is worth.
    #[default]
    Kl,
    /// `-ln softmax(student)` at the teacher's best action. Here, too, the student's outputs become logits.
    Nll,
    /// `1/A sum_a (teacher_a - student_a)^2`, the mean over the `A` valid actions. The student's outputs stay values.
    Mse,
}

impl DistillationLoss {
    /// All losses, in the order of the documentation.
    pub const ALL: [Self; 3] = [Self::Kl, Self::Nll, Self::Mse];

    /// The name in configs and on the command line.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Kl => "kl",
            Self::Nll => "nll",
            Self::Mse => "mse",
        }
    }
}

/// The loss of one state between the teacher's and the student's outputs over the first `actions` (at least 1), the valid
/// ones. Writes its derivative with respect to `student` into `derivative`, 0 at actions that are not valid.
///
/// The derivatives are `q - p` (KL), `q - e` with `e` the one-hot code of the teacher's best action (NLL), and
/// `2/A (student - teacher)` (MSE). Only KL looks at `temperature`.
pub fn distill(
    loss: DistillationLoss,
    temperature: f32,
    teacher: &[f32],
    student: &[f32],
    actions: usize,
    derivative: &mut [f32],
) -> f32 {
    match loss {
        DistillationLoss::Kl => divergence([temperature, 1.0], teacher, student, actions, derivative),
        DistillationLoss::Nll => {
            let best = greedy(teacher, actions);
            let policy = Softmax::new(student, actions, 1.0);
            derivative.fill(0.0);
            for (derivative, value) in derivative.iter_mut().zip(&student[..actions]) {
                *derivative = policy.log(*value).exp();
            }
            derivative[best] -= 1.0;
            -policy.log(student[best])
        }
        DistillationLoss::Mse => {
            let weight = 1.0 / actions as f32;
            let mut sum = 0.0;
            derivative.fill(0.0);
            for action in 0..actions {
                let difference = student[action] - teacher[action];
                sum += weight * difference * difference;
                derivative[action] = 2.0 * weight * difference;
            }
            sum
        }
    }
}

/// `sum_a p_a ln(p_a / q_a)` with `p = softmax(teacher / temperature)` and `q = softmax(student / temperature)`: both are
/// divided, so the student's outputs stay on the scale of values. Writes the derivative with respect to `student`,
/// `(q - p) / temperature`, into `derivative`, 0 at actions that are not valid.
pub fn matched_kl(temperature: f32, teacher: &[f32], student: &[f32], actions: usize, derivative: &mut [f32]) -> f32 {
    divergence([temperature; 2], teacher, student, actions, derivative)
}

/// The policy regression of Actor-Mimic: `-sum_a p_a ln q_a` with `p = softmax(teacher / temperature)` and
/// `q = softmax(student)`. It is [`DistillationLoss::Kl`] and the entropy of `p`, so its derivative is `q - p`, too.
pub fn policy_regression(
    temperature: f32,
    teacher: &[f32],
    student: &[f32],
    actions: usize,
    derivative: &mut [f32],
) -> f32 {
    let kl = divergence([temperature, 1.0], teacher, student, actions, derivative);
    kl + Softmax::new(teacher, actions, temperature).entropy(&teacher[..actions])
}

/// The feature regression of Actor-Mimic: `beta sum_i (student_i - teacher_i)^2`. Writes its derivative with respect to
/// `student`, `2 beta (student - teacher)`, into `derivative`. All three have one length.
pub fn feature_regression(beta: f32, teacher: &[f32], student: &[f32], derivative: &mut [f32]) -> f32 {
    let mut sum = 0.0;
    for ((derivative, student), teacher) in derivative.iter_mut().zip(student).zip(teacher) {
        let difference = student - teacher;
        sum += beta * difference * difference;
        *derivative = 2.0 * beta * difference;
    }
    sum
}

/// `KL(softmax(teacher / t_0) || softmax(student / t_1))`.
fn divergence(temperatures: [f32; 2], teacher: &[f32], student: &[f32], actions: usize, derivative: &mut [f32]) -> f32 {
    let [target, policy] =
        [Softmax::new(teacher, actions, temperatures[0]), Softmax::new(student, actions, temperatures[1])];
    let mut sum = 0.0;
    derivative.fill(0.0);
    for action in 0..actions {
        let (log_p, log_q) = (target.log(teacher[action]), policy.log(student[action]));
        let p = log_p.exp();
        // An action the teacher never takes adds nothing, even where its logarithm is -infinity.
        if p > 0.0 {
            sum += p * (log_p - log_q);
        }
        derivative[action] = (log_q.exp() - p) / temperatures[1];
    }
    sum
}

/// The logarithms of a softmax, by the greatest value and the sum of the weights relative to it.
struct Softmax {
    greatest: f32,
    temperature: f32,
    log_sum: f32,
}

impl Softmax {
    /// Of the first `actions` values.
    fn new(values: &[f32], actions: usize, temperature: f32) -> Self {
        let values = &values[..actions];
        let greatest = values[greedy(values, actions)];
        let sum: f32 = values.iter().map(|value| ((value - greatest) / temperature).exp()).sum();
        Self { greatest, temperature, log_sum: sum.ln() }
    }

    /// `ln softmax` at one of the values.
    fn log(&self, value: f32) -> f32 {
        (value - self.greatest) / self.temperature - self.log_sum
    }

    /// `-sum_a p_a ln p_a` over the values that it was made of.
    fn entropy(&self, values: &[f32]) -> f32 {
        let logs = values.iter().map(|value| self.log(*value));
        logs.filter(|log| log.exp() > 0.0).map(|log| -log.exp() * log).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEACHER: [f32; 4] = [0.3, -0.2, 0.5, 9.0];
    const STUDENT: [f32; 4] = [0.1, 0.4, -0.6, -7.0];

    /// Asserts that `loss` writes its own derivative at the first three actions and 0 at the fourth, which is not valid.
    fn assert_derivative(name: &str, loss: &dyn Fn(&[f32], &mut [f32]) -> f32) {
        let (mut derivative, mut unused) = ([f32::NAN; 4], [0.0; 4]);
        let value = loss(&STUDENT, &mut derivative);
        assert!(value > 0.0, "{name}: {value}");
        for action in 0..4 {
            let mut at = |step: f32| {
                let mut student = STUDENT;
                student[action] += step;
                loss(&student, &mut unused)
            };
            let difference = (at(0.01) - at(-0.01)) / 0.02;
            assert!((derivative[action] - difference).abs() < 1e-3, "{name}, {action}: {derivative:?}, {difference}");
        }
        assert_eq!(derivative[3], 0.0, "{name}");
        let mut masked = STUDENT;
        masked[3] = 100.0;
        assert_eq!(loss(&masked, &mut unused), value, "{name}: an action that is not valid changed the loss");
    }

    #[test]
    fn derivatives_are_those_of_the_losses_and_masked_actions_take_no_part() {
        for loss in DistillationLoss::ALL {
            assert_derivative(loss.as_str(), &|student, derivative| {
                distill(loss, 0.5, &TEACHER, student, 3, derivative)
            });
        }
        assert_derivative("matched", &|student, derivative| matched_kl(0.5, &TEACHER, student, 3, derivative));
        assert_derivative("policy", &|student, derivative| policy_regression(0.5, &TEACHER, student, 3, derivative));
    }

    #[test]
    fn losses_by_hand() {
        let mut derivative = [0.0; 3];
        // p = (1/4, 3/4), q = (1/2, 1/2): KL = ln 2 + 1/4 ln 1/4 + 3/4 ln 3/4.
        let (teacher, student) = ([0.0, 3_f32.ln() * 0.1, 50.0], [2.0, 2.0, 50.0]);
        let kl = distill(DistillationLoss::Kl, 0.1, &teacher, &student, 2, &mut derivative);
        assert!((kl - 0.130_812).abs() < 1e-5, "{kl}");
        assert!((derivative[0] - 0.25).abs() < 1e-6 && (derivative[1] + 0.25).abs() < 1e-6 && derivative[2] == 0.0);
        assert!((matched_kl(0.1, &teacher, &student, 2, &mut derivative) - kl).abs() < 1e-6);
        assert!((derivative[0] - 2.5).abs() < 1e-5, "divided by the temperature: {derivative:?}");
        // The teacher's best is action 1, to which the student gives 1/2.
        let nll = distill(DistillationLoss::Nll, 0.1, &teacher, &student, 2, &mut derivative);
        assert!((nll - 2_f32.ln()).abs() < 1e-6);
        assert_eq!(derivative, [0.5, -0.5, 0.0]);
        let mse = distill(DistillationLoss::Mse, 0.1, &[1.0, 5.0, 0.0], &[2.0, 2.0, 50.0], 2, &mut derivative);
        assert_eq!((mse, derivative), (5.0, [1.0, -3.0, 0.0]));
    }

    #[test]
    fn actor_mimic_by_hand() {
        let mut derivative = [0.0; 3];
        // p = (1/4, 3/4) and q = (1/2, 1/2): the cross-entropy is ln 2 whatever p is.
        let policy = policy_regression(1.0, &[0.0, 3_f32.ln(), 9.0], &[2.0, 2.0, 9.0], 2, &mut derivative);
        assert!((policy - 2_f32.ln()).abs() < 1e-6, "{policy}");
        assert!((derivative[0] - 0.25).abs() < 1e-6 && derivative[2] == 0.0, "{derivative:?}");
        let features = feature_regression(0.5, &[1.0, 0.0, 2.0], &[3.0, 0.0, 1.0], &mut derivative);
        assert_eq!((features, derivative), (2.5, [2.0, 0.0, -1.0]));
    }

    #[test]
    fn a_student_that_agrees_has_no_loss() {
        let mut derivative = [1.0; 4];
        assert_eq!(matched_kl(0.01, &TEACHER, &TEACHER, 4, &mut derivative), 0.0);
        assert_eq!(derivative, [0.0; 4]);
        let divided = TEACHER.map(|value| value / 0.01);
        assert!(distill(DistillationLoss::Kl, 0.01, &TEACHER, &divided, 4, &mut derivative).abs() < 1e-6);
        assert_eq!(distill(DistillationLoss::Mse, 0.01, &TEACHER, &TEACHER, 4, &mut derivative), 0.0);
    }

    #[test]
    fn great_values_and_low_temperatures_stay_finite() {
        let (teacher, student) = ([-500.0, 400.0, 399.0], [1e4, -1e4, 0.0]);
        let mut derivative = [0.0; 3];
        for loss in DistillationLoss::ALL {
            let value = distill(loss, 0.01, &teacher, &student, 3, &mut derivative);
            assert!(value.is_finite() && derivative.iter().all(|own| own.is_finite()), "{loss:?}: {value}");
        }
        assert_eq!(distill(DistillationLoss::Kl, 0.01, &teacher, &student, 3, &mut derivative), 2e4);
        assert!(distill(DistillationLoss::Kl, 1e-38, &teacher, &student, 3, &mut derivative).is_finite());
    }
}
