//! The one walk over a file's tree: keeps track of where it is (scope, function, class, loop, what
//! a name in this position does) and hands each node to those that make facts of it.
//!
//! Iterative, so that no nesting of a generated text can exhaust the stack.

use std::collections::HashSet;

use tree_sitter::{Node, Tree};

use super::collect;
use super::facts::{Function, Site};
use super::halstead::HalsteadCounter;
use super::kind::{Field, Kind};
use super::lines::LineCounter;
use super::metrics::{Metrics, file_complexity, set_class_complexity};
use super::module::{Module, Problem};
use super::place::Place;
use super::scope::{ScopeId, ScopeKind, Scopes};

/// What a name in this position does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Role {
    /// It is used.
    Load,
    /// It is bound.
    Bind,
    /// It is part of a `case` pattern.
    Pattern,
    /// It is no name of this scope: an attribute, a keyword, or bound elsewhere already.
    Skip,
}

/// To whom a decision counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Owner {
    Module,
    Class(u32),
    Function(u32),
    /// Function heads and `assert` do not count.
    Nobody,
}

/// Where the walk is.
#[derive(Debug, Clone, Copy)]
pub(super) struct Context {
    pub(super) scope: ScopeId,
    pub(super) site: Site,
    pub(super) role: Role,
    pub(super) owner: Owner,
    /// Start of the innermost block.
    pub(super) block: u32,
    pub(super) nesting: u32,
    pub(super) in_annotation: bool,
    /// Whether Halstead counts here.
    pub(super) measured: bool,
    pub(super) awaited: bool,
}

/// A node on the way from the root to here.
#[derive(Debug)]
pub(super) struct Frame<'t> {
    pub(super) node: Node<'t>,
    pub(super) kind: Kind,
    pub(super) field: Field,
    pub(super) context: Context,
    /// Index of the function, class or loop that it opens.
    pub(super) opened: u32,
    /// Scope that it opens.
    pub(super) inner: ScopeId,
    /// Whether a statement of this block has left it.
    terminated: bool,
}

/// The walk's state.
#[derive(Debug)]
pub(super) struct Walker<'t, 's, 'm> {
    pub(super) source: &'s str,
    pub(super) module: &'m mut Module,
    pub(super) scopes: Scopes<'s>,
    pub(super) frames: Vec<Frame<'t>>,
    /// Whether the attribute that was entered last is of a dotted name.
    pub(super) dotted: bool,
    halstead: HalsteadCounter<'s>,
    lines: LineCounter,
    decisions: u32,
}

/// Fills a module with the facts of its tree.
pub(super) fn collect(tree: &Tree, source: &str, module: &mut Module) {
    let mut walker = Walker {
        source,
        module,
        scopes: Scopes::new(),
        frames: Vec::with_capacity(32),
        dotted: false,
        halstead: HalsteadCounter::new(source),
        lines: LineCounter::new(source),
        decisions: 0,
    };
    walker.run(tree);
    walker.finish();
}

