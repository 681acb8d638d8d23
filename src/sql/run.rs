//! The life of one query on its own thread: start, hand over rows, end. Knows no text and no table.

use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use datafusion::common::DataFusionError;
use futures::StreamExt;
use tokio::sync::{mpsc, oneshot};

use super::params::Params;
use super::plain;
use super::session::Session;
use crate::error::Result;

/// Runs a statement until its rows end, it fails, or nobody takes them any more. After the last
/// row, and only then, `sender` gets `Ok(None)`.
///
/// The table that a hash join builds cannot spill. A query that runs out of memory before its
/// first row is run once more with joins that can.
pub(super) async fn run(
    session: &Session,
    sql: &str,
    params: &Params,
    started: oneshot::Sender<Result<SchemaRef>>,
    sender: mpsc::Sender<Result<Option<RecordBatch>>>,
) {
    let mut rows = match session.start(sql, params, false).await {
        Ok(rows) => rows,
        Err(error) => return drop(started.send(Err(error))),
    };
    let schema = plain::schema(&rows.schema());
    if started.send(Ok(Arc::clone(&schema))).is_err() {
        return;
    }
    let mut next = rows.next().await;
    if matches!(&next, Some(Err(error)) if out_of_memory(error)) {
        rows = match session.start(sql, params, true).await {
            Ok(rows) => rows,
            Err(error) => return drop(sender.send(Err(error)).await),
        };
        next = rows.next().await;
    }
    while let Some(batch) = next {
        let batch = batch.and_then(|it| plain::batch(&schema, &it));
        let item = batch.map(Some).map_err(|error| session.told(&error, sql));
        let failed = item.is_err();
        if sender.send(item).await.is_err() || failed {
            return;
        }
        next = rows.next().await;
    }
    drop(sender.send(Ok(None)).await);
}

fn out_of_memory(error: &DataFusionError) -> bool {
    matches!(error.find_root(), DataFusionError::ResourcesExhausted(_))
}
