//! Generated packages: the real corpus comes to safe, parsing, deterministic packages, and
//! upstream's own checks accept them. The corpus is read from `GENSTORE_CORPUS`, the checks are the
//! script in `GENSTORE_ONEX_CHECK`; without them these tests say that they skip.
#![allow(clippy::unwrap_used, reason = "a test may fail loudly")]
#![allow(clippy::print_stderr, reason = "a skipped test says why")]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use genstore::contract::{self, Contract};
use genstore::finding::Level;
use genstore::generate::{Generated, Generator, TemplateGenerator};
use genstore::python;
use genstore::template::{Library, Variant};

/// A contract's own folder is where its includes are.
struct Beside(PathBuf);

impl contract::Includes for Beside {
    fn read(&self, path: &str) -> genstore::error::Result<String> {
        std::fs::read_to_string(self.0.join(path))
            .map_err(|source| genstore::error::Error::failed(path).with_source(source))
    }
}

fn contracts_below(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                if !path.ends_with("subcontracts") {
                    folders.push(path);
                }
            } else if path.extension().is_some_and(|it| it == "yaml" || it == "yml") {
                found.push(path);
            }
        }
    }
    found.sort();
    found
}

fn parse(path: &Path) -> Option<Contract> {
    let bytes = std::fs::read(path).unwrap();
    let beside = Beside(path.parent().unwrap().to_owned());
    contract::parse_bytes(&bytes, &path.to_string_lossy(), &beside).contract
}

fn generate(library: &Library, contract: &Contract) -> Generated {
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let set = library.select(contract);
    runtime.block_on(TemplateGenerator.generate(contract, &set)).unwrap()
}

fn corpus() -> Option<PathBuf> {
    let corpus = std::env::var_os("GENSTORE_CORPUS").map(PathBuf::from);
    if corpus.is_none() {
        eprintln!("skipped: GENSTORE_CORPUS is not set");
    }
    corpus
}

fn has_error(node: tree_sitter::Node<'_>) -> bool {
    node.has_error()
}

#[test]
fn every_real_contract_comes_to_a_safe_package() {
    let Some(corpus) = corpus() else { return };
    let library = Library::builtin().unwrap();
    let mut parser = tree_sitter::Parser::new();
    parser.set_language(&tree_sitter_python::LANGUAGE.into()).unwrap();
    let mut packages = 0;
    let mut rules: BTreeMap<(&str, Level), usize> = BTreeMap::new();
    let mut spent = std::time::Duration::ZERO;
    for folder in ["real", "invalid"] {
        for path in contracts_below(&corpus.join(folder)) {
            let Some(contract) = parse(&path) else { continue };
            let started = std::time::Instant::now();
            let made = generate(&library, &contract);
            spent += started.elapsed();
            assert_eq!(made, generate(&library, &contract), "{} twice", path.display());
            packages += 1;
            for finding in &made.findings {
                *rules.entry((finding.rule_id, finding.level)).or_default() += 1;
            }
            for file in &made.package.files {
                let place = format!("{} {}", path.display(), file.path);
                let safe = |part: &str| {
                    !part.is_empty()
                        && !part.starts_with('.')
                        && part.chars().all(|it| it.is_ascii_alphanumeric() || "_.".contains(it))
                };
                assert!(file.path.split('/').all(safe), "{place}");
                assert!(file.content.ends_with('\n'), "{place}");
                if file.path.ends_with(".py") {
                    let tree = parser.parse(&file.content, None).unwrap();
                    assert!(!has_error(tree.root_node()), "{place}\n{}", file.content);
                } else if file.path.ends_with(".yaml") {
                    let again = contract::parse(&file.content, &place, &contract::NoIncludes);
                    let again = again.contract.expect(&place);
                    assert_eq!(again.node_type, contract.node_type, "{place}");
                }
            }
        }
    }
    eprintln!("{packages} packages, {:?} each", spent / packages.max(1));
    for ((rule, level), count) in rules {
        eprintln!("{count:6} {level:8} {rule}");
    }
    assert!(packages >= 700);
}

/// Writes the packages, each below a folder of its own, and runs the script over them.
fn check(script: &Path, contracts: &[PathBuf]) -> String {
    check_all(script, contracts.iter().filter_map(|it| parse(it)))
}

fn check_all(script: &Path, contracts: impl Iterator<Item = Contract>) -> String {
    let scratch = tempfile::tempdir().unwrap();
    let out = std::env::var_os("GENSTORE_ONEX_OUT").map(PathBuf::from);
    let out = out.as_deref().unwrap_or(scratch.path());
    let library = Library::builtin().unwrap();
    for (at, contract) in contracts.enumerate() {
        let package = generate(&library, &contract).package;
        for file in package.files {
            let target = out.join(format!("p{at:04}")).join(&package.name).join(file.path);
            std::fs::create_dir_all(target.parent().unwrap()).unwrap();
            std::fs::write(target, file.content).unwrap();
        }
    }
    let output = std::process::Command::new("bash")
        .arg(script)
        .args(["check", "--jobs", "2"])
        .arg(out)
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    eprintln!("{text}{}", String::from_utf8_lossy(&output.stderr));
    text
}

