//! Kills of the real program with SIGKILL at random moments: `cargo bench --bench crash -- --kills
//! 1000 --seed 7`. Replays, two writers at once, recoveries, readers, `store check`, rebuilds of
//! the index, compaction, retention, vacuum, and a writer that flushes all the time. Every 50 kills
//! everything that was printed as acknowledged must be there, once and whole, also for Python where
//! `GENSTORE_PYTHON` names one with deltalake, duckdb and polars. Stops at the first loss; prints
//! the counts. With `--s3`, and `moto[server]` in that Python, the tables lie on an S3 server on
//! this machine. Measures nothing.
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a bench prints")]
#![allow(clippy::unwrap_used, reason = "a bench stops on errors")]
#![allow(clippy::indexing_slicing, reason = "the same")]

#[path = "../tests/it/dice.rs"]
mod dice;
#[path = "../tests/it/program/mod.rs"]
mod program;

use std::path::Path;
use std::process::Command;

use dice::Dice;
use genstore::clock::{Clock, SystemClock};
use program::{Cloud, Pace, Place, Printed, Python, Until, Victim, write};

/// Kills until a new store is begun.
const KILLS_OF_A_STORE: u64 = 100;
const KILLS_BETWEEN_CHECKS: u64 = 50;

/// What has been done to all stores.
#[derive(Debug, Default)]
struct Counts {
    kills: u64,
    replays: u64,
    writers: u64,
    readers: u64,
    checkers: u64,
    rebuilds: u64,
    compactions: u64,
    retentions: u64,
    vacuums: u64,
    ended_before: u64,
    acknowledged: usize,
    there: i64,
    abandoned: i64,
    checks: u64,
    opened_by_python: usize,
}

struct Bench {
    /// Where the tables are, if they are not in a folder.
    cloud: Option<Cloud>,
    place: Place,
    dice: Dice,
    printed: Printed,
    counts: Counts,
}

impl Bench {
    fn replay(&mut self) -> Victim {
        self.counts.replays += 1;
        Victim::start(self.place.command(&["replay", "set", "--format", "ndjson"]))
    }

    fn writer(&mut self) -> Victim {
        self.counts.writers += 1;
        let mut command = Command::new(std::env::current_exe().unwrap());
        command.arg("--writer").arg(self.place.store()).envs(self.place.variables());
        Victim::start(command)
    }

    fn reader(&mut self) -> Victim {
        self.counts.readers += 1;
        let query = "SELECT count(*) FROM runs r JOIN steps s ON r.run_id = s.run_id";
        Victim::start(self.place.command(&["sql", query]))
    }

    fn checker(&mut self) -> Victim {
        self.counts.checkers += 1;
        Victim::start(self.place.command(&["store", "check"]))
    }

    fn rebuild(&mut self) -> Victim {
        self.counts.rebuilds += 1;
        Victim::start(self.place.command(&["store", "index", "rebuild"]))
    }

    fn compact(&mut self) -> Victim {
        self.counts.compactions += 1;
        Victim::start(self.place.command(&["store", "compact"]))
    }

    fn retain(&mut self) -> Victim {
        self.counts.retentions += 1;
        Victim::start(self.place.command(&["store", "retain", "--keep", "100d"]))
    }

    fn vacuum(&mut self) -> Victim {
        self.counts.vacuums += 1;
        Victim::start(self.place.command(&["store", "vacuum", "--older-than", "20s"]))
    }

    /// Any moment up to so many milliseconds.
    fn within_ms(&mut self, ms: u64) -> Until {
        Until::Micros(self.dice.below(ms * 1_000))
    }

