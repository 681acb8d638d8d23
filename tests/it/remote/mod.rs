//! Stores whose tables lie on a real S3 server, which the tests start on this machine, behind a
//! proxy that fails, loses, delays and lies as it is told. Wants `GENSTORE_PYTHON`, an interpreter
//! with `moto[server]`; skips, and says so, without.

mod care;
mod crowd;
mod errors;
mod faults;
mod requests;
mod rows;

use crate::program::{Cloud, Faults};
