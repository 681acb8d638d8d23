//! Integration tests.
mod write;
