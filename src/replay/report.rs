//! A finished run in a line: for people, and as JSON for programs.

use serde_json::{Value, json};

use crate::pipeline::Report;

/// One line for a person: result, contract, quality, issues, time, and where the package is or why
/// there is none.
pub fn line(report: &Report) -> String {
    let run = &report.run;
    let name = run.contract_name.as_deref().unwrap_or(&report.uri);
    let mut text = format!("{:<8} {name}", run.result.as_str());
    if let Some(quality) = run.quality_score {
        text.push_str(&format!("  quality {quality:.1}"));
    }
    for (count, what) in
        [(run.error_count, "error"), (run.warning_count, "warning"), (run.note_count, "note")]
    {
        if count > 0 {
            text.push_str(&format!("  {count} {what}{}", if count == 1 { "" } else { "s" }));
        }
    }
    text.push_str(&format!("  {:.1} ms", milliseconds(run.duration_ns)));
    if let Some(written) = &report.written {
        text.push_str(&format!("  -> {}", written.folder.display()));
    }
    if let Some(message) = &run.error_message {
        text.push_str(&format!("\n         {message}"));
    }
    text
}

/// One object for a program: what identifies the run and how it ended. `steps` and `issues` count
/// the rows of the run in those tables; a run that is `cached` was taken over and has no steps.
pub fn json(report: &Report) -> Value {
    let run = &report.run;
    json!({
        "run_id": run.run_id.as_str(),
        "batch_id": run.batch_id.as_deref(),
        "uri": report.uri,
        "contract_name": run.contract_name.as_deref(),
        "node_type": run.node_type.as_deref(),
        "result": run.result.as_str(),
        "cached": run.cached,
        "error_type": run.error_type.as_deref(),
        "error_message": run.error_message.as_deref(),
        "quality_score": run.quality_score,
        "duration_ns": run.duration_ns,
        "steps": report.steps,
        "issues": run.error_count + run.warning_count + run.note_count,
        "folder": report.written.as_ref().map(|it| it.folder.display().to_string()),
    })
}

fn milliseconds(ns: i64) -> f64 {
    // A float is exact up to 2^53 ns, three months.
    ns as f64 / 1e6
}
