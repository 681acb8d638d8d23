//! Mends a store, alone: every slot is locked meanwhile. What can be mended without giving up a row
//! is mended; what cannot be read is given up only when that is asked for, and is then kept in the
//! folder `damaged`. Each step replaces one file at once, so that a repair that was cut short is
//! simply done again.

mod data;
mod journals;
mod logs;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::{Finding, Progress, Remedy, Report, check};
use crate::clock::{Clock, IdSource};
use crate::error::{Error, IoContext, Result};
use crate::event::{Event, Row, Table};
use crate::journal::disk::{Disk, read_whole};
use crate::journal::{JournalReader, file_name};
use crate::store::files::{FileSource, Files, LocalFiles};
use crate::store::flush::Writing;
use crate::store::identity;
use crate::store::latency::Sketches;
use crate::store::layout::{Layout, MENDED_SUFFIX};
use crate::store::slot;
use crate::store::tables::Tables;
use crate::store::tails::Owner;

/// How far a repair may go.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct RepairOptions {
    /// Whether what cannot be read may be given up.
    pub drop_damaged: bool,
}

/// One thing that a repair has done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Done {
    /// The file.
    pub path: PathBuf,
    /// What was done.
    pub message: String,
    /// Where the file is kept as it was.
    pub kept_at: Option<PathBuf>,
    /// The table whose rows were given up.
    pub table: Option<Table>,
    /// Rows that were given up, where their number is known.
    pub lost_rows: Option<u64>,
    /// Bytes that were given up.
    pub lost_bytes: u64,
}

/// What a repair has done, and what a check says then.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Repaired {
    /// The steps, in their order.
    pub done: Vec<Done>,
    /// The check after the repair.
    pub report: Report,
}

/// Repairs a store, and checks it.
///
/// # Errors
/// `Unavailable` while others write, naming them; `Damaged` if the store cannot even be opened for
/// reading; `Failed` if the disk fails.
pub fn repair(
    disk: Arc<dyn Disk>,
    path: &Path,
    options: RepairOptions,
    clock: Arc<dyn Clock>,
    ids: Arc<dyn IdSource>,
    progress: &mut dyn FnMut(Progress),
) -> Result<Repaired> {
    let layout = Layout::new(path);
    let files: Arc<dyn Files> = Arc::new(LocalFiles::new(Arc::clone(&disk)));
    let identity = identity::read(&*files, &layout)?;
    if !layout.journal().is_dir() {
        let report = check(path, clock.now_us(), progress)?;
        let may_mend = |it: &Finding| matches!(it.remedy, Remedy::Repair | Remedy::Drop);
        if !report.findings.iter().any(may_mend) {
            return Ok(Repaired { done: Vec::new(), report });
        }
        // the locks are there
        disk.create_folder(&layout.journal()).context("create the folder", &layout.journal())?;
    }
    let mut all = slot::lock_all(&layout)?;
    let now_us = clock.now_us();
    let mut mend = Mend {
        folder: layout.damaged().join(now_us.to_string()),
        writing: Writing {
            tables: Arc::new(Tables::new(&layout, Arc::clone(&files))),
            layout,
            identity,
            journal_root_id: String::new(),
            journal_grace_us: i64::MAX,
            disk,
            clock,
            ids,
        },
        options,
        now_us,
        done: Vec::new(),
    };
    journals::mend_root(&mut mend)?;
    // what the logs need of the journals; what to give up of these, the logs tell
    journals::mend(&mut mend, false)?;
    logs::mend(&mut mend)?;
    mend.forget_logs();
    journals::mend(&mut mend, options.drop_damaged)?;
    journals::flush(&mut mend)?;
    data::mend(&mut mend)?;
    all.free();
    let mut report = check(path, now_us, progress)?;
    mend.remove_strays(&mut report)?;
    Ok(Repaired { done: mend.done, report })
}

/// What every part of a repair needs.
struct Mend {
    writing: Writing,
    options: RepairOptions,
    /// Where this repair keeps what it takes away.
    folder: PathBuf,
    now_us: i64,
    done: Vec<Done>,
}

impl Mend {
    /// Logs that were mended are read anew.
    fn forget_logs(&mut self) {
        let files = Arc::clone(self.writing.files());
        self.writing.tables = Arc::new(Tables::new(&self.writing.layout, files));
    }

    fn source(&self) -> FileSource {
        FileSource::new(self.writing.files())
    }

