//! One step of a plan, as its author writes it. Checks nothing: `plan` does.

use std::fmt;
use std::sync::Arc;

use super::component::Component;
use super::context::View;
use super::failure::StepError;
use super::policy::{OnFailure, Policy, Retry};

/// A step: a component under a name, with what it waits for and what may happen to it.
#[derive(Debug, Clone)]
pub struct Step {
    /// Name, unique in its plan.
    pub name: String,
    /// What does the work.
    pub component: Arc<dyn Component>,
    /// Names of the steps whose outputs it reads.
    pub depends_on: Vec<String>,
    /// Asked when the dependencies have ended; the step is skipped when it says no.
    pub condition: Option<Condition>,
    /// Timeout, retries, fallback.
    pub policy: Policy,
    /// Which ends of its dependencies let it run.
    pub run_when: RunWhen,
    /// What takes the effect of the step back. Called once if the step has succeeded and the run
    /// ends as error, failure, timeout or cancellation; the last step to end comes first. A plan
    /// inside of a step is taken back as soon as it has failed by itself, and when the step fails
    /// later. What the component sees is what the step saw, and the step's own output under its own
    /// name. It waits for no place, has the step's timeout, and stands in a row of its own, named
    /// after the step with `.undo` behind. What it gives is ignored; that it failed is named in the
    /// error of the run. Should it be interrupted by the end of a run's grace, it is called again.
    pub undo: Option<Arc<dyn Component>>,
    /// Named limit that the step needs a place of.
    pub resource: Option<String>,
}

impl Step {
    /// A step that waits for nothing.
    pub fn new(name: impl Into<String>, component: impl Component + 'static) -> Self {
        Self::shared(name, Arc::new(component))
    }

    /// A step whose component is shared with others.
    pub fn shared(name: impl Into<String>, component: Arc<dyn Component>) -> Self {
        Self {
            name: name.into(),
            component,
            depends_on: Vec::new(),
            condition: None,
            policy: Policy::default(),
            run_when: RunWhen::default(),
            undo: None,
            resource: None,
        }
    }

    /// Adds steps to wait for.
    #[must_use]
    pub fn after<N: Into<String>>(mut self, names: impl IntoIterator<Item = N>) -> Self {
        self.depends_on.extend(names.into_iter().map(Into::into));
        self
    }

    /// Sets the condition.
    #[must_use]
    pub fn only_if(mut self, condition: Condition) -> Self {
        self.condition = Some(condition);
        self
    }

    /// Sets which ends of the dependencies let the step run.
    #[must_use]
    pub fn when(mut self, run_when: RunWhen) -> Self {
        self.run_when = run_when;
        self
    }

    /// Sets timeout, retries and fallback at once.
    #[must_use]
    pub fn with_policy(mut self, policy: Policy) -> Self {
        self.policy = policy;
        self
    }

    /// Sets the retries.
    #[must_use]
    pub fn with_retry(mut self, retry: Retry) -> Self {
        self.policy.retry = retry;
        self
    }

    /// Sets what follows the last failed attempt.
    #[must_use]
    pub fn or_else(mut self, on_failure: OnFailure) -> Self {
        self.policy.on_failure = on_failure;
        self
    }

    /// Sets what takes the effect of the step back.
    #[must_use]
    pub fn undone_by(mut self, undo: impl Component + 'static) -> Self {
        self.undo = Some(Arc::new(undo));
        self
    }

    /// Sets the named limit that the step needs a place of.
    #[must_use]
    pub fn using(mut self, resource: impl Into<String>) -> Self {
        self.resource = Some(resource.into());
        self
    }
}

/// Which ends of its dependencies let a step run. All wait until every dependency has ended; a
/// degraded step counts as a success, a skipped one does not.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum RunWhen {
    /// Every dependency succeeded.
    #[default]
    AllSuccess,
    /// At least one dependency succeeded.
    AnySuccess,
    /// No dependency failed, and none was skipped because something before it failed. One that was
    /// skipped because its condition said no does not stop the step, and neither does one behind
    /// it.
    NoneFailed,
    /// However they ended.
    AllDone,
}

/// A question over the outputs of a step's dependencies.
#[derive(Clone)]
pub struct Condition {
    text: String,
    test: Arc<Test>,
    /// A dependency without whose answer there is nothing to ask.
    pub(super) question: Option<String>,
}

type Test = dyn Fn(&View) -> Result<bool, StepError> + Send + Sync;

impl Condition {
    /// A condition in words, for the reason of a skip, and as a function. An error or a panic of
    /// the function is an error of the step.
    pub fn new(
        text: impl Into<String>,
        test: impl Fn(&View) -> Result<bool, StepError> + Send + Sync + 'static,
    ) -> Self {
        Self { text: text.into(), test: Arc::new(test), question: None }
    }

    /// Says of which dependency's answer it makes use: when that has failed, the step is skipped
    /// as after any failure.
    #[must_use]
    pub(super) fn answered_by(mut self, question: Option<String>) -> Self {
        self.question = question;
        self
    }

    /// The condition in words.
    pub fn text(&self) -> &str {
        &self.text
    }

    pub(super) fn holds(&self, view: &View) -> Result<bool, StepError> {
        (self.test)(view)
    }
}

impl fmt::Debug for Condition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Condition").field("text", &self.text).finish_non_exhaustive()
    }
}
