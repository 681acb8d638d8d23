//! Limits and types as Python code spells them: `Field(ge=0)`, `conint(gt=0)`, `PositiveInt`. Reads
//! syntax only.

use super::expression::Expression;
use super::model::FieldType;
use super::model::limits::Limits;

/// The function that a generated package puts behind a list without repetitions.
pub(crate) const REFUSE_REPEATS: &str = "refuse_repeats";

/// The limits that the arguments of a call name: of `Field`, `conint`, `StringConstraints` and so
/// on.
pub(super) fn limits(call: &Expression) -> Limits {
    let argument = |keys: &[&str]| keys.iter().find_map(|it| call.argument(it));
    let number = |keys: &[&str]| argument(keys).and_then(number);
    let count = |keys: &[&str]| number(keys).and_then(whole);
    Limits {
        minimum: number(&["ge"]),
        maximum: number(&["le"]),
        exclusive_minimum: number(&["gt"]),
        exclusive_maximum: number(&["lt"]),
        multiple_of: number(&["multiple_of"]),
        min_length: count(&["min_length", "min_items"]),
        max_length: count(&["max_length", "max_items"]),
        pattern: argument(&["pattern", "regex"]).and_then(|it| it.text().map(str::to_owned)),
        unique_items: argument(&["unique_items"]) == Some(&Expression::Flag(true)),
        max_digits: count(&["max_digits"]),
        decimal_places: count(&["decimal_places"]),
    }
}

/// The limits of one thing behind the type in `Annotated[type, …]`.
pub(super) fn metadata(of: &Expression) -> Limits {
    let Expression::Call(name, arguments) = of else { return Limits::default() };
    let first = arguments.first().filter(|(name, _)| name.is_none()).map(|(_, it)| it);
    let value = first.and_then(number);
    let mut limits = limits(of);
    match last(name) {
        "Ge" => limits.minimum = value,
        "Le" => limits.maximum = value,
        "Gt" => limits.exclusive_minimum = value,
        "Lt" => limits.exclusive_maximum = value,
        "MultipleOf" => limits.multiple_of = value,
        "MinLen" => limits.min_length = value.and_then(whole),
        "MaxLen" => limits.max_length = value.and_then(whole),
        "AfterValidator" => {
            limits.unique_items = first == Some(&Expression::Name(REFUSE_REPEATS.to_owned()));
        }
        _ => {}
    }
    limits
}

/// What `conint(…)` and its like stand for; `item` is what a `conlist` holds.
pub(super) fn called(call: &Expression) -> Option<(Called<'_>, Limits)> {
    let Expression::Call(name, arguments) = call else { return None };
    let first = || {
        let plain = arguments.first().filter(|(name, _)| name.is_none());
        plain.map(|(_, it)| it).or_else(|| call.argument("item_type"))
    };
    let mut limits = limits(call);
    let found = match last(name) {
        "conint" => Called::Plain(FieldType::Int),
        "confloat" => Called::Plain(FieldType::Float),
        "constr" => Called::Plain(FieldType::Text),
        "conbytes" => Called::Plain(FieldType::Bytes),
        "condecimal" => Called::Plain(FieldType::Decimal),
        "condate" => Called::Plain(FieldType::Date),
        "conlist" => Called::List(first()?),
        "conset" | "confrozenset" => {
            limits.unique_items = true;
            Called::List(first()?)
        }
        _ => return None,
    };
    Some((found, limits))
}

/// What a call stands for.
#[derive(Debug)]
pub(super) enum Called<'a> {
    /// A type.
    Plain(FieldType),
    /// A list of something.
    List(&'a Expression),
}

/// A type of pydantic that is another with limits.
pub(super) fn named(word: &str) -> Option<(FieldType, Limits)> {
    let above = |of: FieldType| (of, Limits { exclusive_minimum: Some(0.0), ..Limits::default() });
    let below = |of: FieldType| (of, Limits { exclusive_maximum: Some(0.0), ..Limits::default() });
    let from = |of: FieldType| (of, Limits { minimum: Some(0.0), ..Limits::default() });
    let to = |of: FieldType| (of, Limits { maximum: Some(0.0), ..Limits::default() });
    let plain = |of: FieldType| (of, Limits::default());
    Some(match last(word) {
        "PositiveInt" => above(FieldType::Int),
        "PositiveFloat" => above(FieldType::Float),
        "NegativeInt" => below(FieldType::Int),
        "NegativeFloat" => below(FieldType::Float),
        "NonNegativeInt" => from(FieldType::Int),
        "NonNegativeFloat" => from(FieldType::Float),
        "NonPositiveInt" => to(FieldType::Int),
        "NonPositiveFloat" => to(FieldType::Float),
        "StrictInt" => plain(FieldType::Int),
        "StrictStr" => plain(FieldType::Text),
        "StrictBool" => plain(FieldType::Bool),
        "StrictFloat" | "FiniteFloat" => plain(FieldType::Float),
        "UUID1" | "UUID3" | "UUID4" | "UUID5" => plain(FieldType::Uuid),
        "AwareDatetime" | "NaiveDatetime" | "PastDatetime" | "FutureDatetime" => {
            plain(FieldType::DateTime)
        }
        _ => return None,
    })
}

/// A type with limits of its own, where there are some: inside of an optional one, and on those
/// members of a union that they mean something for. Also the names of limits that mean nothing.
pub(super) fn limited(of: FieldType, limits: Limits) -> (FieldType, Vec<&'static str>) {
    if limits.is_empty() {
        return (of, Vec::new());
    }
    match of {
        FieldType::Optional(inner) => {
            let (inner, unfit) = limited(*inner, limits);
            (FieldType::Optional(Box::new(inner)), unfit)
        }
        FieldType::Union(all) => {
            let mut nowhere: Option<Vec<&'static str>> = None;
            let mut member = |it: FieldType| {
                let (it, unfit) = limited(it, limits.clone());
                let kept = |name: &&'static str| unfit.contains(name);
                nowhere = Some(match nowhere.take() {
                    Some(before) => before.into_iter().filter(kept).collect(),
                    None => unfit,
                });
                it
            };
            let all = all.into_iter().map(&mut member).collect();
            (FieldType::Union(all), nowhere.unwrap_or_default())
        }
        FieldType::Limited(inner, own) => {
            let (limits, unfit) = limits.fitting(&inner);
            (FieldType::Limited(inner, own.and(limits)), unfit)
        }
        of => {
            let (limits, unfit) = limits.fitting(&of);
            let of = if limits.is_empty() { of } else { FieldType::Limited(Box::new(of), limits) };
            (of, unfit)
        }
    }
}

/// A field's type, and its limits beside it.
pub(super) fn hoisted(of: FieldType) -> (FieldType, Limits) {
    match of {
        FieldType::Limited(inner, limits) => (*inner, limits),
        FieldType::Optional(inner) => {
            let (inner, limits) = hoisted(*inner);
            (FieldType::Optional(Box::new(inner)), limits)
        }
        of => (of, Limits::default()),
    }
}

fn last(name: &str) -> &str {
    name.rsplit('.').next().unwrap_or(name)
}

/// A number, also one of `Decimal("0.01")`.
fn number(of: &Expression) -> Option<f64> {
    match of {
        Expression::Call(name, arguments) if last(name) == "Decimal" => {
            let (_, value) = arguments.first()?;
            value.number().or_else(|| value.text()?.parse().ok())
        }
        of => of.number(),
    }
}

fn whole(of: f64) -> Option<u64> {
    super::model::limits::number(of).as_u64()
}
