//! Cases of `ndjson`.
