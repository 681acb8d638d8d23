//! One attempt at work: started in its lane, watched for panics and for its timeout. Does not know
//! what follows from its end.

use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use futures::future::BoxFuture;
use tokio::runtime::Handle;
use tokio::task::JoinHandle;

use super::component::{Component, Lane, Output};
use super::context::StepContext;
use super::door::Pass;
use super::failure::StepError;
use super::line::Place;

type Answer = Result<Output, StepError>;

/// What a working step holds: a place of all runs, and its pass to a resource.
#[derive(Debug, Default)]
pub(super) struct Held {
    pub(super) place: Option<Place>,
    pub(super) pass: Option<Pass>,
}

impl Held {
    fn take_places(&mut self) -> [Option<Place>; 2] {
        [self.place.take(), self.pass.as_mut().and_then(Pass::take_place)]
    }
}

/// Work that may have panicked but does not pass the panic on. Dropping it stops the work where it
/// awaits.
pub(super) enum Attempt<'c> {
    Inline(BoxFuture<'c, Answer>),
    Task(JoinHandle<Answer>),
    /// Panicked before it had a future.
    Broken(Option<StepError>),
}

impl<'c> Attempt<'c> {
    /// Calls the component. Must be called within a tokio runtime. Work that cannot be stopped
    /// takes the places along, to hold them as long as it lasts.
    pub(super) fn start(
        component: &'c Arc<dyn Component>,
        lane: Lane,
        ctx: StepContext,
        held: &mut Held,
    ) -> Self {
        match lane {
            Lane::Task => {
                let component = Arc::clone(component);
                return Self::Task(tokio::spawn(async move { component.run(ctx).await }));
            }
            Lane::Compute => {
                let (component, places) = (Arc::clone(component), held.take_places());
                let runtime = Handle::current();
                return Self::Task(tokio::task::spawn_blocking(move || {
                    let answer = runtime.block_on(component.run(ctx));
                    drop(places);
                    answer
                }));
            }
            Lane::Inline | Lane::Nested => {}
        }
        // a component that has panicked is not looked at again by this attempt; what it shares
        // with others is its own affair, as it is with threads
        match catch_unwind(AssertUnwindSafe(|| component.run(ctx))) {
            Ok(future) => Self::Inline(future),
            Err(panic) => Self::Broken(Some(StepError::panicked(&*panic))),
        }
    }

    /// Waits for the end, at most as long as the limit says.
    pub(super) async fn within(self, limit: Option<Limit>) -> Answer {
        match limit {
            None => self.await,
            Some(limit) => {
                let answer = tokio::time::timeout(limit.duration, self).await;
                answer.unwrap_or_else(|_| Err((limit.error)(limit.named)))
            }
        }
    }
}

/// How long an attempt may take.
#[derive(Debug, Clone, Copy)]
pub(super) struct Limit {
    pub(super) duration: Duration,
    /// The error, and the time span that it names.
    pub(super) error: fn(Duration) -> StepError,
    pub(super) named: Duration,
}

impl Limit {
    /// The limit, with a delay.
    pub(super) fn longer(self, by: Duration) -> Self {
        Self { duration: self.duration.saturating_add(by), ..self }
    }
}

impl Future for Attempt<'_> {
    type Output = Answer;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Answer> {
        match self.get_mut() {
            Self::Inline(future) => catch_unwind(AssertUnwindSafe(|| future.as_mut().poll(cx)))
                .unwrap_or_else(|panic| Poll::Ready(Err(StepError::panicked(&*panic)))),
            Self::Task(task) => Pin::new(task).poll(cx).map(|joined| match joined {
                Ok(answer) => answer,
                Err(error) => Err(match error.try_into_panic() {
                    Ok(panic) => StepError::panicked(&*panic),
                    Err(_) => StepError::cancelled("the runtime stopped the step's task"),
                }),
            }),
            Self::Broken(error) => Poll::Ready(Err(error
                .take()
                .unwrap_or_else(|| StepError::internal("a broken attempt was asked twice")))),
        }
    }
}

impl Drop for Attempt<'_> {
    fn drop(&mut self) {
        if let Self::Task(task) = self {
            task.abort();
        }
    }
}
