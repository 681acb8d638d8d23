//! Safe names from any text: packages, files, classes, fields, enum members. A name made here is an
//! ASCII Python identifier of bounded length; it is never a keyword, never leaves a folder, and
//! never shadows what pydantic or the generated code itself needs.

use std::collections::BTreeSet;

use crate::contract::NodeType;

/// Longest stem of a name, in characters; a longer one is cut and gets a digest.
const STEM_CHARS: usize = 44;

/// The names of one package.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Names {
    /// What the node is about, in snake case, for files: `price`; see [`allowed`].
    pub what: String,
    /// The same for prose: `price`, `job queue`.
    pub noun: String,
    /// The same in class names: `Price`.
    pub class_stem: String,
    /// Folder and package: `node_price_compute`.
    pub package: String,
    /// `NodePriceCompute`.
    pub node_class: String,
    /// `HandlerPrice`.
    pub handler_class: String,
}

impl Names {
    /// The names of the package for a contract of this name and kind.
    pub fn new(name: &str, node_type: NodeType) -> Self {
        let kind = node_type.suffix();
        let all = words(name).join("_");
        let mut what = all.as_str();
        what = what.strip_prefix("node_").filter(|rest| !rest.is_empty()).unwrap_or(what);
        let ending = format!("_{kind}");
        what = what.strip_suffix(&ending).filter(|rest| !rest.is_empty()).unwrap_or(what);
        let what = bounded(what, name);
        let what = what.as_str();
        let class_stem = class_words(what);
        let kind_class = class_words(kind);
        Self {
            what: allowed(what),
            noun: what.replace('_', " "),
            package: format!("node_{what}_{kind}"),
            node_class: format!("Node{class_stem}{kind_class}"),
            handler_class: format!("Handler{class_stem}"),
            class_stem,
        }
    }
}

/// The words of a text, as far as a name can have of it.
fn words(text: &str) -> Vec<String> {
    let end = text.char_indices().nth(8 * STEM_CHARS).map_or(text.len(), |(at, _)| at);
    crate::contract::words(text.get(..end).unwrap_or(text))
}

/// A snake-case stem of at most [`STEM_CHARS`] characters. Where letters had to go, a digest of the
/// text keeps two such names apart.
pub fn stem(text: &str) -> String {
    bounded(&words(text).join("_"), text)
}

/// The stem of a text, cut where it is too long.
fn bounded(stem: &str, text: &str) -> String {
    let lost = text.chars().any(|char| char.is_alphanumeric() && !char.is_ascii());
    if !lost && !stem.is_empty() && stem.len() <= STEM_CHARS {
        return stem.to_owned();
    }
    let digest = blake3::hash(text.as_bytes()).to_hex();
    let digest = digest.get(..8).unwrap_or_default();
    // class names of this length still leave generated lines within their columns
    let cut = stem.get(..STEM_CHARS - 13).unwrap_or(stem).trim_end_matches('_');
    if cut.is_empty() { format!("x{digest}") } else { format!("{cut}_x{digest}") }
}

/// Parts of class names that upstream's pattern checker refuses anywhere in a class name
/// (`checker_naming_convention`, case-insensitive), and what stands in for them.
const REFUSED: [(&str, &str); 9] = [
    ("manager", "Mgr"),
    ("handler", "Hdl"),
    ("helper", "Aid"),
    ("utility", "Tool"),
    ("util", "Utl"),
    ("service", "Svc"),
    ("controller", "Ctl"),
    ("processor", "Proc"),
    ("worker", "Wkr"),
];

/// The stem without what upstream refuses in class names, so that a file is named as its class.
pub fn allowed(stem: &str) -> String {
    let replace = |stem: String, (refused, instead): &(&str, &str)| {
        stem.replace(refused, &instead.to_ascii_lowercase())
    };
    REFUSED.iter().fold(stem.to_owned(), replace)
}

/// A snake-case stem as part of a class name: `job_service` becomes `JobSvc`.
pub fn class_words(stem: &str) -> String {
    let mut class: String = stem.split('_').map(capitalised).collect();
    for (refused, instead) in REFUSED {
        while let Some(at) = class.to_ascii_lowercase().find(refused) {
            class.replace_range(at..at + refused.len(), instead);
        }
    }
    class
}

fn capitalised(word: &str) -> String {
    let mut chars = word.chars();
    chars
        .next()
        .map_or_else(String::new, |first| first.to_ascii_uppercase().to_string() + chars.as_str())
}

