//! The formula at its edges.
#![allow(clippy::unwrap_used, clippy::float_cmp, reason = "tests; the scores are exact")]

use crate::contract::{NoIncludes, complexity, parse, structure};

fn of(text: &str) -> (f64, &'static str) {
    let text = format!("name: n_compute\nnode_type: COMPUTE_GENERIC\n{text}");
    let found = complexity(&parse(&text, "c.yaml", &NoIncludes).contract.unwrap());
    (found.score, found.class)
}

#[test]
fn the_formula_counts_fields_codes_command_line_and_capabilities() {
    assert_eq!(of(""), (0.0, "simple"));
    assert_eq!(of("inputs: {a: str}\noutputs: {b: int}\n"), (0.1, "simple"));
    assert_eq!(of("inputs: {a: str, b: str, c: str, d: str, e: str, f: str}\n"), (0.3, "moderate"));
    assert_eq!(of("error_codes: [A, B, C]\n"), (0.09, "simple"));
    assert_eq!(of("cli_interface: {}\ncapabilities: [x]\nerror_codes: [A]\n"), (0.23, "simple"));
    let many: Vec<String> = (0..30).map(|n| format!("f{n}: str")).collect();
    assert_eq!(of(&format!("inputs: {{{}}}\n", many.join(", "))), (1.0, "highly_complex"));
}

#[test]
fn structure_counts_what_the_formula_does_not_see() {
    let text = "name: n\nnode_type: REDUCER\nfsm: {states: [a, b], transitions: [{from: a, to: b, \
                trigger: x}]}\nworkflow: {steps: [{id: p}, {id: q, depends_on: [p]}, {id: r, \
                depends_on: [p, q]}, {id: s}]}\n";
    let contract = parse(text, "c.yaml", &NoIncludes).contract.unwrap();
    let found = structure(&contract);
    assert_eq!((found.states, found.transitions, found.steps, found.depth), (2, 1, 4, 3));
    assert_eq!(found.points, 2 + 2 + 8 + 6);
    let line = "18 points: 2 states + 1 transitions × 2 + 4 steps × 2 + 3 levels of depth × 2";
    assert_eq!(found.explanation, line);
    let circle = text.replace("{id: p}", "{id: p, depends_on: [q]}");
    let contract = parse(&circle, "c.yaml", &NoIncludes).contract.unwrap();
    assert_eq!(structure(&contract).depth, 1);
}
