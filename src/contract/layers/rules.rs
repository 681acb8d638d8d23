//! The rules behind the layers: one for each way in which a layer can say no.

use super::shape::Fault;
use crate::contract::lint::Rule;
use crate::finding::Level::Note;

pub(in super::super) const RULES: &[Rule] = &[
    Rule::told("contract.yaml-tag", Note, "Upstream's plain loader refuses `!include`."),
    Rule::told("contract.yaml-value", Note, "Dates exist, and keys are no lists or mappings."),
    Rule::told(
        "contract.structural-identity",
        Note,
        "There are `name` or `node_id`, and `node_type` or `node_kind`.",
    ),
    Rule::told(
        "contract.structural-kind",
        Note,
        "`node_type` is compute, effect, reducer or orchestrator, with or without `_GENERIC`.",
    ),
    Rule::told("contract.structural-topic", Note, "Topics of `event_bus` begin with `onex.`."),
    Rule::told("contract.structural-config", Note, "`config_requirements` is a list."),
    Rule::told("contract.minimal-missing", Note, "The minimal model's keys are there."),
    Rule::told("contract.minimal-unknown-key", Note, "`version` is not used any more."),
    Rule::told("contract.minimal-type", Note, "The minimal model's keys are of its types."),
    Rule::told("contract.minimal-value", Note, "The minimal model's values are allowed."),
    Rule::told("contract.audit-missing", Note, "The typed model's keys are there, once rewritten."),
    Rule::told("contract.audit-unknown-key", Note, "No key is left that the model refuses."),
    Rule::told("contract.audit-type", Note, "Values are of the typed model's types."),
    Rule::told("contract.audit-value", Note, "Values are allowed by the typed model."),
    Rule::told("contract.audit-relation", Note, "Values go together as the typed model asks."),
    Rule::told("contract.strict-missing", Note, "The typed model's keys are there as written."),
    Rule::told("contract.strict-unknown-key", Note, "Every key is one of the typed model."),
    Rule::told("contract.strict-type", Note, "Values are of the typed model's types as written."),
    Rule::told("contract.strict-value", Note, "Values are allowed as written."),
    Rule::told("contract.strict-relation", Note, "Values go together as written."),
    Rule::told("contract.v2-missing", Note, "The keys of the original form are there."),
    Rule::told(
        "contract.v2-unknown-key",
        Note,
        "Error codes stand where the original form has them.",
    ),
    Rule::told("contract.v2-type", Note, "Values are of the original form's types."),
    Rule::told("contract.v2-value", Note, "The kind is bare and the markers are true."),
    Rule::told("contract.v2-relation", Note, "The form says what goes in and what comes out."),
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
