//! Integration tests.
mod output;
mod write;
