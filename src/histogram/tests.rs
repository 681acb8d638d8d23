//! Counts beside HdrHistogram itself.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test fails by panicking")]

use hdrhistogram::serialization::{Serializer, V2DeflateSerializer, V2Serializer};
use proptest::prelude::*;

use super::*;

fn theirs(values: &[u64]) -> Histogram<u64> {
    let mut histogram = Histogram::<u64>::new(3).unwrap();
    values.iter().for_each(|it| histogram.record(*it).unwrap());
    histogram
}

fn ours(values: &[u64]) -> Counts {
    let mut counts = Counts::default();
    values.iter().for_each(|it| counts.record(*it));
    counts
}

fn bytes(histogram: &Histogram<u64>) -> Vec<u8> {
    let mut bytes = Vec::new();
    V2Serializer::new().serialize(histogram, &mut bytes).unwrap();
    bytes
}

/// The quantile, from all counts in order.
fn neighbours_in_order(counts: &mut Counts, rank: Rank) -> Option<f64> {
    counts.settle();
    counts.quantile(rank)
}

fn values() -> impl Strategy<Value = Vec<u64>> {
    let value = (0..63_u32, any::<u64>()).prop_map(|(bits, it)| it >> (bits + 1));
    prop_oneof![
        prop::collection::vec(value, 1..200),
        prop::collection::vec(0..9_000_000_u64, 1..9_000),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn bytes_and_ranks_are_hdr_histograms(some in values(), more in values()) {
        let mut expected = theirs(&some);
        expected.add(theirs(&more)).unwrap();
        let mut counts = ours(&some);
        counts.merge_bytes(&bytes(&theirs(&more))).unwrap();
        prop_assert_eq!(counts.len(), expected.len());
        for (count, step) in expected.iter_recorded().enumerate().step_by(7) {
            let place = place_of(step.value_iterated_to());
            let value = expected.median_equivalent(step.value_iterated_to());
            prop_assert_eq!(middle_of(place), value as f64, "{}", count);
        }
        let read: Histogram<u64> =
            Deserializer::new().deserialize(&mut counts.bytes().as_slice()).unwrap();
        prop_assert_eq!(&read, &expected);
        let mut again = Counts::default();
        again.merge_bytes(&counts.bytes()).unwrap();
        prop_assert_eq!(again.bytes(), counts.bytes());
        for shape in [Counts::packed, Counts::planes] {
            let mut merged = ours(&more);
            merged.merge_bytes(&shape(&mut ours(&some))).unwrap();
            merged.merge_bytes(&shape(&mut Counts::default())).unwrap();
            prop_assert_eq!(merged.bytes(), counts.bytes());
            prop_assert_eq!(Counts::of(&shape(&mut merged)).unwrap().bytes(), counts.bytes());
        }
        let mut many = Counts::default();
        for value in some.iter().chain(&more) {
            many.record_many(*value);
        }
        prop_assert_eq!(many.bytes(), counts.bytes());
        for index in [0, counts.len() / 2, counts.len() - 1] {
            prop_assert_eq!(many.neighbours(index), counts.neighbours(index));
        }
        for q in [0.01, 0.5, 0.99] {
            let value = expected.value_at_quantile(q);
            prop_assert_eq!(counts.place_at(q), place_of(value));
            let rank = Rank::of(q).unwrap();
            let mut pieces = ours(&more);
            pieces.merge(&ours(&some));
            let answer = Ok(neighbours_in_order(&mut counts.clone(), rank));
            prop_assert_eq!(Ok(pieces.quantile(rank)), answer);
            for bytes in [counts.bytes(), pieces.packed(), counts.planes()] {
                prop_assert_eq!(quantile_of(&bytes, rank), answer);
            }
            let above = expected.len() - expected.count_between(0, value);
            prop_assert_eq!(counts.above(place_of(value)), above);
        }
        counts.subtract(&ours(&more)).unwrap();
        prop_assert_eq!(counts.bytes(), ours(&some).bytes());
    }

    #[test]
    fn no_bytes_do_more_than_fail(
        mut any in prop::collection::vec(any::<u8>(), 0..60),
        at in 0..90_usize,
    ) {
        let _ = Counts::default().merge_bytes(&any);
        for mark in [b"gsh\x01", b"gsh\x02"] {
            let _ = Counts::default().merge_bytes(&[mark, any.as_slice()].concat());
            let length = [any.len() as u8 / 2, 0, 0, 0];
            let _ = Counts::default().merge_bytes(&[mark, length.as_slice(), &any].concat());
        }
        let mut near = bytes(&theirs(&[1, 7, 4_000, 1 << 40]));
        let at = at % near.len();
        near[at] = any.pop().unwrap_or(0xff);
        let _ = Counts::default().merge_bytes(&near);
    }
}

#[test]
fn other_shapes_are_read_too() {
    let values = [3, 70, 4_000, 1 << 40];
    let mut compressed = Vec::new();
    V2DeflateSerializer::new().serialize(&theirs(&values), &mut compressed).unwrap();
    let mut counts = Counts::default();
    counts.merge_bytes(&compressed).unwrap();
    assert_eq!(counts.bytes(), ours(&values).bytes());
    let mut coarse = Histogram::<u64>::new(1).unwrap();
    coarse.record(5).unwrap();
    counts.merge_bytes(&bytes(&coarse)).unwrap();
    assert_eq!(counts.len(), 5);
}

#[test]
fn the_largest_value_has_a_place() {
    assert_eq!(place_of(u64::MAX), PLACES_MAX - 1);
    assert_eq!(bounds_of(place_of(u64::MAX)).1, u64::MAX);
}

#[test]
fn a_count_that_is_too_large_to_be_packed_is_kept() {
    let mut counts = ours(&[1, 1 << 62]);
    (0..20).for_each(|_| counts.merge(&counts.clone()));
    counts.sort();
    assert!(packed::bytes(&counts).is_none());
    for bytes in [counts.packed(), counts.planes(), counts.bytes()] {
        assert_eq!(Counts::of(&bytes).unwrap().len(), 2 << 20);
    }
}
