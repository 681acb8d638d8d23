//! Cases of `text`.
