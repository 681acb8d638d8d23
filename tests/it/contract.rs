//! Contracts from outside: the real corpus, the broken ones, the project's own samples, and
//! mutations of them.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::print_stderr,
    reason = "tests; a skipped one says so"
)]

use genstore::contract::layers::explains;
use genstore::contract::model::FieldType;
use genstore::contract::schema::{normal_form, schema};
use genstore::contract::{
    Includes, Layer, NoIncludes, NodeType, Parsed, fix, judge, lint, parse, parse_bytes,
};
use genstore::error::{IoContext, Result};
use genstore::finding::Level;
use serde_json::Value as Json;
use std::collections::{BTreeMap, BTreeSet};
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

/// How many of a hundred real contracts must parse to one; the others have no name or are
/// templates with gaps.
const PARSED_PERCENT_MIN: usize = 99;

#[test]
fn every_real_contract_parses_or_says_why_not() {
    let Some(corpus) = corpus() else { return };
    let all = files(&corpus.join("real"));
    let mut rules: BTreeMap<(Level, &str), usize> = BTreeMap::new();
    let mut contracts = 0;
    for path in &all {
        let parsed = parsed(path);
        match &parsed.contract {
            Some(_) => {
                contracts += 1;
                assert!(!parsed.has_errors(), "{}: {:#?}", path.display(), parsed.findings);
            }
            None => {
                let why: Vec<_> =
                    parsed.findings.iter().filter(|it| it.level == Level::Error).collect();
                assert_eq!(why.len(), 1, "{}: {why:#?}", path.display());
                let known = ["contract.name", "contract.node-type", "contract.not-a-node"];
                assert!(known.contains(&why[0].rule_id), "{}: {why:#?}", path.display());
            }
        }
        let seen: BTreeSet<_> = parsed.findings.iter().map(|it| (it.level, it.rule_id)).collect();
        let unknown = seen.iter().find(|(_, id)| !lint::rules().any(|rule| rule.id == *id));
        assert_eq!(unknown, None, "{}: a finding of no rule", path.display());
        seen.into_iter().for_each(|it| *rules.entry(it).or_default() += 1);
    }
    eprintln!("{contracts} contracts of {} files; files by rule: {rules:#?}", all.len());
    assert!(contracts * 100 >= all.len() * PARSED_PERCENT_MIN, "{contracts} of {}", all.len());
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
        let fields = (contract.input.fields.len(), contract.output.fields.len());
        if !path.ends_with("nightly_reports_orchestrator.yaml") {
            // an event names its model alone, and the strict form has no place for fields
            let by_event = path.ends_with("publish_catalogue_effect.yaml");
            assert!(fields.0 >= 1 || by_event, "{}", path.display());
            assert!(fields.1 >= 2, "{}", path.display());
        }
        let all = contract.input.fields.iter().chain(&contract.output.fields);
        let unknown: Vec<_> =
            all.filter(|it| matches!(it.field_type, FieldType::Unknown(_))).collect();
        assert!(unknown.is_empty(), "{}: {unknown:#?}", path.display());
        *kinds.entry(contract.node_type).or_default() += 1;
    }
    assert_eq!(kinds, BTreeMap::from(NodeType::ALL.map(|kind| (kind, 6))));
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

#[test]
fn what_upstream_reads_as_yaml_is_read_as_yaml() {
    let Some(corpus) = corpus() else { return };
    let text = std::fs::read_to_string(corpus.join("verdicts.json")).unwrap();
    let verdicts: Json = serde_json::from_str(&text).unwrap();
    let mut checked = 0;
    for (name, verdict) in verdicts.as_object().unwrap() {
        let valid = verdict.pointer("/layers/yaml").and_then(Json::as_bool).unwrap();
        let parsed = parsed(&corpus.join(name));
        let refused = ["contract.yaml", "contract.encoding", "contract.multi-document"];
        let read = !parsed.findings.iter().any(|it| refused.contains(&it.rule_id));
        assert!(read || !valid, "{name}: {:#?}", parsed.findings);
        checked += 1;
    }
    assert!(checked >= 786, "{checked}");
}

/// The layers, their names in the verdicts of upstream's own tools, and how many of a thousand
/// files ours must say the same of.
const LAYERS: [(Layer, &str, usize); 5] = [
    (Layer::Yaml, "yaml", 990),
    (Layer::Structural, "structural", 990),
    (Layer::Minimal, "yaml_contract", 990),
    (Layer::Audit, "migration_audit", 950),
    (Layer::Strict, "strict", 950),
];

