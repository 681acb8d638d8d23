//! Settings that are single words: `GENSTORE_*` variables and `--config SECTION.KEY=VALUE`. Reads
//! no environment: it is handed in.

use std::ffi::OsString;

use toml::Value;

use super::keys::{self, KEYS, Key, VARIABLE_PREFIX};
use super::value;
use crate::error::nearest;
use crate::finding::{Finding, Level};

/// A value that was given to a setting.
#[derive(Debug)]
pub(super) struct Given {
    pub(super) key: &'static Key,
    pub(super) value: Value,
    /// The variable; none for a flag.
    pub(super) variable: Option<String>,
}

/// Names that begin like settings and are none: where the store is.
const OTHERS: [&str; 1] = ["GENSTORE_STORE"];

/// What variables say. Those whose names begin with no section, or nearly one, are not for
/// settings; an empty one counts as not set.
pub(super) fn of_variables(variables: &[(String, OsString)]) -> (Vec<Given>, Vec<Finding>) {
    let (mut given, mut wrong) = (Vec::new(), Vec::new());
    for (name, text) in variables {
        if text.is_empty() || OTHERS.contains(&name.as_str()) {
            continue;
        }
        let Some(key) = KEYS.iter().find(|it| it.variable() == *name) else {
            wrong.extend(unknown_variable(name));
            continue;
        };
        let value = match text.to_str() {
            Some(text) => value::of_text(key, text).and_then(|it| value::check(key, it)),
            None => Err(format!("{} is not UTF-8", key.name)),
        };
        match value {
            Ok(value) => given.push(Given { key, value, variable: Some(name.clone()) }),
            Err(message) => {
                let message = format!("{name}: {message}");
                wrong.push(Finding::new("setting.type", Level::Error, message));
            }
        }
    }
    (given, wrong)
}

/// What is wrong with a variable that is no setting's, if it was meant to be one: it begins with
/// the name of a section, or with something so like one that it is a slip.
fn unknown_variable(name: &str) -> Option<Finding> {
    let rest = name.strip_prefix(VARIABLE_PREFIX)?;
    let (first, _) = rest.split_once('_')?;
    let sections = keys::sections().into_iter().filter(|it| !it.contains('.'));
    let sections: Vec<String> = sections.map(str::to_ascii_uppercase).collect();
    nearest(first, sections.iter().map(String::as_str))?;
    let variables: Vec<String> = KEYS.iter().map(Key::variable).collect();
    let help = match nearest(name, variables.iter().map(String::as_str)) {
        Some(near) => format!("Did you mean {near}?"),
        None => "`genstore config show` lists the settings.".to_owned(),
    };
    let message = format!("{name}: there is no such setting");
    Some(Finding::new("setting.unknown", Level::Error, message).with_help(help))
}

/// What `--config` says.
pub(super) fn of_flags(flags: &[String]) -> (Vec<Given>, Vec<Finding>) {
    let (mut given, mut wrong) = (Vec::new(), Vec::new());
    for flag in flags {
        let Some((name, text)) = flag.split_once('=') else {
            let message = format!("--config {flag:?} says no value");
            let finding = Finding::new("setting.type", Level::Error, message);
            wrong.push(finding.with_help("Write --config SECTION.KEY=VALUE."));
            continue;
        };
        let Some(key) = keys::find(name.trim()) else {
            let message = format!("--config: there is no setting {:?}", name.trim());
            let finding = Finding::new("setting.unknown", Level::Error, message);
            wrong.push(finding.with_help(keys::hint_for(name.trim())));
            continue;
        };
        match value::of_text(key, text.trim()).and_then(|it| value::check(key, it)) {
            Ok(value) => given.push(Given { key, value, variable: None }),
            Err(message) => {
                let message = format!("--config: {message}");
                wrong.push(Finding::new("setting.type", Level::Error, message));
            }
        }
    }
    (given, wrong)
}
