//! The known key that a misspelt one was probably meant to be. Pure.

/// Most typing mistakes in a key that is still taken for a known one: a contract may have keys of
/// its own, and a longer distance finds a namesake for most of them.
const TYPOS_MAX: usize = 2;

/// Longest key that is compared with known ones.
const KEY_BYTES_MAX: usize = 64;

/// The known key nearest to `key`, when it is at most two typing mistakes away.
pub(super) fn near<'a>(key: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    if key.len() > KEY_BYTES_MAX {
        return None;
    }
    let own = letters(key);
    let candidates = known.into_iter().filter(|it| {
        // Comparing is dear, and a mistake brings or takes two letters at most.
        it.len().abs_diff(key.len()) <= TYPOS_MAX
            && (letters(it) ^ own).count_ones() as usize <= 2 * TYPOS_MAX
    });
    crate::error::nearest(key, candidates)
        .filter(|near| strsim::damerau_levenshtein(key, near) <= TYPOS_MAX)
}

/// Which bytes occur, by their last five bits: letters differ in them, whatever their case.
fn letters(text: &str) -> u32 {
    text.bytes().fold(0, |found, byte| found | 1 << (byte & 31))
}

#[cfg(test)]
mod tests {
    use super::near;

    #[test]
    fn two_typing_mistakes_are_forgiven_and_more_are_not() {
        let known = ["node_type", "dependencies", "name"];
        for (key, expected) in [
            ("node_typ", Some("node_type")),
            ("nodetypes", Some("node_type")),
            ("dependnecies", Some("dependencies")),
            ("naem", Some("name")),
            ("owner", None),
            ("own_key", None),
        ] {
            assert_eq!(near(key, known), expected, "{key}");
        }
        assert_eq!(near(&"n".repeat(1000), known), None);
    }
}
