//! An export from its request to its manifest.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::datatypes::{DataType, SchemaRef};
use futures::StreamExt;

use super::lower::{DAY, Lowering};
use super::manifest::MANIFEST_VERSION;
use super::parts::{Parts, Shape, partition_values};
use super::position::{Added, Known};
use super::runs::Runs;
use super::source::{Wanted, by_day, days, has_runs, query, time_column, time_column_of};
use super::target::Target;
use super::work::Work;
use super::{Exported, ExportedTable, FileFormat, Manifest, Observer, Request, What, Written};
use crate::clock::rfc3339;
use crate::error::{Error, Result};
use crate::event::Table;
use crate::sql::{Params, Session};
use crate::store::{OutsideColumn, OutsideFile, OutsideTable, commit_outside};

/// Exports what `session` shows. Memory is bounded, whatever the number of rows.
///
/// # Errors
/// `Usage` for a target that is a file, not empty, inside the store, or that holds another export;
/// `Invalid` for a query that cannot be exported; `Failed` when a disk refuses; `Interrupted` when
/// `observer` ends it; `Damaged` for a file that reads back otherwise than it was written. Nothing
/// of it is left then.
pub fn export(session: &Session, request: &Request, observer: Observer<'_>) -> Result<Exported> {
    request.check()?;
    let (target, earlier) = Target::open(request)?;
    let mut work = Work::new(request.threads, observer)?;
    let target = Arc::new(target);
    let done = Export::begin(session, request, &target, earlier.as_ref(), &mut work)
        .and_then(|it| it.run(&mut work));
    if done.is_err() {
        // a thread may still be writing a file
        work.end();
        target.abandon();
    }
    done
}

struct Export<'a> {
    session: &'a Session,
    request: &'a Request,
    target: &'a Arc<Target>,
    earlier: Option<&'a Manifest>,
    known: Known,
    runs: Runs,
    added: Added,
}

impl<'a> Export<'a> {
    fn begin(
        session: &'a Session,
        request: &'a Request,
        target: &'a Arc<Target>,
        earlier: Option<&'a Manifest>,
        work: &mut Work<'_>,
    ) -> Result<Self> {
        let position = earlier.and_then(|it| it.position.clone()).unwrap_or_default();
        let known = Known::read(&*target.files, &target.root, position)?;
        let tables: &[Table] = match &request.what {
            What::Tables(tables) => tables,
            What::Query { .. } => &[],
        };
        let needs_days = |it: &Table| request.by_day && time_column(*it).is_none();
        let is_picky = request.incremental || request.since_us.is_some();
        let needs_runs = |it: &Table| needs_days(it) || (is_picky && has_runs(*it));
        let runs = match tables.iter().any(needs_runs) {
            true => Runs::read(session, request.since_us, &known.runs, work)?,
            false => Runs::default(),
        };
        let added = Added::default();
        Ok(Self { session, request, target, earlier, known, runs, added })
    }

    fn run(mut self, work: &mut Work<'_>) -> Result<Exported> {
        let mut tables = Vec::new();
        match &self.request.what {
            What::Tables(all) => {
                for table in all {
                    tables.push(self.table(*table, work)?);
                }
            }
            What::Query { name, sql } => tables.push(self.query(name, sql, work)?),
        }
        let mut written = Vec::new();
        for table in &mut tables {
            let before = self.before(&table.name);
            written.push(Written::of(table, before));
            self.commit(table, before)?;
        }
        let request = self.request;
        let position = match request.incremental {
            true => Some(self.added.write(self.known, &self.runs, self.target)?),
            false => None,
        };
        let manifest = Manifest {
            manifest_version: MANIFEST_VERSION,
            tool_version: env!("CARGO_PKG_VERSION").to_owned(),
            export_id: self.target.id().to_string(),
            created: rfc3339(request.now_us),
            as_of: request.as_of_us.map(rfc3339),
            since: request.since_us.map(rfc3339),
            profile: request.profile.name.to_owned(),
            format: request.profile.format.as_str().to_owned(),
            partition_by: request.by_day.then(|| "day".to_owned()),
            store_id: request.store_id.clone(),
            tables,
            position,
        };
        if self.earlier.is_none() {
            self.target.begin()?; // also where there is no file: what is replaced goes
        }
        self.target.finish(&manifest)?;
        Ok(Exported { manifest, written })
    }

