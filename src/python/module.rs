//! What is known of one Python file, and the questions that need more than one fact.

use super::facts::{
    Assignment, Call, Class, Concatenation, Function, Import, Loop, Membership, Pair, Return, Spot,
    Text,
};
use super::metrics::Metrics;
use super::place::{LineIndex, Place};
use crate::finding::Span;

/// A place at which the text is not Python 3.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// Where.
    pub place: Place,
    /// What is wrong, without the place.
    pub message: String,
}

/// One parsed file.
#[derive(Debug)]
pub struct Module {
    pub(super) text: String,
    pub(super) index: LineIndex,
    /// Syntax errors in the order of the text; when there are any, the other facts are a guess.
    pub problems: Vec<Problem>,
    /// Docstring of the file.
    pub docstring: Option<Place>,
    /// Imported names.
    pub imports: Vec<Import>,
    /// Classes in the order of their heads.
    pub classes: Vec<Class>,
    /// Functions and methods in the order of their heads.
    pub functions: Vec<Function>,
    /// Calls.
    pub calls: Vec<Call>,
    /// Assignments, augmented ones and annotated names included.
    pub assignments: Vec<Assignment>,
    /// String literals.
    pub texts: Vec<Text>,
    /// Loops and comprehensions.
    pub loops: Vec<Loop>,
    /// Searches in a container, in loops.
    pub memberships: Vec<Membership>,
    /// Pairs of dict displays with plain string keys.
    pub pairs: Vec<Pair>,
    /// `+` and `%`.
    pub concatenations: Vec<Concatenation>,
    /// Attribute accesses that are dotted names, such as `os.environ`.
    pub attributes: Vec<Spot>,
    /// `await` expressions.
    pub awaits: Vec<Spot>,
    /// `raise` statements.
    pub raises: Vec<Spot>,
    /// `return` statements.
    pub returns: Vec<Return>,
    /// Blocks below `if TYPE_CHECKING:`, which never run.
    pub type_checking: Vec<Place>,
    /// Comments, in the order of the text.
    pub comments: Vec<Place>,
    /// `assert` statements.
    pub asserts: Vec<Spot>,
    /// Annotations of parameters, results and assignments, outermost only.
    pub annotations: Vec<Place>,
    /// Uses of plain names.
    pub names: Vec<Place>,
    /// Names that the module itself binds at its top level.
    pub exports: Vec<String>,
    /// First use in each scope of a name that nothing binds.
    pub undefined: Vec<Place>,
    /// Names that a function assigns and nobody uses.
    pub unused: Vec<Place>,
    /// First statement of each run that can never be reached.
    pub unreachable: Vec<Place>,
    /// Measures.
    pub metrics: Metrics,
}

impl Module {
    /// A module of which only the text is known.
    pub(super) fn empty(text: &str) -> Self {
        Self {
            text: text.to_owned(),
            index: LineIndex::new(text),
            problems: Vec::new(),
            docstring: None,
            imports: Vec::new(),
            classes: Vec::new(),
            functions: Vec::new(),
            calls: Vec::new(),
            assignments: Vec::new(),
            texts: Vec::new(),
            loops: Vec::new(),
            memberships: Vec::new(),
            pairs: Vec::new(),
            concatenations: Vec::new(),
            attributes: Vec::new(),
            awaits: Vec::new(),
            raises: Vec::new(),
            returns: Vec::new(),
            type_checking: Vec::new(),
            comments: Vec::new(),
            asserts: Vec::new(),
            annotations: Vec::new(),
            names: Vec::new(),
            exports: Vec::new(),
            undefined: Vec::new(),
            unused: Vec::new(),
            unreachable: Vec::new(),
            metrics: Metrics::default(),
        }
    }

    /// Whether the file parses.
    pub fn is_valid(&self) -> bool {
        self.problems.is_empty()
    }

    /// The whole text.
    pub fn source(&self) -> &str {
        &self.text
    }

    /// The text of a place.
    pub fn text(&self, place: Place) -> &str {
        self.text.get(place.start as usize..place.end as usize).unwrap_or("")
    }

    /// Line and columns of a place.
    pub fn span(&self, place: Place) -> Span {
        self.index.span(&self.text, place)
    }

    /// Line of a place, from 1.
    pub fn line(&self, place: Place) -> u32 {
        self.index.line(place.start)
    }

    /// The place of a line without its end, from 1.
    pub fn line_place(&self, line: u32) -> Place {
        self.index.line_place(&self.text, line)
    }

    /// A class of the file by name.
    pub fn class(&self, name: &str) -> Option<&Class> {
        self.classes.iter().find(|class| class.name == name)
    }

    /// The methods of a class, by its index in [`Module::classes`].
    pub fn methods(&self, class: usize) -> impl Iterator<Item = &Function> {
        let region = self.classes.get(class).map_or_else(Place::default, |it| it.place);
        let class = super::place::offset(class);
        let functions = super::inside(&self.functions, region, |it| it.place);
        functions.iter().filter(move |it| it.site.class == Some(class))
    }

    /// The function at an index.
    pub fn function(&self, index: Option<u32>) -> Option<&Function> {
        self.functions.get(index? as usize)
    }

    /// The loop at an index.
    pub fn enclosing_loop(&self, index: Option<u32>) -> Option<&Loop> {
        self.loops.get(index? as usize)
    }

    /// A dotted name with its first part replaced by what was imported under it: `sleep` is
    /// `time.sleep` after `from time import sleep`. Relative imports keep their module's name.
    pub fn resolve(&self, dotted: &str) -> String {
        let (first, rest) = match dotted.split_once('.') {
            Some((first, rest)) => (first, Some(rest)),
            None => (dotted, None),
        };
        let import = self.imports.iter().find(|it| it.bound == first);
        match (import.map(Import::target), rest) {
            (Some(target), Some(rest)) => format!("{target}.{rest}"),
            (Some(target), None) => target,
            (None, _) => dotted.to_owned(),
        }
    }

    /// The same of what is called: `None` where the first of several parts is no import, and so
    /// some object of which the text does not say what it is.
    pub(super) fn path(&self, dotted: &str) -> Option<String> {
        let first = dotted.split('.').next().unwrap_or(dotted);
        let is_plain = first == dotted || self.imports.iter().any(|it| it.bound == first);
        is_plain.then(|| self.resolve(dotted))
    }

    /// The call that is a whole expression.
    pub fn call_at(&self, place: Place) -> Option<&Call> {
        super::inside(&self.calls, place, |it| it.place).iter().find(|it| it.place == place)
    }

    /// The value of a call's argument by name, as text.
    pub fn keyword<'a>(&'a self, call: &Call, name: &str) -> Option<&'a str> {
        let named =
            |it: &&super::facts::Argument| it.name.is_some_and(|place| self.text(place) == name);
        call.arguments.iter().find(named).map(|it| self.text(it.value.place))
    }
}
