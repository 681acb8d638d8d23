//! The table, and one contract per rule that breaks it.
