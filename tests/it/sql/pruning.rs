//! Files that a query leaves out: the answer is the same as if all were read, and the plan says so.

use std::ops::ControlFlow;
use std::path::Path;
use std::sync::Arc;

use genstore::event::{Event, IssueRow, MetricRow, RunRow, StepRow, Table, Text, TimeUs};
use genstore::sql::Session;
use genstore::store::snapshot::Snapshot;
use genstore::store::{Compaction, Store, StoreOptions};
use proptest::prelude::*;

use super::fixture::{ask, session};

fn run_id(number: u32) -> Text {
    Text::from(format!("01990000-0000-7000-8000-{number:012x}"))
}

fn contract(number: u32) -> Text {
    Text::from(format!("contract_{}", number % 3))
}

/// A run with two steps, an issue, and a metric with a run and one without.
fn rows(number: u32) -> Vec<Event> {
    let step = |name: &str| StepRow {
        run_id: run_id(number),
        step_id: name.into(),
        step_name: name.into(),
        duration_ns: i64::from(number),
        ..StepRow::default()
    };
    let metric = |run_id: Option<Text>| MetricRow {
        run_id,
        name: "memory".into(),
        value: f64::from(number),
        ..MetricRow::default()
    };
    let issue = IssueRow {
        run_id: run_id(number),
        contract_name: Some(contract(number)),
        rule_id: "a.rule".into(),
        ..IssueRow::default()
    };
    let run = RunRow {
        run_id: run_id(number),
        contract_name: (!number.is_multiple_of(5)).then(|| contract(number)),
        result: "success".into(),
        start_time: TimeUs(i64::from(number)),
        ..RunRow::default()
    };
    vec![
        step("a").into(),
        step("b").into(),
        issue.into(),
        metric(Some(run_id(number))).into(),
        metric(None).into(),
        run.into(),
    ]
}

/// A store with one commit per group of runs; the last group stays in the journal.
fn store_of(path: &Path, groups: &[Vec<u32>]) -> Store {
    let compaction = Compaction { enabled: false, ..Compaction::default() };
    let options = StoreOptions { flush_age_ms: 3_600_000, compaction, ..StoreOptions::default() };
    let clock = genstore::clock::ManualClock::at(0);
    let ids = Arc::new(genstore::clock::SystemIds);
    let store = Store::open_at(path, options, clock, ids).unwrap();
    for (index, group) in groups.iter().enumerate() {
        store.commit_blocking(group.iter().flat_map(|it| rows(*it)).collect()).unwrap();
        if index + 1 < groups.len() {
            store.flush().unwrap();
        }
    }
    store
}

/// The same rows with nothing known of the files.
fn unpruned(snapshot: &Snapshot) -> Session {
    let mut snapshot = Snapshot { index: None, ..snapshot.clone() };
    for table in snapshot.tables.values_mut() {
        Arc::make_mut(&mut table.files).iter_mut().for_each(|file| file.run_ids = None);
    }
    session(&snapshot)
}

#[tokio::test]
async fn the_plan_says_how_many_files_are_left_and_why() {
    let folder = tempfile::tempdir().unwrap();
    let groups: Vec<Vec<u32>> = (0..12).map(|it| vec![it * 2, it * 2 + 1]).collect();
    let store = store_of(folder.path(), &groups);
    let session = session(&store.snapshot().unwrap());
    let one = run_id(7);
    for (filter, files) in [
        (format!("run_id = '{one}'"), 1),
        (format!("run_id IN ('{one}', '{}')", run_id(12)), 2),
        (format!("run_id BETWEEN '{}' AND '{}'", run_id(5), run_id(8)), 3),
        (format!("run_id < '{}'", run_id(4)), 2),
        (format!("run_id = '{one}' AND duration_ns > 0"), 1),
    ] {
        let plan = ask(&session, &format!("EXPLAIN SELECT * FROM steps WHERE {filter}")).await;
        let plan = plan.join("\n");
        let note = format!("PrunedScanExec: files={files} of 11, pruned by run_id bounds");
        assert!(plan.contains(&note), "{filter}: {plan}");
        assert_eq!(plan.matches(".parquet").count(), files, "{filter}: {plan}");
    }
    // More values than the engine turns into comparisons.
    let many: Vec<String> = (100..200).map(|it| format!("'{}'", run_id(it))).collect();
    let filter = format!("run_id IN ({}, '{one}')", many.join(", "));
    let plan = ask(&session, &format!("EXPLAIN SELECT * FROM steps WHERE {filter}")).await;
    assert!(plan.join("\n").contains("files=1 of 11"), "{plan:?}");
    let none = format!("SELECT * FROM steps WHERE run_id = '{}'", run_id(999));
    let plan = ask(&session, &format!("EXPLAIN {none}")).await.join("\n");
    assert!(plan.contains("files=0 of 11"), "{plan}");
    assert!(ask(&session, &none).await.is_empty());
}

