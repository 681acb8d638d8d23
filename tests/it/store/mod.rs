//! The store as a whole: rows in, rows out, through crashes, damage and readers that look on.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

mod crash;
mod damage;
mod read_write;
mod rows;
