//! Models and enums planned from contracts.

#![allow(clippy::unwrap_used, reason = "a test may fail loudly")]

use super::*;
use crate::contract::{NoIncludes, parse};

fn planned(text: &str) -> (Shape, Vec<Finding>) {
    let contract = parse(text, "contract.yaml", &NoIncludes).contract.unwrap();
    let names = Names::new(&contract.name, contract.node_type);
    let mut findings = Vec::new();
    let (shape, _) = plan(&contract, &names, None, None, &mut findings);
    (shape, findings)
}

fn lines(shape: &Shape, model: &ModelPlan) -> Vec<String> {
    model.fields.iter().map(|it| it.declaration(shape)).collect()
}

const HEAD: &str = "name: node_price_compute\nnode_type: COMPUTE_GENERIC\n\
                    contract_version: {major: 1, minor: 0, patch: 0}\ndescription: A price.\n";

#[test]
fn declared_fields_keep_type_default_and_bounds() {
    let (shape, findings) = planned(&format!(
        "{HEAD}inputs:\n  net: {{type: float, required: true, minimum: 0}}\n  \
         rate: {{type: number, required: false, default: 0}}\n  \
         tags: {{type: 'list[str]', required: false}}\n  \
         order_id: {{type: uuid, required: true}}\n  \
         note: {{type: string, required: false}}\n"
    ));
    assert_eq!(
        lines(&shape, &shape.input),
        [
            "net: float = Field(ge=0.0)",
            "rate: float = Field(default=0.0)",
            "tags: list[str] = Field(default_factory=list)",
            "order_id: UUID",
            "note: str | None = Field(default=None)",
        ]
    );
    let rules: Vec<&str> = findings.iter().map(|it| it.rule_id).collect();
    assert_eq!(rules, ["completeness.no-fields"]); // the output model's
}

#[test]
fn names_that_python_cannot_have_get_an_alias() {
    let (shape, findings) = planned(&format!(
        "{HEAD}inputs:\n  class: {{type: str, required: true}}\n  \
         job_id: {{type: str, required: true}}\n"
    ));
    assert_eq!(
        lines(&shape, &shape.input),
        ["class_: str = Field(alias=\"class\")", "job_id: Annotated[str, Field()]"]
    );
    assert!(findings.iter().any(|it| it.rule_id == "correctness.renamed-field"));
}

#[test]
fn definitions_become_models_and_a_circle_is_cut() {
    let (shape, findings) = planned(&format!(
        "{HEAD}inputs:\n  line: {{$ref: '#/definitions/Line', required: true}}\n\
         definitions:\n  Line:\n    type: object\n    required: [sku]\n    properties:\n      \
         sku: {{type: string}}\n      parent: {{$ref: '#/definitions/Line'}}\n"
    ));
    let parts: Vec<&str> = shape.parts.iter().map(|it| it.class_name.as_str()).collect();
    assert_eq!(parts, ["ModelLine"]);
    assert_eq!(lines(&shape, &shape.input), ["line: ModelLine"]);
    assert!(findings.iter().any(|it| it.message.contains("refers to itself")));
}

#[test]
fn a_default_that_does_not_fit_is_refused_and_said() {
    let (shape, findings) = planned(&format!(
        "{HEAD}inputs:\n  n: {{type: int, required: false, default: many}}\n  \
         m: {{type: int, required: true, minimum: 5, default: 1}}\n"
    ));
    assert_eq!(
        lines(&shape, &shape.input),
        ["n: int | None = Field(default=None)", "m: int | None = Field(default=None, ge=5)"]
    );
    assert_eq!(findings.iter().filter(|it| it.rule_id == "correctness.default-type").count(), 2);
}

#[test]
fn a_contract_without_fields_comes_to_minimal_models() {
    let (shape, findings) = planned(HEAD);
    let names = |model: &ModelPlan| -> Vec<String> {
        model.fields.iter().map(|it| it.name.clone()).collect()
    };
    assert_eq!(names(&shape.input), ["correlation_id"]);
    assert_eq!(names(&shape.output), ["correlation_id"]);
    assert_eq!(findings.iter().filter(|it| it.rule_id == "completeness.no-fields").count(), 2);
}
