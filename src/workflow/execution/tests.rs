//! Tests of whole runs on tokio's paused clock: times are exact, nothing really waits.
#![allow(clippy::unwrap_used, reason = "tests")]

mod chaos;
mod compute;
mod deadlines;
mod faults;
mod flow;
mod nested;
mod pausing;
mod places;
mod random;
mod resources;
mod stopping;
mod undoing;

use std::fmt;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures::future::BoxFuture;

use super::super::*;
use crate::clock::Clock;
use crate::error::{Error, Result};
use crate::event::{Event, EventSink, Row, StepRow};

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

/// A sink that keeps what it gets, up to a number of events.
#[derive(Debug)]
struct Memory {
    events: Mutex<Vec<Event>>,
    events_max: usize,
}

impl EventSink for Memory {
    fn emit(&self, event: Event) -> Result<()> {
        let mut events = self.events.lock().unwrap();
        if events.len() == self.events_max {
            return Err(Error::failed("the disk is full"));
        }
        events.push(event);
        Ok(())
    }
}

/// An engine with its sink in hand.
struct Bench {
    engine: Engine,
    memory: Arc<Memory>,
}

impl Bench {
    fn new() -> Self {
        Self::with(Limits::new(1_000), usize::MAX)
    }

    fn with(limits: Limits, events_max: usize) -> Self {
        let memory = Arc::new(Memory { events: Mutex::default(), events_max });
        let clock = Arc::new(TokioClock(tokio::time::Instant::now()));
        let sink = Arc::clone(&memory) as Arc<dyn EventSink>;
        Self { engine: Engine { clock, sink, limits }, memory }
    }

    async fn run(&self, steps: Vec<Step>) -> Outcome {
        self.run_as(steps, Run::new("run", "test")).await
    }

    async fn run_as(&self, steps: Vec<Step>, run: Run) -> Outcome {
        let plan = Arc::new(Plan::new(steps).unwrap());
        self.engine.execute(&plan, run, &Cancel::new()).await.unwrap()
    }

    fn rows(&self) -> Vec<Row> {
        let events = self.memory.events.lock().unwrap();
        events
            .iter()
            .map(|event| match event {
                Event::Row(row) => row.clone(),
                Event::RunStarted(_) => panic!("the engine starts no run in the store"),
            })
            .collect()
    }

    fn step_rows(&self) -> Vec<StepRow> {
        let rows = self.rows().into_iter();
        rows.filter_map(|row| if let Row::Steps(row) = row { Some(row) } else { None }).collect()
    }

    /// Rows as `name#attempt=result`, in their order.
    fn story(&self) -> Vec<String> {
        let rows = self.step_rows();
        rows.iter().map(|row| format!("{}#{}={}", row.step_name, row.attempt, row.result)).collect()
    }
}

/// A component made of a function that returns a future.
struct AsyncFn<F>(F);

impl<F> fmt::Debug for AsyncFn<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("AsyncFn")
    }
}

impl<F, W> Component for AsyncFn<F>
where
    F: Fn(StepContext) -> W + Send + Sync + 'static,
    W: Future<Output = Result<Output, StepError>> + Send + 'static,
{
    fn name(&self) -> &str {
        "async"
    }

    fn version(&self) -> &str {
        "1"
    }

    fn run(&self, ctx: StepContext) -> BoxFuture<'_, Result<Output, StepError>> {
        Box::pin((self.0)(ctx))
    }
}

/// The attributes of a row.
fn facts(row: &StepRow) -> serde_json::Value {
    row.attributes.as_deref().map(|it| serde_json::from_str(it).unwrap()).unwrap_or_default()
}

const MS: i64 = 1_000_000;

fn ms(ms: u64) -> Duration {
    Duration::from_millis(ms)
}

/// A step that works for some milliseconds and hands them on.
fn sleeper(name: &str, duration_ms: u64) -> Step {
    let work = AsyncFn(move |_| async move {
        tokio::time::sleep(ms(duration_ms)).await;
        Ok(Output::new(duration_ms))
    });
    Step::new(name, work)
}

/// A step that computes without awaiting.
fn step(
    name: &str,
    function: impl Fn(&StepContext) -> Result<Output, StepError> + Send + Sync + 'static,
) -> Step {
    Step::new(name, FnComponent::new("function", "1", function))
}

fn noop(name: &str) -> Step {
    step(name, |_| Ok(Output::none()))
}

/// A step whose attempts fail with `class` until `attempt` is reached.
fn fails_until(name: &str, attempt: u32, class: ErrorClass) -> Step {
    step(name, move |ctx| {
        if ctx.attempt() < attempt {
            return Err(StepError::new(class, "flaky", format!("attempt {}", ctx.attempt())));
        }
        Ok(Output::new(ctx.attempt()))
    })
}

fn attempts(attempts_max: u32) -> Retry {
    let backoff = Backoff { initial: ms(8_000), max: ms(60_000), multiplier: 2.0 };
    Retry { attempts_max, backoff, ..Retry::default() }
}
