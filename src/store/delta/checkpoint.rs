//! A checkpoint as bytes: the actions of a table's state in one Parquet file, as the protocol lays
//! it out for its first version. Reads and writes no file.
//!
//! Parquet does not notice every flipped bit, and a wrong `txn` would lose or double rows. So the
//! footer holds the BLAKE3 of the whole file, taken while the place of the digest holds zeros. A
//! foreign tool's checkpoint has none and is taken as it is.

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::{Arc, LazyLock};

use arrow::array::{
    Array, AsArray, BooleanArray, Int64Array, ListArray, MapArray, RecordBatch, StringArray,
    StructArray,
};
use arrow::datatypes::{DataType, Field, Fields, Int32Type, Int64Type, Schema, SchemaRef};
use arrow::json::ReaderBuilder;
use object_store::PutPayload;
use parquet::arrow::ArrowWriter;
use parquet::arrow::arrow_reader::{ArrowReaderOptions, ParquetRecordBatchReaderBuilder};
use parquet::arrow::arrow_writer::ArrowWriterOptions;
use parquet::basic::{Compression, ZstdLevel};
use parquet::file::metadata::KeyValue;
use parquet::file::properties::WriterProperties;
use serde_json::{Map, Value};

use super::action::{Action, Add, CommitInfo, Format, MetaData, Protocol, Remove, Transaction};
use super::read::damaged;
use crate::error::{Error, Result};

/// The footer's key for the newest stamp of all commits up to the checkpoint, in microseconds.
const STAMP_KEY: &str = "genstore.checkpoint.stamp_us";
/// The footer's key for the digest, which has the length of the digest of an `add`.
const DIGEST_KEY: &str = "genstore.checkpoint.blake3";
const DIGEST_BYTES: usize = 64;
/// A footer of ours is shorter than this.
const FOOTER_BYTES_MAX: usize = 64 << 10;
/// Rows of a batch while encoding and decoding.
const BATCH_ROWS: usize = 8 * 1024;

static SCHEMA: LazyLock<SchemaRef> = LazyLock::new(|| {
    let action = |name: &str, fields: Vec<Field>| group(name, true, fields);
    Arc::new(Schema::new(vec![
        action("txn", vec![text("appId"), int("version"), int("lastUpdated").with_nullable(true)]),
        action(
            "add",
            vec![
                text("path"),
                map("partitionValues", true),
                int("size"),
                int("modificationTime"),
                flag("dataChange"),
                text("stats").with_nullable(true),
                map("tags", true).with_nullable(true),
            ],
        ),
        action(
            "remove",
            vec![
                text("path"),
                int("deletionTimestamp").with_nullable(true),
                flag("dataChange"),
                flag("extendedFileMetadata").with_nullable(true),
                map("partitionValues", true).with_nullable(true),
                int("size").with_nullable(true),
            ],
        ),
        action(
            "metaData",
            vec![
                text("id"),
                text("name").with_nullable(true),
                text("description").with_nullable(true),
                group("format", false, vec![text("provider"), map("options", false)]),
                text("schemaString"),
                list("partitionColumns"),
                int("createdTime").with_nullable(true),
                map("configuration", false),
            ],
        ),
        action(
            "protocol",
            vec![
                Field::new("minReaderVersion", DataType::Int32, false),
                Field::new("minWriterVersion", DataType::Int32, false),
                list("readerFeatures").with_nullable(true),
                list("writerFeatures").with_nullable(true),
            ],
        ),
    ]))
});

fn text(name: &str) -> Field {
    Field::new(name, DataType::Utf8, false)
}

fn int(name: &str) -> Field {
    Field::new(name, DataType::Int64, false)
}

fn flag(name: &str) -> Field {
    Field::new(name, DataType::Boolean, false)
}

fn group(name: &str, nullable: bool, fields: Vec<Field>) -> Field {
    Field::new(name, DataType::Struct(Fields::from(fields)), nullable)
}

fn list(name: &str) -> Field {
    Field::new(name, DataType::List(Arc::new(text("element"))), false)
}

fn map(name: &str, nullable_values: bool) -> Field {
    let entry = vec![text("key"), text("value").with_nullable(nullable_values)];
    let entries = group("key_value", false, entry);
    Field::new(name, DataType::Map(Arc::new(entries), false), false)
}

