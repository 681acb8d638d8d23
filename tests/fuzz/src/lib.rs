//! What the fuzz targets do with an input. The rooms are compiled here from their sources: of the
//! whole crate nothing else is needed, and a query engine with instruments in it takes an hour to
//! build. Never a part of the program.
#![allow(dead_code, reason = "what other rooms use of these")]

#[path = "../../../src/clock.rs"]
pub mod clock;
#[path = "../../../src/contract/mod.rs"]
pub mod contract;
#[path = "../../../src/error.rs"]
pub mod error;
#[path = "../../../src/finding.rs"]
pub mod finding;
#[path = "../../../src/generate/mod.rs"]
pub mod generate;
pub mod output;
#[path = "../../../src/python/mod.rs"]
pub mod python;
#[path = "../../../src/setting.rs"]
pub mod setting;
#[path = "../../../src/template/mod.rs"]
pub mod template;
#[path = "../../../src/validate/mod.rs"]
pub mod validate;

mod contracts;
mod packages;

pub use contracts::{read_contract, write_package};
pub use packages::{infer_contract, judge_file};
