//! Rules about state machines and workflows.

use super::{Hits, Rule, place};
use crate::contract::document::Node;
use crate::contract::model::{Contract, NodeType, StateMachine, Workflow};
use crate::contract::notes::shown;
use crate::finding::Level::{Error, Note, Warning};
use std::collections::{HashMap, HashSet, VecDeque};

pub(super) const RULES: &[Rule] = &[
    Rule::new(
        "contract.fsm-undeclared-state",
        Error,
        "The initial state and both ends of every transition are declared; `*` may be a source.",
        undeclared_state,
    )
    .why("A machine that goes to a state nobody declared has no code for it.")
    .fix("Declare the state, or correct the name."),
    Rule::new(
        "contract.fsm-duplicate-state",
        Warning,
        "A state is declared once.",
        duplicate_state,
    )
    .why("Which of the two declarations counts is up to the reader.")
    .fix("Merge the two."),
    Rule::new(
        "contract.fsm-duplicate-transition",
        Warning,
        "No two transitions leave the same state by the same trigger, unless conditions tell them \
         apart.",
        duplicate_transition,
    )
    .why("The same event in the same state leads to two places.")
    .fix("Remove one, or tell them apart by conditions or a priority."),
    Rule::new(
        "contract.fsm-transition-name",
        Warning,
        "A transition's name is its own.",
        transition_name,
    )
    .why("Upstream refuses the machine; logs and rollbacks go by that name.")
    .fix("Give each transition a name of its own."),
    Rule::new(
        "contract.fsm-terminal-exit",
        Warning,
        "No transition leaves a terminal state.",
        terminal_exit,
    )
    .why("A state is terminal because nothing comes after it.")
    .fix("Remove the transition, or let the state not be terminal."),
    Rule::new(
        "contract.fsm-unreachable",
        Warning,
        "Every state can be reached from the initial one.",
        unreachable_state,
    )
    .why("Code for a state that never comes is never run and never tested.")
    .fix("Add a transition to it, or remove it."),
    Rule::new(
        "contract.fsm-missing",
        Note,
        "A reducer declares the state machine by which it folds.",
        fsm_missing,
    )
    .why("Without a machine a reducer only replaces its state.")
    .fix("Add `state_machine` with states and transitions."),
    Rule::new(
        "contract.workflow-unknown-step",
        Error,
        "`depends_on` names declared steps.",
        unknown_step,
    )
    .why("The step would wait for something that never happens.")
    .fix("Declare the step, or correct the name."),
    Rule::new(
        "contract.workflow-cycle",
        Error,
        "No step waits for itself, directly or through others.",
        cycle,
    )
    .why("None of these steps could ever start.")
    .fix("Remove one of their dependencies."),
    Rule::new(
        "contract.workflow-duplicate-step",
        Error,
        "A step's name is its own; `depends_on` would be ambiguous.",
        duplicate_step,
    )
    .why("`depends_on` would not say which one it means.")
    .fix("Give each step a name of its own."),
    Rule::new(
        "contract.workflow-missing",
        Warning,
        "An orchestrator that routes three or more payload types declares a workflow or a state \
         machine.",
        workflow_missing,
    )
    .why("What such a node coordinates, and in what order, should be declared and not coded.")
    .fix("Add `workflow_coordination` or `state_machine`."),
];

fn states(machine: &StateMachine) -> HashSet<&str> {
    machine.states.iter().map(|state| state.name.as_str()).collect()
}

/// The next step for a name that is not there: the one probably meant, else `otherwise`.
fn near(name: &str, known: &HashSet<&str>, otherwise: &str) -> String {
    const CHARS_MAX: usize = 100;
    let short = |text: &&str| text.chars().count() <= CHARS_MAX;
    let candidates = known.iter().copied().filter(short).take(1000);
    match Some(name).filter(short).and_then(|name| crate::error::nearest(name, candidates)) {
        Some(near) => format!("did you mean {}?", shown(near)),
        None => otherwise.to_owned(),
    }
}

