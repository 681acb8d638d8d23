//! Type annotations as texts taken apart: the members of a union, each with its arguments. Knows
//! nothing about what the names stand for.

/// Deepest nesting of brackets that is taken apart.
const DEPTH_MAX: u32 = 16;

/// One member of a union: `list[int]` is `list` with one argument, the union of `int` alone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Term {
    /// Last part of the dotted name; empty where the text is something else.
    pub name: String,
    /// Arguments in brackets, each a union.
    pub arguments: Vec<Vec<Term>>,
}

/// The members of an annotation: of `A | B`, `Union[A, B]` and `Optional[A]`, nested ones too, in
/// order. Quotes around a type are ignored.
pub fn members(text: &str) -> Vec<Term> {
    let mut found = Vec::new();
    collect(text, 0, &mut found);
    found
}

fn collect(text: &str, depth: u32, found: &mut Vec<Term>) {
    if depth > DEPTH_MAX {
        return;
    }
    for part in split(text, '|') {
        let part = part.trim().trim_matches(['"', '\'']).trim();
        if split(part, '|').len() > 1 {
            collect(part, depth + 1, found);
            continue;
        }
        let (head, inside) = match part.split_once('[') {
            Some((head, rest)) => (head, rest.strip_suffix(']').unwrap_or(rest)),
            None => (part, ""),
        };
        let name = head.trim().rsplit('.').next().unwrap_or("").to_owned();
        let arguments = if inside.is_empty() { Vec::new() } else { split(inside, ',') };
        match name.as_str() {
            "Union" | "Optional" => {
                for argument in arguments {
                    collect(argument, depth + 1, found);
                }
                if name == "Optional" {
                    found.push(Term { name: "None".to_owned(), arguments: Vec::new() });
                }
            }
            "Annotated" => collect(arguments.first().unwrap_or(&""), depth + 1, found),
            _ => {
                let argument = |text: &&str| {
                    let mut members = Vec::new();
                    collect(text, depth + 1, &mut members);
                    members
                };
                let arguments = arguments.iter().filter(|it| !it.trim().is_empty());
                found.push(Term { name, arguments: arguments.map(argument).collect() });
            }
        }
    }
}

/// Splits at a separator outside brackets and quotes.
fn split(text: &str, separator: char) -> Vec<&str> {
    let mut parts = Vec::new();
    let (mut start, mut depth, mut quote) = (0, 0_u32, None);
    for (at, character) in text.char_indices() {
        match (quote, character) {
            (Some(open), _) if open == character => quote = None,
            (Some(_), _) => {}
            (None, '"' | '\'') => quote = Some(character),
            (None, '[' | '(' | '{') => depth += 1,
            (None, ']' | ')' | '}') => depth = depth.saturating_sub(1),
            (None, _) if character == separator && depth == 0 => {
                parts.push(text.get(start..at).unwrap_or(""));
                start = at + character.len_utf8();
            }
            _ => {}
        }
    }
    parts.push(text.get(start..).unwrap_or(""));
    parts
}

#[cfg(test)]
mod tests;
