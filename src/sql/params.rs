//! Parameters of a query: `$name` in the text, a typed literal in the syntax tree. Nothing is ever
//! pasted into a text, so a value cannot become SQL.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::ControlFlow;

use datafusion::sql::parser::Statement;
use datafusion::sql::sqlparser::ast::{
    CastKind, DataType, ExactNumberInfo, Expr, Function, FunctionArg, FunctionArgExpr,
    FunctionArgumentList, FunctionArguments, Ident, ObjectName, Statement as SqlStatement,
    TimezoneInfo, UnaryOperator, Value, VisitMut, VisitorMut,
};

use crate::error::{Error, Result, nearest};

/// Values by parameter name, without the `$`.
pub type Params = BTreeMap<String, ParamValue>;

/// A typed value.
#[derive(Debug, Clone, PartialEq)]
pub enum ParamValue {
    /// No value; compares as NULL of a text.
    Null,
    /// Text.
    Text(String),
    /// A whole number.
    Int(i64),
    /// A number.
    Float(f64),
    /// True or false.
    Bool(bool),
    /// A moment: microseconds since the Unix epoch.
    Time(i64),
    /// A moment before the query's start, such as `7d`; see `ago` for the units.
    Ago(String),
}

/// Puts the values into the statement. A parameter without a value, or a value that no parameter
/// takes, is an error that names the nearest.
pub(super) fn bind(statement: &mut Statement, params: &Params) -> Result<()> {
    let values = params.iter().map(|(name, value)| (name.clone(), literal(value))).collect();
    let mut binder = Binder { values: &values, used: BTreeSet::new(), missing: None };
    binder.statement(statement);
    let used = binder.used;
    if let Some(name) = binder.missing {
        let known = params.keys().map(String::as_str);
        let error = Error::invalid(format!("the query's parameter ${name} has no value"));
        return Err(match nearest(&name, known) {
            Some(near) => error.with_hint(format!("there is a value for ${near}")),
            None => error.with_hint(format!("give it one: {name}=…")),
        });
    }
    match params.keys().find(|it| !used.contains(*it)) {
        None => Ok(()),
        Some(name) => {
            let error = Error::invalid(format!("the query has no parameter ${name}"));
            Err(match nearest(name, used.iter().map(String::as_str)) {
                Some(near) => error.with_hint(format!("did you mean ${near}?")),
                None => error,
            })
        }
    }
}

/// Puts an expression in the place of each parameter that has one.
pub(super) fn substitute(statement: &mut SqlStatement, values: &BTreeMap<String, Expr>) {
    let mut binder = Binder { values, used: BTreeSet::new(), missing: None };
    let _: ControlFlow<()> = statement.visit(&mut binder);
}

struct Binder<'a> {
    values: &'a BTreeMap<String, Expr>,
    used: BTreeSet<String>,
    missing: Option<String>,
}

impl Binder<'_> {
    fn statement(&mut self, statement: &mut Statement) {
        match statement {
            Statement::Statement(it) => {
                let _: ControlFlow<()> = it.visit(self);
            }
            Statement::Explain(it) => self.statement(&mut it.statement),
            Statement::CreateExternalTable(_) | Statement::CopyTo(_) | Statement::Reset(_) => {}
        }
    }
}

impl VisitorMut for Binder<'_> {
    type Break = ();

    fn post_visit_expr(&mut self, expr: &mut Expr) -> ControlFlow<()> {
        if let Expr::Value(value) = expr
            && let Value::Placeholder(name) = &value.value
        {
            let name = name.trim_start_matches('$').to_owned();
            match self.values.get(&name) {
                Some(value) => {
                    *expr = value.clone();
                    self.used.insert(name);
                }
                None => self.missing = self.missing.take().or(Some(name)),
            }
        }
        ControlFlow::Continue(())
    }
}

fn literal(value: &ParamValue) -> Expr {
    match value {
        ParamValue::Null => cast(Expr::value(Value::Null), DataType::Text),
        ParamValue::Text(text) => text_literal(text),
        ParamValue::Int(value) => number(value.unsigned_abs().to_string(), *value < 0),
        ParamValue::Float(value) if value.is_finite() => {
            cast(number(format!("{:?}", value.abs()), *value < 0.0), DOUBLE)
        }
        ParamValue::Float(value) => cast(text_literal(&value.to_string()), DOUBLE),
        ParamValue::Bool(value) => Expr::value(Value::Boolean(*value)),
        ParamValue::Time(us) => {
            let micros = number(us.unsigned_abs().to_string(), *us < 0);
            let time = call("to_timestamp_micros", micros);
            cast(time, DataType::Timestamp(Some(6), TimezoneInfo::WithTimeZone))
        }
        ParamValue::Ago(duration) => call("ago", text_literal(duration)),
    }
}

const DOUBLE: DataType = DataType::Double(ExactNumberInfo::None);

fn text_literal(text: &str) -> Expr {
    Expr::value(Value::SingleQuotedString(text.to_owned()))
}

fn number(digits: String, negative: bool) -> Expr {
    let number = Expr::value(Value::Number(digits, false));
    if !negative {
        return number;
    }
    Expr::Nested(Box::new(Expr::UnaryOp { op: UnaryOperator::Minus, expr: Box::new(number) }))
}

fn cast(expr: Expr, data_type: DataType) -> Expr {
    let expr = Box::new(expr);
    Expr::Cast { kind: CastKind::Cast, expr, data_type, array: false, format: None }
}

fn call(name: &str, argument: Expr) -> Expr {
    let args = vec![FunctionArg::Unnamed(FunctionArgExpr::Expr(argument))];
    let list = FunctionArgumentList { duplicate_treatment: None, args, clauses: Vec::new() };
    Expr::Function(Function {
        name: ObjectName::from(vec![Ident::new(name)]),
        uses_odbc_syntax: false,
        parameters: FunctionArguments::None,
        args: FunctionArguments::List(list),
        filter: None,
        null_treatment: None,
        over: None,
        within_group: Vec::new(),
    })
}
