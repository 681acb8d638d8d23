//! The six validators over a package without fault, over faults with the line of each, and over
//! code that only looks faulty.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::print_stderr,
    reason = "a test fails by panicking and says when it is skipped"
)]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use genstore::contract::include::NoIncludes;
use genstore::contract::model::{Action, Contract, NodeType};
use genstore::contract::parse::{parse, parse_bytes};
use genstore::finding::{Finding, Level};
use genstore::generate::{Generator, TemplateGenerator};
use genstore::template::Library;
use genstore::template::package::{FileKind, Package, PackageFile};
use genstore::validate::{Check, Subject, Verdict, Weights, fingerprint, validators};
use proptest::prelude::*;

/// The quality score under the weights that nobody changed.
fn quality_score(verdicts: &[Verdict]) -> f64 {
    genstore::validate::quality_score(verdicts, &Weights::default())
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/validate")
}

fn kind_of(path: &str) -> FileKind {
    match path.split('/').next() {
        _ if path.ends_with("__init__.py") => FileKind::Package,
        Some("contract.yaml") => FileKind::Contract,
        Some("models") => FileKind::Model,
        Some("enums") => FileKind::Enum,
        Some("handlers") => FileKind::Handler,
        Some("tests") => FileKind::Test,
        _ => FileKind::Node,
    }
}

fn collect(root: &Path, folder: &Path, files: &mut Vec<PackageFile>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.strip_prefix(root).unwrap().to_str().unwrap().to_owned();
        if path.is_dir() {
            if !name.contains("__pycache__") {
                collect(root, &path, files);
            }
        } else if name.ends_with(".py") || name.ends_with(".yaml") {
            let content = std::fs::read_to_string(&path).unwrap();
            files.push(PackageFile { kind: kind_of(&name), path: name, content });
        }
    }
}

/// A package on disk with its contract.
fn load(root: &Path) -> (Contract, Package) {
    let mut files = Vec::new();
    collect(root, root, &mut files);
    files.sort_by(|a, b| a.path.cmp(&b.path));
    let text = &files.iter().find(|file| file.path == "contract.yaml").unwrap().content;
    let contract = parse(text, "contract.yaml", &NoIncludes).contract.unwrap();
    let name = root.file_name().unwrap().to_str().unwrap().to_owned();
    (contract, Package { name, files })
}

fn judge(contract: Contract, package: Package, generated: Vec<Finding>) -> Vec<Verdict> {
    let subject = Arc::new(Subject::new(Arc::new(contract), Arc::new(package), generated));
    // as the pipeline does it: all at once on one subject
    std::thread::scope(|scope| {
        let subject = &subject;
        let running: Vec<_> = validators()
            .iter()
            .map(|validator| scope.spawn(move || validator.validate(subject)))
            .collect();
        running.into_iter().map(|it| it.join().unwrap()).collect()
    })
}

fn lines_of(verdicts: &[Verdict]) -> Vec<String> {
    let findings = verdicts.iter().flat_map(|verdict| &verdict.findings);
    findings
        .map(|it| {
            let line = it.span.map_or(0, |span| span.start_line);
            format!("{}:{line} {} {}", it.uri.as_deref().unwrap_or("-"), it.rule_id, it.message)
        })
        .collect()
}

/// A case: the clean package with one file replaced; `#!` marks the lines that rules must find.
/// A mark in the first line also stands for findings about the whole file.
fn check_case(name: &str, text: &str) -> Option<String> {
    let (mut contract, mut package) = load(&folder().join("order"));
    let head = text.lines().next().unwrap();
    let path = head.strip_prefix("# place: ").unwrap().split_whitespace().next().unwrap();
    if text.contains("# kind: effect") {
        contract.node_type = NodeType::Effect;
    }
    let plain = |line: &str| format!("{}\n", line.split("  #! ").next().unwrap());
    let content = text.lines().map(plain).collect();
    let case = PackageFile { path: path.into(), kind: kind_of(path), content };
    match package.files.iter_mut().find(|file| file.path == path) {
        Some(file) => *file = case,
        None => package.files.push(case),
    }
    let mut expected = Vec::new();
    for (number, line) in (1u32..).zip(text.lines()) {
        let marked = line.split_once("#! ").map_or("", |(_, rules)| rules);
        expected.extend(marked.split_whitespace().map(|rule| (number, rule.to_owned())));
    }
    let verdicts = judge(contract, package, Vec::new());
    let mut found: Vec<(u32, String)> = verdicts
        .iter()
        .flat_map(|verdict| &verdict.findings)
        .filter(|it| it.uri.as_deref() == Some(path))
        .map(|it| (it.span.map_or(1, |span| span.start_line), it.rule_id.to_owned()))
        .collect();
    expected.sort();
    found.sort();
    let said = lines_of(&verdicts).join("\n");
    (found != expected).then(|| format!("{name}: found {found:?}\nexpected {expected:?}\n{said}\n"))
}

