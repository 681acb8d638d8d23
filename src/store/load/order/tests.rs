//! Cases of `order`.
