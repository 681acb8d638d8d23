//! Import statements: one fact per name that they bind.

use tree_sitter::Node;

use super::facts::Import;
use super::kind::{Field, Kind};
use super::place::{Place, offset};
use super::walk::{Context, Walker};

pub(super) fn imports(
    walker: &mut Walker<'_, '_, '_>,
    kind: Kind,
    node: Node<'_>,
    context: Context,
) {
    let module = match (kind, Field::ModuleName.child(node)) {
        (Kind::FutureImportStatement, _) => "__future__",
        (_, Some(module)) => walker.text(module),
        _ => "",
    };
    let path = module.trim_start_matches('.').trim();
    let level = offset(module.len() - module.trim_start_matches('.').len());
    let from = kind != Kind::ImportStatement;
    let mut cursor = node.walk();
    if node.named_children(&mut cursor).any(|it| Kind::of(it) == Kind::WildcardImport) {
        walker.scopes.star_import();
        push_import(walker, node, context, ("*", path, Some("*")), (level, Place::of(node)));
        return;
    }
    let mut cursor = node.walk();
    if !cursor.goto_first_child() {
        return;
    }
    loop {
        if Field::of(cursor.field_id()) == Field::Name {
            let child = cursor.node();
            let alias = Field::Alias.child(child).map(|it| walker.text(it));
            let name = match alias {
                Some(_) => walker.field_text(child, Field::Name),
                None => walker.text(child),
            };
            let first = name.split('.').next().unwrap_or(name);
            let names = match from {
                true => (alias.unwrap_or(name), path, Some(name)),
                false => (alias.unwrap_or(first), name, None),
            };
            push_import(walker, child, context, names, (level, Place::of(node)));
        }
        if !cursor.goto_next_sibling() {
            return;
        }
    }
}

/// Records one imported name: `names` are what it binds, the module, and the member.
fn push_import<'s>(
    walker: &mut Walker<'_, 's, '_>,
    node: Node<'_>,
    context: Context,
    names: (&'s str, &'s str, Option<&'s str>),
    (level, statement): (u32, Place),
) {
    let (bound, module, member) = names;
    let index = offset(walker.module.imports.len());
    if bound != "*" {
        walker.scopes.bind_import(context.scope, bound, Some(index));
    }
    let aliased = Field::Alias.child(node).is_some();
    walker.module.imports.push(Import {
        bound: bound.to_owned(),
        module: module.to_owned(),
        member: member.map(str::to_owned),
        level,
        reexported: aliased && member.unwrap_or(module) == bound,
        used: false,
        place: Place::of(node),
        statement,
        site: context.site,
    });
}
