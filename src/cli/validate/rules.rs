//! `genstore validate rules`: what the rules are, and why.

use super::{Form, named};
use crate::cli::print;
use crate::error::{Error, Result};
use crate::validate::{Rule, validators};

/// List the rules, or explain one
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// A rule, or a validator: explain it
    #[arg(value_name = "RULE")]
    rule: Option<String>,
    /// Form of the list
    #[arg(long, value_enum, default_value_t)]
    format: Form,
}

pub(super) fn run(args: &Args) -> Result<u8> {
    let rules: Vec<&Rule> = match &args.rule {
        Some(name) => named(name)?,
        None => validators().iter().flat_map(|it| it.rules()).collect(),
    };
    let mut text = String::new();
    for rule in rules {
        text.push_str(&match (args.format, &args.rule) {
            (Form::Sarif, _) => {
                return Err(Error::usage("a list of rules has no form sarif")
                    .with_hint("A report of findings in that form has the rules in it."));
            }
            (Form::Ndjson, _) => object(rule),
            (Form::Human, None) => {
                format!("{:<34} {:<8} {}\n", rule.id, rule.level.as_str(), rule.summary)
            }
            (Form::Human, Some(_)) => explained(rule),
        });
    }
    print(&text)?;
    Ok(0)
}

fn object(rule: &Rule) -> String {
    let object = serde_json::json!({
        "rule_id": rule.id,
        "level": rule.level.as_str(),
        "summary": rule.summary,
        "why": rule.why,
        "codes": rule.codes,
        "bandit": rule.bandit_ids().collect::<Vec<_>>(),
    });
    format!("{object}\n")
}

fn explained(rule: &Rule) -> String {
    let Rule { id, summary, why, .. } = rule;
    let mut text = format!("{id} ({})\n  Found where {summary}.\n  {why}\n", rule.level);
    let bandit: Vec<_> = rule.bandit_ids().collect();
    let codes = rule.codes.iter().map(|it| (*it).to_owned()).chain(bandit);
    let codes = codes.collect::<Vec<_>>().join(", ");
    if !codes.is_empty() {
        text.push_str(&format!("  Elsewhere: {codes}. Their comments suppress it, too.\n"));
    }
    text.push_str(&format!("  Suppress it in a line: # genstore: ignore[{id}] reason\n\n"));
    text
}
