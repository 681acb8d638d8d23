//! Every canned query has an answer, and the same one wherever the rows are.

use std::collections::BTreeMap;

use genstore::event::{IssueRow, Row, RunRow, StepRow, TimeUs};
use genstore::sql::{CannedQuery, Queries};

use super::fixture::{PLACES, lines, session, snapshot};
use super::views::{START_US, rows, text};

/// A run that failed, was tried again, and lost quality; and an issue that is suppressed.
fn trouble() -> Vec<Row> {
    let at = TimeUs(START_US + 5 * 86_400_000_000);
    let step = |ordinal: i64, result: &str| {
        Row::Steps(StepRow {
            run_id: "c-run".into(),
            step_id: text(format!("{ordinal:016x}")),
            pipeline_name: "generation".into(),
            step_name: "render".into(),
            component: "render".into(),
            attempt: ordinal,
            result: text(result),
            error_type: (result == "error").then(|| "connection".into()),
            error_message: (result == "error").then(|| "refused".into()),
            start_time: at,
            duration_ns: 5_000_000,
            ..StepRow::default()
        })
    };
    vec![
        step(1, "error"),
        step(2, "success"),
        Row::Runs(RunRow {
            run_id: "c-run".into(),
            pipeline_name: "generation".into(),
            contract_name: Some("node_01".into()),
            contract_digest: Some("digest-01".into()),
            result: "failure".into(),
            start_time: at,
            duration_ns: 10_000_000,
            quality_score: Some(50.0),
            ..RunRow::default()
        }),
        Row::Issues(IssueRow {
            run_id: "c-run".into(),
            validator_name: "security".into(),
            rule_id: "s.eval".into(),
            level: "error".into(),
            suppressed: true,
            suppression: Some("reviewed".into()),
            time: at,
            ..IssueRow::default()
        }),
    ]
}

/// What a query is given for a parameter of this name: all of the past, for one.
fn arguments(query: &CannedQuery) -> Vec<(&str, &str)> {
    let known = BTreeMap::from([
        ("after", "candidate"),
        ("artifact", "file-01"),
        ("batch_id", "b-id"),
        ("before", "a-id"),
        ("contract", "node_01"),
        ("run", "b-run-01"),
        ("since", "2026-10-01"),
        ("step", "render"),
    ]);
    let params = query.params.iter();
    let needed = params.filter(|it| it.required || it.name == "since");
    needed.map(|it| (it.name.as_str(), known[it.name.as_str()])).collect()
}

/// Those that look at sketches, scores and times of batches, which this history has none of.
const EMPTY: [&str; 4] = ["latency_hourly", "regressions", "scores", "batches"];

#[tokio::test]
async fn every_query_answers_wherever_the_rows_are() {
    let folder = tempfile::tempdir().unwrap();
    let rows: Vec<Row> = rows().into_iter().chain(trouble()).collect();
    let sessions = PLACES.map(|it| session(&snapshot(&rows, it, folder.path())));
    let mut empty = Vec::new();
    for query in Queries::builtin().all() {
        let arguments = arguments(query);
        let mut answers = Vec::new();
        for session in &sessions {
            let answer = session.canned(&query.name, &arguments).await;
            let answer = answer.unwrap_or_else(|it| panic!("{}: {it} {:?}", query.name, it.hint()));
            if let Some(chart) = &query.chart {
                for column in std::iter::once(&chart.x).chain(&chart.y) {
                    assert!(
                        answer.schema.field_with_name(column).is_ok(),
                        "{}: {column}",
                        query.name
                    );
                }
            }
            answers.push(lines(&answer));
        }
        assert!(answers.windows(2).all(|it| it[0] == it[1]), "{}: {answers:?}", query.name);
        if answers[0].is_empty() && query.name != "contracts" {
            empty.push(query.name.as_str());
        }
    }
    assert_eq!(empty, EMPTY);
}

#[tokio::test]
async fn trouble_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let rows: Vec<Row> = rows().into_iter().chain(trouble()).collect();
    let session = session(&snapshot(&rows, PLACES[0], folder.path()));
    for (query, first) in [
        ("retries", "generation|render|61|1|0.0164|1|0|5.0|0.0"),
        ("quality_change", "node_01|80.0|50.0|-30.0|2026-11-07T00:00:00Z|c-run"),
        ("suppressions", "s.eval|reviewed|1|1|0|"),
    ] {
        let answer = lines(&session.canned(query, &[]).await.unwrap());
        assert_eq!(answer[0], first, "{query}");
    }
    let errors = lines(&session.canned("errors", &[]).await.unwrap());
    assert_eq!(errors, ["render|error|connection|1|1|2026-11-07T00:00:00Z|refused"]);
    // two of three runs of node_01 is little to go by, and is said to be
    let rates = lines(&session.canned("error_rate", &[]).await.unwrap());
    assert!(rates[0].starts_with("node_00|2|1|0.5|0.0945|0.9055|"), "{rates:?}");
    let suspects = session.canned("compare", &[("before", "a"), ("after", "b")]).await.unwrap();
    let suspects = lines(&suspects);
    assert!(suspects.iter().any(|it| it.starts_with("latency p50|render|")), "{suspects:?}");
    assert!(!suspects.iter().any(|it| it.contains("|parse|")), "{suspects:?}");
}
