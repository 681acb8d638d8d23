//! Files that a writer died over: a data file or a commit without its name. No reader sees them, so
//! this only frees space. Never touches a file that a living writer may be writing.
//!
//! A writer makes them only while it holds a slot. So what was there before all other slots were
//! found free belongs to nobody.

use std::path::PathBuf;

use super::files::Files;
use super::layout::{Layout, delta_log, is_temporary_name};
use crate::event::Table;

/// Every temporary file of the tables. To be asked before the other slots are looked at.
pub(super) fn list(files: &dyn Files, layout: &Layout) -> Vec<PathBuf> {
    let mut found = Vec::new();
    if files.is_remote() {
        return found; // an object is there when it is whole
    }
    for table in Table::ALL {
        let data = layout.table(*table);
        for folder in [delta_log(&data), data] {
            // a folder that cannot be listed is told by whoever needs what is in it
            let names = files.list(&folder).unwrap_or_default();
            let temporary = names.iter().filter(|it| is_temporary_name(&it.name));
            found.extend(temporary.map(|it| folder.join(&it.name)));
        }
    }
    found
}

/// Removes them. One that cannot be removed is in nobody's way: the next writer tries again.
pub(super) fn remove(files: &dyn Files, temporaries: &[PathBuf]) {
    for file in temporaries {
        drop(files.remove(file));
    }
}
