//! What a user gets for a statement that is wrong or not allowed.

use genstore::error::ErrorKind;
use genstore::sql::{Params, position};

use super::fixture::{ask, nothing, refuse};

#[tokio::test]
async fn nothing_is_written() {
    let session = nothing();
    for sql in [
        "CREATE TABLE t (a int)",
        "CREATE TABLE t AS SELECT 1",
        "CREATE VIEW v AS SELECT 1",
        "CREATE EXTERNAL TABLE t STORED AS PARQUET LOCATION '/tmp/x.parquet'",
        "CREATE SCHEMA s",
        "DROP TABLE runs",
        "INSERT INTO runs SELECT * FROM runs",
        "DELETE FROM runs",
        "UPDATE runs SET run_id = 'x'",
        "TRUNCATE runs",
        "COPY runs TO '/tmp/genstore-copy.parquet'",
        "COPY (SELECT 1) TO '/tmp/genstore-copy.csv' STORED AS CSV",
        "EXPLAIN ANALYZE COPY (SELECT 1) TO '/tmp/genstore-copy.csv' STORED AS CSV",
        "EXPLAIN ANALYZE INSERT INTO runs SELECT * FROM runs",
        "SET datafusion.execution.batch_size = 1",
        "RESET datafusion.execution.batch_size",
        "PREPARE p AS SELECT 1",
        "EXECUTE p",
        "BEGIN",
        "CALL f(1)",
        "USE other",
    ] {
        let error = refuse(&session, sql).await;
        assert_eq!(error.kind(), ErrorKind::Invalid, "{sql}");
        assert!(error.message().contains("only reads"), "{sql}: {error}");
    }
    assert!(!std::path::Path::new("/tmp/genstore-copy.csv").exists());
}

#[tokio::test]
async fn no_file_is_read() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("secret.csv");
    std::fs::write(&path, "a\n1\n").unwrap();
    let session = nothing();
    let path = path.display();
    for sql in [
        format!("SELECT * FROM '{path}'"),
        format!("SELECT * FROM \"{path}\""),
        format!("SELECT * FROM \"file://{path}\""),
        format!("SELECT * FROM read_csv('{path}')"),
        format!("SELECT * FROM read_parquet('{path}')"),
        "SELECT * FROM '/etc/passwd.csv'".to_owned(),
    ] {
        let error = refuse(&session, &sql).await;
        assert_eq!(error.kind(), ErrorKind::Invalid, "{sql}: {error}");
        assert!(error.message().starts_with("there is no "), "{sql}: {error}");
    }
}

/// Statement, message, hint, and the text that the caret is under.
const MISTAKES: &[(&str, &str, Option<&str>, Option<&str>)] = &[
    (
        "SELECT * FROM '/etc/passwd.csv'",
        "there is no table '/etc/passwd.csv'",
        Some("SQL reads the tables of the store; files with --files, or in the shell"),
        None,
    ),
    ("SELECT * FROM rusn", "there is no table rusn", Some("did you mean runs?"), Some("rusn")),
    (
        "SELECT run_id,\n  duratoin_ns\nFROM runs",
        "there is no column duratoin_ns in runs",
        Some("did you mean duration_ns?"),
        Some("duratoin_ns"),
    ),
    ("SELECT step_name FROM runs", "there is no column step_name in runs", None, Some("step_name")),
    ("SELECT p98(duration_ns) FROM runs", "there is no function p98", None, Some("p98")),
    (
        "SELECT quantil(duration_ns, 0.5) FROM runs",
        "there is no function quantil",
        Some("did you mean quantile?"),
        Some("quantil"),
    ),
    (
        "SELEC 1",
        "syntax error: expected an SQL statement, found: SELEC",
        Some("did you mean SELECT?"),
        Some("SELEC"),
    ),
    ("SELECT count(* FROM runs", "syntax error: expected ), found: FROM", None, Some("FROM")),
    (
        "SELECT run_id FROM runs r JOIN steps s ON r.run_id = s.run_id",
        "column run_id is in more than one table",
        Some("write the table's name before it: table.column"),
        Some("run_id"),
    ),
    (
        "SELECT stp.run_id FROM steps s",
        "there is no table stp in this query",
        Some("its tables are s"),
        Some("stp.run_id"),
    ),
    (
        "SELECT x.result FROM runs JOIN steps s USING (run_id)",
        "there is no table x in this query",
        Some("its tables are runs, s"),
        None,
    ),
    (
        "SELECT p99(duration_ns) FROM steps WHERE step_name = \"render\"",
        "there is no column render in steps",
        Some("text is written in single quotes: 'render'"),
        Some("\"render\""),
    ),
    (
        "SELECT step_name, count(*) FROM steps",
        "column \"steps.step_name\" must appear in the GROUP BY clause",
        None,
        Some("step_name"),
    ),
    (
        "SELECT count(*), count(*) FROM runs",
        "two columns of the result have the same name",
        Some("give one of them another: … AS name"),
        None,
    ),
    ("SELECT 1 FROM runs GROUP BY", "syntax error: expected an expression, found: EOF", None, None),
];

