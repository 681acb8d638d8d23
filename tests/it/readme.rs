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

#[test]
fn every_command_and_query_exists() {
    let help = genstore(&["--help"]);
    let listed: Vec<&str> = README
        .split('`')
        .filter_map(|it| it.strip_prefix("genstore "))
        .chain(README.lines().filter_map(|it| it.strip_prefix("genstore ")))
        .collect();
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
            assert!(genstore::sql::canned_query(name).is_ok(), "no query {name:?}");
        }
    }
}
