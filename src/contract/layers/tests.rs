//! Layers: each says no for its reasons, and each no is explained.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

use super::{Layer, Verdicts, explains, judge};
use crate::contract::lint::rules;
use crate::contract::{NoIncludes, parse_bytes};

/// One contract per kind that upstream's strict models take.
const STRICT: [&str; 4] = [
    "name: node_price_compute\nnode_type: COMPUTE_GENERIC\ncontract_version: {major: 1, minor: 0, \
     patch: 0}\ndescription: Prices an order.\ninput_model: shop.models.ModelPriceInput\n\
     output_model: shop.models.ModelPriceOutput\nalgorithm:\n  algorithm_type: \
     weighted\n  factors: \
     {base: {weight: 1.0, calculation_method: sum}}\nperformance: {single_operation_max_ms: 50}\n",
    "name: node_note_effect\nnode_type: EFFECT_GENERIC\ncontract_version: {major: 1, minor: 0, \
     patch: 0}\ndescription: Keeps a note.\ninput_model: shop.models.ModelNoteInput\n\
     output_model: shop.models.ModelNoteOutput\nio_operations: [{operation_type: file_write}]\n",
    "name: node_job_reducer\nnode_type: REDUCER_GENERIC\ncontract_version: {major: 1, minor: 0, \
     patch: 0}\ndescription: Follows a job.\ninput_model: shop.models.ModelJobInput\n\
     output_model: shop.models.ModelJobOutput\nstate_machine:\n  version: {major: 1, minor: 0, \
     patch: 0}\n  state_machine_name: job\n  state_machine_version: {major: 1, minor: 0, patch: \
     0}\n  \
     description: A job.\n  initial_state: idle\n  states:\n    - {version: {major: 1, minor: 0, \
     patch: 0}, state_name: idle, state_type: operational, description: Waits.}\n    - {version: \
     {major: 1, minor: 0, patch: 0}, state_name: done, state_type: terminal, description: Is \
     over., \
     is_terminal: true, is_recoverable: false}\n  transitions:\n    - {version: {major: 1, minor: \
     0, patch: 0}, transition_name: finish, from_state: idle, to_state: done, trigger: finish}\n",
    "name: node_release_orchestrator\nnode_type: ORCHESTRATOR_GENERIC\ncontract_version: {major: \
     1, \
     minor: 0, patch: 0}\ndescription: Releases.\ninput_model: shop.models.ModelReleaseInput\n\
     output_model: shop.models.ModelReleaseOutput\nperformance: {single_operation_max_ms: 500}\n",
];

