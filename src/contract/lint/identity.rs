//! Rules about who a contract is: name, versions, description, kind.

use super::{Hits, Rule, place, value_place};
use crate::contract::document::Node;
use crate::contract::model::Contract;
use crate::contract::notes::shown;
use crate::finding::Level::{Note, Warning};

pub(super) const RULES: &[Rule] = &[
    Rule::new(
        "contract.name-style",
        Warning,
        "A name is snake_case or PascalCase with at least two characters; folder and class names \
         are made from it.",
        name_style,
    )
    .why(
        "Folder, module and class names of the package are made from it; other signs are lost \
          there.",
    )
    .fix("Write node_<what>_<kind>, such as node_price_compute."),
    Rule::new(
        "contract.version-missing",
        Warning,
        "A contract says its `contract_version`; without one it counts as 1.0.0.",
        version_missing,
    )
    .why("Who uses the node must be able to tell one form of it from the next.")
    .fix("Add `contract_version: {major: 1, minor: 0, patch: 0}`."),
    Rule::new(
        "contract.version-key",
        Warning,
        "`version` at the top has been renamed to `contract_version`; upstream's tools refuse it.",
        version_key,
    )
    .why("The key was renamed; with both of them readers disagree on which one counts.")
    .fix("Write `contract_version`; `--fix` does it."),
    Rule::new(
        "contract.description-missing",
        Warning,
        "A description says what the node does; it becomes the docstring of the package.",
        description_missing,
    )
    .why("Without it nobody who finds the package knows what it is for.")
    .fix("Say in one sentence what the node does."),
    Rule::new(
        "contract.description-short",
        Warning,
        "A description has at least ten characters.",
        description_short,
    )
    .why("A word or two repeat the name; the docstring made from it says nothing.")
    .fix("Say in one sentence what the node does."),
    Rule::new(
        "contract.fingerprint",
        Warning,
        "A fingerprint is a semantic version, a colon and twelve hexadecimal digits.",
        fingerprint,
    )
    .why("Upstream compares it with the computed one and refuses any other form.")
    .fix("Remove it, or let upstream's tool compute it again."),
    Rule::new(
        "contract.archetype",
        Warning,
        "`descriptor.node_archetype` names the same kind as `node_type`.",
        archetype,
    )
    .why("The runtime schedules by the one, generators make code by the other.")
    .fix("Make both the same; `node_type` counts for genstore."),
    Rule::new(
        "contract.purity",
        Warning,
        "`descriptor.purity` is pure or side_effecting, the two upstream's model takes.",
        purity,
    )
    .why("The handler model takes these two words alone and refuses the contract at load time.")
    .fix("Write `side_effecting` for impure or effectful."),
    Rule::new(
        "contract.handler-id",
        Warning,
        "A `handler_id` has two or more dotted parts, each beginning with a letter or underscore.",
        handler_id,
    )
    .why("The registry files handlers under their parts.")
    .fix("Write it as <kind>.<area>.<what>."),
    Rule::new(
        "contract.name-suffix",
        Note,
        "By convention a name that ends in a kind ends in the kind of its node.",
        name_suffix,
    )
    .why("Readers take the kind of a node from the end of its name.")
    .fix("Rename the node, or correct `node_type`."),
];

fn name_style(contract: &Contract, hits: &mut Hits<'_>) {
    let name = contract.name.as_str();
    let snake = name.starts_with(|c: char| c.is_ascii_lowercase() || c == '_')
        && name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_');
    let pascal = name.starts_with(|c: char| c.is_ascii_uppercase())
        && name.chars().all(|c| c.is_ascii_alphanumeric());
    if name.len() >= 2 && (snake || pascal) {
        return;
    }
    let message = format!("the name {} is neither snake_case nor PascalCase", shown(name));
    let span = value_place(contract, &["name"]).or_else(|| place(contract, "name"));
    hits.hit(span, message, "write node_<what>_<kind>, such as node_price_compute");
}

fn version_missing(contract: &Contract, hits: &mut Hits<'_>) {
    let given = |key: &str| contract.document.get(key).is_some_and(|it| !it.is_null());
    if !given("contract_version") && !given("version") {
        let message = "the contract has no `contract_version`; it counts as 1.0.0";
        let help = "add `contract_version: {major: 1, minor: 0, patch: 0}`";
        hits.hit(place(contract, "contract_version"), message, help);
    }
}

