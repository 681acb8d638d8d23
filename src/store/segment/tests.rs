//! What a data file is like for a reader that knows only Parquet.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

use std::fs::File;

use arrow::datatypes::DataType;
use parquet::arrow::arrow_reader::ArrowReaderOptions;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use parquet::file::metadata::PageIndexPolicy;

use super::*;
use crate::clock::SystemIds;
use crate::event::{StepRow, Text};
use crate::store::files::LocalFiles;

#[test]
fn rows_are_sorted_by_run_in_plain_types_with_statistics() {
    let step = |run: i64| {
        let run_id = Text::from(format!("{run:032x}"));
        Row::Steps(StepRow { run_id, step_name: Text::from("parse"), ..StepRow::default() })
    };
    let rows: Vec<Row> = (0..140_000).rev().map(|it| step(it / 8)).collect();
    let folder = tempfile::tempdir().unwrap();
    let segment = write(
        &*LocalFiles::system(),
        &SystemIds,
        folder.path(),
        Table::Steps,
        rows.iter().collect(),
    )
    .unwrap();
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
    let file = File::open(folder.path().join(&segment.name)).unwrap();
    assert_eq!(file.metadata().unwrap().len(), segment.size_bytes);
    let bytes = std::fs::read(folder.path().join(&segment.name)).unwrap();
    assert_eq!(segment.digest, blake3::hash(&bytes).to_hex().as_str());
    let options = ArrowReaderOptions::new().with_page_index_policy(PageIndexPolicy::Required);
    let reader = ParquetRecordBatchReaderBuilder::try_new_with_options(file, options).unwrap();
    let metadata = reader.metadata();
    let row_groups: Vec<_> = metadata.row_groups().iter().map(|it| it.num_rows()).collect();
    assert_eq!(row_groups, [131_072, 8_928]);
    assert!(metadata.column_index().is_some() && metadata.offset_index().is_some());
    for column in metadata.row_group(0).columns() {
        assert!(matches!(column.compression(), Compression::ZSTD(_)));
        assert!(column.statistics().is_some());
    }
    let bounds = |group: usize| {
        let statistics = metadata.row_group(group).column(0).statistics().unwrap().clone();
        (statistics.min_bytes_opt().unwrap().to_vec(), statistics.max_bytes_opt().unwrap().to_vec())
    };
    assert!(bounds(0).1 <= bounds(1).0, "row groups overlap in run_id");
    for field in reader.schema().fields() {
        assert!(!matches!(field.data_type(), DataType::Utf8View | DataType::Dictionary(..)));
    }
    assert_eq!(
        reader.schema().field_with_name("run_id").unwrap().metadata()["otel.name"],
        "cicd.pipeline.run.id"
    );
}
