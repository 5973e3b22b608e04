//! What an explicit step of a penalty does at a given stiffness.

/// How a step that carries the penalty's gradient, `coupling = "loss"`, moves a parameter with stiffness
/// `k = eta lambda A`: its distance from the centre is multiplied by `1 - k`. A proximal step multiplies it by
/// `1 / (1 + k)` and needs no such care.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Stability {
    /// `k <= 1`: the distance shrinks.
    #[default]
    Contracts,
    /// `1 < k <= 2`: each step ends on the other side of the centre.
    Overshoots,
    /// `k > 2`: the distance grows.
    Diverges,
}

impl Stability {
    /// What `stiffness` leads to.
    pub fn of(stiffness: f32) -> Self {
        if stiffness > 2.0 {
            Self::Diverges
        } else if stiffness > 1.0 {
            Self::Overshoots
        } else {
            Self::Contracts
        }
    }

    /// What to tell the user, in one line; None where all is well.
    pub fn warning(self, stiffness: f32) -> Option<String> {
        let what = match self {
            Self::Contracts => return None,
            Self::Overshoots => "the penalty overshoots its centre",
            Self::Diverges => "the penalty diverges: each of its steps ends farther from the centre",
        };
        Some(format!("{what} (stiffness {stiffness:.3}); use method.coupling = \"proximal\" or a smaller lambda"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::continual::quadratic::Quadratic;

    /// P8. The stages are those of an explicit step: fails if a limit is moved.
    #[test]
    fn p8_stability_is_that_of_an_explicit_step() {
        let quadratic = Quadratic::new(1.0, vec![1.0], vec![0.0]);
        for (stiffness, stability) in [
            (0.9, Stability::Contracts),
            (1.0, Stability::Contracts),
            (1.1, Stability::Overshoots),
            (1.9, Stability::Overshoots),
            (2.1, Stability::Diverges),
        ] {
            let mut path = vec![1.0_f32];
            for _ in 0..20 {
                let (params, mut gradient) = ([path[path.len() - 1]], [0.0]);
                quadratic.add_gradient(&params, &mut gradient);
                path.push(params[0] - stiffness * gradient[0]);
            }
            let grew = path[20].abs() > path[0].abs();
            let crossed = path.iter().any(|distance| *distance < 0.0);
            let seen = match (grew, crossed) {
                (true, _) => Stability::Diverges,
                (false, true) => Stability::Overshoots,
                (false, false) => Stability::Contracts,
            };
            assert_eq!((seen, Stability::of(stiffness)), (stability, stability), "{stiffness}");
            assert_eq!(stability.warning(stiffness).is_some(), stability > Stability::Contracts);
        }
    }
}
