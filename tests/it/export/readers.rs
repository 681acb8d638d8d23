//! Every profile, opened by the readers of other makers: types, counts and sums. Wants
//! `GENSTORE_PYTHON`; skips, and says so, without.

use std::path::Path;

use genstore::event::{Event, LlmCallRow, RunRow, StepRow, Table, TimeUs};
use genstore::export::{PROFILES, Request, What};

use super::fixture::{continued, request, run};
use crate::program::Python;
use crate::store::rows::{open, quiet, run_id};

const READ: &str = include_str!("readers.py");
const RUNS: i64 = 500;
const DAY_US: i64 = 86_400_000_000;

/// Runs over three days, with sums that the script knows.
fn runs(numbers: std::ops::Range<i64>) -> Vec<Event> {
    numbers
        .flat_map(|it| {
            let start_time = TimeUs((20_779 + it % 3) * DAY_US + it);
            let step = StepRow {
                run_id: run_id(it),
                step_name: "größe \"x\",\n".into(),
                start_time,
                duration_ns: 1_500_000 * it,
                ..StepRow::default()
            };
            let call = LlmCallRow {
                run_id: run_id(it),
                start_time,
                cost_usd: Some(0.25),
                temperature: Some(if it == 7 { f64::NAN } else { 0.5 }),
                ..LlmCallRow::default()
            };
            let run = RunRow {
                run_id: run_id(it),
                start_time,
                cached: it % 2 == 0,
                duration_ns: 2_000_000 * it,
                cost_usd: (it % 2 == 0).then_some(0.125),
                ..RunRow::default()
            };
            [step.into(), call.into(), run.into()]
        })
        .collect()
}

/// Has one interpreter, which takes long to start, read exports by their folders, profiles and
/// kinds.
fn read(python: &Python, exports: &[[String; 3]]) {
    let each = "all = sys.argv[1:]
for at in range(0, len(all), 3):
    sys.argv = [''] + all[at:at + 3]
    print(*sys.argv[2:], end=': ', flush=True)
    exec(code, {})
";
    let script = format!("import sys\ncode = r'''{READ}'''\n{each}");
    let said = python.run(&script, exports.iter().flatten(), &[]);
    eprintln!("{}", said.unwrap_or_else(|it| panic!("{it}")).trim());
}

fn export_of(folder: &Path, profile: &str, by_day: bool) -> [String; 3] {
    let kind = if by_day { "day" } else { "plain" };
    [folder.display().to_string(), profile.to_owned(), kind.to_owned()]
}

#[test]
fn readers_of_other_makers_see_the_types_counts_and_sums() {
    let Some(python) = Python::new() else { return };
    let place = tempfile::tempdir().unwrap();
    let store = place.path().join("store");
    let writer = open(&store, quiet()).unwrap();
    writer.commit_blocking(runs(0..RUNS)).unwrap();
    writer.close().unwrap();
    let tables = vec![Table::Runs, Table::Steps, Table::LlmCalls, Table::StepLatency];
    let mut exports = Vec::new();
    for profile in &PROFILES {
        for by_day in [false, true] {
            let to = place.path().join(format!("{profile}-{by_day}"));
            let what = What::Tables(tables.clone());
            let asked =
                Request { profile, by_day, what, rows_per_file: 200, ..request(&store, &to) };
            run(&store, &asked).unwrap();
            exports.push(export_of(&to, profile.name, by_day));
        }
    }
    read(&python, &exports);
}

#[test]
fn readers_of_other_makers_see_what_was_added() {
    let Some(python) = Python::new() else { return };
    let place = tempfile::tempdir().unwrap();
    let (store, to) = (place.path().join("store"), place.path().join("to"));
    let writer = open(&store, quiet()).unwrap();
    for part in [0..100, 100..101, 101..RUNS] {
        writer.commit_blocking(runs(part)).unwrap();
        run(&store, &Request { by_day: true, ..continued(&store, &to) }).unwrap();
    }
    read(&python, &[export_of(&to, "parquet", true)]);
}
