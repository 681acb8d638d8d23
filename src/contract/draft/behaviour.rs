//! What a drafted node does: an operation, a state machine, or a workflow.

use super::phrase::{self, Reading};
use super::vocabulary::Verb;
use super::{add as add_field, field};
use crate::contract::model::{
    Contract, FieldType, IoOperation, NodeType, State, StateMachine, Transition, Workflow,
    WorkflowStep,
};

/// Most states and steps that are taken from a text.
const PARTS_MAX: usize = 20;

/// Adds what the kind of node asks for.
pub(super) fn add(contract: &mut Contract, text: &str, reading: &Reading, verb: Option<Verb>) {
    match contract.node_type {
        NodeType::Compute => {}
        NodeType::Effect => {
            let operation = operation(contract, verb);
            contract.io_operations.push(operation);
        }
        NodeType::Reducer => {
            let machine = machine(contract, text);
            let triggers = machine.transitions.iter().map(|it| it.trigger.clone());
            let mut events: Vec<String> = Vec::new();
            for trigger in triggers {
                if !events.contains(&trigger) {
                    events.push(trigger);
                }
            }
            let event = field("event", FieldType::Enum(events), "What happened.");
            add_field(&mut contract.input.fields, event);
            let states = machine.states.iter().map(|it| it.name.clone()).collect();
            let state = field("state", FieldType::Enum(states), "State after the event.");
            add_field(&mut contract.output.fields, state);
            let complete = field("complete", FieldType::Bool, "Whether nothing comes after it.");
            add_field(&mut contract.output.fields, complete);
            contract.state_machine = Some(machine);
        }
        NodeType::Orchestrator => contract.workflow = Some(workflow(contract, text, reading)),
    }
}

/// What the node is about, in snake case.
fn what(contract: &Contract) -> String {
    let ending = format!("_{}", contract.node_type.suffix());
    contract.name.trim_start_matches("node_").trim_end_matches(&ending).to_owned()
}

fn operation(contract: &Contract, verb: Option<Verb>) -> IoOperation {
    let names =
        |all: &[crate::contract::model::Field]| all.iter().map(|it| it.name.clone()).collect();
    IoOperation {
        name: what(contract),
        description: Some(contract.description.clone()),
        input_fields: names(&contract.input.fields),
        output_fields: names(&contract.output.fields),
        idempotent: verb.is_some_and(Verb::brings),
        atomic: true,
        span: None,
    }
}

/// Words of states in which something ends that was not brought to its end, and whether that is an
/// error.
const ENDINGS: [(&str, bool); 9] = [
    ("aborted", true),
    ("canceled", false),
    ("cancelled", false),
    ("declined", true),
    ("expired", false),
    ("failed", true),
    ("refunded", false),
    ("rejected", true),
    ("withdrawn", false),
];

/// The states that a text goes through: `from open through paid to closed`, `states are open, paid
/// and closed`, `the state of an order: open, paid, closed`.
pub(super) fn states(text: &str) -> Vec<String> {
    let lower = text.to_lowercase();
    let listed = ["states are ", "states: ", "statuses are ", "statuses: ", "states "]
        .iter()
        .find_map(|it| lower.split_once(it))
        .or_else(|| {
            let (before, after) = lower.split_once(": ")?;
            let said = ["state", "status", "lifecycle"].iter().any(|it| before.contains(it));
            said.then_some((before, after))
        });
    let of_list = listed.map(|(_, after)| path(after, true)).filter(|it| it.len() > 1);
    let way = || lower.split_once(" from ").map(|(_, after)| path(after, false));
    of_list.or_else(way).unwrap_or_default()
}

/// The parts of a list or of a way.
fn path(after: &str, is_list: bool) -> Vec<String> {
    let after = after.split(['.', ';', ':']).next().unwrap_or_default();
    let spaced = after.replace(',', " , ").replace("->", " to ").replace('→', " to ");
    let words: Vec<&str> = spaced.split_whitespace().collect();
    let ends = ["with", "by", "when", "per", "return", "returns"];
    let words = words.split(|it| ends.contains(it)).next().unwrap_or_default();
    let mut states: Vec<String> = Vec::new();
    let mut ways = 0;
    for part in words.split(|it| {
        let way = ["to", "through", "via", "until", "over", "then"].contains(it);
        ways += usize::from(way || (is_list && *it == ","));
        way || ["and", "or", ","].contains(it)
    }) {
        let plain: Vec<&str> =
            part.iter().copied().filter(|it| !["a", "an", "the"].contains(it)).collect();
        let name = phrase::snake(&plain.join(" "));
        if !name.is_empty() && plain.len() <= 3 && !states.contains(&name) {
            states.push(name);
        }
    }
    if ways == 0 || states.len() < 2 {
        Vec::new()
    } else {
        states.into_iter().take(PARTS_MAX).collect()
    }
}

