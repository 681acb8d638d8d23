//! The part of `genstore store status` that looks ahead: growth, what looking after the store would
//! do, and what is big. Changes nothing.

use std::sync::Arc;

use arrow::array::{ArrayRef, Int64Array, RecordBatch, StringArray};
use serde_json::{Map, Value, json};

use super::super::ask::stdout;
use super::status::{batch, int};
use super::{Context, print};
use crate::error::{Error, Result};
use crate::output::Format;
use crate::repl::Shell;
use crate::store::{Growth, MonthStatus, Outlook, VacuumedTable};

/// What is big, as questions in SQL, and under which name the answer stands.
const BIGGEST: [(&str, &str); 2] = [
    (
        "biggest_contracts",
        "SELECT name, contract_digest, octet_length(body) AS size_bytes FROM contracts \
         ORDER BY 3 DESC, 2 LIMIT 5",
    ),
    (
        "biggest_artifacts",
        "SELECT filename, run_id, size_bytes FROM artifacts ORDER BY 3 DESC, 2, 1 LIMIT 5",
    ),
];

/// Two lines: the rules and what they would remove, and what a vacuum would delete.
pub(super) fn text(outlook: &Outlook) -> String {
    let files: u64 = outlook.expired.iter().map(|it| it.1.files).sum();
    let bytes: u64 = outlook.expired.iter().map(|it| it.1.size_bytes).sum();
    let unclear: u64 = outlook.expired.iter().map(|it| it.1.files_to_look_into).sum();
    let retention = match (outlook.rules.is_empty(), files + unclear) {
        (true, _) => "no rules: nothing is ever removed".to_owned(),
        (false, 0) => format!("{}: nothing is older", outlook.rules),
        (false, _) => format!(
            "{}: {files} files ({bytes} bytes) are older, {unclear} may hold older rows",
            outlook.rules
        ),
    };
    let all = |of: fn(&VacuumedTable) -> u64| -> u64 { outlook.vacuum.tables.iter().map(of).sum() };
    let vacuum = format!(
        "{} files ({} bytes) can be deleted, {} are younger than 24 hours",
        all(|it| it.removed.files + it.strays.files),
        all(|it| it.removed.size_bytes + it.strays.size_bytes),
        all(|it| it.kept.files)
    );
    let lines = [("retention", retention), ("vacuum", vacuum)];
    lines.map(|(name, value)| format!("{name:<15} {value}\n")).concat()
}

pub(super) fn object(outlook: &Outlook) -> Map<String, Value> {
    let month = |it: &MonthStatus| {
        json!({
            "table": it.table.name(), "month": it.month, "rows": it.rows,
            "size_bytes": it.size_bytes,
        })
    };
    let growth = |it: &Growth| {
        json!({
            "table": it.table.name(), "rows_per_day": it.rows_per_day,
            "bytes_per_day": it.bytes_per_day,
        })
    };
    let expired = outlook.expired.iter().map(|(table, it)| {
        json!({
            "table": table.name(), "files": it.files, "size_bytes": it.size_bytes,
            "files_to_look_into": it.files_to_look_into,
        })
    });
    let vacuum = outlook.vacuum.tables.iter().map(|it| {
        json!({
            "table": it.table.name(), "files": it.removed.files + it.strays.files,
            "size_bytes": it.removed.size_bytes + it.strays.size_bytes,
            "files_too_young": it.kept.files,
        })
    });
    let rules = (!outlook.rules.is_empty()).then(|| outlook.rules.to_string());
    Map::from_iter([
        ("months".to_owned(), outlook.months.iter().map(month).collect()),
        ("growth".to_owned(), outlook.growth.iter().map(growth).collect()),
        ("retention".to_owned(), json!({ "rules": rules, "expired": expired.collect::<Vec<_>>() })),
        ("vacuum".to_owned(), vacuum.collect()),
    ])
}

pub(super) fn months(outlook: &Outlook) -> Result<RecordBatch> {
    let of = &outlook.months;
    let ints = |value: fn(&MonthStatus) -> u64| -> ArrayRef {
        Arc::new(of.iter().map(|it| int(value(it))).collect::<Int64Array>())
    };
    let tables = StringArray::from_iter_values(of.iter().map(|it| it.table.name()));
    let months = StringArray::from_iter_values(of.iter().map(|it| &it.month));
    batch([
        ("table", Arc::new(tables) as ArrayRef),
        ("month", Arc::new(months)),
        ("rows", ints(|it| it.rows)),
        ("bytes", ints(|it| it.size_bytes)),
    ])
}

/// Prints the answers one after the other; the exit code.
pub(super) fn print_biggest(shell: &mut Shell, context: &Context) -> Result<u8> {
    for (name, question) in BIGGEST {
        print(&format!("{}\n", name.replace('_', " ")))?;
        if let Err(failure) = shell.run_script(question, &mut stdout()) {
            return Ok(context.print_failure(&failure, None));
        }
    }
    Ok(0)
}

pub(super) fn biggest_objects(context: &Context) -> Result<Map<String, Value>> {
    let mut shell = context.shell(Format::Json, false)?;
    let mut found = Map::new();
    for (name, question) in BIGGEST {
        let mut answer = Vec::new();
        shell.run_script(question, &mut answer).map_err(|it| it.error)?;
        let rows = serde_json::from_slice(&answer)
            .map_err(|source| Error::internal("an answer is no JSON").with_source(source))?;
        found.insert(name.to_owned(), rows);
    }
    Ok(found)
}
