//! A session only reads: every statement that is not a question is refused before it is planned.

use datafusion::execution::context::SQLOptions;
use datafusion::logical_expr::LogicalPlan;
use datafusion::sql::parser::Statement;
use datafusion::sql::sqlparser::ast::Statement as SqlStatement;

use super::limits;
use crate::error::{Error, Result};

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
    Error::invalid(format!("SQL here only reads: {what} is not allowed"))
        .with_hint("rows are written by runs; `export` writes them to files")
}