    fn before(&self, name: &str) -> Option<&'a ExportedTable> {
        self.earlier.and_then(|it| it.tables.iter().find(|it| it.name == name))
    }

    fn shape(&self, lowering: Lowering) -> Shape {
        let Request { profile, by_day, rows_per_file, .. } = *self.request;
        let (target, lowering) = (Arc::clone(self.target), Arc::new(lowering));
        Shape { target, lowering, profile, by_day, rows_per_file }
    }

    fn lowering(&self, schema: &SchemaRef) -> Result<Lowering> {
        let with_day = self.request.by_day && self.request.profile.day_column;
        Lowering::new(schema, self.request.profile, with_day)
    }

    fn table(&mut self, table: Table, work: &mut Work<'_>) -> Result<ExportedTable> {
        let request = self.request;
        let is_picky = request.incremental || request.since_us.is_some();
        if request.incremental && self.earlier.is_some() {
            self.known.check_late(self.session, table, &mut self.added, work)?;
        }
        let runs = Some(&self.runs).filter(|_| is_picky);
        let (sql, params) = query(table, Wanted { runs, since_us: request.since_us });
        let mut stream = work.wait(self.session.query_stream(&sql, &params))??;
        let lowering = self.lowering(&stream.schema())?;
        let empty = || ExportedTable::new(table.name(), None, &lowering);
        let before = self
            .before(table.name())
            .cloned()
            .map_or_else(|| Ok(empty()), |it| check_columns(it, &empty()))?;
        let mut parts = Parts::new(self.shape(lowering), before, work.threads())?;
        let mut sieve = self.known.sieve(table);
        while let Some(batch) = work.wait(stream.next())?.transpose()? {
            work.note(batch.num_rows() as u64);
            let batch = match (request.incremental, is_picky && has_runs(table)) {
                (true, _) => sieve.filter(&batch, &self.runs, &mut self.added)?,
                (false, true) => self.runs.filter(&batch, |_| Ok(true))?,
                (false, false) => batch,
            };
            for (day, rows) in self.days(table, batch)? {
                parts.write(&rows, day, work)?;
            }
        }
        parts.finish(true, work)
    }

    /// The rows of a table by their days: its own time, or that of the run.
    fn days(&self, table: Table, batch: RecordBatch) -> Result<Vec<(Option<i32>, RecordBatch)>> {
        if !self.request.by_day {
            return Ok(vec![(None, batch)]);
        }
        let times = time_column(table).and_then(|it| batch.column_by_name(it));
        let found = match times {
            Some(times) => days(times)?,
            None => self.runs.days(&batch)?,
        };
        by_day(&batch, &found)
    }

    fn query(&self, name: &str, sql: &str, work: &mut Work<'_>) -> Result<ExportedTable> {
        let mut stream = work.wait(self.session.query_stream(sql, &Params::new()))??;
        let schema = stream.schema();
        let lowering = self.lowering(&schema)?;
        let time = match self.request.by_day {
            true => Some(time_column_of(&schema)?),
            false => None,
        };
        let table = ExportedTable::new(name, Some(sql), &lowering);
        let mut parts = Parts::new(self.shape(lowering), table, work.threads())?;
        while let Some(batch) = work.wait(stream.next())?.transpose()? {
            work.note(batch.num_rows() as u64);
            let Some(times) = time.and_then(|it| batch.columns().get(it)) else {
                parts.write(&batch, None, work)?;
                continue;
            };
            for (day, rows) in by_day(&batch, &days(times)?)? {
                parts.write(&rows, day, work)?;
            }
        }
        parts.finish(true, work)
    }

    /// Makes the folder of a table a Delta table, or brings its new files into the one that it is.
    fn commit(&self, table: &mut ExportedTable, before: Option<&ExportedTable>) -> Result<()> {
        if self.request.profile.format != FileFormat::Parquet {
            return Ok(());
        }
        let known = before.and_then(|it| it.delta_version);
        let new = table.files.iter().skip(before.map_or(0, |it| it.files.len()));
        let added: Vec<OutsideFile> = new.map(|it| outside(&table.name, it)).collect();
        if known.is_some() && added.is_empty() {
            return Ok(());
        }
        let version = known.map_or(0, |it| it + 1);
        self.target.begin()?;
        let folder = self.target.root.join(&table.name);
        let (files, id) = (&*self.target.files, self.target.id());
        if !files.is_remote() {
            files.create_folder(&folder)?;
        }
        let described = self.described(table)?;
        let now_us = self.request.now_us;
        commit_outside(files, &folder, (version, id), &described, &added, now_us)?;
        table.delta_version = Some(version);
        Ok(())
    }

    fn described(&self, table: &ExportedTable) -> Result<OutsideTable> {
        let mut columns = Vec::new();
        for column in &table.columns {
            let (name, nullable) = (column.name.clone(), column.nullable);
            let (kind, otel_name) = (delta_type(&column.kind)?, column.otel_name.clone());
            columns.push(OutsideColumn { name, kind, nullable, otel_name });
        }
        if self.request.by_day && !columns.iter().any(|it| it.name == DAY) {
            let (name, kind) = (DAY.to_owned(), "date".to_owned());
            columns.push(OutsideColumn { name, kind, nullable: true, otel_name: None });
        }
        let doc = Table::by_name(&table.name).filter(|_| table.query.is_none());
        Ok(OutsideTable {
            name: table.name.clone(),
            description: doc.map(|it| it.doc().to_owned()),
            columns,
            partition_columns: self.request.by_day.then(|| DAY.to_owned()).into_iter().collect(),
        })
    }
}