fn script() -> Option<PathBuf> {
    let script = std::env::var_os("GENSTORE_ONEX_CHECK").map(PathBuf::from);
    if script.is_none() {
        eprintln!("skipped: GENSTORE_ONEX_CHECK is not set");
    }
    script
}

#[test]
fn packages_of_the_sample_contracts_pass_upstream() {
    let Some(script) = script() else { return };
    let samples = Path::new(env!("CARGO_MANIFEST_DIR")).join("data/contracts");
    let text = check(&script, &contracts_below(&samples));
    assert!(text.contains(" 0 failed"), "{text}");
}

/// What each variant is built around.
const MATTERS: [(&str, &[&str], &str); 5] = [
    ("plain", &["COMPUTE", "EFFECT", "REDUCER", "ORCHESTRATOR"], ""),
    (
        "fsm",
        &["REDUCER", "ORCHESTRATOR"],
        "state_machine: {initial_state: open, states: [open, closed], \
         transitions: [{from_state: open, to_state: closed, trigger: close}]}\n",
    ),
    (
        "workflow",
        &["ORCHESTRATOR"],
        "workflow: {steps: [{name: first, node_type: effect}, \
         {name: second, node_type: compute, depends_on: [first]}]}\n",
    ),
    (
        "io_operations",
        &["EFFECT"],
        "io_operations: [{operation: read_item, description: Reads it.}, {operation: write}]\n",
    ),
    (
        "event_driven",
        &["EFFECT", "ORCHESTRATOR"],
        "event_bus: {subscribe_topics: [onex.evt.shop.a-changed.v1, onex.evt.shop.a-gone.v1]}\n",
    ),
];

const MIXINS: [&str; 6] = [
    "caching: {ttl_seconds: 60}\n",
    "retry_policy: {max_retries: 2, base_delay_ms: 50}\n",
    "circuit_breaker: {failure_threshold: 4}\n",
    "health_check: {enabled: true}\n",
    "metrics: {enabled: true}\n",
    "transaction_management: {enabled: true}\n",
];

/// Fields of every type, with bounds, defaults, and names that Python cannot have.
const FIELDS: &str = "inputs:\n  item_id: {type: uuid}\n  at: {type: datetime, required: false}\n  \
    class: {type: str, default: a}\n  amount: {type: int, minimum: 1, maximum: 9, default: 2}\n  \
    tags: {type: 'list[str]', default: []}\n  part: {$ref: '#/definitions/ModelPart'}\n  \
    mood: {type: enum, values: [calm, wild], default: calm}\n\
    outputs: {item_id: {type: uuid}, state: {type: str}, total: {type: int, minimum: 0}}\n\
    definitions: {ModelPart: {type: object, required: [name], \
    properties: {name: {type: string}, size: {type: integer}}}}\nerror_codes: [FIRST, SECOND]\n";

/// Every variant of every kind, without mixins, with each and with all, with fields and without;
/// under long names, which lines must be broken for.
fn matrix() -> Vec<Contract> {
    let all = MIXINS.concat();
    let mixins: Vec<&str> = ["", all.as_str()].into_iter().chain(MIXINS).collect();
    let mut contracts = Vec::new();
    for (variant, kinds, matter) in MATTERS {
        for kind in kinds {
            for (at, mixin) in mixins.iter().enumerate() {
                for (form, fields) in [("full", FIELDS), ("bare", "")] {
                    let lower = kind.to_lowercase();
                    let name = format!("node_{variant}_around_everything_{at}_{form}_{lower}");
                    let head = "contract_version: {major: 1, minor: 0, patch: 0}\n\
                                description: Tries out templates.\n";
                    let text = format!(
                        "name: {name}\nnode_type: {kind}_GENERIC\n{head}{fields}{matter}{mixin}"
                    );
                    let parsed = contract::parse(&text, &name, &contract::NoIncludes);
                    let contract = parsed.contract.unwrap();
                    assert_eq!(Variant::of(&contract).as_str(), variant, "{name}");
                    contracts.push(contract);
                }
            }
        }
    }
    contracts
}

#[test]
fn every_variant_and_mixin_parses() {
    let library = Library::builtin().unwrap();
    let contracts = matrix();
    assert_eq!(contracts.len(), 160);
    for contract in contracts {
        for file in generate(&library, &contract).package.files {
            if file.path.ends_with(".py") {
                let problems = python::parse(&file.content).problems;
                assert!(problems.is_empty(), "{} {problems:?}\n{}", file.path, file.content);
            }
        }
    }
}

#[test]
#[ignore = "minutes: every variant with every mixin"]
fn packages_of_every_variant_and_mixin_pass_upstream() {
    let Some(script) = script() else { return };
    let text = check_all(&script, matrix().into_iter());
    assert!(text.contains(" 0 failed") && !text.contains("note "), "{text}");
}

#[test]
#[ignore = "minutes: all packages of the real corpus"]
fn packages_of_the_real_contracts_pass_upstream() {
    let (Some(script), Some(corpus)) = (script(), corpus()) else { return };
    let text = check(&script, &contracts_below(&corpus.join("real")));
    let failed = text.lines().filter(|line| line.contains("FAIL")).count();
    assert!(failed <= 35, "more than one in twenty fails");
}