#[test]
fn every_fault_is_found_in_its_line_and_nothing_else() {
    let mut cases: Vec<PathBuf> = std::fs::read_dir(folder().join("cases"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    cases.sort();
    let wrong: Vec<String> = cases
        .iter()
        .filter_map(|case| {
            let name = case.file_name().unwrap().to_str().unwrap();
            check_case(name, &std::fs::read_to_string(case).unwrap())
        })
        .collect();
    assert!(cases.len() >= 10 && wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn a_package_without_fault_has_full_scores() {
    let (contract, package) = load(&folder().join("order"));
    // EMPTY_ORDER is in the package's contract, so nothing is missing
    let verdicts = judge(contract, package, Vec::new());
    assert_eq!(lines_of(&verdicts), Vec::<String>::new());
    assert!(verdicts.iter().all(|it| it.score == 100.0));
    assert_eq!(quality_score(&verdicts), 100.0);
}

/// Other packages that are known to be good can be named by their common folder.
#[test]
fn packages_known_to_be_good_score_well() {
    let Some(examples) = std::env::var_os("GENSTORE_EXAMPLES") else {
        eprintln!("skipped: GENSTORE_EXAMPLES does not name a folder of good packages");
        return;
    };
    for entry in std::fs::read_dir(examples).unwrap() {
        let path = entry.unwrap().path();
        let (contract, package) = load(&path);
        let verdicts = judge(contract, package, Vec::new());
        assert_eq!(lines_of(&verdicts), Vec::<String>::new(), "{}", path.display());
        assert!(quality_score(&verdicts) >= 95.0);
    }
}

#[test]
fn generator_findings_pass_once_through_their_validator() {
    let (contract, package) = load(&folder().join("order"));
    let scaffold = Finding::new("completeness.scaffold", Level::Note, "`handle` is a scaffold");
    let unknown = Finding::new("correctness.unknown-type", Level::Note, "`x` has no type");
    let verdicts = judge(contract, package, vec![scaffold.clone(), unknown.clone()]);
    let foreign = Finding::new("model.refusal", Level::Note, "the model refused");
    let (contract, package) = load(&folder().join("order"));
    let others = judge(contract, package, vec![foreign.clone()]);
    assert_eq!(others.iter().flat_map(|it| it.findings.clone()).collect::<Vec<_>>(), [foreign]);
    let by_name: BTreeMap<_, _> = verdicts.iter().map(|it| (it.validator, it)).collect();
    assert_eq!(by_name["completeness"].findings, [scaffold]);
    assert_eq!(by_name["correctness"].findings, [unknown]);
    assert_eq!(by_name["completeness"].score, 99.0);
    assert_eq!(by_name["completeness"].explanation, "100 − 1.0 completeness.scaffold = 99.0");
    assert!((quality_score(&verdicts) - 99.55).abs() < 1e-9);
}

#[test]
fn a_syntax_error_makes_the_run_worth_nothing() {
    let (contract, mut package) = load(&folder().join("order"));
    package.files.iter_mut().find(|it| it.path == "node.py").unwrap().content.push_str("def (:\n");
    let verdicts = judge(contract, package, Vec::new());
    assert_eq!(quality_score(&verdicts), 0.0);
    assert_eq!(quality_score(&[]), 0.0);
    let without: Vec<Verdict> =
        verdicts.into_iter().filter(|it| it.validator != "correctness").collect();
    assert!(quality_score(&without) > 90.0, "a missing verdict is left out of the mean");
}

#[test]
fn what_the_contract_promises_and_the_package_lacks_is_found() {
    let (mut contract, mut package) = load(&folder().join("order"));
    let text = "
name: node_order_reducer
node_type: REDUCER_GENERIC
contract_version: {major: 1, minor: 0, patch: 0}
error_codes: [LATE_ORDER]
state_machine:
  state_machine_name: order
  initial_state: open
  states:
    - {state_name: open}
    - {state_name: paid}
  transitions:
    - {transition_name: pay, from_state: open, to_state: paid, trigger: pay}
workflow_coordination:
  workflow_definition:
    execution_graph:
      nodes:
        - {node_id: ship, node_type: effect}
";
    let other = parse(text, "contract.yaml", &NoIncludes).contract.unwrap();
    contract.state_machine = other.state_machine;
    contract.workflow = other.workflow;
    contract.error_codes.extend(other.error_codes);
    contract.actions.push(Action { name: "refund".into(), description: None, span: None });
    package.files.retain(|it| {
        !matches!(it.path.as_str(), "tests/test_order.py" | "models/__init__.py" | "__init__.py")
    });
    let verdicts = judge(contract, package, Vec::new());
    let found: Vec<&str> = verdicts[0].findings.iter().map(|it| it.message.as_str()).collect();
    assert_eq!(
        found,
        [
            "the package has no `__init__.py`",
            "the state machine `order` of the contract is missing, with 2 states and 1 transitions",
            "the workflow step `ship` of the contract is missing",
            "the action `refund` of the contract is missing",
            "the error code `LATE_ORDER` of the contract is missing",
            "the package has no test",
            "the folder `models` has no `__init__.py`",
        ]
    );
}

#[test]
fn lengths_and_shares_are_held_against_their_limits() {
    let rules = |text: &str| {
        let subject = Subject::file("a.py", text.to_owned());
        let all = validators().iter().flat_map(|it| it.validate(&subject).findings);
        let of_quality = all.filter(|it| it.rule_id.starts_with("quality."));
        of_quality.map(|it| it.rule_id).collect::<Vec<_>>()
    };
    let body = |lines: usize| (0..lines).map(|at| format!("    print({at})\n")).collect::<String>();
    let poor = format!("def f(a, b):\n{}", body(51));
    let wanted =
        ["quality.function-length", "quality.documentation", "quality.type-coverage"].as_slice();
    let found = rules(&poor);
    assert!(found.len() == 3 && wanted.iter().all(|it| found.contains(it)), "{found:?}");
    let head = "\"\"\"About.\"\"\"\n\n\ndef f(a: int, b: int) -> None:\n    \"\"\"Do.\"\"\"\n";
    assert_eq!(rules(&format!("{head}{}", body(49))), Vec::<&str>::new());
}

/// Texts that no generator writes, but a model may: none may panic or take long.
#[test]
fn hostile_texts_are_judged_too() {
    let deep_brackets = format!("x = {}1{}\n", "(".repeat(20_000), ")".repeat(20_000));
    let deep_sum = format!("x = 1{}\n", " + 1".repeat(20_000));
    let deep_blocks: String =
        (0..200).map(|depth| format!("{}if x:\n", " ".repeat(depth))).collect();
    let texts = [
        "",
        "\n",
        "\u{feff}x = 1\n",
        "\0",
        "é = 'ü' ; \"\u{1f600}",
        "\r\n\r\n",
        "def",
        "class",
        "f'{",
        "'''",
        "match x:\n case _",
        "import",
        "from . import",
        "@",
        "lambda: (yield)\n",
        "x = f'{a!r:{b}}'\n",
        "print(*a, **b)\n",
        "async def f(): return [x async for x in y]\n",
        deep_brackets.as_str(),
        deep_sum.as_str(),
        deep_blocks.as_str(),
    ];
    for text in texts {
        let (contract, mut package) = load(&folder().join("order"));
        package.files.iter_mut().find(|it| it.path == "node.py").unwrap().content = text.into();
        let verdicts = judge(contract, package, Vec::new());
        assert!(verdicts.iter().all(|it| (0.0..=100.0).contains(&it.score)));
    }
}

/// Code that has most of what Python knows, to be spoilt.
const MUTATED: [&str; 4] = [
    include_str!("validate/cases/fine.py"),
    include_str!("validate/cases/security.py"),
    include_str!("validate/cases/results.py"),
    include_str!("python/measured.py"),
];

/// What a mutation puts in: signs on which a parser or a rule may stumble.
const SIGNS: [&str; 20] = [
    "(", ")", "[", "]", "{", "}", "'", "\"\"\"", "f'{", "\\", ":", "#", "# noqa:", "\n", "\t",
    "\0", "é", "\u{2028}", "def ", "await ",
];

fn judge_file(text: String) {
    let subject = Subject::file("nodes/node_a/models/model_a.py", text);
    for validator in validators() {
        let verdict = validator.validate(&subject);
        assert!((0.0..=100.0).contains(&verdict.score));
        for finding in &verdict.findings {
            drop(fingerprint(finding));
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(150))]

    #[test]
    fn arbitrary_texts_are_judged(bytes in prop::collection::vec(any::<u8>(), 0..2_000)) {
        judge_file(String::from_utf8_lossy(&bytes).into_owned());
    }

    #[test]
    fn spoilt_python_is_judged(
        which in 0_usize..4,
        spoilt in prop::collection::vec(
            (any::<prop::sample::Index>(), 0_usize..20, 0_usize..9),
            1..6,
        ),
    ) {
        let mut chars: Vec<char> = MUTATED[which].chars().collect();
        for (at, sign, gone) in spoilt {
            let at = at.index(chars.len() + 1);
            let end = (at + gone).min(chars.len());
            chars.splice(at..end, SIGNS[sign].chars());
        }
        judge_file(chars.into_iter().collect());
    }
}

#[test]
fn rules_are_named_after_their_validator_and_only_once() {
    let mut ids = Vec::new();
    for validator in validators() {
        for rule in validator.rules() {
            assert_eq!(rule.id.split('.').next(), Some(validator.name()));
            assert!(!rule.summary.is_empty() && rule.why.ends_with('.'), "{}", rule.id);
            ids.push(rule.id);
        }
        let own = validator.rules().iter().filter(|it| !matches!(it.check, Check::Generator));
        assert!(own.count() >= 4, "{} has a handful of rules", validator.name());
    }
    let names: Vec<_> = validators().iter().map(|it| it.name()).collect();
    let all = ["completeness", "correctness", "compliance", "quality", "performance", "security"];
    assert_eq!(names, all);
    let count = ids.len();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), count);
    let finding = Finding::new("security.exec", Level::Error, "x");
    assert_eq!(fingerprint(&finding), fingerprint(&finding.clone()));
}

#[test]
fn a_state_or_transition_that_the_code_leaves_out_is_named() {
    let (mut contract, mut package) = load(&folder().join("order"));
    let text = "
name: node_order_reducer
node_type: REDUCER_GENERIC
contract_version: {major: 1, minor: 0, patch: 0}
state_machine:
  state_machine_name: order
  initial_state: open
  states: [{state_name: open}, {state_name: paid}, {state_name: lost}]
  transitions:
    - {transition_name: pay, from_state: open, to_state: paid, trigger: pay}
    - {transition_name: undo, from_state: paid, to_state: open, trigger: undo}
";
    contract.state_machine =
        parse(text, "contract.yaml", &NoIncludes).contract.unwrap().state_machine;
    let handler = package.files.iter_mut().find(|it| it.path.ends_with("handler_order.py"));
    handler.unwrap().content.push_str(
        "\n\nEDGES = [{\"from_state\": \"open\", \"to_state\": \"paid\", \"trigger\": \"pay\"}]\n",
    );
    let verdicts = judge(contract, package, Vec::new());
    let found: Vec<&str> = verdicts[0].findings.iter().map(|it| it.message.as_str()).collect();
    assert_eq!(
        found,
        [
            "the state `lost` of the contract is missing",
            "the transition `paid` → `open` of the contract is missing",
        ]
    );
}

fn contracts_below(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            contracts_below(&path, found);
        } else if path.extension().is_some_and(|it| it == "yaml") {
            found.push(path);
        }
    }
}

