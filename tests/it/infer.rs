//! Contracts out of Python and out of words: a generated package says the same in its code as in
//! its contract, a drafted contract comes to a package that passes, and nothing that is no node
//! makes either of them fall.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test may fail loudly")]
#![allow(clippy::print_stderr, reason = "a skipped test says why")]

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::Arc;

use genstore::contract::draft::{Wish, draft};
use genstore::contract::infer::{Options, PackageFiles, infer};

use genstore::contract::write::Form;
use genstore::contract::{self, Contract, NoIncludes, NodeType, parse};
use genstore::error::{Error, Result};
use genstore::finding::Level;

use genstore::generate::{Generated, Generator, TemplateGenerator};
use genstore::template::{Library, Package};
use genstore::validate::{Subject, validators};

use serde_json::Value;

/// A package that lies nowhere.
struct InMemory<'a>(&'a Package);

impl PackageFiles for InMemory<'_> {
    fn paths(&self) -> Vec<String> {
        self.0.files.iter().map(|it| it.path.clone()).filter(|it| it.ends_with(".py")).collect()
    }

    fn read(&self, path: &str, _: u64) -> Result<Vec<u8>> {
        let file = self.0.files.iter().find(|it| it.path == path);
        file.map(|it| it.content.clone().into_bytes()).ok_or_else(|| Error::failed("no such file"))
    }
}

/// A contract's own folder is where its includes are.
struct Beside(PathBuf);

impl contract::Includes for Beside {
    fn read(&self, path: &str) -> Result<String> {
        std::fs::read_to_string(self.0.join(path))
            .map_err(|source| Error::failed(path).with_source(source))
    }
}

fn below(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() && !path.ends_with("subcontracts") {
            found.extend(below(&path));
        } else if path.extension().is_some_and(|it| it == "yaml") {
            found.push(path);
        }
    }
    found.sort();
    found
}

fn read(path: &Path) -> Option<Contract> {
    let bytes = std::fs::read(path).unwrap();
    let beside = Beside(path.parent().unwrap().to_owned());
    contract::parse_bytes(&bytes, &path.to_string_lossy(), &beside).contract
}

fn generate(library: &Library, contract: &Contract) -> Generated {
    let set = library.select(contract);
    futures::executor::block_on(TemplateGenerator.generate(contract, &set)).unwrap()
}

/// What code has no place for: topics, which upstream forbids there, and the neutral algorithm and
/// time limit that upstream's typed models ask every contract for.
const NOT_IN_CODE: [&str; 5] =
    ["subscribe_topics", "publish_topics", "event_bus", "compute", "single_operation_max_ms"];

fn normal(contract: &Contract) -> Value {
    let mut value = serde_json::to_value(contract).unwrap();
    let map = value.as_object_mut().unwrap();
    for key in NOT_IN_CODE {
        map.remove(key);
    }
    value
}

/// Where two values differ.
fn differences(own: &Value, other: &Value, path: &str, found: &mut Vec<String>) {
    match (own, other) {
        (Value::Object(a), Value::Object(b)) if a.keys().eq(b.keys()) => {
            a.iter()
                .for_each(|(key, it)| differences(it, &b[key], &format!("{path}.{key}"), found));
        }
        (Value::Array(a), Value::Array(b)) if a.len() == b.len() => {
            let pairs = a.iter().zip(b).enumerate();
            pairs.for_each(|(at, (a, b))| differences(a, b, &format!("{path}[{at}]"), found));
        }
        _ if own == other => {}
        _ => found.push(format!("{path}: {own} in the contract, {other} in the code")),
    }
}

/// Generates the package, infers its contract, and tells where it differs from the package's own.
fn round_trip(library: &Library, contract: &Contract) -> Vec<String> {
    let package = generate(library, contract).package;
    let own = package.files.iter().find(|it| it.path == "contract.yaml").unwrap();
    let own = parse(&own.content, "contract.yaml", &NoIncludes).contract.unwrap();
    let options = Options { class: None, folder: Some(&package.name) };
    let made = match infer("node.py", &InMemory(&package), &options) {
        Ok(made) => made,
        Err(finding) => return vec![format!("nothing inferred: {}", finding.message)],
    };
    let again = infer("node.py", &InMemory(&package), &options).unwrap();
    assert_eq!(made.text, again.text, "{} twice", package.name);
    let mut found = Vec::new();
    differences(&normal(&own), &normal(&made.contract), "", &mut found);
    found
}

