//! The arithmetic of one step at one parameter.

use super::{OptimizerConfig, OptimizerKind, SMALLEST_DENOMINATOR};

/// The constants of one step.
#[derive(Clone, Copy)]
pub(super) struct Rule {
    rate: f32,
    mean_decay: f32,
    square_decay: f32,
    square_correction: f32,
    epsilon: f32,
    inside: f32,
}

impl Rule {
    pub fn new(config: &OptimizerConfig, rate: f32, steps: i32) -> Self {
        match config.kind {
            OptimizerKind::Adam => Self {
                rate: rate / (1.0 - config.beta1.powi(steps)),
                mean_decay: config.beta1,
                square_decay: config.beta2,
                square_correction: 1.0 / (1.0 - config.beta2.powi(steps)),
                epsilon: config.epsilon(),
                inside: 0.0,
            },
            OptimizerKind::Rmsprop => Self {
                rate,
                mean_decay: config.decay,
                square_decay: config.decay,
                square_correction: 1.0,
                epsilon: if config.epsilon_inside_root() { 0.0 } else { config.epsilon() },
                inside: if config.epsilon_inside_root() { config.epsilon() } else { 0.0 },
            },
        }
    }

    /// Moves the parameters by one step of their own on the gradient.
    #[inline]
    pub fn step<const ADAM: bool, const CENTRED: bool>(
        &self,
        params: &mut [f32],
        g: &[f32],
        m: &mut [f32],
        v: &mut [f32],
    ) {
        let len = params.len();
        let (g, m, v) = (&g[..len], &mut m[..len], &mut v[..len]);
        for i in 0..len {
            let denominator = self.denominator::<CENTRED>(g[i], &mut m[i], &mut v[i]);
            params[i] -= self.numerator::<ADAM>(g[i], m[i]) / denominator;
        }
    }

    /// The same, followed by the proximal step of a penalty.
    #[inline]
    pub fn proximal_step<const ADAM: bool, const CENTRED: bool>(
        &self,
        params: &mut [f32],
        g: &[f32],
        m: &mut [f32],
        v: &mut [f32],
        penalty: Penalty<'_>,
    ) {
        let len = params.len();
        let (g, m, v) = (&g[..len], &mut m[..len], &mut v[..len]);
        let (importance, centre) = (&penalty.importance[..len], &penalty.centre[..len]);
        for i in 0..len {
            let denominator = self.denominator::<CENTRED>(g[i], &mut m[i], &mut v[i]);
            let own = params[i] - self.numerator::<ADAM>(g[i], m[i]) / denominator;
            let stiffness = penalty.rate / denominator.max(SMALLEST_DENOMINATOR) * penalty.lambda * importance[i];
            params[i] = (own + stiffness * centre[i]) / (1.0 + stiffness);
        }
    }

    /// Takes in the gradient `g` and gives the denominator `D`.
    #[inline]
    fn denominator<const CENTRED: bool>(&self, g: f32, m: &mut f32, v: &mut f32) -> f32 {
        *m = normal(self.mean_decay * *m + (1.0 - self.mean_decay) * g);
        *v = normal(self.square_decay * *v + (1.0 - self.square_decay) * g * g);
        self.root::<CENTRED>(*m, *v)
    }

    /// The denominator `D` that the moments stand for.
    #[inline]
    pub fn root<const CENTRED: bool>(&self, m: f32, v: f32) -> f32 {
        let variance = if CENTRED { (v - m * m).max(0.0) } else { v * self.square_correction };
        (variance + self.inside).sqrt() + self.epsilon
    }

    /// What is divided by `D`, the rate included.
    #[inline]
    fn numerator<const ADAM: bool>(&self, g: f32, m: f32) -> f32 {
        self.rate * if ADAM { m } else { g }
    }
}

/// A number, or 0 in place of one so small that processors are slow with it: the moments of a parameter that no gradient
/// reaches any more, such as a dead unit's, would come down to those and stay there.
#[inline]
fn normal(x: f32) -> f32 {
    if x.abs() < f32::MIN_POSITIVE { 0.0 } else { x }
}

/// A penalty on the parameters of one part.
#[derive(Clone, Copy)]
pub(super) struct Penalty<'a> {
    /// The step size without its denominator.
    pub rate: f32,
    pub lambda: f32,
    pub importance: &'a [f32],
    pub centre: &'a [f32],
}
