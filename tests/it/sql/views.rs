//! Views and table functions on a history that is small enough to know the answers: thirty
//! contracts run in batch `a-…`, and again in batch `b-…`, where rendering takes twice as long.

use std::collections::BTreeMap;

use arrow::datatypes::DataType;
use genstore::event::{
    ArtifactRow, BatchRow, IssueRow, LlmCallRow, Row, RunRow, StepLatencyRow, StepRow, Text, TimeUs,
};
use genstore::sql::{CannedQuery, Params, Session, table_functions, views};

use super::fixture::{PLACES, Place, ask, refuse, session, snapshot};

const CONTRACTS: i64 = 30;
/// 2026-11-02T00:00:00Z, a Monday.
pub(super) const START_US: i64 = 1_793_577_600_000_000;
const DAY_US: i64 = 86_400_000_000;

pub(super) fn text(text: impl Into<String>) -> Text {
    Text::from(text.into())
}

fn issue(run_id: &Text, rule: &str, fingerprint: &str, time: TimeUs) -> Row {
    let contract = run_id.rsplit('-').next().unwrap();
    Row::Issues(IssueRow {
        run_id: run_id.clone(),
        contract_digest: Some(text(format!("digest-{contract}"))),
        validator_name: "quality".into(),
        rule_id: text(rule),
        level: "warning".into(),
        fingerprint: text(fingerprint),
        time,
        ..IssueRow::default()
    })
}

/// One run with two steps, of which the second waits for the first.
fn run(batch: &str, contract: i64, day: i64) -> Vec<Row> {
    let is_after = batch.starts_with('b');
    let run_id = text(format!("{batch}-run-{contract:02}"));
    let at = TimeUs(START_US + day * DAY_US + contract * 1_000_000);
    let parse_ns = 1_000_000 + contract * 1_000;
    let render_ns = if is_after { 20_000_000 } else { 10_000_000 } + contract * 10_000;
    let failed = is_after && contract == 0;
    let step = |ordinal: i64, name: &str, after_ns: i64, duration_ns: i64| {
        Row::Steps(StepRow {
            run_id: run_id.clone(),
            step_id: text(format!("{ordinal:016x}")),
            pipeline_name: "generation".into(),
            step_name: text(name),
            component: text(name),
            attempt: 1,
            result: "success".into(),
            start_time: TimeUs(at.0 + after_ns / 1_000),
            duration_ns,
            queue_ns: 500_000,
            on_critical_path: true,
            ..StepRow::default()
        })
    };
    let mut rows = vec![
        Row::Runs(RunRow {
            run_id: run_id.clone(),
            batch_id: Some(text(format!("{batch}-id"))),
            pipeline_name: "generation".into(),
            contract_name: Some(text(format!("node_{contract:02}"))),
            contract_digest: Some(text(format!("digest-{contract:02}"))),
            result: if failed { "failure" } else { "success" }.into(),
            start_time: at,
            duration_ns: parse_ns + render_ns,
            quality_score: Some(80.0),
            template_digest: Some("template-1".into()),
            ..RunRow::default()
        }),
        step(1, "parse", 0, parse_ns),
        step(2, "render", parse_ns, render_ns),
        issue(&run_id, "q.always", "f-always", at),
        Row::Artifacts(ArtifactRow {
            run_id: run_id.clone(),
            filename: text(format!("node_{contract:02}/node.py")),
            kind: "node".into(),
            artifact_digest: text(format!("file-{contract:02}")),
            size_bytes: 100,
            ..ArtifactRow::default()
        }),
    ];
    if contract < 3 {
        rows.push(match is_after {
            true => issue(&run_id, "q.changed", "f-new", at),
            false => issue(&run_id, "q.changed", "f-old", at),
        });
    }
    if is_after && contract < 2 {
        rows.push(Row::LlmCalls(LlmCallRow {
            run_id: run_id.clone(),
            step_id: Some(text(format!("{:016x}", 2))),
            provider_name: "local".into(),
            operation_name: "chat".into(),
            request_model: "coder".into(),
            input_tokens: Some(300),
            output_tokens: Some(100),
            start_time: at,
            duration_ns: 8_000_000,
            error_type: (contract == 1).then(|| "timeout".into()),
            ..LlmCallRow::default()
        }));
    }
    rows
}

