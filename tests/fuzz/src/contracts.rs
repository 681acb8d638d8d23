//! What holds of every text that is taken for a contract. Reads no file.

use std::fmt::Write;

use futures::executor::block_on;
use serde_json::Map;

use crate::contract::schema::normal_form;
use crate::contract::write::{self, Form};
use crate::contract::{Includes, NoIncludes, Parsed};
use crate::contract::{diff, fix, judge, lint, parse, parse_bytes};
use crate::error::{Error, Result};
use crate::finding::{Finding, Level};
use crate::generate::{Generator, TemplateGenerator};
use crate::output::diagnostic::render;
use crate::output::sarif::{self, Reported};
use crate::python;
use crate::template::{Library, Variant};

const URI: &str = "contract.yaml";

/// Files that include one another, one that is a part, and none else.
struct Beside;

impl Includes for Beside {
    fn read(&self, path: &str) -> Result<String> {
        match path {
            "a.yaml" => Ok("deep: !include b.yaml\n".to_owned()),
            "b.yaml" => Ok("- !include a.yaml\n".to_owned()),
            "part.yaml" => Ok("states: [{name: a}]\n".to_owned()),
            _ => Err(Error::invalid(format!("there is no {path}"))),
        }
    }
}

/// Any bytes: read, judged, mended and written again.
pub fn read_contract(bytes: &[u8]) {
    let parsed = parse_bytes(bytes, URI, &Beside);
    let text = std::str::from_utf8(bytes).ok();
    let judgement = judge(bytes, &parsed, URI);
    let is_refused = parsed.contract.is_none();
    assert!(!is_refused || parsed.has_errors(), "refused without a reason");
    let mut findings = parsed.findings.clone();
    findings.extend(judgement.findings.iter().cloned());
    if let Some(contract) = &parsed.contract {
        findings.extend(lint(contract, URI));
        assert!(diff(contract, contract).changes.is_empty(), "differs from itself");
    }
    tell(&findings, text);
    // what the typed model takes as it is, it takes after the rewrite of older forms
    let verdicts = judgement.verdicts;
    assert!(!verdicts.strict || verdicts.audit, "strict, but no audit");
    assert!(!verdicts.audit || verdicts.yaml, "audit, but no YAML");
    if let Some(text) = text {
        mend(text, &parsed);
        written(&parsed);
    }
}

/// Findings have places in the text and can be told in every form.
pub(crate) fn tell(findings: &[Finding], text: Option<&str>) {
    for it in findings {
        let own = it.uri.as_deref().is_none_or(|uri| uri == URI);
        if let (Some(text), Some(span), true) = (text, it.span, own) {
            let inside = text.get(span.start_byte..span.end_byte);
            assert!(inside.is_some(), "{}: no place in the text: {span:?}", it.rule_id);
        }
        assert!(!it.message.is_empty());
        let drawn = render(it, text, true);
        assert!(drawn.contains(it.rule_id));
    }
    let mut log = Vec::new();
    sarif::write(&mut log, &[], findings.iter().map(Reported::from)).expect("memory takes all");
    serde_json::from_slice::<serde_json::Value>(&log).expect("a log is JSON");
}

/// A fix changes nothing but the form, and leaves nothing to do.
fn mend(text: &str, parsed: &Parsed) {
    let fixed = fix(text, parsed, URI, &Beside);
    if fixed.fixes.is_empty() {
        assert_eq!(fixed.text, text, "no fix, another text");
        return;
    }
    let again = parse(&fixed.text, URI, &Beside);
    let twice = fix(&fixed.text, &again, URI, &Beside);
    assert!(twice.fixes.is_empty(), "a second fix: {:?}\n{}", twice.fixes, fixed.text);
    if let (Some(before), Some(after)) = (&parsed.contract, &again.contract) {
        let form = |it| normal_form(it).expect("JSON takes all");
        assert_eq!(form(before), form(after), "the fix changed the contract");
    }
    fix::diff(text, &fixed, URI);
}

/// The normal form reads back as the same contract.
fn written(parsed: &Parsed) {
    let Some(contract) = &parsed.contract else { return };
    normal_form(contract).expect("JSON takes all");
    let extras = Map::new();
    for form in [Form::Current, Form::Original] {
        let text = write::text(contract, &extras, form);
        let again = parse(&text, URI, &NoIncludes);
        let Some(read) = &again.contract else {
            panic!("{form:?} cannot be read: {:#?}\n{text}", again.findings);
        };
        assert_eq!(write::text(read, &extras, form), text, "{form:?} reads as another contract");
        assert_eq!((read.node_type, &read.name), (contract.node_type, &contract.name));
    }
}

/// Any text that is a contract without errors comes to a package that can be read, in every variant
/// that it declares the matter of.
pub fn write_package(bytes: &[u8]) {
    thread_local! {
        static LIBRARY: Library = Library::builtin().expect("the built-in templates are sound");
    }
    let parsed = parse_bytes(bytes, URI, &Beside);
    let Some(contract) = &parsed.contract else { return };
    let variants = Variant::of_kind(contract.node_type).iter().copied();
    for variant in variants.filter(|it| it.missing(contract).is_none()) {
        let set = LIBRARY.with(|it| it.set(contract.node_type, variant));
        let made = block_on(TemplateGenerator.generate(contract, &set));
        let made = made.unwrap_or_else(|error| panic!("{variant:?}: {error:?}"));
        let mut wrong = String::new();
        for file in &made.package.files {
            if file.path.ends_with(".py") {
                for it in python::parse(&file.content).problems {
                    let _ = writeln!(wrong, "{}: {it:?}\n{}", file.path, file.content);
                }
            } else if file.path == URI {
                let again = parse(&file.content, URI, &NoIncludes);
                let errors = again.findings.iter().filter(|it| it.level == Level::Error);
                for it in errors {
                    let _ = writeln!(wrong, "{it:?}\n{}", file.content);
                }
            }
        }
        assert!(wrong.is_empty(), "{variant:?}: {wrong}");
    }
}
