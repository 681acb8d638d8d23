//! Names that the store has seen, for completion: bounded, and never taken as the whole truth.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Bound;

use super::coding::{compress, decode, decompress, encode};
use super::kv::{Kv, Tree};
use crate::error::Result;

/// Names of one kind that are kept; later ones are not taken.
const NAMES_MAX: usize = 10_000;
/// Longer names are not kept: nobody completes them.
const NAME_BYTES_MAX: usize = 200;

/// What a name is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum NameKind {
    /// `pipeline_name`.
    Pipeline,
    /// `step_name`.
    Step,
    /// `contract_name`.
    Contract,
    /// `component`.
    Component,
    /// `rule_id`.
    Rule,
}

impl NameKind {
    const ALL: [Self; 5] =
        [Self::Pipeline, Self::Step, Self::Contract, Self::Component, Self::Rule];

    /// The kind of the names that stand in a column.
    pub fn of_column(column: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|it| it.column() == column)
    }

    /// The column that holds names of this kind.
    pub fn column(self) -> &'static str {
        match self {
            Self::Pipeline => "pipeline_name",
            Self::Step => "step_name",
            Self::Contract => "contract_name",
            Self::Component => "component",
            Self::Rule => "rule_id",
        }
    }
}

/// All names.
#[derive(Debug, Clone, Default)]
pub(super) struct Names {
    by_kind: BTreeMap<NameKind, BTreeSet<String>>,
    changed: BTreeSet<NameKind>,
}

impl Names {
    pub(super) fn read(kv: &Kv) -> Result<Self> {
        let mut names = Self::default();
        for kind in NameKind::ALL {
            if let Some(value) = kv.get(Tree::Names, kind.column().as_bytes())? {
                names.by_kind.insert(kind, decode(&decompress(&value)?)?);
            }
        }
        Ok(names)
    }

    pub(super) fn add(&mut self, kind: NameKind, name: &str) {
        let known = self.by_kind.entry(kind).or_default();
        let fits = !name.is_empty() && name.len() <= NAME_BYTES_MAX && known.len() < NAMES_MAX;
        if fits && !known.contains(name) {
            known.insert(name.to_owned());
            self.changed.insert(kind);
        }
    }

    /// Writes the kinds that have changed.
    pub(super) fn write(&mut self, kv: &Kv) -> Result<()> {
        for kind in std::mem::take(&mut self.changed) {
            let value = compress(&encode(&self.by_kind.get(&kind))?)?;
            kv.apply(Tree::Names, vec![(kind.column().as_bytes().to_vec(), Some(value))])?;
        }
        Ok(())
    }

    /// Names that begin with `prefix`, sorted.
    pub(super) fn starting(&self, kind: NameKind, prefix: &str, count_max: usize) -> Vec<String> {
        let all = self.by_kind.get(&kind).into_iter();
        let from = (Bound::Included(prefix), Bound::Unbounded);
        let from = all.flat_map(|it| it.range::<str, _>(from));
        from.take_while(|it| it.starts_with(prefix)).take(count_max).cloned().collect()
    }

    pub(super) fn len(&self) -> usize {
        self.by_kind.values().map(BTreeSet::len).sum()
    }
}
