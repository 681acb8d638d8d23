//! What the expressions of a step read: each name is looked up, and what it means is noted with the
//! step. A name that means nothing is a problem.

use super::super::bound::{Feed, Params};
use super::super::expression::{Expression, Template};
use super::draft::Reads;
use super::{Around, Lowering, Problem, Source};
use crate::error::nearest;

/// What expressions may begin with, besides what items are called.
const ROOTS: [&str; 7] = ["steps", "params", "state", "input", "run", "index", "output"];

/// What is known of a step that has ended.
const FIELDS: [&str; 3] = ["output", "result", "degraded"];

/// Whether a name has a meaning of its own in expressions.
pub(super) fn is_root(name: &str) -> bool {
    ROOTS.contains(&name)
}

impl Lowering<'_> {
    /// Compiles a template and notes what it reads.
    pub(super) fn template(
        &mut self,
        value: &serde_json::Value,
        path: &str,
        around: &Around,
        reads: &mut Reads,
        own: Option<&str>,
    ) -> Template {
        match Template::parse(value) {
            Ok(template) => {
                for expression in template.expressions() {
                    self.expression(expression, path, around, reads, own);
                }
                template
            }
            Err(wrong) => {
                for message in wrong {
                    self.problem(path, message);
                }
                Template::Literal(serde_json::Value::Null)
            }
        }
    }

    /// Compiles a condition and notes what it reads.
    pub(super) fn condition(
        &mut self,
        text: &str,
        path: &str,
        around: &Around,
        reads: &mut Reads,
    ) -> Option<Expression> {
        let text = text.trim();
        let inner = text.strip_prefix("{{").and_then(|it| it.strip_suffix("}}"));
        match Expression::parse(inner.unwrap_or(text).trim()) {
            Ok(expression) => {
                self.expression(&expression, path, around, reads, None);
                Some(expression)
            }
            Err(message) => {
                self.problem(path, message);
                None
            }
        }
    }

    fn expression(
        &mut self,
        expression: &Expression,
        path: &str,
        around: &Around,
        reads: &mut Reads,
        own: Option<&str>,
    ) {
        for read in expression.reads() {
            let mut parts = read.split('.');
            let (root, name) = (parts.next().unwrap_or_default(), parts.next());
            match root {
                "steps" => self.step_read(name, parts.next(), path, reads),
                "state" => self.state_read(name, path, around, reads),
                "params" => self.parameter_read(name, path, reads),
                "input" if around.feed != Feed::Nothing => reads.input = around.feed.clone(),
                "input" => {
                    self.problem(path, "there is no `input` here").hint = Some(
                        "Inputs come from the step before in a `pipeline`, and from the root of a \
                         `tree`."
                            .to_owned(),
                    );
                }
                "run" => reads.run = true,
                "output" if own.is_some() => {}
                _ if self.names.items().any(|it| it == root) => reads.items = true,
                "index" if self.names.items().next().is_some() => reads.items = true,
                _ => self.unknown(root, path),
            }
        }
    }

    fn step_read(
        &mut self,
        name: Option<&str>,
        field: Option<&str>,
        path: &str,
        reads: &mut Reads,
    ) {
        let Some(name) = name else {
            self.problem(path, "`steps` is read as a whole").hint =
                Some("Name the step: `steps.NAME.output`.".to_owned());
            return;
        };
        match self.names.find(name) {
            Some(source) => {
                if !reads.steps.iter().any(|it| it.0 == name) {
                    reads.steps.push((name.to_owned(), source));
                }
            }
            None => self.no_step(name, path, format!("there is no step `{name}` here")),
        }
        if let Some(field) = field.filter(|it| !FIELDS.contains(it)) {
            let message = format!("`steps.{name}` has no `{field}`");
            let problem = Problem::new(path, message);
            self.problems.push(match nearest(field, FIELDS) {
                Some(near) => problem.with_nearest(Some(near)),
                None => problem.with_hint(format!("What it gave is `steps.{name}.output`.")),
            });
        }
    }

    /// Says that there is no step of this name here, and where it may be.
    pub(super) fn no_step(&mut self, name: &str, path: &str, message: String) {
        let problem = Problem::new(path, message);
        let problem = match self.names.list_around(name) {
            Some(list) => problem.with_hint(format!(
                "It is inside of the list `{list}`; what that gave for all items is \
                 `steps.{list}.output`."
            )),
            None => problem.with_nearest(self.names.near(name)),
        };
        self.problems.push(problem);
    }

    fn parameter_read(&mut self, name: Option<&str>, path: &str, reads: &mut Reads) {
        let frame = self.names.workflow();
        let known = frame.map(|it| &it.parameters);
        if let (Some(name), Some(known)) = (name, known)
            && !known.contains(name)
        {
            let near = nearest(name, known.iter().map(String::as_str));
            let problem = Problem::new(path, format!("there is no parameter `{name}`"));
            let problem = problem.with_nearest(near);
            self.problems.push(problem);
            return;
        }
        reads.params = Some(self.params());
    }

    /// Where the parameters are for a step of the innermost frame.
    pub(super) fn params(&self) -> Params {
        match self.names.here() {
            // what is around a list hands its parameters in
            Some(frame) if frame.item.is_none() => match &frame.parameters_from {
                Some(step) => Params::Step(Source::Here(step.clone())),
                None => Params::Run,
            },
            _ => Params::Run,
        }
    }

    fn state_read(&mut self, name: Option<&str>, path: &str, around: &Around, reads: &mut Reads) {
        let Some(name) = name else {
            self.problem(path, "`state` is read as a whole").hint =
                Some("Name the value: `state.NAME`.".to_owned());
            return;
        };
        match self.declared(name, around) {
            Some(number) if reads.state.contains(&number) => {}
            Some(number) => reads.state.push(number),
            None => self.no_value(name, path, around),
        }
    }

    /// The number of the innermost value of this name that a step may read.
    pub(super) fn declared(&self, name: &str, around: &Around) -> Option<usize> {
        let readable = |number: &usize| {
            let declared = self.declared.get(*number);
            declared.is_some_and(|it| it.name == name && it.may_read(around.block, &around.outer))
        };
        (0..self.declared.len()).rev().find(readable)
    }

    pub(super) fn no_value(&mut self, name: &str, path: &str, around: &Around) {
        let hidden = self.declared.iter().any(|it| it.name == name);
        let readable = self.declared.iter().filter(|it| it.may_read(around.block, &around.outer));
        let near = nearest(name, readable.map(|it| it.name.as_str())).map(str::to_owned);
        let message = match hidden {
            true => format!("`state.{name}` is local to another block"),
            false => format!("there is no value `state.{name}`"),
        };
        self.problems.push(Problem::new(path, message).with_nearest(near.as_deref()));
    }

    fn unknown(&mut self, root: &str, path: &str) {
        let mut problem = Problem::new(path, format!("`{root}` means nothing here"));
        problem = match (self.names.here().is_some_and(|it| it.names.contains_key(root)), root) {
            (true, name) => problem.with_hint(format!("Did you mean `steps.{name}.output`?")),
            (false, name) => {
                let near = nearest(name, ROOTS.into_iter().chain(self.names.items()));
                match near {
                    Some(_) => problem.with_nearest(near),
                    None => problem.with_hint(
                        "Expressions read `steps.NAME.output`, `params.NAME`, `state.NAME`, \
                         `input`, `run.id`, and the items of a `for_each`.",
                    ),
                }
            }
        };
        self.problems.push(problem);
    }
}
