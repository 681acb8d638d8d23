//! Integration tests.

mod contract;
mod output;
mod python;
mod write;
