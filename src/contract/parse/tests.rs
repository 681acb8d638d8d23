//! Forms of contracts, one test per kind of variation.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

use super::*;
use crate::contract::NoIncludes;
use crate::contract::model::{FieldType, NodeType, Version};

const HEAD: &str = "name: n_compute\nnode_type: COMPUTE_GENERIC\n";

fn whole(text: &str) -> Parsed {
    parse(text, "c.yaml", &NoIncludes)
}

fn with(text: &str) -> Contract {
    whole(&format!("{HEAD}{text}")).contract.unwrap()
}

fn rules(parsed: &Parsed) -> Vec<&'static str> {
    parsed.findings.iter().map(|it| it.rule_id).collect()
}

#[test]
fn a_kind_is_read_from_every_place_that_tells_it() {
    use NodeType::{Compute, Effect, Orchestrator, Reducer};
    for (text, kind, rule) in [
        ("name: a\nnode_type: EFFECT_GENERIC", Effect, None),
        ("name: a\nnode_type: effect", Effect, Some("contract.rewrite-node-type")),
        ("name: a\nnode_type: REDUCER", Reducer, Some("contract.rewrite-node-type")),
        ("name: a\nnode_type: workflow", Orchestrator, Some("contract.rewrite-node-type")),
        (
            "name: a\ndescriptor: {node_archetype: reducer}",
            Reducer,
            Some("contract.rewrite-node-type"),
        ),
        (
            "name: a\ndescriptor: {}\nhandler_kind: effect",
            Effect,
            Some("contract.rewrite-node-type"),
        ),
        ("name: a\nhandler_id: effect.db.x", Effect, Some("contract.rewrite-node-type")),
        ("name: a_reducer\ninputs: {}", Reducer, Some("contract.rewrite-node-type")),
        ("workflow_id: a", Orchestrator, Some("contract.rewrite-node-type")),
        ("name: a\ninput_state: {}", Compute, Some("contract.node-type-assumed")),
    ] {
        let parsed = whole(text);
        assert_eq!(parsed.contract.as_ref().unwrap().node_type, kind, "{text}");
        let found = rules(&parsed).into_iter().find(|it| it.contains("node-type"));
        assert_eq!(found, rule, "{text}");
    }
}

#[test]
fn what_is_no_contract_says_so_once_with_a_place() {
    for (text, rule, line) in [
        ("- a\n- b", "contract.not-a-mapping", 1),
        ("42", "contract.not-a-mapping", 1),
        ("ticket_id: x\nsubject: y", "contract.not-a-node", 1),
        ("states: []\ninitial_state: a", "contract.not-a-node", 1),
        ("description: x\nnode_type: COMPUTE_GENERIC", "contract.name", 1),
        ("name: x\nnode_type: COMPUT", "contract.node-type", 2),
        ("name: x\nnode_type: 123", "contract.node-type", 2),
        ("name: x\nnode_type: [a]", "contract.node-type", 2),
        ("name: x\nnode_type: '  '", "contract.node-type", 2),
        ("name: {NAME}\nnode_type: EFFECT_GENERIC", "contract.name", 1),
    ] {
        let parsed = whole(text);
        assert!(parsed.contract.is_none(), "{text}");
        let errors: Vec<_> = parsed.findings.iter().filter(|it| it.level == Level::Error).collect();
        assert_eq!(errors.len(), 1, "{text}: {errors:?}");
        assert_eq!((errors[0].rule_id, errors[0].span.unwrap().start_line), (rule, line), "{text}");
    }
    let near = whole("name: x\nnode_type: COMPUT");
    assert!(near.findings[0].help.as_deref().unwrap().contains("COMPUTE_GENERIC"));
}

