//! Views and table functions: questions whose answers SQL can go on with, such as
//! `FROM latency WHERE p99_ms > 100` and `FROM why('0199f3c2')`.
//!
//! Each is a file like a canned query, with its columns in the header: views in `queries/views`,
//! table functions in `queries/functions`. A view is planned when a statement names it, so that a
//! session that asks for none pays for none; a table function is put in the place of its call, with
//! the arguments for its parameters. Nothing here is stored.

use std::collections::{BTreeMap, HashMap};
use std::ops::ControlFlow;
use std::sync::{Arc, LazyLock, Mutex, OnceLock, PoisonError, Weak};

use async_trait::async_trait;
use datafusion::catalog::{MemorySchemaProvider, SchemaProvider, TableProvider};
use datafusion::common::{DataFusionError, Result as EngineResult};
use datafusion::datasource::ViewTable;
use datafusion::execution::session_state::SessionState;
use datafusion::sql::parser::{DFParserBuilder, Statement};
use datafusion::sql::sqlparser::ast::{
    Expr, FunctionArg, FunctionArgExpr, Ident, Statement as SqlStatement, TableAlias, TableFactor,
    VisitMut, VisitorMut,
};
use datafusion::sql::sqlparser::dialect::GenericDialect;

use super::params;
use super::queries::{CannedQuery, parsed};
use crate::error::{Error, Result};

/// Every file of `queries/views`, in the order in which they are listed.
const VIEWS: &[(&str, &str)] = &[
    ("latency", include_str!("../../queries/views/latency.sql")),
    ("step_share", include_str!("../../queries/views/step_share.sql")),
    ("regressions", include_str!("../../queries/views/regressions.sql")),
    ("quality_daily", include_str!("../../queries/views/quality_daily.sql")),
    ("rule_trend", include_str!("../../queries/views/rule_trend.sql")),
    ("model_usage", include_str!("../../queries/views/model_usage.sql")),
];

/// Every file of `queries/functions`.
const FUNCTIONS: &[(&str, &str)] = &[
    ("why", include_str!("../../queries/functions/why.sql")),
    ("history", include_str!("../../queries/functions/history.sql")),
    ("compare", include_str!("../../queries/functions/compare.sql")),
    ("lineage", include_str!("../../queries/functions/lineage.sql")),
];

static ALL_VIEWS: LazyLock<Vec<CannedQuery>> = LazyLock::new(|| parsed(VIEWS));
static ALL_FUNCTIONS: LazyLock<Vec<CannedQuery>> = LazyLock::new(|| parsed(FUNCTIONS));

/// The views: they have columns and take no parameters.
pub fn views() -> &'static [CannedQuery] {
    &ALL_VIEWS
}

/// The table functions: they have columns, and take each of their parameters in its order.
pub fn table_functions() -> &'static [CannedQuery] {
    &ALL_FUNCTIONS
}

/// The tables of a session, and the views as far as statements have named them.
#[derive(Debug, Default)]
pub(super) struct Tables {
    tables: MemorySchemaProvider,
    planned: Mutex<HashMap<&'static str, Arc<dyn TableProvider>>>,
    /// The state that views are planned in. It knows these tables, hence weak.
    state: OnceLock<Weak<SessionState>>,
}

impl Tables {
    /// Plans views in this state from now on.
    pub(super) fn plan_in(&self, state: &Arc<SessionState>) {
        self.state.get_or_init(|| Arc::downgrade(state));
    }

    async fn plan(&self, view: &CannedQuery) -> EngineResult<Arc<dyn TableProvider>> {
        let state = self.state.get().and_then(Weak::upgrade).ok_or_else(|| {
            DataFusionError::Internal("a view was asked for outside of a session".to_owned())
        })?;
        let plan = state.statement_to_plan(statement(&view.sql)?).await?;
        Ok(Arc::new(ViewTable::new(plan, Some(view.sql.clone()))))
    }
}

#[async_trait]
impl SchemaProvider for Tables {
    fn table_names(&self) -> Vec<String> {
        let mut names = self.tables.table_names();
        names.extend(views().iter().map(|it| it.name.clone()));
        names
    }

