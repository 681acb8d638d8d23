//! What keeps a store for years, at an address: import, compaction, retention, vacuum, time travel
//! and copies do there what they do on a disk, also where requests fail and answers are lost.

use std::collections::BTreeMap;

use genstore::event::Table;

use super::{Cloud, Faults};
use crate::program::{Pace, Place, Until, Victim, lines, text};
use crate::store::kill::writer;

/// Rows of every table but that of sketches, of which a compaction makes fewer.
fn counts(place: &Place, more: &[&str]) -> BTreeMap<String, i64> {
    let all = |it: &Table| format!("SELECT '{}' AS name, count(*) AS n FROM {0}", it.name());
    let query = Table::ALL
        .iter()
        .filter(|it| **it != Table::StepLatency)
        .map(all)
        .collect::<Vec<_>>()
        .join(" UNION ALL ");
    let output = done(place, &[&["sql", "--format", "ndjson"], more, &[&query]].concat());
    let rows = lines(&output);
    rows.iter().map(|it| (text(it, "name").to_owned(), it["n"].as_i64().unwrap())).collect()
}

fn done(place: &Place, args: &[&str]) -> std::process::Output {
    let output = place.run(args);
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{args:?}: {said}");
    output
}

/// A folder that `genstore export` wrote from a store on the disk with some replays in it.
fn exported(replays: usize) -> (Place, String, BTreeMap<String, i64>) {
    let place = Place::new();
    place.copies(2);
    for _ in 0..replays {
        done(&place, &["replay", "set"]);
    }
    let folder = place.root.path().join("exported").display().to_string();
    done(&place, &["export", "--to", &folder]);
    let counts = counts(&place, &[]);
    (place, folder, counts)
}

#[test]
fn an_imported_history_is_compacted_looked_back_at_and_copied() {
    let Some(cloud) = Cloud::new() else { return };
    let (disk, folder, expected) = exported(2);
    let place = cloud.place();
    done(&place, &["import", &folder]);
    assert_eq!(counts(&place, &[]), expected);
    let moment = text(&place.sql("SELECT now()::VARCHAR AS now").remove(0), "now").to_owned();
    done(&place, &["import", &folder]);
    assert_eq!(counts(&place, &[]), expected, "taken once");

    place.copies(1);
    done(&place, &["replay", "set"]);
    let later = counts(&place, &[]);
    assert!(later["runs"] > expected["runs"]);
    done(&place, &["store", "compact"]);
    assert_eq!(counts(&place, &[]), later, "compacted");
    assert_eq!(counts(&place, &["--as-of", &moment]), expected, "as of {moment}");
    place.assert_checked();

    let (back, away) = (Place::new(), cloud.place_of(cloud.url() + "-again"));
    let path = |it: &Place| it.store().display().to_string();
    done(&place, &["store", "copy", &path(&place), &path(&back)]);
    assert_eq!(counts(&back, &[]), later, "a copy on the disk");
    done(&away, &["store", "copy", &path(&disk), &path(&away)]);
    assert_eq!(counts(&away, &[]), expected, "a copy at an address");
    away.assert_checked();
    away.copies(1);
    done(&away, &["replay", "set"]);
    assert!(counts(&away, &[])["runs"] > expected["runs"], "with a life of its own");
}

#[test]
fn compaction_retention_and_vacuum_lose_nothing_whatever_becomes_of_requests() {
    let Some(cloud) = Cloud::new() else { return };
    let place = cloud.place();
    let seed = u64::from(std::process::id());
    eprintln!("seed {seed}");
    let faults = Faults { failed_percent: 6, lost_percent: 6, ..Faults::default() };
    cloud.proxy.set(faults, seed);
    let pace = Pace { seconds: 2, journal_bytes_max: 16 << 10, pause_us: 15_000, old_every: 2 };
    let mut writer = writer(&place, pace);
    writer.envs(place.variables());
    let printed = Victim::start(writer).kill(Until::End).0;
    let runs = || place.count("SELECT count(*) AS n FROM runs");
    let old = runs() - i64::try_from(printed.len()).unwrap();
    assert!(old > 0, "{} runs, {} of them young", runs(), printed.len());
    done(&place, &["store", "compact"]);
    done(&place, &["store", "retain", "--keep", "100d"]);
    done(&place, &["store", "vacuum", "--older-than", "0s"]);
    cloud.proxy.set(Faults::default(), 0);
    assert_eq!(usize::try_from(runs()).unwrap(), printed.len());
    place.assert_whole(&printed);
    place.assert_checked();
}
