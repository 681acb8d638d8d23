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
//! histogram < store
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
//! # From a program of one's own
//!
//! [`Store`], [`Recorder`], [`Session`] and [`Pipeline`] are what it takes; the engine itself
//! records and asks by them. The other rooms are open to programs that need more, and change more
//! often.
//!
//! ```
//! use genstore::sql::Params;
//! use genstore::{Recorder, Store};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let folder = tempfile::tempdir()?;
//! # let folder = folder.path();
//! let recorder = Recorder::new(Store::open(folder)?);
//! let run = recorder.run("nightly")?;
//! let step = run.step("fetch");
//! // … the work …
//! step.finish("success")?;
//! run.score("coverage", 0.93)?;
//! run.issue("docs.missing", "warning", "there is no README")?;
//! run.finish("success").await?; // durable from here on
//!
//! let session = recorder.store().session()?;
//! let sql = "SELECT step_name, p99(duration_ns) FROM steps GROUP BY step_name";
//! let answer = session.query(sql, &Params::new()).await?; // Arrow record batches
//! assert_eq!(answer.rows(), 1);
//! let latency = session.canned("latency", &[("since", "7d")]).await?;
//! assert_eq!(latency.rows(), 1);
//! # Ok(())
//! # }
//! ```
//!
//! A pipeline is planned, retried and recorded step by step:
//!
//! ```
//! use genstore::{Pipeline, Recorder, Store};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let folder = tempfile::tempdir()?;
//! let recorder = Recorder::new(Store::open(folder.path())?);
//! let pipeline = Pipeline::from_yaml(
//!     "
//! name: greet
//! parameters: [{name: who, type: text}]
//! steps: [{name: greeting, use: value, with: {value: 'Hello, {{ params.who }}'}}]
//! ",
//! )?;
//! let report = pipeline.run(&recorder, [("who", "world".into())]).await?;
//! assert_eq!(&*report.run.result, "success");
//! assert_eq!(report.output, "Hello, world");
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
mod histogram;
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

pub use recorder::Recorder;
pub use replay::Pipeline;
pub use sql::Session;
pub use store::Store;
