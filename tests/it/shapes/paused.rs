//! The real engine on tokio's paused clock: pieces of work sleep, nothing really waits, and times
//! are exact.

use std::sync::Arc;
use std::time::Duration;

use futures::future::BoxFuture;
use genstore::clock::Clock;
use genstore::error::Result;
use genstore::event::{Event, EventSink};
use genstore::workflow::{
    Backoff, Cancel, Component, Engine, Limits, Outcome, Output, Plan, Policy, Retry, Run,
    StepContext, StepError, Strategy,
};

use super::{Shape, Work};

/// How a piece of work behaves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Act {
    Work,
    /// Fails once when its time is over, then works.
    FailOnce,
    /// Fails for good.
    Fail,
    /// Never ends the first time, then works.
    HangOnce,
}

/// The policy that makes up for what a piece of work does wrong.
pub(super) fn policy(work: &Work) -> Policy {
    let backoff = Backoff { initial: Duration::from_millis(100), ..Backoff::default() };
    let retry = Retry { attempts_max: 3, backoff, ..Retry::default() };
    let twice = Duration::from_millis(2 * work.duration_ms);
    match work.act {
        Act::Work => Policy::default(),
        Act::FailOnce | Act::Fail => Policy { retry, ..Policy::default() },
        Act::HangOnce => Policy { timeout: Some(twice), retry, ..Policy::default() },
    }
}

/// A component that sleeps.
#[derive(Debug)]
pub(crate) struct Sleeper {
    duration: Duration,
    act: Act,
}

impl Sleeper {
    pub(crate) fn of(work: &Work) -> Self {
        Self { duration: Duration::from_millis(work.duration_ms), act: work.act }
    }
}

impl Component for Sleeper {
    fn name(&self) -> &str {
        "sleeper"
    }

    fn version(&self) -> &str {
        "1"
    }

    fn run(&self, ctx: StepContext) -> BoxFuture<'_, Result<Output, StepError>> {
        Box::pin(async move {
            let is_first = ctx.attempt() == 1;
            match self.act {
                Act::HangOnce if is_first => std::future::pending().await,
                _ => tokio::time::sleep(self.duration).await,
            }
            match self.act {
                Act::FailOnce if is_first => Err(StepError::transient("drawn", "once")),
                Act::Fail => Err(StepError::permanent("drawn", "for good")),
                _ => Ok(Output::none()),
            }
        })
    }
}

/// A clock that follows tokio's.
#[derive(Debug)]
struct TokioClock(tokio::time::Instant);

impl Clock for TokioClock {
    fn now_us(&self) -> i64 {
        1_000_000_000_000_000 + self.monotonic_ns() / 1_000
    }

    fn monotonic_ns(&self) -> i64 {
        i64::try_from(self.0.elapsed().as_nanos()).unwrap()
    }
}

/// A sink that keeps nothing.
#[derive(Debug)]
struct Gone;

impl EventSink for Gone {
    fn emit(&self, _: Event) -> Result<()> {
        Ok(())
    }
}

/// An engine within a runtime whose clock is paused.
pub(crate) fn paused_engine(limits: Limits) -> Engine {
    let clock = Arc::new(TokioClock(tokio::time::Instant::now()));
    Engine { clock, sink: Arc::new(Gone), limits }
}

/// Runs a plan with so many places for all runs, which hold for every strategy.
pub(crate) fn run_paused(plan: &Arc<Plan>, strategy: Strategy, places: usize) -> Outcome {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build()
        .unwrap();
    runtime.block_on(async {
        let engine = paused_engine(Shape::limits(places, places));
        let run = Run {
            strategy,
            concurrency_max: places,
            timeout: None,
            step_timeout: None,
            ..Run::new("run", "shapes")
        };
        engine.execute(plan, run, &Cancel::new()).await.unwrap()
    })
}
