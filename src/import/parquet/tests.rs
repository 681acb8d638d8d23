//! Cases of `parquet`.
