//! The work itself: reading a contract, judging it, generating a package, judging that, writing it.

pub mod source;
mod write;

pub use write::{MANIFEST, OutputFolder, WriteOptions, Written};
