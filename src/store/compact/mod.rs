//! Compaction: many small files of a table become few large ones.

mod merge;
mod plan;
mod sketches;
