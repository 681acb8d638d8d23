//! Two writers and three readers on one store for minutes: `cargo bench --bench crowd -- --seconds
//! 300`, with compaction, retention and vacuum beside them. One of the readers is Python where
//! `GENSTORE_PYTHON` names one with deltalake, duckdb and polars. With `--s3`, and `moto[server]`
//! in that Python, the tables lie on an S3 server on this machine, and Python does not read. Stops
//! at the first reader that sees less than before, or half a run; prints what was done.
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a bench prints")]
#![allow(clippy::unwrap_used, reason = "a bench stops on errors")]
#![allow(clippy::indexing_slicing, reason = "the same")]

#[path = "../tests/it/dice.rs"]
mod dice;
#[path = "../tests/it/program/mod.rs"]
mod program;

use std::path::Path;
use std::process::Command;

use program::crowd::crowd;
use program::{Cloud, Pace, Place, Python, write};

const JOURNAL_BYTES_MAX: u64 = 512 << 10;
const PAUSE_US: u64 = 1_000;

fn argument(name: &str) -> Option<String> {
    std::env::args().skip_while(|it| it != name).nth(1)
}

fn main() {
    let seconds: u64 = argument("--seconds").map_or(300, |it| it.parse().unwrap());
    if let Some(folder) = argument("--writer") {
        let (journal_bytes_max, pause_us) = (JOURNAL_BYTES_MAX, PAUSE_US);
        write(Path::new(&folder), Pace { seconds, journal_bytes_max, pause_us, old_every: 4 });
        return;
    }
    let cloud = std::env::args().any(|it| it == "--s3").then(|| Cloud::new().unwrap());
    let place = cloud.as_ref().map_or_else(Place::new, Cloud::place);
    let python = cloud.is_none().then(Python::new).flatten();
    let mut writer = Command::new(std::env::current_exe().unwrap());
    writer.arg("--seconds").arg(seconds.to_string()).arg("--writer").arg(place.store());
    writer.envs(place.variables());
    println!("two writers, somebody who looks after the store, and three readers for {seconds} s");
    println!("{}", crowd(&place, writer, seconds, python));
    println!("no count fell, no run was without its children, the final counts are exact");
}