#[test]
fn layers_say_what_upstream_says_and_why() {
    let Some(corpus) = corpus() else { return };
    let text = std::fs::read_to_string(corpus.join("verdicts.json")).unwrap();
    let verdicts: Json = serde_json::from_str(&text).unwrap();
    let verdicts = verdicts.as_object().unwrap();
    let mut differences: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    let mut accepted: BTreeMap<&str, (usize, usize)> = BTreeMap::new();
    for (name, verdict) in verdicts {
        let bytes = std::fs::read(corpus.join(name)).unwrap();
        let parsed = parse_bytes(&bytes, name, &NoIncludes);
        let judgement = judge(&bytes, &parsed, name);
        let found = || parsed.findings.iter().chain(&judgement.findings);
        for layer in Layer::ALL {
            let explained = found().any(|it| explains(layer, it.rule_id));
            assert_ne!(judgement.verdicts.of(layer), explained, "{name}: {layer:?}");
        }
        for (layer, key, _) in LAYERS {
            let theirs = verdict["layers"][key].as_bool().unwrap();
            let ours = judgement.verdicts.of(layer);
            if ours != theirs {
                let why: Vec<_> = found().filter(|it| explains(layer, it.rule_id)).collect();
                let list = differences.entry(key).or_default();
                list.push(format!("{name}: ours says {ours}: {why:?}"));
            }
            let counts = accepted.entry(key).or_default();
            counts.0 += usize::from(theirs);
            counts.1 += usize::from(theirs && ours);
        }
    }
    eprintln!("{} files; accepted by upstream, by both: {accepted:?}", verdicts.len());
    eprintln!("differences: {differences:#?}");
    for (_, key, least) in LAYERS {
        let same = verdicts.len() - differences.get(key).map_or(0, Vec::len);
        assert!(same * 1000 >= verdicts.len() * least, "{key}: {same} of {}", verdicts.len());
        let (theirs, both) = accepted[key];
        assert_eq!(theirs, both, "{key}: ours refuses what upstream takes");
    }
}

#[test]
fn a_fixed_contract_says_the_same_without_the_fixed_findings() {
    let Some(corpus) = corpus() else { return };
    let (mut fixed_files, mut all) = (0, 0);
    for path in files(&corpus.join("real")) {
        let text = std::fs::read_to_string(&path).unwrap();
        let name = path.display().to_string();
        let parsed = parse(&text, &name, &NoIncludes);
        let fixed = fix(&text, &parsed, &name, &NoIncludes);
        let after = parse(&fixed.text, &name, &NoIncludes);
        let normal = |it: &Parsed| serde_json::to_value(&it.contract).unwrap();
        assert_eq!(normal(&parsed), normal(&after), "{name}");
        let again = fix(&fixed.text, &after, &name, &NoIncludes);
        assert_eq!(again.fixes, [], "{name}: fixed twice");
        let count = |parsed: &Parsed, id: &str| {
            let own = parsed.contract.iter().flat_map(|it| lint(it, &name));
            parsed.findings.iter().cloned().chain(own).filter(|it| it.rule_id == id).count()
        };
        for done in &fixed.fixes {
            let id = done.rule_id;
            assert!(count(&after, id) < count(&parsed, id), "{name}: {done:?} is still found");
        }
        fixed_files += usize::from(!fixed.fixes.is_empty());
        all += fixed.fixes.len();
    }
    eprintln!("{all} fixes in {fixed_files} files");
    assert!(all > 500, "{all}");
}

