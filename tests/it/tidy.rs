//! The rules of the house as tests. Each complaint names the file and line, and what to do instead.
#![allow(clippy::indexing_slicing, reason = "a test fails by panicking")]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

/// Each line is an order: a room imports only from rooms that stand left of it, on one line or over
/// several. `finding` is the validators' and the contract lint's language; `output` draws it.
const DIRECTIONS: &[&str] = &[
    "error clock event workflow pipeline",
    "error finding python contract template validate generate pipeline",
    "error clock event journal store recorder",
    "runtime store sql",
    "histogram store",
    "error clock setting journal",
    "setting validate pipeline",
    "event store sql output export import",
    "finding output",
    "recorder replay",
    "pipeline replay",
    "sql history",
    "workflow history",
    "import replay",
    "history replay repl config cli main",
];

/// What must not be written, what to write instead, and the files and folders where it may stand.
const BANNED: &[(&str, &str, &[&str])] = &[
    ("SystemTime::now", "take a `Clock`", &["src/clock.rs"]),
    ("Instant::now", "take a `Clock`", &["src/clock.rs"]),
    ("Utc::now", "take a `Clock`", &["src/clock.rs"]),
    ("Local::now", "take a `Clock`", &["src/clock.rs"]),
    ("Uuid::new_v4", "take an `IdSource`", &["src/clock.rs"]),
    ("Uuid::now_v7", "take an `IdSource`", &["src/clock.rs"]),
    ("thread_rng", "take a seed", &[]),
    ("println!", "write to the `Writer` that is handed in", TERMINAL),
    ("eprintln!", "write to the `Writer` that is handed in", TERMINAL),
    ("env::var", "have the value handed in by `config`", &["src/config", "src/main.rs"]),
    (".unwrap()", "return an `Error`, or match", &[]),
    ("todo!(", "write it, or leave it out", &[]),
    ("unimplemented!(", "write it, or leave it out", &[]),
    ("FIXME", "mend it, or leave it out", &[]),
];

const TERMINAL: &[&str] = &["src/cli", "src/output", "src/repl", "src/main.rs"];

const FILE_LINES_MAX: usize = 600;
const LINE_CHARS_MAX: usize = 100;
/// Of tests this is not asked: a table of cases is no function to be understood.
const FUNCTION_LINES_MAX: usize = 70;

/// A file below the project's folder.
struct Source {
    /// Path with `/` between its parts.
    path: String,
    text: String,
}

impl Source {
    /// Whether the file holds nothing but tests.
    fn is_test(&self) -> bool {
        self.path.starts_with("tests/")
            || self.path.ends_with("/tests.rs")
            || self.path.contains("/tests/")
    }

    /// Lines that are no comment, with their numbers, up to the file's own tests.
    fn code(&self) -> impl Iterator<Item = (usize, &str)> {
        let numbered = self.text.lines().enumerate().map(|(at, line)| (at + 1, line));
        let before_tests = numbered.take_while(|(_, line)| *line != "mod tests {");
        before_tests.filter(|(_, line)| !line.trim_start().starts_with("//"))
    }

    /// The room of a file below `src`; `None` for `lib.rs`, which only names them.
    fn room(&self) -> Option<&str> {
        let inside = self.path.strip_prefix("src/")?;
        let room = inside.split_once('/').map_or(inside, |(room, _)| room);
        Some(room.strip_suffix(".rs").unwrap_or(room)).filter(|room| *room != "lib")
    }
}

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// Every file below a folder of the project whose name ends in `extension`; none if there is no
/// such folder.
fn sources(folder: &str, extension: &str) -> Vec<Source> {
    let mut found = Vec::new();
    let mut folders = vec![root().join(folder)];
    while let Some(folder) = folders.pop() {
        let Ok(entries) = fs::read_dir(&folder) else { continue };
        for path in entries.map(|entry| entry.expect("a folder can be listed").path()) {
            if path.ends_with("tests/fuzz/target") {
                continue; // what a fuzzer has built
            }
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|found| found == extension) {
                found.push(source(&path));
            }
        }
    }
    found.sort_by(|a, b| a.path.cmp(&b.path));
    found
}

fn source(path: &Path) -> Source {
    let text = fs::read_to_string(path).expect("a source is text");
    let inside = path.strip_prefix(root()).expect("a source lies in the project");
    let parts: Vec<_> = inside.iter().map(|part| part.to_string_lossy()).collect();
    Source { path: parts.join("/"), text }
}

