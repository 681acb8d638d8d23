//! Changes of who a contract is, of how its node is run, and of keys that the normal form has no
//! place for. Pure.

use std::collections::BTreeSet;

use super::{Changes, Impact, Named, words};
use crate::contract::document::Node;
use crate::contract::model::Contract;
use crate::contract::model::mixins::{Mixin, MixinKind};
use crate::contract::model::sections::{Descriptor, Handler, Sections, StatusCode, Subcontract};
use crate::finding::Span;
use Impact::{Breaking, Compatible, Cosmetic};

impl Named for Handler {
    fn name(&self) -> &str {
        // The operation or event is what callers know; the class behind it may change.
        self.operation.as_deref().or(self.event_class.as_deref()).unwrap_or(&self.name)
    }

    fn span(&self) -> Option<Span> {
        self.span
    }
}

impl Named for Mixin {
    fn name(&self) -> &str {
        self.kind.name()
    }

    fn span(&self) -> Option<Span> {
        self.span
    }
}

impl Named for StatusCode {
    fn name(&self) -> &str {
        &self.code
    }

    fn span(&self) -> Option<Span> {
        self.span
    }
}

impl Named for Subcontract {
    fn name(&self) -> &str {
        &self.name
    }

    fn span(&self) -> Option<Span> {
        self.span
    }
}

fn key_places(old: &Contract, new: &Contract, key: &str) -> (Option<Span>, Option<Span>) {
    let place = |it: &Contract| it.document.entry(key).map(|(key, _)| key.span);
    (place(old), place(new))
}

pub(super) fn identity(old: &Contract, new: &Contract, changes: &mut Changes) {
    let names = (Some(&old.name), Some(&new.name));
    changes.value(Breaking, "name", &names.0, &names.1, key_places(old, new, "name"));
    let kinds = (Some(old.node_type.as_str()), Some(new.node_type.as_str()));
    let places = key_places(old, new, "node_type");
    changes.value(Breaking, "node_type", &kinds.0, &kinds.1, places);
    let places = key_places(old, new, "description");
    changes.text("description", Some(&old.description), Some(&new.description), places);
    if old.node_version != new.node_version {
        let places = key_places(old, new, "node_version");
        changes.add(Cosmetic, "node_version", "the version of the node changed", places);
    }
    if old.fingerprint != new.fingerprint {
        let places = key_places(old, new, "fingerprint");
        changes.add(Cosmetic, "fingerprint", "the fingerprint changed", places);
    }
}

pub(super) fn sections(old: &Contract, new: &Contract, changes: &mut Changes) {
    let (before, after) = (&old.sections, &new.sections);
    descriptor(before.descriptor.as_ref(), after.descriptor.as_ref(), changes);
    let lists = (before.status_codes.as_slice(), after.status_codes.as_slice());
    changes.named(
        "status_codes",
        lists,
        |_| Breaking,
        |_| Compatible,
        |changes, path, old, new| {
            let places = (old.span, new.span);
            changes.text(path, old.description.as_deref(), new.description.as_deref(), places);
        },
    );
    let handlers =
        |it: &Sections| it.handler_routing.as_ref().map_or_else(Vec::new, |it| it.handlers.clone());
    let (old_handlers, new_handlers) = (handlers(before), handlers(after));
    let lists = (old_handlers.as_slice(), new_handlers.as_slice());
    changes.named(
        "handlers",
        lists,
        |_| Breaking,
        |_| Compatible,
        |changes, path, old, new| {
            let places = (old.span, new.span);
            let names = (Some(&old.name), Some(&new.name));
            changes.value(Compatible, &format!("{path}.name"), &names.0, &names.1, places);
            changes.value(Compatible, &format!("{path}.module"), &old.module, &new.module, places);
            changes.value(Breaking, &format!("{path}.topic"), &old.topic, &new.topic, places);
        },
    );
    let lists = (words(&before.runtime_profiles), words(&after.runtime_profiles));
    let lists = (lists.0.as_slice(), lists.1.as_slice());
    changes.named("runtime_profiles", lists, |_| Breaking, |_| Compatible, |_, _, _, _| {});
    let lists = (before.subcontracts.as_slice(), after.subcontracts.as_slice());
    changes.named(
        "subcontracts",
        lists,
        |_| Compatible,
        |_| Compatible,
        |changes, path, a, b| {
            changes.value(Compatible, &format!("{path}.path"), &a.path, &b.path, (a.span, b.span));
        },
    );
    mixins(before, after, changes);
    for (path, key, before, after) in [
        ("event_bus", "event_bus", json(&before.event_bus), json(&after.event_bus)),
        ("effect", "effect_operations", json(&before.effect), json(&after.effect)),
        ("compute", "algorithm", json(&before.compute), json(&after.compute)),
        ("error_state", "error_state", json(&before.error_state), json(&after.error_state)),
    ] {
        if before != after {
            changes.add(Compatible, path, "changed", key_places(old, new, key));
        }
    }
}

