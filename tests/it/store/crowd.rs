//! Two writers and three readers on one store for a few seconds; the bench of this name does it for
//! minutes.

use super::kill::writer;
use crate::program::crowd::crowd;
use crate::program::{Place, python};

#[test]
fn two_writers_and_three_readers_get_on_with_each_other() {
    const SECONDS: u64 = 4;
    let place = Place::new();
    let command = writer(&place, SECONDS, 256 << 10);
    eprintln!("{}", crowd(&place, command, SECONDS, python()));
}
