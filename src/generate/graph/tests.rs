//! Workflows that do not run as written, repaired.

use super::*;

fn step(name: &str, depends_on: &[&str]) -> WorkflowStep {
    WorkflowStep {
        name: name.into(),
        node_type: Some("EFFECT_GENERIC".into()),
        description: None,
        depends_on: depends_on.iter().map(|it| (*it).to_owned()).collect(),
        span: None,
    }
}

fn repaired(mode: Option<&str>, steps: Vec<WorkflowStep>) -> (Graph, usize) {
    let workflow = Workflow {
        name: "release".into(),
        description: None,
        execution_mode: mode.map(str::to_owned),
        steps,
        span: None,
    };
    let mut findings = Vec::new();
    let graph = Graph::new(&workflow, "release", &mut findings);
    (graph, findings.len())
}

fn order(graph: &Graph) -> Vec<&str> {
    graph.steps.iter().map(|it| it.name.as_str()).collect()
}

#[test]
fn steps_follow_their_dependencies() {
    let steps = vec![step("publish", &["build"]), step("build", &[]), step("tell", &["publish"])];
    let (graph, findings) = repaired(Some("PARALLEL"), steps);
    assert_eq!(order(&graph), ["build", "publish", "tell"]);
    assert_eq!((graph.mode, findings), ("parallel", 0));
    assert!(graph.steps.iter().all(|it| it.kind == "effect"));
}

#[test]
fn unknown_dependencies_and_circles_are_cut() {
    let steps = vec![step("a", &["b", "ghost", "a"]), step("b", &["a"]), step("a", &[])];
    let (graph, findings) = repaired(Some("streaming"), steps);
    assert_eq!(order(&graph), ["a", "b"]);
    assert_eq!(graph.steps.iter().map(|it| it.depends_on.len()).collect::<Vec<_>>(), [0, 1]);
    // twice `a`, `ghost`, itself, the circle, the mode
    assert_eq!(findings, 5);
}
