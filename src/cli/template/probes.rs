//! Contracts that `template check` tries templates with: one per kind and variant, with every form
//! of field that templates see, each mixin once. Texts only.

use crate::contract::NodeType;
use crate::template::Variant;

/// Fields of every type, with bounds, defaults, and names that Python cannot have.
const FIELDS: &str = "\
contract_version: {major: 1, minor: 0, patch: 0}
description: Tries out templates; a second sentence follows. It says nothing.
inputs:
  item_id: {type: uuid, description: An id.}
  at: {type: datetime, required: false}
  class: {type: str, default: a, description: \"Quotes \\\" and \\\\ in a text.\"}
  amount: {type: int, minimum: 1, maximum: 9, default: 2}
  share: {type: float, minimum: 0}
  labels: {type: \"dict[str, str]\", required: false}
  tags: {type: \"list[str]\", default: []}
  mood: {type: enum, values: [calm, wild], default: calm}
  part: {$ref: \"#/definitions/ModelPart\"}
outputs:
  item_id: {type: uuid}
  state: {type: str}
  total: {type: int, minimum: 0}
definitions:
  ModelPart:
    type: object
    properties: {name: {type: string}, size: {type: integer}}
    required: [name]
error_codes: [FIRST, SECOND]
";

const MACHINE: &str = "\
state_machine:
  initial_state: open
  states: [{state_name: open}, {state_name: closed, is_terminal: true}]
  transitions: [{from_state: open, to_state: closed, trigger: close}]
";

const WORKFLOW: &str = "\
workflow:
  steps: [{name: first, node_type: effect}, {name: second, node_type: compute, depends_on: [first]}]
";

const OPERATIONS: &str = "\
io_operations:
  - {operation: read_item, description: Reads it.}
  - {operation: write_item}
";

const EVENTS: &str = "\
event_bus: {subscribe_topics: [onex.evt.shop.item-changed.v1, onex.evt.shop.item-removed.v1]}
";

const MIXINS: &str = "\
caching: {ttl_seconds: 60}
retry_policy: {max_retries: 2, base_delay_ms: 50}
circuit_breaker: {failure_threshold: 4}
health_check: {enabled: true}
metrics: {enabled: true}
transaction_management: {enabled: true}
";

/// Every kind and variant with a contract, first without mixins, then with them.
pub(super) fn all() -> Vec<(NodeType, Variant, String)> {
    let mut probes = Vec::new();
    for node_type in NodeType::ALL {
        for variant in Variant::of_kind(node_type) {
            let matter = match variant {
                Variant::Plain => "",
                Variant::Fsm => MACHINE,
                Variant::Workflow => WORKFLOW,
                Variant::IoOperations => OPERATIONS,
                Variant::EventDriven => EVENTS,
            };
            let kind = node_type.suffix();
            let head = format!(
                "name: node_probe_{kind}\nnode_type: {}_GENERIC\n{FIELDS}{matter}",
                node_type.as_str()
            );
            probes.push((node_type, *variant, head.clone()));
            probes.push((node_type, *variant, head + MIXINS));
        }
    }
    probes
}
