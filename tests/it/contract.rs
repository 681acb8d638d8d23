//! Contracts from outside: the real corpus, the broken ones, the project's own samples, and
//! mutations of them.
#![allow(clippy::unwrap_used, clippy::print_stderr, reason = "tests; a skipped one says so")]

use genstore::contract::model::FieldType;
use genstore::contract::{Includes, NodeType, Parsed, lint, parse_bytes};
use genstore::error::{IoContext, Result};
use genstore::finding::Level;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// Reads includes from a folder; the parser has made sure that the path stays in it.
struct Folder(PathBuf);

impl Includes for Folder {
    fn read(&self, path: &str) -> Result<String> {
        let path = self.0.join(path);
        std::fs::read_to_string(&path).context("read", &path)
    }
}

fn parsed(path: &Path) -> Parsed {
    let name = path.file_name().unwrap().to_string_lossy().into_owned();
    let includes = Folder(path.parent().unwrap().into());
    let mut parsed = parse_bytes(&std::fs::read(path).unwrap(), &name, &includes);
    if let Some(contract) = &parsed.contract {
        parsed.findings.extend(lint(contract, &name));
    }
    parsed
}

/// YAML files below a folder, sorted.
fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(files(&path));
        } else if path.extension().is_some_and(|it| it == "yaml") {
            found.push(path);
        }
    }
    found.sort();
    found
}

/// The corpus of real and broken contracts, when the environment names it.
fn corpus() -> Option<PathBuf> {
    let found = std::env::var_os("GENSTORE_CORPUS").map(PathBuf::from);
    if found.is_none() {
        eprintln!(
            "skipped: GENSTORE_CORPUS names no folder with real/, invalid/ and verdicts.json"
        );
    }
    found
}

fn first_error(parsed: &Parsed) -> Option<String> {
    let error = parsed.findings.iter().find(|it| it.level == Level::Error)?;
    Some(format!("{}: {} {:?}", error.rule_id, error.message, error.help))
}

#[test]
fn every_real_contract_parses_or_says_why_not() {
    let Some(corpus) = corpus() else { return };
    let all = files(&corpus.join("real"));
    let mut kinds: BTreeMap<NodeType, usize> = BTreeMap::new();
    let mut rules: BTreeMap<(Level, &str), usize> = BTreeMap::new();
    for path in &all {
        let parsed = parsed(path);
        let name = path.file_name().unwrap().to_string_lossy();
        match &parsed.contract {
            Some(contract) => *kinds.entry(contract.node_type).or_default() += 1,
            None => eprintln!("{name}: {:?}", first_error(&parsed)),
        }
        if parsed.contract.is_some() && parsed.has_errors() {
            eprintln!("{name}: {:?}", first_error(&parsed));
        }
        let mut seen: Vec<_> = parsed.findings.iter().map(|it| (it.level, it.rule_id)).collect();
        seen.sort_unstable();
        seen.dedup();
        seen.into_iter().for_each(|it| *rules.entry(it).or_default() += 1);
    }
    eprintln!("{kinds:?}");
    rules.iter().for_each(|it| eprintln!("{it:?}"));
}

fn worst(parsed: &Parsed) -> Option<Level> {
    parsed.findings.iter().map(|it| it.level).max()
}

fn samples() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("data/contracts")
}

/// The project's own contracts; the parts they include are none.
fn sample_files() -> Vec<PathBuf> {
    files(&samples())
        .into_iter()
        .filter(|path| !path.to_string_lossy().contains("subcontracts"))
        .collect()
}

#[test]
fn own_samples_have_neither_errors_nor_warnings() {
    let mut kinds: BTreeMap<NodeType, usize> = BTreeMap::new();
    for path in sample_files() {
        let parsed = parsed(&path);
        let grave: Vec<_> = parsed.findings.iter().filter(|it| it.level > Level::Note).collect();
        assert!(grave.is_empty(), "{}: {grave:#?}", path.display());
        let contract = parsed.contract.unwrap();
        assert!(contract.input.fields.len() >= 3, "{}", path.display());
        assert!(contract.output.fields.len() >= 2, "{}", path.display());
        let all = contract.input.fields.iter().chain(&contract.output.fields);
        let unknown: Vec<_> =
            all.filter(|it| matches!(it.field_type, FieldType::Unknown(_))).collect();
        assert!(unknown.is_empty(), "{}: {unknown:#?}", path.display());
        *kinds.entry(contract.node_type).or_default() += 1;
    }
    assert_eq!(kinds, BTreeMap::from(NodeType::ALL.map(|kind| (kind, 2))));
}

#[test]
fn every_broken_contract_has_a_warning_or_an_error() {
    let Some(corpus) = corpus() else { return };
    let all = files(&corpus.join("invalid"));
    assert_eq!(all.len(), 74);
    for path in all {
        let parsed = parsed(&path);
        assert!(worst(&parsed) > Some(Level::Note), "{}: {parsed:#?}", path.display());
    }
}
