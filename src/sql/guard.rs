//! A session only reads: every statement that is not a question is refused before it is planned.
//! Where files are allowed, some may be named, and COPY may give the rows of a question to whoever
//! writes them.

use datafusion::execution::context::SQLOptions;
use datafusion::logical_expr::LogicalPlan;
use datafusion::sql::parser::{
    CopyToSource, CopyToStatement, CreateExternalTable, DFParserBuilder, Statement,
};
use datafusion::sql::sqlparser::ast::{Ident, ObjectName, Statement as SqlStatement};

use super::files::{FileKind, Files};
use super::limits;
use crate::error::{Error, Result};

/// The file that a COPY statement asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CopyTo {
    /// Where, with all links followed.
    pub path: std::path::PathBuf,
    /// How the rows are stored.
    pub kind: FileKind,
}

/// The file that a COPY asks for, if it may be written.
pub(super) fn copy_target(copy: &CopyToStatement, files: &Files) -> Result<CopyTo> {
    if !files.is_allowed() {
        return Err(refused("COPY"));
    }
    if !copy.options.is_empty() || !copy.partitioned_by.is_empty() {
        return Err(Error::invalid("COPY takes no options here").with_hint(
            "COPY (SELECT …) TO 'name.parquet'; `export` writes partitions and other forms",
        ));
    }
    let kind = FileKind::of(copy.stored_as.as_deref(), &copy.target)?;
    Ok(CopyTo { path: files.writable(&copy.target)?, kind })
}

/// The question whose rows a COPY writes.
pub(super) fn copy_source(copy: CopyToStatement) -> Result<Statement> {
    match copy.source {
        CopyToSource::Query(query) => Ok(Statement::Statement(SqlStatement::Query(query).into())),
        CopyToSource::Relation(name) => {
            let text = format!("SELECT * FROM {name}");
            let parsed =
                DFParserBuilder::new(text.as_str()).build().and_then(|mut it| it.parse_statement());
            parsed.map_err(|_| Error::invalid(format!("COPY cannot read {name}")))
        }
    }
}

/// Gives a name to files, as a CREATE EXTERNAL TABLE asks; the name. `taken` says what has one.
pub(super) fn name_files(
    create: &CreateExternalTable,
    files: &Files,
    taken: impl Fn(&str) -> bool,
) -> Result<String> {
    if !files.is_allowed() {
        return Err(refused("CREATE EXTERNAL TABLE"));
    }
    let is_plain = create.columns.is_empty()
        && create.table_partition_cols.is_empty()
        && create.order_exprs.is_empty()
        && create.options.is_empty()
        && create.constraints.is_empty()
        && !create.unbounded;
    let form = "CREATE EXTERNAL TABLE name STORED AS CSV LOCATION 'folder/*.csv'";
    let (Some(name), [location], true) =
        (bare(&create.name), create.locations.as_slice(), is_plain)
    else {
        return Err(Error::invalid("an external table has a name, a format and one location")
            .with_hint(form));
    };
    if taken(&name) {
        return Err(Error::invalid(format!("the store has a table {name}"))
            .with_hint("give the files another name"));
    }
    let kind = FileKind::of(Some(&create.file_type), location)?;
    files.name(name.clone(), location.clone(), kind)?;
    Ok(name)
}

/// The name of a table in the store's own schema, as the engine would look for it.
fn bare(name: &ObjectName) -> Option<String> {
    let [part] = name.0.as_slice() else { return None };
    let Ident { value, quote_style, .. } = part.as_ident()?;
    Some(if quote_style.is_some() { value.clone() } else { value.to_lowercase() })
}

/// Refuses a statement that would write, define or set something.
pub(super) fn check_statement(statement: &Statement) -> Result<()> {
    let inner = match statement {
        Statement::Statement(it) => {
            limits::check_tables(it)?;
            it
        }
        Statement::Explain(it) => return check_statement(&it.statement),
        Statement::CopyTo(_) => return Err(refused("COPY")),
        Statement::CreateExternalTable(_) => return Err(refused("CREATE EXTERNAL TABLE")),
        Statement::Reset(_) => return Err(refused("RESET")),
    };
    match inner.as_ref() {
        SqlStatement::Query(_)
        | SqlStatement::ShowTables { .. }
        | SqlStatement::ShowColumns { .. }
        | SqlStatement::ShowFunctions { .. }
        | SqlStatement::ShowVariable { .. }
        | SqlStatement::ExplainTable { .. } => Ok(()),
        SqlStatement::Explain { statement, .. } => {
            check_statement(&Statement::Statement(statement.clone()))
        }
        other => {
            let text = other.to_string();
            let words: Vec<&str> = text.split_whitespace().take(2).collect();
            Err(refused(&words.join(" ")))
        }
    }
}

/// The same for a plan, in case a question hides something else (for example `SELECT … INTO`).
pub(super) fn check_plan(plan: &LogicalPlan) -> Result<()> {
    SQLOptions::new()
        .with_allow_ddl(false)
        .with_allow_dml(false)
        .with_allow_statements(false)
        .verify_plan(plan)
        .map_err(|_| refused("this statement"))
}

fn refused(what: &str) -> Error {
    let error = Error::invalid(format!("SQL here only reads: {what} is not allowed"));
    match what {
        "COPY" | "CREATE EXTERNAL TABLE" => error
            .with_hint("--files allows files below the working directory; `export` writes tables"),
        _ => error.with_hint("rows are written by runs; `export` writes them to files"),
    }
}
