//! The state machine of a reducer, repaired as little as needed until upstream's
//! `ModelFSMSubcontract` takes it: states exist, a terminal state has no way out, source and
//! trigger decide, names are unique. Every repair is a finding. Never removes a state.

use std::collections::{BTreeSet, HashMap, HashSet};

use super::{remark, repair};
use crate::contract::model::{State, StateMachine, Transition};
use crate::finding::Finding;
use crate::template::names;
use crate::template::python_text::{clean, shorten};

const RULE: &str = "correctness.repaired-state-machine";

/// A state machine that upstream takes.
#[derive(Debug, Clone)]
pub(super) struct Machine {
    pub(super) name: String,
    pub(super) description: String,
    pub(super) initial: String,
    pub(super) states: Vec<MachineState>,
    pub(super) transitions: Vec<Step>,
}

/// A state.
#[derive(Debug, Clone)]
pub(super) struct MachineState {
    pub(super) name: String,
    pub(super) description: String,
    pub(super) terminal: bool,
    pub(super) error: bool,
}

impl MachineState {
    /// Upstream's `state_type`.
    pub(super) fn kind(&self) -> &'static str {
        match (self.terminal, self.error) {
            (true, _) => "terminal",
            (false, true) => "error",
            (false, false) => "operational",
        }
    }
}

/// A transition.
#[derive(Debug, Clone)]
pub(super) struct Step {
    pub(super) name: String,
    pub(super) from: String,
    pub(super) to: String,
    pub(super) trigger: String,
}

/// An event that a new machine gets.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct FirstEvent {
    pub(super) trigger: String,
    pub(super) outcome: Outcome,
}

/// What comes of an event.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    /// The machine is in this state then.
    Reaches(String),
    /// The initial state does not know the event.
    Refused,
    /// More than one transition could happen.
    Unsure,
}

impl Machine {
    /// The contract's machine, repaired.
    pub(super) fn new(machine: &StateMachine, findings: &mut Vec<Finding>) -> Self {
        let name = non_empty(label(&machine.name), "state_machine");
        let description = machine.description.as_deref().map_or(String::new(), clean);
        let mut parts = Parts::new(findings);
        for state in &machine.states {
            parts.declare(state);
        }
        let first = || parts.states.first().map_or("ready".into(), |state| state.name.clone());
        let initial = Some(label(&machine.initial_state)).filter(|it| !it.is_empty());
        let initial = initial.unwrap_or_else(first);
        parts.require(&initial, "the initial state");
        for transition in &machine.transitions {
            parts.add(transition);
        }
        parts.open_terminals();
        parts.close(&initial);
        Self {
            description: non_empty(description, &format!("State machine {name}.")),
            initial,
            states: parts.states,
            transitions: parts.transitions,
            name,
        }
    }

    /// The machine of a reducer whose contract declares none: it stays ready.
    pub(super) fn absent(what: &str) -> Self {
        let state = |name: &str, description: &str| MachineState {
            name: name.into(),
            description: description.into(),
            terminal: false,
            error: false,
        };
        Self {
            name: what.to_owned(),
            description: "The contract declares no state machine: the state stays.".into(),
            initial: "ready".into(),
            states: vec![state("ready", "Waiting for the next request.")],
            transitions: vec![Step {
                name: "ready_to_ready".into(),
                from: "ready".into(),
                to: "ready".into(),
                trigger: "process".into(),
            }],
        }
    }

    /// Triggers in the order of their first transition.
    pub(super) fn triggers(&self) -> Vec<String> {
        let mut seen = BTreeSet::new();
        let new = |step: &&Step| seen.insert(step.trigger.clone());
        self.transitions.iter().filter(new).map(|step| step.trigger.clone()).collect()
    }

    /// The event that tests send to a new machine, and what comes of it: a state change where one
    /// is certain, since no other transition of the initial state has its trigger.
    pub(super) fn first_event(&self) -> FirstEvent {
        let applies = |step: &&Step| step.from == self.initial || step.from == "*";
        let mut counts: HashMap<&str, usize> = HashMap::new();
        for step in self.transitions.iter().filter(applies) {
            *counts.entry(&step.trigger).or_default() += 1;
        }
        let count = |trigger: &str| counts.get(trigger).copied().unwrap_or(0);
        let sure = || self.transitions.iter().filter(applies).filter(|it| count(&it.trigger) == 1);
        if let Some(step) = sure().find(|it| it.to != self.initial).or_else(|| sure().next()) {
            let outcome = Outcome::Reaches(step.to.clone());
            return FirstEvent { trigger: step.trigger.clone(), outcome };
        }
        if let Some(step) = self.transitions.iter().find(|it| count(&it.trigger) == 0) {
            return FirstEvent { trigger: step.trigger.clone(), outcome: Outcome::Refused };
        }
        let first = self.transitions.first();
        let trigger = first.map_or(String::new(), |step| step.trigger.clone());
        FirstEvent { trigger, outcome: Outcome::Unsure }
    }
}