/// Encodes the actions of a state, and the newest stamp of the commits that made it.
pub(super) fn encode(actions: &[Action], stamp_us: Option<i64>) -> Result<Vec<u8>> {
    let failed = |source: Box<dyn std::error::Error + Send + Sync>| {
        Error::internal("cannot encode a checkpoint").with_source(source)
    };
    let mut notes = vec![KeyValue::new(DIGEST_KEY.to_owned(), "0".repeat(DIGEST_BYTES))];
    notes.extend(stamp_us.map(|it| KeyValue::new(STAMP_KEY.to_owned(), it.to_string())));
    let properties = WriterProperties::builder()
        .set_compression(Compression::ZSTD(ZstdLevel::default()))
        .set_created_by(format!("genstore version {}", env!("CARGO_PKG_VERSION")))
        .set_key_value_metadata(Some(notes))
        .build();
    let options =
        ArrowWriterOptions::new().with_properties(properties).with_skip_arrow_metadata(true);
    let mut bytes = Vec::new();
    let mut writer = ArrowWriter::try_new_with_options(&mut bytes, Arc::clone(&SCHEMA), options)
        .map_err(|it| failed(it.into()))?;
    let mut decoder = ReaderBuilder::new(Arc::clone(&SCHEMA))
        .with_batch_size(BATCH_ROWS)
        .build_decoder()
        .map_err(|it| failed(it.into()))?;
    for chunk in actions.chunks(BATCH_ROWS) {
        decoder.serialize(chunk).map_err(|it| failed(it.into()))?;
        while let Some(batch) = decoder.flush().map_err(|it| failed(it.into()))? {
            writer.write(&batch).map_err(|it| failed(it.into()))?;
        }
    }
    writer.close().map_err(|it| failed(it.into()))?;
    let digest = blake3::hash(&bytes).to_hex();
    let place = digest_place(&bytes).and_then(|place| bytes.get_mut(place));
    let place = place.ok_or_else(|| Error::internal("a checkpoint has no place for its digest"))?;
    place.copy_from_slice(digest.as_bytes());
    Ok(bytes)
}

/// Decodes a checkpoint; `path` is for messages. Its stamp, which older builds and foreign tools do
/// not note, comes as an action of its own.
///
/// # Errors
/// `Damaged` for anything but a whole checkpoint.
pub(super) fn decode(path: &Path, bytes: &[u8]) -> Result<Vec<Action>> {
    if !has_right_digest(bytes) {
        return Err(damaged(path, "the checkpoint is not as it was written"));
    }
    // the decoder of Parquet may panic on bytes that a foreign tool left without a digest
    let decoded = catch_unwind(AssertUnwindSafe(|| read(path, bytes)))
        .unwrap_or_else(|_| Err(damaged(path, "the checkpoint cannot be decoded")));
    let actions = decoded?;
    let has = |part: fn(&Action) -> bool| actions.iter().any(part);
    if !has(|it| it.protocol.is_some()) || !has(|it| it.meta_data.is_some()) {
        return Err(damaged(path, "the checkpoint does not say what the table is"));
    }
    Ok(actions)
}

/// Where the digest stands: behind its key, as Thrift writes a text of its length.
fn digest_place(bytes: &[u8]) -> Option<std::ops::Range<usize>> {
    let mark = [DIGEST_KEY.as_bytes(), &[0x18, 0x40]].concat();
    let start = bytes.windows(mark.len()).rposition(|it| it == mark)? + mark.len();
    Some(start..start + DIGEST_BYTES)
}

fn has_right_digest(bytes: &[u8]) -> bool {
    let Some(place) = digest_place(bytes) else {
        // one of ours whose key is gone is no foreign one
        let ours = b"genstore version ";
        let footer = bytes.len().saturating_sub(FOOTER_BYTES_MAX)..;
        return !bytes.get(footer).unwrap_or(bytes).windows(ours.len()).any(|it| it == ours);
    };
    let (before, rest) = bytes.split_at(place.start);
    let Some((digest, after)) = rest.split_at_checked(DIGEST_BYTES) else { return false };
    let mut hasher = blake3::Hasher::new();
    hasher.update(before).update(&[b'0'; DIGEST_BYTES]).update(after);
    digest == hasher.finalize().to_hex().as_bytes()
}

