//! Files of a check that nothing names: a data file of a flush that failed, temporaries of a writer
//! that died. They only take room; a living writer may be about to name them.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::logs::States;
use super::{Look, Remedy, Severity};
use crate::error::Result;
use crate::event::Table;
use crate::store::files::{Files, LocalFiles, Metadata};
use crate::store::layout::{
    Layout, MENDED_SUFFIX, delta_log, is_data_name, is_identity_temporary_name,
};
use crate::store::slot::{self, names_in};
use crate::store::temporaries;

const DAY_US: i64 = 24 * 3_600 * 1_000_000;

/// Files that may be strays.
#[derive(Debug, Default)]
pub(in crate::store) struct Strays {
    /// Files with temporary names.
    pub(in crate::store) temporaries: Vec<PathBuf>,
    /// Data files by table, named or not.
    pub(in crate::store) data: BTreeMap<Table, Vec<String>>,
}

/// Lists what may be a stray.
pub(in crate::store) fn list(files: &dyn Files, layout: &Layout) -> Result<Strays> {
    let mut strays =
        Strays { temporaries: temporaries::list(files, layout), data: BTreeMap::new() };
    for folder in [layout.root().to_owned(), layout.journal()] {
        let names = names_in(&folder)?;
        let temporary =
            |it: &&String| is_identity_temporary_name(it) || it.ends_with(MENDED_SUFFIX);
        let names = names.iter().filter(temporary);
        strays.temporaries.extend(names.map(|it| folder.join(it)));
    }
    for number in slot::list(layout)? {
        let folder = layout.slot(number);
        let names = names_in(&folder)?;
        let names =
            names.iter().filter(|it| it.ends_with(".wal.tmp") || it.ends_with(MENDED_SUFFIX));
        strays.temporaries.extend(names.map(|it| folder.join(it)));
    }
    for table in Table::ALL {
        let folder = layout.table(*table);
        let log_folder = delta_log(&folder);
        let names_of = |folder: &Path| -> Result<Vec<String>> {
            Ok(files.list(folder)?.into_iter().map(|it| it.name).collect())
        };
        let mut names = names_of(&folder).unwrap_or_default();
        for (folder, names) in [(&folder, &names), (&log_folder, &names_of(&log_folder)?)] {
            let names = names.iter().filter(|it| it.ends_with(MENDED_SUFFIX));
            strays.temporaries.extend(names.map(|it| folder.join(it)));
        }
        names.retain(|it| is_data_name(it));
        strays.data.insert(*table, names);
    }
    Ok(strays)
}

/// Reports those that no log names. `alone`: nobody writes.
pub(super) fn tell(
    look: &mut Look<'_>,
    strays: &Strays,
    states: &States,
    alone: bool,
    now_us: i64,
) -> Result<()> {
    for path in &strays.temporaries {
        tell_one(look, path, "stray.temporary", "a file that was being written", alone, now_us)?;
    }
    for (table, names) in &strays.data {
        let Some(state) = states.get(table) else { continue };
        for name in names.iter().filter(|it| !state.names(it)) {
            let path = look.layout.table(*table).join(name);
            tell_one(look, &path, "stray.data", "a data file that no log names", alone, now_us)?;
        }
    }
    Ok(())
}

fn tell_one(
    look: &mut Look<'_>,
    path: &Path,
    rule: &'static str,
    what: &str,
    alone: bool,
    now_us: i64,
) -> Result<()> {
    // one that has gone was no stray; those of journals lie beside the tables' or elsewhere
    let files = look.tables.files();
    let of_tables = path.starts_with(look.layout.tables());
    let found = if of_tables { files.metadata(path) } else { LocalFiles::system().metadata(path) };
    let Some(Metadata { size_bytes: size, modified_ms }) = found? else { return Ok(()) };
    let old = now_us.saturating_sub(modified_ms.saturating_mul(1_000)) > DAY_US;
    let (text, remedy) = if alone || old {
        let advice = match rule {
            "stray.data" => "it is moved aside, to the folder damaged of the store",
            _ => "it is removed; no row is in it that the tables lack",
        };
        (format!("{what}, {size} bytes; its writer is gone"), (Remedy::Repair, advice))
    } else {
        let remedy = (Remedy::None, "nothing: a living writer may be about to name it");
        (format!("{what}, {size} bytes"), remedy)
    };
    look.report.add(Severity::Note, rule, path, text, remedy);
    Ok(())
}