    fn owner(&self) -> Owner<'_> {
        let writing = &self.writing;
        Owner { store_id: &writing.identity.store_id, journal_root_id: &writing.journal_root_id }
    }

    fn note(&mut self, path: &Path, message: impl Into<String>, kept_at: Option<PathBuf>) {
        self.done.push(Done {
            path: path.to_owned(),
            message: message.into(),
            kept_at,
            table: None,
            lost_rows: Some(0),
            lost_bytes: 0,
        });
    }

    /// Counts what the last step has given up.
    fn lost(&mut self, table: Option<Table>, rows: Option<u64>, bytes: u64) {
        if let Some(last) = self.done.last_mut() {
            (last.table, last.lost_rows, last.lost_bytes) = (table, rows, bytes);
        }
    }

    /// The journal files that can be read: slot, number and events, rising.
    fn journal_files(&self) -> Result<Vec<(u32, u64)>> {
        let mut files = Vec::new();
        for number in slot::list(&self.writing.layout)? {
            let numbers = slot::files(&self.writing.layout, number)?;
            files.extend(numbers.into_iter().map(|n| (number, n)));
        }
        Ok(files)
    }

    /// The events of a journal file; `None` for one that cannot be read.
    fn events(&self, (number, n): (u32, u64)) -> Option<Vec<Event>> {
        let path = self.writing.layout.slot(number).join(file_name(n));
        let mut reader = JournalReader::open(&path).ok()?;
        self.owner().check(&path, (number, n), reader.header()).ok()?;
        let contents = reader.read_new().ok()?;
        if slot::files(&self.writing.layout, number).ok()?.last() != Some(&n) {
            contents.tail.check_sealed(&path).ok()?;
        }
        Some(contents.events)
    }

    /// A free place for a file that is taken away; the folders are made.
    fn place(&self, path: &Path) -> Result<PathBuf> {
        let root = self.writing.layout.root();
        let inside = path.strip_prefix(root).unwrap_or(path).to_string_lossy().replace('/', ".");
        for folder in [self.writing.layout.damaged(), self.folder.clone()] {
            let made = self.writing.disk.create_folder(&folder);
            made.context("create the folder", &folder)?;
        }
        let mut place = self.folder.join(&inside);
        let mut count = 1;
        while place.try_exists().context("look for", &place)? {
            count += 1;
            place = self.folder.join(format!("{inside}.{count}"));
        }
        Ok(place)
    }

    /// Moves a file aside.
    fn aside(&mut self, path: &Path, message: &str) -> Result<()> {
        let place = self.place(path)?;
        self.writing.disk.rename(path, &place).context("move aside", path)?;
        self.sync_parent(&place)?;
        self.sync_parent(path)?;
        self.note(path, message, Some(place));
        Ok(())
    }

    /// Puts other bytes in the place of a file, of which a copy is kept aside.
    fn replace(&mut self, path: &Path, bytes: &[u8], message: &str) -> Result<()> {
        let disk = Arc::clone(&self.writing.disk);
        let kept_at = match read_whole(path) {
            Ok(damaged) => {
                let place = self.place(path)?;
                disk.write_new(&place, &damaged).context("write", &place)?;
                self.sync_parent(&place)?;
                Some(place)
            }
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => None,
            Err(error) => return Err(error).context("read", path),
        };
        let name = path.file_name().map(|it| it.to_string_lossy().into_owned());
        let temporary = path.with_file_name(name.unwrap_or_default() + MENDED_SUFFIX);
        if temporary.try_exists().context("look for", &temporary)? {
            disk.remove(&temporary).context("remove", &temporary)?; // of a repair that died here
        }
        disk.write_new(&temporary, bytes).context("write", &temporary)?;
        disk.rename(&temporary, path).context("rename to", path)?;
        self.sync_parent(path)?;
        self.note(path, message, kept_at);
        Ok(())
    }

    fn sync_parent(&self, path: &Path) -> Result<()> {
        let folder = path.parent().unwrap_or(Path::new("."));
        self.writing.disk.sync_folder(folder).context("sync the folder", folder)
    }

    /// Takes away what no log names: temporaries go; data files, which a commit that was given up
    /// or lost may have named, are kept aside.
    fn remove_strays(&mut self, report: &mut Report) -> Result<()> {
        let is_stray = |rule: &str, remedy| rule.starts_with("stray.") && remedy == Remedy::Repair;
        for finding in report.findings.iter().filter(|it| is_stray(it.rule, it.remedy)) {
            let path = &finding.path;
            if finding.rule == "stray.data" {
                self.aside(path, "no log names it")?;
            } else {
                self.writing.disk.remove(path).context("remove", path)?;
                self.sync_parent(path)?;
                self.note(path, "removed: no log names it", None);
            }
        }
        report.findings.retain(|it| !is_stray(it.rule, it.remedy));
        Ok(())
    }
}

/// The rows of a table that the flush of these events makes.
fn rows_of(table: Table, events: Vec<Event>) -> Result<Vec<Row>> {
    let mut sketches = Sketches::default();
    let mut rows = Vec::new();
    for event in events {
        let Event::Row(row) = event else { continue };
        if let Row::Steps(step) = &row
            && table == Table::StepLatency
        {
            sketches.add(step);
        }
        if row.table() == table {
            rows.push(row);
        }
    }
    rows.extend(sketches.rows());
    Ok(rows)
}

/// An error that a repair may answer by giving something up.
fn is_damage(error: &Error) -> bool {
    error.kind() == crate::error::ErrorKind::Damaged
}
