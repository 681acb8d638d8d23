//! Processes are killed with SIGKILL at random moments: replays of the real program, two at once,
//! recoveries, readers, and a writer that flushes all the time. What they printed as acknowledged
//! is there afterwards, once and whole.

use std::process::Command;

use crate::dice::Dice;
use crate::program::{Pace, Place, Printed, Until, Victim, write};

const FOLDER: &str = "GENSTORE_TEST_WRITER_FOLDER";
const SECONDS: &str = "GENSTORE_TEST_WRITER_SECONDS";
const JOURNAL_BYTES: &str = "GENSTORE_TEST_WRITER_JOURNAL_BYTES";
const PAUSE: &str = "GENSTORE_TEST_WRITER_PAUSE_US";
const OLD: &str = "GENSTORE_TEST_WRITER_OLD_EVERY";

/// Not a test by itself: the process that is killed. Does nothing unless another test starts it.
#[test]
fn writer_to_be_killed() {
    if let Some(folder) = std::env::var_os(FOLDER) {
        let number = |name| std::env::var(name).unwrap().parse().unwrap();
        let (seconds, journal_bytes_max) = (number(SECONDS), number(JOURNAL_BYTES));
        let pace =
            Pace { seconds, journal_bytes_max, pause_us: number(PAUSE), old_every: number(OLD) };
        write(folder, pace);
    }
}

/// This test binary as a writer.
pub(crate) fn writer(place: &Place, pace: Pace) -> Command {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--exact", "store::kill::writer_to_be_killed", "--nocapture"]);
    command.env(FOLDER, place.store());
    command.env(SECONDS, pace.seconds.to_string());
    command.env(JOURNAL_BYTES, pace.journal_bytes_max.to_string());
    command.env(PAUSE, pace.pause_us.to_string());
    command.env(OLD, pace.old_every.to_string());
    command
}

/// One that flushes all the time.
fn busy(place: &Place) -> Victim {
    let pace = Pace { seconds: 3_600, journal_bytes_max: 8 << 10, pause_us: 0, old_every: 0 };
    Victim::start(writer(place, pace))
}

fn replay(place: &Place) -> Victim {
    Victim::start(place.command(&["replay", "set", "--format", "ndjson"]))
}

#[test]
fn fifty_kills_lose_and_double_nothing_that_was_acknowledged() {
    const KILLS: u64 = 50;
    let seed = u64::from(std::process::id());
    let mut dice = Dice::new(seed);
    eprintln!("seed {seed}");
    let place = Place::new();
    place.copies(20);
    let mut printed = Printed::new();
    let (mut kills, mut round) = (0, 0);
    while kills < KILLS {
        let mut victims = match round % 5 {
            0 => vec![(replay(&place), Until::Lines(dice.below(60)))],
            1 => vec![(busy(&place), Until::Lines(1 + dice.below(60)))],
            // another is at work when this one dies, and then dies itself
            2 => vec![
                (replay(&place), Until::Lines(dice.below(30))),
                (busy(&place), Until::Lines(dice.below(60))),
            ],
            // while it opens, and recovers what the last one has left
            3 => vec![(replay(&place), Until::Micros(dice.below(150_000)))],
            _ => vec![
                (busy(&place), Until::Micros(dice.below(150_000))),
                (Victim::start(place.command(&["sql", "FROM runs"])), Until::Micros(20_000)),
            ],
        };
        while let Some((victim, until)) = victims.pop() {
            let (lines, status) = victim.kill(until);
            kills += u64::from(status.code().is_none());
            printed.extend(lines);
        }
        round += 1;
        if round % 10 == 0 {
            place.assert_whole(&printed);
        }
    }
    let (last, status) = replay(&place).kill(Until::End);
    assert!(status.success());
    printed.extend(last);
    place.assert_whole(&printed);
    place.assert_checked();
    let orphans = "SELECT count(*) AS n FROM steps WHERE run_id NOT IN (SELECT run_id FROM runs)";
    assert_eq!(place.count(orphans), 0, "steps without a run");
    let runs = place.count("SELECT count(*) AS n FROM runs");
    let abandoned = "SELECT count(*) AS n FROM runs WHERE error_type = 'abandoned'";
    let (acknowledged, abandoned) = (printed.len(), place.count(abandoned));
    eprintln!(
        "{kills} kills: {acknowledged} runs acknowledged, {runs} there, {abandoned} of them \
         abandoned; 0 lost, 0 doubled"
    );
    assert!(acknowledged > 400, "{acknowledged} runs are too few to tell");
}
