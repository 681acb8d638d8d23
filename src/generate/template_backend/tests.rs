//! Whole packages from small contracts.

#![allow(clippy::unwrap_used, reason = "a test may fail loudly")]

use super::*;
use crate::contract::{NoIncludes, parse};
use crate::template::Library;

fn package(text: &str) -> Generated {
    let contract = parse(text, "contract.yaml", &NoIncludes).contract.unwrap();
    let library = Library::builtin().unwrap();
    let set = library.select(&contract);
    let made = generate(&contract, &set).unwrap();
    assert_eq!(made, generate(&contract, &set).unwrap(), "the same twice");
    made
}

fn file<'a>(made: &'a Generated, path: &str) -> &'a str {
    let found = made.package.files.iter().find(|it| it.path == path);
    found.map(|it| it.content.as_str()).unwrap_or_else(|| panic!("{path} is missing"))
}

const VERSION: &str = "contract_version: {major: 1, minor: 0, patch: 0}\n";

#[test]
fn a_compute_node_carries_same_named_fields_over() {
    let made = package(&format!(
        "name: node_price_compute\nnode_type: COMPUTE_GENERIC\n{VERSION}description: Prices.\n\
         inputs:\n  sku: {{type: string, required: true}}\n  net: {{type: float, required: true}}\n\
         outputs:\n  sku: {{type: string, required: true}}\n  \
         gross: {{type: float, required: true, minimum: 1}}\n"
    ));
    let paths: Vec<&str> = made.package.files.iter().map(|it| it.path.as_str()).collect();
    assert_eq!(
        paths,
        [
            "README.md",
            "__init__.py",
            "contract.yaml",
            "handlers/__init__.py",
            "handlers/handler_price.py",
            "models/__init__.py",
            "models/model_price_input.py",
            "models/model_price_output.py",
            "node.py",
            "tests/__init__.py",
            "tests/test_price.py",
        ]
    );
    let handler = file(&made, "handlers/handler_price.py");
    assert!(
        handler.ends_with("return ModelPriceOutput(sku=request.sku, gross=1.0)\n"),
        "{handler}"
    );
    let scaffold = made.findings.iter().find(|it| it.rule_id == "completeness.scaffold").unwrap();
    let span = scaffold.span.unwrap();
    let place = handler.get(span.start_byte..span.end_byte).unwrap();
    assert!(place.starts_with("def handle(") && scaffold.message.contains("`gross`"));
    let before = handler.lines().take(span.start_line as usize - 1).count();
    assert_eq!(handler.lines().nth(before).map(str::trim), Some(place));
}

#[test]
fn a_reducer_takes_its_machine_from_the_contract() {
    let made = package(&format!(
        "name: job\nnode_type: REDUCER_GENERIC\n{VERSION}description: Jobs.\n\
         state_machine:\n  initial_state: idle\n  states: [{{state_name: idle}}, \
         {{state_name: done, is_terminal: true}}]\n  transitions:\n    - {{from_state: idle, \
         to_state: done, trigger: finish}}\n"
    ));
    let handler = file(&made, "handlers/handler_job.py");
    assert!(handler.contains("(\"idle_to_done\", \"idle\", \"done\", \"finish\"),"), "{handler}");
    assert!(file(&made, "enums/enum_job_event.py").contains("FINISH = \"finish\""));
    assert!(file(&made, "node.py").contains("trigger=request.event.value"));
    assert!(file(&made, "tests/test_job.py").contains("expected = \"done\""));
}

#[test]
fn an_orchestrator_takes_its_steps_from_the_contract() {
    let made = package(&format!(
        "name: release\nnode_type: ORCHESTRATOR_GENERIC\n{VERSION}description: Releases.\n\
         workflow_coordination:\n  workflow_definition:\n    workflow_metadata: \
         {{workflow_name: release}}\n    execution_graph:\n      nodes:\n        \
         - {{node_id: build, node_type: COMPUTE_GENERIC}}\n        \
         - {{node_id: publish, node_type: EFFECT_GENERIC, depends_on: [build]}}\n"
    ));
    let handler = file(&made, "handlers/handler_release.py");
    assert!(handler.contains("(\"build\", \"compute\", \"\", ()),"), "{handler}");
    assert!(handler.contains("(\"publish\", \"effect\", \"\", (\"build\",)),"), "{handler}");
}

