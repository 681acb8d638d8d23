//! What does the work of a step, and what it hands on. Schedules and records nothing.

use std::any::Any;
use std::fmt;
use std::sync::Arc;

use futures::future::BoxFuture;
use serde_json::{Map, Value as Json};

use super::context::StepContext;
use super::failure::StepError;
use crate::event::Text;

/// A value handed from step to step; shared, never copied, never changed.
pub type Value = Arc<dyn Any + Send + Sync>;

/// A kind of work. One component may serve many steps and many runs at a time.
pub trait Component: fmt::Debug + Send + Sync {
    /// Stable name, as it stands in the `steps` table.
    fn name(&self) -> &str;

    /// Changes whenever the same input may give another output.
    fn version(&self) -> &str;

    /// Where the work is done. Asked once, when a plan is made of the step.
    fn lane(&self) -> Lane {
        Lane::Inline
    }

    /// Does the work once. The future is dropped when the attempt times out or the run is
    /// cancelled and its grace is over. A panic becomes an error of type `panic`.
    fn run(&self, ctx: StepContext) -> BoxFuture<'_, Result<Output, StepError>>;
}

/// Where a component's work is done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Lane {
    /// In the task of the run: no overhead. For work that awaits, and for computing up to about a
    /// millisecond; computing steps of one run then follow each other, and a timeout can only be
    /// noticed where the work awaits.
    #[default]
    Inline,
    /// As a task of its own on the runtime: for computing that should run beside other steps of the
    /// same run. Work that is timed out without ever awaiting is left behind, not stopped.
    Task,
    /// In a thread of its own, beside the runtime: for computing that lasts long. The places bound
    /// how many there are; a resource of its own, such as `cpu` with as many places as cores,
    /// bounds them further. Computing cannot be stopped: an attempt that takes too long or is
    /// cancelled is left behind, and its places come back only when it really ends.
    Compute,
    /// Inline, and the work consists of whole plans: see [`StepContext::nested`]. The step holds no
    /// place of any limit and does not count as working; the steps inside do. A run by
    /// [`Strategy::Sequential`](super::Strategy::Sequential) does nothing beside it all the same.
    Nested,
}

/// What a component says about what it looked at.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Verdict {
    /// Fine.
    #[default]
    Success,
    /// The component worked, and its answer is no: the step's result is `failure`. Not retried.
    Failure(String),
}

/// What a step hands on, with facts for its row.
#[derive(Debug, Clone, Default)]
pub struct Output {
    value: Option<Value>,
    type_name: &'static str,
    pub(super) verdict: Verdict,
    pub(super) input_digest: Option<Text>,
    pub(super) output_digest: Option<Text>,
    pub(super) degraded: bool,
    pub(super) cached: bool,
    pub(super) attributes: Map<String, Json>,
}

impl Output {
    /// Hands on a value.
    pub fn new<T: Any + Send + Sync>(value: T) -> Self {
        Self::shared(Arc::new(value))
    }

    /// Hands on a value that is shared already.
    pub fn shared<T: Any + Send + Sync>(value: Arc<T>) -> Self {
        Self { value: Some(value), type_name: std::any::type_name::<T>(), ..Self::default() }
    }

    /// Hands on nothing: the step was run for its effect.
    pub fn none() -> Self {
        Self::default()
    }

    /// Hands on another value, with the same facts.
    #[must_use]
    pub(super) fn with_value<T: Any + Send + Sync>(self, value: T) -> Self {
        let (value, type_name) = (Some(Arc::new(value) as Value), std::any::type_name::<T>());
        Self { value, type_name, ..self }
    }

    /// Says no: the step's result becomes `failure`; the value is kept.
    #[must_use]
    pub fn failing(mut self, message: impl Into<String>) -> Self {
        self.verdict = Verdict::Failure(message.into());
        self
    }

    /// Digest of what the step worked on.
    #[must_use]
    pub fn with_input_digest(mut self, digest: impl Into<Text>) -> Self {
        self.input_digest = Some(digest.into());
        self
    }

    /// Digest of what the step made.
    #[must_use]
    pub fn with_output_digest(mut self, digest: impl Into<Text>) -> Self {
        self.output_digest = Some(digest.into());
        self
    }

    /// Says that it is the output of an earlier run: nothing was done.
    #[must_use]
    pub fn cached(mut self) -> Self {
        self.cached = true;
        self
    }

    /// Says that a part is missing or stood in for: the step succeeds, marked as degraded.
    #[must_use]
    pub fn degraded(mut self) -> Self {
        self.degraded = true;
        self
    }

    /// A further fact for the row's attributes.
    #[must_use]
    pub fn with_attribute(mut self, key: impl Into<String>, value: impl Into<Json>) -> Self {
        self.attributes.insert(key.into(), value.into());
        self
    }

    /// What the component said.
    pub fn verdict(&self) -> &Verdict {
        &self.verdict
    }

    /// The value as a `T`; `Ok(None)` when the step handed on nothing, the name of the type that
    /// is there when it is another one.
    pub(super) fn value<T: Any + Send + Sync>(&self) -> Result<Option<Arc<T>>, &'static str> {
        let Some(value) = &self.value else { return Ok(None) };
        Arc::clone(value).downcast::<T>().map(Some).map_err(|_| self.type_name)
    }

    /// Takes the value out, as [`Self::value`] gives it.
    pub(super) fn take_value<T: Any + Send + Sync>(
        &mut self,
    ) -> Result<Option<Arc<T>>, &'static str> {
        let Some(value) = self.value.take() else { return Ok(None) };
        value.downcast::<T>().map(Some).map_err(|_| self.type_name)
    }
}

/// A component made of a function that computes without awaiting.
pub struct FnComponent<F> {
    name: String,
    version: String,
    lane: Lane,
    function: F,
}

impl<F> FnComponent<F>
where
    F: Fn(&StepContext) -> Result<Output, StepError> + Send + Sync + 'static,
{
    /// A component that runs `function` inline.
    pub fn new(name: impl Into<String>, version: impl Into<String>, function: F) -> Self {
        Self { name: name.into(), version: version.into(), lane: Lane::Inline, function }
    }

    /// Chooses where the function runs.
    #[must_use]
    pub fn on(mut self, lane: Lane) -> Self {
        self.lane = lane;
        self
    }
}

impl<F> fmt::Debug for FnComponent<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FnComponent")
            .field("name", &self.name)
            .field("version", &self.version)
            .field("lane", &self.lane)
            .finish_non_exhaustive()
    }
}

impl<F> Component for FnComponent<F>
where
    F: Fn(&StepContext) -> Result<Output, StepError> + Send + Sync + 'static,
{
    fn name(&self) -> &str {
        &self.name
    }

    fn version(&self) -> &str {
        &self.version
    }

    fn lane(&self) -> Lane {
        self.lane
    }

    fn run(&self, ctx: StepContext) -> BoxFuture<'_, Result<Output, StepError>> {
        Box::pin(async move { (self.function)(&ctx) })
    }
}