#[tokio::test]
async fn a_constant_goes_along_the_keys_of_joins() {
    let folder = tempfile::tempdir().unwrap();
    let groups: Vec<Vec<u32>> = (0..12).map(|it| vec![it * 2, it * 2 + 1]).collect();
    let store = store_of(folder.path(), &groups);
    let snapshot = store.snapshot().unwrap();
    let session = session(&snapshot);
    let from = "FROM runs r JOIN steps s ON s.run_id = r.run_id LEFT JOIN steps t ON \
                t.run_id = s.run_id AND t.step_id = s.step_id";
    let one = run_id(7);
    let plan = ask(&session, &format!("EXPLAIN SELECT * {from} WHERE r.run_id = '{one}'")).await;
    assert_eq!(plan.join("\n").matches("files=1 of 11").count(), 3, "{plan:?}");
    // of the side that keeps its rows nothing follows
    let from = "FROM runs r LEFT JOIN steps s ON s.run_id = r.run_id AND s.run_id =";
    let sql = format!("SELECT count(DISTINCT r.run_id), count(DISTINCT s.run_id) {from} '{one}'");
    assert_eq!(ask(&session, &sql).await, ["24|1"]);
    let none = format!("SELECT count(*), count(s.run_id) {from} 'x' WHERE r.run_id = '{one}'");
    assert_eq!(ask(&session, &none).await, ["1|0"]);
}

#[tokio::test]
async fn the_index_knows_which_files_name_a_contract() {
    let folder = tempfile::tempdir().unwrap();
    let store =
        store_of(folder.path(), &[vec![0, 3], vec![1], vec![2, 4], vec![5], vec![6], vec![7]]);
    let before = store.snapshot().unwrap();
    store.catch_up_index(&mut |_| ControlFlow::Continue(())).unwrap();
    let after = store.snapshot().unwrap();
    store.flush().unwrap(); // the index does not know this file
    let later = store.snapshot().unwrap();
    // 0 and 5 are runs without a contract
    for (snapshot, table, contract, note) in [
        (&before, "runs", "contract_1", None),
        (&after, "runs", "contract_1", Some("files=2 of 5, pruned by index of contracts")),
        (&after, "runs", "contract_2", Some("files=1 of 5, pruned by index of contracts")),
        (&after, "issues", "contract_2", Some("files=2 of 5, pruned by index of contracts")),
        (&after, "runs", "nothing", Some("files=0 of 5, pruned by index of contracts")),
        (&after, "steps", "contract_1", None),
        (&later, "runs", "contract_1", Some("files=3 of 6, pruned by index of contracts")),
    ] {
        let column = if table == "steps" { "step_name" } else { "contract_name" };
        let sql = format!("SELECT * FROM {table} WHERE {column} = '{contract}'");
        let plan = ask(&session(snapshot), &format!("EXPLAIN {sql}")).await.join("\n");
        match note {
            Some(note) => assert!(plan.contains(note), "{sql}: {plan}"),
            None => assert!(!plan.contains("PrunedScanExec"), "{sql}: {plan}"),
        }
        assert_eq!(
            ask(&session(snapshot), &sql).await.len(),
            ask(&unpruned(snapshot), &sql).await.len(),
            "{sql}"
        );
    }
    let filter = format!("contract_name = 'contract_1' AND run_id > '{}'", run_id(3));
    let plan = ask(&session(&after), &format!("EXPLAIN SELECT * FROM runs WHERE {filter}")).await;
    let note = "files=1 of 5, pruned by run_id bounds and index of contracts";
    assert!(plan.join("\n").contains(note), "{plan:?}");
}

