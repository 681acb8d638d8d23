//! Frames survive the way to bytes and back; nothing else passes for a frame.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

use proptest::prelude::*;

use super::*;

const SALT: Salt = *b"saltsalt";

fn frame(parts: &[&[u8]]) -> Vec<u8> {
    let mut bytes = Vec::new();
    encode(&mut bytes, SALT, FrameKind::Events, parts.iter().copied());
    bytes
}

proptest! {
    #[test]
    fn what_is_encoded_is_decoded(a: Vec<u8>, b: Vec<u8>, rest: Vec<u8>) {
        let mut bytes = frame(&[&a, &b]);
        let size_bytes = bytes.len();
        bytes.extend(rest);
        let found = decode(&bytes, Some(SALT)).unwrap();
        prop_assert_eq!(found.payload, [a, b].concat());
        prop_assert_eq!(found.size_bytes(), size_bytes);
        prop_assert_eq!(found.version, FRAME_VERSION);
    }

    #[test]
    fn a_changed_bit_or_a_missing_byte_is_noticed(
        payload: Vec<u8>,
        at: prop::sample::Index,
        bit in 0..8,
    ) {
        let mut bytes = frame(&[&payload]);
        let at = at.index(bytes.len());
        prop_assert!(decode(&bytes[..at], None).is_none());
        bytes[at] ^= 1_u8 << bit;
        prop_assert!(decode(&bytes, None).is_none());
    }
}

#[test]
fn a_later_frame_is_found_and_a_payload_that_looks_like_one_is_not() {
    let mut other = Vec::new();
    encode(&mut other, *b"othersal", FrameKind::Events, [&b"journal in a journal"[..]]);
    let mut bytes = frame(&[&other]);
    assert_eq!(find(&bytes[1..], SALT), None);
    let start = bytes.len();
    bytes.extend(frame(&[b"next"]));
    assert_eq!(find(&bytes[1..], SALT), Some(start - 1));
}
