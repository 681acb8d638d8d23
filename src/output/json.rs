//! Rows as JSON: one array, or one object per line. NULLs stay `null`, times are RFC 3339 in UTC,
//! 64-bit integers are numbers, bytes are base64.

use std::io::{self, Write};

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;

use super::value::Value;
use super::writer::{Encoder, WRITE_BYTES, pass_full};

/// One array, one row per line.
#[derive(Debug)]
pub(super) struct JsonEncoder {
    keys: Keys,
    empty: bool,
}

/// One object per line.
#[derive(Debug)]
pub(super) struct NdjsonEncoder {
    keys: Keys,
}

impl JsonEncoder {
    pub(super) fn new(schema: &SchemaRef) -> Self {
        Self { keys: Keys::of(schema), empty: true }
    }
}

impl Encoder for JsonEncoder {
    fn begin(&mut self, out: &mut dyn Write) -> io::Result<()> {
        out.write_all(b"[")
    }

    fn batch(&mut self, out: &mut dyn Write, batch: &RecordBatch) -> io::Result<()> {
        let mut text = Vec::with_capacity(WRITE_BYTES);
        for row in 0..batch.num_rows() {
            text.extend_from_slice(if self.empty { b"\n" } else { b",\n" });
            self.empty = false;
            self.keys.object(&mut text, batch, row)?;
            pass_full(&mut text, out)?;
        }
        out.write_all(&text)
    }

    fn end(&mut self, out: &mut dyn Write) -> io::Result<()> {
        out.write_all(if self.empty { b"]\n" } else { b"\n]\n" })
    }
}

impl NdjsonEncoder {
    pub(super) fn new(schema: &SchemaRef) -> Self {
        Self { keys: Keys::of(schema) }
    }
}

impl Encoder for NdjsonEncoder {
    fn begin(&mut self, _out: &mut dyn Write) -> io::Result<()> {
        Ok(())
    }

    fn batch(&mut self, out: &mut dyn Write, batch: &RecordBatch) -> io::Result<()> {
        let mut text = Vec::with_capacity(WRITE_BYTES);
        for row in 0..batch.num_rows() {
            self.keys.object(&mut text, batch, row)?;
            text.push(b'\n');
            pass_full(&mut text, out)?;
        }
        out.write_all(&text)
    }

    fn end(&mut self, _out: &mut dyn Write) -> io::Result<()> {
        Ok(())
    }
}

/// What stands before each value of an object, the colon included.
#[derive(Debug)]
struct Keys(Vec<Vec<u8>>);

impl Keys {
    fn of(schema: &SchemaRef) -> Self {
        let names = names(schema).into_iter().enumerate();
        let key = |(index, name)| {
            let comma = if index == 0 { "" } else { "," };
            format!("{comma}{}:", serde_json::Value::String(name)).into_bytes()
        };
        Self(names.map(key).collect())
    }

    /// Adds a row as an object. Written to memory: an object is a hundred pieces.
    fn object(&self, text: &mut Vec<u8>, batch: &RecordBatch, row: usize) -> io::Result<()> {
        text.push(b'{');
        for (key, column) in self.0.iter().zip(batch.columns()) {
            text.extend_from_slice(key);
            serde_json::to_writer(&mut *text, &Value::of(column.as_ref(), row))?;
        }
        text.push(b'}');
        Ok(())
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
