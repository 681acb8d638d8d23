//! Looking after a store from the command line: what each command says, and how it refuses.

use std::path::Path;
use std::process::Output;
use std::sync::Arc;

use genstore::clock::{Clock, ManualClock, SystemClock, SystemIds};
use genstore::event::{ArtifactRow, Event, RunRow, StepRow, Text, TimeUs};
use genstore::store::Store;
use serde_json::Value;

use super::rows::{contract, quiet};
use crate::program::Place;

const DAY_US: i64 = 86_400_000_000;

/// A run and a step of it, so many days before now.
fn run(now_us: i64, days: i64) -> Vec<Event> {
    let start_time = TimeUs(now_us - days * DAY_US - 1_000_000);
    let run_id = Text::from(format!("run-{days}"));
    vec![
        StepRow { run_id: run_id.clone(), start_time, ..StepRow::default() }.into(),
        ArtifactRow {
            run_id: run_id.clone(),
            filename: Text::from(format!("of_{days}.py")),
            size_bytes: days * 10,
            ..ArtifactRow::default()
        }
        .into(),
        RunRow {
            run_id,
            batch_id: Some(Text::from(format!("batch-{days}"))),
            start_time,
            ..RunRow::default()
        }
        .into(),
    ]
}

fn fill(path: &Path) {
    let now_us = SystemClock::new().now_us();
    let store =
        Store::open_at(path, quiet(), ManualClock::at(now_us), Arc::new(SystemIds)).unwrap();
    for days in [200, 100, 50, 5] {
        store.commit_blocking(run(now_us, days)).unwrap();
        store.commit_blocking(vec![Event::Row(contract(&days.to_string()))]).unwrap();
        store.flush().unwrap();
    }
    store.close().unwrap();
}

fn text(output: &Output) -> (i32, String, String) {
    let of = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
    (output.status.code().unwrap(), of(&output.stdout), of(&output.stderr))
}

fn place() -> (Place, impl Fn(&str) -> (i32, String, String)) {
    let place = Place::new();
    fill(&place.store());
    let store = place.store();
    let say = move |line: &str| {
        let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_genstore"));
        command.arg("--store").arg(&store).args(line.split(' '));
        text(&command.output().unwrap())
    };
    (place, say)
}

fn json(said: &(i32, String, String)) -> Value {
    assert_eq!(said.0, 0, "{}", said.2);
    serde_json::from_str(&said.1).unwrap()
}

#[test]
fn retention_says_what_it_removes_and_the_store_holds_rules() {
    let (place, say) = place();
    let (code, out, _) = say("store retain --keep 90d --table steps --keep 14d --dry-run");
    assert_eq!(code, 0);
    assert!(out.contains("│ steps"), "{out}");
    let last = out.lines().last().unwrap();
    let start = "--keep 90d --table steps --keep 14d would remove 7 rows, about ";
    assert!(last.starts_with(start), "{out}");
    let (code, _, error) = say("store retain");
    assert_eq!(code, 2);
    assert!(error.contains("there is no rule by which anything is old"), "{error}");
    let (code, out, _) = say("store retain --set --keep 90d --table steps --keep 14d");
    let expected = "the store holds the rules --keep 90d --table steps --keep 14d; `genstore store \
                    retain` applies them now, writers once a day\n";
    assert_eq!((code, &*out), (0, expected));
    let rules = std::fs::read_to_string(place.store().join("retention.json")).unwrap();
    let expected = "{\n  \"keep\": \"90d\",\n  \"tables\": {\n    \"steps\": \"14d\"\n  }\n}\n";
    assert_eq!(rules, expected);
    let status = json(&say("store status --json"));
    assert_eq!(status["retention"]["rules"], "--keep 90d --table steps --keep 14d");
    let retained = json(&say("store retain --json"));
    let rows: Vec<i64> = retained["tables"]
        .as_array()
        .unwrap()
        .iter()
        .map(|it| it["rows_removed"].as_i64().unwrap())
        .collect();
    assert_eq!(rows.iter().sum::<i64>(), 7, "{retained}");
    assert_eq!(place.count("SELECT count(*) AS n FROM runs"), 2);
    assert_eq!(place.count("SELECT count(*) AS n FROM steps"), 1);
    let (_, out, _) = say("store retain");
    assert_eq!(out.lines().last(), Some("--keep 90d --table steps --keep 14d: nothing is older"));
    assert_eq!(say("store retain --unset").1, "the store holds no rules\n");
    place.assert_checked();
}

#[test]
fn wrong_rules_are_refused() {
    let (_place, say) = place();
    for (line, code, what) in [
        ("--keep soon", 2, "\"soon\" is no age"),
        ("--keep 0d", 2, "an age of 0d would keep nothing"),
        ("--keep -5d", 2, "\"-5d\" is no age"),
        ("--keep 9d --keep 8d", 2, "two rules say for how long runs are kept; one is 9d"),
        ("--table steps", 2, "--table steps has no --keep after it"),
        ("--table stps --keep 9d", 2, "Did you mean steps?"),
        ("--table runs --keep 9d", 2, "runs go with all that belongs to them"),
        ("--table contracts --keep 9d", 2, "contracts are kept"),
        ("--keep 1d", 1, "--keep 1d would remove 4 of 4 runs: all there are"),
        ("--set", 2, "--keep <AGE>"),
        ("--unset --keep 9d", 2, "cannot be used with"),
    ] {
        let (found, out, error) = say(&format!("store retain {line}"));
        assert_eq!((found, &*out), (code, ""), "{line}: {error}");
        assert!(error.contains(what), "{line}: {error}");
    }
}

