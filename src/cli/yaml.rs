//! JSON values as block-style YAML, for people. Reads no YAML.

use serde_json::Value;

/// The value as a YAML document.
pub(super) fn document(value: &Value) -> String {
    let mut text = String::new();
    write(&mut text, value, 0);
    text.trim_start_matches('\n').to_owned()
}

/// Writes what stands after `key:` or `-`, line break included.
fn write(text: &mut String, value: &Value, indent: usize) {
    match value {
        Value::Object(map) if !map.is_empty() => {
            text.push('\n');
            for (key, value) in map {
                line(text, &format!("{}:", scalar(key)), value, indent);
            }
        }
        Value::Array(items) if !items.is_empty() => {
            text.push('\n');
            for item in items {
                line(text, "-", item, indent);
            }
        }
        Value::String(string) => text.push_str(&format!(" {}\n", scalar(string))),
        other => text.push_str(&format!(" {other}\n")),
    }
}

fn line(text: &mut String, head: &str, value: &Value, indent: usize) {
    text.extend(std::iter::repeat_n(' ', indent));
    text.push_str(head);
    let start = text.len();
    write(text, value, indent + 2);
    // The first key of a mapping in a sequence stands beside the dash.
    let beside = format!("\n{}", " ".repeat(indent + 2));
    let nested = text.get(start..).is_some_and(|it| it.starts_with(&beside));
    if head == "-" && nested && value.is_object() {
        text.replace_range(start..start + beside.len(), " ");
    }
}

/// Plain where no reader can take it for something else, else in double quotes, where JSON's
/// escapes are YAML's.
fn scalar(text: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '/' | ' ' | '-');
    let starts = text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_');
    let word = text.to_ascii_lowercase();
    let special = ["null", "true", "false", "yes", "no", "on", "off", "y", "n"];
    let safe = starts && !text.ends_with(' ') && text.chars().all(plain);
    if safe && !special.contains(&word.as_str()) {
        text.to_owned()
    } else {
        Value::from(text).to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::document;

    #[test]
    fn a_document_in_block_style() {
        let value = serde_json::json!({
            "name": "price", "version": "1.0.0", "empty": [], "none": null, "on": "off",
            "fields": [{"name": "a: b", "type": {"list": "int"}}, "x", ["y"]],
        });
        let expected = "\
name: price
version: \"1.0.0\"
empty: []
none: null
\"on\": \"off\"
fields:
  - name: \"a: b\"
    type:
      list: int
  - x
  -
    - \"y\"
";
        assert_eq!(document(&value), expected);
    }
}
