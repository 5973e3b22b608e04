//! Huszár's single anchor (Huszár 2018, a letter on Kirkpatrick et al. 2017): one penalty
//! `lambda/2 sum_i A_i (theta_i - theta*_i)^2` around the latest parameters, `A = sum_k F_k` the sum of all Fisher
//! informations. The latest parameters were found under the earlier tasks' penalty, so that a term of its own for each
//! earlier task counts it twice. It is the online penalty that forgets nothing: a decay of 1.

use super::{OnlineStrength, Strength, online_ewc::OnlineEwc};
use crate::fisher::FisherConfig;

/// The online penalty without decay.
pub(super) fn new(strength: Strength, fisher: FisherConfig) -> OnlineEwc {
    OnlineEwc::new(OnlineStrength { lambda: strength.lambda, decay: 1.0 }, fisher)
}
