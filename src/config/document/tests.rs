//! Values and their places, who may say what, and texts that nobody would write.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test fails by panicking")]

use proptest::prelude::*;

use super::*;

fn entries(text: &str, layer: Layer) -> Vec<(&'static str, String, (u32, u32))> {
    let (entries, findings) = read(text, layer);
    assert_eq!(findings, [], "{text}");
    let place = |it: &Entry| (it.span.start_line, it.span.start_column);
    entries.iter().map(|it| (it.key.name, it.value.to_string(), place(it))).collect()
}

#[test]
fn values_have_the_place_of_their_key_in_every_form() {
    let expected =
        |line, column| vec![("store.compaction.files_min", "9".to_owned(), (line, column))];
    for (text, line, column) in [
        ("[store.compaction]\nfiles_min = 9", 2, 1),
        ("[store]\ncompaction.files_min = 9", 2, 12),
        ("store.compaction.files_min = 9", 1, 18),
        ("store = { compaction = { files_min = 9 } }", 1, 26),
        ("# ä\r\n[\"store\".compaction]\r\n  files_min = 0x9\r\n", 3, 3),
        ("\u{feff}store.compaction.files_min = 0b1001", 1, 18),
        ("\u{feff}\n[store.compaction] # ö\n\"files_min\" = 9", 3, 1),
    ] {
        assert_eq!(entries(text, Layer::WorkingDirectory), expected(line, column), "{text}");
    }
    let two = "sql.rows_max = 1_000\nrepl.timer = true\nrepl.format = 'csv'\nsql.spill_dir = \"\"\"\n/x\"\"\"";
    let found: Vec<_> = entries(two, Layer::User).into_iter().map(|it| (it.0, it.1)).collect();
    let expected = [
        ("sql.rows_max", "1000"),
        ("repl.timer", "true"),
        ("repl.format", "\"csv\""),
        ("sql.spill_dir", "\"/x\""),
    ];
    assert_eq!(found, expected.map(|(name, value)| (name, value.to_owned())));
    assert_eq!(entries("", Layer::User), []);
}

#[test]
fn who_may_say_what() {
    let says = |text: &str| {
        [Layer::Store, Layer::User, Layer::WorkingDirectory].map(|it| read(text, it).1.is_empty())
    };
    assert_eq!(says("sql.threads = 2"), [true, true, true]);
    assert_eq!(says("store.durability = 'none'"), [true, true, false]);
    assert_eq!(says("sql.spill_dir = 'x'"), [false, true, false]);
    assert_eq!(says("pipeline.out = './a/b'"), [true, true, true]);
    for path in ["/x", "..", "a/../../b", "a/.."] {
        assert_eq!(says(&format!("pipeline.out = '{path}'")), [false, true, false], "{path}");
    }
}

#[test]
fn all_mistakes_are_found_in_the_order_of_their_lines() {
    let text = "[sql]\nthreads = 'x'\n[nix]\na = 1\nb = 2\n[repl]\ntimer = 1\nformat = 'csv'\n";
    let (found, findings) = read(text, Layer::User);
    assert_eq!(found.len(), 1);
    let places: Vec<_> = findings.iter().map(|it| it.span.unwrap().start_line).collect();
    assert_eq!(places, [2, 3, 7], "{findings:?}");
    let span = findings[0].span.unwrap();
    assert_eq!(&text[span.start_byte..span.end_byte], "'x'");
}

proptest! {
    /// Whatever is in a file, there is an answer, and its places are in the file.
    #[test]
    fn no_text_is_too_odd(parts in prop::collection::vec(
        prop_oneof![
            Just("store".to_owned()), Just("flush_age".to_owned()), Just(" = ".to_owned()),
            Just("\"5s\"".to_owned()), Just("\n".to_owned()), Just("[".to_owned()),
            Just("]".to_owned()), Just(".".to_owned()), Just("{".to_owned()), Just("}".to_owned()),
            Just("\u{feff}".to_owned()), Just("'".to_owned()), Just("\"\"\"".to_owned()),
            Just("\r".to_owned()), Just("1".to_owned()), Just("sql".to_owned()),
            Just("threads".to_owned()), Just("#".to_owned()), any::<String>(),
        ], 0..24)) {
        let text = parts.concat();
        let (entries, findings) = read(&text, Layer::WorkingDirectory);
        let told = findings.iter().filter_map(|it| it.span);
        for it in entries.iter().map(|it| it.span).chain(told) {
            prop_assert!(text.get(it.start_byte..it.end_byte).is_some(), "{it:?} of {text:?}");
            prop_assert!(it.start_line >= 1 && it.start_column >= 1);
        }
    }
}
