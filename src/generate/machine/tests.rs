//! State machines that upstream refuses, repaired.

use super::*;

fn state(name: &str, terminal: bool) -> State {
    State { name: name.into(), description: None, terminal, error: false, span: None }
}

fn transition(from: &str, to: &str, trigger: &str) -> Transition {
    Transition {
        name: None,
        from: from.into(),
        to: to.into(),
        trigger: trigger.into(),
        conditional: false,
        description: None,
        span: None,
    }
}

fn repaired(
    initial: &str,
    states: Vec<State>,
    transitions: Vec<Transition>,
) -> (Machine, Vec<String>) {
    let machine = StateMachine {
        name: "job".into(),
        description: None,
        initial_state: initial.into(),
        states,
        transitions,
        span: None,
    };
    let mut findings = Vec::new();
    let machine = Machine::new(&machine, &mut findings);
    (machine, findings.into_iter().map(|it| it.message).collect())
}

#[test]
fn a_sound_machine_is_left_alone() {
    let states = vec![state("idle", false), state("done", true)];
    let (machine, findings) = repaired("idle", states, vec![transition("idle", "done", "finish")]);
    assert!(findings.is_empty(), "{findings:?}");
    assert_eq!(machine.triggers(), ["finish"]);
    assert_eq!(machine.first_event().outcome, Outcome::Reaches("done".into()));
}

#[test]
fn a_terminal_state_with_a_way_out_is_not_terminal() {
    let states = vec![state("idle", false), state("done", true)];
    let ways = vec![transition("idle", "done", "finish"), transition("done", "idle", "again")];
    let (machine, findings) = repaired("idle", states, ways);
    assert_eq!(findings.len(), 1);
    assert!(machine.states.iter().all(|it| !it.terminal));
}

#[test]
fn undeclared_states_are_declared_and_nameless_ones_left_out() {
    let ways = vec![
        transition("idle", "busy", "start"),
        transition("", "busy", "x"),
        transition("busy", "*", "y"),
    ];
    let (machine, findings) = repaired("idle", vec![state("", false)], ways);
    let names: Vec<&str> = machine.states.iter().map(|it| it.name.as_str()).collect();
    assert_eq!(names, ["idle", "busy"]);
    assert_eq!(machine.transitions.len(), 1);
    assert_eq!(findings.len(), 5, "{findings:?}");
}

#[test]
fn source_and_trigger_decide_the_target() {
    let states = vec![state("a", false), state("b", false), state("c", false)];
    let ways =
        vec![transition("a", "b", "go"), transition("a", "c", "go"), transition("a", "b", "go")];
    let (machine, findings) = repaired("a", states, ways);
    assert_eq!(machine.triggers(), ["go", "go_to_c"]);
    assert_eq!(findings.len(), 2, "{findings:?}");
}

#[test]
fn a_missing_trigger_gets_a_name_and_no_transition_a_loop() {
    let (machine, _) = repaired("a", vec![state("a", false)], vec![transition("a", "b", " ")]);
    assert_eq!(machine.triggers(), ["to_b"]);
    let (machine, findings) = repaired("a", vec![state("a", true)], Vec::new());
    assert_eq!(machine.triggers(), ["process"]);
    assert!(machine.states.iter().all(|it| !it.terminal));
    assert_eq!(findings.len(), 1);
}

#[test]
fn the_first_event_says_only_what_is_certain() {
    let states = vec![state("a", false), state("b", false)];
    let ways = vec![transition("*", "b", "go"), transition("a", "a", "go")];
    let (machine, _) = repaired("a", states, ways);
    assert_eq!(machine.first_event().outcome, Outcome::Unsure);
    let states = vec![state("a", false), state("b", false)];
    let (machine, _) = repaired("a", states, vec![transition("b", "a", "back")]);
    assert_eq!(machine.first_event().outcome, Outcome::Refused);
}

#[test]
fn ten_thousand_states_are_soon_done() {
    let name = |at: usize| format!("s{at}");
    let states = (0..10_000).map(|at| state(&name(at), false)).collect();
    let ways = (0..10_000).map(|at| transition(&name(at), "s0", "back")).collect();
    let (machine, findings) = repaired("s0", states, ways);
    assert!(findings.is_empty(), "{findings:?}");
    assert_eq!(machine.transitions.len(), 10_000);
}