/// All sources of the project.
fn rust_sources() -> Vec<Source> {
    ["src", "tests", "benches"].into_iter().flat_map(|folder| sources(folder, "rs")).collect()
}

fn complain(complaints: &[String]) {
    assert!(complaints.is_empty(), "\n{}\n", complaints.join("\n"));
}

#[test]
fn every_file_says_what_it_is_for() {
    let silent = rust_sources().into_iter().filter(|source| !source.text.starts_with("//!"));
    let complaints = silent.map(|source| {
        format!("{}: begin with `//!` and what the file is for and never does", source.path)
    });
    complain(&complaints.collect::<Vec<_>>());
}

#[test]
fn files_lines_and_functions_are_short() {
    let mut complaints = Vec::new();
    for source in rust_sources() {
        let path = &source.path;
        let lines: Vec<&str> = source.text.lines().collect();
        if lines.len() > FILE_LINES_MAX {
            complaints.push(format!("{path}: {} lines, split it by idea", lines.len()));
        }
        for (at, line) in lines.iter().enumerate() {
            // the text of a test's case stands as it is
            let is_case = source.is_test() && line.contains('"');
            if line.chars().count() > LINE_CHARS_MAX && !is_case {
                complaints.push(format!("{path}:{}: longer than {LINE_CHARS_MAX}", at + 1));
            }
            if let Some((name, length)) = function(line, &lines[at..])
                && length > FUNCTION_LINES_MAX
                && !source.is_test()
            {
                complaints.push(format!("{path}:{}: `{name}` has {length} lines", at + 1));
            }
        }
    }
    complain(&complaints);
}

/// Name and length of the function that begins with `line`, if one does. Relies on the formatter:
/// a body ends with a brace in the column in which the function began.
fn function<'l>(line: &'l str, rest: &[&str]) -> Option<(&'l str, usize)> {
    let code = line.trim_start();
    let (before, after) = code.split_once("fn ")?;
    let words = ["pub", "pub(crate)", "pub(super)", "const", "async"];
    if !before.split_whitespace().all(|word| words.contains(&word)) {
        return None;
    }
    let name = after.split(['(', '<']).next()?;
    let indent = &line[..line.len() - code.len()];
    let end = rest.iter().position(|line| {
        line.strip_prefix(indent).is_some_and(|line| line == "}" || line.starts_with("} "))
            || (line.trim_end().ends_with(';') && line.starts_with(&format!("{indent}fn ")))
    })?;
    Some((name, end + 1))
}

#[test]
fn the_measure_of_functions_is_right() {
    let text = "    pub(super) async fn long(\n        a: u8,\n    ) -> u8 {\n        a\n    }\n}";
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(function(lines[0], &lines), Some(("long", 5)));
    assert_eq!(function("// a fn in a comment", &["}"]), None);
}

#[test]
fn rooms_import_only_from_their_left() {
    let left = left_of();
    let mut complaints = Vec::new();
    for source in sources("src", "rs").iter().filter(|source| !source.is_test()) {
        let Some(room) = source.room() else { continue };
        let Some(allowed) = left.get(room) else {
            complaints.push(format!("{}: `{room}` stands on no line of DIRECTIONS", source.path));
            continue;
        };
        for (line, imported) in imports(source) {
            if imported != room && !allowed.contains(imported) {
                let path = &source.path;
                complaints.push(format!(
                    "{path}:{line}: `{room}` may not import `{imported}`: hand the thing in, or \
                     move it to a room further left"
                ));
            }
        }
    }
    complain(&complaints);
}

/// Per room the rooms to its left, over all lines.
fn left_of() -> BTreeMap<&'static str, BTreeSet<&'static str>> {
    let mut left: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for line in DIRECTIONS {
        let rooms: Vec<&str> = line.split(' ').collect();
        for (at, room) in rooms.iter().enumerate() {
            left.entry(room).or_default().extend(&rooms[..at]);
        }
    }
    // one round per room is enough for the longest path
    for _ in 0..left.len() {
        let before = left.clone();
        for rooms in left.values_mut() {
            let further: Vec<_> = rooms.iter().filter_map(|room| before.get(room)).collect();
            rooms.extend(further.into_iter().flatten());
        }
    }
    for (room, rooms) in &left {
        assert!(!rooms.contains(room), "DIRECTIONS runs in a circle through `{room}`");
    }
    left
}