fn read(path: &Path, bytes: &[u8]) -> Result<Vec<Action>> {
    let failed = |source: parquet::errors::ParquetError| {
        damaged(path, "the checkpoint cannot be read").with_source(source)
    };
    let options = ArrowReaderOptions::new().with_skip_arrow_metadata(true);
    // the one part of a payload is shared memory, which Parquet reads from
    let mut input = PutPayload::from(bytes.to_vec()).into_iter();
    let input = input.next().ok_or_else(|| damaged(path, "the checkpoint is empty"))?;
    let reader =
        ParquetRecordBatchReaderBuilder::try_new_with_options(input, options).map_err(failed)?;
    let notes = reader.metadata().file_metadata().key_value_metadata();
    let stamp = notes.into_iter().flatten().find(|it| it.key == STAMP_KEY);
    let stamp_us = stamp.and_then(|it| it.value.as_ref()?.parse().ok());
    let batches = reader.with_batch_size(BATCH_ROWS).build().map_err(failed)?;
    let mut actions: Vec<Action> = stamp_us.into_iter().map(stamped).collect();
    for batch in batches {
        let batch = batch.map_err(|source| failed(source.into()))?;
        actions_of(&batch, &mut actions)
            .ok_or_else(|| damaged(path, "the checkpoint has other columns than it should"))?;
    }
    Ok(actions)
}

/// What tells the stamp of a checkpoint.
fn stamped(stamp_us: i64) -> Action {
    let info = CommitInfo { genstore_flush_time_us: Some(stamp_us), ..CommitInfo::default() };
    Action { commit_info: Some(info), ..Action::default() }
}

/// The actions in a batch of rows; `None` if a column is missing or of another type.
fn actions_of(batch: &RecordBatch, actions: &mut Vec<Action>) -> Option<()> {
    let of = |name: &str| batch.column_by_name(name)?.as_struct_opt().map(Group);
    let (txns, adds, removes) = (Txns::of(of("txn")?)?, Adds::of(of("add")?)?, of("remove")?);
    let (metadata, protocols) = (of("metaData")?, of("protocol")?);
    let removes = Removes::of(removes)?;
    for row in 0..batch.num_rows() {
        actions.push(Action {
            commit_info: None,
            protocol: if protocols.has(row) { Some(protocol(protocols, row)?) } else { None },
            meta_data: if metadata.has(row) { Some(meta_data(metadata, row)?) } else { None },
            txn: if txns.group.has(row) { Some(txns.get(row)?) } else { None },
            add: if adds.group.has(row) { Some(adds.get(row)?) } else { None },
            remove: if removes.group.has(row) { Some(removes.get(row)?) } else { None },
        });
    }
    Some(())
}

/// A struct column, and its fields by name.
#[derive(Clone, Copy)]
struct Group<'a>(&'a StructArray);

impl<'a> Group<'a> {
    fn has(self, row: usize) -> bool {
        self.0.is_valid(row)
    }

    fn text(self, name: &str) -> Option<&'a StringArray> {
        self.0.column_by_name(name)?.as_string_opt()
    }

    fn int(self, name: &str) -> Option<&'a Int64Array> {
        self.0.column_by_name(name)?.as_primitive_opt::<Int64Type>()
    }

    fn flag(self, name: &str) -> Option<&'a BooleanArray> {
        self.0.column_by_name(name)?.as_boolean_opt()
    }

    fn map(self, name: &str) -> Option<&'a MapArray> {
        self.0.column_by_name(name)?.as_map_opt()
    }

    fn list(self, name: &str) -> Option<&'a ListArray> {
        self.0.column_by_name(name)?.as_list_opt()
    }

    fn group(self, name: &str) -> Option<Self> {
        self.0.column_by_name(name)?.as_struct_opt().map(Self)
    }
}

struct Txns<'a> {
    group: Group<'a>,
    app_id: &'a StringArray,
    version: &'a Int64Array,
    last_updated: &'a Int64Array,
}

impl<'a> Txns<'a> {
    fn of(group: Group<'a>) -> Option<Self> {
        let (app_id, version) = (group.text("appId")?, group.int("version")?);
        Some(Self { group, app_id, version, last_updated: group.int("lastUpdated")? })
    }