impl<'t, 's> Walker<'t, 's, '_> {
    fn run(&mut self, tree: &'t Tree) {
        let mut cursor = tree.walk();
        loop {
            self.enter(cursor.node(), Field::of(cursor.field_id()));
            if cursor.goto_first_child() {
                continue;
            }
            self.leaf();
            loop {
                self.frames.pop();
                if cursor.goto_next_sibling() {
                    break;
                }
                if !cursor.goto_parent() {
                    return;
                }
            }
        }
    }

    fn finish(self) {
        let resolution = self.scopes.resolve();
        let module = self.module;
        module.undefined = resolution.undefined;
        module.unused = resolution.unused;
        let used = |index| resolution.used_imports.contains(&super::place::offset(index));
        let names: HashSet<String> = module
            .imports
            .iter()
            .enumerate()
            .filter(|(index, _)| used(*index))
            .map(|(_, import)| import.bound.clone())
            .collect();
        // `import a.b` and `import a.c` bind one name
        for import in &mut module.imports {
            import.used = names.contains(&import.bound);
        }
        module.exports = resolution.exports;
        for index in 0..module.calls.len() {
            let path = module.calls.get(index).and_then(|call| call.callee);
            let path = path.and_then(|place| module.path(module.text(place)));
            if let Some(call) = module.calls.get_mut(index) {
                call.path = path;
            }
        }
        set_class_complexity(module);
        module.metrics = Metrics {
            lines: self.lines.finish(),
            halstead: self.halstead.finish(),
            complexity: file_complexity(self.decisions, &module.functions, &module.classes),
        };
    }

    /// The text of a node.
    pub(super) fn text(&self, node: Node<'_>) -> &'s str {
        self.source.get(node.byte_range()).unwrap_or("")
    }

    /// The text of a child.
    pub(super) fn field_text(&self, node: Node<'_>, field: Field) -> &'s str {
        field.child(node).map_or("", |child| self.text(child))
    }

    /// Adds a syntax error that the grammar lets pass.
    pub(super) fn problem(&mut self, node: Node<'_>, message: &str) {
        let message = message.to_owned();
        self.module.problems.push(Problem { place: Place::of(node), message });
    }

    fn leaf(&mut self) {
        let Some(frame) = self.frames.last() else { return };
        let node = frame.node;
        let rows = (node.start_position().row, node.end_position().row);
        let formatted =
            frame.kind == Kind::StringStart && self.text(node).contains(['f', 'F', 't', 'T']);
        let kind = frame.kind;
        if kind == Kind::Comment {
            self.module.comments.push(Place::of(node));
        }
        if node.start_byte() < node.end_byte() {
            self.lines.leaf(kind, rows, formatted);
        }
    }

    fn enter(&mut self, node: Node<'t>, field: Field) {
        let kind = Kind::of(node);
        let context = self.context_of(kind, field);
        let frame = Frame {
            node,
            kind,
            field,
            context,
            opened: 0,
            inner: context.scope,
            terminated: false,
        };
        self.frames.push(frame);
        if kind == Kind::Other || context.role == Role::Skip {
            return;
        }
        self.flow(kind, node);
        self.count(kind, node);
        let (opened, inner) = collect::take(self, kind, node, context);
        if let Some(frame) = self.frames.last_mut() {
            frame.opened = opened;
            frame.inner = inner.unwrap_or(context.scope);
        }
    }

    /// The context of the node that is about to be entered, from its parent's.
    fn context_of(&mut self, kind: Kind, field: Field) -> Context {
        let Some(parent) = self.frames.last() else {
            return Context {
                scope: Scopes::MODULE,
                site: Site::default(),
                role: Role::Load,
                owner: Owner::Module,
                block: 0,
                nesting: 0,
                in_annotation: false,
                measured: true,
                awaited: false,
            };
        };
        let mut context = parent.context;
        if context.role == Role::Skip {
            return context;
        }
        context.awaited = parent.kind == Kind::Await;
        match parent.kind {
            Kind::FunctionDefinition => function_part(&mut context, parent, field),
            Kind::ClassDefinition => class_part(&mut context, parent, field),
            Kind::ForStatement | Kind::WhileStatement | Kind::ForInClause => {
                loop_part(&mut context, parent, field);
            }
            Kind::Lambda => context.scope = parent.inner,
            parent_kind if parent_kind.is_comprehension() => {
                context.scope = parent.inner;
                if kind != Kind::ForInClause {
                    context.site.in_loop = Some(parent.opened);
                }
            }
            Kind::DecoratedDefinition if kind == Kind::Decorator => {
                let definition = Field::Definition.child(parent.node);
                if definition.map(Kind::of) == Some(Kind::FunctionDefinition) {
                    context.measured = false;
                }
                context.owner = Owner::Nobody;
            }
            Kind::AssertStatement => context.owner = Owner::Nobody,
            parent_kind => context.role = role(parent_kind, context.role, kind, field),
        }
        if matches!(field, Field::Type | Field::ReturnType) {
            context.in_annotation = true;
        }
        let is_nesting = kind == Kind::Block
            && !matches!(
                parent.kind,
                Kind::FunctionDefinition | Kind::ClassDefinition | Kind::MatchStatement
            );
        if is_nesting {
            context.nesting += 1;
        }
        context
    }

    /// Reachability of statements, and which loop a statement leaves or pauses.
    fn flow(&mut self, kind: Kind, node: Node<'t>) {
        if kind == Kind::Block
            && let Some(frame) = self.frames.last_mut()
        {
            frame.context.block = super::place::offset(node.start_byte());
        }
        let index = self.frames.len().saturating_sub(2);
        let Some(parent) = self.frames.get_mut(index) else { return };
        if !matches!(parent.kind, Kind::Block | Kind::Module) || kind == Kind::Comment {
            return;
        }
        let owner = parent.context.owner;
        if let Owner::Function(index) = owner
            && let Some(function) = self.module.functions.get_mut(index as usize)
        {
            function.statements += 1;
        }
        if parent.terminated {
            // `return` followed by `yield` is how a generator of nothing is written
            let makes_generator = node.named_child(0).map(Kind::of) == Some(Kind::Yield);
            parent.terminated = false;
            if !makes_generator {
                self.module.unreachable.push(Place::of(node));
            }
        } else {
            parent.terminated = matches!(
                kind,
                Kind::ReturnStatement
                    | Kind::RaiseStatement
                    | Kind::BreakStatement
                    | Kind::ContinueStatement
            );
        }
    }

    /// Decisions and operators.
    fn count(&mut self, kind: Kind, node: Node<'t>) {
        let index = self.frames.len().saturating_sub(2);
        let (Some(frame), parent) = (self.frames.last(), self.frames.get(index)) else { return };
        let context = frame.context;
        let parent_kind = parent.map_or(Kind::Other, |it| it.kind);
        let decisions = match kind {
            Kind::IfClause if parent_kind.is_comprehension() => 1,
            Kind::ElseClause if parent_kind != Kind::IfStatement => 1,
            Kind::MatchStatement => cases(node),
            Kind::IfStatement
            | Kind::ElifClause
            | Kind::ConditionalExpression
            | Kind::ForStatement
            | Kind::WhileStatement
            | Kind::ForInClause
            | Kind::ExceptClause
            | Kind::BooleanOperator
            | Kind::AssertStatement => 1,
            _ => 0,
        };
        if context.measured {
            let continues = kind == Kind::BooleanOperator
                && frame.field == Field::Left
                && parent.is_some_and(|it| same_operator(it.node, node));
            let function = self.module.function(context.site.function);
            let name: &'s str = function.map_or("", |it| slice(self.source, it.name_place));
            self.halstead.node(kind, node, name, continues);
        }
        match context.owner {
            Owner::Module => self.decisions += decisions,
            Owner::Class(index) => {
                if let Some(class) = self.module.classes.get_mut(index as usize) {
                    class.decisions += decisions;
                }
            }
            Owner::Function(index) => {
                if let Some(function) = self.module.functions.get_mut(index as usize) {
                    function.complexity += decisions;
                    function.nesting = function.nesting.max(context.nesting);
                }
            }
            Owner::Nobody => {}
        }
    }

    /// Keeps alive the imports of all names in a text.
    pub(super) fn mention_words(&mut self, text: &'s str) {
        let words = text.split(|c: char| !c.is_alphanumeric() && c != '_');
        for word in words.filter(|it| it.starts_with(|c: char| c.is_alphabetic() || c == '_')) {
            self.scopes.mention(word);
        }
    }

    /// Marks the loops that a statement can leave: the innermost for `break`, all of the function
    /// for `return` and `raise`.
    pub(super) fn leave_loops(&mut self, innermost_alone: bool) {
        self.mark_loops(innermost_alone, |it| it.leaves = true);
    }

    /// Marks the loops of the function that let others run or stop them.
    pub(super) fn pause_loops(&mut self) {
        self.mark_loops(false, |it| it.pauses = true);
    }

    fn mark_loops(&mut self, innermost_alone: bool, mark: impl Fn(&mut super::facts::Loop)) {
        let mut at = self.frames.last().and_then(|it| it.context.site.in_loop);
        while let Some(found) = at.and_then(|id| self.module.loops.get_mut(id as usize)) {
            mark(found);
            at = if innermost_alone { None } else { found.site.in_loop };
        }
    }

    /// Opens a scope below the current one.
    pub(super) fn open_scope(&mut self, kind: ScopeKind, parent: ScopeId) -> ScopeId {
        self.scopes.open(kind, parent)
    }

    /// The function around the node at hand.
    pub(super) fn function(&self, site: Site) -> Option<&Function> {
        self.module.function(site.function)
    }

    /// The parent of the node at hand.
    pub(super) fn parent(&self) -> Option<&Frame<'t>> {
        self.frames.get(self.frames.len().checked_sub(2)?)
    }
}

