//! The part of the Delta Lake protocol that genstore writes and reads: reader version 1, writer
//! version 2, JSON commits, append. Format: the public PROTOCOL document of Delta Lake.
//!
//! A commit is a file that appears whole or not at all, under a number that only one writer gets.
//! No checkpoints yet, no deletion vectors, no column mapping, no partitions, no object stores.

mod action;
mod commit;
mod log;
mod schema;
mod seal;
mod stats;

pub(super) use commit::{append, create};
pub(super) use log::Log;
pub(super) use stats::stats;