#[test]
fn versions_are_read_in_every_form_and_faults_are_told() {
    let version = |major, minor, patch| Version { major, minor, patch };
    for (text, want, rule) in [
        ("contract_version: {major: 1, minor: 2, patch: 3}", version(1, 2, 3), None),
        ("contract_version: '1.2.3'", version(1, 2, 3), Some("contract.rewrite-version")),
        ("contract_version: 2.0", version(2, 0, 0), Some("contract.rewrite-version")),
        ("contract_version: 1.2.3-rc.1", version(1, 2, 3), Some("contract.rewrite-version")),
        (
            "version: {major: 4, minor: 0, patch: 0}",
            version(4, 0, 0),
            Some("contract.rewrite-version-key"),
        ),
        ("", version(1, 0, 0), None),
        ("contract_version: {major: 1, minor: 2}", version(1, 2, 0), Some("contract.version")),
        ("contract_version: not-a-version", version(1, 0, 0), Some("contract.version")),
        ("contract_version: 01.0.0", version(1, 0, 0), Some("contract.version")),
        ("contract_version: [1, 0, 0]", version(1, 0, 0), Some("contract.version")),
        (
            "contract_version: {major: -1, minor: 0, patch: 0}",
            version(1, 0, 0),
            Some("contract.version"),
        ),
        ("contract_version: ''", version(1, 0, 0), Some("contract.version")),
    ] {
        let parsed = whole(&format!("{HEAD}{text}\n"));
        assert_eq!(parsed.contract.as_ref().unwrap().version, want, "{text}");
        assert_eq!(rules(&parsed).first().copied(), rule, "{text}");
    }
    assert!(whole(&format!("{HEAD}contract_version: [1]\n")).has_errors());
    let node = whole(&format!("{HEAD}node_version: x\n"));
    assert!(node.contract.as_ref().unwrap().node_version.is_none() && !node.has_errors());
}

#[test]
fn a_model_is_named_in_seven_ways() {
    for text in [
        "input_model: {name: ModelX, module: a.b}",
        "input_model: {class: ModelX, module: a.b}",
        "input_model: {module: a.b, type_name: ModelX}",
        "input_model: a.b.ModelX",
        "input_model: a.b:ModelX",
        "handler: {class: H, module: h, input_model: a.b.ModelX}",
        "input: {model: a.b.ModelX}",
        "handler_routing: {handlers: [{event_model: {name: ModelX, module: a.b}}]}",
    ] {
        let model = with(text).input;
        let got = (model.class_name.as_deref(), model.module.as_deref());
        assert_eq!(got, (Some("ModelX"), Some("a.b")), "{text}");
        assert!(model.fields.is_empty(), "{text}");
    }
    let bare = with("input_model: ModelX").input;
    assert_eq!((bare.class_name.as_deref(), bare.module), (Some("ModelX"), None));
    let parsed = whole(&format!("{HEAD}input_model: just a string\n"));
    assert_eq!(rules(&parsed), ["contract.model-reference"]);
}

#[test]
fn a_model_that_no_class_can_be_called_has_none_in_either_form() {
    for text in ["output_model: Model*A", "output_model: {name: Model*A, fields: {x: str}}"] {
        let parsed = whole(&format!("{HEAD}input_model: ModelI\n{text}\n"));
        assert!(rules(&parsed).contains(&"contract.model-reference"), "{text}");
        assert_eq!(parsed.contract.unwrap().output.class_name, None, "{text}");
    }
}

#[test]
fn a_field_without_a_name_is_none() {
    for text in ["inputs: {'': int, a: str, ' ': str}", "inputs: ['', a, {name: ''}]"] {
        let names: Vec<String> = with(text).input.fields.into_iter().map(|it| it.name).collect();
        assert_eq!(names, ["a"], "{text}");
    }
}

