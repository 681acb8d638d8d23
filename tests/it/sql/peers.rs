//! The same questions to genstore and to DuckDB, which reads what genstore has exported: answers
//! are the same, wherever our rows are. Wants `GENSTORE_PYTHON`; `GENSTORE_SEED` chooses others.
//!
//! Percentiles are written `{p:x:0.95}` and become `quantile(x, 0.95)` here, `quantile_cont` there.

use std::path::Path;
use std::sync::Arc;

use arrow::array::{Array, AsArray, RecordBatch};
use arrow::datatypes::{DataType, Float64Type, Int32Type, Int64Type, TimestampMicrosecondType};
use arrow::datatypes::{TimeUnit, TimestampNanosecondType, UInt64Type};
use genstore::clock::{SeededIds, SystemClock};
use genstore::event::{Event, IssueRow, LlmCallRow, Row, RunRow, StepRow, Text, TimeUs};
use genstore::sql::{Params, Session, SessionSettings};
use genstore::store::{Location, Store, StoreOptions};
use serde_json::Value as Json;

use super::fixture::PLACES;
use super::fixture::Place as Where;
use crate::dice::Dice;
use crate::program::{Place, Python};

const RUNS: u64 = 1_200;
const RUNS_PER_COMMIT: u64 = 50;
const QUERIES: usize = 200;
/// 2026-08-03T00:00:00Z, a Monday; the history lasts ninety days.
const START_US: i64 = 1_785_715_200_000_000;
const DAY_US: i64 = 86_400_000_000;

const STEPS: [&str; 5] = ["parse", "generate", "validate", "score", "write"];
const PIPELINES: [&str; 3] = ["node_generation", "nightly", "it's \"odd\" %_"];

/// All rows of one run, its own last.
fn run(n: u64, dice: &mut Dice) -> Vec<Event> {
    let mut maybe = |of: u64| dice.below(of) == 0;
    let (fails, unjudged, costly, retried, skips) =
        (maybe(7), maybe(9), maybe(3), maybe(8), maybe(11));
    let run_id = Text::from(match n {
        700 => "01a13a48-9e00-7707-8707-070707070707".to_owned(),
        n => format!("run-{n:05}"),
    });
    let start_us = START_US + (n as i64) * 90 * DAY_US / RUNS as i64 + dice.below(1_000_000) as i64;
    let pipeline = Text::from(PIPELINES[dice.below(20).saturating_sub(17) as usize]);
    let node_type =
        (!n.is_multiple_of(5)).then(|| Text::from(["COMPUTE", "EFFECT"][n as usize % 2]));
    let mut rows: Vec<Row> = Vec::new();
    let (mut total_ns, mut ordinal) = (0, 0);
    for (at, step) in STEPS.iter().enumerate() {
        let attempts = if retried && at == 1 { 3 } else { 1 };
        for attempt in 1..=attempts {
            ordinal += 1;
            let duration_ns = match dice.below(50) {
                0 => 0,
                1 => 30_000_000_000 + dice.below(1_000_000_000) as i64,
                _ => dice.below(20_000_000) as i64 * (at as i64 + 1),
            };
            total_ns += duration_ns;
            let ok = attempt == attempts && !(fails && at == 2);
            let result = if skips && at == 3 { "skip" } else { ["error", "success"][ok as usize] };
            rows.push(Row::from(StepRow {
                run_id: run_id.clone(),
                step_id: Text::from(format!("{ordinal:016x}")),
                pipeline_name: pipeline.clone(),
                node_type: node_type.clone(),
                step_name: Text::from(*step),
                attempt,
                result: result.into(),
                error_type: (!ok).then(|| Text::from("validation")),
                start_time: TimeUs(start_us + ordinal),
                duration_ns,
                wait_ns: if attempt > 1 { attempt * 1_000 } else { 0 },
                on_critical_path: at != 3,
                ..StepRow::default()
            }));
        }
    }
    let issues = dice.below(6);
    for issue in 0..issues {
        rows.push(Row::from(IssueRow {
            run_id: run_id.clone(),
            step_id: (issue % 2 == 0).then(|| Text::from(format!("{:016x}", 3))),
            validator_name: "security".into(),
            rule_id: Text::from(format!("security.rule-{}", dice.below(30))),
            level: Text::from(["note", "warning", "error"][dice.below(3) as usize]),
            message: Text::from(format!("line {}", dice.below(100))),
            start_line: (issue % 3 != 0).then_some(issue as i64),
            time: TimeUs(start_us),
            ..IssueRow::default()
        }));
    }
    if costly {
        rows.push(Row::from(LlmCallRow {
            run_id: run_id.clone(),
            request_model: Text::from(["small", "large"][dice.below(2) as usize]),
            input_tokens: (!unjudged).then(|| dice.below(10_000) as i64),
            output_tokens: Some(dice.below(2_000) as i64),
            start_time: TimeUs(start_us),
            duration_ns: dice.below(5_000_000_000) as i64,
            cost_usd: Some(dice.below(1_000) as f64 / 1e4),
            ..LlmCallRow::default()
        }));
    }
    rows.push(Row::from(RunRow {
        run_id,
        batch_id: n.is_multiple_of(3).then(|| Text::from(format!("batch-{}", n / 300))),
        pipeline_name: pipeline,
        contract_name: (!n.is_multiple_of(13)).then(|| Text::from(format!("node_{}", n % 17))),
        node_type,
        result: if fails { "failure" } else { "success" }.into(),
        error_type: fails.then(|| "validation".into()),
        start_time: TimeUs(start_us),
        end_time: TimeUs(start_us + total_ns / 1_000),
        duration_ns: total_ns,
        quality_score: (!unjudged).then(|| dice.below(10_001) as f64 / 100.0),
        warning_count: issues as i64,
        ..RunRow::default()
    }));
    rows.into_iter().map(Event::from).collect()
}

