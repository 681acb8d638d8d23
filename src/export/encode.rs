//! Rows to the bytes of one file. Rows are encoded in groups, each on whatever thread is free, and
//! put together in their order. Touches no disk.

use std::fmt;
use std::io::Write;
use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use arrow::ipc::writer::FileWriter as IpcWriter;
use parquet::arrow::ArrowSchemaConverter;
use parquet::arrow::arrow_writer::{
    ArrowColumnChunk, ArrowColumnWriter, ArrowRowGroupWriterFactory, compute_leaves,
};
use parquet::basic::{Compression as Codec, Encoding, ZstdLevel};
use parquet::file::properties::{EnabledStatistics, WriterProperties, WriterPropertiesPtr};
use parquet::file::writer::SerializedFileWriter;
use parquet::schema::types::{ColumnPath, SchemaDescPtr};

use super::FileFormat;
use super::profile::{Compression, Profile};
use crate::error::{Error, Result};
use crate::output::{Format, Look, RowWriter};

/// Columns whose values are long and rarely equal: a dictionary and statistics do not pay.
const LONG_COLUMNS: [&str; 3] = ["content", "body", "histogram"];

/// From so many rows on the columns of a group are shared between threads: large groups are few.
const SHARED_ROWS_MIN: usize = 256 * 1024;

/// What all files of one result have in common; shared between threads.
pub(super) struct Encoder {
    schema: SchemaRef,
    form: Form,
    threads: usize,
}

enum Form {
    Parquet {
        columns: SchemaDescPtr,
        properties: WriterPropertiesPtr,
        groups: Box<ArrowRowGroupWriterFactory>,
    },
    Text {
        format: Format,
        header: Vec<u8>,
    },
    Arrow,
}

/// Rows as they go into a file.
pub(super) enum Group {
    Parquet(Vec<ArrowColumnChunk>),
    Text(Vec<u8>),
    Arrow(Vec<RecordBatch>),
}

/// A file in memory that grows by groups.
pub(super) enum FileBytes {
    Parquet(Box<SerializedFileWriter<Vec<u8>>>),
    Text(Vec<u8>),
    Arrow(Box<IpcWriter<Vec<u8>>>),
}

impl Encoder {
    /// An encoder that takes so many threads for a large group.
    pub(super) fn new(schema: &SchemaRef, profile: &Profile, threads: usize) -> Result<Self> {
        let form = match profile.format {
            FileFormat::Parquet => {
                let properties = Arc::new(properties(schema, profile));
                let columns = ArrowSchemaConverter::new().convert(schema).map_err(cannot_encode)?;
                let columns = Arc::new(columns);
                // a file that nobody gets: only of one can a factory be had
                let file = parquet_file(&columns, &properties)?;
                let groups = ArrowRowGroupWriterFactory::new(&file, Arc::clone(schema));
                Form::Parquet { columns, properties, groups: Box::new(groups) }
            }
            FileFormat::Csv => Self::text(Format::Csv, schema)?,
            FileFormat::Ndjson => Self::text(Format::Ndjson, schema)?,
            FileFormat::Arrow => Form::Arrow,
        };
        Ok(Self { schema: Arc::clone(schema), form, threads })
    }

    fn text(format: Format, schema: &SchemaRef) -> Result<Form> {
        let header = RowWriter::new(Vec::new(), format, Look::default(), schema)?.into_inner()?;
        Ok(Form::Text { format, header })
    }

    /// The beginning of a file.
    pub(super) fn file(&self) -> Result<FileBytes> {
        Ok(match &self.form {
            Form::Parquet { columns, properties, .. } => {
                FileBytes::Parquet(Box::new(parquet_file(columns, properties)?))
            }
            Form::Text { header, .. } => FileBytes::Text(header.clone()),
            Form::Arrow => {
                let file = IpcWriter::try_new(Vec::new(), &self.schema).map_err(cannot_encode)?;
                FileBytes::Arrow(Box::new(file))
            }
        })
    }

    /// Encodes rows in the schema of the files.
    pub(super) fn group(&self, rows: Vec<RecordBatch>) -> Result<Group> {
        Ok(match &self.form {
            Form::Parquet { groups, .. } => Group::Parquet(self.row_group(groups, &rows)?),
            Form::Text { format, header } => {
                let out = Vec::new();
                let mut writer = RowWriter::new(out, *format, Look::default(), &self.schema)?;
                for batch in &rows {
                    writer.write(batch)?;
                }
                let mut text = writer.into_inner()?;
                text.drain(..header.len());
                Group::Text(text)
            }
            Form::Arrow => Group::Arrow(rows),
        })
    }

