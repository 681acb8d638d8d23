//! Values of the trees as bytes. What cannot be decoded is damage.

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::error::{Error, Result};

/// Fast, and run ids do not compress better by trying harder.
const LEVEL: i32 = 1;
/// No value is longer than this.
const VALUE_BYTES_MAX: usize = 64 << 20;

/// An entry that is not what was written.
pub(super) fn damaged() -> Error {
    Error::damaged("an entry of the index cannot be decoded")
}

pub(super) fn compress(bytes: &[u8]) -> Result<Vec<u8>> {
    zstd::bulk::compress(bytes, LEVEL)
        .map_err(|source| Error::internal("cannot compress an index entry").with_source(source))
}

pub(super) fn decompress(bytes: &[u8]) -> Result<Vec<u8>> {
    zstd::bulk::decompress(bytes, VALUE_BYTES_MAX).map_err(|source| damaged().with_source(source))
}

/// MessagePack, as in the journal.
pub(super) fn encode(value: &impl Serialize) -> Result<Vec<u8>> {
    rmp_serde::to_vec(value)
        .map_err(|source| Error::internal("cannot encode an index entry").with_source(source))
}

pub(super) fn decode<T: DeserializeOwned>(bytes: &[u8]) -> Result<T> {
    rmp_serde::from_slice(bytes).map_err(|source| damaged().with_source(source))
}
