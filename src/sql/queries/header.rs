//! The header of a canned query: comment lines of the form `-- key: value`. Reads no SQL.

use super::{CannedQuery, Chart, OutputColumn, Param, ParamType};
use crate::error::{Error, Result};

/// Reads the header of the query `name`; `uri` is its file, `None` for one of the project. An
/// error names the file and the line.
pub(super) fn parse(name: &str, text: &str, uri: Option<&str>) -> Result<CannedQuery> {
    let mut query = CannedQuery {
        name: name.to_owned(),
        question: String::new(),
        params: Vec::new(),
        columns: Vec::new(),
        chart: None,
        sql: text.to_owned(),
        uri: uri.map(str::to_owned),
    };
    let file = uri.map_or_else(|| format!("queries/{name}.sql"), str::to_owned);
    let mut is_named = false;
    for (index, line) in text.lines().enumerate() {
        let wrong = |what: &str| {
            let message = format!("{file}, line {}: {what}", index + 1);
            Error::invalid(message).with_hint(format!("the line is: {line}"))
        };
        let Some(comment) = line.strip_prefix("-- ") else { break };
        let Some((key, value)) = comment.split_once(": ") else {
            return Err(wrong("a header line is `-- key: value`; an empty line ends the header"));
        };
        let value = value.trim();
        match key {
            "name" if value == name => is_named = true,
            "name" => return Err(wrong(&format!("the name is not the file's, {name}"))),
            "question" => query.question = value.to_owned(),
            "param" => {
                let param = param(value).ok_or_else(|| {
                    wrong(
                        "a parameter is `name type [= default] | what it does`; types are text, \
                           int, float, bool, time, or words such as hour|day",
                    )
                })?;
                if query.params.iter().any(|it| it.name == param.name) {
                    return Err(wrong(&format!("the parameter {} is there twice", param.name)));
                }
                query.params.push(param);
            }
            "column" => query.columns.push(
                column(value).ok_or_else(|| wrong("a column is `name type | what it says`"))?,
            ),
            "chart" => {
                query.chart =
                    Some(chart(value).ok_or_else(|| wrong("a chart is `bar|line x y…`"))?);
            }
            _ => return Err(wrong("keys are name, question, param, column, chart")),
        }
    }
    if !is_named || query.question.is_empty() {
        let missing = if is_named { "question: …?" } else { name };
        let key = if is_named { "" } else { "name: " };
        return Err(Error::invalid(format!("{file} lacks its name or question"))
            .with_hint(format!("write `-- {key}{missing}` at its beginning")));
    }
    Ok(query)
}

fn column(text: &str) -> Option<OutputColumn> {
    let (typed, doc) = text.split_once(" | ")?;
    let (name, kind) = typed.trim().split_once(' ')?;
    let owned = |it: &str| it.trim().to_owned();
    Some(OutputColumn { name: owned(name), kind: owned(kind), doc: owned(doc) })
}

fn param(text: &str) -> Option<Param> {
    let (signature, doc) = text.split_once(" | ")?;
    let (typed, default) = match signature.split_once(" = ") {
        Some((typed, default)) => (typed, Some(default.trim())),
        None => (signature, None),
    };
    let (name, kind) = typed.trim().split_once(' ')?;
    let kind = match kind.trim() {
        "text" => ParamType::Text,
        "int" => ParamType::Int,
        "float" => ParamType::Float,
        "bool" => ParamType::Bool,
        "time" => ParamType::Time,
        words if words.contains('|') => {
            ParamType::Choice(words.split('|').map(|it| it.trim().to_owned()).collect())
        }
        _ => return None,
    };
    Some(Param {
        name: name.to_owned(),
        kind,
        required: default.is_none(),
        default: default.filter(|it| *it != "NULL").map(str::to_owned),
        doc: doc.trim().to_owned(),
    })
}

fn chart(text: &str) -> Option<Chart> {
    let mut words = text.split_whitespace().map(str::to_owned);
    let (kind, x) = (words.next()?, words.next()?);
    let y: Vec<String> = words.collect();
    let known = matches!(kind.as_str(), "bar" | "line");
    (known && !y.is_empty()).then_some(Chart { kind, x, y })
}
