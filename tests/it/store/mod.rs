//! The store as a whole: rows in, rows out, through crashes, damage and readers that look on.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::print_stderr, reason = "tests")]

mod aged;
pub(crate) mod check;
mod checkpoints;
mod columns;
mod compact;
mod compact_steps;
mod compat;
mod copy;
mod crash;
mod crowd;
mod damage;
mod hazards;
mod index;
mod index_history;
pub(crate) mod kill;
mod loss;
mod matrix;
mod random;
mod read_write;
mod readers;
mod repair;
mod retain;
pub(crate) mod rows;
mod script;
mod upgrade;
mod upkeep;
mod vacuum;