fn undeclared_state(contract: &Contract, hits: &mut Hits<'_>) {
    let Some(machine) = &contract.state_machine else { return };
    let known = states(machine);
    let help = |name: &str| near(name, &known, "declare it under `states`");
    let initial = machine.initial_state.as_str();
    if !known.contains(initial) {
        let message = format!("the initial state {} is not declared", shown(initial));
        hits.hit(machine.span, message, help(initial));
    }
    for transition in &machine.transitions {
        let from = Some(transition.from.as_str()).filter(|from| *from != "*");
        for name in from.into_iter().chain([transition.to.as_str()]) {
            if !known.contains(name) && !hits.full() {
                let message = format!("the state {} is not declared", shown(name));
                hits.hit(transition.span, message, help(name));
            }
        }
    }
    undeclared_in_lists(contract, &known, hits);
}

/// States that are listed as terminal or as errors, and nowhere declared.
fn undeclared_in_lists(contract: &Contract, known: &HashSet<&str>, hits: &mut Hits<'_>) {
    for (key, list) in ["state_machine", "fsm", "state_transitions"]
        .into_iter()
        .flat_map(|key| ["terminal_states", "error_states"].map(|list| (key, list)))
    {
        for node in contract.document.at(&[key, list]).map_or(&[][..], Node::items) {
            let Some(name) = node.text().filter(|it| !known.contains(it)) else { continue };
            let message = format!("the state {} of `{list}` is not declared", shown(name));
            hits.hit(Some(node.span), message, near(name, known, "declare it under `states`"));
        }
    }
}

fn transition_name(contract: &Contract, hits: &mut Hits<'_>) {
    let Some(machine) = &contract.state_machine else { return };
    let mut known = HashMap::new();
    for transition in &machine.transitions {
        let Some(name) = transition.name.as_deref() else { continue };
        // One declaration with several sources is several transitions in the normal form.
        if known.insert(name, transition.span).is_some_and(|earlier| earlier != transition.span) {
            let message = format!("two transitions are named {}", shown(name));
            hits.hit(transition.span, message, "rename one");
        }
    }
}

fn duplicate_state(contract: &Contract, hits: &mut Hits<'_>) {
    let Some(machine) = &contract.state_machine else { return };
    let mut known = HashSet::new();
    for state in &machine.states {
        if !known.insert(state.name.as_str()) {
            let message = format!("the state {} is declared twice", shown(&state.name));
            hits.hit(state.span, message, "merge the two");
        }
    }
}

fn duplicate_transition(contract: &Contract, hits: &mut Hits<'_>) {
    let Some(machine) = &contract.state_machine else { return };
    let mut known = HashMap::new();
    for transition in machine.transitions.iter().filter(|it| !it.conditional) {
        let key = (transition.from.as_str(), transition.trigger.as_str());
        if let Some(earlier) = known.insert(key, transition.to.as_str()) {
            let (from, trigger) = (shown(key.0), shown(key.1));
            let to = transition.to.as_str();
            let message = if earlier == to {
                format!("the transition from {from} by {trigger} is declared twice")
            } else {
                format!("from {from} by {trigger} leads to {} and to {}", shown(earlier), shown(to))
            };
            hits.hit(transition.span, message, "remove one, or tell them apart by conditions");
        }
    }
}

fn terminal_exit(contract: &Contract, hits: &mut Hits<'_>) {
    let Some(machine) = &contract.state_machine else { return };
    let terminal: HashSet<&str> =
        machine.states.iter().filter(|it| it.terminal).map(|it| it.name.as_str()).collect();
    for transition in &machine.transitions {
        if terminal.contains(transition.from.as_str()) {
            let message =
                format!("a transition leaves the terminal state {}", shown(&transition.from));
            hits.hit(transition.span, message, "remove it, or let the state not be terminal");
        }
    }
}

fn unreachable_state(contract: &Contract, hits: &mut Hits<'_>) {
    let Some(machine) = &contract.state_machine else { return };
    let mut next: HashMap<&str, Vec<&str>> = HashMap::new();
    for transition in &machine.transitions {
        next.entry(&transition.from).or_default().push(&transition.to);
    }
    let mut reached: HashSet<&str> = HashSet::from([machine.initial_state.as_str()]);
    let mut queue: VecDeque<&str> = reached.iter().copied().collect();
    queue.push_back("*");
    while let Some(state) = queue.pop_front() {
        for to in next.get(state).into_iter().flatten() {
            if reached.insert(to) {
                queue.push_back(to);
            }
        }
    }
    for state in machine.states.iter().filter(|it| !reached.contains(it.name.as_str())) {
        let initial = shown(&machine.initial_state);
        let message = format!("the state {} cannot be reached from {initial}", shown(&state.name));
        hits.hit(state.span, message, "add a transition to it, or remove it");
    }
}

