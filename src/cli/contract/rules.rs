//! `genstore contract rules`: what contract lint asks for, and why. Checks nothing.

use clap::ValueEnum;
use serde_json::json;

use super::print;
use crate::contract::layers::left_open;
use crate::contract::lint::{Rule, rules};
use crate::error::{Error, Result, nearest};
use crate::output::sarif::RuleText;

/// List the rules of contract lint, or explain one
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The rule to explain, such as contract.purity
    id: Option<String>,
    /// Form of the list
    #[arg(long, value_enum, default_value_t)]
    format: ListFormat,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
enum ListFormat {
    #[default]
    Human,
    /// One JSON object per rule
    Ndjson,
}

pub(super) fn run(args: &Args) -> Result<u8> {
    let chosen: Vec<&Rule> = match &args.id {
        Some(id) => vec![find(id)?],
        None => rules().collect(),
    };
    let text: String = match (args.format, &args.id) {
        (ListFormat::Ndjson, _) => chosen.into_iter().map(line).collect(),
        (ListFormat::Human, None) => list(&chosen),
        (ListFormat::Human, Some(_)) => chosen.into_iter().map(explained).collect(),
    };
    print(&text)?;
    Ok(0)
}

/// A rule by its id, with or without `contract.`.
fn find(id: &str) -> Result<&'static Rule> {
    let full = format!("contract.{id}");
    rules().find(|rule| rule.id == id || rule.id == full).ok_or_else(|| {
        let error = Error::usage(format!("there is no rule {id}"));
        match nearest(id, rules().map(|rule| rule.id)) {
            Some(near) => error.with_hint(format!("Did you mean {near}?")),
            None => error.with_hint("`genstore contract rules` lists them."),
        }
    })
}

/// Where a rule counts: `default` for genstore's own judgement, and the verdicts of upstream's.
fn profiles(rule: &Rule) -> Vec<&'static str> {
    let own = rule.is_own().then_some("default");
    own.into_iter().chain(rule.layers().map(|it| it.as_str())).collect()
}

fn list(rules: &[&Rule]) -> String {
    let rows: Vec<[String; 4]> = rules
        .iter()
        .map(|rule| {
            let texts = [rule.id, rule.level.as_str(), &profiles(rule).join(" "), rule.summary];
            texts.map(str::to_owned)
        })
        .collect();
    let width = |at: usize| rows.iter().filter_map(|row| row.get(at)).map(String::len).max();
    let [id, level, profiles] = [0, 1, 2].map(|at| width(at).unwrap_or_default());
    rows.iter().map(|[a, b, c, d]| format!("{a:id$}  {b:level$}  {c:profiles$}  {d}\n")).collect()
}

fn explained(rule: &Rule) -> String {
    let mut text = format!(
        "{}: {}, counts for: {}\n\n{}\n\nWhy: {}\n\nHow to mend it: {}\n",
        rule.id,
        rule.level,
        profiles(rule).join(", "),
        rule.summary,
        rule.why,
        rule.fix
    );
    if rule.id.starts_with("contract.audit-") || rule.id.starts_with("contract.strict-") {
        text.push_str("\nParts of upstream's models whose values are not checked:\n");
        for (keys, why) in left_open() {
            text.push_str(&format!("  {keys}: {why}\n"));
        }
    }
    text
}

fn line(rule: &Rule) -> String {
    let object = json!({
        "rule_id": rule.id,
        "level": rule.level.as_str(),
        "profiles": profiles(rule),
        "summary": rule.summary,
        "why": rule.why,
        "fix": rule.fix,
    });
    format!("{object}\n")
}

/// What a SARIF log says of a rule.
pub(super) fn text_of(rule: &Rule) -> RuleText<'static> {
    let Rule { id, level, summary, why, fix, .. } = *rule;
    RuleText { id, level, summary, why, fix }
}