/// Who relied on being tried again, taken back, spared, counted or asked after is let down; a cache
/// only changes how fast an answer comes.
fn mixins(before: &Sections, after: &Sections, changes: &mut Changes) {
    let gone = |it: &Mixin| if it.kind == MixinKind::Caching { Compatible } else { Breaking };
    let lists = (before.mixins.as_slice(), after.mixins.as_slice());
    changes.named(
        "mixins",
        lists,
        gone,
        |_| Compatible,
        |changes, path, old, new| {
            for value in old.kind.values() {
                let number = |it: &Mixin| it.settings.get(value.attribute).cloned();
                let path = format!("{path}.{}", value.attribute);
                changes.value(Compatible, &path, &number(old), &number(new), (old.span, new.span));
            }
        },
    );
}

/// A section without its places.
fn json<T: serde::Serialize>(section: &Option<T>) -> Option<serde_json::Value> {
    serde_json::to_value(section).ok()
}

fn descriptor(old: Option<&Descriptor>, new: Option<&Descriptor>, changes: &mut Changes) {
    let (Some(old), Some(new)) = (old, new) else {
        if old.is_some() != new.is_some() {
            let message = if new.is_some() { "is new" } else { "is gone" };
            let places = (old.and_then(|it| it.span), new.and_then(|it| it.span));
            changes.add(Compatible, "descriptor", message, places);
        }
        return;
    };
    let places = (old.span, new.span);
    let was_pure = old.purity.as_deref() == Some("pure");
    let impact = if was_pure { Breaking } else { Compatible };
    changes.value(impact, "descriptor.purity", &old.purity, &new.purity, places);
    let impact = if old.idempotent == Some(true) { Breaking } else { Compatible };
    changes.value(impact, "descriptor.idempotent", &old.idempotent, &new.idempotent, places);
    let path = "descriptor.timeout_ms";
    changes.value(Compatible, path, &old.timeout_ms, &new.timeout_ms, places);
}

/// Keys that the normal form reads; what they say has been compared, or is a text for people.
const READ: [&str; 43] = [
    "name",
    "node_name",
    "contract_name",
    "node_id",
    "handler_id",
    "workflow_id",
    "node_type",
    "contract_version",
    "version",
    "node_version",
    "description",
    "contract_description",
    "input_model",
    "output_model",
    "inputs",
    "outputs",
    "input",
    "output",
    "input_state",
    "output_state",
    "error_state",
    "definitions",
    "actions",
    "supported_actions",
    "io_operations",
    "dependencies",
    "error_codes",
    "state_machine",
    "fsm",
    "state_transitions",
    "subscribe_topics",
    "publish_topics",
    "terminal_event",
    "capabilities",
    "fingerprint",
    "status_codes",
    "descriptor",
    "runtime_profiles",
    "subcontracts",
    "mixins",
    "algorithm",
    "effect_operations",
    "effect",
];

/// Keys at the top that the normal form has no place for.
pub(super) fn other_keys(old: &Contract, new: &Contract, changes: &mut Changes) {
    let keys: BTreeSet<&str> = [old, new]
        .into_iter()
        .flat_map(|it| it.document.pairs())
        .filter_map(|(key, _)| key.text())
        .filter(|key| !READ.contains(key))
        .collect();
    for key in keys {
        let value = |it: &Contract| it.document.get(key).map(Node::to_json);
        let seen = changes.found.iter().any(|it| it.path.split('.').next() == Some(key));
        if value(old) == value(new) || seen {
            continue;
        }
        let message = match (value(old), value(new)) {
            (Some(_), None) => "is gone",
            (None, Some(_)) => "is new",
            _ => "changed",
        };
        changes.add(Compatible, key, message, key_places(old, new, key));
    }
}