    fn row_group(
        &self,
        groups: &ArrowRowGroupWriterFactory,
        rows: &[RecordBatch],
    ) -> Result<Vec<ArrowColumnChunk>> {
        // no column is nested, so each has one writer
        let writers = groups.create_column_writers(0).map_err(cannot_encode)?;
        let is_large = rows.iter().map(RecordBatch::num_rows).sum::<usize>() >= SHARED_ROWS_MIN;
        let threads = if is_large { self.threads.max(1) } else { 1 };
        let mut shares: Vec<Vec<(usize, ArrowColumnWriter)>> = Vec::new();
        shares.resize_with(threads, Vec::new);
        for (column, writer) in writers.into_iter().enumerate() {
            if let Some(share) = shares.get_mut(column % threads) {
                share.push((column, writer));
            }
        }
        let encode = |share: Vec<(usize, ArrowColumnWriter)>| {
            let chunk = |(column, writer)| Ok((column, self.column(column, writer, rows)?));
            share.into_iter().map(chunk).collect::<Result<Vec<_>>>()
        };
        let last = shares.pop().unwrap_or_default();
        let mut chunks = std::thread::scope(|scope| {
            let others: Vec<_> =
                shares.into_iter().map(|share| scope.spawn(move || encode(share))).collect();
            let mut chunks = encode(last)?;
            for other in others {
                let broke = |_| Error::internal("a thread that encodes columns broke off");
                chunks.extend(other.join().map_err(broke)??);
            }
            Ok::<_, Error>(chunks)
        })?;
        chunks.sort_by_key(|(column, _)| *column);
        Ok(chunks.into_iter().map(|(_, chunk)| chunk).collect())
    }

    fn column(
        &self,
        column: usize,
        mut writer: ArrowColumnWriter,
        rows: &[RecordBatch],
    ) -> Result<ArrowColumnChunk> {
        let field = self.schema.field(column);
        for batch in rows {
            for leaf in compute_leaves(field, batch.column(column)).map_err(cannot_encode)? {
                writer.write(&leaf).map_err(cannot_encode)?;
            }
        }
        writer.close().map_err(cannot_encode)
    }
}

impl FileBytes {
    /// Adds a group after those before.
    pub(super) fn append(&mut self, group: Group) -> Result<()> {
        match (self, group) {
            (Self::Parquet(file), Group::Parquet(columns)) => {
                let mut group = file.next_row_group().map_err(cannot_encode)?;
                for column in columns {
                    column.append_to_row_group(&mut group).map_err(cannot_encode)?;
                }
                group.close().map(drop).map_err(cannot_encode)
            }
            (Self::Text(bytes), Group::Text(more)) => bytes.write_all(&more).map_err(cannot_encode),
            (Self::Arrow(file), Group::Arrow(rows)) => {
                rows.iter().try_for_each(|it| file.write(it)).map_err(cannot_encode)
            }
            _ => Err(Error::internal("rows of one format were added to a file of another")),
        }
    }

    /// Its size so far.
    pub(super) fn size_bytes(&self) -> u64 {
        let bytes = match self {
            Self::Parquet(file) => file.bytes_written(),
            Self::Text(bytes) => bytes.len(),
            Self::Arrow(file) => file.get_ref().len(),
        };
        bytes as u64
    }

    /// The whole file.
    pub(super) fn finish(self) -> Result<Vec<u8>> {
        match self {
            Self::Parquet(file) => file.into_inner().map_err(cannot_encode),
            Self::Text(bytes) => Ok(bytes),
            Self::Arrow(mut file) => {
                file.finish().map_err(cannot_encode)?;
                file.into_inner().map_err(cannot_encode)
            }
        }
    }
}

fn parquet_file(
    columns: &SchemaDescPtr,
    properties: &WriterPropertiesPtr,
) -> Result<SerializedFileWriter<Vec<u8>>> {
    let root = columns.root_schema_ptr();
    SerializedFileWriter::new(Vec::new(), root, Arc::clone(properties)).map_err(cannot_encode)
}

fn properties(schema: &SchemaRef, profile: &Profile) -> WriterProperties {
    let statistics = match profile.page_index {
        true => EnabledStatistics::Page,
        false => EnabledStatistics::Chunk,
    };
    let mut properties = WriterProperties::builder()
        .set_compression(match profile.compression {
            Compression::Zstd => Codec::ZSTD(ZstdLevel::default()),
            Compression::Snappy => Codec::SNAPPY,
        })
        .set_statistics_enabled(statistics)
        .set_created_by(format!("genstore version {}", env!("CARGO_PKG_VERSION")));
    for field in schema.fields() {
        let path = ColumnPath::from(field.name().as_str());
        let kind = field.data_type();
        let name = field.name();
        if LONG_COLUMNS.contains(&name.as_str()) {
            properties = properties
                .set_column_dictionary_enabled(path.clone(), false)
                .set_column_statistics_enabled(path, EnabledStatistics::None);
        } else if kind.is_temporal() && name != super::lower::DAY || name.ends_with("_ns") {
            // nearly each value is another number: a dictionary would be as long
            properties = properties.set_column_dictionary_enabled(path.clone(), false);
            if profile.packed {
                let packed = Encoding::DELTA_BINARY_PACKED;
                properties = properties.set_column_encoding(path, packed);
            }
        } else if name.ends_with("_ms") {
            properties = properties.set_column_dictionary_enabled(path, false);
        }
    }
    properties.build()
}

fn cannot_encode(source: impl std::error::Error + Send + Sync + 'static) -> Error {
    Error::internal("cannot encode exported rows").with_source(source)
}

impl fmt::Debug for Encoder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Encoder").field("schema", &self.schema).finish_non_exhaustive()
    }
}
