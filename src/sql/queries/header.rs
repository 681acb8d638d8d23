//! The header of a canned query: comment lines of the form `-- key: value`. Reads no SQL.

use super::{CannedQuery, Chart, Param, ParamType};
use crate::error::{Error, Result};

/// Reads the header; the message of an error names the query and the line.
pub(super) fn parse(name: &'static str, text: &str) -> Result<CannedQuery> {
    let mut query = CannedQuery {
        name,
        question: String::new(),
        params: Vec::new(),
        chart: None,
        sql: text.to_owned(),
    };
    let mut named = false;
    for (index, line) in text.lines().enumerate() {
        let wrong =
            |what: &str| Error::internal(format!("queries/{name}.sql, line {}: {what}", index + 1));
        let Some(comment) = line.strip_prefix("-- ") else { break };
        let Some((key, value)) = comment.split_once(": ") else {
            return Err(wrong("a header line is `-- key: value`"));
        };
        match key {
            "name" if value == name => named = true,
            "name" => return Err(wrong("the name is not the file's")),
            "question" => query.question = value.to_owned(),
            "param" => {
                query.params.push(param(value).ok_or_else(|| {
                    wrong("a parameter is `name type [= default] | what it does`")
                })?);
            }
            "chart" => query.chart = Some(chart(value).ok_or_else(|| wrong("kind x y…"))?),
            _ => return Err(wrong("keys are name, question, param, chart")),
        }
    }
    if !named || query.question.is_empty() {
        return Err(Error::internal(format!("queries/{name}.sql lacks its name or question")));
    }
    Ok(query)
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
