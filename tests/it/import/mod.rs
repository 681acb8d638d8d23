//! Imports from outside: every table through every format, what is refused, and what is left when
//! one breaks off.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

mod breaks;
mod conflicts;
pub(crate) mod fixture;
mod python;
mod round_trip;