    async fn table(&self, name: &str) -> EngineResult<Option<Arc<dyn TableProvider>>> {
        if let Some(table) = self.tables.table(name).await? {
            return Ok(Some(table));
        }
        let Some(view) = views().iter().find(|it| it.name == name) else { return Ok(None) };
        let planned = |it: &Self| {
            let planned = it.planned.lock().unwrap_or_else(PoisonError::into_inner);
            planned.get(name).map(Arc::clone)
        };
        if let Some(table) = planned(self) {
            return Ok(Some(table));
        }
        let table = self.plan(view).await?;
        let mut planned = self.planned.lock().unwrap_or_else(PoisonError::into_inner);
        planned.insert(&view.name, Arc::clone(&table));
        Ok(Some(table))
    }

    fn register_table(
        &self,
        name: String,
        table: Arc<dyn TableProvider>,
    ) -> EngineResult<Option<Arc<dyn TableProvider>>> {
        self.tables.register_table(name, table)
    }

    fn table_exist(&self, name: &str) -> bool {
        self.tables.table_exist(name) || views().iter().any(|it| it.name == name)
    }
}

fn statement(sql: &str) -> EngineResult<Statement> {
    let mut statements = DFParserBuilder::new(sql)
        .with_dialect(&GenericDialect {})
        .build()
        .and_then(|mut parser| parser.parse_statements())?;
    statements.pop_front().ok_or_else(|| DataFusionError::Internal("an empty view".to_owned()))
}

/// Puts the question of every table function in the place of its call.
pub(super) fn expand(statement: &mut Statement) -> Result<()> {
    match statement {
        Statement::Statement(it) => match it.visit(&mut Expander) {
            ControlFlow::Break(error) => Err(error),
            ControlFlow::Continue(()) => Ok(()),
        },
        Statement::Explain(it) => expand(&mut it.statement),
        Statement::CreateExternalTable(_) | Statement::CopyTo(_) | Statement::Reset(_) => Ok(()),
    }
}

struct Expander;

impl VisitorMut for Expander {
    type Break = Error;

    fn post_visit_table_factor(&mut self, factor: &mut TableFactor) -> ControlFlow<Error> {
        let TableFactor::Table { name, args: Some(args), alias, .. } = factor else {
            return ControlFlow::Continue(());
        };
        let called = name.to_string().to_lowercase();
        let Some(function) = table_functions().iter().find(|it| it.name == called) else {
            return ControlFlow::Continue(());
        };
        match subquery(function, &args.args, alias.take()) {
            Ok(found) => *factor = found,
            Err(error) => return ControlFlow::Break(error),
        }
        ControlFlow::Continue(())
    }
}

/// The question of a function with the arguments of a call, as a subquery.
fn subquery(
    function: &CannedQuery,
    args: &[FunctionArg],
    alias: Option<TableAlias>,
) -> Result<TableFactor> {
    let names: Vec<&str> = function.params.iter().map(|it| it.name.as_str()).collect();
    let call = format!("{}({})", function.name, names.join(", "));
    let wrong = |what: String| {
        Error::invalid(what).with_hint(format!("it is called {call}: {}", function.question))
    };
    if args.len() != names.len() {
        let (needs, has) = (names.len(), args.len());
        let arguments = if needs == 1 { "argument" } else { "arguments" };
        return Err(wrong(format!("{} takes {needs} {arguments}, not {has}", function.name)));
    }
    let mut values: BTreeMap<String, Expr> = BTreeMap::new();
    for (name, arg) in names.iter().zip(args) {
        let FunctionArg::Unnamed(FunctionArgExpr::Expr(value)) = arg else {
            return Err(wrong(format!("{} does not take the argument {arg}", function.name)));
        };
        values.insert((*name).to_owned(), value.clone());
    }
    let broken = |source| {
        Error::internal(format!("the table function {} is broken", function.name))
            .with_source(source)
    };
    let Statement::Statement(mut question) = statement(&function.sql).map_err(broken)? else {
        return Err(Error::internal(format!("{} is no question", function.name)));
    };
    params::substitute(&mut question, &values);
    let SqlStatement::Query(query) = *question else {
        return Err(Error::internal(format!("{} is no question", function.name)));
    };
    let alias = alias.unwrap_or_else(|| TableAlias {
        explicit: false,
        name: Ident::new(function.name.as_str()),
        columns: Vec::new(),
        at: None,
    });
    Ok(TableFactor::Derived { lateral: false, subquery: query, alias: Some(alias), sample: None })
}
