//! Changes: each with its impact, and the step they ask for.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

use super::{Diff, Impact, Step, diff};
use crate::contract::{NoIncludes, parse};
use Impact::{Breaking, Compatible, Cosmetic};

const OLD: &str = "name: node_a_effect\nnode_type: EFFECT_GENERIC\ncontract_version: {major: 1, \
                   minor: \
                   2, patch: 3}\ndescription: Does a thing.\ninputs: {a: str, b: {type: int, \
                   required: \
                   false}, e: {enum: [x, y]}}\noutputs: {c: int, f: {enum: [x, y]}}\nactions: \
                   [go]\n\
                   io_operations: [{operation: put, idempotent: true}]\ndependencies: [{name: \
                   clock}]\n\
                   error_codes: [E1]\nfsm: {states: [s, t], transitions: [{from: s, to: t, \
                   trigger: k}]}\n\
                   descriptor: {purity: pure, timeout_ms: 5}\nown: {deep: 1}\nhealth_check: \
                   {failure_threshold: 3}\n";

fn compared(old: &str, new: &str) -> Diff {
    let read = |text: &str| parse(text, "c.yaml", &NoIncludes).contract.unwrap();
    diff(&read(old), &read(new))
}

#[test]
fn every_change_has_its_impact() {
    let table = [
        ("a: str, ", "", Breaking, "input.a"),
        ("a: str", "a: str, z: str", Breaking, "input.z"),
        ("a: str", "a: str, z: {type: str, default: q}", Compatible, "input.z"),
        ("a: str", "a: int", Breaking, "input.a"),
        ("a: str", "a: str | null", Compatible, "input.a"),
        ("required: false", "required: true", Breaking, "input.b"),
        ("e: {enum: [x, y]}", "e: {enum: [x, y, z]}", Compatible, "input.e"),
        ("e: {enum: [x, y]}", "e: {enum: [x]}", Breaking, "input.e"),
        ("c: int", "c: int, d: int", Compatible, "output.d"),
        ("c: int", "c: float", Breaking, "output.c"),
        ("c: int", "c: int | null", Breaking, "output.c"),
        ("f: {enum: [x, y]}", "f: {enum: [x, y, z]}", Breaking, "output.f"),
        ("f: {enum: [x, y]}", "f: {enum: [x]}", Compatible, "output.f"),
        ("a: str", "a: {type: str, maxLength: 5}", Breaking, "input.a.max_length"),
        ("a: str", "a: {type: str, pattern: '^a'}", Breaking, "input.a.pattern"),
        ("c: int", "c: {type: int, minimum: 0}", Compatible, "output.c.minimum"),
        ("a: str", "a: str | int", Compatible, "input.a"),
        ("c: int", "c: int | str", Breaking, "output.c"),
        ("own: {", "retry_policy: {max_retries: 2}\nown: {", Compatible, "mixins.retry"),
        ("health_check: {", "other: {", Breaking, "mixins.health_check"),
        ("threshold: 3", "threshold: 4", Compatible, "mixins.health_check.health_failures_max"),
        ("actions: [go]", "actions: [go, stop]", Compatible, "actions.stop"),
        ("actions: [go]", "actions: [stop]", Breaking, "actions.go"),
        ("idempotent: true", "idempotent: false", Breaking, "io_operations.put.idempotent"),
        ("[{name: clock}]", "[{name: clock}, {name: db}]", Breaking, "dependencies.db"),
        ("[{name: clock}]", "[]", Compatible, "dependencies.clock"),
        ("[E1]", "[E1, E2]", Compatible, "error_codes.E2"),
        ("[E1]", "[E2]", Breaking, "error_codes.E1"),
        ("to: t", "to: s", Breaking, "state_machine.transitions.s by k"),
        ("purity: pure", "purity: side_effecting", Breaking, "descriptor.purity"),
        ("timeout_ms: 5", "timeout_ms: 6", Compatible, "descriptor.timeout_ms"),
        ("deep: 1", "deep: 2", Compatible, "own"),
        ("Does a thing.", "Does one thing.", Cosmetic, "description"),
        ("node_a_effect", "node_b_effect", Breaking, "name"),
    ];
    for (before, after, impact, path) in table {
        assert!(OLD.contains(before), "{before}");
        let found = compared(OLD, &OLD.replacen(before, after, 1));
        let first = &found.changes[0];
        assert_eq!((first.impact, first.path.as_str()), (impact, path), "{:#?}", found.changes);
        assert!(!found.is_enough(), "{path}");
    }
}

#[test]
fn the_version_is_asked_for_the_step() {
    let stepped = |from: &str, to: &str, change: (&str, &str)| {
        let old = OLD.replacen("{major: 1, minor: 2, patch: 3}", from, 1);
        let new = OLD.replacen("{major: 1, minor: 2, patch: 3}", to, 1);
        compared(&old, &new.replacen(change.0, change.1, 1))
    };
    let breaking = ("a: str, ", "");
    let found = stepped("1.2.3", "2.0.0", breaking);
    assert!(found.is_enough() && found.demanded == Step::Major && found.taken == Some(Step::Major));
    assert!(!stepped("1.2.3", "1.3.0", breaking).is_enough());
    assert!(stepped("0.2.3", "0.3.0", breaking).is_enough());
    assert!(stepped("1.2.3", "1.3.0", ("[go]", "[go, stop]")).is_enough());
    assert!(!stepped("1.2.3", "1.2.4", ("[go]", "[go, stop]")).is_enough());
    assert!(stepped("1.2.3", "1.2.4", ("a thing", "one thing")).is_enough());
    let back = stepped("1.2.3", "1.2.2", ("[go]", "[go]"));
    assert!(back.taken.is_none() && !back.is_enough());
}

#[test]
fn layout_and_spelling_are_no_changes() {
    let other = OLD
        .replace("EFFECT_GENERIC", "effect # the kind")
        .replace("{major: 1, minor: 2, patch: 3}", "1.2.3")
        .replace("fsm:", "state_machine:");
    let found = compared(OLD, &other);
    assert!(found.changes.is_empty() && found.is_enough(), "{:#?}", found.changes);
}

#[test]
fn namesakes_are_compared_in_their_order() {
    let handler = |name: &str| format!("{{event_model: ModelE, handler: {{name: {name}}}}}");
    let text = |names: &[&str]| {
        let handlers: Vec<String> = names.iter().map(|it| handler(it)).collect();
        format!("{OLD}handler_routing: {{handlers: [{}]}}\n", handlers.join(", "))
    };
    let both = text(&["HandlerA", "HandlerB"]);
    assert_eq!(compared(&both, &both).changes, []);
    let handlers = |old: &str, new: &str| -> Vec<Impact> {
        let all = compared(old, new).changes.into_iter();
        all.filter(|it| it.path == "handlers.ModelE").map(|it| it.impact).collect()
    };
    assert_eq!(handlers(&both, &text(&["HandlerA"])), [Breaking]);
    assert_eq!(handlers(&text(&["HandlerA"]), &both), [Compatible]);
}
