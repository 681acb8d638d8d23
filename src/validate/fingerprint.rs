//! The identity of a finding across runs: the same mistake in two runs has the same fingerprint,
//! wherever its line has moved to and whatever ids and numbers its message holds.

use crate::finding::Finding;

/// 32 hex digits over rule, file and message, with ids, numbers and folders normalised.
///
/// The line is not part of it, because lines move when something above them changes. Hence two
/// violations of one rule with one message in one file share a fingerprint.
pub fn fingerprint(finding: &Finding) -> String {
    let mut hasher = blake3::Hasher::new();
    hasher.update(finding.rule_id.as_bytes());
    hasher.update(b"\n");
    hasher.update(normalise(finding.uri.as_deref().unwrap_or("")).as_bytes());
    hasher.update(b"\n");
    hasher.update(normalise(&finding.message).as_bytes());
    let hex = hasher.finalize().to_hex();
    hex.chars().take(32).collect()
}

/// Replaces what differs between two runs: a long hex word or UUID becomes `<id>`, an absolute
/// path its last part, a number `#`; white space is collapsed.
fn normalise(text: &str) -> String {
    text.split_whitespace().map(normalise_word).collect::<Vec<_>>().join(" ")
}

fn normalise_word(word: &str) -> String {
    let absolute = word.find('/').filter(|at| {
        let before = word.get(..*at).unwrap_or("");
        before.chars().all(|c| !c.is_alphanumeric() && c != '.' && c != '_')
    });
    let kept = match absolute {
        Some(at) => {
            let quote = word.get(..at).unwrap_or("");
            format!("{quote}{}", word.rsplit('/').next().unwrap_or(""))
        }
        None => word.to_owned(),
    };
    let mut out = String::with_capacity(kept.len());
    let mut token = String::new();
    for character in kept.chars().chain(std::iter::once(' ')) {
        if character.is_alphanumeric() || character == '-' || character == '_' {
            token.push(character);
        } else {
            out.push_str(&normalise_token(&token));
            token.clear();
            out.push(character);
        }
    }
    out.pop();
    out
}

fn normalise_token(token: &str) -> String {
    let digits = token.chars().filter(char::is_ascii_hexdigit).count();
    let hex_only = token.chars().all(|c| c.is_ascii_hexdigit() || c == '-');
    if hex_only && digits >= 12 && token.chars().any(|c| c.is_ascii_digit()) {
        return "<id>".to_owned();
    }
    let mut out = String::with_capacity(token.len());
    for character in token.chars() {
        match character {
            '0'..='9' if out.ends_with('#') => {}
            '0'..='9' => out.push('#'),
            other => out.push(other),
        }
    }
    out
}

#[cfg(test)]
mod tests;
