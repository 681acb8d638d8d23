//! The generic engine: steps with dependencies and conditions, planned, scheduled and executed
//! under limits, with retries, fall-backs and degraded mode.
//!
//! It knows no store, no contract and no pipeline: work comes in as a [`Component`], what happened
//! goes out as rows through an [`EventSink`](crate::event::EventSink). `plan`, `schedule` and
//! `policy` do no IO and read no clock.
//!
//! ```
//! # use std::sync::Arc;
//! # use genstore::clock::SystemClock;
//! # use genstore::workflow::*;
//! # #[derive(Debug)] struct Quiet;
//! # impl genstore::event::EventSink for Quiet {
//! #     fn emit(&self, _: genstore::event::Event) -> genstore::error::Result<()> { Ok(()) }
//! # }
//! # tokio::runtime::Builder::new_current_thread().enable_time().build()?.block_on(async {
//! let two = FnComponent::new("two", "1", |_| Ok(Output::new(2_i64)));
//! let double = FnComponent::new("double", "1", |ctx| {
//!     Ok(Output::new(*ctx.output::<i64>("two")? * 2))
//! });
//! let plan = Plan::new(vec![Step::new("two", two), Step::new("twice", double).after(["two"])])?;
//! let limits = Limits::new(4);
//! let engine = Engine { clock: Arc::new(SystemClock::new()), sink: Arc::new(Quiet), limits };
//! let outcome = engine.execute(&Arc::new(plan), Run::new("run-1", "demo"), &Cancel::new()).await?;
//! assert_eq!(outcome.output::<i64>("twice")?.as_deref(), Some(&4));
//! # Ok::<(), genstore::error::Error>(())
//! # })?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod analysis;
mod attempt;
mod bound;
mod bucket;
mod cancel;
mod checked;
mod circuit;
mod component;
pub mod composition;
mod context;
mod door;
mod each;
mod engine;
mod execution;
mod expression;
mod failure;
mod gate;
mod inside;
mod library;
mod limits;
mod line;
mod lower;
mod nested;
mod outcome;
mod part;
mod plan;
mod policy;
mod ranges;
mod record;
mod render;
mod schedule;
mod seen;
mod shared;
mod state;
mod step;
mod structure;
mod summary;
mod tasks;
mod undo;
mod waits;

pub use analysis::{Analysis, Capacity, Expected, Prediction};
pub use bucket::Rate;
pub use cancel::Cancel;
pub use checked::{Workflow, WorkflowEstimates};
pub use circuit::CircuitBreaker;
pub use component::{Component, FnComponent, Lane, Output, Value, Verdict};
pub use composition::{Composition, Definition};
pub use context::{StepContext, View};
pub use engine::{Engine, Run};
pub use failure::{ErrorClass, StepError};
pub use library::{About, Input, Kind, Library, Listed, Task, duration};
pub use limits::{Limits, ResourceLimit};
pub use lower::{Called, Others, Problem};
pub use nested::{NESTING_MAX, Nested};
pub use outcome::{Outcome, ResultKind, StepSummary};
pub use plan::{Plan, PlanProblem, STEPS_MAX};
pub use policy::{Backoff, Choice, Decision, OnFailure, Policy, Reason, Retry};
pub use render::{PlanRow, span};
pub use schedule::Strategy;
pub use step::{Condition, RunWhen, Step};
pub use tasks::{builtin, end_programs};