#[tokio::test]
async fn mistakes_are_named_with_their_place() {
    let session = nothing();
    for (sql, message, hint, place) in MISTAKES {
        let error = refuse(&session, sql).await;
        assert_eq!(error.kind(), ErrorKind::Invalid, "{sql}: {error}");
        assert!(
            error.message().to_lowercase().contains(&message.to_lowercase()),
            "{sql}: {}",
            error.message()
        );
        if let Some(hint) = hint {
            assert_eq!(error.hint(), Some(*hint), "{sql}");
        }
        if let Some(place) = place {
            let found = position(&error).unwrap_or_else(|| panic!("{sql}: no place"));
            assert_eq!(sql.get(found.start_byte..found.end_byte), Some(*place), "{sql}");
        }
    }
}

#[tokio::test]
async fn a_caret_is_drawn_below_the_place() {
    let session = nothing();
    let error = refuse(&session, "SELECT run_id,\n\tduratoin_ns\nFROM runs").await;
    let drawn = std::error::Error::source(&error).unwrap().to_string();
    assert_eq!(drawn, "line 2, column 2\n  \tduratoin_ns\n  \t^^^^^^^^^^^");
}

#[tokio::test]
async fn nothing_of_the_engine_shows() {
    let session = nothing();
    let mut bad = Vec::new();
    for sql in [
        "SELECT",
        "",
        "-- nothing",
        "SELECT 1; SELECT 2",
        "SELECT 'open",
        "SELECT 1/0",
        "SELECT CAST('x' AS int)",
        "SELECT p50('x')",
        "SELECT p50(1, 2)",
        "SELECT p50(DISTINCT value), p50(value) FROM generate_series(1, 3)",
        "SELECT quantile(value, 95) FROM generate_series(1, 3)",
        "SELECT quantile(value, value) FROM generate_series(1, 3)",
        "SELECT quantile(value, NULL) FROM generate_series(1, 3)",
        "SELECT hdr(value - 5) FROM generate_series(1, 3)",
        "SELECT hdr_quantile(x'00', 0.5)",
        "SELECT hdr_count(x'1c849313')",
        "SELECT ago('yesterday')",
        "SELECT ago(run_id) FROM runs",
        "SELECT * FROM runs WHERE",
        "SELECT run_id FROM runs WHERE duration_ns = 'x'",
        "SELECT run_id, count(*) FROM runs",
        "SELECT * FROM a.b.c.d",
        "SELECT nested.x.y.z.w.v FROM runs",
        "SELECT * FROM runs PIVOT (sum(duration_ns) FOR result IN ('a'))",
        "SELECT * FROM steps MATCH_RECOGNIZE (PATTERN (a))",
        "SELECT * FROM runs LIMIT -1",
        "SELECT * FROM runs LIMIT 'x'",
        "SELECT max(run_id) OVER (ORDER BY nope) FROM runs",
        "WITH RECURSIVE r AS (SELECT 1 UNION ALL SELECT 1 FROM nope) SELECT * FROM r",
        "EXPLAIN",
        "DESCRIBE nope",
        "SHOW COLUMNS FROM nope",
        "\u{0}",
        "SELECT '\u{0}' FROM \u{1F980}",
    ] {
        let Err(error) = session.query(sql, &Params::new()).await else { continue };
        let hint = error.hint().unwrap_or_default();
        let text = format!("{error} {hint}");
        for noise in [
            "DataFusion",
            "issue tracker",
            "not implemented",
            "Error during",
            "github",
            "Arrow error",
        ] {
            bad.extend(text.contains(noise).then(|| format!("{sql:?}: {text}")));
        }
        let strange = error.kind() == ErrorKind::Internal
            || error.message().is_empty()
            || text.contains('\n');
        bad.extend(strange.then(|| format!("{sql:?}: {error:?}")));
    }
    assert!(bad.is_empty(), "{bad:#?}");
}

