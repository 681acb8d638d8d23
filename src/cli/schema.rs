//! `genstore schema`: the tables and their columns, as the README shows them.

use crate::error::{Error, Result, nearest};
use crate::event::{Column, ColumnType, Table};

use super::{Context, print};

/// Print the tables of a store and their columns, as Markdown
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Only this table
    table: Option<String>,
}

pub(crate) fn run(args: &Args, _context: &Context) -> Result<u8> {
    let text = match &args.table {
        Some(name) => columns_table(table(name)?),
        None => tables_table(),
    };
    print(&text)?;
    Ok(0)
}

fn table(name: &str) -> Result<Table> {
    Table::by_name(name).ok_or_else(|| {
        let names = Table::ALL.iter().map(|it| it.name());
        let hint = nearest(name, names.clone()).map_or_else(
            || format!("The tables are {}.", names.collect::<Vec<_>>().join(", ")),
            |it| format!("Did you mean {it}?"),
        );
        Error::usage(format!("there is no table {name:?}")).with_hint(hint)
    })
}

/// One line per table: name, what a row is, columns.
fn tables_table() -> String {
    let mut text = String::from("| table | one row is | columns |\n|---|---|---|\n");
    for table in Table::ALL {
        let names: Vec<_> = table.columns().iter().map(|it| it.name).collect();
        text.push_str(&format!(
            "| `{}` | {} | {} |\n",
            table.name(),
            table.doc(),
            names.join(", ")
        ));
    }
    text
}

/// One line per column: name, type, meaning.
fn columns_table(table: Table) -> String {
    let mut text = String::from("| column | type | meaning |\n|---|---|---|\n");
    for column in table.columns() {
        text.push_str(&format!("| `{}` | {} | {} |\n", column.name, sql_type(column), column.doc));
    }
    text
}

fn sql_type(column: &Column) -> String {
    let name = match column.kind {
        ColumnType::Text => "text",
        ColumnType::Int => "bigint",
        ColumnType::Float => "double",
        ColumnType::Bool => "boolean",
        ColumnType::Time => "timestamp (µs, UTC)",
        ColumnType::Binary => "binary",
    };
    if column.nullable { format!("{name}, nullable") } else { name.to_owned() }
}
