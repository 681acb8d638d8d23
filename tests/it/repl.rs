//! The shell without a terminal: what a line leads to.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test")]

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use genstore::clock::{Clock, ManualClock};
use genstore::error::{Error, ErrorKind};
use genstore::event::{Row, ScoreRow, Table, Text};
use genstore::output::Format;
use genstore::repl::{Failure, Reader, Settings, Shell, Step, script};
use genstore::sql::{Params, Session, SessionSettings, views};
use genstore::store::schema::to_batch;
use genstore::store::snapshot::{Snapshot, TableSnapshot};

/// `n` scores with values 1 to n, in memory.
fn scores(n: i64) -> Snapshot {
    let rows: Vec<Row> = (1..=n)
        .map(|it| {
            Row::from(ScoreRow {
                run_id: Text::from(format!("run-{it}")),
                name: Text::from("quality"),
                value: Some(it as f64),
                ..ScoreRow::default()
            })
        })
        .collect();
    let batch = to_batch(Table::Scores, &rows).unwrap();
    let mut snapshot = Snapshot::default();
    for table in Table::ALL {
        snapshot.tables.insert(*table, TableSnapshot::default());
    }
    snapshot.tables.get_mut(&Table::Scores).unwrap().hot.push(batch);
    snapshot
}

fn shell_over(snapshots: genstore::repl::Snapshots, format: Format) -> Shell {
    let clock: Arc<dyn Clock> = ManualClock::at(1_700_000_000_000_000);
    let settings = SessionSettings { threads: 1, ..SessionSettings::default() };
    let reader = Reader::new(snapshots, settings, Arc::clone(&clock));
    Shell::new(reader, Settings { format, ..Settings::default() }, clock).unwrap()
}

fn shell(format: Format) -> Shell {
    shell_over(Box::new(|| Ok(scores(3))), format)
}

fn feed(shell: &mut Shell, line: &str) -> Result<(Step, String), Failure> {
    let mut out = Vec::new();
    let step = shell.feed(line, &mut out)?;
    Ok((step, String::from_utf8(out).unwrap()))
}

fn failure(shell: &mut Shell, line: &str) -> Failure {
    feed(shell, line).unwrap_err()
}

#[test]
fn a_statement_runs_at_its_semicolon() {
    let mut shell = shell(Format::Csv);
    assert_eq!(feed(&mut shell, "SELECT count(*) AS n").unwrap(), (Step::More, String::new()));
    assert_eq!(feed(&mut shell, "FROM scores -- not yet;").unwrap().0, Step::More);
    assert_eq!(feed(&mut shell, "WHERE name <> ';'").unwrap().0, Step::More);
    assert_eq!(feed(&mut shell, ".mode").unwrap().1, "csv\n");
    assert_eq!(feed(&mut shell, ";").unwrap(), (Step::Done, "n\n3\n".to_owned()));
    assert_eq!(shell.pending(), "");
    let two = "SELECT 1 AS a; SELECT 2 AS b;";
    assert_eq!(feed(&mut shell, two).unwrap().1, "a\n1\nb\n2\n");
    assert_eq!(feed(&mut shell, "  ").unwrap(), (Step::Done, String::new()));
    assert_eq!(feed(&mut shell, "-- a comment").unwrap().0, Step::Done);
}

#[test]
fn every_query_sees_the_store_anew() {
    let n = Arc::new(AtomicI64::new(0));
    let seen = Arc::clone(&n);
    let mut shell =
        shell_over(Box::new(move || Ok(scores(seen.load(Ordering::SeqCst)))), Format::Csv);
    for rows in [0, 2, 7] {
        n.store(rows, Ordering::SeqCst);
        let (_, text) = feed(&mut shell, "SELECT count(*) AS n FROM scores;").unwrap();
        assert_eq!(text, format!("n\n{rows}\n"));
    }
}

#[test]
fn an_error_is_drawn_under_its_place_and_the_shell_goes_on() {
    let mut shell = shell(Format::Csv);
    feed(&mut shell, "SELECT valeu").unwrap();
    let failed = failure(&mut shell, "FROM scores;");
    assert_eq!(failed.error.kind(), ErrorKind::Invalid);
    let text = failed.render(None, false);
    assert!(text.contains("1 | SELECT valeu") && text.contains("^^^^^"), "{text}");
    assert!(text.contains("value"), "{text}");
    assert_eq!(feed(&mut shell, "SELECT 1 AS a;").unwrap().1, "a\n1\n");
}

#[test]
fn a_script_stops_at_its_first_error_and_counts_lines() {
    let mut shell = shell(Format::Csv);
    let text = "SELECT 1 AS a;\n\nSELECT 2 AS b; SELECT *\n  FROM scoers;\nSELECT 3 AS c;";
    let mut out = Vec::new();
    let failed = shell.run_script(text, &mut out).unwrap_err();
    assert_eq!(String::from_utf8(out).unwrap(), "a\n1\nb\n2\n");
    let drawn = failed.render(Some("x.sql"), false);
    assert!(drawn.contains("--> x.sql:4:8"), "{drawn}");
    assert!(drawn.contains("scores"), "{drawn}");
}

