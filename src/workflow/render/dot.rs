//! A plan as a graph in the DOT language of Graphviz, from left to right: the critical path is
//! bold, steps of a resource share a colour. Draws nothing itself.
#![allow(clippy::indexing_slicing, reason = "one entry per step of one plan")]

use super::{span, title};
use crate::workflow::analysis::Analysis;
use crate::workflow::plan::FIRST_RESOURCE;

/// One per resource, in turn; light enough for black text.
const COLOURS: [&str; 8] =
    ["#cfe2f3", "#fce5cd", "#d9ead3", "#ead1dc", "#fff2cc", "#d9d2e9", "#d0e0e3", "#f4cccc"];

impl Analysis<'_> {
    /// The plan as a graph in the DOT language; `name` is that of the pipeline.
    pub fn dot(&self, name: &str) -> String {
        let plan = self.plan();
        let (name, time) = (escape(name), span(self.critical_path_ns()));
        let mut text = format!("digraph plan {{\n  label=\"{name} · critical path {time}\"\n");
        text.push_str("  rankdir=LR\n");
        text.push_str("  node [shape=box, style=\"rounded,filled\", fillcolor=white]\n");
        (0..plan.len()).for_each(|index| text.push_str(&node(self, index)));
        let mut next = vec![None; plan.len()];
        self.critical_path().windows(2).for_each(|pair| next[pair[0]] = Some(pair[1]));
        for (index, critical) in next.into_iter().enumerate() {
            for &dependent in plan.dependents(index) {
                let look = if critical == Some(dependent) { " [penwidth=3]" } else { "" };
                text.push_str(&format!("  n{index} -> n{dependent}{look}\n"));
            }
        }
        text.push_str("}\n");
        text
    }
}

fn node(analysis: &Analysis<'_>, index: usize) -> String {
    let (name, facts) = title(analysis, index);
    let mut line = format!("  n{index} [label=\"{}\\n{}\"", escape(&name), escape(&facts));
    if let Some(resource) = analysis.plan().nodes()[index].slot.checked_sub(FIRST_RESOURCE) {
        line.push_str(&format!(", fillcolor=\"{}\"", COLOURS[resource % COLOURS.len()]));
    }
    if analysis.steps()[index].on_critical_path {
        line.push_str(", penwidth=3");
    }
    line + "]\n"
}

/// A text inside quotes: DOT knows backslashes and the entities of HTML, and whatever could drive a
/// terminal is written out.
fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '"' => escaped.push_str("\\\""),
            '\\' => escaped.push_str("\\\\"),
            '&' => escaped.push_str("&amp;"),
            '\'' => escaped.push(c),
            // alone it is one character; written out it begins with a backslash
            _ => c.escape_debug().for_each(|it| match it {
                '\\' => escaped.push_str("\\\\"),
                it => escaped.push(it),
            }),
        }
    }
    escaped
}
