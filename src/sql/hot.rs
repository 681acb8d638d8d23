//! Hot rows as a data source that knows its exact row, null, minimum and maximum values.
//!
//! The engine's own memory source knows no minimum and maximum, so a union with it would lose
//! those of the files too. Reads only the batches it was given.

use std::fmt;
use std::sync::{Arc, OnceLock};

use arrow::array::{Array, RecordBatch, RecordBatchOptions};
use arrow::compute::cast;
use arrow::datatypes::{DataType, SchemaRef};
use datafusion::common::stats::Precision;
use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::common::{ColumnStatistics, Result, Statistics};
use datafusion::datasource::source::DataSource;
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::functions_aggregate::min_max::{MaxAccumulator, MinAccumulator};
use datafusion::physical_expr::projection::ProjectionExprs;
use datafusion::physical_expr::{EquivalenceProperties, Partitioning, PhysicalExpr};
use datafusion::physical_plan::coop::cooperative;
use datafusion::physical_plan::execution_plan::SchedulingType;
use datafusion::physical_plan::memory::MemoryStream;
use datafusion::physical_plan::projection::{all_alias_free_columns, new_projections_for_columns};
use datafusion::physical_plan::{Accumulator, DisplayFormatType, project_schema};

/// The hot rows of one table. Statistics are computed per column when first asked for, and a column
/// takes the type in which it is scanned when it is.
#[derive(Debug)]
pub(super) struct HotRows {
    /// As they are scanned.
    schema: SchemaRef,
    batches: Vec<RecordBatch>,
    rows: usize,
    columns: Vec<OnceLock<ColumnStatistics>>,
}

impl HotRows {
    pub(super) fn new(schema: SchemaRef, batches: Vec<RecordBatch>) -> Self {
        let rows = batches.iter().map(RecordBatch::num_rows).sum();
        let columns = schema.fields().iter().map(|_| OnceLock::new()).collect();
        Self { schema, batches, rows, columns }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.rows == 0
    }

    fn column(&self, index: usize) -> ColumnStatistics {
        let Some(cell) = self.columns.get(index) else {
            return ColumnStatistics::new_unknown();
        };
        cell.get_or_init(|| self.compute(index)).clone()
    }

    fn compute(&self, index: usize) -> ColumnStatistics {
        let arrays: Vec<_> = self.batches.iter().filter_map(|it| it.columns().get(index)).collect();
        let nulls = arrays.iter().map(|it| it.null_count()).sum();
        let mut statistics = ColumnStatistics::new_unknown();
        statistics.null_count = Precision::Exact(nulls);
        let scanned = self.schema.field(index).data_type();
        let Some(kind) = arrays.first().map(|it| it.data_type()) else { return statistics };
        // A NaN has no place between a minimum and a maximum, and bytes are never compared.
        if matches!(kind, DataType::Float64 | DataType::Binary) || nulls == self.rows {
            return statistics;
        }
        let bounds = || -> Result<_> {
            let mut min = MinAccumulator::try_new(kind)?;
            let mut max = MaxAccumulator::try_new(kind)?;
            for array in &arrays {
                min.update_batch(std::slice::from_ref(*array))?;
                max.update_batch(std::slice::from_ref(*array))?;
            }
            Ok((min.evaluate()?.cast_to(scanned)?, max.evaluate()?.cast_to(scanned)?))
        };
        if let Ok((min, max)) = bounds() {
            statistics.min_value = Precision::Exact(min);
            statistics.max_value = Precision::Exact(max);
        }
        statistics
    }
}

/// A scan of [`HotRows`]: some columns, and no more rows than `fetch`.
#[derive(Debug, Clone)]
pub(super) struct HotSource {
    rows: Arc<HotRows>,
    projection: Vec<usize>,
    schema: SchemaRef,
    fetch: Option<usize>,
}

impl HotSource {
    pub(super) fn try_new(
        rows: Arc<HotRows>,
        projection: Option<&Vec<usize>>,
        fetch: Option<usize>,
    ) -> Result<Self> {
        let schema = project_schema(&rows.schema, projection)?;
        let projection =
            projection.map_or_else(|| (0..rows.schema.fields().len()).collect(), Clone::clone);
        Ok(Self { rows, projection, schema, fetch })
    }
}

impl DataSource for HotSource {
    fn open(
        &self,
        _partition: usize,
        _context: Arc<TaskContext>,
    ) -> Result<SendableRecordBatchStream> {
        let batches = self.rows.batches.iter().map(|batch| {
            let batch = batch.project(&self.projection)?;
            let columns = batch.columns().iter().zip(self.schema.fields());
            let columns = columns.map(|(column, field)| cast(column, field.data_type()));
            let options = RecordBatchOptions::new().with_row_count(Some(batch.num_rows()));
            let columns = columns.collect::<arrow::error::Result<Vec<_>>>()?;
            RecordBatch::try_new_with_options(Arc::clone(&self.schema), columns, &options)
        });
        let batches = batches.collect::<arrow::error::Result<Vec<_>>>()?;
        let stream = MemoryStream::try_new(batches, Arc::clone(&self.schema), None)?;
        Ok(Box::pin(cooperative(stream.with_fetch(self.fetch))))
    }

    fn fmt_as(&self, _kind: DisplayFormatType, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "hot rows={}, batches={}", self.rows.rows, self.rows.batches.len())?;
        match self.fetch {
            Some(fetch) => write!(f, ", fetch={fetch}"),
            None => Ok(()),
        }
    }

    fn output_partitioning(&self) -> Partitioning {
        Partitioning::UnknownPartitioning(1)
    }

    fn eq_properties(&self) -> EquivalenceProperties {
        EquivalenceProperties::new(Arc::clone(&self.schema))
    }

    fn scheduling_type(&self) -> SchedulingType {
        SchedulingType::Cooperative
    }

    fn partition_statistics(&self, _partition: Option<usize>) -> Result<Arc<Statistics>> {
        let statistics = Statistics {
            num_rows: Precision::Exact(self.rows.rows),
            total_byte_size: Precision::Absent,
            column_statistics: self.projection.iter().map(|it| self.rows.column(*it)).collect(),
        };
        Ok(Arc::new(statistics.with_fetch(self.fetch, 0, 1)?))
    }

    fn with_fetch(&self, limit: Option<usize>) -> Option<Arc<dyn DataSource>> {
        Some(Arc::new(Self { fetch: limit, ..self.clone() }))
    }

    fn fetch(&self) -> Option<usize> {
        self.fetch
    }

    fn try_swapping_with_projection(
        &self,
        projection: &ProjectionExprs,
    ) -> Result<Option<Arc<dyn DataSource>>> {
        let expressions: Vec<_> = projection.iter().cloned().collect();
        if !all_alias_free_columns(&expressions) {
            return Ok(None);
        }
        let columns = new_projections_for_columns(&expressions, &self.projection);
        let rows = Arc::clone(&self.rows);
        Ok(Some(Arc::new(Self::try_new(rows, Some(&columns), self.fetch)?)))
    }

    fn apply_expressions(
        &self,
        _f: &mut dyn FnMut(&Arc<dyn PhysicalExpr>) -> Result<TreeNodeRecursion>,
    ) -> Result<TreeNodeRecursion> {
        Ok(TreeNodeRecursion::Continue)
    }
}
