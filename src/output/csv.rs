//! Rows as CSV by RFC 4180, with a header line and `\n` between lines. NULL is an empty field, an
//! empty text is `""`; bytes are base64.

use std::io::{self, Write};

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;

use super::value::Value;
use super::writer::Encoder;

/// Comma-separated values.
#[derive(Debug)]
pub(super) struct CsvEncoder {
    header: String,
}

impl CsvEncoder {
    pub(super) fn new(schema: &SchemaRef) -> Self {
        let names: Vec<_> = schema.fields().iter().map(|it| quoted(it.name())).collect();
        Self { header: names.join(",") + "\n" }
    }
}

impl Encoder for CsvEncoder {
    fn begin(&mut self, out: &mut dyn Write) -> io::Result<()> {
        out.write_all(self.header.as_bytes())
    }

    fn batch(&mut self, out: &mut dyn Write, batch: &RecordBatch) -> io::Result<()> {
        let mut line = String::new();
        for row in 0..batch.num_rows() {
            line.clear();
            for (index, column) in batch.columns().iter().enumerate() {
                if index > 0 {
                    line.push(',');
                }
                let value = Value::of(column.as_ref(), row);
                if !value.is_null() {
                    line.push_str(&quoted(&value.exact_text()));
                }
            }
            line.push('\n');
            out.write_all(line.as_bytes())?;
        }
        Ok(())
    }

    fn end(&mut self, _out: &mut dyn Write) -> io::Result<()> {
        Ok(())
    }
}

fn quoted(text: &str) -> std::borrow::Cow<'_, str> {
    if text.is_empty() || text.contains(['"', ',', '\n', '\r']) {
        format!("\"{}\"", text.replace('"', "\"\"")).into()
    } else {
        text.into()
    }
}
