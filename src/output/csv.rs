//! Rows as CSV by RFC 4180, with a header line and `\n` between lines. NULL is an empty field, an
//! empty text is `""`; bytes are base64.

use std::io::{self, Write};

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;

use super::value::Value;
use super::writer::{Encoder, WRITE_BYTES, pass_full};

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
        let mut text = Vec::with_capacity(WRITE_BYTES);
        for row in 0..batch.num_rows() {
            for (index, column) in batch.columns().iter().enumerate() {
                if index > 0 {
                    text.push(b',');
                }
                match Value::of(column.as_ref(), row) {
                    Value::Null => {}
                    Value::Text(value) => text.extend_from_slice(quoted(&value).as_bytes()),
                    Value::Int(number) => write!(text, "{number}")?,
                    value => text.extend_from_slice(quoted(&value.exact_text()).as_bytes()),
                }
            }
            text.push(b'\n');
            pass_full(&mut text, out)?;
        }
        out.write_all(&text)
    }

    fn end(&mut self, _out: &mut dyn Write) -> io::Result<()> {
        Ok(())
    }
}

fn quoted(text: &str) -> std::borrow::Cow<'_, str> {
    // looks at all bytes, which takes less time than to end at the first
    let is_special = |byte: u8| matches!(byte, b'"' | b',' | b'\n' | b'\r');
    if text.is_empty() || text.bytes().fold(false, |any, it| any | is_special(it)) {
        format!("\"{}\"", text.replace('"', "\"\"")).into()
    } else {
        text.into()
    }
}
