//! Loops, names, calls, texts, assignments and operators.

use tree_sitter::Node;

use super::facts::{
    Argument, Assignment, Call, Concatenation, Loop, LoopKind, Membership, Pair, Site, Spot, Text,
    Value, ValueKind,
};
use super::kind::{Field, Kind};
use super::place::{Place, offset};
use super::walk::{Context, Role, Walker, slice};

pub(super) fn push_loop(
    walker: &mut Walker<'_, '_, '_>,
    kind: LoopKind,
    node: Node<'_>,
    site: Site,
) -> u32 {
    let place = Place::of(node);
    let text = slice(walker.source, place);
    let head_length = offset(text.lines().next().map_or(0, str::len));
    let head = Place { start: place.start, end: place.start + head_length };
    let mut targets = Vec::new();
    if let Some(left) = Field::Left.child(node) {
        identifiers(left, &mut targets);
    }
    walker.module.loops.push(Loop {
        kind,
        place,
        head,
        targets,
        site,
        leaves: false,
        pauses: kind == LoopKind::AsyncFor,
    });
    offset(walker.module.loops.len() - 1)
}

pub(super) fn loop_statement(
    walker: &mut Walker<'_, '_, '_>,
    kind: Kind,
    node: Node<'_>,
    context: Context,
) -> u32 {
    let is_async = node.child(0).map(Kind::of) == Some(Kind::Async);
    let loop_kind = match (kind, walker.field_text(node, Field::Condition)) {
        (Kind::ForStatement, _) if is_async => LoopKind::AsyncFor,
        (Kind::ForStatement, _) => LoopKind::For,
        (_, "True" | "1" | "(True)" | "(1)") => LoopKind::Endless,
        _ => LoopKind::While,
    };
    push_loop(walker, loop_kind, node, context.site)
}

/// The names of a target.
fn identifiers(node: Node<'_>, found: &mut Vec<Place>) {
    let mut waiting = vec![node];
    while let Some(node) = waiting.pop() {
        match Kind::of(node) {
            Kind::Identifier => found.push(Place::of(node)),
            Kind::Attribute | Kind::Subscript => {}
            _ => {
                let mut cursor = node.walk();
                waiting.extend(node.named_children(&mut cursor));
            }
        }
    }
}

pub(super) fn name(walker: &mut Walker<'_, '_, '_>, node: Node<'_>, context: Context) {
    let text = walker.text(node);
    match context.role {
        Role::Bind => walker.scopes.bind(context.scope, text),
        Role::Load | Role::Pattern => {
            walker.scopes.load(context.scope, text, Place::of(node));
            walker.module.names.push(Place::of(node));
        }
        Role::Skip => {}
    }
}

/// A dotted name of a `case`: one word binds, except as the class of a class pattern.
pub(super) fn pattern_name(walker: &mut Walker<'_, '_, '_>, node: Node<'_>, context: Context) {
    let Some(first) = node.named_child(0) else { return };
    let is_class = walker.parent().is_some_and(|it| it.kind == Kind::ClassPattern);
    let text = walker.text(first);
    if node.named_child_count() == 1 && !is_class {
        walker.scopes.bind(context.scope, text);
    } else {
        walker.scopes.load(context.scope, text, Place::of(first));
    }
}

/// Whether a node is a name or names joined by dots.
fn is_dotted(node: Node<'_>) -> bool {
    let mut at = node;
    loop {
        match (Kind::of(at), Field::Object.child(at)) {
            (Kind::Identifier, _) => return true,
            (Kind::Attribute, Some(object)) => at = object,
            _ => return false,
        }
    }
}

pub(super) fn attribute(walker: &mut Walker<'_, '_, '_>, node: Node<'_>, context: Context) {
    // what an attribute is of has been asked with the attribute, which was entered just before
    let is_inner = walker.parent().is_some_and(|it| it.kind == Kind::Attribute)
        && walker.frames.last().is_some_and(|it| it.field == Field::Object);
    if !is_inner {
        walker.dotted = is_dotted(node);
    }
    if walker.dotted {
        walker.module.attributes.push(Spot { place: Place::of(node), site: context.site });
    }
}

pub(super) fn call(walker: &mut Walker<'_, '_, '_>, node: Node<'_>, context: Context) {
    let Some(callee) = Field::Function.child(node) else { return };
    let mut arguments = Vec::new();
    if let Some(list) = Field::Arguments.child(node) {
        let mut cursor = list.walk();
        for child in list.named_children(&mut cursor) {
            match Kind::of(child) {
                Kind::Comment => {}
                Kind::KeywordArgument => {
                    if let Some(value) = Field::Value.child(child) {
                        let name = Field::Name.child(child).map(Place::of);
                        arguments.push(Argument { name, value: value_of(value) });
                    }
                }
                _ => arguments.push(Argument { name: None, value: value_of(child) }),
            }
        }
    }
    let method = match Kind::of(callee) {
        Kind::Attribute => Field::Attribute.child(callee).map(Place::of),
        Kind::Identifier => Some(Place::of(callee)),
        _ => None,
    };
    walker.module.calls.push(Call {
        callee: is_dotted(callee).then(|| Place::of(callee)),
        method,
        path: None,
        place: Place::of(node),
        arguments,
        site: context.site,
        awaited: context.awaited,
        standalone: walker.parent().is_some_and(|it| it.kind == Kind::ExpressionStatement),
    });
}

