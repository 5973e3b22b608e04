//! The temporal-difference loss as pure functions on rows of Q-values.

use serde::{Deserialize, Serialize};

/// The loss on a temporal-difference error `delta = Q(s, a) - y`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum TdLoss {
    /// `delta^2 / 2` if `|delta| <= 1`, else `|delta| - 1/2` (Mnih et al. 2015: the gradient is clipped to ±1).
    #[default]
    Huber,
    /// `delta^2 / 2`.
    Squared,
}

impl TdLoss {
    /// The loss of one error.
    pub fn value(self, delta: f32) -> f32 {
        match self {
            Self::Huber if delta.abs() > 1.0 => delta.abs() - 0.5,
            _ => 0.5 * delta * delta,
        }
    }

    /// Its derivative with respect to `delta`.
    pub fn derivative(self, delta: f32) -> f32 {
        match self {
            Self::Huber => delta.clamp(-1.0, 1.0),
            Self::Squared => delta,
        }
    }
}

/// The index of the greatest of the first `actions` values of a row; the first of equals.
pub fn greedy(q: &[f32], actions: usize) -> usize {
    let mut best = 0;
    for action in 1..actions {
        if q[action] > q[best] {
            best = action;
        }
    }
    best
}

/// The target of one transition, `y = r + discount * max_a Q(s', a)` over the task's `actions` (Mnih et al. 2015).
///
/// `discount` is 0 where the episode terminated, so that only termination, never truncation, stops the bootstrap.
/// With `selector`, the online network's row, this is Double DQN (van Hasselt et al. 2016):
/// `y = r + discount * Q_target(s', argmax_a Q_online(s', a))`.
pub fn td_target(reward: f32, discount: f32, next: &[f32], selector: Option<&[f32]>, actions: usize) -> f32 {
    reward + discount * next[greedy(selector.unwrap_or(next), actions)]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn huber_by_hand() {
        let cases = [(0.0, 0.0, 0.0), (0.5, 0.125, 0.5), (-1.0, 0.5, -1.0), (3.0, 2.5, 1.0), (-2.0, 1.5, -1.0)];
        for (delta, value, derivative) in cases {
            assert_eq!(TdLoss::Huber.value(delta), value);
            assert_eq!(TdLoss::Huber.derivative(delta), derivative);
        }
        assert_eq!(TdLoss::Squared.value(3.0), 4.5);
        assert_eq!(TdLoss::Squared.derivative(-3.0), -3.0);
    }

    #[test]
    fn greedy_takes_the_first_of_equals_and_ignores_masked_actions() {
        assert_eq!(greedy(&[1.0, 2.0, 2.0, 9.0], 3), 1);
        assert_eq!(greedy(&[1.0, 2.0, 2.0, 9.0], 4), 3);
    }

    #[test]
    fn targets_by_hand() {
        let next = [1.0, 4.0, 100.0];
        assert_eq!(td_target(0.5, 0.9, &next, None, 2), 0.5 + 0.9 * 4.0);
        assert_eq!(td_target(0.5, 0.9, &next, Some(&[7.0, 3.0, 100.0]), 2), 0.5 + 0.9);
    }

    /// P14. Fails if the discount of a truncated transition is set to 0 as if it had terminated.
    #[test]
    fn p14_termination_stops_the_bootstrap_and_truncation_does_not() {
        let next = [2.0, 1.0];
        assert_eq!(td_target(1.0, 0.0, &next, None, 2), 1.0);
        assert!(td_target(1.0, 0.99, &next, None, 2) > 1.0);
    }
}