#[test]
fn fields_are_declared_in_six_places() {
    for text in [
        "inputs: {a: str, b: {type: int, default: 3}}",
        "input: {a: {type: str}, b: {type: integer, default: 3}}",
        "input_model: {name: ModelX, fields: {a: {type: str}, b: {type: int, default: 3}}}",
        "input_model: {name: ModelX, fields: [{name: a, type: str}, {name: b, type: int, \
         default: 3}]}",
        "input_state: {type: object, required: [a], properties: {a: {type: string}, b: {type: \
         integer, default: 3}}}",
        "input_state: {object_type: object, required: [a], properties: {a: {property_type: \
         string}, b: {property_type: integer, default: 3}}}",
        "input_model: {name: ModelX, module: m}\ndefinitions: {ModelX: {type: object, required: \
         [a], properties: {a: {type: string}, b: {type: integer, default: 3}}}}",
    ] {
        let fields = with(text).input.fields;
        let got: Vec<_> =
            fields.iter().map(|it| (it.name.as_str(), &it.field_type, it.required)).collect();
        assert_eq!(got, [("a", &FieldType::Text, true), ("b", &FieldType::Int, false)], "{text}");
        assert_eq!(fields[1].default, Some(serde_json::json!(3)), "{text}");
    }
    let names = with("input_state: {object_type: object, required: [a], optional: [b]}").input;
    let got: Vec<_> = names.fields.iter().map(|it| (it.name.as_str(), it.required)).collect();
    assert_eq!(got, [("a", true), ("b", false)]);
}

#[test]
fn operations_dependencies_and_codes_are_read_in_their_forms() {
    let contract = with(
        "io_operations:\n  - {operation: read, input_fields: [a], output_fields: [b], \
         idempotent: true}\n  - {operation_type: file_write, atomic: true}\n",
    );
    let got: Vec<_> = contract
        .io_operations
        .iter()
        .map(|it| (it.name.as_str(), it.input_fields.len(), it.idempotent, it.atomic))
        .collect();
    assert_eq!(got, [("read", 1, true, false), ("file_write", 0, false, true)]);
    for (text, want) in [
        (
            "dependencies: [{name: x, type: protocol}, y]",
            vec![("x", Some("protocol")), ("y", None)],
        ),
        (
            "dependencies: [{name: x, dependency_type: node, optional: true}]",
            vec![("x", Some("node"))],
        ),
        (
            "dependencies: {external_services: [{name: x}], packages: [y]}",
            vec![("x", Some("external_service")), ("y", Some("package"))],
        ),
        ("dependencies: {required: [x]}", vec![("x", None)]),
    ] {
        let found = with(text).dependencies;
        let got: Vec<_> = found.iter().map(|it| (it.name.as_str(), it.kind.as_deref())).collect();
        assert_eq!(got, want, "{text}");
    }
    assert!(!with("dependencies: [{name: x, optional: true}]").dependencies[0].required);
    for text in [
        "error_codes: [A, B]",
        "error_codes: {A: broken, B: {description: worse}}",
        "error_handling: {error_codes: [{code: A}, {code: B}]}",
        "error_handling: {error_types: [{name: x, error_code: A}, {name: B}]}",
        "error_handling: [{error_code: A, retry: true}, {error_code: B}]",
        "definitions: {error_codes: {A: broken, B: worse}}",
    ] {
        let codes: Vec<_> = with(text).error_codes.into_iter().map(|it| it.code).collect();
        assert_eq!(codes, ["A", "B"], "{text}");
    }
    for text in ["actions: [a, {name: b}]", "actions: {a: does, b: {description: does}}"] {
        let names: Vec<_> = with(text).actions.into_iter().map(|it| it.name).collect();
        assert_eq!(names, ["a", "b"], "{text}");
    }
    for text in ["capabilities: [a, {name: b}]", "capabilities: {a: {}, b: {}}"] {
        assert_eq!(with(text).capabilities, ["a", "b"], "{text}");
    }
}

