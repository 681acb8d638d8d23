//! Runs of many contracts as one batch.

pub mod set;
