//! `FROM runs` without a SELECT asks for every column, as in DuckDB; the engine takes it for none.
//! Changes nothing else of a statement.

use std::ops::ControlFlow;

use datafusion::sql::parser::Statement;
use datafusion::sql::sqlparser::ast::{
    Select, SelectFlavor, SelectItem, VisitMut, VisitorMut, WildcardAdditionalOptions,
};

/// Gives every `FROM …` that has no SELECT its `*`.
pub(super) fn complete(statement: &mut Statement) {
    match statement {
        Statement::Statement(it) => {
            let _: ControlFlow<()> = it.visit(&mut Completer);
        }
        Statement::Explain(it) => complete(&mut it.statement),
        Statement::CreateExternalTable(_) | Statement::CopyTo(_) | Statement::Reset(_) => {}
    }
}

struct Completer;

impl VisitorMut for Completer {
    type Break = ();

    fn pre_visit_select(&mut self, select: &mut Select) -> ControlFlow<()> {
        if select.flavor == SelectFlavor::FromFirstNoSelect && select.projection.is_empty() {
            let every = SelectItem::Wildcard(WildcardAdditionalOptions::default());
            select.projection.push(every);
        }
        ControlFlow::Continue(())
    }
}
