//! What a method keeps from one task to the next, in one shape for all methods: it is saved, checked and measured once.

use serde::{Deserialize, Serialize};

use super::{Revisit, memory::Memory, quadratic::Quadratic};
use crate::{AgentError, config::TaskSet};

/// Everything that a method keeps. What a method has no use for is empty.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct MethodState {
    /// The penalty, all tasks' merged.
    pub(super) quadratic: Option<Quadratic>,
    /// The penalty of each task, only with `revisit = "replace"`.
    pub(super) terms: Vec<Term>,
    /// Other numbers, one for each parameter; the method's page says which.
    pub(super) vectors: Vec<Vec<f32>>,
    /// The owner of each parameter: 0 no task yet, `k` the `k`-th task that was learnt.
    pub(super) owners: Vec<u8>,
    /// The tasks that were learnt, in order.
    pub(super) learnt: Vec<usize>,
    /// Whether the task that has ended is being compressed.
    pub(super) compressing: bool,
    /// Transitions of finished tasks.
    pub(super) memory: Option<Memory>,
}

/// One task's own penalty.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Term {
    task: usize,
    importance: Vec<f32>,
    anchor: Vec<f32>,
}

impl MethodState {
    /// Bytes that it takes beside the network, the target network and the optimizer.
    pub fn bytes(&self) -> usize {
        let quadratic = self.quadratic.iter().flat_map(|own| [&own.importance, &own.centre]);
        let terms = self.terms.iter().flat_map(|term| [&term.importance, &term.anchor]);
        let vectors = quadratic.chain(terms).chain(&self.vectors);
        vectors.map(|values| size_of_val(values.as_slice())).sum::<usize>()
            + self.owners.len()
            + self.memory.as_ref().map_or(0, Memory::bytes)
    }

    /// Refuses a state that is not one of `like`'s method, of a network with this many parameters and of these tasks.
    pub(crate) fn check(&self, like: &Self, params: usize, tasks: &TaskSet) -> Result<(), AgentError> {
        let quadratic = self.quadratic.iter().flat_map(|quadratic| [&quadratic.importance, &quadratic.centre]);
        let terms = self.terms.iter().flat_map(|term| [&term.importance, &term.anchor]);
        quadratic
            .chain(terms)
            .chain(&self.vectors)
            .try_for_each(|values| AgentError::unless_equal("numbers in a penalty", values.len(), params))?;
        AgentError::unless_equal("vectors of its method", self.vectors.len(), like.vectors.len())?;
        AgentError::unless_equal("owners of parameters", self.owners.len(), like.owners.len())?;
        if like.quadratic.is_some() && self.quadratic.is_none() {
            return Err(AgentError::State("its penalty is missing".into()));
        }
        // An owner is the number of a task that was learnt, from 1.
        let known = |task: &usize| *task < tasks.actions.len();
        if !self.learnt.iter().all(known) || self.owners.iter().any(|owner| usize::from(*owner) > self.learnt.len()) {
            return Err(AgentError::State("its method knows tasks that are not there".into()));
        }
        match (&self.memory, &like.memory) {
            (None, None) => Ok(()),
            (Some(own), Some(like)) => own.check(like, tasks),
            _ => Err(AgentError::State("it is of another method".into())),
        }
    }

    /// The same penalty at the strength that the config has now.
    pub(super) fn with_lambda(mut self, lambda: f32) -> Self {
        self.quadratic.iter_mut().for_each(|quadratic| quadratic.lambda = lambda);
        self
    }

    /// Adds the penalty of a finished task to the separate penalties of the earlier ones.
    pub(super) fn add_separate(
        &mut self,
        lambda: f32,
        revisit: Revisit,
        task: usize,
        importance: &[f32],
        anchor: &[f32],
    ) {
        if revisit == Revisit::Replace {
            self.terms.retain(|term| term.task != task);
            self.terms.push(Term { task, importance: importance.to_vec(), anchor: anchor.to_vec() });
            self.quadratic = None;
            for term in std::mem::take(&mut self.terms) {
                self.merge(lambda, &term.importance, &term.anchor);
                self.terms.push(term);
            }
        } else {
            self.merge(lambda, importance, anchor);
        }
    }

    /// Adds one more penalty to the merged one.
    fn merge(&mut self, lambda: f32, importance: &[f32], anchor: &[f32]) {
        match &mut self.quadratic {
            None => self.quadratic = Some(Quadratic::new(lambda, importance.to_vec(), anchor.to_vec())),
            Some(quadratic) => quadratic.add(importance, anchor),
        }
    }

    /// Moves the penalty to the latest parameters: what remains of the old importance, and the new one.
    pub(super) fn recentre(&mut self, lambda: f32, decay: f32, importance: &[f32], anchor: &[f32]) {
        match &mut self.quadratic {
            None => self.merge(lambda, importance, anchor),
            Some(quadratic) => quadratic.recentre(decay, importance, anchor),
        }
    }
}