#[test]
fn a_script_mixes_sql_and_commands() {
    let mut shell = shell(Format::Table);
    let text = ".mode csv\nSELECT max(value) AS m\nFROM scores;\n.tables\nSELECT 'é' AS last";
    let mut out = Vec::new();
    script(&mut shell, &mut text.as_bytes(), &mut out).unwrap();
    let out = String::from_utf8(out).unwrap();
    assert!(out.starts_with("m\n3\ntable,rows,one_row_is\nruns,0,"), "{out}");
    assert!(out.contains("\nscores,3,"), "{out}");
    assert!(out.ends_with("last\né\n"), "{out}");
    let mut out = Vec::new();
    let failed = script(&mut shell, &mut ".mode csv\n.tabels\n.help\n".as_bytes(), &mut out);
    assert_eq!(failed.unwrap_err().error.hint(), Some("Did you mean .tables?"));
    assert!(out.is_empty());
    assert!(script(&mut shell, &mut &b"SELECT '\xff';"[..], &mut out).is_err());
    script(&mut shell, &mut "\u{feff}SELECT 1 AS a;\r\n".as_bytes(), &mut out).unwrap();
    assert_eq!(out, b"a\n1\n");
}

#[test]
fn a_pasted_script_is_taken_line_by_line() {
    let mut shell = shell(Format::Table);
    let mut out = Vec::new();
    let text = ".mode csv\r\nSELECT 1 AS a;\n-- more\n\nSELECT max(value) AS m\nFROM";
    assert_eq!(shell.feed_lines(text, &mut out).unwrap(), Step::More);
    assert_eq!(shell.feed_lines("scores;", &mut out).unwrap(), Step::Done);
    assert_eq!(String::from_utf8(out).unwrap(), "a\n1\nm\n3\n");
}

#[test]
fn commands_describe_what_there_is() {
    let mut shell = shell(Format::Csv);
    let (_, text) = feed(&mut shell, ".schema scores").unwrap();
    assert!(text.starts_with("column,type,meaning\nrun_id,text not null,"), "{text}");
    let (_, text) = feed(&mut shell, ".schema").unwrap();
    let columns: usize = Table::ALL.iter().map(|it| it.columns().len()).sum();
    let of_views: usize = views().iter().map(|it| it.columns.len()).sum();
    assert_eq!(text.lines().count(), columns + of_views + 1);
    let (_, text) = feed(&mut shell, ".schema why").unwrap();
    assert!(text.contains("\ntimeline,text,"), "{text}");
    let (_, text) = feed(&mut shell, ".functions").unwrap();
    assert!(text.contains("\nFROM history(contract),"), "{text}");
    assert!(text.contains("\n\"wilson_lower(k, n), wilson_upper(k, n)\","), "{text}");
    let (_, text) = feed(&mut shell, ".q").unwrap();
    assert!(text.contains("\nlatency,"), "{text}");
    assert!(text.contains("batch_id=… (required)"), "{text}");
    assert_eq!(feed(&mut shell, "help").unwrap(), feed(&mut shell, ".help").unwrap());
    let (_, text) = feed(&mut shell, ".q scores").unwrap();
    assert!(text.contains("quality"), "{text}");
    assert_eq!(feed(&mut shell, ".quit").unwrap().0, Step::Quit);
    assert_eq!(feed(&mut shell, "exit;").unwrap().0, Step::Quit);
}

#[test]
fn the_timer_tells_the_time_of_each_query() {
    let mut shell = shell(Format::Csv);
    feed(&mut shell, ".timer on").unwrap();
    assert_eq!(feed(&mut shell, "SELECT 1 AS a;").unwrap().1, "a\n1\ntime: 0.0 ms\n");
    feed(&mut shell, ".timer off").unwrap();
    assert_eq!(feed(&mut shell, "SELECT 1 AS a;").unwrap().1, "a\n1\n");
}

#[test]
fn mistakes_name_the_nearest() {
    let mut shell = shell(Format::Csv);
    for (line, near) in [
        (".q latencee", "latency"),
        (".q latency sinze=7d", "since"),
        (".q latency since", "since="),
        (".schema scoers", "scores"),
        ("\\d", ".help"),
    ] {
        let failed = failure(&mut shell, line);
        let text = failed.render(None, false);
        assert!(failed.error.hint().is_some_and(|it| it.contains(near)), "{line}: {text}");
        assert_eq!(failed.error.kind().exit_code(), 2, "{line}");
    }
}

#[test]
fn a_store_that_cannot_be_opened_is_told_once_asked() {
    let closed = Box::new(|| Err(Error::unavailable("there is no store at x")));
    let mut shell = shell_over(closed, Format::Csv);
    assert!(feed(&mut shell, ".help").unwrap().1.contains(".tables"));
    assert_eq!(failure(&mut shell, "SELECT 1;").error.kind().exit_code(), 4);
    assert_eq!(failure(&mut shell, ".tables").error.kind().exit_code(), 4);
}

#[test]
fn a_dropped_query_frees_its_thread() {
    let settings = SessionSettings { threads: 1, ..SessionSettings::default() };
    let session = Session::new(&scores(100), settings, ManualClock::at(0)).unwrap();
    let endless = "SELECT sum(sin(a.value * b.value * c.value * d.value * e.value)) \
                   FROM scores a, scores b, scores c, scores d, scores e";
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        drop(session.query_stream(endless, &Params::new()).await.unwrap());
        let params = Params::new();
        let next = session.query("SELECT count(*) FROM scores WHERE value > 1", &params);
        let bound = std::time::Duration::from_secs(60);
        let answer = tokio::time::timeout(bound, next).await;
        assert_eq!(answer.expect("the dropped query still runs").unwrap().rows(), 1);
    });
}
