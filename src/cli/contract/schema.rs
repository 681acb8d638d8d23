//! `genstore contract schema`: the JSON Schema of the normal form. Reads nothing.

use super::print;
use crate::contract::schema::schema;
use crate::error::Result;

/// Print the JSON Schema (draft 2020-12) of what `contract show --format json` prints
#[derive(Debug, clap::Args)]
pub(super) struct Args {}

pub(super) fn run() -> Result<u8> {
    print(&format!("{:#}\n", schema()))?;
    Ok(0)
}
