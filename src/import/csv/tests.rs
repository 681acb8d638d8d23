//! Cases of `csv`.
