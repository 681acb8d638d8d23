//! The words that a draft knows: verbs with the kind of node that does such a thing, words that say
//! what type something has, and words that say what role a phrase has. Data only.

use crate::contract::model::{FieldType, NodeType};

const COMPUTE: &[&str] = &[
    "allocate",
    "calculate",
    "check",
    "classify",
    "clean",
    "compare",
    "compute",
    "convert",
    "decode",
    "derive",
    "detect",
    "determine",
    "encode",
    "estimate",
    "evaluate",
    "extract",
    "filter",
    "find",
    "format",
    "generate",
    "group",
    "hash",
    "match",
    "merge",
    "normalise",
    "normalize",
    "parse",
    "price",
    "predict",
    "quote",
    "rank",
    "recommend",
    "render",
    "round",
    "score",
    "sort",
    "split",
    "sum",
    "summarise",
    "summarize",
    "transform",
    "translate",
    "validate",
    "verify",
];

const EFFECT: &[&str] = &[
    "archive", "backup", "book", "call", "cancel", "capture", "charge", "close", "confirm", "copy",
    "create", "delete", "deliver", "download", "email", "export", "fetch", "get", "import",
    "insert", "install", "load", "log", "move", "notify", "open", "pay", "post", "print",
    "publish", "pull", "push", "query", "read", "refund", "register", "remove", "request",
    "reserve", "save", "scrape", "search", "send", "ship", "sign", "start", "stop", "store",
    "sync", "upload", "write",
];

const REDUCER: &[&str] = &[
    "accumulate",
    "aggregate",
    "collect",
    "count",
    "fold",
    "follow",
    "keep",
    "maintain",
    "record",
    "reduce",
    "tally",
    "track",
    "update",
];

const ORCHESTRATOR: &[&str] = &[
    "approve",
    "build",
    "conduct",
    "coordinate",
    "deploy",
    "fulfil",
    "fulfill",
    "handle",
    "launch",
    "manage",
    "migrate",
    "onboard",
    "orchestrate",
    "plan",
    "process",
    "release",
    "run",
    "schedule",
];

/// Verbs of an EFFECT that bring something in, and may be done again.
const BRINGING: &[&str] =
    &["download", "fetch", "get", "load", "pull", "query", "read", "request", "scrape", "search"];

/// Verbs that are nouns as often.
const NOUNS: &[&str] = &[
    "book", "build", "call", "charge", "copy", "count", "download", "email", "estimate", "export",
    "filter", "format", "group", "hash", "import", "log", "match", "plan", "post", "price",
    "print", "process", "push", "query", "quote", "rank", "read", "record", "refund", "release",
    "request", "round", "run", "schedule", "score", "search", "ship", "sign", "sort", "split",
    "start", "stop", "store", "sum", "track", "update", "upload",
];

/// Systems that a node reaches by name, as they are written and as dependencies call them.
const SYSTEMS: &[(&str, &str)] = &[
    ("azure", "azure"),
    ("bigquery", "bigquery"),
    ("dynamodb", "dynamodb"),
    ("elasticsearch", "elasticsearch"),
    ("ftp", "ftp"),
    ("gcs", "gcs"),
    ("github", "github"),
    ("jira", "jira"),
    ("kafka", "kafka"),
    ("mongodb", "mongodb"),
    ("mysql", "mysql"),
    ("postgres", "postgresql"),
    ("postgresql", "postgresql"),
    ("rabbitmq", "rabbitmq"),
    ("redis", "redis"),
    ("s3", "s3"),
    ("sftp", "sftp"),
    ("slack", "slack"),
    ("smtp", "smtp"),
    ("snowflake", "snowflake"),
    ("sqlite", "sqlite"),
    ("stripe", "stripe"),
    ("twilio", "twilio"),
];

/// Nouns that say what of a thing is looked at, not which thing.
const ASPECTS: &[&str] =
    &["course", "history", "lifecycle", "progress", "state", "states", "status"];

/// Whether a phrase only says what of a thing is looked at.
pub(super) fn is_aspect(word: &str) -> bool {
    ASPECTS.contains(&word)
}

/// The dependency that a word names.
pub(super) fn system(word: &str) -> Option<&'static str> {
    SYSTEMS.iter().find(|(it, _)| *it == word).map(|(_, name)| *name)
}

/// Whether a verb hands something over to whoever stands behind `to`.
pub(super) fn hands_over(word: &str) -> bool {
    ["send", "email", "notify", "deliver", "forward", "ship", "pay", "post"].contains(&word)
}

/// A verb that is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Verb {
    pub(super) word: &'static str,
    pub(super) kind: NodeType,
}

impl Verb {
    /// Whether it brings something in.
    pub(super) fn brings(self) -> bool {
        BRINGING.contains(&self.word)
    }

    /// Whether the word is a noun as often.
    pub(super) fn is_noun(self) -> bool {
        NOUNS.contains(&self.word)
    }
}

