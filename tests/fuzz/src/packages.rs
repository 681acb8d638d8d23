//! What holds of every text that is taken for Python. Reads no file.

use std::sync::Arc;

use crate::contract::infer::{Options, PackageFiles};
use crate::contract::{NoIncludes, infer, lint, parse};
use crate::error::{Error, Result};
use crate::finding::{Finding, Level};
use crate::template::{FileKind, Package, PackageFile};
use crate::validate::{Subject, ValidateSettings, fingerprint, quality_score, score, validators};

/// A file by itself, and as the handler of a package.
pub fn judge_file(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    judge(&Subject::file("contract.yaml", text.clone().into_owned()), &text);
    let contract = parse(CONTRACT, "contract.yaml", &NoIncludes).contract.expect("a contract");
    let file = |path: &str, kind, content: &str| PackageFile {
        path: path.to_owned(),
        kind,
        content: content.to_owned(),
    };
    let files = vec![
        file("handlers/handler_a.py", FileKind::Handler, &text),
        file("models/model_a.py", FileKind::Model, &text),
        file("node.py", FileKind::Node, &text),
        file("tests/test_a.py", FileKind::Test, &text),
    ];
    let package = Package { name: "node_a_compute".to_owned(), files };
    judge(&Subject::new(Arc::new(contract), Arc::new(package), Vec::new()), &text);
}

const CONTRACT: &str = "name: node_a_compute\nnode_type: COMPUTE_GENERIC\n\
                        contract_version: {major: 1, minor: 0, patch: 0}\n\
                        description: Makes a of b.\ninputs: {a: int}\noutputs: {b: '[str]'}\n\
                        actions: [{name: run}]\nerror_codes: [WRONG]\n";

fn judge(subject: &Subject, text: &str) {
    let settings = ValidateSettings::default();
    let mut verdicts: Vec<_> = validators().iter().map(|it| it.validate(subject)).collect();
    for verdict in &mut verdicts {
        assert!((0.0..=100.0).contains(&verdict.score), "{}: {}", verdict.validator, verdict.score);
        let mut less = verdict.findings.clone();
        less.pop();
        assert!(score(&less).0 >= verdict.score, "a finding raised the score");
        for it in &mut verdict.findings {
            fingerprint(it);
            it.uri = None;
        }
        super::contracts::tell(&verdict.findings, Some(text));
    }
    let whole = quality_score(&verdicts, &settings.weights);
    assert!((0.0..=100.0).contains(&whole), "{whole}");
    for source in subject.sources() {
        let metrics = &source.module.metrics;
        let index = metrics.maintainability_percent();
        assert!((0.0..=100.0).contains(&index), "{index}");
    }
}

/// One file, under each name that an inference looks for.
struct Everywhere<'a>(&'a [u8]);

impl PackageFiles for Everywhere<'_> {
    fn paths(&self) -> Vec<String> {
        let paths = ["node.py", "handlers/handler_a.py", "models/__init__.py", "models/model_a.py"];
        paths.map(str::to_owned).to_vec()
    }

    fn read(&self, path: &str, bytes_max: u64) -> Result<Vec<u8>> {
        match self.0.len() as u64 > bytes_max {
            true => Err(Error::failed(format!("{path} is too large"))),
            false => Ok(self.0.to_vec()),
        }
    }
}

/// A contract is read out of any bytes, or there is a reason why not; it lints without error.
pub fn infer_contract(bytes: &[u8]) {
    for folder in [None, Some("node_a_effect")] {
        let options = Options { class: None, folder };
        let made = match infer("node.py", &Everywhere(bytes), &options) {
            Ok(made) => made,
            Err(finding) => {
                assert!(!finding.message.is_empty());
                continue;
            }
        };
        let read = parse(&made.text, "contract.yaml", &NoIncludes);
        let contract = read.contract.as_ref();
        let contract = contract.unwrap_or_else(|| panic!("{:#?}\n{}", read.findings, made.text));
        let mut found: Vec<Finding> = read.findings.clone();
        found.extend(lint(contract, "contract.yaml"));
        found.retain(|it| it.level == Level::Error);
        assert!(found.is_empty(), "{found:#?}\n{}", made.text);
    }
}