/// A store with the history in a place, and the session over it.
fn store(folder: &Path, place: Where) -> (Store, Session) {
    let clock = Arc::new(SystemClock::new());
    let ids = Arc::new(SeededIds::new(7));
    let options = StoreOptions { flush_age_ms: 86_400_000, ..StoreOptions::default() };
    let location = Location::from(folder);
    let store = Store::open_at(&location, options, Arc::clone(&clock) as _, ids).unwrap();
    let mut dice = Dice::new(1);
    for first in (0..RUNS).step_by(RUNS_PER_COMMIT as usize) {
        let runs = first..first + RUNS_PER_COMMIT;
        store.commit_blocking(runs.flat_map(|n| run(n, &mut dice)).collect()).unwrap();
        if place == Where::Mixed && first == RUNS / 2 {
            store.flush().unwrap();
        }
    }
    if place == Where::Cold {
        store.flush().unwrap();
    }
    let settings = SessionSettings { threads: 2, ..SessionSettings::default() };
    let session = Session::new(&store.snapshot().unwrap(), settings, clock).unwrap();
    (store, session)
}

/// Questions of an analyst; those of the bench, too, where they lie beside.
const QUESTIONS: &[&str] = &[
    "SELECT step_name, count(*), {p:duration_ns:0.5}, {p:duration_ns:0.95}, {p:duration_ns:0.99} \
     FROM steps WHERE result <> 'skip' GROUP BY step_name",
    "SELECT date_trunc('hour', start_time), count(*), {p:duration_ns:0.95} FROM steps \
     WHERE step_name = 'generate' GROUP BY 1",
    "WITH d AS (SELECT date_trunc('day', start_time) AS day, avg(quality_score) AS q FROM runs \
     GROUP BY 1) SELECT day, q, avg(q) OVER (ORDER BY day ROWS 6 PRECEDING) FROM d",
    "WITH w AS (SELECT pipeline_name, step_name, sum(duration_ns) AS ns FROM steps \
     WHERE on_critical_path GROUP BY 1, 2) SELECT pipeline_name, step_name, \
     ns * 1.0 / sum(ns) OVER (PARTITION BY pipeline_name) FROM w",
    "SELECT s.step_id, s.step_name, s.attempt, i.rule_id, i.message FROM runs r JOIN steps s \
     ON s.run_id = r.run_id LEFT JOIN issues i ON i.run_id = s.run_id AND i.step_id = s.step_id \
     WHERE r.run_id = 'run-00042'",
    "SELECT step_name, {p:CASE WHEN start_time >= '2026-10-25T00:00:00Z' THEN duration_ns END:0.99}, \
     {p:CASE WHEN start_time < '2026-10-25T00:00:00Z' THEN duration_ns END:0.99} FROM steps \
     WHERE start_time >= '2026-09-25T00:00:00Z' GROUP BY step_name",
    "SELECT i.rule_id, count(DISTINCT i.run_id) AS n, count(*) FROM issues i JOIN runs r \
     ON r.run_id = i.run_id WHERE r.result <> 'success' GROUP BY 1 ORDER BY 2 DESC, 1 LIMIT 20",
    "SELECT contract_name, count(*), avg(CASE WHEN result <> 'success' THEN 1.0 ELSE 0.0 END) \
     FROM runs GROUP BY contract_name",
    "SELECT r.pipeline_name, s.step_name, count(DISTINCT r.run_id), count(*), count(i.rule_id), \
     sum(s.duration_ns) FROM runs r JOIN steps s ON s.run_id = r.run_id LEFT JOIN issues i \
     ON i.run_id = s.run_id AND i.step_id = s.step_id WHERE r.start_time >= \
     '2026-10-14T00:00:00Z' AND r.start_time < '2026-10-15T00:00:00Z' GROUP BY 1, 2",
    "SELECT date_trunc('week', start_time), request_model, count(*), sum(input_tokens), \
     sum(output_tokens), sum(cost_usd) FROM llm_calls GROUP BY 1, 2",
];