/// Python's keywords, names that annotations in a model need, and what pydantic's `BaseModel` has.
const TAKEN: [&str; 71] = [
    "False",
    "None",
    "True",
    "and",
    "as",
    "assert",
    "async",
    "await",
    "break",
    "class",
    "continue",
    "def",
    "del",
    "elif",
    "else",
    "except",
    "finally",
    "for",
    "from",
    "global",
    "if",
    "import",
    "in",
    "is",
    "lambda",
    "nonlocal",
    "not",
    "or",
    "pass",
    "raise",
    "return",
    "try",
    "while",
    "with",
    "yield", // keywords
    "str",
    "int",
    "float",
    "bool",
    "list",
    "dict",
    "set",
    "tuple",
    "datetime",
    "UUID",
    "uuid4",
    "Field",
    "Annotated",
    "BaseModel",
    "ConfigDict",
    "self",
    "cls",
    "l",
    "O",
    "I", // our own
    "copy",
    "json",
    "dict_",
    "schema",
    "schema_json",
    "validate",
    "construct",
    "parse_obj",
    "parse_raw",
    "parse_file",
    "from_orm",
    "update_forward_refs",
    "fields",
    "lambda_",
    "print",
    "object", // pydantic
];

/// Attributes of pydantic models that begin with `model_`; `model_dump…` and `model_validate…` are
/// protected as a whole.
const MODEL_ATTRIBUTES: [&str; 11] = [
    "model_computed_fields",
    "model_config",
    "model_construct",
    "model_copy",
    "model_extra",
    "model_fields",
    "model_fields_set",
    "model_json_schema",
    "model_parametrized_name",
    "model_post_init",
    "model_rebuild",
];

/// An identifier for a field that is not in `taken`, and puts it there. It is the name itself
/// wherever that can be; otherwise the caller keeps the name as an alias.
pub fn field(name: &str, taken: &mut BTreeSet<String>) -> String {
    let plain = name.len() <= STEM_CHARS
        && name.starts_with(|first: char| first.is_ascii_alphabetic())
        && name.chars().all(|char| char.is_ascii_alphanumeric() || char == '_')
        && !name.ends_with("__");
    let mut ident = if plain { name.to_owned() } else { stem(name) };
    if ident.starts_with(|first: char| first.is_ascii_digit()) {
        ident.insert_str(0, "field_");
    }
    let protected = MODEL_ATTRIBUTES.contains(&ident.as_str())
        || ident.starts_with("model_dump")
        || ident.starts_with("model_validate");
    if protected {
        ident = format!("field_{ident}");
    } else if TAKEN.contains(&ident.as_str()) {
        ident.push('_');
    }
    unique(ident, "_", taken)
}

/// An enum member for a value, in capitals, not in `taken`, and puts it there.
pub fn member(value: &str, taken: &mut BTreeSet<String>) -> String {
    let mut ident = stem(value).to_ascii_uppercase();
    if !ident.starts_with(|first: char| first.is_ascii_alphabetic()) || ident.len() == 1 {
        ident.insert_str(0, "VALUE_");
    }
    unique(ident, "_", taken)
}

/// `stem`, where it is not taken, else with a number behind it.
pub fn free(stem: &str, taken: impl Fn(&str) -> bool) -> String {
    if !taken(stem) {
        return stem.to_owned();
    }
    let numbered = |number: usize| format!("{stem}_{number}");
    numbered(first_free(|number| taken(&numbered(number))))
}

/// `name`, where it is new, else with a number behind it, and puts it into `taken`.
pub fn unique(name: String, joint: &str, taken: &mut BTreeSet<String>) -> String {
    let numbered = |number: usize| format!("{name}{joint}{number}");
    let candidate = if taken.contains(&name) {
        numbered(first_free(|number| taken.contains(&numbered(number))))
    } else {
        name
    };
    taken.insert(candidate.clone());
    candidate
}

/// The number from 2 that follows those that are taken. Ten thousand namesakes are no reason to
/// count for each: it doubles, and then bisects.
fn first_free(taken: impl Fn(usize) -> bool) -> usize {
    let (mut below, mut free) = (1_usize, 2_usize);
    while taken(free) {
        (below, free) = (free, free.saturating_mul(2));
    }
    while free - below > 1 {
        let middle = below + (free - below) / 2;
        if taken(middle) { below = middle } else { free = middle }
    }
    free
}

#[cfg(test)]
mod tests;
