//! Rows as a GitHub-flavoured Markdown table, for issues and notes. A stored text can neither break
//! the table nor become HTML.

use std::io::{self, Write};

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;

use super::text::escape;
use super::value::{Value, is_number};
use super::writer::Encoder;

/// A Markdown table.
#[derive(Debug)]
pub(super) struct MarkdownEncoder {
    header: String,
}

impl MarkdownEncoder {
    pub(super) fn new(schema: &SchemaRef) -> Self {
        let mut names = String::from("|");
        let mut rule = String::from("|");
        for field in schema.fields() {
            names.push_str(&format!(" {} |", cell(field.name())));
            rule.push_str(if is_number(field.data_type()) { "---:|" } else { "---|" });
        }
        Self { header: format!("{names}\n{rule}\n") }
    }
}

impl Encoder for MarkdownEncoder {
    fn begin(&mut self, out: &mut dyn Write) -> io::Result<()> {
        out.write_all(self.header.as_bytes())
    }

    fn batch(&mut self, out: &mut dyn Write, batch: &RecordBatch) -> io::Result<()> {
        for row in 0..batch.num_rows() {
            let mut line = String::from("|");
            for column in batch.columns() {
                let value = Value::of(column.as_ref(), row);
                line.push_str(&format!(" {} |", cell(&value.short_text())));
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

fn cell(text: &str) -> String {
    escape(text).replace('|', "\\|").replace('<', "&lt;")
}
