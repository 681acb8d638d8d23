//! Contracts read out of small files, and out of what is no node.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test may fail loudly")]

use serde_json::json;

use super::*;
use crate::contract::expression::Expression;
use crate::contract::lint;
use crate::contract::model::FieldType;
use crate::error::Error;

/// Files by path.
struct Memory(Vec<(&'static str, Vec<u8>)>);

impl PackageFiles for Memory {
    fn paths(&self) -> Vec<String> {
        self.0.iter().map(|(path, _)| (*path).to_owned()).collect()
    }

    fn read(&self, path: &str, _: u64) -> Result<Vec<u8>> {
        let file = self.0.iter().find(|(it, _)| *it == path);
        file.map(|(_, content)| content.clone()).ok_or_else(|| Error::failed("no such file"))
    }
}

fn memory(files: &[(&'static str, &str)]) -> Memory {
    Memory(files.iter().map(|(path, text)| (*path, text.as_bytes().to_vec())).collect())
}

fn of(files: &[(&'static str, &str)]) -> Made {
    let start = files[0].0;
    infer(start, &memory(files), &Options::default()).unwrap()
}

fn rules(made: &Made) -> Vec<&'static str> {
    made.findings.iter().map(|it| it.rule_id).collect()
}

fn refused(text: &str) -> Finding {
    *infer("node.py", &memory(&[("node.py", text)]), &Options::default()).unwrap_err()
}

const PRICE: &str = r#""""Prices."""

import httpx
import tomllib
import xml.etree
from pydantic import BaseModel, Field

from acme.protocols import ProtocolTaxTable


class PriceOverflowError(Exception):
    """The amount does not fit."""


class ModelLine(BaseModel):
    """A line."""

    sku: str
    count: int = Field(default=1, ge=1, le=99, description="How " "many.")


class ModelPriceInput(BaseModel):
    lines: list[ModelLine] = Field(default_factory=list)
    kind: Literal["net", "gross"] = "net"
    note: Annotated[str | None, Field(alias="remark")] = None
    odd: bytes | complex


class NodePriceEffect(NodeEffect):
    """Price an order.

    In one go.
    """

    async def execute(self, request: ModelPriceInput) -> ModelPriceOutput:
        if not request.lines:
            raise PriceOverflowError("too much")
        raise ValueError(request)
"#;

#[test]
fn a_file_is_read_as_far_as_it_says_something() {
    let made = of(&[("price.py", PRICE)]);
    let contract = &made.contract;
    assert_eq!(
        (contract.name.as_str(), contract.node_type),
        ("node_price_effect", NodeType::Effect)
    );
    assert_eq!(contract.description, "Price an order. In one go.");
    let fields = &contract.input.fields;
    let names: Vec<_> = fields.iter().map(|it| (it.name.as_str(), it.required)).collect();
    assert_eq!(names, [("lines", false), ("kind", false), ("remark", false), ("odd", true)]);
    assert_eq!(fields[0].field_type, FieldType::List(Box::new(FieldType::Ref("ModelLine".into()))));
    assert_eq!(fields[0].default, Some(json!([])));
    assert_eq!(fields[1].field_type, FieldType::Enum(vec!["net".into(), "gross".into()]));
    assert_eq!(fields[2].field_type, FieldType::Optional(Box::new(FieldType::Text)));
    assert_eq!(fields[3].field_type, FieldType::Unknown(String::new()));
    let count = &contract.definitions[0].fields[1];
    assert_eq!((count.limits.minimum, count.limits.maximum), (Some(1.0), Some(99.0)));
    assert_eq!(
        (count.default.clone(), count.description.as_deref()),
        (Some(json!(1)), Some("How many."))
    );
    let codes: Vec<_> = contract
        .error_codes
        .iter()
        .map(|it| (it.code.as_str(), it.description.as_deref()))
        .collect();
    let overflow = ("PRICE_OVERFLOW_ERROR", Some("The amount does not fit."));
    assert_eq!(codes, [overflow, ("VALUE_ERROR", None)]);
    let dependencies: Vec<_> =
        contract.dependencies.iter().map(|it| (it.name.as_str(), it.kind.as_deref())).collect();
    assert_eq!(
        dependencies,
        [("httpx", Some("library")), ("protocol_tax_table", Some("protocol"))]
    );
    // the output class and one type are not known, and neither are version, topics, operations
    for rule in ["infer-type", "infer-model", "infer-version", "infer-topics", "infer-operations"] {
        assert!(rules(&made).contains(&format!("contract.{rule}").as_str()), "{rule}");
    }
    assert_eq!(contract.output.class_name.as_deref(), Some("ModelPriceOutput"));
}

#[test]
fn the_kind_follows_from_base_name_or_work_and_is_said() {
    let method =
        "    def execute(self, net: float, rate: float = 19.0) -> float:\n        return net\n";
    let awaiting = "    async def handle(self, url: str) -> str:\n        return await get(url)\n";
    let table = [
        (format!("class NodeAEffect(NodeCompute):\n{method}"), NodeType::Compute, false),
        (format!("class AReducer:\n{method}"), NodeType::Reducer, true),
        (format!("class Adder:\n{method}"), NodeType::Compute, true),
        (format!("class Loader:\n{awaiting}"), NodeType::Effect, true),
        (format!("import requests\nclass Loader:\n{method}"), NodeType::Effect, true),
    ];
    for (text, kind, said) in table {
        let made = of(&[("x.py", &text)]);
        assert_eq!(made.contract.node_type, kind, "{text}");
        assert_eq!(rules(&made).contains(&"contract.infer-kind"), said, "{text}");
    }
    let made = of(&[("x.py", &format!("class Adder:\n{method}"))]);
    assert_eq!(made.contract.name, "node_adder_compute");
    let inputs: Vec<_> = made.contract.input.fields.iter().map(|it| it.default.clone()).collect();
    assert_eq!(inputs, [None, Some(json!(19.0))]);
    assert_eq!(made.contract.output.fields[0].field_type, FieldType::Float);
}

#[test]
fn models_are_followed_through_the_package_and_in_circles() {
    let node = "from .models.a import ModelA\nclass NodeXCompute(NodeCompute[ModelA, ModelA]):\n    \"\"\"X.\"\"\"\n";
    let a = "from .b import ModelB\nfrom ..enums.kind import EnumKind\nclass ModelA(BaseModel):\n    \
             b: 'ModelB'\n    kind: EnumKind = EnumKind.TWO\n";
    let b = "from .a import ModelA\nclass ModelB(BaseModel):\n    a: ModelA | None = None\n";
    let kind = "class EnumKind(str, Enum):\n    ONE = \"one\"\n    TWO = \"two\"\n";
    let files =
        [("node.py", node), ("models/a.py", a), ("models/b.py", b), ("enums/kind.py", kind)];
    let made = of(&files);
    let fields = &made.contract.input.fields;
    assert_eq!(fields[0].field_type, FieldType::Ref("ModelB".into()));
    assert_eq!(fields[1].default, Some(json!("two")));
    let names: Vec<_> = made.contract.definitions.iter().map(|it| it.name.as_str()).collect();
    assert_eq!(names, ["ModelB", "ModelA"]);
    assert_eq!(made.text, of(&files).text);
}

#[test]
fn a_thin_node_is_told_by_its_handler_and_its_own_package_by_its_name() {
    let node = "class NodeXEffect(NodeEffect):\n    \"\"\"X.\"\"\"\n";
    let handler = "from acme.nodes.node_x_effect.models import ModelIn, ModelOut\n\
                   class HandlerX:\n    async def handle(self, request: ModelIn) -> ModelOut: ...\n";
    let models = "from .model_in import ModelIn\nfrom .model_out import ModelOut\n";
    let (a, b) =
        ("class ModelIn(BaseModel):\n    a: int\n", "class ModelOut(BaseModel):\n    b: int\n");
    let files = memory(&[
        ("node.py", node),
        ("handlers/handler_x.py", handler),
        ("models/__init__.py", models),
        ("models/model_in.py", a),
        ("models/model_out.py", b),
    ]);
    let options = Options { class: None, folder: Some("node_x_effect") };
    let made = infer("node.py", &files, &options).unwrap();
    let sides = [&made.contract.input, &made.contract.output];
    let names = sides.map(|it| (it.class_name.as_deref().unwrap(), it.fields[0].name.as_str()));
    assert_eq!(names, [("ModelIn", "a"), ("ModelOut", "b")]);
}

#[test]
fn a_state_machine_may_be_a_table_or_a_list_of_dicts() {
    let node = "class NodeJobReducer(NodeReducer):\n    \"\"\"Jobs.\"\"\"\n";
    let tables = "STATES = ((\"idle\", \"operational\", \"Waits.\"), (\"done\", \"terminal\", \"\"))\n\
                  TRANSITIONS = ((\"go\", \"idle\", \"done\", \"finish\"),)\n";
    let dicts = "    def machine(self):\n        return {\"initial_state\": \"idle\", \"states\": [\n\
                 {\"state_name\": \"idle\", \"description\": \"Waits.\"}, {\"state_name\": \"done\"}],\n\
                 \"terminal_states\": [\"done\"], \"transitions\": [{\"transition_name\": \"go\",\n\
                 \"from_state\": \"idle\", \"to_state\": \"done\", \"trigger\": \"finish\"}]}\n";
    let machines = [format!("{tables}{node}"), format!("{node}{dicts}")].map(|text| {
        let made = of(&[("x.py", &text)]);
        assert!(!rules(&made).contains(&"contract.infer-behaviour"), "{text}");
        serde_json::to_value(made.contract.state_machine.unwrap()).unwrap()
    });
    assert_eq!(machines[0], machines[1]);
    assert_eq!(machines[0]["states"][1]["terminal"], true);
    assert_eq!(machines[0]["transitions"][0]["trigger"], "finish");
}

#[test]
fn what_is_no_node_is_said_in_one_finding() {
    let node = "class NodeACompute(NodeCompute):\n    pass\n";
    let two = format!("{node}class NodeBEffect(NodeEffect):\n    pass\n");
    let table = [
        ("def f(:\n", "contract.infer-file", "no Python 3"),
        ("", "contract.infer-class", "no class"),
        ("x = 1\n", "contract.infer-class", "no class"),
        ("class ModelX(BaseModel):\n    a: int\n", "contract.infer-class", "no class"),
        (two.as_str(), "contract.infer-class", "could both be"),
    ];
    for (text, rule, message) in table {
        let found = refused(text);
        assert_eq!(found.rule_id, rule, "{text}");
        assert!(found.message.contains(message), "{}", found.message);
    }
    let files = Memory(vec![("node.py", b"x = '\xff'\n".to_vec())]);
    let found = infer("node.py", &files, &Options::default()).unwrap_err();
    assert!(found.message.contains("not UTF-8"), "{}", found.message);
    let options = Options { class: Some("NodeBEffect"), folder: None };
    let made = infer("node.py", &memory(&[("node.py", &two)]), &options).unwrap();
    assert_eq!(made.contract.name, "node_b_effect");
    let options = Options { class: Some("NodeBEfect"), folder: None };
    let found = infer("node.py", &memory(&[("node.py", &two)]), &options).unwrap_err();
    assert_eq!(found.help.as_deref(), Some("did you mean `NodeBEffect`?"));
}

#[test]
fn names_in_other_scripts_come_to_names_that_lint_takes() {
    let made =
        of(&[("x.py", "class 価格Compute:\n    def execute(self, größe: int) -> str: ...\n")]);
    let found = lint(&made.contract, "c.yaml");
    assert!(!found.iter().any(|it| it.rule_id == "contract.name-style"), "{}", made.contract.name);
    assert_eq!(made.contract.input.fields[0].name, "größe");
}

#[test]
fn expressions_are_literals_or_something_else() {
    let table = [
        ("'a' \"b\\n\\u00e9\" r'\\d'", json!("ab\né\\d")),
        ("(-1, 2.5, 1_000, 1e3)", json!([-1, 2.5, 1000, 1000.0])),
        ("{'a': [True, None], # why\n 'b': ()}", json!({"a": [true, null], "b": []})),
        ("lambda: ['x']", json!(["x"])),
        ("UUID(\"00\")", json!("00")),
    ];
    for (text, value) in table {
        assert_eq!(Expression::read(text).data(&|_| None), Some(value), "{text}");
    }
    let other = [
        "",
        "1 + 2",
        "f'{x}'",
        "(",
        "[1, 2",
        "{1: }",
        "a b",
        "not x",
        "'open",
        "x if y else z",
        "f(x](",
        "[(}]",
        "f(a=](",
        "{]",
        "((((",
        "\u{e9}(\u{2028}",
    ];
    for text in other {
        let found = Expression::read(text);
        assert_eq!(found.data(&|_| None), None, "{text}: {found:?}");
    }
    let deep = "[".repeat(100_000);
    assert_eq!(Expression::read(&deep).data(&|_| None), None);
    assert_eq!(
        Expression::read("A | 'B' | list[C]"),
        Expression::Union(vec![
            Expression::Name("A".into()),
            Expression::Text("B".into()),
            Expression::Index("list".into(), vec![Expression::Name("C".into())]),
        ])
    );
}

#[test]
fn modules_of_python_are_sorted_for_the_search() {
    assert!(surroundings::NO_DEPENDENCIES.is_sorted());
}

#[test]
fn a_description_ends_before_the_sections_of_the_docstring() {
    let node = "class NodeXCompute(NodeCompute[T_Input, T_Output]):\n    \"\"\"Makes an x.\n\n    It is \
                made of:\n    a and b.\n\n    Attributes:\n        a: An a.\n    \"\"\"\n";
    let made = of(&[("node.py", node)]);
    assert_eq!(made.contract.description, "Makes an x. It is made of: a and b.");
    assert_eq!(made.contract.input.class_name, None);
}