#[tokio::test]
async fn a_footer_of_a_file_that_is_left_out_is_not_read() {
    let folder = tempfile::tempdir().unwrap();
    let store = store_of(folder.path(), &[vec![1], vec![2], vec![3]]);
    let snapshot = store.snapshot().unwrap();
    std::fs::write(&snapshot.tables[&Table::Steps].files[0].path, "not a file").unwrap();
    let broken =
        [1, 2].map(|it| format!("SELECT count(*) FROM steps WHERE run_id = '{}'", run_id(it)));
    let session = session(&snapshot);
    let mut answers = Vec::new();
    for sql in &broken {
        let answer = session.query(sql, &genstore::sql::Params::new()).await;
        answers.push(answer.map(|it| it.rows()).map_err(|it| it.kind()));
    }
    answers.sort_by_key(Result::is_err);
    assert_eq!(answers, [Ok(1), Err(genstore::error::ErrorKind::Damaged)]);
}

#[tokio::test]
async fn statistics_filters_limits_and_projections_pass_through() {
    let folder = tempfile::tempdir().unwrap();
    let groups: Vec<Vec<u32>> = (0..6).map(|it| (it * 10..it * 10 + 10).collect()).collect();
    let store = store_of(folder.path(), &groups);
    let session = session(&store.snapshot().unwrap());
    let filter = format!("run_id > '{}'", run_id(24));
    let sql = format!("EXPLAIN SELECT step_name FROM steps WHERE {filter} LIMIT 3");
    let plan = ask(&session, &sql).await.join("\n");
    assert!(plan.contains("files=3 of 5"), "{plan}");
    assert!(plan.contains("pruning_predicate"), "{plan}");
    assert!(plan.contains("projection=[run_id, step_name]"), "{plan}");
    assert_eq!(ask(&session, &format!("SELECT count(*) FROM steps WHERE {filter}")).await, ["70"]);
    let all = ask(&session, "EXPLAIN SELECT count(*), max(run_id) FROM steps").await.join("\n");
    assert!(all.contains("PlaceholderRowExec"), "{all}");
}

/// Filters over what a file is pruned by, and over what it is not.
fn filter() -> impl Strategy<Value = String> {
    let id = || (0..40_u32).prop_map(|it| format!("'{}'", run_id(it)));
    let comparison = proptest::sample::select(vec!["=", "<", ">", "<=", ">=", "<>"]);
    let leaf = prop_oneof![
        (comparison, id()).prop_map(|(op, id)| format!("run_id {op} {id}")),
        (id(), id()).prop_map(|(a, b)| format!("run_id BETWEEN {a} AND {b}")),
        (proptest::collection::vec(id(), 1..30), any::<bool>()).prop_map(|(ids, not)| {
            let not = if not { "NOT " } else { "" };
            format!("run_id {not}IN ({})", ids.join(", "))
        }),
        proptest::sample::select(vec!["=", "<>"])
            .prop_map(|op| format!("contract_name {op} 'contract_2'")),
        Just("contract_name IN ('contract_0', 'nothing')".to_owned()),
        Just("contract_name NOT IN ('contract_0', 'contract_1')".to_owned()),
        Just("contract_name IS NULL".to_owned()),
        Just("run_id LIKE '01990000-0000-7000-8000-00000000001%'".to_owned()),
        Just("run_id IS NULL".to_owned()),
        Just("run_id IS NOT NULL".to_owned()),
        Just("upper(run_id) = run_id".to_owned()),
    ];
    leaf.prop_recursive(3, 8, 2, |inner| {
        prop_oneof![
            (inner.clone(), inner.clone()).prop_map(|(a, b)| format!("({a} AND {b})")),
            (inner.clone(), inner.clone()).prop_map(|(a, b)| format!("({a} OR {b})")),
            inner.prop_map(|it| format!("NOT ({it})")),
        ]
    })
}

#[test]
fn a_pruned_answer_is_the_unpruned_one() {
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let groups =
        [(0..9).collect(), vec![12, 30], vec![10, 11], vec![5, 20, 31], vec![33], vec![8, 35]];
    let store = store_of(folder.path(), &groups);
    store.catch_up_index(&mut |_| ControlFlow::Continue(())).unwrap();
    let snapshot = store.snapshot().unwrap();
    let (pruned, whole) = (session(&snapshot), unpruned(&snapshot));
    let config = ProptestConfig { cases: 60, failure_persistence: None, ..Default::default() };
    let tables = proptest::sample::select(vec!["runs", "issues"]);
    proptest!(config, |(table in tables, filter in filter())| {
        let sql = format!("SELECT * FROM {table} WHERE {filter}");
        let (mut pruned, mut whole) = runtime.block_on(async {
            (ask(&pruned, &sql).await, ask(&whole, &sql).await)
        });
        pruned.sort();
        whole.sort();
        prop_assert_eq!(pruned, whole, "{}", sql);
    });
}
