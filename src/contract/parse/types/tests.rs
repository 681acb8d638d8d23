//! Spellings of types.