#[test]
fn the_code_of_a_sample_says_what_its_contract_says() {
    let library = Library::builtin().unwrap();
    let samples = below(&Path::new(env!("CARGO_MANIFEST_DIR")).join("data/contracts"));
    let mut told = String::new();
    for path in &samples {
        for it in round_trip(&library, &read(path).unwrap()) {
            writeln!(told, "{}{it}", path.file_stem().unwrap().to_string_lossy()).unwrap();
        }
    }
    assert!(told.is_empty(), "\n{told}");
    assert!(samples.len() >= 24, "{}", samples.len());
}

#[test]
fn the_code_of_every_real_contract_says_what_its_contract_says() {
    let Some(corpus) = std::env::var_os("GENSTORE_CORPUS").map(PathBuf::from) else {
        eprintln!("skipped: GENSTORE_CORPUS is not set");
        return;
    };
    let library = Library::builtin().unwrap();
    let mut packages = 0;
    let mut different: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for path in below(&corpus.join("real")) {
        let Some(contract) = read(&path) else { continue };
        packages += 1;
        let found = round_trip(&library, &contract);
        if !found.is_empty() {
            different.insert(path.display().to_string(), found);
        }
    }
    eprintln!("{packages} packages, {} differ: {different:#?}", different.len());
    assert!(different.len() * 100 <= packages, "{} of {packages} differ", different.len());
}

#[test]
fn the_package_of_a_draft_passes_all_validators_and_says_what_its_contract_says() {
    let library = Library::builtin().unwrap();
    let tasks = [
        "Fetch exchange rates for a currency and return a list of rates and the fetch time",
        "Track an order from open through paid to closed by order id",
        "Score an application of a customer, then notify the customer and archive the file",
        "Validate whether an address is deliverable, with `postal_code` and country",
        "価格",
    ];
    for task in tasks {
        for kind in NodeType::ALL {
            for form in [Form::Current, Form::Original] {
                let made = draft(task, &Wish { node_type: Some(kind), form, name: None }).unwrap();
                let generated = generate(&library, &made.contract);
                let package = Arc::new(generated.package.clone());
                let subject =
                    Subject::new(Arc::new(made.contract.clone()), package, generated.findings);
                for validator in validators() {
                    let verdict = validator.validate(&subject);
                    let bad: Vec<_> =
                        verdict.findings.iter().filter(|it| it.level > Level::Note).collect();
                    assert!(bad.is_empty(), "{task} {kind:?}: {bad:?}");
                }
                let found = round_trip(&library, &made.contract);
                assert!(found.is_empty(), "{task} {kind:?}: {found:?}");
            }
        }
    }
}

fn run(folder: &Path, args: &[&str], input: &str) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_genstore"));
    command.args(args).current_dir(folder).env_clear();
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    // a program that reads nothing may be gone already
    drop(std::io::Write::write_all(&mut child.stdin.take().unwrap(), input.as_bytes()));
    child.wait_with_output().unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[test]
