//! Spellings of types.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

use crate::contract::model::{Contract, FieldType};
use crate::contract::{NoIncludes, parse};
use FieldType::{Bool, DateTime, Float, Int, Ref, Text, Unknown, Uuid};

fn contract(text: &str) -> Contract {
    let text = format!("name: n_compute\nnode_type: COMPUTE_GENERIC\n{text}\n");
    parse(&text, "c.yaml", &NoIncludes).contract.unwrap()
}

fn of(text: &str) -> FieldType {
    let contract = contract(&format!(
        "definitions: {{ModelD: {{type: object, properties: {{x: {{type: string}}}}}}, Word: \
         {{type: string}}}}\ninputs: {{a: {text}}}"
    ));
    contract.input.fields[0].field_type.clone()
}

fn list(of: FieldType) -> FieldType {
    FieldType::List(Box::new(of))
}

fn map(of: FieldType) -> FieldType {
    FieldType::Map(Box::new(of))
}

fn optional(of: FieldType) -> FieldType {
    FieldType::Optional(Box::new(of))
}

fn values(texts: &[&str]) -> FieldType {
    FieldType::Enum(texts.iter().map(|it| (*it).to_owned()).collect())
}

#[test]
fn every_spelling_has_its_type() {
    let nothing = || Unknown(String::new());
    for (text, want) in [
        ("str", Text),
        ("{type: string}", Text),
        ("{type: integer}", Int),
        ("{type: number}", Float),
        ("boolean", Bool),
        ("{type: string, format: uuid}", Uuid),
        ("{type: string, format: date-time}", DateTime),
        ("timestamp", DateTime),
        ("list", list(nothing())),
        ("'list[str]'", list(Text)),
        ("'List[Optional[int]]'", list(optional(Int))),
        ("'list[str] | null'", optional(list(Text))),
        ("[str, null]", optional(Text)),
        ("{type: [string, 'null']}", optional(Text)),
        ("{type: str, nullable: true}", optional(Text)),
        ("'str?'", optional(Text)),
        ("'int[]'", list(Int)),
        ("'dict[str, list[float]]'", map(list(Float))),
        ("object", map(nothing())),
        ("{type: object, additionalProperties: {type: integer}}", map(Int)),
        ("{type: array, items: {type: string}}", list(Text)),
        ("{type: array, items: {$ref: '#/definitions/ModelD'}}", list(Ref("ModelD".to_owned()))),
        ("{reference: ModelD}", Ref("ModelD".to_owned())),
        ("{type: ref, ref: ModelD}", Ref("ModelD".to_owned())),
        ("{$ref: '#/definitions/Word'}", Text),
        ("'list[ModelD]'", list(Ref("ModelD".to_owned()))),
        ("{type: enum, values: [a, b]}", values(&["a", "b"])),
        ("{type: string, enum: [a, null]}", optional(values(&["a"]))),
        ("{type: integer, enum: [1, 2]}", Int),
        ("'Literal[\"a\", \"b\"]'", values(&["a", "b"])),
        ("{anyOf: [{type: string}, {type: 'null'}]}", optional(Text)),
        ("'str | int'", Unknown("str | int".to_owned())),
        ("ModelElsewhere", Unknown("ModelElsewhere".to_owned())),
        ("Any", Unknown("Any".to_owned())),
        ("{description: x}", nothing()),
        ("{$ref: '#/definitions/Gone'}", Unknown("Gone".to_owned())),
        ("objec", map(nothing())),
    ] {
        assert_eq!(of(text), want, "{text}");
    }
}

#[test]
fn an_object_declared_in_place_becomes_a_definition() {
    let text = "inputs: {owner: {type: object, properties: {owner: {type: object, properties: \
                {name: {type: string}}}}}}";
    let contract = contract(text);
    assert_eq!(contract.input.fields[0].field_type, Ref("owner".to_owned()));
    let names: Vec<_> = contract.definitions.iter().map(|it| it.name.as_str()).collect();
    assert_eq!(names, ["owner", "owner_2"]);
    assert_eq!(contract.definitions[0].fields[0].field_type, Ref("owner_2".to_owned()));
    assert_eq!(contract.definitions[1].fields[0].field_type, Text);
}

#[test]
fn depth_and_circles_end() {
    let deep = format!("'{}str{}'", "list[".repeat(400), "]".repeat(400));
    assert!(matches!(of(&deep), Unknown(_)));
    let deep = format!("'{}str{}'", "list[".repeat(100), "]".repeat(100));
    assert!(matches!(of(&deep), FieldType::List(_)));
    let circle = contract(
        "definitions: {A: {type: array, items: {$ref: '#/definitions/A'}}}\ninputs: {x: {$ref: \
         '#/definitions/A'}}",
    );
    assert!(matches!(circle.input.fields[0].field_type, FieldType::List(_)));
}
