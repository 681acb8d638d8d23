//! Integration tests.

mod output;
mod python;
mod write;