/// Random questions. Those with a LIMIT have one order only.
struct Asker {
    dice: Dice,
}

impl Asker {
    fn pick<'a>(&mut self, of: &[&'a str]) -> &'a str {
        of[self.dice.below(of.len() as u64) as usize]
    }

    fn query(&mut self) -> String {
        match self.dice.below(6) {
            0 | 1 => self.grouped(),
            2 => self.ordered(),
            3 => self.joined(),
            4 => self.windowed(),
            _ => self.set_wise(),
        }
    }

    /// A condition on rows of steps; some are NULL for some rows.
    fn condition(&mut self) -> String {
        let n = self.dice.below(40_000_000);
        let simple = match self.dice.below(16) {
            0 => format!("duration_ns > {n}"),
            1 => format!("duration_ns BETWEEN {n} AND {}", n * 3),
            2 => "node_type = 'COMPUTE'".to_owned(),
            3 => "node_type <> 'COMPUTE'".to_owned(),
            4 => "node_type IS NULL".to_owned(),
            5 => "node_type IS DISTINCT FROM 'EFFECT'".to_owned(),
            6 => "step_name IN ('parse', 'write', NULL)".to_owned(),
            7 => "step_name NOT IN ('parse', 'score')".to_owned(),
            8 => "node_type NOT IN ('COMPUTE', NULL)".to_owned(),
            9 => format!("run_id LIKE 'run-0{}%'", self.dice.below(2)),
            10 => "pipeline_name LIKE '%\"odd\"%'".to_owned(),
            11 => "step_name LIKE '_r%' OR step_name ILIKE 'GEN%'".to_owned(),
            12 => format!("start_time >= '2026-{:02}-1{}T00:00:00Z'", 8 + n % 3, n % 10),
            13 => "on_critical_path".to_owned(),
            14 => {
                format!("coalesce(error_type, 'none') = '{}'", self.pick(&["none", "validation"]))
            }
            _ => format!("duration_ns % {} = 0", 2 + n % 5),
        };
        match self.dice.below(5) {
            0 => format!("NOT ({simple})"),
            1 => format!("({simple}) AND ({})", self.condition()),
            2 => format!("({simple}) OR ({})", self.condition()),
            _ => simple,
        }
    }

    fn key(&mut self) -> &'static str {
        self.pick(&[
            "step_name",
            "node_type",
            "pipeline_name",
            "result",
            "error_type",
            "date_trunc('day', start_time)",
            "date_trunc('hour', start_time)",
            "date_trunc('week', start_time)",
            "date_trunc('month', start_time)",
            "extract(hour FROM start_time)",
            "attempt",
            "on_critical_path",
            "duration_ns % 7",
            "CASE WHEN duration_ns < 1000000 THEN 'fast' WHEN node_type = 'EFFECT' THEN 'slow' END",
            "coalesce(node_type, 'none')",
            "nullif(step_name, 'parse')",
            "substr(run_id, 1, 6)",
            "upper(step_name) || '-' || node_type",
        ])
    }

    fn aggregate(&mut self) -> String {
        let x = self.pick(&["duration_ns", "attempt", "nullif(duration_ns, 0)", "wait_ns"]);
        match self.dice.below(14) {
            0 => "count(*)".to_owned(),
            1 => format!("count({x})"),
            2 => format!("sum({x})"),
            3 => format!("avg({x})"),
            4 => format!("min({x})"),
            5 => format!("max({x})"),
            6 => "count(DISTINCT node_type)".to_owned(),
            7 => "min(run_id)".to_owned(),
            8 => "max(start_time)".to_owned(),
            9 => "count(*) FILTER (WHERE result = 'error')".to_owned(),
            10 => format!("sum(CASE WHEN node_type = 'EFFECT' THEN {x} ELSE 0 END)"),
            11 => "bool_and(on_critical_path)".to_owned(),
            _ => format!(
                "{{p:{x}:{}}}",
                self.pick(&["0", "0.1", "0.5", "0.9", "0.99", "0.999", "1"])
            ),
        }
    }

    fn grouped(&mut self) -> String {
        let (key, other) = (self.key(), self.key());
        let (a, b, c) = (self.aggregate(), self.aggregate(), self.condition());
        match self.dice.below(4) {
            0 => format!("SELECT {a} AS a, {b} AS b FROM steps WHERE {c}"),
            1 => format!("SELECT {key} AS k, {a} AS a, {b} AS b FROM steps WHERE {c} GROUP BY 1"),
            2 => format!("SELECT {key} AS k, {other} AS l, {a} FROM steps WHERE {c} GROUP BY 1, 2"),
            _ => format!(
                "SELECT {key} AS k, {a} AS a, count(*) AS n FROM steps WHERE {c} GROUP BY 1 \
                 HAVING count(*) > {}",
                self.dice.below(60)
            ),
        }
    }

    fn ordered(&mut self) -> String {
        let (key, c) = (self.key(), self.condition());
        let way = self.pick(&["ASC", "DESC"]);
        let (limit, offset) = (self.dice.below(30), self.dice.below(50));
        format!(
            "SELECT {key} AS k, run_id, step_id FROM steps WHERE {c} \
             ORDER BY 1 {way} NULLS LAST, run_id, step_id LIMIT {limit} OFFSET {offset}"
        )
    }

    fn joined(&mut self) -> String {
        let kind = self.pick(&["JOIN", "LEFT JOIN", "RIGHT JOIN", "FULL JOIN"]);
        let on = self.pick(&[
            "i.run_id = r.run_id",
            "i.run_id = r.run_id AND i.level = 'error'",
            "i.run_id = r.run_id AND r.quality_score < 50",
            "i.run_id = r.run_id AND i.start_line > r.warning_count - 3",
        ]);
        let level = self.pick(&["i.level", "r.node_type", "r.result", "i.level IS NULL"]);
        match self.dice.below(4) {
            0 => format!(
                "SELECT {level} AS k, count(*), count(i.run_id), count(DISTINCT r.run_id), \
                 sum(r.duration_ns), avg(r.quality_score), {{p:r.quality_score:0.9}} \
                 FROM runs r {kind} issues i ON {on} GROUP BY 1"
            ),
            1 => format!(
                "SELECT r.run_id, r.quality_score, i.rule_id, i.message FROM runs r {kind} issues i \
                 ON {on} WHERE r.start_time >= '2026-10-{}T00:00:00Z'",
                10 + self.dice.below(20)
            ),
            2 => format!(
                "SELECT r.result, count(*) FROM runs r WHERE {} (SELECT 1 FROM issues i WHERE {on}) \
                 GROUP BY 1",
                self.pick(&["EXISTS", "NOT EXISTS"])
            ),
            _ => format!(
                "SELECT s.step_name, r.node_type, count(*), {{p:s.duration_ns:0.95}} FROM steps s \
                 JOIN runs r USING (run_id) JOIN runs o ON o.batch_id = r.batch_id \
                 AND o.run_id < r.run_id AND o.result = '{}' GROUP BY 1, 2",
                self.pick(&["failure", "success"])
            ),
        }
    }

    fn windowed(&mut self) -> String {
        let by = self.pick(&["", "PARTITION BY step_name ", "PARTITION BY node_type, attempt "]);
        let order = "ORDER BY start_time, run_id, step_id";
        let frame = self.pick(&[
            "",
            "ROWS 6 PRECEDING",
            "ROWS BETWEEN 3 PRECEDING AND 2 FOLLOWING",
            "ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW",
            "ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING",
        ]);
        let f = match self.dice.below(10) {
            0 => format!("row_number() OVER ({by}{order})"),
            1 => format!("rank() OVER ({by}ORDER BY duration_ns)"),
            2 => format!("lag(duration_ns) OVER ({by}{order})"),
            3 => format!("lead(step_name, 2, 'none') OVER ({by}{order})"),
            4 => format!("sum(duration_ns) OVER ({by}{order} {frame})"),
            5 => format!("avg(nullif(duration_ns, 0)) OVER ({by}{order} {frame})"),
            6 => format!("min(duration_ns) OVER ({by}{order} {frame})"),
            7 => format!("count(node_type) OVER ({by}{order} {frame})"),
            8 => format!("first_value(run_id) OVER ({by}{order} {frame})"),
            _ => format!("{{p:duration_ns:0.5}} OVER ({by}{order} {frame})"),
        };
        let run = 100 + self.dice.below(RUNS - 200);
        format!(
            "SELECT run_id, step_id, {f} AS w FROM steps WHERE run_id >= 'run-{run:05}' \
             AND run_id < 'run-{:05}'",
            run + 60
        )
    }

    fn set_wise(&mut self) -> String {
        let (c, d) = (self.condition(), self.condition());
        match self.dice.below(4) {
            0 => format!(
                "SELECT run_id FROM steps WHERE {c} {} SELECT run_id FROM steps WHERE {d}",
                self.pick(&["UNION", "UNION ALL", "EXCEPT", "INTERSECT"])
            ),
            1 => format!("SELECT DISTINCT step_name, node_type FROM steps WHERE {c}"),
            2 => format!(
                "SELECT count(*) FROM runs WHERE run_id {} (SELECT run_id FROM steps WHERE {c})",
                self.pick(&["IN", "NOT IN"])
            ),
            _ => format!(
                "SELECT run_id, (SELECT count(*) FROM issues i WHERE i.run_id = r.run_id \
                 AND i.level = '{}') AS n FROM runs r WHERE duration_ns > (SELECT avg(duration_ns) \
                 FROM steps WHERE {c})",
                self.pick(&["note", "error"])
            ),
        }
    }
}

