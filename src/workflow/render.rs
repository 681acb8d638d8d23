//! An analysed plan as rows, as a tree and as a graph, for whoever prints it. Writes nowhere; names
//! in rows and in the tree are as they were written, so whoever prints them escapes them.
#![allow(clippy::indexing_slicing, reason = "one entry per step of one plan")]

mod dot;
mod tree;

use super::analysis::Analysis;
use super::step::Step;

/// One step of a plan, for a table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlanRow {
    /// Name of the step.
    pub step: String,
    /// Name of its component.
    pub component: String,
    /// Length of the longest chain of steps before it.
    pub stage: usize,
    /// What it waits for.
    pub depends_on: Vec<String>,
    /// Named limit that it needs a place of.
    pub resource: Option<String>,
    /// How long it is expected to work.
    pub estimate_ns: i64,
    /// Whether somebody knows that; else it is a stand-in.
    pub is_known: bool,
    /// How much later than at the earliest it can end without making the critical path longer.
    pub slack_ns: i64,
    /// Whether it lies on the critical path.
    pub on_critical_path: bool,
}

impl Analysis<'_> {
    /// One row per step, in the order of the plan.
    pub fn rows(&self) -> Vec<PlanRow> {
        let plan = self.plan();
        let of_step = |(index, step): (usize, &Step)| {
            let expected = &self.steps()[index];
            let dependencies = plan.dependencies(index).iter();
            PlanRow {
                step: step.name.clone(),
                component: step.component.name().to_owned(),
                stage: plan.stage(index),
                depends_on: dependencies.map(|&it| plan.step_name(it).to_owned()).collect(),
                resource: step.resource.clone(),
                estimate_ns: expected.duration_ns,
                is_known: expected.is_known,
                slack_ns: expected.slack_ns,
                on_critical_path: expected.on_critical_path,
            }
        };
        plan.steps().enumerate().map(of_step).collect()
    }
}

/// A time span for people, with three digits: `0`, `850 ns`, `12.3 µs`, `1.50 s`, `2 m 05 s`,
/// `26 h 03 m`.
pub fn span(ns: i64) -> String {
    const SECOND: i64 = 1_000_000_000;
    let digits = |value: f64, unit: &str| match value {
        _ if value < 9.995 => format!("{value:.2} {unit}"),
        _ if value < 99.95 => format!("{value:.1} {unit}"),
        _ => format!("{value:.0} {unit}"),
    };
    // where three digits round up to the next unit, it is the next unit
    match ns {
        ..=0 => "0".to_owned(),
        1..1_000 => format!("{ns} ns"),
        1_000..999_500 => digits(ns as f64 / 1e3, "µs"),
        999_500..999_500_000 => digits(ns as f64 / 1e6, "ms"),
        999_500_000..59_950_000_000 => digits(ns as f64 / 1e9, "s"),
        _ => {
            let seconds = ns / SECOND + i64::from(ns % SECOND >= SECOND / 2);
            let (hours, minutes) = (seconds / 3_600, seconds / 60 % 60);
            match hours {
                0 => format!("{minutes} m {:02} s", seconds % 60),
                _ => format!("{hours} h {minutes:02} m"),
            }
        }
    }
}

/// A step in one line: name, component, expected time, resource.
fn title(analysis: &Analysis<'_>, index: usize) -> (String, String) {
    let row = &analysis.steps()[index];
    let node = &analysis.plan().nodes()[index];
    let about = if row.is_known { "" } else { "~" };
    let mut facts = format!("{} · {about}{}", node.component, span(row.duration_ns));
    if let Some(resource) = &node.step.resource {
        facts.push_str(&format!(" · {resource}"));
    }
    (node.step.name.clone(), facts)
}