fn fsm_missing(contract: &Contract, hits: &mut Hits<'_>) {
    if contract.node_type == NodeType::Reducer && contract.state_machine.is_none() {
        let message = "the reducer declares no state machine";
        hits.hit(place(contract, "node_type"), message, "add `state_machine`");
    }
}

fn unknown_step(contract: &Contract, hits: &mut Hits<'_>) {
    let Some(workflow) = &contract.workflow else { return };
    let known: HashSet<&str> = workflow.steps.iter().map(|step| step.name.as_str()).collect();
    for step in &workflow.steps {
        for name in step.depends_on.iter().filter(|name| !known.contains(name.as_str())) {
            if hits.full() {
                return;
            }
            let step_name = shown(&step.name);
            let message = format!("step {step_name} depends on {}, which is no step", shown(name));
            let help = near(name, &known, "declare the step, or remove the dependency");
            hits.hit(step.span, message, help);
        }
    }
}

fn cycle(contract: &Contract, hits: &mut Hits<'_>) {
    let Some(workflow) = &contract.workflow else { return };
    let stuck = waiting_forever(workflow);
    if let Some(first) = stuck.first().and_then(|at| workflow.steps.get(*at)) {
        let mut names: Vec<String> = stuck
            .iter()
            .take(5)
            .filter_map(|at| Some(shown(&workflow.steps.get(*at)?.name)))
            .collect();
        if stuck.len() > names.len() {
            names.push(format!("{} more", stuck.len() - names.len()));
        }
        let message = format!("these steps wait for one another: {}", names.join(", "));
        hits.hit(first.span, message, "remove one of their dependencies");
    }
}

/// Steps that can never start, in the order of the workflow (Kahn's algorithm). Steps that only
/// come after a cycle are among them.
fn waiting_forever(workflow: &Workflow) -> Vec<usize> {
    let index: HashMap<&str, usize> =
        workflow.steps.iter().enumerate().map(|(at, step)| (step.name.as_str(), at)).collect();
    let mut waits: Vec<usize> = vec![0; workflow.steps.len()];
    let mut after: Vec<Vec<usize>> = vec![Vec::new(); workflow.steps.len()];
    for (at, step) in workflow.steps.iter().enumerate() {
        for before in step.depends_on.iter().filter_map(|name| index.get(name.as_str())) {
            if let (Some(wait), Some(list)) = (waits.get_mut(at), after.get_mut(*before)) {
                *wait += 1;
                list.push(at);
            }
        }
    }
    let mut ready: Vec<usize> =
        waits.iter().enumerate().filter(|(_, wait)| **wait == 0).map(|(at, _)| at).collect();
    let mut started = HashSet::new();
    while let Some(at) = ready.pop() {
        started.insert(at);
        for next in after.get(at).into_iter().flatten() {
            if let Some(wait) = waits.get_mut(*next) {
                *wait -= 1;
                if *wait == 0 {
                    ready.push(*next);
                }
            }
        }
    }
    (0..workflow.steps.len()).filter(|at| !started.contains(at)).collect()
}

fn duplicate_step(contract: &Contract, hits: &mut Hits<'_>) {
    let Some(workflow) = &contract.workflow else { return };
    let mut known = HashSet::new();
    for step in &workflow.steps {
        if !known.insert(step.name.as_str()) {
            let message = format!("the step {} is declared twice", shown(&step.name));
            hits.hit(step.span, message, "give each step a name of its own");
        }
    }
}

fn workflow_missing(contract: &Contract, hits: &mut Hits<'_>) {
    if contract.node_type != NodeType::Orchestrator
        || contract.workflow.is_some()
        || contract.state_machine.is_some()
    {
        return;
    }
    let handlers = contract.document.at(&["handler_routing", "handlers"]);
    let payloads: HashSet<&str> = handlers
        .map_or(&[][..], Node::items)
        .iter()
        .filter_map(|it| it.get("event_model"))
        .filter_map(|it| it.as_str().or_else(|| it.first_text(&["name"])))
        .collect();
    if payloads.len() >= 3 {
        let message = format!(
            "the orchestrator routes {} payload types and declares neither workflow nor state \
             machine",
            payloads.len()
        );
        hits.hit(place(contract, "handler_routing"), message, "add `workflow_coordination`");
    }
}
