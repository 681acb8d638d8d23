//! Two writers and three readers on one store for a few seconds; the bench of this name does it for
//! minutes.

use super::kill::writer;
use crate::program::crowd::crowd;
use crate::program::{Pace, Place, Python};

#[test]
fn two_writers_and_three_readers_get_on_with_each_other() {
    const SECONDS: u64 = 4;
    let place = Place::new();
    let pace =
        Pace { seconds: SECONDS, journal_bytes_max: 256 << 10, pause_us: 1_000, old_every: 4 };
    let command = writer(&place, pace);
    eprintln!("{}", crowd(&place, command, SECONDS, Python::new()));
}