pub(super) fn rows() -> Vec<Row> {
    let mut rows = Vec::new();
    for (batch, day) in [("a", 0), ("b", 3)] {
        rows.extend((0..CONTRACTS).flat_map(|it| run(batch, it, day)));
    }
    rows.push(Row::Batches(BatchRow {
        batch_id: "b-id".into(),
        name: Some("candidate".into()),
        uri: "contracts".into(),
        ..BatchRow::default()
    }));
    rows
}

fn sessions(folder: &std::path::Path) -> Vec<(Place, Session)> {
    let rows = rows();
    let of = |place| (place, session(&snapshot(&rows, place, folder)));
    PLACES.map(of).into()
}

#[tokio::test]
async fn headers_name_the_columns_and_their_types() {
    let folder = tempfile::tempdir().unwrap();
    let (_, session) = sessions(folder.path()).remove(0);
    let arguments = BTreeMap::from([
        ("why", "'a-run-03'"),
        ("history", "'node_03'"),
        ("compare", "'a', 'b'"),
        ("lineage", "'file-03'"),
    ]);
    let from = |it: &CannedQuery| match arguments.get(it.name.as_str()) {
        Some(arguments) => format!("{}({arguments})", it.name),
        None => it.name.clone(),
    };
    for of in views().iter().chain(table_functions()) {
        let sql = format!("SELECT * FROM {} LIMIT 1", from(of));
        let output = session.query(&sql, &Params::new()).await;
        let output = output.unwrap_or_else(|error| panic!("{sql}: {error} {:?}", error.hint()));
        let shown: Vec<_> = output
            .schema
            .fields()
            .iter()
            .map(|it| (it.name().clone(), kind(it.data_type()).to_owned()))
            .collect();
        let said: Vec<_> = of.columns.iter().map(|it| (it.name.clone(), it.kind.clone())).collect();
        assert_eq!(shown, said, "{}", of.name);
    }
}

fn kind(of: &DataType) -> &'static str {
    match of {
        DataType::Utf8 => "text",
        DataType::Int64 => "bigint",
        DataType::Float64 => "double",
        DataType::Boolean => "boolean",
        DataType::Timestamp(..) => "timestamp",
        DataType::Binary => "binary",
        _ => "another type",
    }
}

/// Asks wherever the rows are; the answer must be the same.
async fn everywhere(sql: &str, expected: &[&str]) {
    let folder = tempfile::tempdir().unwrap();
    for (place, session) in sessions(folder.path()) {
        assert_eq!(ask(&session, sql).await, expected, "{place:?}: {sql}");
    }
}

#[tokio::test]
async fn why_lays_the_steps_of_a_run_side_by_side() {
    everywhere(
        "SELECT step_name, start_ms, queue_ms, work_ms, model_ms, round(run_share, 3), timeline \
         FROM why('b-run-00')",
        &[
            "parse|0.0|0.5|1.0||0.048|█▉",
            "render|1.0|0.5|20.0|8.0|0.952| ██████████████████████████████████████▏",
        ],
    )
    .await;
    // the beginning of an id will do, and so does what comes to a text
    everywhere("SELECT count(*) FROM why('b-run-' || '07') w", &["2"]).await;
}

#[tokio::test]
async fn history_tells_what_changed_from_run_to_run() {
    everywhere(
        "SELECT contract_name, run_id, result, quality_change, issues, new_issues, fixed_issues \
         FROM history('node_00')",
        &["node_00|a-run-00|success||2||", "node_00|b-run-00|failure|0.0|2|1|1"],
    )
    .await;
    everywhere("SELECT DISTINCT contract_name FROM history('digest-07')", &["node_07"]).await;
}

