//! Changes of what a node does: actions, operations, dependencies, codes, machine, workflow. Pure.

use super::{Changes, Impact, Named, words};
use crate::contract::model::{
    Action, Contract, Dependency, ErrorCode, IoOperation, State, StateMachine, Transition,
    Workflow, WorkflowStep,
};
use crate::finding::Span;
use Impact::{Breaking, Compatible};

macro_rules! named {
    ($($type:ty: $field:ident),*) => {$(
        impl Named for $type {
            fn name(&self) -> &str {
                &self.$field
            }

            fn span(&self) -> Option<Span> {
                self.span
            }
        }
    )*};
}

named!(Action: name, IoOperation: name, Dependency: name, ErrorCode: code, State: name);
named!(WorkflowStep: name);

/// A transition by what it depends on.
struct Arrow<'a> {
    name: String,
    it: &'a Transition,
}

impl Named for Arrow<'_> {
    fn name(&self) -> &str {
        &self.name
    }

    fn span(&self) -> Option<Span> {
        self.it.span
    }
}

fn places<T: Named>(old: &T, new: &T) -> (Option<Span>, Option<Span>) {
    (old.span(), new.span())
}

pub(super) fn behaviour(old: &Contract, new: &Contract, changes: &mut Changes) {
    let lists = (old.actions.as_slice(), new.actions.as_slice());
    changes.named(
        "actions",
        lists,
        |_| Breaking,
        |_| Compatible,
        |changes, path, old, new| {
            changes.text(
                path,
                old.description.as_deref(),
                new.description.as_deref(),
                places(old, new),
            );
        },
    );
    let lists = (old.io_operations.as_slice(), new.io_operations.as_slice());
    changes.named("io_operations", lists, |_| Breaking, |_| Compatible, operation);
    let lists = (old.dependencies.as_slice(), new.dependencies.as_slice());
    // Who runs the node must provide what it needs.
    let needed = |it: &Dependency| if it.required { Breaking } else { Compatible };
    changes.named("dependencies", lists, |_| Compatible, needed, dependency);
    let lists = (old.error_codes.as_slice(), new.error_codes.as_slice());
    changes.named(
        "error_codes",
        lists,
        |_| Breaking,
        |_| Compatible,
        |changes, path, old, new| {
            let places = places(old, new);
            changes.value(Compatible, path, &old.recoverable, &new.recoverable, places);
            changes.text(path, old.description.as_deref(), new.description.as_deref(), places);
        },
    );
    machine(old.state_machine.as_ref(), new.state_machine.as_ref(), changes);
    workflow(old.workflow.as_ref(), new.workflow.as_ref(), changes);
    for (path, old, new) in [
        ("capabilities", &old.capabilities, &new.capabilities),
        ("subscribe_topics", &old.subscribe_topics, &new.subscribe_topics),
        ("publish_topics", &old.publish_topics, &new.publish_topics),
    ] {
        let lists = (words(old), words(new));
        let lists = (lists.0.as_slice(), lists.1.as_slice());
        changes.named(path, lists, |_| Breaking, |_| Compatible, |_, _, _, _| {});
    }
}

fn operation(changes: &mut Changes, path: &str, old: &IoOperation, new: &IoOperation) {
    let spans = places(old, new);
    for (word, before, after) in
        [("idempotent", old.idempotent, new.idempotent), ("atomic", old.atomic, new.atomic)]
    {
        let impact = if before { Breaking } else { Compatible };
        changes.value(impact, &format!("{path}.{word}"), &Some(before), &Some(after), spans);
    }
    for (word, before, after, added) in [
        ("input_fields", &old.input_fields, &new.input_fields, Breaking),
        ("output_fields", &old.output_fields, &new.output_fields, Compatible),
    ] {
        let lists = (words(before), words(after));
        let lists = (lists.0.as_slice(), lists.1.as_slice());
        let path = format!("{path}.{word}");
        changes.named(&path, lists, |_| Breaking, |_| added, |_, _, _, _| {});
    }
    changes.text(path, old.description.as_deref(), new.description.as_deref(), spans);
}

