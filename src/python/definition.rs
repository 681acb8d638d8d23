//! Functions, classes and their parts.

use tree_sitter::Node;

use super::expression::value_of;
use super::facts::{Body, Class, Function, Parameter, ParameterKind};
use super::kind::{Field, Kind};
use super::place::{Place, offset};
use super::scope::{ScopeId, ScopeKind};
use super::walk::{Context, Walker, slice};

pub(super) fn function<'t>(
    walker: &mut Walker<'t, '_, '_>,
    node: Node<'t>,
    context: Context,
) -> (u32, Option<ScopeId>) {
    let name = Field::Name.child(node);
    let bound = walker.field_text(node, Field::Name);
    walker.scopes.bind(context.scope, bound);
    let inner = walker.open_scope(ScopeKind::Function, context.scope);
    bind_type_parameters(walker, node, [context.scope, inner]);
    let parameters = match Field::Parameters.child(node) {
        Some(parameters) => bind_parameters(walker, parameters, inner),
        None => Vec::new(),
    };
    let body = Field::Body.child(node);
    let function = Function {
        name: bound.to_owned(),
        name_place: name.map(Place::of).unwrap_or_default(),
        place: Place::of(node),
        is_async: node.child(0).map(Kind::of) == Some(Kind::Async),
        parameters,
        returns: Field::ReturnType.child(node).map(Place::of),
        decorators: decorators(walker),
        docstring: body.and_then(docstring),
        body: body.map_or(Body::Empty, body_of),
        is_generator: false,
        site: context.site,
        block: context.block,
        complexity: 1,
        nesting: 0,
        statements: 0,
        lines: offset(node.end_position().row - node.start_position().row + 1),
    };
    walker.module.functions.push(function);
    (offset(walker.module.functions.len() - 1), Some(inner))
}

pub(super) fn class<'t>(
    walker: &mut Walker<'t, '_, '_>,
    node: Node<'t>,
    context: Context,
) -> (u32, Option<ScopeId>) {
    let bound = walker.field_text(node, Field::Name);
    walker.scopes.bind(context.scope, bound);
    let inner = walker.open_scope(ScopeKind::Class, context.scope);
    bind_type_parameters(walker, node, [context.scope, inner]);
    let mut bases = Vec::new();
    if let Some(list) = Field::Superclasses.child(node) {
        let mut cursor = list.walk();
        let plain = list
            .named_children(&mut cursor)
            .filter(|it| !matches!(Kind::of(*it), Kind::KeywordArgument | Kind::Comment));
        bases.extend(plain.map(Place::of));
    }
    let class = Class {
        name: bound.to_owned(),
        name_place: Field::Name.child(node).map(Place::of).unwrap_or_default(),
        place: Place::of(node),
        bases,
        decorators: decorators(walker),
        docstring: Field::Body.child(node).and_then(docstring),
        site: context.site,
        block: context.block,
        decisions: 0,
        complexity: 1,
    };
    walker.module.classes.push(class);
    (offset(walker.module.classes.len() - 1), Some(inner))
}

/// Decorators of the definition at hand, which its parent holds.
fn decorators(walker: &Walker<'_, '_, '_>) -> Vec<Place> {
    let Some(parent) = walker.parent().filter(|it| it.kind == Kind::DecoratedDefinition) else {
        return Vec::new();
    };
    let mut cursor = parent.node.walk();
    let children = parent.node.named_children(&mut cursor);
    let decorators = children.filter(|it| Kind::of(*it) == Kind::Decorator);
    decorators.filter_map(|it| it.named_child(0).map(Place::of)).collect()
}

/// Type parameters (`def f[T]`) are bound around the definition too, where annotations see them.
fn bind_type_parameters(walker: &mut Walker<'_, '_, '_>, node: Node<'_>, scopes: [ScopeId; 2]) {
    let Some(list) = Field::TypeParameters.child(node) else { return };
    let mut cursor = list.walk();
    for child in list.named_children(&mut cursor) {
        let text = walker.text(child).trim_start_matches('*');
        let (bound, bounds) = text.split_once([':', '=']).unwrap_or((text, ""));
        walker.mention_words(bounds);
        let bound = bound.trim();
        for scope in scopes {
            walker.scopes.bind(scope, bound);
        }
    }
}

pub(super) fn bind_parameters(
    walker: &mut Walker<'_, '_, '_>,
    node: Node<'_>,
    scope: ScopeId,
) -> Vec<Parameter> {
    let mut parameters: Vec<Parameter> = Vec::new();
    let mut positional = true;
    let mut cursor = node.walk();
    for child in node.named_children(&mut cursor) {
        let kind = Kind::of(child);
        let target = match kind {
            Kind::Comment => continue,
            Kind::KeywordSeparator => {
                positional = false;
                continue;
            }
            Kind::DefaultParameter | Kind::TypedDefaultParameter => Field::Name.child(child),
            Kind::TypedParameter => child.named_child(0),
            _ => Some(child),
        };
        let Some(target) = target else { continue };
        let (name, parameter_kind) = match Kind::of(target) {
            Kind::ListSplatPattern => (target.named_child(0), ParameterKind::Rest),
            Kind::DictionarySplatPattern => (target.named_child(0), ParameterKind::Keywords),
            Kind::Identifier if positional => (Some(target), ParameterKind::Positional),
            Kind::Identifier => (Some(target), ParameterKind::Keyword),
            _ => continue,
        };
        positional &= parameter_kind != ParameterKind::Rest;
        let Some(name) = name else { continue };
        let bound = walker.text(name);
        walker.scopes.bind(scope, bound);
        if parameters.iter().any(|it| slice(walker.source, it.name) == bound) {
            walker.problem(name, &format!("two parameters are called `{bound}`"));
        }
        parameters.push(Parameter {
            name: Place::of(name),
            kind: parameter_kind,
            annotation: Field::Type.child(child).map(Place::of),
            default: Field::Value.child(child).map(value_of),
        });
    }
    parameters
}

/// The statements of a body that are neither docstring nor comment, up to two.
fn code_of(body: Node<'_>) -> Vec<Node<'_>> {
    let mut cursor = body.walk();
    let first = docstring(body).map(|it| it.start as usize);
    body.named_children(&mut cursor)
        .filter(|it| Kind::of(*it) != Kind::Comment && Some(it.start_byte()) != first)
        .take(2)
        .collect()
}

fn body_of(body: Node<'_>) -> Body {
    match code_of(body).as_slice() {
        [] => Body::Empty,
        [one] => {
            let is_ellipsis = Kind::of(*one) == Kind::ExpressionStatement
                && one.named_child(0).map(Kind::of) == Some(Kind::Ellipsis);
            if Kind::of(*one) == Kind::PassStatement || is_ellipsis {
                Body::Empty
            } else {
                Body::Code
            }
        }
        _ => Body::Code,
    }
}

pub(super) fn docstring(body: Node<'_>) -> Option<Place> {
    let mut cursor = body.walk();
    let first = body.named_children(&mut cursor).find(|it| Kind::of(*it) != Kind::Comment)?;
    let text = first.named_child(0).filter(|_| Kind::of(first) == Kind::ExpressionStatement)?;
    let is_text = matches!(Kind::of(text), Kind::String | Kind::ConcatenatedString);
    (is_text && first.named_child_count() == 1).then(|| Place::of(text))
}