#[tokio::test]
async fn compare_tells_chance_from_change() {
    everywhere(
        "SELECT measure, name, n_before, n_after, round(before, 1), round(after, 1), \
         round(change, 1), appeared, gone, verdict FROM compare('a-id', 'candidate')",
        &[
            "contracts||30|30|30.0|30.0|0.0|0|0|comparable",
            "result|success|30|30|30.0|29.0|-0.0|0|1|worse",
            "quality|mean score|30|30|80.0|80.0|0.0|||same",
            "latency p50|parse|30|30|1.0|1.0|0.0|||same",
            "latency p50|render|30|30|10.1|20.1|1.0|||worse",
            "latency p95|parse|30|30|1.0|1.0|0.0|||too few",
            "latency p95|render|30|30|10.3|20.3|1.0|||too few",
            "issues|q.always|30|30|30.0|30.0|0.0|0|0|same",
            "issues|q.changed|3|3|3.0|3.0|0.0|3|3|different",
            "model|coder|0|2|0.0|800.0||||",
        ],
    )
    .await;
    everywhere(
        "SELECT verdict FROM compare('b', 'a') WHERE name = 'render' AND measure = 'latency p50'",
        &["better"],
    )
    .await;
}

#[tokio::test]
async fn lineage_leads_from_a_file_to_what_it_was_made_of() {
    everywhere(
        "SELECT kind, id, name, detail FROM lineage('file-01')",
        &[
            "artifact|file-01|node_01/node.py|node, 100 bytes, in 2 runs",
            "run|a-run-01|generation|success",
            "run|b-run-01|generation|success",
            "contract|digest-01|node_01|",
            "template|template-1||in 2 runs",
            "model call||coder|chat",
            "batch|b-id|candidate|contracts",
            "batch|a-id||",
        ],
    )
    .await;
}

#[tokio::test]
async fn views_sum_up_days_steps_rules_and_models() {
    everywhere(
        "SELECT day::date AS date, runs, succeeded, quality_mean, quality_7d_mean, quality_p10 FROM \
         quality_daily ORDER BY day",
        &["2026-11-02|30|30|80.0|80.0|80.0", "2026-11-05|30|29|80.0|80.0|80.0"],
    )
    .await;
    everywhere(
        "SELECT step_name, runs, round(critical_share, 3), queue_ms FROM step_share ORDER BY 1",
        &["parse|60|0.063|30.0", "render|60|0.937|30.0"],
    )
    .await;
    everywhere(
        "SELECT day::date AS date, rule_id, issues, runs, contracts, run_share FROM rule_trend ORDER BY 1, 2",
        &[
            "2026-11-02|q.always|30|30|30|1.0",
            "2026-11-02|q.changed|3|3|3|0.1",
            "2026-11-05|q.always|30|30|30|1.0",
            "2026-11-05|q.changed|3|3|3|0.1",
        ],
    )
    .await;
    everywhere(
        "SELECT request_model, calls, failed, input_tokens, output_tokens, cost_usd, p50_ms, \
         tokens_per_s FROM model_usage",
        &["coder|2|1|600|200||8.0|12500.0"],
    )
    .await;
}

