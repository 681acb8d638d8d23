//! Contracts that are meant to hurt: each ends soon, with a finding that says what is wrong.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

use genstore::contract::schema::normal_form;
use genstore::contract::{
    Includes, Judgement, NoIncludes, Parsed, diff, fix, judge, lint, parse_bytes,
};
use genstore::error::{Error, Result};
use genstore::finding::Level;

const HEAD: &str = "name: node_a_reducer\nnode_type: REDUCER_GENERIC\ncontract_version: {major: 1, \
                    minor: 0, patch: 0}\ndescription: Hurts nobody.\n";

/// Everything that is ever done to a contract.
fn all_of(bytes: &[u8], includes: &dyn Includes) -> (Parsed, Judgement) {
    let mut parsed = parse_bytes(bytes, "bad.yaml", includes);
    let judgement = judge(bytes, &parsed, "bad.yaml");
    if let Some(contract) = &parsed.contract {
        parsed.findings.extend(lint(contract, "bad.yaml"));
        assert!(diff(contract, contract).changes.is_empty());
        normal_form(contract).unwrap();
    }
    if let Ok(text) = std::str::from_utf8(bytes) {
        let fixed = fix(text, &parsed, "bad.yaml", includes);
        assert!(fixed.text.len() >= text.len() / 2);
    }
    (parsed, judgement)
}

fn refused(bytes: &[u8], rule_id: &str) {
    let (parsed, judgement) = all_of(bytes, &NoIncludes);
    let found = parsed.findings.iter().find(|it| it.rule_id == rule_id);
    let found = found.unwrap_or_else(|| panic!("{rule_id}: {:#?}", parsed.findings));
    assert_eq!(found.level, Level::Error, "{found:?}");
    assert!(parsed.contract.is_none() && !judgement.verdicts.yaml, "{rule_id}");
}

#[test]
fn what_is_no_text_is_refused_with_its_place() {
    refused(b"name: \xff\xfe\n", "contract.encoding");
    refused(b"name: a\0b\n", "contract.encoding");
    refused("\u{feff}".as_bytes(), "contract.empty");
    refused(b"# nothing\n", "contract.empty");
}

#[test]
fn half_a_megabyte_of_nesting_is_refused() {
    refused(format!("{HEAD}a: {}", "[".repeat(500_000)).as_bytes(), "contract.too-large");
    refused(format!("{HEAD}a: {}", "{a: ".repeat(125_000)).as_bytes(), "contract.too-large");
    let dashes = (0..700).map(|n| format!("{}-\n", " ".repeat(n))).collect::<String>();
    refused(format!("{HEAD}a:\n{dashes}").as_bytes(), "contract.too-large");
}

#[test]
fn an_anchor_bomb_is_refused() {
    let mut text = format!("{HEAD}a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n");
    for n in 1..12 {
        let before = format!("*a{}", n - 1);
        let row = [before.as_str(); 10].join(", ");
        text.push_str(&format!("a{n}: &a{n} [{row}]\n"));
    }
    refused(text.as_bytes(), "contract.too-large");
    refused(format!("{HEAD}a: &a [*a]\n").as_bytes(), "contract.yaml");
}

#[test]
fn twenty_megabytes_are_bounded_in_values() {
    let row = "  - {name: dependency, type: service, description: one of very many}\n";
    let text = format!("{HEAD}dependencies:\n{}", row.repeat((20 << 20) / row.len()));
    refused(text.as_bytes(), "contract.too-large");
    // One long text is no structure: it is read.
    let text = format!("{HEAD}own: {}\n", "x".repeat(20 << 20));
    assert!(all_of(text.as_bytes(), &NoIncludes).0.contract.is_some());
}