#[test]
fn pins_keep_a_batch() {
    let (place, say) = place();
    assert_eq!(say("store pin batch-2 --name best").1, "batch batch-200 (best) is pinned\n");
    let (code, _, error) = say("store pin batch");
    assert_eq!(code, 1, "{error}");
    assert!(error.contains("4 batches begin with \"batch\""), "{error}");
    let pins = json(&say("store pins --json"));
    assert_eq!(pins["pins"][0]["batch_id"], "batch-200");
    assert!(say("store pins").1.contains("best"));
    say("store retain --keep 90d");
    let kept = place.sql("SELECT run_id FROM runs ORDER BY 1");
    let kept: Vec<&str> = kept.iter().map(|it| it["run_id"].as_str().unwrap()).collect();
    assert_eq!(kept, ["run-200", "run-5", "run-50"]);
    assert_eq!(say("store unpin batch-2").1, "batch batch-200 (best) is not pinned any more\n");
    let (code, _, error) = say("store unpin batch-2");
    assert!(code == 1 && error.contains("there is no pinned batch \"batch-2\""), "{error}");
    say("store retain --keep 90d");
    assert_eq!(place.count("SELECT count(*) AS n FROM steps"), 2);
}

#[test]
fn vacuum_and_history_tell_what_was_done() {
    let (place, say) = place();
    say("store retain --keep 90d");
    let (_, out, _) = say("store vacuum");
    assert_eq!(out.lines().last(), Some("deleted 0 files, 0 bytes; 6 more are younger than 24h"));
    let dry = say("store vacuum --older-than 0s --dry-run").1;
    assert!(dry.lines().last().unwrap().starts_with("would delete 6 files, "), "{dry}");
    let vacuumed = json(&say("store vacuum --older-than 0s --json"));
    assert_eq!(vacuumed["tables"][0]["removed"]["files"], 2, "{vacuumed}");
    let (code, _, error) = say("store vacuum --older-than never");
    assert!(code == 2 && error.contains("\"never\" is no age"), "{error}");
    let history = json(&say("store history runs --json"));
    let newest = &history["commits"][0];
    assert_eq!(
        (newest["operation"].as_str(), newest["reason"].as_str()),
        (Some("DELETE"), Some("asked for"))
    );
    assert_eq!((&newest["removed"]["files"], &newest["removed"]["rows"]), (&2.into(), &2.into()));
    assert_eq!(history["commits"].as_array().unwrap().len(), 6);
    let all = json(&say("store history --limit 3 --json"));
    let times: Vec<_> =
        all["commits"].as_array().unwrap().iter().map(|it| it["time"].clone()).collect();
    assert_eq!(times, [newest["time"].clone(), newest["time"].clone(), newest["time"].clone()]);
    let shown = say("store history runs --limit 1").1;
    assert!(shown.contains("DELETE") && shown.contains("│ -2 "), "{shown}");
    let (code, _, error) = say("store history run");
    assert!(code == 2 && error.contains("Did you mean runs?"), "{error}");
    place.assert_checked();
}

#[test]
fn the_status_tells_of_growth_and_of_what_is_big() {
    let (_place, say) = place();
    let status = json(&say("store status --biggest --json"));
    let biggest = status["biggest_artifacts"].as_array().unwrap();
    assert_eq!((biggest.len(), &biggest[0]["filename"]), (4, &"of_200.py".into()));
    assert_eq!(status["biggest_contracts"].as_array().unwrap().len(), 4);
    let months = status["months"].as_array().unwrap();
    let runs = months.iter().filter(|it| it["table"] == "runs");
    assert_eq!(runs.map(|it| it["rows"].as_i64().unwrap()).sum::<i64>(), 4);
    let runs =
        status["growth"].as_array().unwrap().iter().find(|it| it["table"] == "runs").unwrap();
    assert!(runs["bytes_per_day"].as_i64().unwrap() > 0);
    assert_eq!(status["retention"]["rules"], Value::Null);
    let (_, out, _) = say("store status");
    assert!(out.contains("retention       no rules: nothing is ever removed\n"), "{out}");
    assert!(out.contains("compaction      20 files ("), "{out}");
    assert!(out.contains("vacuum          0 files (0 bytes) can be deleted, 0 are"), "{out}");
    assert!(out.contains("bytes_per_day") && !out.contains("month"), "{out}");
    assert!(say("store status --months").1.contains("│ month"));
    say("store retain --set --keep 90d");
    let (_, out, _) = say("store status");
    assert!(out.contains("retention       --keep 90d: 2 files ("), "{out}");
}
