//! The facts of a file that checks ask about, each with its place. Names are texts of the source:
//! nothing is resolved here that the text does not say.

use super::place::Place;

/// Where in the structure of the file something stands. Indices are those of
/// [`super::Module::functions`], `classes` and `loops`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Site {
    /// Innermost function whose body holds it.
    pub function: Option<u32>,
    /// The class whose body holds it directly, or for a function, whose method it is.
    pub class: Option<u32>,
    /// Innermost loop (of the same function) whose body holds it.
    pub in_loop: Option<u32>,
}

/// What an expression is, by its outermost form.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ValueKind {
    /// A plain string, also several side by side.
    Text,
    /// An f-string with something in it.
    Formatted,
    /// An integer or float.
    Number,
    /// `True` or `False`.
    Boolean(bool),
    /// `None`.
    Nothing,
    /// A list display of so many elements.
    List(u32),
    /// A list comprehension.
    Listed,
    /// A dict display or comprehension.
    Dictionary,
    /// A set display or comprehension.
    Set,
    /// A tuple.
    Tuple,
    /// A call.
    Call,
    /// A name.
    Name,
    /// Anything else.
    Other,
}

/// An expression.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Value {
    /// What it is.
    pub kind: ValueKind,
    /// Where it stands.
    pub place: Place,
}

/// One name bound by an import.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Import {
    /// The name that it binds; `*` for a star import.
    pub bound: String,
    /// Dotted module without the leading dots; may be empty in `from . import x`.
    pub module: String,
    /// The member of `from module import member`.
    pub member: Option<String>,
    /// Number of leading dots: 0 for an absolute import.
    pub level: u32,
    /// Whether it is written `x as x`, which says that it is meant to be exported.
    pub reexported: bool,
    /// Whether some code of the file uses the name.
    pub used: bool,
    /// The imported name.
    pub place: Place,
    /// The whole statement.
    pub statement: Place,
    /// Where the statement stands.
    pub site: Site,
}

impl Import {
    /// The dotted path of what the name stands for, such as `time.sleep`; a relative import
    /// begins with its dots.
    pub fn target(&self) -> String {
        let dots = ".".repeat(self.level as usize);
        match &self.member {
            Some(member) if self.module.is_empty() => format!("{dots}{member}"),
            Some(member) => format!("{dots}{}.{member}", self.module),
            // `import a.b` binds `a`; `import a.b as c` binds the whole
            None if self.module.split('.').next() == Some(self.bound.as_str()) => {
                self.bound.clone()
            }
            None => self.module.clone(),
        }
    }
}

/// A class.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Class {
    /// Name.
    pub name: String,
    /// Place of the name.
    pub name_place: Place,
    /// The whole definition without decorators.
    pub place: Place,
    /// Base class expressions.
    pub bases: Vec<Place>,
    /// Decorator expressions without `@`.
    pub decorators: Vec<Place>,
    /// Docstring.
    pub docstring: Option<Place>,
    /// Where the definition stands.
    pub site: Site,
    /// Start of the block that holds the definition.
    pub block: u32,
    /// Decisions in the class body outside methods.
    pub decisions: u32,
    /// Cyclomatic complexity, see [`super::metrics`].
    pub complexity: u32,
}

/// What the body of a function does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Body {
    /// Nothing: `pass`, `...` or a docstring alone.
    Empty,
    /// Something.
    Code,
}

/// A function or method.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Function {
    /// Name.
    pub name: String,
    /// Place of the name.
    pub name_place: Place,
    /// The whole definition without decorators.
    pub place: Place,
    /// Whether it is `async def`.
    pub is_async: bool,
    /// Parameters in order.
    pub parameters: Vec<Parameter>,
    /// Return annotation.
    pub returns: Option<Place>,
    /// Decorator expressions without `@`.
    pub decorators: Vec<Place>,
    /// Docstring.
    pub docstring: Option<Place>,
    /// What the body does.
    pub body: Body,
    /// Whether it yields.
    pub is_generator: bool,
    /// Where the definition stands: `site.class` is the class of a method, `site.function` the
    /// function around an inner one.
    pub site: Site,
    /// Start of the block that holds the definition.
    pub block: u32,
    /// Cyclomatic complexity, see [`super::metrics`].
    pub complexity: u32,
    /// Deepest nesting of `if`, `for`, `while`, `try`, `with` and `match`.
    pub nesting: u32,
    /// Lines of the definition without decorators.
    pub lines: u32,
    /// Statements of the body at every depth, heads of compound ones included; inner functions
    /// count for themselves.
    pub statements: u32,
}

