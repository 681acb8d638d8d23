//! Writes a JSON value as YAML in block style, with text quoted wherever a YAML reader could take
//! it for something else. Reads nothing.

use serde_json::Value as Json;

/// The document, with its marker, ending in a newline.
pub fn document(value: &Json) -> String {
    let mut out = String::from("---\n");
    block(value, 0, &mut out);
    out
}

fn block(value: &Json, indent: usize, out: &mut String) {
    match value {
        Json::Object(map) => {
            for (key, value) in map {
                margin(indent, out);
                out.push_str(&scalar(key));
                out.push(':');
                nested(value, indent, out);
            }
        }
        Json::Array(items) => {
            for item in items {
                margin(indent, out);
                out.push('-');
                match item {
                    Json::Object(map) if !map.is_empty() && !is_version(item) => {
                        let mut inner = String::new();
                        block(item, indent + 2, &mut inner);
                        out.push(' ');
                        out.push_str(inner.trim_start());
                    }
                    _ => nested(item, indent, out),
                }
            }
        }
        _ => {}
    }
}

/// A value behind a colon or a dash.
fn nested(value: &Json, indent: usize, out: &mut String) {
    match value {
        Json::Object(map) if map.is_empty() => out.push_str(" {}\n"),
        Json::Array(items) if items.is_empty() => out.push_str(" []\n"),
        Json::Object(map) if is_version(value) => {
            let parts: Vec<String> =
                map.iter().map(|(key, value)| format!("{key}: {value}")).collect();
            out.push_str(&format!(" {{{}}}\n", parts.join(", ")));
        }
        Json::Object(_) | Json::Array(_) => {
            out.push('\n');
            block(value, indent + 2, out);
        }
        Json::String(text) => out.push_str(&format!(" {}\n", scalar(text))),
        other => out.push_str(&format!(" {other}\n")),
    }
}

fn is_version(value: &Json) -> bool {
    value.as_object().is_some_and(|map| map.len() == 3 && map.contains_key("major"))
}

fn margin(indent: usize, out: &mut String) {
    out.extend(std::iter::repeat_n(' ', indent));
}

/// Plain where that is certainly text, otherwise in double quotes.
fn scalar(text: &str) -> String {
    let safe = |it: char| it.is_ascii_alphanumeric() || " _./()-".contains(it);
    let lower = text.to_ascii_lowercase();
    let reserved = ["null", "true", "false", "yes", "no", "on", "off", "y", "n", "nan", "inf"]
        .contains(&&*lower);
    let plain = text.starts_with(|first: char| first.is_ascii_alphabetic())
        && text.chars().all(safe)
        && !text.ends_with(' ')
        && !reserved;
    if plain { text.to_owned() } else { quoted(text) }
}

/// JSON's escapes are YAML's; YAML also wants these characters escaped.
fn quoted(text: &str) -> String {
    let json = Json::String(text.to_owned()).to_string();
    let mut out = String::with_capacity(json.len());
    for char in json.chars() {
        match char {
            '\u{7f}'..='\u{9f}'
            | '\u{2028}'
            | '\u{2029}'
            | '\u{feff}'
            | '\u{fffe}'
            | '\u{ffff}' => {
                out.push_str(&format!("\\u{:04x}", u32::from(char)));
            }
            _ => out.push(char),
        }
    }
    out
}

#[cfg(test)]
mod tests;
