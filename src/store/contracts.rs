//! Which contracts a store holds already, so that a nightly replay records each content once. Reads
//! one column, and is an optimisation: SQL shows the first of two rows with one digest anyway.

use std::collections::HashSet;

use arrow::array::{AsArray, RecordBatch};
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::{ArrowReaderOptions, ParquetRecordBatchReaderBuilder};

use super::snapshot::{DataFile, Snapshot};
use crate::error::{Error, IoContext, Result};
use crate::event::{Table, Text};
use crate::journal::disk::open_file;

const COLUMN: &str = "contract_digest";

/// The digests of a snapshot's contracts, at most `count_max`.
pub(super) fn digests(snapshot: &Snapshot, count_max: usize) -> Result<HashSet<Text>> {
    let mut digests = HashSet::new();
    let Some(contracts) = snapshot.tables.get(&Table::Contracts) else { return Ok(digests) };
    if let Some(damage) = &contracts.damage {
        return Err(damage.again());
    }
    for batch in &contracts.hot {
        collect(batch, count_max, &mut digests);
    }
    for file in &contracts.files {
        if digests.len() >= count_max {
            break;
        }
        for batch in read(file)? {
            collect(&batch, count_max, &mut digests);
        }
    }
    Ok(digests)
}

fn read(file: &DataFile) -> Result<Vec<RecordBatch>> {
    let failed = |source: parquet::errors::ParquetError| {
        Error::damaged(format!("cannot read {}", file.path.display())).with_source(source)
    };
    file.check_present()?;
    let input = open_file(&file.path).context("read", &file.path)?;
    // Without the Arrow schema in the footer, which says nothing that Parquet's own does not: the
    // decoder of a damaged one panics.
    let options = ArrowReaderOptions::new().with_skip_arrow_metadata(true);
    let reader =
        ParquetRecordBatchReaderBuilder::try_new_with_options(input, options).map_err(failed)?;
    let mask = ProjectionMask::columns(reader.parquet_schema(), [COLUMN]);
    let batches = reader.with_projection(mask).build().map_err(failed)?;
    batches.map(|batch| batch.map_err(|source| failed(source.into()))).collect()
}

fn collect(batch: &RecordBatch, count_max: usize, into: &mut HashSet<Text>) {
    let Some(column) = batch.column_by_name(COLUMN).and_then(|it| it.as_string_opt::<i32>()) else {
        return;
    };
    for value in column.iter().flatten() {
        if into.len() >= count_max {
            return;
        }
        into.insert(Text::from(value));
    }
}