/// The text with percentiles as `call` writes them.
fn with_percentiles(text: &str, call: &str) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("{p:") {
        let (inner, after) = after.split_once('}').unwrap();
        let (x, q) = inner.rsplit_once(':').unwrap();
        out += &format!("{before}{call}({x}, {q})");
        rest = after;
    }
    out + rest
}

fn cells(batch: &RecordBatch) -> Vec<Vec<Json>> {
    let row = |row| batch.columns().iter().map(|it| cell(it.as_ref(), row)).collect();
    (0..batch.num_rows()).map(row).collect()
}

fn cell(column: &dyn Array, row: usize) -> Json {
    if column.is_null(row) {
        return Json::Null;
    }
    match column.data_type() {
        DataType::Null => Json::Null,
        DataType::Boolean => column.as_boolean().value(row).into(),
        DataType::Utf8 => column.as_string::<i32>().value(row).into(),
        DataType::Int32 => column.as_primitive::<Int32Type>().value(row).into(),
        DataType::Int64 => column.as_primitive::<Int64Type>().value(row).into(),
        DataType::UInt64 => column.as_primitive::<UInt64Type>().value(row).into(),
        DataType::Float64 => match column.as_primitive::<Float64Type>().value(row) {
            it if it.is_finite() => it.into(),
            it => it.to_string().to_lowercase().into(),
        },
        DataType::Timestamp(TimeUnit::Microsecond, _) => {
            column.as_primitive::<TimestampMicrosecondType>().value(row).into()
        }
        DataType::Timestamp(TimeUnit::Nanosecond, _) => {
            (column.as_primitive::<TimestampNanosecondType>().value(row) / 1_000).into()
        }
        other => panic!("no cell of type {other}"),
    }
}

