//! Rows as a table for people. On a terminal it fits the width, cuts long texts in the middle and
//! ends with the number of rows; in a pipe nothing is cut or added.
//!
//! The widths come from the first rows; later rows are streamed in the same widths, so that memory
//! stays bounded. A cell that is wider than what came before then sticks out, whole.

use std::io::{self, Write};

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;

use super::fit::{Slot, Wish, fit};
use super::text::{cut_middle, escape, pad, width};
use super::value::{Value, can_cut, is_number};
use super::writer::{Encoder, Look};

/// Rows that decide the widths.
const MEASURED_ROWS_MAX: usize = 10_000;
/// Bytes of cells that are kept while measuring.
const MEASURED_BYTES_MAX: usize = 16 << 20;

const BOLD: &str = "\x1b[1m";
const DIM: &str = "\x1b[2m";
const RESET: &str = "\x1b[0m";

/// A boxed table.
#[derive(Debug)]
pub(super) struct TableEncoder {
    schema: SchemaRef,
    look: Look,
    /// Rows whose width still counts; given up once the layout stands.
    measured: Vec<Vec<Cell>>,
    measured_bytes: usize,
    layout: Option<Vec<Slot>>,
    rows: u64,
    /// The plan of EXPLAIN is text of many lines: it is written as such, not into boxes.
    is_plan: bool,
}

#[derive(Debug)]
struct Cell {
    text: String,
    null: bool,
}

impl TableEncoder {
    pub(super) fn new(schema: &SchemaRef, look: Look) -> Self {
        let names: Vec<&str> = schema.fields().iter().map(|it| it.name().as_str()).collect();
        Self {
            schema: SchemaRef::clone(schema),
            look,
            measured: Vec::new(),
            measured_bytes: 0,
            layout: None,
            rows: 0,
            is_plan: names == ["plan_type", "plan"],
        }
    }

    fn cells(&self, batch: &RecordBatch, row: usize) -> Vec<Cell> {
        let columns = batch.columns().iter().zip(self.schema.fields());
        columns
            .map(|(column, field)| {
                let value = Value::of(column.as_ref(), row);
                let text = value.short_text();
                let text = escape(&text);
                let text = match self.look.width {
                    Some(terminal) if can_cut(field.data_type()) => cut_middle(&text, terminal),
                    _ => text,
                };
                Cell { text: text.into_owned(), null: value.is_null() }
            })
            .collect()
    }

    /// What every column wants, by the rows so far.
    fn wishes(&self) -> Vec<Wish> {
        let mut wishes: Vec<Wish> = Vec::new();
        for (index, field) in self.schema.fields().iter().enumerate() {
            let cells = self.measured.iter().filter_map(|row| row.get(index));
            let widest = cells.map(|it| width(&it.text)).max().unwrap_or(0);
            let name = width(&escape(field.name()));
            let can_cut = can_cut(field.data_type());
            wishes.push(Wish { width: widest.max(name), can_cut });
        }
        wishes
    }

    /// A lone row that does not fit stands upright, a line per column, so that nothing is left out.
    /// Returns whether it was one.
    fn upright(&self, out: &mut dyn Write) -> io::Result<bool> {
        let (Some(terminal), [row]) = (self.look.width, self.measured.as_slice()) else {
            return Ok(false);
        };
        if !fit(&self.wishes(), terminal).contains(&Slot::Gap) {
            return Ok(false);
        }
        let fields = self.schema.fields();
        let names: Vec<_> = fields.iter().map(|it| escape(it.name())).collect();
        let head = names.iter().map(|it| width(it)).max().unwrap_or(0).min(terminal / 2);
        let room = terminal.saturating_sub(head + 3).max(1);
        for ((name, cell), field) in names.iter().zip(row).zip(fields) {
            let mut line = String::new();
            pad(&mut line, &cut_middle(name, head), head, false);
            let text = match can_cut(field.data_type()) {
                true => cut_middle(&cell.text, room),
                false => (&*cell.text).into(),
            };
            let (dim, reset) = if cell.null && self.look.color { (DIM, RESET) } else { ("", "") };
            writeln!(out, "{line} │ {dim}{text}{reset}")?;
        }
        self.foot(out, fields.len()).map(|()| true)
    }

    /// Fixes the widths and writes the head and the rows so far.
    fn lay_out(&mut self, out: &mut dyn Write) -> io::Result<()> {
        let wishes = self.wishes();
        let layout = match self.look.width {
            Some(terminal) => fit(&wishes, terminal),
            None => wishes
                .iter()
                .enumerate()
                .map(|(index, it)| Slot::Column { index, width: it.width })
                .collect(),
        };
        self.rule(out, &layout, ["┌", "┬", "┐"])?;
        self.head(out, &layout)?;
        self.rule(out, &layout, ["├", "┼", "┤"])?;
        for row in std::mem::take(&mut self.measured) {
            self.row(out, &layout, &row)?;
        }
        self.layout = Some(layout);
        Ok(())
    }

