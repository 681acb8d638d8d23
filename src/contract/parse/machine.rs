//! State machines: under three keys, in four forms of states and three of transitions.

use crate::contract::document::{Node, Value};
use crate::contract::model::{State, StateMachine, Transition};
use crate::contract::notes::Notes;
use crate::finding::{Finding, Level};
use std::collections::HashSet;

/// Most sources one transition may list.
const SOURCES_MAX: usize = 256;

/// The state machine of a contract; one without states is left out with a warning.
pub(super) fn state_machine(
    document: &Node,
    contract_name: &str,
    notes: &mut Notes,
) -> Option<StateMachine> {
    let keys = ["state_machine", "fsm", "state_transitions"];
    let (key, place, node) = keys.iter().find_map(|key| {
        let (place, node) = document.entry(key)?;
        node.is_mapping().then_some((*key, place, node))
    })?;
    if key != "state_machine" {
        let message = format!("`{key}` is read as `state_machine`");
        notes.note("contract.rewrite-state-machine", place.span, message);
    }
    let mut machine = StateMachine {
        name: text(node, &["state_machine_name", "fsm_name", "name"])
            .unwrap_or_else(|| contract_name.to_owned()),
        description: text(node, &["description"]),
        initial_state: String::new(),
        states: Vec::new(),
        transitions: transitions(node.get("transitions"), notes),
        span: Some(node.span),
    };
    states(node, &mut machine, notes);
    if machine.states.is_empty() {
        let help = "declare `states`, each with a `state_name`";
        notes.push(
            Finding::new("contract.fsm-states", Level::Warning, "the state machine has no states")
                .at(place.span)
                .with_help(help),
        );
        return None;
    }
    let marked = declared_initial(node);
    let first = machine.states.first().map(|state| state.name.clone()).unwrap_or_default();
    if marked.is_none() {
        let message = "the state machine names no initial state; it is taken to be the first";
        notes.note("contract.rewrite-state-machine", place.span, message);
    }
    machine.initial_state = marked.unwrap_or(first);
    Some(machine)
}

fn text(node: &Node, keys: &[&str]) -> Option<String> {
    node.first_text(keys).map(|text| text.trim().to_owned())
}

const STATE_NAMES: [&str; 4] = ["state_name", "name", "state", "id"];

fn declared_initial(node: &Node) -> Option<String> {
    text(node, &["initial_state", "initial"]).or_else(|| {
        let states = node.get("states")?;
        states.items().iter().find_map(|state| {
            let marked = ["initial_state", "is_initial", "initial"]
                .iter()
                .any(|key| state.get(key).and_then(Node::as_bool) == Some(true));
            if marked { text(state, &STATE_NAMES) } else { None }
        })
    })
}

/// Reads the states, and the transitions that are written inside them.
fn states(node: &Node, machine: &mut StateMachine, notes: &mut Notes) {
    let listed = |key: &str| -> HashSet<&str> {
        let items = node.get(key).map_or(&[][..], Node::items);
        items.iter().filter_map(|it| it.text().or_else(|| it.first_text(&STATE_NAMES))).collect()
    };
    let (terminal, error) = (listed("terminal_states"), listed("error_states"));
    let mut add = |name: &str, place: &Node, entry: &Node| {
        let says = |key: &str| entry.get(key).and_then(Node::as_bool) == Some(true);
        let kind = entry.first_text(&["state_type", "type"]).unwrap_or_default();
        let named = entry.text().is_some().then_some(entry);
        machine.states.push(State {
            name: name.trim().to_owned(),
            description: text(entry, &["description"]).or_else(|| {
                // In a map of states the value may be the description alone.
                named
                    .filter(|it| !std::ptr::eq(*it, place))
                    .and_then(Node::as_str)
                    .map(str::to_owned)
            }),
            terminal: says("is_terminal")
                || says("terminal")
                || terminal.contains(name)
                || matches!(kind, "terminal" | "final" | "end"),
            error: says("is_error") || error.contains(name) || kind == "error",
            span: Some(place.span),
        });
        inner_transitions(name, place, entry, &mut machine.transitions);
    };
    match node.get("states").map(|states| &states.value) {
        Some(Value::Sequence(items)) => {
            for item in items {
                match item.as_str().or_else(|| item.first_text(&STATE_NAMES)) {
                    Some(name) => add(name, item, item),
                    None => {
                        let message = "this state has no name; it is left out";
                        notes.warning("contract.nameless", item.span, message);
                    }
                }
            }
        }
        Some(Value::Mapping(pairs)) => {
            for (key, entry) in pairs {
                if let Some(name) = key.text() {
                    add(name, key, entry);
                }
            }
        }
        _ => {}
    }
}

/// `transitions: {trigger: target}` inside a state.
fn inner_transitions(from: &str, place: &Node, entry: &Node, found: &mut Vec<Transition>) {
    let inner = entry.first(&["transitions", "on"]);
    for (trigger, to) in inner.into_iter().flat_map(Node::entries) {
        let Some(to) = to.as_str().or_else(|| to.first_text(&TARGETS)) else { continue };
        found.push(Transition {
            name: None,
            from: from.to_owned(),
            to: to.to_owned(),
            trigger: trigger.to_owned(),
            conditional: false,
            description: None,
            span: Some(place.span),
        });
    }
}

const SOURCES: [&str; 3] = ["from_state", "from", "source"];
const TARGETS: [&str; 5] = ["to_state", "to", "target", "dest", "destination"];

/// A list of transitions, or a map of triggers; one with several sources becomes several.
fn transitions(node: Option<&Node>, notes: &mut Notes) -> Vec<Transition> {
    let mut found = Vec::new();
    let Some(node) = node else { return found };
    let pairs = node.pairs().iter().map(|(key, value)| (key.text(), value));
    let items = node.items().iter().map(|item| (None, item));
    for (key, entry) in pairs.chain(items) {
        let sources: Vec<&str> = match entry.first(&SOURCES) {
            Some(list) if list.is_sequence() => {
                list.items().iter().filter_map(Node::as_str).take(SOURCES_MAX).collect()
            }
            Some(one) => one.as_str().into_iter().collect(),
            None => Vec::new(),
        };
        let Some(to) = text(entry, &TARGETS).filter(|_| !sources.is_empty()) else {
            let message = "this transition does not say from which state to which; it is left out";
            notes.warning("contract.fsm-transition", entry.span, message);
            continue;
        };
        for from in sources {
            found.push(transition(key, from, &to, entry));
        }
    }
    found
}

fn transition(key: Option<&str>, from: &str, to: &str, entry: &Node) -> Transition {
    let filled = |key: &str| {
        entry.get(key).is_some_and(|it| it.as_str().is_some() || !it.items().is_empty())
    };
    let conditional = ["conditions", "condition", "guard", "guards", "priority", "when"];
    Transition {
        name: text(entry, &["transition_name", "name"]),
        from: from.trim().to_owned(),
        to: to.to_owned(),
        trigger: text(entry, &["trigger", "event", "on", "action"])
            .or_else(|| key.map(str::to_owned))
            .unwrap_or_default(),
        conditional: conditional.into_iter().any(filled),
        description: text(entry, &["description"]),
        span: Some(entry.span),
    }
}