/// Whole numbers, texts and truth exactly; fractions to a billionth.
fn is_same(ours: &Json, theirs: &Json) -> bool {
    if let (Some(a), Some(b)) = (ours.as_i64(), theirs.as_i64()) {
        return a == b;
    }
    match (ours.as_f64(), theirs.as_f64()) {
        (Some(a), Some(b)) => (a - b).abs() <= 1e-9 * a.abs().max(b.abs()),
        _ => ours == theirs,
    }
}

/// Rows in an order that a fraction's last digit does not change.
fn sorted(mut rows: Vec<Vec<Json>>) -> Vec<Vec<Json>> {
    let key = |cell: &Json| match cell.as_f64() {
        Some(number) => format!("{number:024.3}"),
        None => cell.to_string(),
    };
    rows.sort_by_cached_key(|row| row.iter().map(key).collect::<Vec<_>>());
    rows
}

async fn answer(session: &Session, sql: &str) -> Result<Vec<Vec<Json>>, String> {
    let output = session.query(sql, &Params::new()).await;
    let output = output.map_err(|it| format!("{it} {:?}", it.hint()))?;
    Ok(output.batches.iter().flat_map(cells).collect())
}

/// The questions of the bench, ours beside DuckDB's.
fn of_the_bench() -> Vec<(String, String)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("benches/questions");
    let Ok(entries) = std::fs::read_dir(&folder) else { return Vec::new() };
    let mut names: Vec<_> =
        entries.map(|it| it.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    let read = |name: &str| std::fs::read_to_string(folder.join(name)).ok();
    let plain = names.iter().filter(|it| it.ends_with(".sql") && it.matches('.').count() == 1);
    let pair = |name: &String| {
        let theirs = read(name)?;
        let ours = read(&name.replace(".sql", ".genstore.sql")).unwrap_or_else(|| theirs.clone());
        Some((ours, theirs))
    };
    plain.filter_map(pair).collect()
}