#[test]
fn circles_of_references_end() {
    let text = format!(
        "{HEAD}inputs: {{a: {{$ref: '#/definitions/A'}}, b: {{$ref: '#/definitions/C'}}}}\n\
         definitions:\n  A: {{type: object, properties: {{b: {{$ref: '#/definitions/B'}}}}}}\n  \
         B: {{type: object, properties: {{a: {{$ref: '#/definitions/A'}}}}}}\n  \
         C: {{$ref: '#/definitions/D'}}\n  D: {{$ref: '#/definitions/C'}}\n"
    );
    let (parsed, _) = all_of(text.as_bytes(), &NoIncludes);
    let contract = parsed.contract.unwrap();
    assert_eq!(contract.definitions.len(), 2);
    assert_eq!(contract.input.fields.len(), 2);
}

/// Every file includes itself, or the one that includes it.
struct Circle;

impl Includes for Circle {
    fn read(&self, path: &str) -> Result<String> {
        match path {
            "a.yaml" => Ok("deep: !include b.yaml\n".to_owned()),
            "b.yaml" => Ok("deep: !include a.yaml\n".to_owned()),
            _ => Err(Error::invalid(format!("there is no {path}"))),
        }
    }
}

#[test]
fn subcontracts_that_include_themselves_are_refused() {
    for tag in ["a.yaml", "bad.yaml", "../a.yaml", "/etc/passwd", "gone.yaml"] {
        let text = format!("{HEAD}part: !include {tag}\n");
        let (parsed, judgement) = all_of(text.as_bytes(), &Circle);
        let found = parsed.findings.iter().find(|it| it.rule_id == "contract.include");
        let found = found.unwrap_or_else(|| panic!("{tag}: {:#?}", parsed.findings));
        assert_eq!(found.level, Level::Error);
        assert!(!judgement.verdicts.yaml, "{tag}");
    }
    let text = format!("{HEAD}subcontracts: [{{name: me, path: bad.yaml}}]\n");
    let (parsed, _) = all_of(text.as_bytes(), &NoIncludes);
    assert_eq!(parsed.contract.unwrap().sections.subcontracts.len(), 1);
}

#[test]
fn a_machine_without_states_is_left_out_with_a_warning() {
    for machine in ["{}", "{states: []}", "{states: 5}", "{initial_state: a, transitions: []}"] {
        let text = format!("{HEAD}state_machine: {machine}\n");
        let (parsed, judgement) = all_of(text.as_bytes(), &NoIncludes);
        assert!(parsed.contract.unwrap().state_machine.is_none(), "{machine}");
        let told = parsed.findings.iter().any(|it| it.rule_id == "contract.fsm-states");
        assert!(told, "{machine}: {:#?}", parsed.findings);
        assert!(!judgement.verdicts.strict, "{machine}");
    }
}

#[test]
fn ten_thousand_fields_are_read() {
    let fields: String = (0..10_000).map(|n| format!("  field_{n}: int\n")).collect();
    let text = format!("{HEAD}inputs:\n{fields}outputs: {{a: int}}\n");
    let (parsed, _) = all_of(text.as_bytes(), &NoIncludes);
    let worst = parsed.findings.iter().map(|it| it.level).max();
    assert!(worst < Some(Level::Error), "{:#?}", parsed.findings);
    assert_eq!(parsed.contract.unwrap().input.fields.len(), 10_000);
}

#[test]
fn names_in_other_scripts_keep_their_letters_and_places() {
    let text = "name: узел_заказ\nnode_type: COMPUTE_GENERIC\ncontract_version: 1.0.0\n\
                description: 注文の合計を計算する。\ninputs: {数量: int, العدد: int}\noutputs: {合計: int}\n\
                fsm: {states: [начало], transitions: [{from: начало, to: конец, trigger: x}]}\n";
    let (parsed, _) = all_of(text.as_bytes(), &NoIncludes);
    let contract = parsed.contract.unwrap();
    let names: Vec<&str> = contract.input.fields.iter().map(|it| it.name.as_str()).collect();
    assert_eq!(names, ["数量", "العدد"]);
    let found = parsed.findings.iter().find(|it| it.rule_id == "contract.fsm-undeclared-state");
    let span = found.unwrap().span.unwrap();
    assert!(text[span.start_byte..span.end_byte].starts_with("{from: начало"));
    assert_eq!((span.start_line, span.start_column), (7, 39));
}
