//! Models and enums planned from contracts.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test may fail loudly")]

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

/// The declaration of one field of this type, and the findings about it.
fn one(text: &str) -> (String, Vec<Finding>) {
    let (shape, mut findings) = planned(&format!("{HEAD}inputs:\n  a: {text}\n"));
    findings.retain(|it| it.rule_id != "completeness.no-fields");
    (lines(&shape, &shape.input).remove(0), findings)
}

#[test]
fn every_type_has_its_python() {
    for (text, want) in [
        ("date", "a: date"),
        ("time", "a: time"),
        ("duration", "a: timedelta"),
        ("bytes", "a: bytes"),
        ("'UUID | None'", "a: UUID | None = Field(default=None)"),
        ("'dict[str, list[int]]'", "a: dict[str, list[int]]"),
        ("{enum: [1, 2]}", "a: Literal[1, 2]"),
        ("{enum: [1, x, true]}", "a: Literal[1, \"x\", True]"),
        ("{enum: [x, y]}", "a: EnumPriceA"),
        ("'str | int'", "a: str | int"),
        (
            "{type: integer, minimum: 1, exclusiveMaximum: 9, multipleOf: 2}",
            "a: int = Field(ge=1, lt=9, multiple_of=2)",
        ),
        ("{type: integer, exclusiveMinimum: 0.5}", "a: int = Field(gt=0)"),
        ("{type: number, exclusiveMinimum: 0, maximum: 1}", "a: float = Field(gt=0.0, le=1.0)"),
        (
            "{type: string, minLength: 2, maxLength: 8, pattern: '^[a-z]+$'}",
            "a: str = Field(min_length=2, max_length=8, pattern=\"^[a-z]+$\")",
        ),
        (
            "{type: decimal, minimum: 0.5, max_digits: 8, decimal_places: 2}",
            "a: Decimal = Field(ge=0.5, max_digits=8, decimal_places=2)",
        ),
        ("{type: array, items: {type: int, minimum: 0}}", "a: list[Annotated[int, Field(ge=0)]]"),
        (
            "{type: array, items: {type: str}, minItems: 1, maxItems: 3}",
            "a: list[str] = Field(min_length=1, max_length=3)",
        ),
        ("'set[str]'", "a: Annotated[list[str], AfterValidator(refuse_repeats)]"),
        (
            "{type: [integer, string], minimum: 0, maxLength: 5}",
            "a: Annotated[int, Field(ge=0)] | Annotated[str, Field(max_length=5)]",
        ),
        ("{type: decimal, default: 1.50}", "a: Decimal = Field(default=Decimal(\"1.5\"))"),
        (
            "{type: date, default: 2026-01-31}",
            "a: date = Field(default=date.fromisoformat(\"2026-01-31\"))",
        ),
        (
            "{type: duration, default: P1DT1M}",
            "a: timedelta = Field(default=timedelta(seconds=86460))",
        ),
        ("{enum: [1, 2], default: 2}", "a: Literal[1, 2] = Field(default=2)"),
        (
            "{type: array, items: {type: str}, minItems: 1, required: false}",
            "a: list[str] | None = Field(default=None, min_length=1)",
        ),
    ] {
        let (line, findings) = one(text);
        assert_eq!(line, want, "{text}");
        assert!(findings.is_empty(), "{text}: {findings:?}");
    }
}

#[test]
fn what_cannot_hold_is_left_out_and_said() {
    for (text, want, rule) in [
        ("{type: int, minimum: 5, maximum: 3}", "a: int", "correctness.bounds"),
        ("{type: int, multipleOf: 1.5}", "a: int", "correctness.bounds"),
        ("{type: int, exclusiveMinimum: 1, exclusiveMaximum: 2}", "a: int", "correctness.bounds"),
        (
            "{type: str, pattern: '^abc$', minLength: 9}",
            "a: str = Field(pattern=\"^abc$\")",
            "correctness.bounds",
        ),
        (
            "{type: array, items: {type: bool}, minItems: 3, maxItems: 4, uniqueItems: true}",
            "a: Annotated[list[bool], AfterValidator(refuse_repeats)] = Field(max_length=4)",
            "correctness.bounds",
        ),
        (
            "{type: str, pattern: '^b', default: a}",
            "a: str | None = Field(default=None, pattern=\"^b\")",
            "correctness.default-type",
        ),
        ("'str | int | float | bool'", "a: str | float | bool", "correctness.union"),
        ("'str | int | list[str] | dict[str, str]'", "a: str", "correctness.unknown-type"),
        ("ModelElsewhere", "a: str", "correctness.unknown-type"),
    ] {
        let (line, findings) = one(text);
        assert_eq!(line, want, "{text}");
        let rules: Vec<&str> = findings.iter().map(|it| it.rule_id).collect();
        assert_eq!(rules, [rule], "{text}");
        assert!(findings[0].help.is_some() || rule == "correctness.default-type", "{text}");
    }
}