#[tokio::test]
async fn what_is_not_there_is_named() {
    let folder = tempfile::tempdir().unwrap();
    for (_, session) in sessions(folder.path()) {
        for (sql, message) in [
            ("SELECT * FROM why('c-run')", "there is no run 'c-run'"),
            ("SELECT * FROM why('a-run-1')", "'a-run-1' is the beginning of 10 run ids"),
            ("SELECT * FROM history('node_99')", "there is no contract 'node_99'"),
            ("SELECT * FROM history('digest-1')", "the beginning of 10 contract ids"),
            ("SELECT * FROM compare('a', 'nightly')", "there is no batch 'nightly'"),
            ("SELECT * FROM lineage('file')", "'file' is the beginning of 30 artifact ids"),
            ("SELECT * FROM why()", "why takes 1 argument, not 0"),
            ("SELECT * FROM compare('a')", "compare takes 2 arguments, not 1"),
            ("SELECT * FROM why(nope)", "there is no column nope"),
            ("SELECT * FROM latnecy", "there is no table latnecy"),
            ("SELECT * FROM hitsory('x')", "there is no function hitsory"),
        ] {
            let error = refuse(&session, sql).await;
            assert!(error.message().contains(message), "{sql}: {error}");
        }
        let error = refuse(&session, "SELECT p99ms FROM latency").await;
        assert_eq!(error.hint(), Some("did you mean p99_ms?"));
    }
}

/// What the user calls his own does not collide with what there is.
#[tokio::test]
async fn names_of_the_user_go_before_views() {
    let folder = tempfile::tempdir().unwrap();
    let (_, session) = sessions(folder.path()).remove(0);
    let sql = "WITH latency AS (SELECT 1 AS x) SELECT x FROM latency";
    assert_eq!(ask(&session, sql).await, ["1"]);
    let sql = "SELECT count(*) FROM why('a-run-01') x JOIN why('b-run-01') y USING (step_name)";
    assert_eq!(ask(&session, sql).await, ["2"]);
    let sql =
        "SELECT table_name FROM information_schema.tables WHERE table_type = 'VIEW' ORDER BY 1";
    assert!(ask(&session, sql).await.contains(&"step_share".to_owned()));
    assert!(ask(&session, "EXPLAIN SELECT * FROM why('a-run-01')").await.len() > 1);
}

#[tokio::test]
async fn regressions_hold_the_last_week_against_the_month_before() {
    use genstore::store::snapshot::{Snapshot, TableSnapshot};
    let now = ask(&super::fixture::nothing(), "SELECT now()::timestamp::bigint / 1000").await;
    let now_us: i64 = now[0].parse().unwrap();
    let latency = |days_ago: i64, step: &str, us: std::ops::Range<u64>| {
        let mut histogram = hdrhistogram::Histogram::<u64>::new(3).unwrap();
        us.for_each(|it| histogram.record(it).unwrap());
        let mut bytes = Vec::new();
        let mut writer = hdrhistogram::serialization::V2Serializer::new();
        hdrhistogram::serialization::Serializer::serialize(&mut writer, &histogram, &mut bytes)
            .unwrap();
        let hour_us = 3_600_000_000;
        Row::StepLatency(StepLatencyRow {
            hour: TimeUs((now_us - days_ago * DAY_US) / hour_us * hour_us),
            pipeline_name: "generation".into(),
            step_name: text(step),
            result: "success".into(),
            count: histogram.len() as i64,
            histogram: bytes,
            ..StepLatencyRow::default()
        })
    };
    let rows = [
        latency(40, "render", 90_000..91_000), // too long ago to count
        latency(20, "render", 1_000..2_000),
        latency(2, "render", 1_500..2_500),
        latency(20, "parse", 1_000..2_000),
        latency(2, "parse", 1_010..2_010),
        latency(2, "write", 1..100),
    ];
    let mut snapshot = Snapshot::default();
    let table = genstore::event::Table::StepLatency;
    let hot = vec![genstore::store::schema::to_batch(table, &rows).unwrap()];
    snapshot.tables.insert(table, TableSnapshot { hot, ..TableSnapshot::default() });
    let sql = "SELECT step_name, before_n, after_n, p50_verdict, p99_verdict FROM regressions \
               ORDER BY 1";
    assert_eq!(
        ask(&session(&snapshot), sql).await,
        [
            "parse|1000|1000|same|same",
            "render|1000|1000|higher|higher",
            "write|0|99|too few|too few"
        ]
    );
}
