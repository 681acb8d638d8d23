//! Roles: what a template of a set is for, and under which names it is looked for, from the most
//! special to the most general. Names only; knows no texts.

use super::Variant;
use crate::contract::NodeType;

/// What a template is for.
#[derive(Debug, Clone, Copy)]
pub(super) struct Role {
    /// Its name, as in `node.py`.
    pub(super) name: &'static str,
    /// Whether kinds and variants of nodes have templates of their own for it.
    of_kind: bool,
}

impl Role {
    const fn of_kind(name: &'static str) -> Self {
        Self { name, of_kind: true }
    }

    const fn shared(name: &'static str) -> Self {
        Self { name, of_kind: false }
    }

    /// The names of templates that can have the role, the first that there is has it.
    pub(super) fn names(self, node_type: NodeType, variant: Variant) -> Vec<String> {
        let (kind, variant, role) = (node_type.suffix(), variant.as_str(), self.name);
        if self.of_kind {
            vec![format!("{kind}/{variant}/{role}"), format!("{kind}/{role}")]
        } else if role.contains('/') {
            vec![role.to_owned()]
        } else {
            vec![format!("shared/{role}")]
        }
    }
}

/// All roles.
pub(super) const ROLES: [Role; 21] = [
    Role::of_kind("node.py"),
    Role::of_kind("handler.py"),
    Role::of_kind("test.py"),
    Role::shared("enum.py"),
    Role::shared("folder.py"),
    Role::shared("model.py"),
    Role::shared("package.py"),
    Role::shared("readme.md"),
    Role::shared("repeats.py"),
    Role::shared("mixins/caching.py"),
    Role::shared("mixins/caching_test.py"),
    Role::shared("mixins/circuit_breaker.py"),
    Role::shared("mixins/circuit_breaker_test.py"),
    Role::shared("mixins/health_check.py"),
    Role::shared("mixins/health_check_test.py"),
    Role::shared("mixins/metrics.py"),
    Role::shared("mixins/metrics_test.py"),
    Role::shared("mixins/retry.py"),
    Role::shared("mixins/retry_test.py"),
    Role::shared("mixins/transaction.py"),
    Role::shared("mixins/transaction_test.py"),
];

/// Whether a template of this name can ever be rendered, by itself or in another.
pub(super) fn is_name(name: &str) -> bool {
    let of_sets = NodeType::ALL.into_iter().any(|node_type| {
        let variants = Variant::of_kind(node_type).iter();
        variants
            .flat_map(|variant| ROLES.map(|role| role.names(node_type, *variant)))
            .any(|names| names.iter().any(|it| it == name))
    });
    of_sets || is_part(name)
}

/// Whether a template of this name is only ever a part of others.
pub(super) fn is_part(name: &str) -> bool {
    name.starts_with("parts/")
}