#[test]
fn fields_that_are_called_like_their_types_get_an_alias() {
    let (shape, _) = planned(&format!(
        "{HEAD}inputs:\n  date: {{type: date, required: true}}\n  time: {{type: str, required: \
         true}}\n  model_dump: {{type: int, required: true}}\n  _x: {{type: int, required: \
         true}}\n  x: {{type: int, required: true}}\n"
    ));
    assert_eq!(
        lines(&shape, &shape.input),
        [
            "date_: date = Field(alias=\"date\")",
            "time: str",
            "field_model_dump: int = Field(alias=\"model_dump\")",
            "x_2: int = Field(alias=\"_x\")",
            "x: int",
        ]
    );
}

#[test]
fn a_definition_may_refer_to_itself() {
    let (shape, findings) = planned(&format!(
        "{HEAD}inputs:\n  line: {{$ref: '#/definitions/Line', required: true}}\n\
         definitions:\n  Line:\n    type: object\n    required: [sku]\n    properties:\n      \
         sku: {{type: string}}\n      parent: {{$ref: '#/definitions/Line'}}\n      \
         parts: {{type: array, items: {{$ref: '#/definitions/Line'}}}}\n"
    ));
    let parts: Vec<&str> = shape.parts.iter().map(|it| it.class_name.as_str()).collect();
    assert_eq!(parts, ["ModelLine"]);
    assert_eq!(lines(&shape, &shape.input), ["line: ModelLine"]);
    assert_eq!(
        lines(&shape, &shape.parts[0]),
        [
            "sku: str",
            "parent: \"ModelLine | None\" = Field(default=None)",
            "parts: \"list[ModelLine]\" = Field(default_factory=list)",
        ]
    );
    assert!(shape.circles().is_empty());
    assert!(findings.iter().all(|it| it.rule_id == "completeness.no-fields"), "{findings:?}");
}

#[test]
fn a_circle_of_definitions_is_completed_and_never_endless() {
    let (shape, findings) = planned(&format!(
        "{HEAD}inputs:\n  a: {{$ref: '#/definitions/A', required: true}}\n\
         definitions:\n  A: {{type: object, required: [b], properties: {{b: {{$ref: \
         '#/definitions/B'}}}}}}\n  B: {{type: object, required: [a, all], properties: {{a: \
         {{$ref: '#/definitions/A'}}, all: {{type: array, items: {{$ref: '#/definitions/A'}}}}}}}}\n"
    ));
    let parts: Vec<&str> = shape.parts.iter().map(|it| it.class_name.as_str()).collect();
    assert_eq!(parts, ["ModelA", "ModelB"]);
    assert_eq!(lines(&shape, &shape.parts[0]), ["b: ModelB"]);
    assert_eq!(
        lines(&shape, &shape.parts[1]),
        ["a: \"ModelA | None\" = Field(default=None)", "all: \"list[ModelA]\""]
    );
    assert_eq!(shape.circles(), [1, 0]);
    let endless = findings.iter().find(|it| it.rule_id == "correctness.endless-type").unwrap();
    assert!(endless.message.starts_with("`a` must hold what holds it"), "{endless:?}");
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

#[test]
fn a_long_chain_of_definitions_ends_in_a_mapping() {
    let link = |at: usize| {
        format!("  D{at}: {{properties: {{x: {{$ref: '#/definitions/D{}'}}}}}}\n", at + 1)
    };
    let chain: String = (0..5_000).map(link).collect();
    let (shape, findings) = planned(&format!(
        "{HEAD}inputs: {{a: {{$ref: '#/definitions/D0'}}}}\ndefinitions:\n{chain}  \
         D5000: {{properties: {{x: str}}}}\n"
    ));
    assert_eq!(shape.parts.len(), 64);
    let cut = |it: &ModelPlan| lines(&shape, it).concat().starts_with("x: dict[str, str]");
    assert_eq!(shape.parts.iter().filter(|it| cut(it)).count(), 1);
    let said = findings.iter().filter(|it| it.message.contains("nests too deep"));
    assert_eq!(said.count(), 1);
}