#[tokio::test]
async fn answers_are_those_of_duckdb() {
    let Some(python) = Python::new() else { return };
    let seed = std::env::var("GENSTORE_SEED").ok().and_then(|it| it.parse().ok()).unwrap_or(2_026);
    let mut asker = Asker { dice: Dice::new(seed) };
    let random = (0..QUERIES).map(|_| asker.query());
    let texts = QUESTIONS.iter().map(|it| (*it).to_owned()).chain(random);
    let mut pairs = of_the_bench();
    pairs.extend(
        texts.map(|it| (with_percentiles(&it, "quantile"), with_percentiles(&it, "quantile_cont"))),
    );

    let place = Place::new();
    let stores = PLACES.map(|it| store(&place.root.path().join(format!("{it:?}")), it));
    let cold = place.root.path().join("Cold");
    let exported = place.run(&["export", "--to", "out", "--store", cold.to_str().unwrap()]);
    assert!(exported.status.success(), "{}", String::from_utf8_lossy(&exported.stderr));
    let theirs: Vec<&String> = pairs.iter().map(|it| &it.1).collect();
    let asked = place.root.path().join("asked.json");
    std::fs::write(&asked, serde_json::to_string(&theirs).unwrap()).unwrap();
    let args = [place.root.path().join("out"), asked];
    let said = python.run(include_str!("peers.py"), args, &[]).unwrap_or_else(|it| panic!("{it}"));
    let answers: Vec<Json> = serde_json::from_str(&said).unwrap();
    assert_eq!(answers.len(), pairs.len());

    let mut wrong = Vec::new();
    for ((ours, theirs), expected) in pairs.iter().zip(&answers) {
        let Some(rows) = expected["rows"].as_array() else {
            wrong.push(format!("{theirs}\n  duckdb: {}", expected["error"]));
            continue;
        };
        let rows: Vec<Vec<Json>> = rows.iter().map(|it| it.as_array().unwrap().clone()).collect();
        let rows = if ours.contains("LIMIT") { rows } else { sorted(rows) };
        for ((_, session), place) in stores.iter().zip(PLACES) {
            let found = match answer(session, ours).await {
                Ok(found) if ours.contains("LIMIT") => found,
                Ok(found) => sorted(found),
                Err(error) => {
                    wrong.push(format!("{place:?} {ours}\n  {error}"));
                    break;
                }
            };
            let differs = found.iter().zip(&rows).position(|(a, b)| {
                a.len() != b.len() || !a.iter().zip(b).all(|(a, b)| is_same(a, b))
            });
            let count = (found.len(), rows.len());
            if let Some(at) = differs.or((count.0 != count.1).then(|| count.0.min(count.1))) {
                wrong.push(format!(
                    "{place:?}, seed {seed}, row {at} of {count:?}\n{ours}\n  ours   {:?}\n  \
                     duckdb {:?}",
                    found.get(at),
                    rows.get(at)
                ));
                break;
            }
        }
    }
    assert!(wrong.is_empty(), "{} of {} differ\n{}", wrong.len(), pairs.len(), wrong.join("\n"));
}