fn judged(text: &str) -> (Verdicts, Vec<(&'static str, String)>) {
    let parsed = parse_bytes(text.as_bytes(), "c.yaml", &NoIncludes);
    let judgement = judge(text.as_bytes(), &parsed, "c.yaml");
    let all = parsed.findings.iter().chain(&judgement.findings);
    for layer in Layer::ALL {
        let reasons = all.clone().filter(|it| explains(layer, it.rule_id)).count();
        assert_eq!(judgement.verdicts.of(layer), reasons == 0, "{layer:?}: {text}");
    }
    let found = judgement.findings.into_iter().map(|it| (it.rule_id, it.message)).collect();
    (judgement.verdicts, found)
}

fn reasons(text: &str, layer: &str) -> Vec<String> {
    let prefix = format!("contract.{layer}-");
    let (_, found) = judged(text);
    found.into_iter().filter(|it| it.0.starts_with(&prefix)).map(|it| it.1).collect()
}

#[test]
fn the_strict_models_take_a_whole_contract_of_each_kind() {
    for text in STRICT {
        let (verdicts, found) = judged(text);
        let expected = Verdicts {
            yaml: true,
            structural: true,
            minimal: true,
            audit: true,
            strict: true,
            v2: false,
        };
        assert_eq!(verdicts, expected, "{found:#?}");
    }
}

#[test]
fn the_audit_forgives_what_its_rewrite_cures() {
    let text = format!("{}metadata: {{author: me}}\nown_key: 1\n", STRICT[1])
        .replace("input_model: shop.models.ModelNoteInput", "input_model: {name: A, module: b}");
    let (verdicts, found) = judged(&text);
    assert!(verdicts.audit && !verdicts.strict);
    let strict: Vec<_> = found.iter().filter(|it| it.0.starts_with("contract.strict-")).collect();
    assert_eq!(strict.len(), 3, "{strict:#?}");
}

#[test]
fn values_are_judged_as_upstream_coerces_them() {
    let lifecycle = |value: &str| format!("{}lifecycle: {{{value}}}\n", STRICT[1]);
    for good in
        ["cleanup_timeout_s: \"5\"", "cleanup_timeout_s: 5.0", "error_recovery_enabled: \"on\""]
    {
        assert!(judged(&lifecycle(good)).0.strict, "{good}");
    }
    for bad in ["cleanup_timeout_s: 0", "cleanup_timeout_s: 5.5", "error_recovery_enabled: maybe"] {
        assert!(!judged(&lifecycle(bad)).0.strict, "{bad}");
    }
    let dated = STRICT[1].replace("description: Keeps a note.", "description: 2026-01-31");
    assert_eq!(reasons(&dated, "audit").len(), 1);
}

#[test]
fn relations_are_checked_where_the_parts_are_right() {
    let table = [
        (STRICT[0].replace("weight: 1.0", "weight: 0.5"), "add up to 0.50"),
        (STRICT[0].replace("single_operation_max_ms: 50", "memory_limit_mb: 5"), "is missing"),
        (STRICT[1].replace("file_write", "x, atomic: no"), "atomic operation"),
        (STRICT[2].replace("to_state: done", "to_state: gone"), "`gone` is not declared"),
        (STRICT[2].replace("is_recoverable: false", "is_recoverable: true"), "is_recoverable"),
        (format!("{}placement: {{mode: any}}\n", STRICT[2]), "store: none"),
        (format!("{}dependencies: [{{name: clock}}]\n", STRICT[1]), "counts as a protocol"),
    ];
    for (text, expected) in table {
        let found = reasons(&text, "audit");
        assert!(found.len() == 1 && found[0].contains(expected), "{expected}: {found:#?}");
    }
}

#[test]
fn a_new_contract_is_asked_for_more_than_an_old_one() {
    let text = STRICT[1].replace("io_operations: [{operation_type: file_write}]\n", "");
    let (verdicts, _) = judged(&text);
    assert!(verdicts.audit && !verdicts.strict);
}

#[test]
fn includes_and_days_that_are_none_are_not_for_upstreams_loader() {
    for text in ["a: !include x.yaml\n", "a: 2026-02-30\n"] {
        let (verdicts, _) = judged(&format!("{}{text}", STRICT[1]));
        assert!(!verdicts.yaml && !verdicts.strict, "{text}");
    }
    let empty = Verdicts { minimal: true, ..Verdicts::default() };
    let parsed = parse_bytes(b" \n", "c.yaml", &NoIncludes);
    assert_eq!(judge(b" \n", &parsed, "c.yaml").verdicts, empty);
}

#[test]
fn the_original_form_has_its_own_verdict() {
    let text = "name: n\nnode_type: COMPUTE\ncontract_version: 1.0.0\ndescription: d\n\
                contract_driven: true\nstrong_typing: true\nzero_any_types: true\n\
                protocol_based: true\ninput_state: {}\noutput_state: {}\nactions: {go: Goes.}\n";
    let (verdicts, found) = judged(text);
    assert!(verdicts.v2 && verdicts.structural && !verdicts.minimal, "{found:#?}");
    assert!(!judged(&text.replace("strong_typing: true", "strong_typing: no")).0.v2);
    assert!(!judged(&text.replace("actions: {go: Goes.}", "actions: [go]")).0.v2);
}

#[test]
fn every_difference_has_a_rule() {
    for layer in ["minimal", "audit", "strict", "v2"] {
        let count = rules().filter(|it| it.id.starts_with(&format!("contract.{layer}-"))).count();
        assert!(count >= 4, "{layer}: {count}");
    }
}