fn the_program_writes_a_set_of_files_and_never_over_others() {
    let scratch = tempfile::tempdir().unwrap();
    let folder = scratch.path();
    let task = "Fetch exchange rates for a currency";
    let new = ["contract", "new", task, "--type", "EFFECT", "--out", "set"];
    let first = run(folder, &new, "");
    assert_eq!(first.status.code(), Some(0), "{}", text(&first.stderr));
    let told = text(&first.stdout);
    for part in ["accepted by:", "complexity:", "recommended:", "set/schemas/input.schema.json"] {
        assert!(told.contains(part), "{told}");
    }
    for path in ["contract.yaml", "error_codes.yaml", "schemas/shared.schema.json"] {
        assert!(folder.join("set").join(path).is_file(), "{path}");
    }
    let schema = std::fs::read(folder.join("set/schemas/output.schema.json")).unwrap();
    let schema: Value = serde_json::from_slice(&schema).unwrap();
    assert_eq!(schema["properties"]["exchange_rates"]["items"]["type"], "number", "{schema}");
    assert_eq!(run(folder, &new, "").status.code(), Some(0), "the same again");
    std::fs::write(folder.join("set/error_codes.yaml"), "mine: true\n").unwrap();
    let refused = run(folder, &new, "");
    assert_eq!(refused.status.code(), Some(1), "{}", text(&refused.stdout));
    assert!(text(&refused.stderr).contains("--overwrite"), "{}", text(&refused.stderr));
    let overwritten = run(folder, &[&new[..], &["--overwrite"]].concat(), "");
    assert_eq!(overwritten.status.code(), Some(0), "{}", text(&overwritten.stderr));
    let lint = run(folder, &["contract", "lint", "set/contract.yaml", "--profile", "minimal"], "");
    assert_eq!((lint.status.code(), text(&lint.stdout)), (Some(0), String::new()));
    let made = run(folder, &["contract", "new", "-", "--format", "json", "--form", "v2"], task);
    let value: Value = serde_json::from_slice(&made.stdout).unwrap();
    assert_eq!(value["contract"]["node_type"], "EFFECT");
    assert!(value["accepted_by"].as_array().unwrap().contains(&"v2".into()), "{value:#}");
    let nothing = run(folder, &["contract", "new", " "], "");
    assert_eq!(nothing.status.code(), Some(1));
    assert!(text(&nothing.stderr).contains("the task says nothing"), "{}", text(&nothing.stderr));
}

#[test]
fn the_program_reads_a_package_from_its_folder_or_any_of_its_files() {
    let scratch = tempfile::tempdir().unwrap();
    let folder = scratch.path();
    let sample =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("data/contracts/price_order_compute.yaml");
    let package = generate(&Library::builtin().unwrap(), &read(&sample).unwrap()).package;
    for file in &package.files {
        let path = folder.join(&package.name).join(&file.path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, &file.content).unwrap();
    }
    let whole = run(folder, &["contract", "infer", &package.name], "");
    assert_eq!(whole.status.code(), Some(0), "{}", text(&whole.stderr));
    let contract = text(&whole.stdout);
    assert!(contract.contains("name: node_price_order_compute\n"), "{contract}");
    assert!(contract.starts_with("---\nname:") && whole.stderr.is_empty(), "{contract}");
    let node = format!("{}/node.py", package.name);
    assert_eq!(text(&run(folder, &["contract", "infer", &node], "").stdout), contract);
    let handler = format!("{}/handlers/handler_price_order.py", package.name);
    let part = text(&run(folder, &["contract", "infer", &handler], "").stdout);
    assert!(part.contains("unit_price_minor:"), "{part}");
    let inside = run(&folder.join(&package.name), &["contract", "infer", "."], "");
    assert_eq!(text(&inside.stdout), contract, "{}", text(&inside.stderr));
    std::fs::write(folder.join("big.py"), "x = 1\n".repeat(4 << 20)).unwrap();
    std::fs::write(folder.join("latin.py"), b"x = '\xe9'\n").unwrap();
    std::fs::write(folder.join("prose.py"), "this is no python\n").unwrap();
    let table = [
        ("big.py", "4 MiB"),
        ("latin.py", "not UTF-8"),
        ("prose.py", "no Python 3"),
        ("missing.py", "there is no file"),
        (".", "there is no node.py"),
    ];
    for (path, message) in table {
        let refused = run(folder, &["contract", "infer", path], "");
        assert_eq!(refused.status.code(), Some(1), "{path}: {}", text(&refused.stderr));
        assert!(text(&refused.stderr).contains(message), "{path}: {}", text(&refused.stderr));
        assert!(refused.stdout.is_empty(), "{path}");
    }
}
