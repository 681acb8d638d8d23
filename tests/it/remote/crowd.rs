//! Two writers, a compactor and a reader on one remote store at once, and writers that are killed.

use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};

use super::Cloud;
use crate::program::{Pace, Place, Printed, Until, Victim};
use crate::store::kill::writer;
use crate::store::rows::quiet;

/// A process that writes runs and flushes all the time.
fn busy(cloud: &Cloud, place: &Place, seconds: u64) -> Command {
    let pace = Pace { seconds, journal_bytes_max: 16 << 10, pause_us: 15_000, old_every: 0 };
    let mut command = writer(place, pace);
    command.envs(cloud.variables()).env("XDG_STATE_HOME", cloud.home.path());
    command
}

#[test]
fn two_writers_a_compactor_and_a_reader_get_on_with_each_other() {
    let Some(cloud) = Cloud::new() else { return };
    let place = cloud.place();
    drop(cloud.open(quiet()).unwrap());
    let done = AtomicBool::new(false);
    let writers = [0, 1].map(|_| Victim::start(busy(&cloud, &place, 3)));
    let mut printed = Printed::new();
    let mut seen = 0;
    std::thread::scope(|scope| {
        let writers = writers.map(|it| scope.spawn(|| it.kill(Until::End).0));
        let compactor = scope.spawn(|| {
            while !done.load(Ordering::SeqCst) {
                let output = place.run(&["store", "compact"]);
                let said = String::from_utf8_lossy(&output.stderr);
                assert!(output.status.success(), "{said}");
            }
        });
        while !writers.iter().all(|it| it.is_finished()) {
            let reader = cloud.read().unwrap();
            let runs = super::rows::count(&reader, "SELECT count(*) FROM runs");
            assert!(runs >= seen, "{runs} after {seen}");
            seen = runs;
        }
        writers.into_iter().for_each(|it| printed.extend(it.join().unwrap()));
        done.store(true, Ordering::SeqCst);
        compactor.join().unwrap();
    });
    assert!(printed.len() > 50, "{} runs are too few to tell", printed.len());
    place.assert_whole(&printed);
    let runs = place.count("SELECT count(*) AS n FROM runs");
    assert_eq!(usize::try_from(runs).unwrap(), printed.len());
    place.assert_checked();
}

#[test]
fn killed_writers_lose_and_double_nothing_that_was_acknowledged() {
    let Some(cloud) = Cloud::new() else { return };
    let place = cloud.place();
    let mut printed = Printed::new();
    for round in 0..8 {
        let victim = Victim::start(busy(&cloud, &place, 3_600));
        let until = if round % 2 == 0 { Until::Lines(20) } else { Until::Micros(round * 120_000) };
        printed.extend(victim.kill(until).0);
    }
    // the next one brings in what they have left
    printed.extend(Victim::start(busy(&cloud, &place, 1)).kill(Until::End).0);
    place.assert_whole(&printed);
    place.assert_checked();
    assert!(printed.len() >= 80, "{} runs are too few to tell", printed.len());
}