/// A file as Delta names it.
fn outside(table: &str, file: &super::ExportedFile) -> OutsideFile {
    let path = file.path.strip_prefix(table).unwrap_or(&file.path).trim_start_matches('/');
    OutsideFile {
        path: path.to_owned(),
        partition_values: partition_values(path),
        size_bytes: file.size_bytes,
        rows: file.rows,
        digest: file.blake3.clone(),
    }
}

/// The type of a column in the words of Delta, from those of a manifest.
fn delta_type(word: &str) -> Result<String> {
    let known = BTreeMap::from([
        (super::lower::word(&DataType::Utf8), "string"),
        (super::lower::word(&DataType::Int64), "long"),
        (super::lower::word(&DataType::Float64), "double"),
        (super::lower::word(&DataType::Boolean), "boolean"),
        (super::lower::word(&crate::store::schema::data_type(TIME)), "timestamp"),
        (super::lower::word(&DataType::Binary), "binary"),
        (super::lower::word(&DataType::Date32), "date"),
    ]);
    match known.get(word) {
        Some(word) => Ok((*word).to_owned()),
        None if word.starts_with("decimal(") => Ok(word.to_owned()),
        None => Err(Error::internal(format!("Delta has no type {word}"))),
    }
}

const TIME: crate::event::ColumnType = crate::event::ColumnType::Time;

/// A table as it was exported before, if its columns are still the same.
fn check_columns(before: ExportedTable, now: &ExportedTable) -> Result<ExportedTable> {
    if before.columns == now.columns {
        return Ok(before);
    }
    let message = format!("{} has other columns now than when it was exported", now.name);
    Err(Error::failed(message).with_hint("Export anew with --force."))
}
