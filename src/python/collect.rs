//! Hands each node that the walk enters to the function that makes a fact of it.

use tree_sitter::Node;

use super::facts::{LoopKind, Return, Spot};
use super::kind::{Field, Kind};
use super::place::Place;
use super::scope::{ScopeId, ScopeKind};
use super::walk::{Context, Walker};
use super::{definition, expression, import};

/// Takes a node; returns the index of the function, class or loop and the scope that it opens.
pub(super) fn take<'t>(
    walker: &mut Walker<'t, '_, '_>,
    kind: Kind,
    node: Node<'t>,
    context: Context,
) -> (u32, Option<ScopeId>) {
    match kind {
        Kind::FunctionDefinition => return definition::function(walker, node, context),
        Kind::ClassDefinition => return definition::class(walker, node, context),
        Kind::ForStatement | Kind::WhileStatement => {
            return (expression::loop_statement(walker, kind, node, context), None);
        }
        Kind::Lambda => {
            let inner = walker.open_scope(ScopeKind::Expression, context.scope);
            if let Some(parameters) = Field::Parameters.child(node) {
                definition::bind_parameters(walker, parameters, inner);
            }
            return (0, Some(inner));
        }
        kind if kind.is_comprehension() => {
            let inner = walker.open_scope(ScopeKind::Expression, context.scope);
            let id = expression::push_loop(walker, LoopKind::Comprehension, node, context.site);
            return (id, Some(inner));
        }
        _ => {}
    }
    match kind {
        Kind::Identifier => expression::name(walker, node, context),
        Kind::DottedName => expression::pattern_name(walker, node, context),
        Kind::Attribute => expression::attribute(walker, node, context),
        Kind::Call => expression::call(walker, node, context),
        Kind::String => expression::text(walker, node, context),
        Kind::Assignment | Kind::AugmentedAssignment => {
            expression::assignment(walker, kind, node, context)
        }
        Kind::NamedExpression => {
            let bound = walker.field_text(node, Field::Name);
            walker.scopes.bind_outside(context.scope, bound);
        }
        Kind::SplatPattern => {
            if let Some(bound) = node.named_child(0) {
                let bound = walker.text(bound);
                walker.scopes.bind(context.scope, bound);
            }
        }
        Kind::Pair => expression::pair(walker, node),
        Kind::BinaryOperator => expression::binary(walker, node),
        Kind::ComparisonOperator if context.site.in_loop.is_some() => {
            expression::comparison(walker, node, context.site);
        }
        Kind::Type if !context.in_annotation_of_parent(walker) => {
            walker.module.annotations.push(Place::of(node));
        }
        Kind::TypeAliasStatement => {
            // `type Pair[T]` binds `Pair`, and `T` for what follows
            let head = walker.field_text(node, Field::Left);
            for bound in head.split(['[', ']', ',']).map(|it| it.trim().trim_start_matches('*')) {
                let bound = bound.split([':', '=']).next().unwrap_or(bound).trim();
                walker.scopes.bind(context.scope, bound);
            }
        }
        Kind::Module => walker.module.docstring = definition::docstring(node),
        _ => statement(walker, kind, node, context),
    }
    (0, None)
}

impl Context {
    /// Whether the parent of the node at hand is part of an annotation already.
    fn in_annotation_of_parent(&self, walker: &Walker<'_, '_, '_>) -> bool {
        !self.in_annotation || walker.parent().is_some_and(|it| it.context.in_annotation)
    }
}

fn statement<'t>(walker: &mut Walker<'t, '_, '_>, kind: Kind, node: Node<'t>, context: Context) {
    let spot = Spot { place: Place::of(node), site: context.site };
    let in_loop = walker.module.enclosing_loop(context.site.in_loop);
    let in_statement_loop = in_loop.is_some_and(|it| it.kind != LoopKind::Comprehension);
    match kind {
        Kind::ImportStatement | Kind::ImportFromStatement | Kind::FutureImportStatement => {
            import::imports(walker, kind, node, context);
        }
        Kind::GlobalStatement => {
            let mut cursor = node.walk();
            for child in node.named_children(&mut cursor) {
                let bound = walker.text(child);
                walker.scopes.declare_global(context.scope, bound);
            }
        }
        Kind::NonlocalStatement => {
            let mut cursor = node.walk();
            for child in node.named_children(&mut cursor) {
                let bound = walker.text(child);
                walker.scopes.declare_nonlocal(bound);
            }
        }
        Kind::ReturnStatement => {
            if context.site.function.is_none() || context.site.class.is_some() {
                walker.problem(node, "`return` outside a function");
            }
            walker.leave_loops(false);
            let value = node.named_child(0).filter(|it| Kind::of(*it) != Kind::Comment);
            let value = value.map(expression::value_of);
            walker.module.returns.push(Return { place: spot.place, value, site: spot.site });
        }
        Kind::RaiseStatement => {
            walker.leave_loops(false);
            walker.module.raises.push(spot);
        }
        Kind::BreakStatement if !in_statement_loop => {
            walker.problem(node, "`break` outside a loop");
        }
        Kind::ContinueStatement if !in_statement_loop => {
            walker.problem(node, "`continue` outside a loop");
        }
        Kind::BreakStatement => walker.leave_loops(true),
        Kind::Await => {
            if !walker.function(context.site).is_some_and(|it| it.is_async) {
                walker.problem(node, "`await` outside an async function");
            }
            walker.pause_loops();
            walker.module.awaits.push(spot);
        }
        Kind::Yield => {
            walker.pause_loops();
            let function = context.site.function.map(|it| it as usize);
            if let Some(function) = function.and_then(|it| walker.module.functions.get_mut(it)) {
                function.is_generator = true;
            }
        }
        Kind::IfStatement => {
            let condition = walker.field_text(node, Field::Condition);
            let block = Field::Consequence.child(node);
            if let Some(block) = block.filter(|_| condition.ends_with("TYPE_CHECKING")) {
                walker.module.type_checking.push(Place::of(block));
            }
        }
        Kind::AssertStatement => walker.module.asserts.push(spot),
        Kind::PrintStatement => walker.problem(node, "`print` is a function in Python 3"),
        Kind::ExecStatement => walker.problem(node, "`exec` is a function in Python 3"),
        _ => {}
    }
}
