//! What one call of `command` asks for: read from its inputs, and checked as far as that goes
//! without a look at the system.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::{Component, Path, PathBuf};
use std::time::Duration;

use serde_json::{Map, Value as Json};

use super::super::super::failure::StepError;
use super::super::super::library::shown;
use super::super::{Inputs, invalid};

#[derive(Debug)]
pub(super) struct Order {
    /// The program as it was named.
    pub(super) program: String,
    pub(super) arguments: Vec<String>,
    pub(super) stdin: Option<Vec<u8>>,
    pub(super) form: Form,
    pub(super) cwd: Option<PathBuf>,
    /// All that it gets.
    pub(super) variables: BTreeMap<OsString, OsString>,
    pub(super) files: Vec<(String, Vec<u8>)>,
    pub(super) read: Vec<String>,
    pub(super) timeout: Option<Duration>,
    pub(super) grace: Duration,
    pub(super) output_bytes_max: usize,
    pub(super) codes: Codes,
}

/// What stdout is read as.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    Text,
    Json,
    Lines,
    /// Not at all: it is thrown away.
    None,
}

/// What exit codes mean; any other is an error that stays.
#[derive(Debug)]
pub(super) struct Codes {
    pub(super) ok: Vec<i32>,
    pub(super) reject: Vec<i32>,
    pub(super) retry: Vec<i32>,
}

impl Order {
    pub(super) fn new(
        mut inputs: Inputs,
        surroundings: &BTreeMap<OsString, OsString>,
    ) -> Result<Self, StepError> {
        let mut argv = texts(&mut inputs, "argv")?.into_iter();
        let program = argv.next().filter(|it| !it.is_empty());
        let cwd = inputs.text("cwd");
        if let Some(cwd) = &cwd {
            no_nul("`cwd`", cwd)?;
        }
        let bytes_max = inputs.any("output_bytes_max").unwrap_or_default();
        Ok(Self {
            program: program.ok_or_else(|| wrong("`argv` names no program"))?,
            arguments: argv.collect(),
            stdin: inputs.any("stdin").map(bytes),
            form: match inputs.text("output").as_deref() {
                Some("json") => Form::Json,
                Some("lines") => Form::Lines,
                Some("none") => Form::None,
                _ => Form::Text,
            },
            cwd: cwd.map(PathBuf::from),
            variables: variables(&mut inputs, surroundings)?,
            files: files(&mut inputs)?,
            read: read(&mut inputs)?,
            timeout: inputs.duration("timeout"),
            grace: inputs.duration("grace").unwrap_or_default(),
            output_bytes_max: bytes_max
                .as_u64()
                .and_then(|it| usize::try_from(it).ok())
                .ok_or_else(|| wrong(&format!("`output_bytes_max` is {bytes_max}")))?,
            codes: codes(&mut inputs)?,
        })
    }
}

fn wrong(problem: &str) -> StepError {
    invalid("command", problem)
}

/// A text as it is, anything else as JSON.
fn bytes(value: Json) -> Vec<u8> {
    match value {
        Json::String(text) => text.into_bytes(),
        other => other.to_string().into_bytes(),
    }
}

/// What no argument, no variable and no path can hold.
fn no_nul(place: &str, text: &str) -> Result<(), StepError> {
    if text.contains('\0') {
        return Err(wrong(&format!("{place} has a zero byte, which no program can be given")));
    }
    Ok(())
}

fn text(place: &str, value: Json) -> Result<String, StepError> {
    let Json::String(text) = value else {
        let problem = format!("{place} is {}, not a text", shown(&value));
        let remedy = "put it in quotes, or `| string` behind an expression";
        return Err(wrong(&format!("{problem}; {remedy}")));
    };
    no_nul(place, &text)?;
    Ok(text)
}

fn list(inputs: &mut Inputs, name: &str) -> Vec<Json> {
    match inputs.any(name) {
        Some(Json::Array(items)) => items,
        _ => Vec::new(),
    }
}

fn mapping(inputs: &mut Inputs, name: &str) -> Map<String, Json> {
    match inputs.any(name) {
        Some(Json::Object(map)) => map,
        _ => Map::new(),
    }
}

fn texts(inputs: &mut Inputs, name: &str) -> Result<Vec<String>, StepError> {
    let items = list(inputs, name).into_iter().enumerate();
    items.map(|(at, item)| text(&format!("`{name}[{at}]`"), item)).collect()
}

fn variables(
    inputs: &mut Inputs,
    surroundings: &BTreeMap<OsString, OsString>,
) -> Result<BTreeMap<OsString, OsString>, StepError> {
    let mut variables = BTreeMap::new();
    for name in texts(inputs, "env_allow")? {
        if let Some((name, value)) = surroundings.get_key_value(&OsString::from(name)) {
            variables.insert(name.clone(), value.clone());
        }
    }
    for (name, value) in mapping(inputs, "env") {
        if name.is_empty() || name.contains(['=', '\0']) {
            let name = shown(&Json::String(name));
            return Err(wrong(&format!("`env` names a variable {name}, which cannot be")));
        }
        let value = text(&format!("`env.{name}`"), value)?;
        variables.insert(name.into(), value.into());
    }
    Ok(variables)
}

fn files(inputs: &mut Inputs) -> Result<Vec<(String, Vec<u8>)>, StepError> {
    let files = mapping(inputs, "files").into_iter();
    files.map(|(name, content)| Ok((file_name("files", name)?, bytes(content)))).collect()
}

fn read(inputs: &mut Inputs) -> Result<Vec<String>, StepError> {
    texts(inputs, "read")?.into_iter().map(|name| file_name("read", name)).collect()
}

/// A name that cannot lead out of the folder.
fn file_name(input: &str, name: String) -> Result<String, StepError> {
    let mut parts = Path::new(&name).components();
    let is_plain = matches!(parts.next(), Some(Component::Normal(part)) if part == name.as_str());
    if !is_plain || name.contains('\0') {
        let name = shown(&Json::String(name));
        return Err(wrong(&format!("`{input}` names {name}, which is no plain file name")));
    }
    Ok(name)
}

fn codes(inputs: &mut Inputs) -> Result<Codes, StepError> {
    let mut known: BTreeMap<i32, &str> = BTreeMap::new();
    let mut of = |name: &'static str| -> Result<Vec<i32>, StepError> {
        let mut codes = Vec::new();
        for (at, item) in list(inputs, name).into_iter().enumerate() {
            let code = item.as_u64().and_then(|it| i32::try_from(it).ok());
            let Some(code) = code.filter(|it| *it <= 255) else {
                let problem = format!("`{name}[{at}]` is {}, no exit code", shown(&item));
                return Err(wrong(&format!("{problem}; those are 0 to 255")));
            };
            if let Some(other) = known.insert(code, name).filter(|it| *it != name) {
                return Err(wrong(&format!("{code} is in both `{other}` and `{name}`")));
            }
            codes.push(code);
        }
        Ok(codes)
    };
    Ok(Codes { ok: of("ok_codes")?, reject: of("reject_codes")?, retry: of("retry_codes")? })
}
