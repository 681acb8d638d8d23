//! Spellings of types.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

use crate::contract::model::limits::Limits;
use crate::contract::model::{Contract, FieldType};
use crate::contract::write::{self, Form};
use crate::contract::{NoIncludes, parse};
use FieldType::{
    Bool, Bytes, Date, DateTime, Decimal, Duration, Float, Int, Ref, Text, Time, Unknown, Uuid,
};
use serde_json::{Map, Value as Json, json};

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

fn literal(values: &[Json]) -> FieldType {
    FieldType::Literal(values.to_vec())
}

fn limited(of: FieldType, change: impl FnOnce(&mut Limits)) -> FieldType {
    let mut limits = Limits::default();
    change(&mut limits);
    FieldType::Limited(Box::new(of), limits)
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
        ("{type: integer, enum: [1, 2]}", literal(&[json!(1), json!(2)])),
        ("{enum: [1, a, true, null]}", optional(literal(&[json!(1), json!("a"), json!(true)]))),
        ("{enum: [on, off]}", values(&["on", "off"])),
        ("{type: string, enum: [1, 2]}", values(&["1", "2"])),
        ("{type: array, enum: [a, b]}", list(values(&["a", "b"]))),
        ("{type: enum, values: {a: first, b: second}}", values(&["a", "b"])),
        ("{const: v1}", values(&["v1"])),
        ("{const: 3}", literal(&[json!(3)])),
        ("'Literal[1, 2]'", literal(&[json!(1), json!(2)])),
        ("'Literal[\"a|b\", \"c,d\", None]'", optional(values(&["a|b", "c,d"]))),
        ("{type: string, format: date}", Date),
        ("{type: string, format: time}", Time),
        ("{type: string, format: duration}", Duration),
        ("{type: string, format: email}", Text),
        ("{type: ['null', string], format: uuid}", optional(Uuid)),
        ("{type: [array, 'null'], items: {type: integer}}", optional(list(Int))),
        ("decimal", Decimal),
        ("Decimal", Decimal),
        ("{type: number, format: decimal}", Decimal),
        ("timedelta", Duration),
        ("bytes", Bytes),
        ("'UUID | None'", optional(Uuid)),
        ("'dict[str, list[int]]'", map(list(Int))),
        ("{type: object, additionalProperties: int}", map(Int)),
        ("{type: [string, integer]}", FieldType::Union(vec![Text, Int])),
        (
            "{oneOf: [{$ref: '#/definitions/ModelD'}, {type: array, items: {type: string}}]}",
            FieldType::Union(vec![Ref("ModelD".to_owned()), list(Text)]),
        ),
        ("{allOf: [{$ref: '#/definitions/ModelD'}], description: x}", Ref("ModelD".to_owned())),
        ("'Annotated[int, Field(ge=1)]'", Int),
        ("'list[conint(ge=1)]'", list(limited(Int, |it| it.minimum = Some(1.0)))),
        (
            "{type: array, items: {type: [integer, 'null'], maximum: 5}}",
            list(optional(limited(Int, |it| it.maximum = Some(5.0)))),
        ),
        (
            "{type: [string, integer], minimum: 1, maxLength: 2}",
            FieldType::Union(vec![
                limited(Text, |it| it.max_length = Some(2)),
                limited(Int, |it| it.minimum = Some(1.0)),
            ]),
        ),
        ("'Literal[\"a\", \"b\"]'", values(&["a", "b"])),
        ("{anyOf: [{type: string}, {type: 'null'}]}", optional(Text)),
        ("'str | int'", FieldType::Union(vec![Text, Int])),
        ("'str | ModelElsewhere'", Unknown("str | ModelElsewhere".to_owned())),
        ("'tuple[int, str]'", Unknown("tuple[int, str]".to_owned())),
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

#[test]
fn limits_of_a_field_stand_beside_its_type() {
    for (text, want) in [
        ("{type: integer, minimum: 1, exclusiveMaximum: 9, multipleOf: 2}", "min 1 <9 x2"),
        ("{type: integer, minimum: 1, exclusiveMinimum: true}", ">1"),
        ("{type: float, ge: 0.5, le: 2}", "min 0.5 max 2"),
        ("{type: string, minLength: 1, max_length: 4, pattern: '^a'}", "len 1..4 ^a"),
        ("{type: array, items: {type: string}, minItems: 1, uniqueItems: true}", "len 1.. unique"),
        ("{type: decimal, max_digits: 5, decimal_places: 2}", "digits 5.2"),
        ("'conint(gt=0, le=7)'", "max 7 >0"),
        ("PositiveInt | None", ">0"),
        ("'Annotated[str, Field(min_length=2), Field(pattern=\"b\")]'", "len 2.. b"),
        ("'constr(max_length=3) | None'", "len ..3"),
        ("'set[int]'", "unique"),
        ("{allOf: [{type: integer, minimum: 1}, {minimum: 3, maximum: 9}]}", "min 3 max 9"),
    ] {
        let contract = contract(&format!("inputs: {{a: {text}}}"));
        assert_eq!(told(&contract.input.fields[0].limits), want, "{text}");
    }
}

fn told(of: &Limits) -> String {
    let mut all = Vec::new();
    let mut say = |sign: &str, it: Option<f64>| all.extend(it.map(|it| format!("{sign}{it}")));
    say("min ", of.minimum);
    say("max ", of.maximum);
    say(">", of.exclusive_minimum);
    say("<", of.exclusive_maximum);
    say("x", of.multiple_of);
    let end = |it: Option<u64>| it.map_or(String::new(), |it| it.to_string());
    if of.min_length.is_some() || of.max_length.is_some() {
        all.push(format!("len {}..{}", end(of.min_length), end(of.max_length)));
    }
    all.extend(of.pattern.clone());
    all.extend(of.unique_items.then(|| "unique".to_owned()));
    all.extend(of.max_digits.map(|it| format!("digits {it}.{}", end(of.decimal_places))));
    all.join(" ")
}

#[test]
fn what_cannot_be_carried_out_is_said_with_its_place() {
    for (text, rule, message) in [
        ("{type: integer, pattern: a}", "contract.constraint", "`pattern` of this type means"),
        ("{type: string, pattern: '(?=a)b'}", "contract.constraint", "no regular expression"),
        ("{type: integer, minimum: low}", "contract.constraint", "a bound must be a number"),
        ("{type: integer, maximum: 9223372036854775807}", "contract.constraint", "kept exactly"),
        ("{type: string, minLength: -1}", "contract.constraint", "a length is a whole number"),
        ("{type: string, not: {const: a}}", "contract.constraint", "`not` is not carried out"),
        ("{type: number, enum: [0.5, 1.5]}", "contract.constraint", "no value that a type can"),
        ("{type: string, format: email}", "contract.format", "the format `email` is not checked"),
        ("'dict[int, str]'", "contract.type", "keys of a mapping are texts"),
        ("ModelElsewhere", "contract.unknown-type", "the type `ModelElsewhere` of `a`"),
        ("{description: x}", "contract.unknown-type", "does not say of what type `a` is"),
        (
            "{allOf: [{type: string}, {type: integer}]}",
            "contract.constraint",
            "parts of an `allOf` differ in `type`",
        ),
        (
            "{type: object, properties: {x: {type: str}}, additionalProperties: true}",
            "contract.constraint",
            "other properties",
        ),
    ] {
        let text = format!("name: node_x\nnode_type: COMPUTE_GENERIC\ninputs:\n  a: {text}\n");
        let found = parse(&text, "c.yaml", &NoIncludes).findings;
        let hit = found.iter().find(|it| it.rule_id == rule && it.message.contains(message));
        let hit = hit.unwrap_or_else(|| panic!("{text}: {found:#?}"));
        assert_eq!(hit.span.map(|it| it.start_line), Some(4), "{text}");
        assert!(hit.help.is_some(), "{text}");
    }
}

#[test]
fn all_of_several_objects_is_one_with_the_fields_of_all() {
    let contract = contract(
        "definitions: {Base: {type: object, required: [id], properties: {id: {type: uuid}}}}\n\
         inputs: {item: {allOf: [{$ref: '#/definitions/Base'}, {type: object, properties: {n: \
         {type: int}}, required: [n]}]}}",
    );
    assert_eq!(contract.input.fields[0].field_type, Ref("item".to_owned()));
    let item = contract.definitions.iter().find(|it| it.name == "item").unwrap();
    let fields: Vec<_> = item.fields.iter().map(|it| (it.name.as_str(), it.required)).collect();
    assert_eq!(fields, [("id", true), ("n", true)]);
}

#[test]
fn types_that_multiply_end() {
    let rows = (0..40).map(|it| {
        let next = format!("{{$ref: '#/definitions/A{}'}}", it + 1);
        let pair = format!("{{type: array, items: {next}}}");
        format!("  A{it}: {{type: array, items: {{anyOf: [{pair}, {next}, {pair}]}}}}\n")
    });
    let rows: String = rows.collect();
    let contract =
        contract(&format!("definitions:\n{rows}inputs: {{x: {{$ref: '#/definitions/A0'}}}}"));
    assert_eq!(contract.input.fields.len(), 1);
}

#[test]
fn an_object_declared_in_place_never_becomes_a_type_that_is_missing() {
    let object = "{type: object, properties: {n: {type: integer}}}";
    for missing in ["{type: array, items: {$ref: '#/definitions/A'}}", "'list[A]'", "A"] {
        let fields = [format!("a: {missing}, A: {object}"), format!("A: {object}, a: {missing}")];
        for fields in fields {
            let read = contract(&format!("inputs: {{{fields}}}"));
            assert_eq!(read.definitions[0].name, "A_2", "{fields}");
            let written = write::text(&read, &Map::new(), Form::Current);
            let again = parse(&written, "c.yaml", &NoIncludes).contract.unwrap();
            let types = |of: &Contract| {
                of.input.fields.iter().map(|it| it.field_type.clone()).collect::<Vec<_>>()
            };
            assert_eq!(types(&again), types(&read), "{written}");
        }
    }
}
