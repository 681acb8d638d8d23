//! The list of settings and the settings themselves are the same.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::collections::BTreeSet;

use super::*;

/// Names of all values in nested sections.
fn leaves(prefix: &str, table: &Table, found: &mut BTreeSet<String>) {
    for (name, value) in table {
        let whole = if prefix.is_empty() { name.clone() } else { format!("{prefix}.{name}") };
        match value.as_table() {
            Some(table) => leaves(&whole, table, found),
            None => assert!(found.insert(whole)),
        }
    }
}

#[test]
fn every_setting_has_an_entry_and_every_entry_a_setting() {
    let mut found = BTreeSet::new();
    leaves("", &DEFAULTS, &mut found);
    let listed: BTreeSet<String> = KEYS.iter().map(|it| it.name.to_owned()).collect();
    assert_eq!(listed, found);
    assert_eq!(KEYS.len(), found.len(), "a name stands twice");
    let variables: BTreeSet<String> = KEYS.iter().map(Key::variable).collect();
    assert_eq!(variables.len(), KEYS.len(), "two settings have one variable");
    let sections = sections();
    let once: BTreeSet<_> = sections.iter().collect();
    assert_eq!(once.len(), sections.len(), "a section is in two places: {sections:?}");
}

#[test]
fn the_defaults_go_together_and_come_back_from_their_text() {
    let settings = Settings::default();
    assert_eq!(settings.faults(), []);
    let text = toml::to_string(&settings).unwrap();
    assert_eq!(toml::from_str::<Settings>(&text).unwrap(), settings);
    assert!(toml::from_str::<Settings>("[store]\nnonsense = 1").is_err());
}

/// What names a place, a program or an address reaches no further than its user's own file, or
/// stays in the working directory.
#[test]
fn no_file_of_others_names_a_place() {
    for key in KEYS {
        let is_place = ["dir", "out", "path", "file", "url", "command", "program"]
            .iter()
            .any(|it| key.parts().1.split('_').any(|part| part == *it));
        let is_safe = matches!(key.reach, Reach::Person | Reach::Inside);
        assert!(!is_place || is_safe, "{} could be set by a repository", key.name);
    }
}

#[test]
fn a_slip_finds_the_setting_that_was_meant() {
    for (typed, hint) in [
        ("store.flsh_age", "Did you mean store.flush_age?"),
        ("flush_age", "Did you mean store.flush_age?"),
        ("sql.timer", "Did you mean repl.timer?"),
        ("store.compact.files_min", "Did you mean store.compaction.files_min?"),
        ("qqqqqq", "`genstore config show` lists the settings."),
    ] {
        assert_eq!(hint_for(typed), hint, "{typed}");
    }
}