/// States one after the other; into those that end it badly lead all before them.
fn way(found: &[String]) -> Vec<(String, String)> {
    let bad = |it: &str| ENDINGS.iter().any(|(word, _)| it == *word);
    let good: Vec<&String> = found.iter().filter(|it| !bad(it)).collect();
    let mut all: Vec<(String, String)> =
        good.iter().zip(good.iter().skip(1)).map(|(a, b)| ((*a).clone(), (*b).clone())).collect();
    for (at, end) in found.iter().enumerate().filter(|(_, it)| bad(it)) {
        let before = found.iter().take(at).filter(|it| !bad(it));
        // what has come to its end stays there
        let open = before.filter(|it| Some(*it) != good.last().copied() || good.len() < 2);
        all.extend(open.map(|it| (it.clone(), end.clone())));
    }
    all
}

fn machine(contract: &Contract, text: &str) -> StateMachine {
    let found = states(text);
    let state = |name: &str, description: &str, terminal: bool, error: bool| State {
        name: name.to_owned(),
        description: Some(description.to_owned()),
        terminal,
        error,
        span: None,
    };
    let transition = |from: &str, to: &str, trigger: &str| Transition {
        name: Some(format!("{from}_to_{to}")),
        from: from.to_owned(),
        to: to.to_owned(),
        trigger: trigger.to_owned(),
        conditional: false,
        description: None,
        span: None,
    };
    let (states, transitions) = if found.is_empty() {
        let states = vec![
            state("pending", "Nothing has happened yet.", false, false),
            state("active", "It has begun.", false, false),
            state("completed", "It has come to its end.", true, false),
            state("failed", "It could not be brought to its end.", true, true),
        ];
        let transitions = vec![
            transition("pending", "active", "start"),
            transition("active", "completed", "complete"),
            transition("active", "failed", "fail"),
        ];
        (states, transitions)
    } else {
        let ways = way(&found);
        let about = |it: &String| format!("State {}.", it.replace('_', " "));
        let made = found.iter().map(|it| {
            let ends = !ways.iter().any(|(from, _)| from == it);
            let error = ENDINGS.iter().any(|(word, error)| it == word && *error);
            state(it, &about(it), ends, error)
        });
        let states: Vec<State> = made.collect();
        let steps = ways.iter().map(|(from, to)| transition(from, to, &format!("to_{to}")));
        (states, steps.collect())
    };
    StateMachine {
        name: what(contract),
        description: Some(contract.description.clone()),
        initial_state: states.first().map(|it: &State| it.name.clone()).unwrap_or_default(),
        states,
        transitions,
        span: None,
    }
}

/// The clauses of the text, one after the other; where it has none, three steps that most have.
fn workflow(contract: &Contract, text: &str, reading: &Reading) -> Workflow {
    let noun = reading.object.as_ref().map_or("request", |it| it.words.as_str());
    let mut named: Vec<(String, NodeType, String)> = Vec::new();
    let clauses = phrase::clauses(text);
    let own = clauses.iter().filter(|(verb, _)| {
        // what the node as a whole does is none of its steps
        clauses.len() <= 2 || verb.kind != NodeType::Orchestrator
    });
    for (verb, words) in own.take(PARTS_MAX) {
        let name = phrase::snake(&format!("{} {words}", verb.word));
        let kind = if verb.kind == NodeType::Orchestrator { NodeType::Effect } else { verb.kind };
        if !named.iter().any(|(it, ..)| *it == name) {
            let about = format!("{} {words}", verb.word);
            named.push((name, kind, about));
        }
    }
    if named.len() < 2 {
        named = vec![
            (
                "check_request".into(),
                NodeType::Compute,
                format!("check what is asked of the {noun}"),
            ),
            (what(contract), NodeType::Effect, format!("carry it out for the {noun}")),
            ("record_outcome".into(), NodeType::Reducer, format!("keep what became of the {noun}")),
        ];
    }
    let sentence = |text: &str| {
        let mut letters = text.trim().chars();
        let first = letters.next().map(|it| it.to_uppercase().to_string()).unwrap_or_default();
        format!("{first}{}.", letters.as_str())
    };
    let mut before: Option<String> = None;
    let mut step = |(name, kind, about): (String, NodeType, String)| {
        let depends_on = before.replace(name.clone()).into_iter().collect();
        let node_type = Some(kind.as_str().to_owned());
        WorkflowStep {
            description: Some(sentence(&about)),
            name,
            node_type,
            depends_on,
            span: None,
        }
    };
    Workflow {
        name: what(contract),
        description: Some(contract.description.clone()),
        execution_mode: Some("sequential".to_owned()),
        steps: named.into_iter().map(&mut step).collect(),
        span: None,
    }
}
