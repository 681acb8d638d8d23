//! Python values for fields: declared defaults, neutral values within the declared bounds, and
//! whether an output field may take over an input field's value. Values are texts; none is invented
//! beyond what the type and its bounds allow.

use serde_json::Value as Json;

use super::types::{Default, FieldPlan, PyType, Shape, number};
use crate::template::python_text::{Expr, Imports, literal};

/// A JSON value as an expression of the type, where it is one.
pub(super) fn from_json(value: &Json, of: &PyType, shape: &Shape) -> Option<Expr> {
    let atom = |text: String| Some(Expr::Atom(text));
    match (of, value) {
        (PyType::Optional(_), Json::Null) => atom("None".into()),
        (PyType::Optional(inner), _) => from_json(value, inner, shape),
        (PyType::Str, Json::String(text)) => atom(literal(text)),
        (PyType::Bool, Json::Bool(true)) => atom("True".into()),
        (PyType::Bool, Json::Bool(false)) => atom("False".into()),
        (PyType::Int, Json::Number(it)) if it.is_i64() || it.is_u64() => atom(it.to_string()),
        (PyType::Int, Json::Number(it)) => {
            let it = it.as_f64().filter(|it| it.fract() == 0.0 && it.abs() < 9e15)?;
            atom(number(it, of))
        }
        (PyType::Float, Json::Number(it)) => atom(number(it.as_f64()?, of)),
        (PyType::Uuid, Json::String(text)) => {
            let id = uuid::Uuid::parse_str(text).ok()?;
            atom(format!("UUID(\"{id}\")"))
        }
        (PyType::DateTime, Json::String(text)) => {
            let time = chrono::DateTime::parse_from_rfc3339(text).ok()?;
            atom(format!("datetime.fromisoformat(\"{}\")", time.to_rfc3339()))
        }
        (PyType::Enum(at), Json::String(text)) => {
            shape.enums.get(*at)?.member(text).map(Expr::Atom)
        }
        (PyType::List(item), Json::Array(values)) => {
            let items: Option<Vec<Expr>> =
                values.iter().map(|value| from_json(value, item, shape)).collect();
            Some(Expr::group("[", items?, "]"))
        }
        (PyType::Dict(item), Json::Object(values)) => {
            let entry = |(key, value): (&String, &Json)| {
                let value = from_json(value, item, shape)?.render(0);
                Some(Expr::Atom(format!("{}: {value}", literal(key))))
            };
            let items: Option<Vec<Expr>> = values.iter().map(entry).collect();
            Some(Expr::group("{", items?, "}"))
        }
        _ => None,
    }
}

/// A JSON value in the one spelling that its Python literal has: `19` as a float is `19.0`.
pub(super) fn data(value: &Json, of: &PyType) -> Json {
    match (of, value) {
        (PyType::Optional(inner), it) if !it.is_null() => data(it, inner),
        (PyType::Int, Json::Number(it)) if it.is_f64() => {
            let text = number(it.as_f64().unwrap_or(0.0), of);
            serde_json::from_str(&text).unwrap_or_else(|_| value.clone())
        }
        (PyType::Float, Json::Number(it)) => it.as_f64().map_or(Json::Null, Json::from),
        (PyType::Uuid, Json::String(text)) => match uuid::Uuid::parse_str(text) {
            Ok(id) => id.to_string().into(),
            Err(_) => value.clone(),
        },
        (PyType::DateTime, Json::String(text)) => {
            match chrono::DateTime::parse_from_rfc3339(text) {
                Ok(time) => time.to_rfc3339().into(),
                Err(_) => value.clone(),
            }
        }
        (PyType::List(item), Json::Array(all)) => all.iter().map(|it| data(it, item)).collect(),
        (PyType::Dict(item), Json::Object(all)) => {
            Json::Object(all.iter().map(|(key, it)| (key.clone(), data(it, item))).collect())
        }
        _ => value.clone(),
    }
}

/// The declared default as a field's default; lists and mappings are made anew for each instance.
pub(super) fn default(value: &Json, of: &PyType, shape: &Shape) -> Option<Default> {
    let value = from_json(value, of, shape)?;
    Some(match value {
        Expr::Group { items, head, .. } if items.is_empty() => {
            let factory = if head == "[" { "list" } else { "dict" };
            Default::Factory(Expr::atom(factory))
        }
        Expr::Group { head, items, tail } => {
            Default::Factory(Expr::group(format!("lambda: {head}"), items, tail))
        }
        value => Default::Value(value),
    })
}

/// The neutral value of a field, inside its bounds.
pub(super) fn neutral(field: &FieldPlan, shape: &Shape, imports: &mut Imports) -> Expr {
    if field.field_type.is_number() && !matches!(field.field_type, PyType::Optional(_)) {
        let low = field.minimum.unwrap_or(f64::NEG_INFINITY);
        let high = field.maximum.unwrap_or(f64::INFINITY);
        return Expr::Atom(number(0.0_f64.max(low).min(high), &field.field_type));
    }
    neutral_of(&field.field_type, shape, imports)
}

fn neutral_of(of: &PyType, shape: &Shape, imports: &mut Imports) -> Expr {
    let text = match of {
        PyType::Str => "\"\"".into(),
        PyType::Int => "0".into(),
        PyType::Float => "0.0".into(),
        PyType::Bool => "False".into(),
        PyType::List(_) => "[]".into(),
        PyType::Dict(_) => "{}".into(),
        PyType::Optional(_) => "None".into(),
        PyType::Uuid => {
            imports.name("uuid", "UUID");
            "UUID(int=0)".into()
        }
        PyType::DateTime => {
            imports.name("datetime", "UTC");
            imports.name("datetime", "datetime");
            "datetime(1970, 1, 1, tzinfo=UTC)".into()
        }
        PyType::Enum(at) => {
            shape.import(of, "handlers", imports);
            let first = shape.enums.get(*at).and_then(|it| Some((it, it.members.first()?)));
            first.map_or("\"\"".into(), |(it, (name, _))| format!("{}.{name}", it.class_name))
        }
        PyType::Model(at) => {
            shape.import(of, "handlers", imports);
            let Some(model) = shape.parts.get(*at) else { return Expr::atom("None") };
            let required = model.fields.iter().filter(|field| field.default.is_none());
            let items = required.map(|it| neutral(it, shape, imports).named(&it.ident)).collect();
            return Expr::group(format!("{}(", model.class_name), items, ")");
        }
    };
    Expr::Atom(text)
}

/// Whether every value that `from` can have is one that `to` takes.
pub(super) fn carries(from: &FieldPlan, to: &FieldPlan) -> bool {
    let same = from.field_type == to.field_type
        || matches!(&to.field_type, PyType::Optional(inner) if **inner == from.field_type)
        || (from.field_type == PyType::Int && to.field_type == PyType::Float);
    let bounded = |from: Option<f64>, to: Option<f64>, sign: f64| match (from, to) {
        (_, None) => true,
        (Some(from), Some(to)) => from * sign >= to * sign,
        (None, Some(_)) => false,
    };
    same && bounded(from.minimum, to.minimum, 1.0) && bounded(from.maximum, to.maximum, -1.0)
}
