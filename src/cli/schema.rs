//! `genstore schema`: the tables and their columns, as the README shows them.

use super::ask::stdout;
use super::{Context, print};
use crate::error::Result;
use crate::event::Table;
use crate::output::Format;
use crate::repl::{columns, functions};
use crate::sql::views;

/// Print the tables and views of a store and their columns, as Markdown
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Only this table, view or table function
    #[arg(conflicts_with = "functions")]
    table: Option<String>,
    /// The functions that genstore adds to SQL instead
    #[arg(long)]
    functions: bool,
}

pub(crate) fn run(args: &Args, context: &Context) -> Result<u8> {
    if args.functions {
        context.shell(Format::Markdown, false)?.write(&functions()?, &mut stdout())?;
        return Ok(0);
    }
    let Some(table) = &args.table else {
        print(&tables_table())?;
        return Ok(0);
    };
    context.shell(Format::Markdown, false)?.write(&columns(Some(table))?, &mut stdout())?;
    Ok(0)
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
    for view in views() {
        let names: Vec<_> = view.columns.iter().map(|it| it.name.as_str()).collect();
        text.push_str(&format!(
            "| `{}` (view) | {} | {} |\n",
            view.name,
            view.question,
            names.join(", ")
        ));
    }
    text
}