/// The verb of a word in any of its forms: `fetch`, `fetches`, `fetching`.
pub(super) fn verb(word: &str) -> Option<Verb> {
    let tables = [
        (NodeType::Compute, COMPUTE),
        (NodeType::Effect, EFFECT),
        (NodeType::Reducer, REDUCER),
        (NodeType::Orchestrator, ORCHESTRATOR),
    ];
    let stem = word.strip_suffix("ing").unwrap_or(word);
    let forms = [
        word.to_owned(),
        word.strip_suffix('s').unwrap_or(word).to_owned(),
        word.strip_suffix("es").unwrap_or(word).to_owned(),
        word.strip_suffix("ies").map_or_else(|| word.to_owned(), |it| format!("{it}y")),
        stem.to_owned(),
        format!("{stem}e"),
    ];
    tables.into_iter().find_map(|(kind, words)| {
        let word = words.iter().find(|it| forms.iter().any(|form| form == *it))?;
        Some(Verb { word, kind })
    })
}

/// What a phrase is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Role {
    Input,
    Output,
    /// What stands there belongs to nothing that is kept.
    Neither,
}

/// The role of what comes after a word.
pub(super) fn role(word: &str) -> Option<Role> {
    match word {
        "from" | "of" | "for" | "by" | "with" | "given" | "using" | "per" | "between"
        | "excluding" | "including" => Some(Role::Input),
        "return" | "returns" | "returning" | "give" | "gives" | "giving" | "produce"
        | "produces" | "yield" | "yields" | "as" | "into" | "output" | "outputs" => {
            Some(Role::Output)
        }
        "in" | "on" | "at" | "to" | "when" | "if" | "until" | "after" | "before" | "that"
        | "which" | "who" | "so" | "because" | "without" | "under" | "over" | "through" | "via"
        | "than" | "is" | "are" | "must" | "should" | "can" | "will" | "it" | "them" => {
            Some(Role::Neither)
        }
        _ => None,
    }
}

/// Words that say nothing.
pub(super) fn is_filler(word: &str) -> bool {
    [
        "a", "an", "the", "all", "any", "each", "every", "its", "their", "his", "her", "our",
        "your", "this", "these", "those", "some", "given", "new", "one", "please", "be",
    ]
    .contains(&word)
}

/// Words that stand between the members of a list.
pub(super) fn joins(word: &str) -> bool {
    ["and", "or", "plus", ","].contains(&word)
}

/// The type that a word says, alone or as a plural.
pub(super) fn type_of(words: &[&str]) -> FieldType {
    let list = words.first() == Some(&"list") || words.contains(&"lists");
    let words: Vec<&str> =
        words.iter().copied().filter(|it| !["list", "lists", "of"].contains(it)).collect();
    let last = words.last().copied().unwrap_or_default();
    if let Some(found) = words.first().and_then(|it| quantity(it)).filter(|_| !list) {
        return found;
    }
    // a phone number is none that one reckons with
    let label = matches!(words.as_slice(), [_, .., "number" | "numbers"]);
    let found = if label { Some(FieldType::Text) } else { None };
    let found = found.or_else(|| words.iter().rev().find_map(|it| simple(it)));
    let singular = singular(last);
    let plural = singular != last && simple(last).is_none();
    let found = found.or_else(|| simple(&singular)).unwrap_or(FieldType::Text);
    if list || plural { FieldType::List(Box::new(found)) } else { found }
}

/// What `number of months` or `average duration` is, whatever stands behind the first word.
fn quantity(word: &str) -> Option<FieldType> {
    match word {
        "number" | "count" | "total" => Some(FieldType::Int),
        "average" | "mean" | "median" => Some(FieldType::Float),
        _ => None,
    }
}

/// The singular of a plural; any other word as it is.
pub(super) fn singular(word: &str) -> String {
    let never = ["address", "status", "process", "business", "access", "news", "series", "gross"];
    if never.contains(&word) || word.len() < 4 || word.ends_with("ss") || word.ends_with("is") {
        return word.to_owned();
    }
    if let Some(stem) = word.strip_suffix("ies") {
        return format!("{stem}y");
    }
    word.strip_suffix('s').unwrap_or(word).to_owned()
}

/// The type that one word says.
fn simple(word: &str) -> Option<FieldType> {
    Some(match word {
        "id" | "identifier" | "uuid" => FieldType::Uuid,
        "date" | "day" | "birthday" => FieldType::Date,
        "time" | "datetime" | "timestamp" | "moment" | "deadline" => FieldType::DateTime,
        "count" | "number" | "amount" | "quantity" | "total" | "size" | "age" | "years"
        | "days" | "hours" | "minutes" | "seconds" | "int" | "integer" => FieldType::Int,
        "rate" | "score" | "price" | "percent" | "percentage" | "ratio" | "weight" | "average"
        | "temperature" | "cost" | "fee" | "distance" | "probability" | "float" | "balance"
        | "principal" | "salary" | "tax" | "discount" | "revenue" | "humidity" | "speed"
        | "duration" | "latitude" | "longitude" | "height" | "width" | "length" | "threshold"
        | "confidence" | "similarity" | "celsius" | "fahrenheit" => FieldType::Float,
        "flag" | "whether" | "bool" | "boolean" => FieldType::Bool,
        "text" | "string" | "str" => FieldType::Text,
        _ => return None,
    })
}
