//! Names and scopes: what binds a name, who uses it, which uses have no binding and which imports
//! have no use.
//!
//! Lenient where Python decides at run time: order of execution is ignored, comprehensions and
//! lambdas see the class around them, a star import silences the search for undefined names.

use std::collections::{HashMap, HashSet};

use super::builtins;
use super::place::Place;

/// Index of a scope.
pub(super) type ScopeId = u32;

/// Kind of a scope.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ScopeKind {
    /// The file.
    Module,
    /// A class body: not seen by the functions in it.
    Class,
    /// A function.
    Function,
    /// A comprehension or lambda.
    Expression,
}

#[derive(Debug)]
struct Scope {
    kind: ScopeKind,
    parent: Option<ScopeId>,
}

/// All scopes of a file while it is walked.
#[derive(Debug)]
pub(super) struct Scopes<'s> {
    scopes: Vec<Scope>,
    /// Bound names; the value says which import bound it first.
    bindings: HashMap<(ScopeId, &'s str), Option<u32>>,
    globals: HashSet<(ScopeId, &'s str)>,
    uses: Vec<(ScopeId, &'s str, Place)>,
    mentions: HashSet<&'s str>,
    /// Names that a function gives a value by a plain assignment first.
    assigned: HashMap<(ScopeId, &'s str), Place>,
    nonlocals: HashSet<&'s str>,
    has_star_import: bool,
}

/// What resolving came to.
#[derive(Debug, Default)]
pub(super) struct Resolution {
    /// First use of each undefined name in each scope.
    pub(super) undefined: Vec<Place>,
    /// Imports (by index) that are used.
    pub(super) used_imports: HashSet<u32>,
    /// Names that the module binds at its top level, sorted.
    pub(super) exports: Vec<String>,
    /// Names that a function assigns and nobody uses.
    pub(super) unused: Vec<Place>,
}

impl<'s> Scopes<'s> {
    pub(super) const MODULE: ScopeId = 0;

    pub(super) fn new() -> Self {
        Self {
            scopes: vec![Scope { kind: ScopeKind::Module, parent: None }],
            bindings: HashMap::new(),
            globals: HashSet::new(),
            uses: Vec::new(),
            mentions: HashSet::new(),
            assigned: HashMap::new(),
            nonlocals: HashSet::new(),
            has_star_import: false,
        }
    }

    /// Opens a scope inside another.
    pub(super) fn open(&mut self, kind: ScopeKind, parent: ScopeId) -> ScopeId {
        self.scopes.push(Scope { kind, parent: Some(parent) });
        super::place::offset(self.scopes.len() - 1)
    }

    /// Binds a name.
    pub(super) fn bind(&mut self, scope: ScopeId, name: &'s str) {
        self.bind_import(scope, name, None);
    }

    /// Binds a name by an import. Several imports of one name share the first's fate.
    pub(super) fn bind_import(&mut self, scope: ScopeId, name: &'s str, import: Option<u32>) {
        let is_global = self.globals.contains(&(scope, name));
        let scope = if is_global { Self::MODULE } else { scope };
        let slot = self.bindings.entry((scope, name)).or_insert(import);
        if slot.is_some() != import.is_some() {
            // imported in one branch and defined in another: meant for others, or a fallback
            self.mentions.insert(name);
            *slot = slot.or(import);
        }
    }

    /// Binds the target of `:=`, which belongs to the function around a comprehension.
    pub(super) fn bind_outside(&mut self, scope: ScopeId, name: &'s str) {
        let mut at = scope;
        while let Some(found) = self.scopes.get(at as usize) {
            match (found.kind, found.parent) {
                (ScopeKind::Expression, Some(parent)) => at = parent,
                _ => break,
            }
        }
        self.bind(at, name);
    }

    /// Makes a name of a function mean the module's.
    pub(super) fn declare_global(&mut self, scope: ScopeId, name: &'s str) {
        self.globals.insert((scope, name));
        self.bind(Self::MODULE, name);
    }

    /// Records a plain assignment, before the name is bound by it. Names that something else has
    /// bound already, such as a parameter, have another purpose.
    pub(super) fn assign(&mut self, scope: ScopeId, name: &'s str, place: Place) {
        let is_local = self.scopes.get(scope as usize).map(|it| it.kind)
            == Some(ScopeKind::Function)
            && !self.globals.contains(&(scope, name));
        if is_local && !self.bindings.contains_key(&(scope, name)) {
            self.assigned.entry((scope, name)).or_insert(place);
        }
    }

    /// Makes a name of a function mean that of a function around it.
    pub(super) fn declare_nonlocal(&mut self, name: &'s str) {
        self.nonlocals.insert(name);
    }

    /// Records a use.
    pub(super) fn load(&mut self, scope: ScopeId, name: &'s str, place: Place) {
        self.uses.push((scope, name, place));
    }

    /// Records a name that a text mentions: in `__all__` or an annotation in quotes. It keeps an
    /// import alive and is never undefined.
    pub(super) fn mention(&mut self, name: &'s str) {
        self.mentions.insert(name);
    }

    /// Says that names may come from anywhere.
    pub(super) fn star_import(&mut self) {
        self.has_star_import = true;
    }

    /// The binding of a name as seen from a scope: the scope that has it, and the import that made
    /// it, if one did.
    fn find(&self, scope: ScopeId, name: &'s str) -> Option<(ScopeId, Option<u32>)> {
        let mut at = Some(scope);
        let mut class_visible = true;
        while let Some(id) = at {
            let found = self.scopes.get(id as usize)?;
            let visible = found.kind != ScopeKind::Class || class_visible;
            if let Some(binding) = self.bindings.get(&(id, name)).filter(|_| visible) {
                return Some((id, *binding));
            }
            class_visible = found.kind == ScopeKind::Expression && class_visible;
            at = found.parent;
        }
        None
    }

    /// Matches uses and bindings.
    pub(super) fn resolve(&self) -> Resolution {
        let mut resolution = Resolution::default();
        let mut reported = HashSet::new();
        let mut used = HashSet::new();
        for (scope, name, place) in &self.uses {
            match self.find(*scope, name) {
                Some((at, import)) => {
                    used.insert((at, *name));
                    resolution.used_imports.extend(import);
                }
                None if self.has_star_import || builtins::is_builtin(name) => {}
                None => {
                    if reported.insert((*scope, *name)) {
                        resolution.undefined.push(*place);
                    }
                }
            }
        }
        for ((_, name), import) in &self.bindings {
            if let (Some(import), true) = (import, self.mentions.contains(name)) {
                resolution.used_imports.insert(*import);
            }
        }
        resolution.unused = self.unused(&used);
        let top = self.bindings.keys().filter(|(scope, _)| *scope == Self::MODULE);
        resolution.exports = top.map(|(_, name)| (*name).to_owned()).collect();
        resolution.exports.sort_unstable();
        resolution.undefined.sort_unstable();
        resolution
    }

    /// Local names without a use. One that begins with `_` says that it has none; where the file
    /// looks at names at run time, nobody can tell.
    fn unused(&self, used: &HashSet<(ScopeId, &'s str)>) -> Vec<Place> {
        let mut names = self.uses.iter().map(|(_, name, _)| *name);
        if names.any(|it| matches!(it, "locals" | "vars" | "eval" | "exec")) {
            return Vec::new();
        }
        let is_unused = |at: &(ScopeId, &str)| {
            !used.contains(at) && !self.nonlocals.contains(at.1) && !at.1.starts_with('_')
        };
        let unused = self.assigned.iter().filter(|(at, _)| is_unused(at));
        let mut unused: Vec<Place> = unused.map(|(_, place)| *place).collect();
        unused.sort_unstable();
        unused
    }
}
