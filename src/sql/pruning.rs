//! Which data files a query can leave out, before a footer of theirs is read: those whose bounds of
//! `run_id` in the log, or whose entry in the index, say that no row of theirs passes the filters.
//!
//! Pruning never decides on a row: filters are checked again above the scan, and a file of which
//! nothing is known stays. What cannot be understood prunes nothing.

use std::collections::HashSet;
use std::sync::Arc;

use arrow::array::{ArrayRef, BooleanArray, StringArray};
use arrow::datatypes::SchemaRef;
use datafusion::catalog::Session;
use datafusion::common::pruning::PruningStatistics;
use datafusion::common::{Column, DFSchema, Result, ScalarValue};
use datafusion::logical_expr::{Expr, utils::conjunction};
use datafusion::physical_optimizer::pruning::PruningPredicateBuilder;

use crate::event::Table;
use crate::store::IndexedFiles;
use crate::store::snapshot::DataFile;

/// The column whose bounds the log knows.
const RUN_ID: &str = "run_id";
/// The column of which the index knows the values.
const CONTRACT: &str = "contract_name";
/// More contracts than this are not looked up one by one.
const CONTRACTS_MAX: usize = 1_000;

/// The files that stay.
#[derive(Debug)]
pub(super) struct Pruned {
    /// Those that may hold rows of the answer.
    pub(super) files: Vec<DataFile>,
    /// How many there were before.
    pub(super) of: usize,
    /// What pruned.
    pub(super) by: &'static str,
}

impl Pruned {
    /// Whether a file was left out.
    pub(super) fn any(&self) -> bool {
        self.files.len() < self.of
    }
}

/// A table's files, and who knows something of them.
#[derive(Debug, Clone, Copy)]
pub(super) struct Known<'a> {
    pub(super) table: Table,
    pub(super) schema: &'a SchemaRef,
    pub(super) files: &'a [DataFile],
    pub(super) index: Option<&'a IndexedFiles>,
}

/// Leaves out the files that cannot hold a row which passes all `filters`.
pub(super) fn prune(state: &dyn Session, known: Known<'_>, filters: &[Expr]) -> Pruned {
    let of = known.files.len();
    let bounds = by(state, known, filters, RUN_ID, &Bounds { files: known.files });
    let within = bounds.as_deref().unwrap_or(known.files);
    let contracts = known.index.and_then(|index| {
        let contracts = Contracts { table: known.table, files: within, index };
        by(state, Known { files: within, ..known }, filters, CONTRACT, &contracts)
    });
    let by = match (&bounds, &contracts) {
        (Some(_), Some(_)) => "run_id bounds and index of contracts",
        (None, Some(_)) => "index of contracts",
        _ => "run_id bounds",
    };
    let files = contracts.or(bounds).unwrap_or_else(|| known.files.to_vec());
    Pruned { files, of, by }
}

/// The files that may hold such a row, as far as `statistics` tell; `None` when they leave out
/// none. A filter that cannot be planned here is one that prunes nothing.
fn by(
    state: &dyn Session,
    known: Known<'_>,
    filters: &[Expr],
    column: &str,
    statistics: &impl PruningStatistics,
) -> Option<Vec<DataFile>> {
    let kept = kept(state, known.schema, filters, column, statistics).ok().flatten()?;
    let kept = known.files.iter().zip(kept).filter(|(_, kept)| *kept).map(|(file, _)| file.clone());
    let kept: Vec<DataFile> = kept.collect();
    (kept.len() < known.files.len()).then_some(kept)
}

/// Per file whether it may hold such a row; `None` when no filter is about the column.
fn kept(
    state: &dyn Session,
    schema: &SchemaRef,
    filters: &[Expr],
    column: &str,
    statistics: &impl PruningStatistics,
) -> Result<Option<Vec<bool>>> {
    let about = |it: &&Expr| it.column_refs().iter().any(|found| found.name == column);
    let filters: Vec<Expr> = filters.iter().filter(about).cloned().collect();
    let Some(filter) = conjunction(filters) else { return Ok(None) };
    let known = DFSchema::try_from(Arc::clone(schema))?;
    let filter = state.create_physical_expr(filter, &known)?;
    let predicate =
        PruningPredicateBuilder::new().with_file_schema(Arc::clone(schema)).try_build(filter)?;
    predicate.prune(statistics).map(Some)
}

/// What the log knows of files.
struct Bounds<'a> {
    files: &'a [DataFile],
}

impl Bounds<'_> {
    fn of_runs(&self, column: &Column, which: fn(&DataFile) -> Option<&str>) -> Option<ArrayRef> {
        let values = self.files.iter().map(which);
        (column.name == RUN_ID).then(|| Arc::new(values.collect::<StringArray>()) as ArrayRef)
    }
}

impl PruningStatistics for Bounds<'_> {
    fn min_values(&self, column: &Column) -> Option<ArrayRef> {
        self.of_runs(column, |file| file.run_ids.as_ref().map(|(min, _)| min.as_str()))
    }

    fn max_values(&self, column: &Column) -> Option<ArrayRef> {
        self.of_runs(column, |file| file.run_ids.as_ref().map(|(_, max)| max.as_str()))
    }

    fn num_containers(&self) -> usize {
        self.files.len()
    }

    /// The bounds say nothing of rows without a run.
    fn null_counts(&self, _: &Column) -> Option<ArrayRef> {
        None
    }

    fn row_counts(&self) -> Option<ArrayRef> {
        None
    }

    #[allow(clippy::mutable_key_type, reason = "the engine's trait says so")]
    fn contained(&self, column: &Column, values: &HashSet<ScalarValue>) -> Option<BooleanArray> {
        if column.name != RUN_ID {
            return None;
        }
        // An IN list may be long, and is pruned here whatever its length.
        let mut ids: Vec<&str> =
            values.iter().map(|it| it.try_as_str().flatten()).collect::<Option<_>>()?;
        ids.sort_unstable();
        let may_hold = |file: &DataFile| {
            let (min, max) = file.run_ids.as_ref()?;
            let first = ids.get(ids.partition_point(|id| *id < min.as_str()));
            // `false` says: none of them is in it
            first.is_none_or(|id| *id > max.as_str()).then_some(false)
        };
        Some(self.files.iter().map(may_hold).collect())
    }
}

/// What the index knows of files: the contracts that their rows name.
struct Contracts<'a> {
    table: Table,
    files: &'a [DataFile],
    index: &'a IndexedFiles,
}

impl PruningStatistics for Contracts<'_> {
    fn min_values(&self, _: &Column) -> Option<ArrayRef> {
        None
    }

    fn max_values(&self, _: &Column) -> Option<ArrayRef> {
        None
    }

    fn num_containers(&self) -> usize {
        self.files.len()
    }

    fn null_counts(&self, _: &Column) -> Option<ArrayRef> {
        None
    }

    fn row_counts(&self) -> Option<ArrayRef> {
        None
    }

    #[allow(clippy::mutable_key_type, reason = "the engine's trait says so")]
    fn contained(&self, column: &Column, values: &HashSet<ScalarValue>) -> Option<BooleanArray> {
        if column.name != CONTRACT || values.len() > CONTRACTS_MAX {
            return None;
        }
        let names: Vec<&str> =
            values.iter().map(|it| it.try_as_str().flatten()).collect::<Option<_>>()?;
        let may_hold = |file: &DataFile| {
            let one = |name: &&str| self.index.may_hold_contract(self.table, file, name);
            // `false` says: none of them is in it
            (!names.iter().any(one)).then_some(false)
        };
        Some(self.files.iter().map(may_hold).collect())
    }
}