/// How a parameter takes arguments.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ParameterKind {
    /// By position (and by name, unless before a `/`).
    Positional,
    /// `*args`.
    Rest,
    /// By name alone.
    Keyword,
    /// `**kwargs`.
    Keywords,
}

/// A parameter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Parameter {
    /// The name.
    pub name: Place,
    /// How it takes arguments.
    pub kind: ParameterKind,
    /// Annotation.
    pub annotation: Option<Place>,
    /// Default.
    pub default: Option<Value>,
}

/// A call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Call {
    /// What is called, when it is a dotted name; the text is at this place.
    pub callee: Option<Place>,
    /// The last part of what is called: `execute` in `cursor().execute(...)`.
    pub method: Option<Place>,
    /// What is called with its first part resolved by the imports; `None` where an object of the
    /// code's own is called. See [`super::Module::resolve`].
    pub path: Option<String>,
    /// The whole call.
    pub place: Place,
    /// Arguments in order.
    pub arguments: Vec<Argument>,
    /// Where it stands.
    pub site: Site,
    /// Whether it is awaited on the spot.
    pub awaited: bool,
    /// Whether it is a statement by itself, which drops the result.
    pub standalone: bool,
}

/// An argument of a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Argument {
    /// Its name, when given by name.
    pub name: Option<Place>,
    /// Its value.
    pub value: Value,
}

/// An assignment or annotation of one target.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Assignment {
    /// What is assigned to.
    pub target: Place,
    /// Whether the target is a plain name.
    pub is_name: bool,
    /// Annotation.
    pub annotation: Option<Place>,
    /// Value.
    pub value: Option<Value>,
    /// The operator of an augmented assignment, such as `+=`.
    pub operator: Option<Place>,
    /// The whole assignment.
    pub place: Place,
    /// Where it stands.
    pub site: Site,
}

/// A string literal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Text {
    /// With prefix and quotes.
    pub place: Place,
    /// Between the quotes; escapes are not resolved.
    pub content: Place,
    /// Whether it is an f-string with something in it.
    pub interpolated: bool,
    /// Whether it stands alone as a statement: a docstring or a comment.
    pub standalone: bool,
    /// Whether it is part of an annotation.
    pub annotation: bool,
    /// Where it stands.
    pub site: Site,
}

/// Kind of a loop.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LoopKind {
    /// `for`.
    For,
    /// `async for`.
    AsyncFor,
    /// `while` with a condition.
    While,
    /// `while True` or `while 1`.
    Endless,
    /// A comprehension.
    Comprehension,
}

/// A loop.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Loop {
    /// Kind.
    pub kind: LoopKind,
    /// The whole loop.
    pub place: Place,
    /// The line that begins it.
    pub head: Place,
    /// Names bound by it.
    pub targets: Vec<Place>,
    /// Where it stands; `site.in_loop` is the loop around it.
    pub site: Site,
    /// Whether a `break`, `return` or `raise` can leave it.
    pub leaves: bool,
    /// Whether it awaits or yields on its way, so that others can run or stop it.
    pub pauses: bool,
}

/// `x in container`, in a loop.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Membership {
    /// The whole comparison.
    pub place: Place,
    /// What is searched.
    pub container: Value,
    /// Where it stands.
    pub site: Site,
}

/// A place in the structure: an `await`, a `raise`, an attribute access, an `assert`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Spot {
    /// Where.
    pub place: Place,
    /// Where in the structure.
    pub site: Site,
}

/// A `return`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Return {
    /// Where.
    pub place: Place,
    /// What is returned.
    pub value: Option<Value>,
    /// Where in the structure.
    pub site: Site,
}

/// A pair of a dict display whose key is a plain string.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pair {
    /// Start of the dict display: pairs of one have it in common.
    pub dictionary: u32,
    /// Key between its quotes.
    pub key: Place,
    /// Value.
    pub value: Value,
}

/// A binary `+` or `%`, the operators that build texts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Concatenation {
    /// The whole expression.
    pub place: Place,
    /// Left side.
    pub left: Value,
    /// Right side.
    pub right: Value,
}
