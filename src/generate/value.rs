//! Python values for fields: declared defaults, neutral values within the declared limits, and
//! whether an output field may take over an input field's value. Values are texts; none is invented
//! beyond what the type and its limits allow.

use serde_json::Value as Json;

use super::example;
use super::types::{Default, FieldPlan, PyType, Shape, number};
use crate::contract::model::limits::{self, Limits};
use crate::template::python_text::{Expr, Imports, literal};

/// Most values that are written out one by one.
const WRITTEN_MAX: u64 = 8;

/// A JSON value as an expression of the type, where it is one.
pub(super) fn from_json(value: &Json, of: &PyType, shape: &Shape) -> Option<Expr> {
    let atom = |text: String| Some(Expr::Atom(text));
    match (of, value) {
        (PyType::Optional(_), Json::Null) => atom("None".into()),
        (PyType::Optional(inner), _) => from_json(value, inner, shape),
        (PyType::Limited(inner, limits), _) => {
            let found = from_json(value, inner, shape)?;
            limits.refuses(&data(value, inner)).is_none().then_some(found)
        }
        (PyType::Union(all), _) => all.iter().find_map(|it| from_json(value, it, shape)),
        (PyType::Literal(all), _) => {
            if all.contains(value) {
                listed(value).map(Expr::Atom)
            } else {
                None
            }
        }
        (PyType::Str, Json::String(text)) => atom(literal(text)),
        (PyType::Bytes, Json::String(text)) if text.is_ascii() => {
            atom(format!("b{}", literal(text)))
        }
        (PyType::Bool, Json::Bool(true)) => atom("True".into()),
        (PyType::Bool, Json::Bool(false)) => atom("False".into()),
        (PyType::Int, Json::Number(it)) if it.is_i64() || it.is_u64() => atom(it.to_string()),
        (PyType::Int, Json::Number(it)) => {
            let it = it.as_f64().filter(|it| it.fract() == 0.0 && it.abs() < limits::EXACT_MAX)?;
            atom(number(it, of))
        }
        (PyType::Float, Json::Number(it)) => atom(number(it.as_f64()?, of)),
        (PyType::Decimal, _) => {
            let text = decimal(value)?;
            atom(format!("Decimal({})", literal(&text)))
        }
        (PyType::Duration, _) => {
            let seconds = seconds(value)?;
            atom(format!("timedelta(seconds={})", number(seconds, &PyType::Decimal)))
        }
        (PyType::Uuid, Json::String(text)) => {
            let id = uuid::Uuid::parse_str(text).ok()?;
            atom(format!("UUID(\"{id}\")"))
        }
        (PyType::DateTime | PyType::Date | PyType::Time, Json::String(text)) => {
            let class = match of {
                PyType::DateTime => "datetime",
                PyType::Date => "date",
                _ => "time",
            };
            atom(format!("{class}.fromisoformat(\"{}\")", moment(text, of)?))
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

/// A listed value as Python.
pub(super) fn listed(value: &Json) -> Option<String> {
    match value {
        Json::String(text) => Some(literal(text)),
        Json::Bool(true) => Some("True".to_owned()),
        Json::Bool(false) => Some("False".to_owned()),
        Json::Number(it) => Some(it.to_string()),
        _ => None,
    }
}

/// The text of a decimal number.
fn decimal(value: &Json) -> Option<String> {
    match value {
        Json::Number(it) => Some(it.to_string()),
        Json::String(text) => {
            let text = text.trim();
            let digits = text.strip_prefix(['+', '-']).unwrap_or(text);
            let good = digits.starts_with(|it: char| it.is_ascii_digit() || it == '.')
                && digits.parse::<f64>().is_ok_and(f64::is_finite);
            good.then(|| text.to_owned())
        }
        _ => None,
    }
}

/// A duration in seconds: a number, or ISO 8601 up to weeks, such as `P1DT12H`.
fn seconds(value: &Json) -> Option<f64> {
    if let Some(number) = value.as_f64() {
        return Some(number);
    }
    let text = value.as_str()?.strip_prefix('P')?;
    let (mut total, mut digits, mut clock) = (0.0, String::new(), false);
    for char in text.chars() {
        let unit = match (char, clock) {
            ('T', false) => {
                clock = true;
                continue;
            }
            ('W', false) => 604_800.0,
            ('D', false) => 86_400.0,
            ('H', true) => 3_600.0,
            ('M', true) => 60.0,
            ('S', true) => 1.0,
            (it, _) if it.is_ascii_digit() || it == '.' => {
                digits.push(it);
                continue;
            }
            _ => return None,
        };
        total += digits.parse::<f64>().ok()? * unit;
        digits.clear();
    }
    digits.is_empty().then_some(total)
}

/// A moment in the one spelling that it has.
fn moment(text: &str, of: &PyType) -> Option<String> {
    match of {
        PyType::DateTime => {
            chrono::DateTime::parse_from_rfc3339(text).ok().map(|it| it.to_rfc3339())
        }
        PyType::Date => text.parse::<chrono::NaiveDate>().ok().map(|it| it.to_string()),
        _ => text.parse::<chrono::NaiveTime>().ok().map(|it| it.to_string()),
    }
}

/// A JSON value in the one spelling that its Python literal has: `19` as a float is `19.0`.
pub(super) fn data(value: &Json, of: &PyType) -> Json {
    match (of, value) {
        (PyType::Optional(inner) | PyType::Limited(inner, _), it) if !it.is_null() => {
            data(it, inner)
        }
        (PyType::Union(all), it) => {
            let shape = Shape::nothing();
            let member = all.iter().find(|of| from_json(it, of, &shape).is_some());
            member.map_or_else(|| it.clone(), |of| data(it, of))
        }
        (PyType::Int, Json::Number(it)) if it.is_f64() => {
            let text = number(it.as_f64().unwrap_or(0.0), of);
            serde_json::from_str(&text).unwrap_or_else(|_| value.clone())
        }
        (PyType::Float, Json::Number(it)) => it.as_f64().map_or(Json::Null, Json::from),
        (PyType::Decimal, it) => decimal(it).map_or_else(|| it.clone(), Json::from),
        (PyType::Duration, it) => seconds(it).map_or_else(|| it.clone(), limits::number),
        (PyType::Uuid, Json::String(text)) => match uuid::Uuid::parse_str(text) {
            Ok(id) => id.to_string().into(),
            Err(_) => value.clone(),
        },
        (PyType::DateTime | PyType::Date | PyType::Time, Json::String(text)) => {
            moment(text, of).map_or_else(|| value.clone(), Json::from)
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

/// The number nearest to zero that the limits allow; `None` where there is none.
pub(super) fn sample_number(limits: &Limits, of: &PyType) -> Option<f64> {
    let whole = *of == PyType::Int;
    let (above, below) = (limits.exclusive_minimum, limits.exclusive_maximum);
    let mut low = limits.minimum.unwrap_or(f64::NEG_INFINITY);
    let mut high = limits.maximum.unwrap_or(f64::INFINITY);
    if whole {
        low = low.max(above.map_or(low, |it| it.floor() + 1.0)).ceil();
        high = high.min(below.map_or(high, |it| it.ceil() - 1.0)).floor();
    } else {
        low = low.max(above.unwrap_or(low));
        high = high.min(below.unwrap_or(high));
    }
    if low > high {
        return None;
    }
    let zero = 0.0_f64.max(low).min(high);
    let step = limits.multiple_of.unwrap_or(if whole { 1.0 } else { 0.0 });
    let middle = f64::midpoint(low, high);
    let mut candidates = vec![zero];
    if step > 0.0 {
        let times = (zero / step).round();
        candidates.extend([times, times + 1.0, times - 1.0].map(|it| it * step));
    }
    candidates.extend([zero + 1.0, zero - 1.0, middle].into_iter().filter(|it| it.is_finite()));
    let allowed =
        |it: &f64| (!whole || it.fract() == 0.0) && limits.refuses(&limits::number(*it)).is_none();
    candidates.into_iter().find(allowed)
}

/// The shortest text that the limits allow; `None` where none is found.
pub(super) fn sample_text(limits: &Limits) -> Option<Expr> {
    let shortest = limits.min_length.unwrap_or(0);
    if let Some(pattern) = &limits.pattern {
        let text = example::matching(pattern, shortest, limits.max_length)?;
        return Some(Expr::Atom(literal(&text)));
    }
    let text = if shortest > WRITTEN_MAX {
        format!("\"x\" * {shortest}")
    } else {
        literal(&"x".repeat(usize::try_from(shortest).unwrap_or(0)))
    };
    Some(Expr::Atom(text))
}

/// Why no sample of a type within its limits can be made.
pub(super) fn without_sample(of: &PyType, limits: &Limits, shape: &Shape) -> Option<&'static str> {
    if limits.contradict() {
        return Some("no value lies within the bounds");
    }
    match of {
        PyType::Limited(inner, limits) => without_sample(inner, limits, shape),
        PyType::Optional(inner) => without_sample(inner, limits, shape),
        PyType::Int | PyType::Float | PyType::Decimal => {
            let found = sample_number(limits, of);
            found.is_none().then_some("no value lies within the bounds")
        }
        PyType::Str => {
            let found = sample_text(limits);
            found.is_none().then_some("no text is found that matches the pattern")
        }
        PyType::List(item) => {
            let least = limits.min_length.unwrap_or(0);
            if least > 1 && limits.unique_items && different(item, least, shape).is_none() {
                return Some("so many different values cannot be made");
            }
            without_sample(item, &Limits::default(), shape)
        }
        PyType::Dict(item) => without_sample(item, &Limits::default(), shape),
        PyType::Union(all) => {
            all.iter().find_map(|it| without_sample(it, &Limits::default(), shape))
        }
        _ => None,
    }
}

/// Different values of a type, where that many can be told.
fn different(of: &PyType, count: u64, shape: &Shape) -> Option<Vec<Expr>> {
    let count = usize::try_from(count.min(WRITTEN_MAX + 1)).ok()?;
    let none = Limits::default();
    let (of, limits) = match of {
        PyType::Limited(inner, limits) => (&**inner, limits),
        of => (of, &none),
    };
    let numbers = || {
        let first = sample_number(limits, of);
        let step = limits.multiple_of.unwrap_or(1.0);
        let up = (0_u8..8).filter_map(move |it| Some(first? + step * f64::from(it)));
        up.filter(|it| limits.refuses(&limits::number(*it)).is_none())
    };
    let found: Vec<Expr> = match of {
        PyType::Int | PyType::Float => numbers().map(|it| Expr::Atom(number(it, of))).collect(),
        PyType::Str if limits.pattern.is_none() => {
            let length = usize::try_from(limits.min_length.unwrap_or(0).clamp(1, 64)).ok()?;
            let texts = ('a'..='h').map(|it| it.to_string().repeat(length));
            let fit = texts.filter(|it| limits.refuses(&Json::from(it.as_str())).is_none());
            fit.map(|it| Expr::Atom(literal(&it))).collect()
        }
        PyType::Uuid => (0..WRITTEN_MAX).map(|it| Expr::Atom(format!("UUID(int={it})"))).collect(),
        PyType::Date => {
            (1..=WRITTEN_MAX).map(|it| Expr::Atom(format!("date(1970, 1, {it})"))).collect()
        }
        PyType::Enum(at) => {
            let of = shape.enums.get(*at)?;
            let member =
                |(name, _): &(String, String)| Expr::Atom(format!("{}.{name}", of.class_name));
            of.members.iter().map(member).collect()
        }
        PyType::Literal(all) => all.iter().filter_map(listed).map(Expr::Atom).collect(),
        _ => return None,
    };
    found.get(..count).map(<[Expr]>::to_vec)
}

/// The neutral value of a field, inside its limits.
pub(super) fn neutral(field: &FieldPlan, shape: &Shape, imports: &mut Imports) -> Expr {
    neutral_of(&field.field_type, &field.limits, shape, imports)
}

fn neutral_of(of: &PyType, limits: &Limits, shape: &Shape, imports: &mut Imports) -> Expr {
    let none = Limits::default();
    shape.import_value(of, imports);
    let text = match of {
        PyType::Limited(inner, limits) => return neutral_of(inner, limits, shape, imports),
        PyType::Str => return sample_text(limits).unwrap_or_else(|| Expr::atom("\"\"")),
        PyType::Int | PyType::Float => number(sample_number(limits, of).unwrap_or(0.0), of),
        PyType::Decimal => {
            let value = number(sample_number(limits, of).unwrap_or(0.0), of);
            if value.contains('.') {
                format!("Decimal(\"{value}\")")
            } else {
                format!("Decimal({value})")
            }
        }
        PyType::Bytes => match limits.min_length.unwrap_or(0) {
            0 => "b\"\"".into(),
            1 => "b\"x\"".into(),
            length => format!("b\"x\" * {length}"),
        },
        PyType::Bool => "False".into(),
        PyType::List(item) => return neutral_list(item, limits, shape, imports),
        PyType::Dict(item) => match limits.min_length.unwrap_or(0) {
            0 => "{}".into(),
            count => {
                let value = neutral_of(item, &none, shape, imports).render(0);
                format!("{{str(number): {value} for number in range({count})}}")
            }
        },
        PyType::Optional(_) => "None".into(),
        PyType::Literal(all) => all.first().and_then(listed).unwrap_or_else(|| "None".into()),
        PyType::Union(all) => {
            let plain = all.iter().find(|it| !matches!(it, PyType::Model(_)));
            let Some(chosen) = plain.or_else(|| all.first()) else { return Expr::atom("None") };
            return neutral_of(chosen, &none, shape, imports);
        }
        PyType::Uuid => "UUID(int=0)".into(),
        PyType::DateTime => {
            imports.name("datetime", "UTC");
            "datetime(1970, 1, 1, tzinfo=UTC)".into()
        }
        PyType::Date => "date(1970, 1, 1)".into(),
        PyType::Time => "time()".into(),
        PyType::Duration => "timedelta()".into(),
        PyType::Enum(at) => {
            let first = shape.enums.get(*at).and_then(|it| Some((it, it.members.first()?)));
            first.map_or("\"\"".into(), |(it, (name, _))| format!("{}.{name}", it.class_name))
        }
        PyType::Model(at) => {
            let Some(model) = shape.parts.get(*at) else { return Expr::atom("None") };
            let required = model.fields.iter().filter(|field| field.default.is_none());
            let items = required.map(|it| neutral(it, shape, imports).named(&it.ident)).collect();
            return Expr::group(format!("{}(", model.class_name), items, ")");
        }
    };
    Expr::Atom(text)
}

/// The shortest list that the limits allow.
fn neutral_list(item: &PyType, limits: &Limits, shape: &Shape, imports: &mut Imports) -> Expr {
    let count = limits.min_length.unwrap_or(0);
    if count == 0 {
        return Expr::atom("[]");
    }
    if limits.unique_items
        && count > 1
        && let Some(all) = different(item, count, shape)
    {
        let of = if let PyType::Limited(inner, _) = item { inner } else { item };
        shape.import_value(of, imports);
        return Expr::group("[", all, "]");
    }
    let one = neutral_of(item, &Limits::default(), shape, imports);
    let tail = if count == 1 { "]".to_owned() } else { format!("] * {count}") };
    Expr::group("[", vec![one], tail)
}

/// Whether every value that `from` can have is one that `to` takes.
pub(super) fn carries(from: &FieldPlan, to: &FieldPlan) -> bool {
    let same = from.field_type == to.field_type
        || matches!(&to.field_type, PyType::Optional(inner) if **inner == from.field_type)
        || (from.field_type == PyType::Int && to.field_type == PyType::Float);
    same && from.limits.within(&to.limits)
}
