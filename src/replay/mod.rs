//! Runs of one or many contracts, and of any workflow: which files, how many at a time, and what is
//! recorded of them together. Prints nothing: `cli` and `repl` do.

mod batch;
mod pipeline;
pub mod report;
mod resume;
pub mod set;
mod workflows;

pub use batch::{Batch, Workshop};
pub use pipeline::Pipeline;
pub use workflows::WorkflowRuns;