    fn get(&self, row: usize) -> Option<Transaction> {
        Some(Transaction {
            app_id: text_at(self.app_id, row)?,
            version: int_at(self.version, row)?,
            last_updated: int_at(self.last_updated, row),
        })
    }
}

struct Adds<'a> {
    group: Group<'a>,
    path: &'a StringArray,
    size: &'a Int64Array,
    modification_time: &'a Int64Array,
    stats: &'a StringArray,
    tags: &'a MapArray,
}

impl<'a> Adds<'a> {
    fn of(group: Group<'a>) -> Option<Self> {
        Some(Self {
            group,
            path: group.text("path")?,
            size: group.int("size")?,
            modification_time: group.int("modificationTime")?,
            stats: group.text("stats")?,
            tags: group.map("tags")?,
        })
    }

    fn get(&self, row: usize) -> Option<Add> {
        Some(Add {
            path: text_at(self.path, row)?,
            partition_values: Map::new(), // a partitioned table is refused
            size: u64::try_from(int_at(self.size, row)?).ok()?,
            modification_time: int_at(self.modification_time, row)?,
            data_change: false,
            stats: text_at(self.stats, row),
            tags: if self.tags.is_valid(row) { Some(pairs(self.tags, row)?) } else { None },
        })
    }
}

struct Removes<'a> {
    group: Group<'a>,
    path: &'a StringArray,
    deletion_timestamp: &'a Int64Array,
    data_change: &'a BooleanArray,
}

impl<'a> Removes<'a> {
    fn of(group: Group<'a>) -> Option<Self> {
        Some(Self {
            group,
            path: group.text("path")?,
            deletion_timestamp: group.int("deletionTimestamp")?,
            data_change: group.flag("dataChange")?,
        })
    }

    fn get(&self, row: usize) -> Option<Remove> {
        Some(Remove {
            path: text_at(self.path, row)?,
            deletion_timestamp: int_at(self.deletion_timestamp, row),
            data_change: self.data_change.is_valid(row) && self.data_change.value(row),
        })
    }
}

fn meta_data(group: Group<'_>, row: usize) -> Option<MetaData> {
    let format = group.group("format")?;
    let columns = group.list("partitionColumns")?.value(row);
    let columns = columns.as_string_opt::<i32>()?;
    Some(MetaData {
        id: text_at(group.text("id")?, row)?,
        name: text_at(group.text("name")?, row),
        description: text_at(group.text("description")?, row),
        format: Format {
            provider: text_at(format.text("provider")?, row)?,
            options: values(format.map("options")?, row)?,
        },
        schema_string: text_at(group.text("schemaString")?, row)?,
        partition_columns: columns.iter().flatten().map(str::to_owned).collect(),
        configuration: values(group.map("configuration")?, row)?,
        created_time: int_at(group.int("createdTime")?, row),
    })
}

fn protocol(group: Group<'_>, row: usize) -> Option<Protocol> {
    let version = |name: &str| {
        let column = group.0.column_by_name(name)?.as_primitive_opt::<Int32Type>()?;
        column.is_valid(row).then(|| u32::try_from(column.value(row)).ok()).flatten()
    };
    Some(Protocol {
        min_reader_version: version("minReaderVersion")?,
        min_writer_version: version("minWriterVersion")?,
    })
}

fn text_at(column: &StringArray, row: usize) -> Option<String> {
    column.is_valid(row).then(|| column.value(row).to_owned())
}

fn int_at(column: &Int64Array, row: usize) -> Option<i64> {
    column.is_valid(row).then(|| column.value(row))
}

fn pairs(column: &MapArray, row: usize) -> Option<BTreeMap<String, Option<String>>> {
    let entries = column.value(row);
    let [keys, values] = entries.columns() else { return None };
    let (keys, values) = (keys.as_string_opt::<i32>()?, values.as_string_opt::<i32>()?);
    let pairs = keys
        .iter()
        .zip(values)
        .filter_map(|(key, value)| Some((key?.to_owned(), value.map(str::to_owned))));
    Some(pairs.collect())
}

fn values(column: &MapArray, row: usize) -> Option<Map<String, Value>> {
    let pairs = pairs(column, row)?.into_iter();
    Some(pairs.map(|(key, value)| (key, value.map_or(Value::Null, Value::from))).collect())
}

#[cfg(test)]
mod tests;
