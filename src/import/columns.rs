//! The columns of a file held against those of its table, by name.

use std::path::Path;

use crate::error::{Error, Result, nearest};
use crate::event::{Column, Table};
use crate::output::escape;

/// The index of a column of a table by its name.
pub(super) fn index_of(table: Table, name: &str) -> Option<usize> {
    table.columns().iter().position(|it| it.name == name)
}

/// For each column of a file, the column of the table; `None` for one that is left out.
///
/// # Errors
/// A column that the table has not, one that is there twice, one that is lacking and may not be.
pub(super) fn matched(
    path: &Path,
    table: Table,
    names: &[&str],
    ignore_unknown: bool,
) -> Result<Vec<Option<usize>>> {
    let mut matched = Vec::with_capacity(names.len());
    for name in names {
        let index = index_of(table, name);
        if index.is_none() && !ignore_unknown {
            return Err(unknown(&path.display().to_string(), table, name));
        }
        if index.is_some() && matched.contains(&index) {
            let message = format!("{} has two columns {}", path.display(), escape(name));
            return Err(Error::invalid(message).with_hint("Leave one of them out."));
        }
        matched.push(index);
    }
    let lacking = |(index, it): &(usize, &Column)| !it.nullable && !matched.contains(&Some(*index));
    if let Some((_, column)) = table.columns().iter().enumerate().find(lacking) {
        let (path, table, name) = (path.display(), table.name(), column.name);
        let message = format!("{path} has no column {name}, which every row of {table} must have");
        return Err(Error::invalid(message).with_hint(list_hint(table)));
    }
    Ok(matched)
}

/// A column that the table has not, found at a place.
pub(super) fn unknown(place: &str, table: Table, name: &str) -> Error {
    let message = format!("{place} has a column {}, and {} has none", escape(name), table.name());
    let known = table.columns().iter().map(|it| it.name);
    let hint = match nearest(name, known) {
        Some(it) => format!("Did you mean {it}? `--ignore-unknown` leaves such columns out."),
        None => format!("`--ignore-unknown` leaves it out. {}", list_hint(table.name())),
    };
    Error::invalid(message).with_hint(hint)
}

fn list_hint(table: &str) -> String {
    format!("`genstore schema {table}` lists the columns.")
}