/// Where a value differs from a JSON Schema, by the words that ours uses.
fn differs(value: &Json, schema: &Json, root: &Json) -> bool {
    let Some(words) = schema.as_object() else { return schema == false };
    words.iter().any(|(word, wanted)| match (word.as_str(), wanted) {
        ("$schema" | "$defs" | "description" | "required" | "additionalProperties", _) => false,
        ("$ref", _) => {
            let path = wanted.as_str().unwrap().trim_start_matches('#');
            differs(value, root.pointer(path).unwrap(), root)
        }
        ("enum", _) => !wanted.as_array().unwrap().contains(value),
        ("minimum", _) => value.as_f64().is_some_and(|it| it < wanted.as_f64().unwrap()),
        ("items", _) => value.as_array().unwrap().iter().any(|it| differs(it, wanted, root)),
        ("prefixItems", _) => {
            let (all, wanted) = (value.as_array().unwrap(), wanted.as_array().unwrap());
            all.len() != wanted.len()
                || all.iter().zip(wanted).any(|(it, wanted)| differs(it, wanted, root))
        }
        ("anyOf" | "oneOf", _) => {
            let fits = wanted.as_array().unwrap().iter().filter(|it| !differs(value, it, root));
            fits.count() != 1
        }
        ("type", Json::Array(names)) => {
            !names.iter().any(|name| is_of_type(value, name.as_str().unwrap()))
        }
        ("type", name) => !is_of_type(value, name.as_str().unwrap()),
        ("properties", _) => {
            let (Some(map), Some(keys)) = (value.as_object(), wanted.as_object()) else {
                return true;
            };
            let required = words.get("required").and_then(Json::as_array);
            let asked = |key: &String| required.is_some_and(|it| it.iter().any(|it| it == key));
            keys.iter().any(|(key, it)| match map.get(key) {
                Some(value) => differs(value, it, root),
                None => asked(key),
            }) || map.keys().any(|key| !keys.contains_key(key))
        }
        (word, _) => panic!("the checker does not know {word}"),
    })
}

fn is_of_type(value: &Json, name: &str) -> bool {
    match name {
        "string" => value.is_string(),
        "integer" => value.is_u64() || value.is_i64(),
        "number" => value.is_number(),
        "boolean" => value.is_boolean(),
        "array" => value.is_array(),
        "object" => value.is_object(),
        "null" => value.is_null(),
        name => panic!("the checker does not know {name}"),
    }
}

#[test]
fn the_normal_form_fits_its_schema() {
    let schema = schema();
    let real = corpus().map(|it| files(&it.join("real"))).unwrap_or_default();
    let mut checked = 0;
    for path in sample_files().into_iter().chain(real) {
        let Some(contract) = parsed(&path).contract else { continue };
        let value = normal_form(&contract).unwrap();
        assert!(!differs(&value, &schema, &schema), "{}: {value:#}", path.display());
        let mut other = value.clone();
        other["input"]["surprise"] = true.into();
        assert!(differs(&other, &schema, &schema), "{}", path.display());
        checked += 1;
    }
    assert!(checked >= 8, "{checked}");
}

/// A text with some of its lines and characters changed, doubled or lost.
fn mutated(text: &str, edits: &[(u16, u8, u8)]) -> String {
    let mut chars: Vec<char> = text.chars().collect();
    for (place, what, with) in edits {
        let at = usize::from(*place) * chars.len() / (usize::from(u16::MAX) + 1);
        let end = (at + usize::from(*with)).min(chars.len());
        let sign = b"{}[]:-,&*!|>'\"%@`#?\t\n \0\\~<"[usize::from(*with) % 26] as char;
        match what % 6 {
            0 => chars.truncate(at),
            1 => drop(chars.drain(at..end)),
            2 => chars.insert(at, sign),
            3 => {
                let copy: Vec<char> = chars[at..end].to_vec();
                chars.splice(at..at, copy).for_each(drop);
            }
            4 if at < chars.len() => chars[at] = sign,
            _ => chars.insert(at, char::from_u32(u32::from(*with) * 97).unwrap_or('ü')),
        }
    }
    chars.into_iter().collect()
}

proptest::proptest! {
    #![proptest_config(proptest::prelude::ProptestConfig {
        failure_persistence: None,
        ..Default::default()
    })]

    #[test]
    fn no_mutation_of_a_contract_panics(
        which in 0_usize..8,
        edits in proptest::collection::vec(proptest::prelude::any::<(u16, u8, u8)>(), 1..6),
    ) {
        let files = sample_files();
        let text = mutated(&std::fs::read_to_string(&files[which]).unwrap(), &edits);
        let parsed = parse(&text, "m.yaml", &Folder(samples()));
        proptest::prop_assert!(parsed.contract.is_some() || parsed.has_errors());
        if let Some(contract) = &parsed.contract {
            for finding in parsed.findings.iter().chain(&lint(contract, "m.yaml")) {
                if finding.uri.as_deref() == Some("m.yaml") && let Some(span) = finding.span {
                    proptest::prop_assert!(text.get(span.start_byte..span.end_byte).is_some());
                    proptest::prop_assert!(span.start_line >= 1 && span.start_column >= 1);
                }
            }
        }
    }
}
