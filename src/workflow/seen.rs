//! A value of the state as one step sees it: what the steps before it have set, and which of them
//! came after which. Decides nothing: [`merged`] does.

use std::ops::Range;
use std::sync::Arc;

use serde_json::Value as Json;

use super::bound::{Handed, Scope, done};
use super::composition::Merge;
use super::context::View;
use super::failure::StepError;
use super::ranges::Ranges;
use super::state::{Declared, Update, merged};

/// The steps of a plan that set a value, in the order of the plan.
#[derive(Debug, Default)]
pub(super) struct Setters {
    pub(super) names: Vec<String>,
    /// Per step, the places of those before it; of none where the rule of the value does not ask.
    pub(super) before: Vec<Ranges>,
}

/// A value of the state, with the steps before the reader that may have set it.
#[derive(Debug)]
pub(super) struct Seen {
    pub(super) number: usize,
    pub(super) declared: Arc<Declared>,
    pub(super) setters: Arc<Setters>,
    /// Which of them the reader waits for.
    pub(super) before: Ranges,
}

/// What the steps before a reader have handed on, each with its place among the setters, and what
/// was set around the list.
struct Told {
    around: Arc<Scope>,
    handed: Vec<(usize, Arc<Handed>)>,
}

/// An update with the place of its setter; those from around the list have none.
type Placed<'t> = (Option<usize>, &'t Update);

impl Told {
    /// Every update of a value: those from around the list come first.
    fn updates(&self, number: usize) -> Vec<Placed<'_>> {
        let around = self.around.updates.iter().map(|it| (None, it));
        let own = self
            .handed
            .iter()
            .flat_map(|(at, handed)| handed.updates.iter().map(|it| (Some(*at), it)));
        around.chain(own).filter(|(_, it)| it.variable == number).collect()
    }
}

impl Seen {
    fn told(&self, view: &View) -> Result<Told, StepError> {
        let handed = self.before.places().filter_map(|at| {
            let output = done(view, self.setters.names.get(at)?)?.output.as_ref()?;
            Some((at, output.value::<Handed>().ok()??))
        });
        Ok(Told { handed: handed.collect(), around: view.input::<Scope>()? })
    }

    /// Every update of the value that the step sees.
    pub(super) fn all(&self, view: &View) -> Result<Vec<Update>, StepError> {
        let told = self.told(view)?;
        Ok(told.updates(self.number).into_iter().map(|it| it.1.clone()).collect())
    }

    /// What the value is for the step.
    pub(super) fn value(&self, view: &View) -> Result<Json, StepError> {
        self.merge(&self.told(view)?.updates(self.number))
    }

    fn merge(&self, all: &[Placed<'_>]) -> Result<Json, StepError> {
        let updates: Vec<&Update> = all.iter().map(|it| it.1).collect();
        merged(&self.declared, &updates, &|at| self.beside(all, at))
            .map_err(|it| StepError::permanent("state", it))
    }

    /// The updates before one that it does not follow, as ranges.
    fn beside(&self, all: &[Placed<'_>], at: usize) -> Vec<Range<usize>> {
        let Some((Some(place), _)) = all.get(at) else { return Vec::new() };
        let first = |place: usize| all.partition_point(|it| it.0 < Some(place)).min(at);
        let before = self.setters.before.get(*place);
        let gaps = before.into_iter().flat_map(|it| it.gaps_below(place + 1));
        gaps.map(|it| first(it.start)..first(it.end)).filter(|it| !it.is_empty()).collect()
    }

    /// What the steps of this plan alone have made of the value: the updates that a plan around it
    /// is told.
    ///
    /// # Errors
    /// As [`merged`].
    pub(super) fn net(&self, view: &View) -> Result<Vec<Update>, StepError> {
        let told = self.told(view)?;
        let all = told.updates(self.number);
        let value = self.merge(&all)?;
        let mut own = all.into_iter().filter_map(|(at, it)| at.map(|_| it));
        Ok(match self.declared.variable.merge {
            // one update stands for all
            Merge::Replace => own.next_back().cloned().into_iter().collect(),
            Merge::Union => {
                let own: Vec<&Update> = own.collect();
                let is_own = |key: &String| own.iter().any(|it| it.value.get(key).is_some());
                let mut now = value.as_object().cloned().unwrap_or_default();
                now.retain(|key, _| is_own(key));
                let last =
                    own.last().map(|it| Update { value: Json::Object(now), ..(*it).clone() });
                last.into_iter().collect()
            }
            Merge::Sum | Merge::Min | Merge::Max | Merge::Append => own.cloned().collect(),
        })
    }
}

#[cfg(test)]
mod tests;