#[test]
fn a_state_machine_is_read_under_three_names_and_in_four_forms() {
    for text in [
        "state_machine:\n  initial_state: a\n  terminal_states: [b]\n  states: [{state_name: a}, \
         {state_name: b}]\n  transitions: [{from_state: a, to_state: b, trigger: go}]\n",
        "fsm:\n  initial_state: a\n  states: [a, {name: b, is_terminal: true}]\n  transitions: \
         [{from: a, to: b, trigger: go}]\n",
        "state_transitions:\n  states: [{state_name: a}, {state_name: b, state_type: \
         terminal}]\n  transitions: [{source: a, dest: b, trigger: go}]\n",
        "fsm:\n  terminal_states: [b]\n  states:\n    a: {transitions: {go: b}}\n    b: \
         {description: end}\n",
    ] {
        let machine = with(text).state_machine.unwrap();
        assert_eq!(machine.initial_state, "a", "{text}");
        let states: Vec<_> =
            machine.states.iter().map(|it| (it.name.as_str(), it.terminal)).collect();
        assert_eq!(states, [("a", false), ("b", true)], "{text}");
        let moves: Vec<_> = machine
            .transitions
            .iter()
            .map(|it| (it.from.as_str(), it.to.as_str(), it.trigger.as_str()))
            .collect();
        assert_eq!(moves, [("a", "b", "go")], "{text}");
    }
    let none = whole(&format!("{HEAD}fsm: {{states: []}}\n"));
    assert!(none.contract.as_ref().unwrap().state_machine.is_none());
    assert!(rules(&none).contains(&"contract.fsm-states"));
    let many = with("fsm: {states: [a, b, c], transitions: [{from: [a, b], to: c, trigger: x}]}");
    assert_eq!(many.state_machine.unwrap().transitions.len(), 2);
}

#[test]
fn a_workflow_is_read_from_graphs_edges_steps_and_flows() {
    for text in [
        "workflow_coordination: {workflow_definition: {execution_graph: {nodes: [{node_id: a}, \
         {node_id: b, depends_on: [a]}]}}}",
        "workflow_coordination: {workflow_definition: {execution_graph: {nodes: [{node_id: a}, \
         {node_id: b}], edges: [{source: a, target: b}]}}}",
        "workflow_coordination: {steps: [a, {step: b, depends_on: a}]}",
        "workflow: {steps: {a: {}, b: {depends_on: [a]}}}",
        "workflows: {first: {steps: [{step: a}, {step: b, depends_on: [a]}]}}",
        "nodes: [a, b]\nevent_flow: [{source: start, target: a}, {source: a, target: b}, \
         {source: b, target: end}]",
    ] {
        let workflow = with(text).workflow.unwrap();
        let steps: Vec<_> =
            workflow.steps.iter().map(|it| (it.name.as_str(), it.depends_on.clone())).collect();
        assert_eq!(steps, [("a", vec![]), ("b", vec!["a".to_owned()])], "{text}");
    }
    assert!(with("workflow_coordination: {execution_mode: parallel}").workflow.is_none());
}

#[test]
fn topics_are_read_from_their_places_once() {
    for text in [
        "event_bus: {subscribe_topics: [onex.a], publish_topics: [onex.b]}",
        "event_bus: {subscribe: {topic: onex.a, consumer_group: g}, publish: {success_topic: \
         onex.b}}",
        "event_bus: {subscribe: [{topic: onex.a}], publish: [{topic: onex.b}]}",
        "consumed_events: [{topic: onex.a}]\npublished_events: [{topic: onex.b}, {topic: onex.b}]",
        "topics: {consumes: [onex.a], produces: [onex.b]}",
        "event_bus:\ninitial_command: onex.a\nterminal_event: onex.b",
    ] {
        let contract = with(text);
        assert_eq!(contract.subscribe_topics, ["onex.a"], "{text}");
        assert_eq!(contract.publish_topics, ["onex.b"], "{text}");
    }
}

#[test]
fn unknown_keys_are_kept_and_only_near_ones_are_told() {
    let parsed = whole(&format!("{HEAD}descrption: x\nzebra_crossing: 1\n"));
    assert_eq!(rules(&parsed), ["contract.unknown-key"]);
    let finding = &parsed.findings[0];
    assert_eq!(finding.help.as_deref(), Some("did you mean `description`?"));
    let span = finding.span.unwrap();
    assert_eq!((span.start_line, span.start_column, span.end_column), (3, 1, 11));
    assert!(parsed.contract.unwrap().document.get("zebra_crossing").is_some());
}

