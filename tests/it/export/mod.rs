//! Exports: what is on disk afterwards, what never is, and who can read it.

mod breaks;
mod days;
mod files;
pub(crate) mod fixture;
mod incremental;
mod places;
mod query;
mod readers;
mod remote;
mod since;
