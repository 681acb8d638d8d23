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
    "encode",
    "estimate",
    "extract",
    "filter",
    "format",
    "hash",
    "match",
    "merge",
    "normalise",
    "normalize",
    "parse",
    "price",
    "quote",
    "rank",
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
    "archive", "backup", "book", "call", "charge", "close", "create", "delete", "deliver",
    "download", "email", "export", "fetch", "get", "import", "insert", "install", "load", "log",
    "notify", "open", "pay", "post", "print", "publish", "pull", "push", "query", "read", "refund",
    "register", "remove", "request", "reserve", "save", "scrape", "search", "send", "ship", "sign",
    "start", "stop", "store", "sync", "upload", "write",
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
        "from" | "of" | "for" | "by" | "with" | "given" | "using" | "per" => Some(Role::Input),
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
    let found = words.iter().rev().find_map(|it| simple(it));
    let singular = singular(last);
    let plural = singular != last && simple(last).is_none();
    let found = found.or_else(|| simple(&singular)).unwrap_or(FieldType::Text);
    if list || plural { FieldType::List(Box::new(found)) } else { found }
}

/// The singular of a plural; any other word as it is.
fn singular(word: &str) -> String {
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
        "date" | "time" | "datetime" | "timestamp" | "day" | "moment" | "deadline" => {
            FieldType::DateTime
        }
        "count" | "number" | "amount" | "quantity" | "total" | "size" | "age" | "years"
        | "days" | "hours" | "minutes" | "seconds" | "int" | "integer" => FieldType::Int,
        "rate" | "score" | "price" | "percent" | "percentage" | "ratio" | "weight" | "average"
        | "temperature" | "cost" | "fee" | "distance" | "probability" | "float" => FieldType::Float,
        "flag" | "whether" | "bool" | "boolean" => FieldType::Bool,
        "text" | "string" | "str" => FieldType::Text,
        _ => return None,
    })
}
