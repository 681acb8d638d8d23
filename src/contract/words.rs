//! The words of a name, however it is written. Knows no names.

/// The words of a text in lower case, split at case changes and at all but ASCII letters and
/// digits: `OrderStatus`, `order_status` and `order-status` are `order`, `status`.
pub(crate) fn words(text: &str) -> Vec<String> {
    let mut words: Vec<String> = Vec::new();
    let mut word = String::new();
    let chars: Vec<char> = text.chars().collect();
    for (at, char) in chars.iter().enumerate() {
        let before = at.checked_sub(1).and_then(|at| chars.get(at));
        let after = chars.get(at + 1);
        let lower = |it: Option<&char>| it.is_some_and(char::is_ascii_lowercase);
        let starts = char.is_ascii_uppercase()
            && (lower(before)
                || before.is_some_and(char::is_ascii_digit)
                || (before.is_some_and(char::is_ascii_uppercase) && lower(after)));
        if (starts || !char.is_ascii_alphanumeric()) && !word.is_empty() {
            words.push(std::mem::take(&mut word));
        }
        if char.is_ascii_alphanumeric() {
            word.push(char.to_ascii_lowercase());
        }
    }
    if !word.is_empty() {
        words.push(word);
    }
    words
}