#[test]
fn bytes_that_are_no_text_are_refused_with_a_place() {
    let rule = |bytes: &[u8]| {
        let parsed = parse_bytes(bytes, "c.yaml", &NoIncludes);
        assert!(parsed.contract.is_none() && parsed.findings.len() == 1);
        (parsed.findings[0].rule_id, parsed.findings[0].span.unwrap_or_default().start_line)
    };
    assert_eq!(rule(b"name: a\nb: \xff\xfe\n"), ("contract.encoding", 2));
    assert_eq!(rule(b"\x7fELF\0\0\0"), ("contract.encoding", 1));
    assert_eq!(rule(b""), ("contract.empty", 0));
    let large = vec![b'#'; CONTRACT_SIZE_BYTES_MAX + 1];
    assert_eq!(rule(&large), ("contract.too-large", 0));
}

#[test]
fn sections_are_read_in_their_forms() {
    let text = "name: node_a_effect\nnode_type: EFFECT\ncontract_driven: true\nstrong_typing: no\n\
                descriptor: {node_archetype: effect, purity: pure, timeout_ms: 5, \
                runtime_profiles: \
                [a]}\nevent_bus: {version: {major: 1, minor: 2, patch: 0}, dlq_topics: \
                [onex.dlq.a.b.v1]}\n\
                terminal_event: onex.evt.a.done.v1\nstatus_codes: {0: fine, 3: {description: no}}\n\
                error_state: {type: object, properties: {why: {type: string}}}\n\
                handler_routing:\n  routing_strategy: operation_match\n  default_handler: x\n  \
                handlers:\n  - {operation: go, handler: {name: HandlerGo, module: a.b}}\n  - \
                {routing_key: k, handler_key: key}\n  - {handler: plain, event_model: {name: \
                ModelE}}\n\
                effect_operations: {execution_mode: parallel, default_retry_policy: {max_retries: \
                3}, \
                circuit_breaker: {enabled: true}}\nalgorithm: {algorithm_type: weighted, factors: \
                {a: \
                {weight: 1.0}}}\nsubcontracts: [{name: c, path: ./c.yaml, integration_type: \
                mixin}, \
                {name: gone}]\n";
    let contract = parse(text, "c.yaml", &NoIncludes).contract.unwrap();
    let json = serde_json::to_value(&contract).unwrap();
    assert_eq!(json["markers"], serde_json::json!(["contract_driven"]));
    assert_eq!(json["descriptor"]["timeout_ms"], 5);
    assert_eq!(json["runtime_profiles"], serde_json::json!(["a"]));
    assert_eq!(json["event_bus"]["terminal_topic"], "onex.evt.a.done.v1");
    assert_eq!(json["event_bus"]["version"]["minor"], 2);
    assert_eq!(json["status_codes"][1]["description"], "no");
    assert_eq!(json["error_state"]["fields"][0]["name"], "why");
    let handlers = &json["handler_routing"]["handlers"];
    assert_eq!(handlers[0]["module"], "a.b");
    assert_eq!((&handlers[1]["name"], &handlers[1]["operation"]), (&"key".into(), &"k".into()));
    assert_eq!(
        (&handlers[2]["name"], &handlers[2]["event_class"]),
        (&"plain".into(), &"ModelE".into())
    );
    assert_eq!(json["effect"]["retries_max"], 3);
    assert_eq!(json["compute"]["factors"][0]["weight"], 1.0);
    assert_eq!(json["subcontracts"].as_array().unwrap().len(), 1);
    let old = "name: n\nnode_type: effect\nhandler: {class: H, module: m}\n";
    let parsed = parse(old, "c.yaml", &NoIncludes);
    let routing = parsed.contract.unwrap().sections.handler_routing.unwrap();
    assert_eq!(routing.handlers[0].name, "H");
    assert!(parsed.findings.iter().any(|it| it.rule_id == "contract.rewrite-section"));
}
