//! The same finding of two runs is equal, different findings are not.

use super::{fingerprint, normalise};
use crate::finding::{Finding, Level, Span};

fn finding(message: &str) -> Finding {
    Finding::new("quality.complexity", Level::Warning, message).in_file("node.py")
}

#[test]
fn ids_numbers_and_folders_are_normalised() {
    let cases = [
        ("in 0197b1f0-0000-7000-8000-0000000000aa ok", "in <id> ok"),
        ("`/home/ann/x/node.py` has 12 lines", "`node.py` has # lines"),
        ("`models/model_a1.py` 3.5", "`models/model_a#.py` #.#"),
        ("accede  facade", "accede facade"),
    ];
    for (given, expected) in cases {
        assert_eq!(normalise(given), expected);
    }
}

#[test]
fn a_moved_line_keeps_the_fingerprint_and_another_message_does_not() {
    let first = finding("`handle` has complexity 11");
    let moved = finding("`handle` has complexity 14").at(Span {
        start_line: 9,
        start_column: 1,
        ..Span::default()
    });
    assert_eq!(fingerprint(&first), fingerprint(&moved));
    assert_eq!(fingerprint(&first).len(), 32);
    assert_ne!(fingerprint(&first), fingerprint(&finding("`steps` has complexity 11")));
    let elsewhere = finding("`handle` has complexity 11").in_file("handlers/handler_a.py");
    assert_ne!(fingerprint(&first), fingerprint(&elsewhere));
}