/// A machine on the way, with what is asked of it again and again.
struct Parts<'f> {
    states: Vec<MachineState>,
    transitions: Vec<Step>,
    /// Names of the states.
    known: HashSet<String>,
    /// Names of the transitions.
    names: BTreeSet<String>,
    /// Target by source and trigger.
    ways: HashMap<(String, String), String>,
    findings: &'f mut Vec<Finding>,
}

impl<'f> Parts<'f> {
    fn new(findings: &'f mut Vec<Finding>) -> Self {
        Self {
            states: Vec::new(),
            transitions: Vec::new(),
            known: HashSet::new(),
            names: BTreeSet::new(),
            ways: HashMap::new(),
            findings,
        }
    }

    fn declare(&mut self, state: &State) {
        let name = label(&state.name);
        if name.is_empty() || name == "*" {
            self.findings.push(repair(RULE, format!("a state is called `{name}`; it is left out")));
        } else if !self.known.insert(name.clone()) {
            let message = format!("state `{name}` is declared twice; the first counts");
            self.findings.push(repair(RULE, message));
        } else {
            let description = state.description.as_deref().map_or(String::new(), clean);
            self.states.push(MachineState {
                description: non_empty(description, &format!("State {name}.")),
                terminal: state.terminal,
                error: state.error,
                name,
            });
        }
    }

    fn require(&mut self, name: &str, role: &str) {
        if !self.known.insert(name.to_owned()) {
            return;
        }
        let message = format!("{role} `{name}` is not declared; the generated machine declares it");
        self.findings.push(repair(RULE, message));
        self.states.push(MachineState {
            name: name.to_owned(),
            description: format!("State {name}."),
            terminal: false,
            error: false,
        });
    }

    fn add(&mut self, transition: &Transition) {
        let (from, to) = (label(&transition.from), label(&transition.to));
        let ways = format!("`{from}` to `{to}`");
        if from.is_empty() || to.is_empty() || to == "*" {
            let message = format!("the transition from {ways} names no state; it is left out");
            self.findings.push(repair(RULE, message));
            return;
        }
        if from != "*" {
            self.require(&from, "the source of a transition,");
        }
        self.require(&to, "the target of a transition,");
        let mut trigger = label(&transition.trigger);
        if trigger.is_empty() {
            trigger = format!("to_{}", names::stem(&to));
            let message = format!("the transition from {ways} has no trigger; it gets `{trigger}`");
            self.findings.push(repair(RULE, message));
        }
        if let Some(first) = self.ways.get(&(from.clone(), trigger.clone())) {
            let same = *first == to;
            let message = format!("`{trigger}` leads from `{from}` to `{first}` already");
            let suffixed = format!("{trigger}_to_{}", names::stem(&to));
            if same || self.ways.contains_key(&(from.clone(), suffixed.clone())) {
                self.findings.push(repair(RULE, format!("{message}; the second one is left out")));
                return;
            }
            let message = format!("{message}; the one to `{to}` gets the trigger `{suffixed}`");
            // a condition decides between the two, and conditions are not generated
            let said = if transition.conditional { remark } else { repair };
            self.findings.push(said(RULE, message));
            trigger = suffixed;
        }
        let source = if from == "*" { "any".into() } else { names::stem(&from) };
        let given = transition.name.as_deref().map(label).filter(|name| !name.is_empty());
        let name = given.unwrap_or_else(|| format!("{source}_to_{}", names::stem(&to)));
        let name = names::unique(name, "_", &mut self.names);
        self.ways.insert((from.clone(), trigger.clone()), to.clone());
        self.transitions.push(Step { name, from, to, trigger });
    }

    /// A state with a way out is not terminal, whatever it is called.
    fn open_terminals(&mut self) {
        let left: HashSet<&str> = self.transitions.iter().map(|it| it.from.as_str()).collect();
        for state in &mut self.states {
            if state.terminal && left.contains(state.name.as_str()) {
                state.terminal = false;
                let name = &state.name;
                let message =
                    format!("state `{name}` is terminal and has transitions; it is not terminal");
                self.findings.push(repair(RULE, message));
            }
        }
    }

    /// Upstream asks for one transition at least.
    fn close(&mut self, initial: &str) {
        if !self.transitions.is_empty() {
            return;
        }
        for state in self.states.iter_mut().filter(|state| state.name == initial) {
            state.terminal = false;
        }
        let message = format!("no transition is declared; `process` leaves `{initial}` as it is");
        self.findings.push(repair(RULE, message));
        self.transitions.push(Step {
            name: "stay".into(),
            from: initial.to_owned(),
            to: initial.to_owned(),
            trigger: "process".into(),
        });
    }
}

/// A name as it can stand in a document: one line, bounded.
pub(super) fn label(text: &str) -> String {
    shorten(&clean(text), 100)
}

fn non_empty(text: String, otherwise: &str) -> String {
    if text.is_empty() { otherwise.to_owned() } else { text }
}

#[cfg(test)]
mod tests;
