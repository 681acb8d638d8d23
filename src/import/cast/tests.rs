//! Cases of `cast`.
