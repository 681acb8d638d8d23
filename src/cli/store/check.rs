//! `genstore store check`: reads everything a store relies on and says what is wrong; with
//! `--repair`, mends what can be mended.

use std::sync::Arc;

use serde_json::{Value, json};

use super::{Context, print, print_json};
use crate::cli::progress;
use crate::error::{Error, Result};
use crate::journal::disk::SystemDisk;
use crate::output::escape;
use crate::store::check::{
    Done, Finding, Progress, Remedy, RepairOptions, Report, Severity, check_at, repair,
};

/// Read every frame, log entry, page and row, and say what is not as it should be
///
/// Works beside writers and changes nothing, unless --repair says so. Exits with 1 while errors
/// remain.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Mend what can be mended without giving up any row; nobody else may write meanwhile
    #[arg(long)]
    repair: bool,
    /// With --repair: give up what cannot be read. It is moved to the folder `damaged` of the
    /// store, never deleted
    #[arg(long, requires = "repair")]
    drop_damaged: bool,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

pub(crate) fn run(args: &Args, context: &Context) -> Result<u8> {
    let bar = progress::bar("{msg:9} {bar:40} {pos}/{len}", 0, context);
    let mut tell = |it: Progress| {
        bar.set_length(it.total);
        bar.set_position(it.done);
        bar.set_message(it.phase);
    };
    let (path, now_us) = (context.store.path(), context.clock.now_us());
    let (done, report) = if args.repair {
        if context.store.is_remote() {
            let path = path.display();
            return Err(Error::unavailable(format!("{path} cannot be repaired where it is"))
                .with_hint(
                    "Copy it to a folder with `genstore store copy`, repair that, copy it back.",
                ));
        }
        let options = RepairOptions { drop_damaged: args.drop_damaged };
        let (clock, ids) = (Arc::clone(&context.clock), Arc::clone(&context.ids));
        let repaired = repair(Arc::new(SystemDisk), path, options, clock, ids, &mut tell)?;
        (repaired.done, repaired.report)
    } else {
        (Vec::new(), check_at(&context.store, now_us, &mut tell)?)
    };
    bar.finish_and_clear();
    if args.json {
        print_json(&object(&report, &done))?;
    } else {
        print(&text(&report, &done))?;
    }
    Ok(u8::from(!report.is_sound()))
}

fn object(report: &Report, done: &[Done]) -> Value {
    let finding = |it: &Finding| {
        json!({
            "severity": it.severity.as_str(), "rule": it.rule,
            "path": it.path.display().to_string(), "message": it.message,
            "remedy": it.remedy.as_str(), "advice": it.advice,
        })
    };
    let mended = |it: &Done| {
        json!({
            "path": it.path.display().to_string(), "message": it.message,
            "kept_at": it.kept_at.as_ref().map(|it| it.display().to_string()),
            "table": it.table.map(|it| it.name()),
            "lost_rows": it.lost_rows, "lost_bytes": it.lost_bytes,
        })
    };
    let looked = &report.looked;
    json!({
        "sound": report.is_sound(),
        "errors": report.count(Severity::Error),
        "warnings": report.count(Severity::Warning),
        "notes": report.count(Severity::Note),
        "looked_at": {
            "journal_files": looked.journal_files, "journal_events": looked.journal_events,
            "commits": looked.commits, "checkpoints": looked.checkpoints,
            "data_files": looked.data_files, "rows": looked.rows,
            "data_bytes": looked.data_bytes,
        },
        "findings": report.findings.iter().map(finding).collect::<Vec<_>>(),
        "repaired": done.iter().map(mended).collect::<Vec<_>>(),
    })
}

fn text(report: &Report, done: &[Done]) -> String {
    let mut lines = Vec::new();
    for it in done {
        let kept = it.kept_at.as_ref().map(|it| format!("; kept as {}", it.display()));
        let text = format!("{}: {}{}", it.path.display(), it.message, kept.unwrap_or_default());
        lines.push(format!("repaired  {}", escape(&text)));
    }
    for it in &report.findings {
        let text = format!("{}: {}", it.path.display(), it.message);
        lines.push(format!("{:<9} {:<18} {}", it.severity.as_str(), it.rule, escape(&text)));
        let how = match it.remedy {
            Remedy::Repair => " (--repair)",
            Remedy::Drop => " (--repair; what then remains: --drop-damaged)",
            Remedy::None | Remedy::Person => "",
        };
        lines.push(format!("{:28} → {}{how}", "", it.advice));
    }
    let looked = &report.looked;
    lines.push(format!(
        "read {} journal files, {} commits, {} checkpoints, {} data files ({} rows, {} bytes)",
        looked.journal_files,
        looked.commits,
        looked.checkpoints,
        looked.data_files,
        looked.rows,
        looked.data_bytes
    ));
    lines.push(match report.count(Severity::Error) {
        0 => "the store is sound".to_owned(),
        1 => "1 error".to_owned(),
        errors => format!("{errors} errors"),
    });
    lines.iter().map(|line| format!("{line}\n")).collect()
}
