//! Rows as JSON: one array, or one object per line. NULLs stay `null`, times are RFC 3339 in UTC,
//! 64-bit integers are numbers, bytes are base64.

use std::io::{self, Write};

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use serde::ser::{Serialize, SerializeMap, Serializer};

use super::value::Value;
use super::writer::Encoder;

/// One array, one row per line.
#[derive(Debug)]
pub(super) struct JsonEncoder {
    names: Vec<String>,
    empty: bool,
}

/// One object per line.
#[derive(Debug)]
pub(super) struct NdjsonEncoder {
    names: Vec<String>,
}

impl JsonEncoder {
    pub(super) fn new(schema: &SchemaRef) -> Self {
        Self { names: names(schema), empty: true }
    }
}

impl Encoder for JsonEncoder {
    fn begin(&mut self, out: &mut dyn Write) -> io::Result<()> {
        out.write_all(b"[")
    }

    fn batch(&mut self, out: &mut dyn Write, batch: &RecordBatch) -> io::Result<()> {
        for row in 0..batch.num_rows() {
            out.write_all(if self.empty { b"\n" } else { b",\n" })?;
            self.empty = false;
            serde_json::to_writer(&mut *out, &Object { names: &self.names, batch, row })?;
        }
        Ok(())
    }

    fn end(&mut self, out: &mut dyn Write) -> io::Result<()> {
        out.write_all(if self.empty { b"]\n" } else { b"\n]\n" })
    }
}

impl NdjsonEncoder {
    pub(super) fn new(schema: &SchemaRef) -> Self {
        Self { names: names(schema) }
    }
}

impl Encoder for NdjsonEncoder {
    fn begin(&mut self, _out: &mut dyn Write) -> io::Result<()> {
        Ok(())
    }

    fn batch(&mut self, out: &mut dyn Write, batch: &RecordBatch) -> io::Result<()> {
        for row in 0..batch.num_rows() {
            serde_json::to_writer(&mut *out, &Object { names: &self.names, batch, row })?;
            out.write_all(b"\n")?;
        }
        Ok(())
    }

    fn end(&mut self, _out: &mut dyn Write) -> io::Result<()> {
        Ok(())
    }
}

/// A row as an object.
struct Object<'a> {
    names: &'a [String],
    batch: &'a RecordBatch,
    row: usize,
}

impl Serialize for Object<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.names.len()))?;
        for (name, column) in self.names.iter().zip(self.batch.columns()) {
            map.serialize_entry(name, &Value::of(column.as_ref(), self.row))?;
        }
        map.end()
    }
}

/// Column names, made unique: an object that has a key twice loses a value in most readers.
fn names(schema: &SchemaRef) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    for field in schema.fields() {
        let mut name = field.name().clone();
        let mut n = 1;
        while names.contains(&name) {
            n += 1;
            name = format!("{}_{n}", field.name());
        }
        names.push(name);
    }
    names
}
