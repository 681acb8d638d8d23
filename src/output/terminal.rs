//! How wide the terminal is. Reads nothing else of it.

/// Columns of the terminal that stdout goes to; `None` when it goes elsewhere.
pub fn terminal_width() -> Option<usize> {
    comfy_table::Table::new().width().map(usize::from)
}