fn version_key(contract: &Contract, hits: &mut Hits<'_>) {
    if let Some((key, _)) = contract.document.entry("version") {
        let message = "`version` has been renamed to `contract_version`";
        let help = if contract.document.get("contract_version").is_some() {
            "remove it; `contract_version` counts"
        } else {
            "write `contract_version`"
        };
        hits.hit(Some(key.span), message, help);
    }
}

fn description_missing(contract: &Contract, hits: &mut Hits<'_>) {
    if contract.description.is_empty() {
        let message = "the contract has no description";
        hits.hit(place(contract, "description"), message, "say in a sentence what the node does");
    }
}

fn description_short(contract: &Contract, hits: &mut Hits<'_>) {
    let chars = contract.description.chars().count();
    if (1..10).contains(&chars) {
        let message = format!("the description has {chars} characters, fewer than ten");
        let help = "say in a sentence what the node does";
        hits.hit(value_place(contract, &["description"]), message, help);
    }
}

fn fingerprint(contract: &Contract, hits: &mut Hits<'_>) {
    let Some(text) = &contract.fingerprint else { return };
    let version = |text: &str| {
        let parts: Vec<&str> = text.split('.').collect();
        parts.len() == 3 && parts.iter().all(|part| part.parse::<u64>().is_ok())
    };
    let hex = |text: &str| text.len() == 12 && text.bytes().all(|b| b.is_ascii_hexdigit());
    if !text.split_once(':').is_some_and(|(first, second)| version(first) && hex(second)) {
        let message =
            format!("the fingerprint {} has not the form 1.0.0:0123456789ab", shown(text));
        let help = "remove it, or let upstream's tool compute it again";
        hits.hit(value_place(contract, &["fingerprint"]), message, help);
    }
}

fn archetype(contract: &Contract, hits: &mut Hits<'_>) {
    let Some(node) = contract.document.at(&["descriptor", "node_archetype"]) else { return };
    let text = node.as_str().unwrap_or_default().to_lowercase();
    let is_kind = super::super::NodeType::ALL.iter().any(|kind| kind.suffix() == text);
    if is_kind && text != contract.node_type.suffix() {
        let kind = contract.node_type.as_str();
        let message = format!("`node_archetype` is {}, but `node_type` is {kind}", shown(&text));
        hits.hit(Some(node.span), message, "make both the same; `node_type` counts");
    }
}

fn purity(contract: &Contract, hits: &mut Hits<'_>) {
    let Some(node) = contract.document.at(&["descriptor", "purity"]) else { return };
    let text = node.text().unwrap_or_default();
    if !matches!(text, "pure" | "side_effecting") {
        let message = format!("`purity` is {}", shown(text));
        hits.hit(Some(node.span), message, "write pure or side_effecting");
    }
}

fn handler_id(contract: &Contract, hits: &mut Hits<'_>) {
    let Some(node) = contract.document.get("handler_id") else { return };
    let text = node.as_str().unwrap_or_default();
    let good = |part: &str| part.starts_with(|c: char| c.is_alphabetic() || c == '_');
    if text.split('.').count() < 2 || !text.split('.').all(good) {
        let message = format!("the handler id {} is no dotted name", shown(text));
        hits.hit(Some(node.span), message, "write it as <kind>.<area>.<what>");
    }
}

fn name_suffix(contract: &Contract, hits: &mut Hits<'_>) {
    let lower = contract.name.to_lowercase();
    let last = lower.rsplit('_').next().unwrap_or_default();
    let own = contract.node_type.suffix();
    let other = super::super::NodeType::ALL.iter().find(|kind| kind.suffix() == last);
    if other.is_some_and(|kind| kind.suffix() != own) {
        let message = format!("the name ends in `{last}`, but the node is {}", own.to_uppercase());
        let span = contract.document.first(&["name", "node_name"]).map(|it: &Node| it.span);
        hits.hit(span, message, format!("end it in `_{own}`, or change `node_type`"));
    }
}