/// What the template backend makes of the sample contracts, and of the real ones where
/// `GENSTORE_CORPUS` names them, has no error; of the samples not even a warning.
#[test]
fn generated_packages_score_well() {
    let samples = Path::new(env!("CARGO_MANIFEST_DIR")).join("data/contracts");
    let mut paths = Vec::new();
    contracts_below(&samples, &mut paths);
    match std::env::var_os("GENSTORE_CORPUS") {
        Some(corpus) => contracts_below(&Path::new(&corpus).join("real"), &mut paths),
        None => eprintln!("the samples alone: GENSTORE_CORPUS is not set"),
    }
    let library = Library::builtin().unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let mut judged = 0;
    for path in paths {
        let parsed = parse_bytes(&std::fs::read(&path).unwrap(), "contract.yaml", &NoIncludes);
        let Some(contract) = parsed.contract else { continue };
        let set = library.select(&contract);
        let made = runtime.block_on(TemplateGenerator.generate(&contract, &set)).unwrap();
        let verdicts = judge(contract, made.package, made.findings);
        let worst = verdicts.iter().flat_map(|it| &it.findings).map(|it| it.level).max();
        let limit = if path.starts_with(&samples) { Level::Note } else { Level::Warning };
        let quality = quality_score(&verdicts);
        assert!(
            worst <= Some(limit) && quality >= 90.0,
            "{} has {quality:.1}:\n{}",
            path.display(),
            lines_of(&verdicts).join("\n")
        );
        judged += 1;
    }
    assert!(judged >= 8, "the samples are judged");
}