#[tokio::test]
async fn deep_nesting_is_an_error() {
    let session = nothing();
    let sql = format!("SELECT {}1{}", "(".repeat(5_000), ")".repeat(5_000));
    let error = refuse(&session, &sql).await;
    assert_eq!(error.message(), "the statement is nested too deeply");
    for chain in ["1 + ", "true OR ", "1 = ", "'a' || ", "- "] {
        let long = format!("SELECT {}1", chain.repeat(30_000));
        let error = refuse(&session, &long).await;
        assert_eq!(error.message(), "the statement chains more than 1000 operators", "{chain}");
    }
    let many = format!("SELECT 1 FROM {}runs", "runs, ".repeat(1_000));
    let error = refuse(&session, &many).await;
    assert!(error.message().contains("1001 tables"), "{error}");
    let many = format!("SELECT 1 FROM runs {}", "JOIN runs ON true ".repeat(300));
    let error = refuse(&session, &many).await;
    assert!(error.message().contains("301 tables"), "{error}");
    let ctes: Vec<_> = (1..300).map(|it| format!("a{it} AS (SELECT * FROM a{})", it - 1)).collect();
    let many = format!("WITH a0 AS (SELECT 1), {} SELECT * FROM a299", ctes.join(", "));
    let error = refuse(&session, &many).await;
    assert!(error.message().contains("300 queries"), "{error}");
    let many = format!("SELECT 1{}", " UNION ALL SELECT 1".repeat(900));
    assert_eq!(ask(&session, &format!("SELECT count(*) FROM ({many})")).await, ["901"]);
    let many = format!("{}SELECT 1 AS x{}", "SELECT x FROM (".repeat(30), ")".repeat(30));
    assert_eq!(ask(&session, &many).await, ["1"]);
    let many = format!("SELECT {}1{}", "abs(".repeat(40), ")".repeat(40));
    assert_eq!(ask(&session, &many).await, ["1"]);
    let casts = format!("SELECT 1{}", "::int".repeat(500));
    assert_eq!(ask(&session, &casts).await, ["1"]);
    let list = format!("SELECT 20000 IN ({}20000)", "1, ".repeat(20_000));
    assert_eq!(ask(&session, &list).await, ["true"]);
}

#[tokio::test]
async fn a_wrong_query_name_or_parameter_is_a_usage_error() {
    let session = nothing();
    let error = session.canned("latncy", &[]).await.unwrap_err();
    assert_eq!((error.kind(), error.hint()), (ErrorKind::Usage, Some("did you mean latency?")));
    let error = session.canned("runs", &[("limt", "3")]).await.unwrap_err();
    assert_eq!((error.kind(), error.hint()), (ErrorKind::Usage, Some("did you mean limit?")));
    let error = session.canned("runs", &[("limit", "three")]).await.unwrap_err();
    assert_eq!(
        error.message(),
        "parameter limit of query runs takes a whole number from 0, not \"three\""
    );
    let error = session.canned("runs", &[("limit", "-1")]).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Usage, "{error}");
    let error = session.canned("batch_summary", &[]).await.unwrap_err();
    assert_eq!(error.message(), "query batch_summary needs its parameter batch_id");
}