/// The text of a place.
pub(super) fn slice(source: &str, place: Place) -> &str {
    source.get(place.start as usize..place.end as usize).unwrap_or("")
}

fn same_operator(parent: Node<'_>, node: Node<'_>) -> bool {
    let operator = |it| Field::Operator.child(it).map(|operator| operator.kind_id());
    Kind::of(parent) == Kind::BooleanOperator && operator(parent) == operator(node)
}

/// Cases of a `match`, without one that takes everything.
fn cases(node: Node<'_>) -> u32 {
    let Some(body) = Field::Body.child(node) else { return 0 };
    let mut cursor = body.walk();
    let mut cases = 0;
    let mut takes_everything = 0;
    for case in body.named_children(&mut cursor).filter(|it| Kind::of(*it) == Kind::CaseClause) {
        cases += 1;
        let pattern = case.named_child(0).filter(|it| Kind::of(*it) == Kind::CasePattern);
        let inner = pattern.and_then(|it| it.child(0));
        let is_open = inner.is_some_and(|it| match Kind::of(it) {
            Kind::DottedName => it.named_child_count() == 1,
            _ => it.kind() == "_",
        });
        if is_open {
            takes_everything = 1;
        }
    }
    cases - takes_everything
}

fn function_part(context: &mut Context, parent: &Frame<'_>, field: Field) {
    if field == Field::Body {
        context.scope = parent.inner;
        context.site = Site { function: Some(parent.opened), class: None, in_loop: None };
        context.owner = Owner::Function(parent.opened);
        context.nesting = 0;
        return;
    }
    context.owner = Owner::Nobody;
    context.measured = false;
    if matches!(field, Field::Name | Field::TypeParameters) {
        context.role = Role::Skip;
    }
}

