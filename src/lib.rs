//! genstore: an embedded, SQL-queryable store for code-generation runs, with the engine that makes
//! those runs.
//!
//! A pipeline reads an ONEX node contract, generates a Python package, judges it with six
//! validators, scores it and writes it. Everything that happens becomes rows; the rows lie in open
//! Parquet files under a Delta log, in one folder; questions are asked in SQL.
//!
//! It is not a server, not a general workflow platform and not a model host.
//!
//! # Rooms
//!
//! A room is a file or a folder of `src`, and imports only what stands to its left on some line:
//!
//! ```text
//! error < clock < event < workflow
//! error < finding < python < contract < template < validate < generate < pipeline
//!                                                     (pipeline also: event, workflow)
//! error < clock < event < journal < store < recorder
//! error < clock < setting < journal, pipeline
//! event < store < sql < output < export < import
//! (all of these) < replay < repl < config < cli < main
//! ```
//!
//! # What always holds
//!
//! - `contract`, `template`, `validate` and the planning half of `workflow` do no IO and read no
//!   clock: the same input gives the same output.
//! - `workflow` does not know that a store exists; it speaks to an [`event::EventSink`].
//! - What the recorder acknowledged is in the journal and synced. A run that is visible has all its
//!   children, and no row is there twice.
//! - Only `config` and `main` read the environment, only `clock` reads time, only `output`, `repl`
//!   and `cli` write to a terminal.
//! - A document of the user parses to a value and findings, each with its place; nothing that a
//!   user types or a disk holds makes the program panic.
//!
//! `tests/it/tidy.rs` holds the code to this page.
//!
//! # Recording a run, and asking
//!
//! ```
//! use std::sync::Arc;
//! use genstore::clock::{Clock, IdSource, SystemClock, SystemIds};
//! use genstore::event::{RunRow, RunStarted, TimeUs};
//! use genstore::recorder::Recorder;
//! use genstore::sql::{Params, Session, SessionSettings};
//! use genstore::store::{Store, StoreOptions};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let folder = tempfile::tempdir()?;
//! # let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
//! let clock: Arc<dyn Clock> = Arc::new(SystemClock::new());
//! let ids: Arc<dyn IdSource> = Arc::new(SystemIds);
//! let path = folder.path().join("history");
//! let store = Store::open(&path, StoreOptions::default(), Arc::clone(&clock), Arc::clone(&ids))?;
//! let recorder = Recorder::new(Arc::new(store));
//!
//! let run_id = ids.next_id().to_string();
//! let started = RunStarted {
//!     run_id: run_id.as_str().into(),
//!     pipeline_name: "nightly".into(),
//!     start_time: TimeUs(clock.now_us()),
//!     ..RunStarted::default()
//! };
//! let run = recorder.begin(started)?;
//! let row = RunRow {
//!     run_id: run_id.as_str().into(),
//!     pipeline_name: "nightly".into(),
//!     result: "success".into(),
//!     duration_ns: 1_500_000,
//!     ..RunRow::default()
//! };
//! runtime.block_on(run.finish(row))?; // durable from here on
//!
//! let snapshot = recorder.store().snapshot()?;
//! let session = Session::new(&snapshot, SessionSettings::default(), clock)?;
//! let params = Params::default();
//! let asked = session.query("SELECT p99(duration_ns) FROM runs", &params);
//! assert_eq!(runtime.block_on(asked)?.rows(), 1);
//! # Ok(())
//! # }
//! ```

pub mod cli;
pub mod clock;
pub mod config;
pub mod contract;
pub mod error;
pub mod event;
pub mod export;
pub mod finding;
pub mod generate;
pub mod history;
pub mod import;
pub mod journal;
pub mod output;
pub mod pipeline;
pub mod python;
pub mod recorder;
pub mod repl;
pub mod replay;
mod runtime;
pub mod setting;
pub mod sql;
pub mod store;
pub mod template;
pub mod validate;
pub mod workflow;