/// Rooms that a file names after `crate::`, in a group, too, with their line.
fn imports(source: &Source) -> Vec<(usize, &str)> {
    let mut found = Vec::new();
    for (line, code) in source.code() {
        for part in code.split("crate::").skip(1) {
            let names = part
                .strip_prefix('{')
                .map_or(vec![part], |group| group.split(',').map(str::trim_start).collect());
            let ends = |c: char| !(c.is_ascii_lowercase() || c == '_');
            let rooms = names.into_iter().filter_map(|name| name.split(ends).next());
            found.extend(rooms.filter(|room| !room.is_empty()).map(|room| (line, room)));
        }
    }
    found
}

#[test]
fn imports_are_seen_in_groups_and_in_the_middle_of_a_line() {
    let text = "use crate::{error::Result, store};\nlet x = crate::clock::now(); // crate::sql\n\
                // crate::cli";
    let source = Source { path: "src/x.rs".to_owned(), text: text.to_owned() };
    let expected = [(1, "error"), (1, "store"), (2, "clock"), (2, "sql")];
    assert_eq!(imports(&source), expected);
    assert!(left_of()["sql"].contains("clock"), "left over several lines");
    assert!(!left_of()["workflow"].contains("store"));
}

#[test]
fn banned_words_stand_only_where_they_may() {
    let mut complaints = Vec::new();
    for source in sources("src", "rs").iter().filter(|source| !source.is_test()) {
        for (word, instead, allowed) in BANNED {
            if allowed.iter().any(|place| source.path.starts_with(place)) {
                continue;
            }
            for (line, _) in source.code().filter(|(_, code)| code.contains(word)) {
                complaints.push(format!("{}:{line}: no `{word}`: {instead}", source.path));
            }
        }
    }
    complain(&complaints);
}

#[test]
fn no_file_is_forgotten() {
    let mut complaints = Vec::new();
    let rust = rust_sources();
    for source in &rust {
        let Some((folder, name)) = source.path.rsplit_once('/') else { continue };
        if matches!(
            source.path.as_str(),
            "src/lib.rs" | "src/main.rs" | "tests/it/main.rs" | "tests/fuzz/src/lib.rs"
        ) {
            continue;
        }
        if source.path == "benches/common/mod.rs" {
            continue; // of those benches that say so
        }
        if folder == "benches" {
            let bench = name.trim_end_matches(".rs");
            let manifest = fs::read_to_string(root().join("Cargo.toml")).expect("a manifest");
            if !manifest.contains(&format!("[[bench]]\nname = \"{bench}\"")) {
                complaints.push(format!("{}: Cargo.toml has no such bench", source.path));
            }
            continue;
        }
        if folder == "tests/fuzz/targets" {
            let manifest = root().join("tests/fuzz/Cargo.toml");
            let manifest = fs::read_to_string(manifest).expect("a manifest");
            if !manifest.contains(&format!("path = \"targets/{name}\"")) {
                complaints.push(format!("{}: tests/fuzz/Cargo.toml does not name it", source.path));
            }
            continue;
        }
        // `a/mod.rs` is the module `a` of the folder above
        let module = if name == "mod.rs" { folder } else { source.path.trim_end_matches(".rs") };
        let Some((above, module)) = module.rsplit_once('/') else { continue };
        let parents = [
            format!("{above}/mod.rs"),
            format!("{above}/lib.rs"),
            format!("{above}/main.rs"),
            format!("{above}.rs"),
        ];
        let declared = rust
            .iter()
            .filter(|parent| parents.contains(&parent.path))
            .any(|parent| parent.code().any(|(_, code)| code.ends_with(&format!("mod {module};"))));
        if !declared {
            complaints.push(format!("{}: no `mod {module};` names it", source.path));
        }
    }
    let code: String = rust.iter().map(|source| source.text.as_str()).collect();
    for query in sources("queries", "sql") {
        if !code.contains(&query.path) {
            complaints.push(format!("{}: no source names it", query.path));
        }
    }
    complain(&complaints);
}

#[test]
fn the_arrow_family_has_one_version_each() {
    let lock = fs::read_to_string(root().join("Cargo.lock")).expect("a lock file");
    for name in ["arrow", "parquet", "object_store", "datafusion"] {
        let versions = lock.matches(&format!("\nname = \"{name}\"\n")).count();
        assert_eq!(versions, 1, "{name}: two versions compile twice, and their types do not fit");
    }
}
