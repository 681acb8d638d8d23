//! What `contract infer` and `contract new` do with a contract that was made: print it, or write it
//! with its parts, and say what a person should look at. Makes nothing itself.

use std::io::Write;
use std::path::{Path, PathBuf};

use clap::ValueEnum;
use serde_json::{Value, json};

use super::{Context, print};
use crate::contract::infer::Made;
use crate::contract::layers::Layer;
use crate::contract::parts::{files, recommendations};
use crate::contract::schema::normal_form;
use crate::contract::{NoIncludes, complexity, judge, lint, parse, structure};
use crate::error::{Error, IoContext, Result};
use crate::finding::{Finding, Level};
use crate::output::diagnostic::render;

#[derive(Debug, clap::Args)]
pub(super) struct Delivery {
    /// Write the contract with its subcontracts, schemas and error codes below this folder
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// Write over files that are there already and differ
    #[arg(long, requires = "out")]
    overwrite: bool,
    /// Form of what is printed: the contract as YAML, or with --out a report; or all of it as JSON
    #[arg(long, value_enum, default_value_t)]
    format: MadeFormat,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
enum MadeFormat {
    /// For people; what is to be looked over stands in comments
    #[default]
    Text,
    /// One object: contract, normal form, findings, verdicts, complexity, recommendations, files
    Json,
}

/// Prints or writes what was made.
pub(super) fn deliver(made: &Made, args: &Delivery) -> Result<u8> {
    let report = Report::of(made);
    let text = commented(&made.text, &report.findings);
    let files = files(&made.contract, &text);
    if let Some(out) = &args.out {
        write(out, &files, args.overwrite)?;
    }
    match (&args.out, args.format) {
        (_, MadeFormat::Json) => print(&format!("{:#}\n", report.to_json(made, &files)?))?,
        (Some(out), MadeFormat::Text) => print(&report.text(made, out, &files))?,
        (None, MadeFormat::Text) => print(&text)?,
    }
    Ok(report.exit())
}

/// The contract with what is to be looked over as comments at its top.
fn commented(text: &str, findings: &[Finding]) -> String {
    let Some(body) = text.strip_prefix("---\n").filter(|_| !findings.is_empty()) else {
        return text.to_owned();
    };
    let line = |it: &Finding| format!("# - {}\n", told(it));
    let lines: String = findings.iter().map(line).collect();
    format!("---\n# To be looked over:\n{lines}{body}")
}

/// A finding in a line.
fn told(finding: &Finding) -> String {
    let help = finding.help.as_ref().map_or(String::new(), |it| format!(" ({it})"));
    let text = format!("{}{help}", finding.message);
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// A finding because of which nothing was made.
pub(super) fn refused(finding: &Finding, source: Option<&str>, context: &Context) {
    let drawn = render(finding, source, context.env.terminal.color_stderr);
    // If stderr is closed there is nobody to tell.
    drop(std::io::stderr().write_all(drawn.as_bytes()));
}

/// What is judged of a contract that was made.
struct Report {
    /// What was decided or is not known, and what lint says from warnings on.
    findings: Vec<Finding>,
    passed: Vec<&'static str>,
    failed: Vec<&'static str>,
    recommendations: Vec<String>,
}

impl Report {
    fn of(made: &Made) -> Self {
        let name = "contract.yaml";
        let parsed = parse(&made.text, name, &NoIncludes);
        let verdicts = judge(made.text.as_bytes(), &parsed, name).verdicts;
        let mut found = lint(&made.contract, name);
        found.extend(parsed.findings);
        found.retain(|it| it.level > Level::Note);
        let (passed, failed): (Vec<Layer>, Vec<Layer>) =
            Layer::ALL.into_iter().partition(|it| verdicts.of(*it));
        let names = |all: Vec<Layer>| all.into_iter().map(Layer::as_str).collect();
        Self {
            findings: made.findings.iter().cloned().chain(found).collect(),
            passed: names(passed),
            failed: names(failed),
            recommendations: recommendations(&made.contract),
        }
    }

    /// 1 when lint finds an error in what was made.
    fn exit(&self) -> u8 {
        u8::from(self.findings.iter().any(|it| it.level == Level::Error))
    }

    fn text(&self, made: &Made, out: &Path, files: &[(String, String)]) -> String {
        let contract = &made.contract;
        let (own, built) = (complexity(contract), structure(contract));
        let list = |all: &[&str]| if all.is_empty() { "none".to_owned() } else { all.join(", ") };
        let mut text = format!(
            "{}: {}, {} inputs, {} outputs\naccepted by: {}\nnot by: {}\ncomplexity: {:.2} ({})\n\
             structure: {:.2} ({})\n",
            contract.name,
            contract.node_type.as_str(),
            contract.input.fields.len(),
            contract.output.fields.len(),
            list(&self.passed),
            list(&self.failed),
            own.score,
            own.class,
            built.score,
            built.explanation,
        );
        for it in &self.findings {
            text.push_str(&format!("{}: {}\n", it.level, told(it)));
        }
        for it in &self.recommendations {
            text.push_str(&format!("recommended: {it}\n"));
        }
        for (path, _) in files {
            text.push_str(&format!("{}\n", out.join(path).display()));
        }
        text
    }

    fn to_json(&self, made: &Made, files: &[(String, String)]) -> Result<Value> {
        let finding = |it: &Finding| {
            json!({
                "rule_id": it.rule_id,
                "level": it.level.as_str(),
                "message": it.message,
                "file": it.uri,
                "start_line": it.span.map(|it| it.start_line),
                "start_column": it.span.map(|it| it.start_column),
                "help": it.help,
            })
        };
        let findings: Vec<Value> = self.findings.iter().map(finding).collect();
        let paths: Vec<&str> = files.iter().map(|(path, _)| path.as_str()).collect();
        let normal = normal_form(&made.contract)
            .map_err(|source| Error::internal("cannot show the contract").with_source(source))?;
        Ok(json!({
            "contract": made.contract.document.to_json(),
            "normal_form": normal,
            "accepted_by": self.passed,
            "refused_by": self.failed,
            "findings": findings,
            "recommendations": self.recommendations,
            "files": paths,
        }))
    }
}

/// Writes the files; none when one of them is there already and differs.
fn write(out: &Path, files: &[(String, String)], overwrite: bool) -> Result<()> {
    for (path, content) in files.iter().filter(|_| !overwrite) {
        let path = out.join(path);
        match std::fs::read(&path) {
            Ok(found) if found == content.as_bytes() => {}
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
            Ok(_) => {
                let message = format!("{} is there already and differs", path.display());
                return Err(Error::invalid(message)
                    .with_hint("Nothing was written; --overwrite writes over it."));
            }
            Err(error) => return Err(error).context("read", &path),
        }
    }
    for (path, content) in files {
        let path = out.join(path);
        let folder = path.parent().unwrap_or(out);
        std::fs::create_dir_all(folder).context("create the folder", folder)?;
        let mut file =
            tempfile::NamedTempFile::new_in(folder).context("create a file in", folder)?;
        file.write_all(content.as_bytes()).context("write", &path)?;
        file.persist(&path).map_err(|error| error.error).context("write", &path)?;
    }
    Ok(())
}