fn class_part(context: &mut Context, parent: &Frame<'_>, field: Field) {
    match field {
        Field::Body => {
            context.scope = parent.inner;
            context.site.class = Some(parent.opened);
            context.site.in_loop = None;
            context.owner = Owner::Class(parent.opened);
            context.nesting = 0;
        }
        Field::Name => context.role = Role::Skip,
        // the bounds of type parameters are operators like those of bases
        _ => context.owner = Owner::Nobody,
    }
}

fn loop_part(context: &mut Context, parent: &Frame<'_>, field: Field) {
    let in_loop = match parent.kind {
        Kind::WhileStatement => matches!(field, Field::Condition | Field::Body),
        Kind::ForStatement => field == Field::Body,
        _ => false,
    };
    if in_loop {
        context.site.in_loop = Some(parent.opened);
    }
    context.role = if field == Field::Left { Role::Bind } else { Role::Load };
}

/// What a name does in a child of a node.
fn role(parent: Kind, role: Role, kind: Kind, field: Field) -> Role {
    match parent {
        Kind::Assignment if field == Field::Left => Role::Bind,
        Kind::Assignment | Kind::Subscript | Kind::Interpolation => Role::Load,
        Kind::Attribute if field == Field::Attribute => Role::Skip,
        Kind::Attribute => Role::Load,
        Kind::KeywordArgument | Kind::NamedExpression if field == Field::Name => Role::Skip,
        Kind::TypeAliasStatement if field == Field::Left => Role::Skip,
        Kind::ImportStatement
        | Kind::ImportFromStatement
        | Kind::FutureImportStatement
        | Kind::GlobalStatement
        | Kind::NonlocalStatement
        | Kind::SplatPattern
        | Kind::DottedName => Role::Skip,
        Kind::Parameters | Kind::LambdaParameters => match kind {
            Kind::TypedParameter | Kind::DefaultParameter | Kind::TypedDefaultParameter => {
                Role::Load
            }
            _ => Role::Skip,
        },
        Kind::DefaultParameter | Kind::TypedDefaultParameter if field == Field::Name => Role::Skip,
        Kind::TypedParameter if field != Field::Type => Role::Skip,
        Kind::AsPatternTarget => Role::Bind,
        Kind::AsPattern if role == Role::Pattern && kind == Kind::Identifier => Role::Bind,
        Kind::ExceptClause if field == Field::Alias => Role::Bind,
        Kind::CaseClause => match kind {
            Kind::CasePattern => Role::Pattern,
            _ => Role::Load,
        },
        Kind::KeywordPattern if kind == Kind::Identifier => Role::Skip,
        _ => role,
    }
}