    /// Starts some processes at once, and kills one after the other.
    fn round(&mut self) {
        let long = self.within_ms(600);
        let short = self.within_ms(60); // while it opens the store, and recovers
        let (lines, more) = (self.dice.below(150), self.dice.below(400));
        let kind = self.dice.below(11);
        let victims = match kind {
            // the others need a store that is there
            _ if self.printed.is_empty() => vec![(self.replay(), Until::Lines(lines + 1))],
            0 => vec![(self.replay(), long)],
            1 => vec![(self.replay(), Until::Lines(lines))],
            2 => vec![(self.writer(), Until::Lines(more))],
            3 => vec![(self.replay(), long), (self.replay(), short)],
            4 => vec![(self.replay(), Until::Lines(lines)), (self.writer(), Until::Lines(more))],
            5 => vec![(self.replay(), short)],
            6 => vec![(self.writer(), short), (self.reader(), short), (self.writer(), long)],
            7 => vec![(self.writer(), long), (self.checker(), short), (self.rebuild(), short)],
            8 => vec![(self.compact(), short), (self.writer(), Until::Lines(more))],
            9 => vec![(self.retain(), short), (self.replay(), Until::Lines(lines))],
            _ => vec![(self.compact(), short), (self.vacuum(), short), (self.writer(), long)],
        };
        for (victim, until) in victims {
            let (lines, status) = victim.kill(until);
            let killed = status.code().is_none();
            self.counts.kills += u64::from(killed);
            self.counts.ended_before += u64::from(!killed);
            self.printed.extend(lines);
        }
    }

    /// A whole replay, which recovers and flushes everything, and then the comparison.
    fn check(&mut self) {
        let (lines, status) = self.replay().kill(Until::End);
        assert!(status.success(), "{status}");
        self.printed.extend(lines);
        // to its end, this time: it takes the children, too, of runs that a killed one has taken
        let (_, status) = self.retain().kill(Until::End);
        assert!(status.success(), "{status}");
        let old = "SELECT count(*) AS n FROM runs WHERE start_time < ago('100d')";
        assert_eq!(self.place.count(old), 0, "runs that a retention must take away");
        self.place.assert_whole(&self.printed);
        let orphans = "SELECT count(*) AS n FROM steps
                       WHERE run_id NOT IN (SELECT run_id FROM runs)";
        assert_eq!(self.place.count(orphans), 0, "steps without a run");
        self.place.assert_checked();
        if let Some(python) = self.cloud.is_none().then(Python::new).flatten() {
            let counts = python.counts(&self.place.store(), 1).unwrap();
            assert_eq!(counts, self.place.flushed_counts(), "Python");
            self.counts.opened_by_python += counts.len();
        }
        self.counts.checks += 1;
        println!("{:>6} kills, {:>7} runs of this store", self.counts.kills, self.printed.len());
    }

    fn next_store(&mut self) {
        let count = |query| self.place.count(query);
        self.counts.there += count("SELECT count(*) AS n FROM runs");
        let abandoned = "SELECT count(*) AS n FROM runs WHERE error_type = 'abandoned'";
        self.counts.abandoned += count(abandoned);
        self.counts.acknowledged += std::mem::take(&mut self.printed).len();
        (self.cloud, self.place) = place();
    }
}

/// A new store. With `--s3`, each is in a bucket of its own.
fn place() -> (Option<Cloud>, Place) {
    let cloud = std::env::args().any(|it| it == "--s3").then(|| Cloud::new().unwrap());
    let place = cloud.as_ref().map_or_else(Place::new, Cloud::place);
    place.copies(40);
    (cloud, place)
}

fn argument(name: &str) -> Option<String> {
    std::env::args().skip_while(|it| it != name).nth(1)
}

fn main() {
    if let Some(folder) = argument("--writer") {
        let pace = Pace { seconds: 3_600, journal_bytes_max: 32 << 10, pause_us: 0, old_every: 5 };
        write(Path::new(&folder), pace);
        return;
    }
    let kills: u64 = argument("--kills").map_or(1_000, |it| it.parse().unwrap());
    let now = SystemClock::new().now_us().unsigned_abs();
    let seed: u64 = argument("--seed").map_or(now, |it| it.parse().unwrap());
    println!("{kills} kills, seed {seed}");
    let (printed, counts) = (Printed::new(), Counts::default());
    let (cloud, place) = place();
    let mut bench = Bench { cloud, place, dice: Dice::new(seed), printed, counts };
    let (mut checked, mut begun) = (0, 0);
    while bench.counts.kills < kills {
        bench.round();
        if bench.counts.kills >= (checked + KILLS_BETWEEN_CHECKS).min(kills) {
            checked = bench.counts.kills;
            bench.check();
            if checked >= (begun + KILLS_OF_A_STORE).min(kills) {
                begun = checked;
                bench.next_store();
            }
        }
    }
    println!("{:#?}", bench.counts);
    println!("0 acknowledged runs lost, 0 doubled, none without its children");
}
