//! Plans as rows, trees and graphs, letter by letter.

use genstore::workflow::{Analysis, Capacity, Plan, span};

use super::{FALLBACK, MS, known, plan, step};

fn capacity() -> Capacity {
    Capacity::new(4).with_resource("model", 2)
}

fn pipeline() -> Plan {
    let steps = vec![
        step("parse", ""),
        step("ask", "parse").using("model"),
        step("lint", "parse"),
        step("write", "ask,lint"),
        step("report", "lint"),
    ];
    Plan::new(steps).unwrap()
}

#[test]
fn rows_have_what_a_table_needs() {
    let (plan, known) = (pipeline(), known([("parse", 10), ("ask", 1_500), ("lint", 20)]));
    let analysis = Analysis::new(&plan, &known, FALLBACK, &capacity()).unwrap();
    let rows = analysis.rows();
    let facts: Vec<_> = rows
        .iter()
        .map(|row| {
            let (estimate, slack) = (row.estimate_ns / MS, row.slack_ns / MS);
            let after = row.depends_on.join("+");
            (&*row.step, row.stage, after, estimate, row.is_known, slack, row.on_critical_path)
        })
        .collect();
    let expected = [
        ("parse", 0, "", 10, true, 0, true),
        ("ask", 1, "parse", 1_500, true, 0, true),
        ("lint", 1, "parse", 20, true, 1_480, false),
        ("write", 2, "ask+lint", 510, false, 0, true),
        ("report", 2, "lint", 510, false, 1_480, false),
    ];
    assert_eq!(facts, expected.map(|(a, b, c, d, e, f, g)| (a, b, c.to_owned(), d, e, f, g)));
    assert!(rows.iter().all(|row| row.component == "noop"));
    assert_eq!(rows[1].resource.as_deref(), Some("model"));
}

#[test]
fn a_step_that_waits_for_several_is_drawn_once() {
    let (plan, known) = (pipeline(), known([("parse", 10), ("ask", 1_500), ("lint", 20)]));
    let analysis = Analysis::new(&plan, &known, FALLBACK, &capacity()).unwrap();
    let expected = "\
parse  noop · 10.0 ms *
├─ ask  noop · 1.50 s · model *
│  └─ write  noop · ~510 ms *
└─ lint  noop · 20.0 ms
   ├─ ↑ write
   └─ report  noop · ~510 ms";
    assert_eq!(analysis.tree().join("\n"), expected);
}

#[test]
fn a_deep_tree_goes_on_below() {
    let name = |at: usize| format!("s{at}");
    let after = |at: usize| at.checked_sub(1).map(name).unwrap_or_default();
    let mut steps: Vec<_> = (0..30).map(|at| step(&name(at), &after(at))).collect();
    // it waits for the last step of the upper tree, and for the first of the lower
    steps.push(step("end", "s24,s25"));
    let plan = Plan::new(steps).unwrap();
    let analysis = Analysis::new(&plan, &known([]), FALLBACK, &capacity()).unwrap();
    let lines = analysis.tree();
    let all = lines.join("\n");
    let names: Vec<&str> = plan.steps().map(|step| step.name.as_str()).collect();
    for name in names {
        let drawn = lines.iter().filter(|line| line.contains(&format!("{name}  noop"))).count();
        assert_eq!(drawn, 1, "{name} in\n{all}");
    }
    assert!(lines[25].ends_with("├─ ↓ s25"), "{all}");
    assert!(lines[26].ends_with("└─ ↓ end"), "{all}");
    assert!(lines[27].starts_with("s25  noop"), "{all}");
    assert!(all.contains("↑ end") ^ all.contains("\nend  noop"), "{all}");
}

#[test]
fn a_graph_shows_the_critical_path_and_the_resources() {
    let (plan, known) = (pipeline(), known([("parse", 10), ("ask", 1_500), ("lint", 20)]));
    let analysis = Analysis::new(&plan, &known, FALLBACK, &capacity()).unwrap();
    let expected = r##"digraph plan {
  label="demo · critical path 2.02 s"
  rankdir=LR
  node [shape=box, style="rounded,filled", fillcolor=white]
  n0 [label="parse\nnoop · 10.0 ms", penwidth=3]
  n1 [label="ask\nnoop · 1.50 s · model", fillcolor="#cfe2f3", penwidth=3]
  n2 [label="lint\nnoop · 20.0 ms"]
  n3 [label="write\nnoop · ~510 ms", penwidth=3]
  n4 [label="report\nnoop · ~510 ms"]
  n0 -> n1 [penwidth=3]
  n0 -> n2
  n1 -> n3 [penwidth=3]
  n2 -> n3
  n2 -> n4
}
"##;
    assert_eq!(analysis.dot("demo"), expected);
}

#[test]
fn no_name_breaks_a_graph() {
    let plan =
        plan([("a\"]; b -> c [x=\"", ""), ("tail\\", ""), ("<b>&lt;", ""), ("\u{1b}[2J\n", "")]);
    let analysis = Analysis::new(&plan, &known([]), FALLBACK, &capacity()).unwrap();
    let dot = analysis.dot("it's \"mine\"");
    let labels: Vec<&str> = dot.lines().filter(|line| line.contains("label=")).collect();
    assert_eq!(
        labels,
        [
            r#"  label="it's \"mine\" · critical path 7.00 ms""#,
            r#"  n0 [label="a\"]; b -> c [x=\"\nnoop · ~7.00 ms", penwidth=3]"#,
            r#"  n1 [label="tail\\\nnoop · ~7.00 ms"]"#,
            r#"  n2 [label="<b>&amp;lt;\nnoop · ~7.00 ms"]"#,
            r#"  n3 [label="\\u{1b}[2J\\n\nnoop · ~7.00 ms"]"#,
        ]
    );
    assert!(dot.chars().all(|c| c == '\n' || !c.is_control()));
}

#[test]
fn spans_have_three_digits() {
    for (ns, text) in [
        (i64::MIN, "0"),
        (0, "0"),
        (1, "1 ns"),
        (999, "999 ns"),
        (1_000, "1.00 µs"),
        (9_996, "10.0 µs"),
        (99_960, "100 µs"),
        (999_499, "999 µs"),
        (999_500, "1.00 ms"),
        (1_234_567, "1.23 ms"),
        (999_500_000, "1.00 s"),
        (59_949_999_999, "59.9 s"),
        (59_950_000_000, "1 m 00 s"),
        (125_400_000_000, "2 m 05 s"),
        (3_599_500_000_000, "1 h 00 m"),
        (93_780_000_000_000, "26 h 03 m"),
    ] {
        assert_eq!(span(ns), text, "{ns}");
    }
    assert_eq!(span(i64::MAX), "2562047 h 47 m");
}