    fn rule(&self, out: &mut dyn Write, layout: &[Slot], ends: [&str; 3]) -> io::Result<()> {
        let [left, middle, right] = ends;
        let bars: Vec<String> =
            layout.iter().map(|slot| "─".repeat(slot_width(slot) + 2)).collect();
        writeln!(out, "{left}{}{right}", bars.join(middle))
    }

    fn head(&self, out: &mut dyn Write, layout: &[Slot]) -> io::Result<()> {
        let mut line = String::new();
        for slot in layout {
            line.push_str("│ ");
            if self.look.color {
                line.push_str(BOLD);
            }
            match slot {
                Slot::Gap => line.push('…'),
                Slot::Column { index, width } => {
                    let field = self.schema.fields().get(*index);
                    let name = field.map_or("", |it| it.name());
                    let right = field.is_some_and(|it| is_number(it.data_type()));
                    pad(&mut line, &cut_middle(&escape(name), *width), *width, right);
                }
            }
            if self.look.color {
                line.push_str(RESET);
            }
            line.push(' ');
        }
        writeln!(out, "{line}│")
    }

    fn row(&self, out: &mut dyn Write, layout: &[Slot], row: &[Cell]) -> io::Result<()> {
        let mut line = String::new();
        for slot in layout {
            line.push_str("│ ");
            match slot {
                Slot::Gap => line.push('…'),
                Slot::Column { index, width } => {
                    let Some(cell) = row.get(*index) else { continue };
                    let dim = cell.null && self.look.color;
                    if dim {
                        line.push_str(DIM);
                    }
                    let field = self.schema.fields().get(*index);
                    let right = field.is_some_and(|it| is_number(it.data_type()));
                    let cut = self.look.width.is_some()
                        && field.is_some_and(|it| can_cut(it.data_type()));
                    let text =
                        if cut { cut_middle(&cell.text, *width) } else { (&*cell.text).into() };
                    pad(&mut line, &text, *width, right);
                    if dim {
                        line.push_str(RESET);
                    }
                }
            }
            line.push(' ');
        }
        writeln!(out, "{line}│")
    }

    /// Writes the rows of EXPLAIN: a title and the lines of the plan.
    fn plan(&self, out: &mut dyn Write, batch: &RecordBatch) -> io::Result<()> {
        for row in 0..batch.num_rows() {
            for column in batch.columns() {
                let value = Value::of(column.as_ref(), row);
                for line in value.exact_text().lines() {
                    writeln!(out, "{}", escape(line))?;
                }
            }
            writeln!(out)?;
        }
        Ok(())
    }

    /// Says how many rows there are, on a terminal.
    fn foot(&self, out: &mut dyn Write, shown: usize) -> io::Result<()> {
        if self.look.width.is_none() {
            return Ok(());
        }
        let columns = self.schema.fields().len();
        let mut text = format!("{} row{}", self.rows, if self.rows == 1 { "" } else { "s" });
        if shown < columns {
            text.push_str(&format!(
                ", {shown} of {columns} columns shown; the other formats show all"
            ));
        }
        let (dim, reset) = if self.look.color { (DIM, RESET) } else { ("", "") };
        writeln!(out, "{dim}{text}{reset}")
    }
}

fn slot_width(slot: &Slot) -> usize {
    if let Slot::Column { width, .. } = slot { *width } else { 1 }
}

impl Encoder for TableEncoder {
    fn begin(&mut self, _out: &mut dyn Write) -> io::Result<()> {
        Ok(())
    }

    fn batch(&mut self, out: &mut dyn Write, batch: &RecordBatch) -> io::Result<()> {
        if self.is_plan {
            return self.plan(out, batch);
        }
        for row in 0..batch.num_rows() {
            self.rows += 1;
            let cells = self.cells(batch, row);
            if let Some(layout) = &self.layout {
                self.row(out, layout, &cells)?;
                continue;
            }
            self.measured_bytes += cells.iter().map(|it| it.text.len()).sum::<usize>();
            self.measured.push(cells);
            if self.measured.len() >= MEASURED_ROWS_MAX || self.measured_bytes >= MEASURED_BYTES_MAX
            {
                self.lay_out(out)?;
            }
        }
        Ok(())
    }

    fn end(&mut self, out: &mut dyn Write) -> io::Result<()> {
        if self.is_plan {
            return Ok(());
        }
        if self.layout.is_none() {
            if self.upright(out)? {
                return Ok(());
            }
            self.lay_out(out)?;
        }
        let Some(layout) = &self.layout else { return Ok(()) };
        self.rule(out, layout, ["└", "┴", "┘"])?;
        let shown = layout.iter().filter(|it| matches!(it, Slot::Column { .. })).count();
        self.foot(out, shown)
    }
}
