//! A plan as a tree of lines: under each step what waits for it. A step that waits for several is
//! drawn once, under the first of them that is drawn; the others point to it.
#![allow(clippy::indexing_slicing, reason = "one entry per step of one plan")]

use std::collections::VecDeque;

use super::title;
use crate::workflow::analysis::Analysis;

/// Deepest step of a tree; what is deeper begins a tree of its own, so that the size of the drawing
/// grows with the plan, not with its square.
const DEPTH_MAX: usize = 24;

impl Analysis<'_> {
    /// The lines of the plan as a tree. `*` marks the critical path, `↑` points to a step that is
    /// drawn above, `↓` to one that is drawn further below.
    pub fn tree(&self) -> Vec<String> {
        let plan = self.plan();
        let mut tree = Tree {
            analysis: self,
            drawn: vec![Place::Nowhere; plan.len()],
            roots: (0..plan.len()).filter(|&at| plan.dependencies(at).is_empty()).collect(),
            lines: Vec::with_capacity(plan.len()),
        };
        while let Some(root) = tree.roots.pop_front() {
            tree.draw(root);
        }
        tree.lines
    }
}

/// Where a step is drawn.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    Nowhere,
    Above,
    /// It begins a tree that is not drawn yet.
    Below,
}

struct Tree<'a> {
    analysis: &'a Analysis<'a>,
    drawn: Vec<Place>,
    roots: VecDeque<usize>,
    lines: Vec<String>,
}

/// A step whose dependents are being drawn.
struct Open {
    step: usize,
    next: usize,
}

impl Tree<'_> {
    fn draw(&mut self, root: usize) {
        let plan = self.analysis.plan();
        self.line("", "", root);
        // what stands before each line below the step of the same place in `open`
        let mut indents = vec![String::new()];
        let mut open = vec![Open { step: root, next: 0 }];
        while let Some(top) = open.last_mut() {
            let dependents = plan.dependents(top.step);
            let Some(&step) = dependents.get(top.next) else {
                open.pop();
                indents.pop();
                continue;
            };
            top.next += 1;
            let is_last = top.next == dependents.len();
            let (branch, below) = if is_last { ("└─ ", "   ") } else { ("├─ ", "│  ") };
            let indent = indents.last().cloned().unwrap_or_default();
            if self.drawn[step] == Place::Nowhere && open.len() > DEPTH_MAX {
                self.drawn[step] = Place::Below;
                self.roots.push_back(step);
            }
            let arrow = match self.drawn[step] {
                Place::Nowhere => {
                    self.line(&indent, branch, step);
                    open.push(Open { step, next: 0 });
                    indents.push(indent + below);
                    continue;
                }
                Place::Above => '↑',
                Place::Below => '↓',
            };
            self.lines.push(format!("{indent}{branch}{arrow} {}", plan.step_name(step)));
        }
    }

    fn line(&mut self, indent: &str, branch: &str, step: usize) {
        self.drawn[step] = Place::Above;
        let (name, facts) = title(self.analysis, step);
        let mark = if self.analysis.steps()[step].on_critical_path { " *" } else { "" };
        self.lines.push(format!("{indent}{branch}{name}  {facts}{mark}"));
    }
}
