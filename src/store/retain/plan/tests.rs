//! What the bounds of a file say is never more than what its rows say, whatever the rules.

use proptest::prelude::*;

use super::super::rules::{Age, Rules};
use super::*;

const NOW_US: i64 = 1_790_000_000_000_000;

fn id(days_ago: i64) -> String {
    let ms = (NOW_US - days_ago * DAY_US) / 1_000;
    let ms = u64::try_from(ms).unwrap();
    uuid::Builder::from_unix_timestamp_millis(ms, &[7; 10]).into_uuid().to_string()
}

#[derive(Debug, Clone)]
struct Made {
    run_id: Option<String>,
    time_us: Option<i64>,
    standing: Standing,
}

fn row(table: Table) -> impl Strategy<Value = Made> {
    let run_id = prop_oneof![
        8 => (0..200_i64).prop_map(|it| Some(id(it))),
        1 => (0..9_u8).prop_map(|it| Some(format!("run-{it}"))),
        1 => Just(None),
    ];
    let time = prop_oneof![
        8 => (0..200_i64).prop_map(|it| NOW_US - it * DAY_US),
        1 => Just(0_i64),
    ];
    let standing = prop_oneof![
        1 => Just(Standing::Held),
        3 => Just(Standing::Recorded),
        6 => Just(Standing::Missing),
    ];
    (run_id, time, standing).prop_map(move |(run_id, time_us, standing)| {
        let has_run = table.columns().iter().any(|it| it.name == "run_id");
        let needs_run = has_run && table != Table::Metrics;
        let run_id = match run_id {
            _ if !has_run => None,
            None if needs_run => Some("run-none".to_owned()),
            run_id => run_id,
        };
        let standing = match (&run_id, standing) {
            (None, Standing::Recorded) => Standing::Missing,
            (_, standing) => standing,
        };
        Made { run_id, time_us: time_column(table).map(|_| time_us), standing }
    })
}

fn rules() -> impl Strategy<Value = (Option<i64>, Option<i64>)> {
    let age = || proptest::option::of(1..150_i64);
    (age(), age())
}

fn made(table: Table, (runs, own): (Option<i64>, Option<i64>)) -> Option<Rules> {
    let age = |days: i64| Age::parse(&format!("{days}d")).unwrap();
    let runs_rule = runs.map(|it| (None, age(it)));
    let own_rule = own.map(|it| (Some(table), age(it)));
    Rules::new(runs_rule.into_iter().chain(own_rule)).ok()
}

/// Bounds as a log has them: to a millisecond, rounded outwards.
fn bounds(rows: &[Made]) -> (Option<(Text, Text)>, Option<(i64, i64)>) {
    let ids = || rows.iter().filter_map(|it| it.run_id.as_deref());
    let times = || rows.iter().filter_map(|it| it.time_us);
    let run_ids = ids().min().zip(ids().max());
    let times_us = times().min().zip(times().max());
    (run_ids.map(|(a, b)| (Text::from(a), Text::from(b))), times_us)
}

fn cases() -> impl Strategy<Value = (Table, Vec<Made>)> {
    (0..Table::ALL.len()).prop_flat_map(|at| {
        let table = Table::ALL[at];
        proptest::collection::vec(row(table), 1..6).prop_map(move |rows| (table, rows))
    })
}

proptest! {
    #[test]
    fn a_file_goes_or_stays_unread_only_if_each_of_its_rows_does(
        (table, rows) in cases(),
        rule in rules(),
        committed_days in 0..200_i64,
    ) {
        let Some(cut) = made(table, rule).and_then(|it| Cut::new(&it, table, NOW_US)) else {
            return Ok(());
        };
        let (run_ids, times_us) = bounds(&rows);
        let committed_us = NOW_US - committed_days * DAY_US;
        let file = Bounds { run_ids: run_ids.as_ref(), times_us, committed_us };
        let fate = cut.fate(file);
        for row in &rows {
            let facts =
                Facts { run_id: row.run_id.as_deref(), batch_id: None, time_us: row.time_us };
            let goes = cut.goes(facts, row.standing, committed_us);
            let expected = match (fate, row.standing) {
                (Fate::Stays, _) => Some(false),
                (Fate::Unclear, _) => None,
                (_, Standing::Held) => Some(false),
                (Fate::GoesUnlessHeld, _) | (Fate::GoesUnlessRecorded, Standing::Missing) => {
                    Some(true)
                }
                (Fate::GoesUnlessRecorded, Standing::Recorded) => None,
            };
            prop_assert!(expected.is_none_or(|it| it == goes), "{cut:?} {fate:?} {row:?}");
        }
    }
}

#[test]
fn children_go_with_a_run_that_began_just_before_the_cut() {
    let rules = made(Table::Steps, (Some(90), None)).unwrap();
    let runs = Cut::new(&rules, Table::Runs, NOW_US).unwrap();
    let steps = Cut::new(&rules, Table::Steps, NOW_US).unwrap();
    let cut_us = NOW_US - 90 * DAY_US;
    let run_id = id(90);
    let at = |time_us: i64| Facts { run_id: Some(&run_id), batch_id: None, time_us: Some(time_us) };
    assert!(runs.goes(at(cut_us - 1), Standing::Recorded, NOW_US));
    assert!(!runs.goes(at(cut_us), Standing::Recorded, NOW_US));
    // its steps go on for hours, and a score comes weeks later
    for later_us in [0, 5 * HOUR_US, 30 * DAY_US] {
        assert!(steps.goes(at(cut_us + later_us), Standing::Missing, NOW_US));
        assert!(!steps.goes(at(cut_us + later_us), Standing::Recorded, NOW_US));
    }
    let young = id(88);
    let orphan = Facts { run_id: Some(&young), batch_id: None, time_us: Some(cut_us) };
    assert!(!steps.goes(orphan, Standing::Missing, NOW_US));
}

#[test]
fn sketches_go_by_whole_hours_and_only_by_their_own_rule() {
    assert_eq!(
        Cut::new(&made(Table::Steps, (Some(9), None)).unwrap(), Table::StepLatency, 0),
        None
    );
    let rules = made(Table::StepLatency, (None, Some(10))).unwrap();
    let cut = Cut::new(&rules, Table::StepLatency, NOW_US).unwrap();
    let at = |hour_us: i64| Facts { time_us: Some(hour_us), ..Facts::default() };
    let cut_us = NOW_US - 10 * DAY_US;
    assert!(cut.goes(at(cut_us - HOUR_US - 1), Standing::Missing, NOW_US));
    assert!(!cut.goes(at(cut_us - HOUR_US), Standing::Missing, NOW_US));
}
