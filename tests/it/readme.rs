//! The README says what is so: its tables are the program's own, its commands and queries exist.

use std::process::Command;

const README: &str = include_str!("../../README.md");

fn genstore(args: &[&str]) -> String {
    let output = Command::new(env!("CARGO_BIN_EXE_genstore")).args(args).output().unwrap();
    assert!(output.status.success(), "{args:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn the_tables_are_those_of_the_program() {
    let tables = genstore(&["schema"]);
    assert!(README.contains(tables.trim()), "paste `genstore schema` into README.md:\n{tables}");
}

/// What follows `genstore ` in code: in spans within a line, and at the start of lines of blocks.
fn commands() -> Vec<&'static str> {
    let mut found = Vec::new();
    let mut in_block = false;
    for line in README.lines() {
        if line.starts_with("```") {
            in_block = !in_block;
        } else if in_block {
            found.extend(line.trim_start_matches("$ ").strip_prefix("genstore "));
        } else {
            let spans = line.split('`').skip(1).step_by(2);
            found.extend(spans.filter_map(|it| it.strip_prefix("genstore ")));
        }
    }
    found
}

#[test]
fn every_command_and_query_exists() {
    let help = genstore(&["--help"]);
    let listed = commands();
    assert!(listed.len() > 10, "the README names its commands: {listed:?}");
    for text in listed {
        let mut words = text.split_whitespace();
        let command = words.next().unwrap();
        if command == "#" {
            continue; // plain `genstore`
        }
        assert!(help.contains(&format!("\n  {command} ")), "no command {command:?}: {text}");
        let query =
            words.next().filter(|it| command == "query" && it.starts_with(char::is_lowercase));
        if let Some(name) = query {
            assert!(genstore::sql::Queries::builtin().find(name).is_ok(), "no query {name:?}");
        }
    }
}

#[test]
fn every_export_profile_says_whom_it_is_for() {
    for profile in &genstore::export::PROFILES {
        let row = format!("| `{}` | {} |", profile.name, profile.whom);
        assert!(README.contains(&row), "put it into README.md: {row}");
    }
}
