//! The rules behind the layers: one for each way in which a layer can say no.

use super::shape::Fault;
use crate::contract::lint::Rule;
use crate::finding::Level::Note;

pub(in super::super) const RULES: &[Rule] = &[
    Rule::told("contract.yaml-tag", Note, "Upstream's plain loader refuses `!include`.")
        .why("Upstream's validators read contracts without their includes.")
        .fix("Nothing needs to be done for genstore; write the part out for upstream."),
    Rule::told("contract.yaml-value", Note, "Dates exist, and keys are no lists or mappings.")
        .why("Upstream's loader makes dates and keys of them, and fails.")
        .fix("Put the value in quotes, or make the key a text."),
    Rule::told(
        "contract.structural-identity",
        Note,
        "There are `name` or `node_id`, and `node_type` or `node_kind`.",
    )
    .why("`onex compliance check` begins with these.")
    .fix("Add what is missing."),
    Rule::told(
        "contract.structural-kind",
        Note,
        "`node_type` is compute, effect, reducer or orchestrator, with or without `_GENERIC`.",
    )
    .why("`onex compliance check` knows the four kinds alone.")
    .fix("Write COMPUTE_GENERIC or so."),
    Rule::told("contract.structural-topic", Note, "Topics of `event_bus` begin with `onex.`.")
        .why("`onex compliance check` refuses other topics.")
        .fix("Write it as onex.evt.<producer>.<name>.v1."),
    Rule::told("contract.structural-config", Note, "`config_requirements` is a list.")
        .why("`onex compliance check` reads it as one.")
        .fix("Write it as a list."),
    Rule::told("contract.minimal-missing", Note, "The minimal model's keys are there.")
        .why("`onex validate` reads every contract into this model.")
        .fix("Add the key."),
    Rule::told("contract.minimal-unknown-key", Note, "`version` is not used any more.")
        .why("`onex validate` refuses the old name of `contract_version`.")
        .fix("Write `contract_version`."),
    Rule::told("contract.minimal-type", Note, "The minimal model's keys are of its types.")
        .why("`onex validate` reads every contract into this model.")
        .fix("Write the value as the finding says."),
    Rule::told("contract.minimal-value", Note, "The minimal model's values are allowed.")
        .why("`onex validate` knows its own kinds alone, by value.")
        .fix("Write the value as the finding says."),
    Rule::told("contract.audit-missing", Note, "The typed model's keys are there, once rewritten.")
        .why("The typed models are what the runtime loads.")
        .fix("Add the key."),
    Rule::told("contract.audit-unknown-key", Note, "No key is left that the model refuses.")
        .why("Keys of another kind of node are refused, not passed over.")
        .fix("Remove the key, or correct its name."),
    Rule::told("contract.audit-type", Note, "Values are of the typed model's types.")
        .why("The typed models are what the runtime loads.")
        .fix("Write the value as the finding says."),
    Rule::told("contract.audit-value", Note, "Values are allowed by the typed model.")
        .why("The typed models are what the runtime loads.")
        .fix("Write the value as the finding says."),
    Rule::told("contract.audit-relation", Note, "Values go together as the typed model asks.")
        .why("The typed models check it once every value is right by itself.")
        .fix("Do as the finding says."),
    Rule::told("contract.strict-missing", Note, "The typed model's keys are there as written.")
        .why("New contracts are checked as they are written, without a rewrite.")
        .fix("Add the key."),
    Rule::told("contract.strict-unknown-key", Note, "Every key is one of the typed model.")
        .why("New contracts are checked as they are written; unknown keys are refused.")
        .fix("Move the key where the model has a place for it, or remove it."),
    Rule::told("contract.strict-type", Note, "Values are of the typed model's types as written.")
        .why("New contracts are checked as they are written.")
        .fix("Write the value as the finding says."),
    Rule::told("contract.strict-value", Note, "Values are allowed as written.")
        .why("New contracts are checked as they are written.")
        .fix("Write the value as the finding says."),
    Rule::told("contract.strict-relation", Note, "Values go together as written.")
        .why("New contracts are checked as they are written.")
        .fix("Do as the finding says."),
    Rule::told("contract.v2-missing", Note, "The keys of the original form are there.")
        .why("The original system reads them.")
        .fix("Add the key."),
    Rule::told(
        "contract.v2-unknown-key",
        Note,
        "Error codes stand where the original form has them.",
    )
    .why("The original system looks for them in one place.")
    .fix("Move them under `definitions.error_codes`."),
    Rule::told("contract.v2-type", Note, "Values are of the original form's types.")
        .why("The original system reads them so.")
        .fix("Write the value as the finding says."),
    Rule::told("contract.v2-value", Note, "The kind is bare and the markers are true.")
        .why("The original system knows the bare kinds, and its markers are promises.")
        .fix("Write the value as the finding says."),
    Rule::told("contract.v2-relation", Note, "The form says what goes in and what comes out.")
        .why("The original system generates both models.")
        .fix("Add `input_state` and `output_state`."),
];

/// The rule for a difference from a layer's model.
pub(super) fn of(layer: &str, fault: Fault) -> Option<&'static str> {
    let what = match fault {
        Fault::Missing => "missing",
        Fault::Unknown => "unknown-key",
        Fault::Type => "type",
        Fault::Value => "value",
        Fault::Relation => "relation",
    };
    let matches = |id: &str| {
        let rest = id.strip_prefix("contract.").and_then(|it| it.strip_prefix(layer));
        rest.and_then(|it| it.strip_prefix('-')) == Some(what)
    };
    RULES.iter().map(|rule| rule.id).find(|id| matches(id))
}