/// What an expression is.
pub(super) fn value_of(node: Node<'_>) -> Value {
    let mut at = node;
    while let (Kind::ParenthesizedExpression, Some(inner)) = (Kind::of(at), at.named_child(0)) {
        at = inner;
    }
    let kind = match Kind::of(at) {
        Kind::String if has_interpolation(at) => ValueKind::Formatted,
        Kind::ConcatenatedString => {
            let mut cursor = at.walk();
            let formatted = at.named_children(&mut cursor).any(has_interpolation);
            if formatted { ValueKind::Formatted } else { ValueKind::Text }
        }
        Kind::String => ValueKind::Text,
        Kind::Integer | Kind::Float => ValueKind::Number,
        Kind::True => ValueKind::Boolean(true),
        Kind::False => ValueKind::Boolean(false),
        Kind::None => ValueKind::Nothing,
        Kind::List => ValueKind::List(offset(at.named_child_count())),
        Kind::ListComprehension => ValueKind::Listed,
        Kind::Dictionary | Kind::DictionaryComprehension => ValueKind::Dictionary,
        Kind::Set | Kind::SetComprehension => ValueKind::Set,
        Kind::Tuple => ValueKind::Tuple,
        Kind::Call => ValueKind::Call,
        Kind::Identifier => ValueKind::Name,
        _ => ValueKind::Other,
    };
    Value { kind, place: Place::of(at) }
}

fn has_interpolation(node: Node<'_>) -> bool {
    let mut cursor = node.walk();
    node.named_children(&mut cursor).any(|it| Kind::of(it) == Kind::Interpolation)
}

/// The place between the quotes of a string.
fn content_of(node: Node<'_>) -> Place {
    let start = node.child(0).map_or(node.start_byte(), |it| it.end_byte());
    let last = node.child_count().saturating_sub(1);
    let end = node.child(last).map_or(node.end_byte(), |it| it.start_byte());
    Place { start: offset(start), end: offset(end.max(start)) }
}

pub(super) fn text(walker: &mut Walker<'_, '_, '_>, node: Node<'_>, context: Context) {
    let content = content_of(node);
    let parent = walker.parent().map(|it| it.kind);
    let standalone = parent == Some(Kind::ExpressionStatement);
    if !standalone {
        // a name in quotes may be a type or a member of `__all__`
        walker.mention_words(slice(walker.source, content));
    }
    walker.module.texts.push(Text {
        place: Place::of(node),
        content,
        interpolated: has_interpolation(node),
        standalone,
        annotation: context.in_annotation,
        site: context.site,
    });
}

pub(super) fn assignment(
    walker: &mut Walker<'_, '_, '_>,
    kind: Kind,
    node: Node<'_>,
    context: Context,
) {
    let Some(target) = Field::Left.child(node) else { return };
    let is_name = Kind::of(target) == Kind::Identifier;
    if kind == Kind::AugmentedAssignment && is_name {
        let bound = walker.text(target);
        walker.scopes.bind(context.scope, bound);
    }
    if kind == Kind::Assignment && is_name && Field::Right.child(node).is_some() {
        let bound = walker.text(target);
        walker.scopes.assign(context.scope, bound, Place::of(target));
    }
    walker.module.assignments.push(Assignment {
        target: Place::of(target),
        is_name,
        annotation: Field::Type.child(node).map(Place::of),
        value: Field::Right.child(node).map(value_of),
        operator: Field::Operator.child(node).map(Place::of),
        place: Place::of(node),
        site: context.site,
    });
}

pub(super) fn pair(walker: &mut Walker<'_, '_, '_>, node: Node<'_>) {
    let (Some(key), Some(value)) = (Field::Key.child(node), Field::Value.child(node)) else {
        return;
    };
    let Some(parent) = walker.parent().filter(|it| it.kind == Kind::Dictionary) else { return };
    if value_of(key).kind == ValueKind::Text && Kind::of(key) == Kind::String {
        let dictionary = offset(parent.node.start_byte());
        let pair = Pair { dictionary, key: content_of(key), value: value_of(value) };
        walker.module.pairs.push(pair);
    }
}

pub(super) fn binary(walker: &mut Walker<'_, '_, '_>, node: Node<'_>) {
    let operator = walker.field_text(node, Field::Operator);
    let (Some(left), Some(right)) = (Field::Left.child(node), Field::Right.child(node)) else {
        return;
    };
    if matches!(operator, "+" | "%") {
        let (left, right) = (value_of(left), value_of(right));
        walker.module.concatenations.push(Concatenation { place: Place::of(node), left, right });
    }
}

pub(super) fn comparison(walker: &mut Walker<'_, '_, '_>, node: Node<'_>, site: Site) {
    let is_search = node.child(1).is_some_and(|it| matches!(it.kind(), "in" | "not in"));
    if let (true, 3, Some(container)) = (is_search, node.child_count(), node.child(2)) {
        let container = value_of(container);
        walker.module.memberships.push(Membership { place: Place::of(node), container, site });
    }
}