fn dependency(changes: &mut Changes, path: &str, old: &Dependency, new: &Dependency) {
    let spans = places(old, new);
    if old.required != new.required {
        let (impact, message) = if new.required {
            (Breaking, "is required now")
        } else {
            (Compatible, "may be missing now")
        };
        changes.add(impact, path, message, spans);
    }
    for (word, before, after) in [
        ("kind", &old.kind, &new.kind),
        ("module", &old.module, &new.module),
        ("class_name", &old.class_name, &new.class_name),
    ] {
        let impact = if new.required { Breaking } else { Compatible };
        changes.value(impact, &format!("{path}.{word}"), before, after, spans);
    }
}

fn machine(old: Option<&StateMachine>, new: Option<&StateMachine>, changes: &mut Changes) {
    let path = "state_machine";
    let (old, new) = match (old, new) {
        (None, None) => return,
        (Some(old), None) => return changes.add(Breaking, path, "is gone", (old.span, None)),
        (None, Some(new)) => return changes.add(Compatible, path, "is new", (None, new.span)),
        (Some(old), Some(new)) => (old, new),
    };
    let spans = (old.span, new.span);
    let initial = (Some(&old.initial_state), Some(&new.initial_state));
    changes.value(Breaking, &format!("{path}.initial_state"), &initial.0, &initial.1, spans);
    changes.text(path, old.description.as_deref(), new.description.as_deref(), spans);
    let lists = (old.states.as_slice(), new.states.as_slice());
    let states = format!("{path}.states");
    changes.named(
        &states,
        lists,
        |_| Breaking,
        |_| Compatible,
        |changes, path, old, new| {
            let spans = places(old, new);
            let flags = (Some(old.terminal), Some(new.terminal));
            changes.value(Breaking, &format!("{path}.terminal"), &flags.0, &flags.1, spans);
            let flags = (Some(old.error), Some(new.error));
            changes.value(Compatible, &format!("{path}.error"), &flags.0, &flags.1, spans);
            changes.text(path, old.description.as_deref(), new.description.as_deref(), spans);
        },
    );
    let (old_arrows, new_arrows) = (arrows(old), arrows(new));
    let lists = (old_arrows.as_slice(), new_arrows.as_slice());
    let path = format!("{path}.transitions");
    changes.named(
        &path,
        lists,
        |_| Breaking,
        |_| Compatible,
        |changes, path, old, new| {
            let spans = places(old, new);
            let targets = (Some(&old.it.to), Some(&new.it.to));
            changes.value(Breaking, path, &targets.0, &targets.1, spans);
        },
    );
}

/// Transitions by source and trigger; where conditions decide as well, also by target.
fn arrows(machine: &StateMachine) -> Vec<Arrow<'_>> {
    let name = |it: &Transition| {
        let to = if it.conditional { format!(" to {}", it.to) } else { String::new() };
        format!("{} by {}{to}", it.from, it.trigger)
    };
    machine.transitions.iter().map(|it| Arrow { name: name(it), it }).collect()
}

/// Steps are the node's own affair: who calls it does not see them.
fn workflow(old: Option<&Workflow>, new: Option<&Workflow>, changes: &mut Changes) {
    let path = "workflow";
    let (old, new) = match (old, new) {
        (None, None) => return,
        (Some(old), None) => return changes.add(Compatible, path, "is gone", (old.span, None)),
        (None, Some(new)) => return changes.add(Compatible, path, "is new", (None, new.span)),
        (Some(old), Some(new)) => (old, new),
    };
    let spans = (old.span, new.span);
    let mode = format!("{path}.execution_mode");
    changes.value(Compatible, &mode, &old.execution_mode, &new.execution_mode, spans);
    changes.text(path, old.description.as_deref(), new.description.as_deref(), spans);
    let lists = (old.steps.as_slice(), new.steps.as_slice());
    let steps = format!("{path}.steps");
    changes.named(
        &steps,
        lists,
        |_| Compatible,
        |_| Compatible,
        |changes, path, old, new| {
            let spans = places(old, new);
            let before = (Some(old.depends_on.join(", ")), Some(new.depends_on.join(", ")));
            changes.value(Compatible, &format!("{path}.depends_on"), &before.0, &before.1, spans);
            let kind = format!("{path}.node_type");
            changes.value(Compatible, &kind, &old.node_type, &new.node_type, spans);
            changes.text(path, old.description.as_deref(), new.description.as_deref(), spans);
        },
    );
}