#[test]
fn text_of_a_contract_cannot_leave_its_literal() {
    let made = package(&format!(
        "name: \"../../x\\0\"\nnode_type: EFFECT_GENERIC\n{VERSION}\
         description: 'Ends \"\"\" here {{{{ 1 }}}} \\'\n\
         io_operations:\n  - operation: 'do \"it\"'\n    input_fields: ['a\"b', 'class']\n"
    ));
    assert_eq!(made.package.name, "node_x_effect");
    let node = file(&made, "node.py");
    assert!(node.contains("Ends ''' here {{ 1 }}"), "{node}");
    let model = file(&made, "models/model_x_input.py");
    assert!(model.contains("alias='a\"b'") && model.contains("populate_by_name=True"), "{model}");
}

#[test]
fn an_effect_has_a_method_per_operation_and_the_mixins_it_asks_for() {
    let made = package(&format!(
        "name: note\nnode_type: EFFECT_GENERIC\n{VERSION}description: Notes.\n\
         inputs: {{text: {{type: str}}}}\nretry_policy: {{max_retries: 7}}\n\
         io_operations:\n  - {{operation: read_note}}\n  - {{operation: write_note}}\n"
    ));
    let handler = file(&made, "handlers/handler_note.py");
    let order = ["await self.read_note(request)", "await self.write_note(request)"];
    let places: Vec<Option<usize>> = order.iter().map(|it| handler.find(it)).collect();
    assert!(places.iter().all(Option::is_some) && places.is_sorted(), "{handler}");
    let node = file(&made, "node.py");
    assert!(node.contains("class NodeNoteEffect(MixinRetry, NodeEffect):"), "{node}");
    assert!(node.contains("    retry_max = 7\n"), "{node}");
    assert!(node.contains("call = self.retried(partial(self._answer, request))"), "{node}");
    assert!(file(&made, "tests/test_mixin_retry.py").contains("class Subject(MixinRetry)"));
}

#[test]
fn a_request_says_which_of_its_events_came_in() {
    let made = package(&format!(
        "name: index\nnode_type: EFFECT_GENERIC\n{VERSION}description: Indexes.\n\
         event_bus: {{subscribe_topics: [onex.evt.shop.item-gone.v1, onex.evt.shop.item-new.v1]}}\n"
    ));
    let handler = file(&made, "handlers/handler_index.py");
    assert!(handler.contains("EnumIndexEvent.ITEM_GONE: self.on_item_gone,"), "{handler}");
    assert!(handler.contains("await events[request.event](request)"), "{handler}");
    let sample = file(&made, "tests/test_index.py");
    assert!(sample.contains("event=EnumIndexEvent.ITEM_GONE"), "{sample}");
}

#[test]
fn an_orchestrator_knows_its_machine() {
    let made = package(&format!(
        "name: sale\nnode_type: ORCHESTRATOR_GENERIC\n{VERSION}description: Sells.\n\
         fsm:\n  initial_state: open\n  states: [open, done]\n  \
         transitions: [{{from: open, to: done, trigger: close}}]\n"
    ));
    let handler = file(&made, "handlers/handler_sale.py");
    assert!(handler.contains("(\"open_to_done\", \"open\", \"done\", \"close\"),"), "{handler}");
    assert!(handler.contains("def next_state(self, state: str, trigger: str)"), "{handler}");
    assert!(file(&made, "tests/test_sale.py").contains("handler.next_state(initial, \"close\")"));
}

#[test]
fn text_of_a_contract_cannot_leave_its_place_in_the_readme() {
    let made = package(&format!(
        "name: x\nnode_type: COMPUTE_GENERIC\n{VERSION}\
         description: \"a | b `c` <script> # d\"\n\
         inputs: {{\"p|q`r\": {{type: str, description: \"x | y\"}}}}\n"
    ));
    let readme = file(&made, "README.md");
    assert!(readme.contains("a \\| b \\`c\\` \\<script\\> \\# d"), "{readme}");
    assert!(readme.contains("| `p\\|q'r` | `str` | yes | x \\| y |"), "{readme}");
}
