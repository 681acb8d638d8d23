//! Integration tests.
mod output;
