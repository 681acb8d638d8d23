//! The work itself: reading a contract, judging it, generating a package, judging that, writing it.
//!
//! Each step is a small component; `node_generation` puts them together. Recording is not done
//! here: rows go to the engine's sink.

pub mod catalog;
mod contract_steps;
mod file;
mod known;
mod node_generation;
mod package_steps;
mod rows;
mod settings;
pub mod source;
mod template_folder;
mod workflow_run;
mod write;

pub use contract_steps::Task;
pub use file::PipelineFile;
pub use known::Known;
pub use node_generation::{NodeGeneration, PIPELINE, Report};
pub use rows::Counts;
pub use settings::{PackageSettings, RunSettings};
pub use template_folder::library as template_library;
pub use workflow_run::{WorkflowOptions, WorkflowReport, run_workflow};
pub use write::{MANIFEST, OutputFolder, WriteOptions, Written};