/// Sketches hold microseconds to a thousandth.
#[tokio::test]
async fn sketches_agree_with_exact_quantiles_of_duckdb() {
    let Some(python) = Python::new() else { return };
    let place = Place::new();
    let stores = PLACES.map(|it| store(&place.root.path().join(format!("{it:?}")), it));
    let cold = place.root.path().join("Cold");
    let exported = place.run(&["export", "--to", "out", "--store", cold.to_str().unwrap()]);
    assert!(exported.status.success(), "{}", String::from_utf8_lossy(&exported.stderr));
    let quantiles = ["0.5", "0.9", "0.95", "0.99"];
    let theirs: Vec<_> =
        quantiles.iter().map(|q| format!("quantile_cont(duration_ns, {q})")).collect();
    let theirs = format!(
        "SELECT step_name, count(*), {} FROM steps WHERE result <> 'skip' GROUP BY 1 ORDER BY 1",
        theirs.join(", ")
    );
    let ours: Vec<_> = quantiles.iter().map(|q| format!("hdr_quantile(h, {q}) * 1000.0")).collect();
    let ours = format!(
        "SELECT step_name, n, {} FROM (SELECT step_name, sum(count) AS n, hdr_merge(histogram) AS h \
         FROM step_latency WHERE result <> 'skip' GROUP BY 1) ORDER BY 1",
        ours.join(", ")
    );
    let asked = place.root.path().join("asked.json");
    std::fs::write(&asked, serde_json::to_string(&[theirs]).unwrap()).unwrap();
    let args = [place.root.path().join("out"), asked];
    let said = python.run(include_str!("peers.py"), args, &[]).unwrap_or_else(|it| panic!("{it}"));
    let answers: Json = serde_json::from_str(&said).unwrap();
    for ((_, session), place) in stores.iter().zip(PLACES) {
        let found = answer(session, &ours).await.unwrap();
        let rows = answers[0]["rows"].as_array().unwrap();
        assert_eq!((found.len(), rows.len()), (STEPS.len(), STEPS.len()), "{place:?}");
        for (found, expected) in found.iter().zip(rows) {
            assert_eq!((&found[0], &found[1]), (&expected[0], &expected[1]), "{place:?}");
            for (found, expected) in found.iter().zip(expected.as_array().unwrap()).skip(2) {
                let (found, expected) = (found.as_f64().unwrap(), expected.as_f64().unwrap());
                // a microsecond is what both the value and its neighbour are rounded by
                let may = expected * 0.001 + 1_000.0;
                assert!((found - expected).abs() <= may, "{place:?}: {found} for {expected}");
            }
        }
    }
}
