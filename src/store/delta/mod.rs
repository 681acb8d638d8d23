//! The part of the Delta Lake protocol that genstore writes and reads: reader version 1, writer
//! version 2, JSON commits, append. Format: the public PROTOCOL document of Delta Lake.
//!
//! A commit is a file that appears whole or not at all, under a number that only one writer gets. A
//! checkpoint is the state after a commit, in Parquet; it makes the commits before it superfluous.
//! No deletion vectors, no column mapping, and no partitions but in what an export writes.

mod action;
mod as_of;
mod checkpoint;
mod clone;
mod commit;
mod log;
mod mend;
mod outside;
mod read;
mod rewrite;
mod schema;
mod seal;
mod state;
mod stats;
mod upkeep;

pub(super) use action::{Action, Add};
pub(super) use as_of::{Life, Timeline};
pub(super) use clone::{clone, restate};
pub(super) use commit::{append, create, load};
pub(super) use log::{Log, data_file};
pub(super) use mend::{appended, given_up, made, readable, replace_file, restored};
pub(crate) use outside::{OutsideColumn, OutsideFile, OutsideTable, commit as commit_outside};
pub(super) use read::{Listing, read_checkpoint, read_commit};
pub(super) use rewrite::{Rewrite, rewrite};
pub(super) use state::State;
pub(super) use stats::StatsBuilder;
pub(super) use upkeep::{LogKeeping, keep};
