//! The life of one query on its own thread: start, hand over rows, end. Knows no text and no table.

use std::sync::Arc;
use std::time::Duration;

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use datafusion::common::DataFusionError;
use futures::StreamExt;
use tokio::sync::{mpsc, oneshot};

use super::params::Params;
use super::plain;
use super::session::Session;
use crate::error::{Error, Result};
use crate::setting::time;

const TIME_HINT: &str =
    "Ask for less, or allow more: --timeout, or the setting sql.query_time_max.";
const ROWS_HINT: &str = "Add a LIMIT, or allow more: --max-rows, or the setting sql.rows_max.";

/// Where the rows of one query go.
pub(super) struct Receiver {
    /// Told what the columns are, or why there are none; once.
    pub(super) started: Option<oneshot::Sender<Result<SchemaRef>>>,
    /// Gets the rows. After the last one, and only then, it gets `Ok(None)`.
    pub(super) rows: mpsc::Sender<Result<Option<RecordBatch>>>,
}

impl Receiver {
    async fn fail(&mut self, error: Error) {
        match self.started.take() {
            Some(started) => drop(started.send(Err(error))),
            None => drop(self.rows.send(Err(error)).await),
        }
    }
}

/// Runs a statement until its rows end, it fails, nobody takes them any more, or its time is over.
pub(super) async fn run(session: &Session, sql: &str, params: &Params, mut to: Receiver) {
    let ms = session.settings().query_ms_max;
    if ms == 0 {
        return run_to_end(session, sql, params, &mut to).await;
    }
    let work = run_to_end(session, sql, params, &mut to);
    if tokio::time::timeout(Duration::from_millis(ms), work).await.is_err() {
        let message = format!("the query has taken longer than {}", time(ms));
        to.fail(Error::failed(message).with_hint(TIME_HINT)).await;
    }
}

/// The table that a hash join builds cannot spill. A query that runs out of memory before its
/// first row is run once more with joins that can.
async fn run_to_end(session: &Session, sql: &str, params: &Params, to: &mut Receiver) {
    let mut rows = match session.start(sql, params, false).await {
        Ok(rows) => rows,
        Err(error) => return to.fail(error).await,
    };
    let schema = plain::schema(&rows.schema());
    let started = to.started.take().map(|it| it.send(Ok(Arc::clone(&schema))));
    if started.is_none_or(|it| it.is_err()) {
        return;
    }
    let mut next = rows.next().await;
    if matches!(&next, Some(Err(error)) if out_of_memory(error)) {
        rows = match session.start(sql, params, true).await {
            Ok(rows) => rows,
            Err(error) => return to.fail(error).await,
        };
        next = rows.next().await;
    }
    let rows_max = session.settings().rows_max;
    let mut taken = 0;
    while let Some(batch) = next {
        let batch = batch.and_then(|it| plain::batch(&schema, &it));
        let batch = match batch {
            Ok(batch) => batch,
            Err(error) => return to.fail(session.told(&error, sql)).await,
        };
        taken += batch.num_rows() as u64;
        if rows_max > 0 && taken > rows_max {
            let error = Error::failed(format!("the result has more than {rows_max} rows"));
            return to.fail(error.with_hint(ROWS_HINT)).await;
        }
        if to.rows.send(Ok(Some(batch))).await.is_err() {
            return;
        }
        next = rows.next().await;
    }
    drop(to.rows.send(Ok(None)).await);
}

fn out_of_memory(error: &DataFusionError) -> bool {
    matches!(error.find_root(), DataFusionError::ResourcesExhausted(_))
}
