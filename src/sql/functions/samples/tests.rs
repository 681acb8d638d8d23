//! Quantiles against the definition, computed the slow way.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test may fail")]

use arrow::datatypes::{Float64Type, Int64Type};
use proptest::prelude::*;

use super::{EXACT_VALUES_MAX, Sample, Samples, SortedSamples};
use crate::histogram::Rank;

fn samples<T: Sample>(values: impl IntoIterator<Item = T::Native>) -> Samples<T> {
    let mut samples = Samples::default();
    for value in values {
        samples.push(value);
    }
    samples
}

fn rank(q: f64) -> Rank {
    Rank::of(q).unwrap()
}

/// Linear interpolation between the neighbouring ranks of sorted values.
fn slow(mut values: Vec<f64>, q: f64) -> f64 {
    values.sort_by(f64::total_cmp);
    let place = (values.len() - 1) as f64 * q;
    let low = values.get(place.floor() as usize).unwrap();
    let high = values.get(place.ceil() as usize).unwrap();
    low + (high - low) * (place - place.floor())
}

#[test]
fn the_ninetieth_of_ten_is_exact() {
    let values = [1, 2, 3, 4, 5, 10, 20, 50, 100, 1000];
    assert_eq!(samples::<Int64Type>(values).quantile(rank(0.9)), Some(190.0));
    let floats = values.map(|it| it as f64);
    assert_eq!(samples::<Float64Type>(floats).quantile(rank(0.9)), Some(190.0));
}

#[test]
fn few_values() {
    assert_eq!(samples::<Int64Type>([]).quantile(rank(0.5)), None);
    assert_eq!(samples::<Int64Type>([7]).quantile(rank(0.99)), Some(7.0));
    assert_eq!(samples::<Int64Type>([1, 2]).quantile(rank(0.5)), Some(1.5));
    assert_eq!(samples::<Int64Type>([3, 3, 3, 3]).quantile(rank(0.37)), Some(3.0));
    assert_eq!(samples::<Int64Type>([-4, -2]).quantile(rank(0.25)), Some(-3.5));
    assert_eq!(samples::<Int64Type>([5, 1, 9]).quantile(rank(0.0)), Some(1.0));
    assert_eq!(samples::<Int64Type>([5, 1, 9]).quantile(rank(1.0)), Some(9.0));
}

#[test]
fn nan_is_above_all_numbers() {
    let mut values = samples::<Float64Type>([f64::INFINITY, -f64::NAN, 1.0, 2.0, 3.0]);
    assert_eq!(values.quantile(rank(0.5)), Some(3.0));
    assert_eq!(values.quantile(rank(0.75)), Some(f64::INFINITY));
    assert!(values.quantile(rank(1.0)).unwrap().is_nan());
}

#[test]
fn quantiles_are_fractions() {
    assert_eq!(Rank::of(0.999), Some(Rank::new(999, 1000)));
    assert_eq!(Rank::of(0.5), Some(Rank::new(5, 10)));
    assert_eq!(Rank::of(1.5), None);
    assert_eq!(Rank::of(f64::NAN), None);
    // A third is no finite decimal, and as a float a little less than a third.
    let (index, fraction) = Rank::of(1.0 / 3.0).unwrap().place(4).unwrap();
    assert!((index as f64 + fraction - 1.0).abs() < 1e-15);
}

#[test]
fn many_values_are_within_a_thousandth() {
    let count = EXACT_VALUES_MAX as i64 * 3;
    let values: Vec<i64> = (0..count).map(|it| (it * 7_919) % 1_000_003 * 1_009).collect();
    let mut many = samples::<Int64Type>(values.iter().copied());
    for q in [0.0, 0.01, 0.5, 0.9, 0.95, 0.99, 0.999, 1.0] {
        let exact = slow(values.iter().map(|it| *it as f64).collect(), q);
        let found = many.quantile(rank(q)).unwrap();
        assert!((found - exact).abs() <= exact * 0.001, "q {q}: {found} for {exact}");
    }
}

#[test]
fn negative_values_stay_exact_among_many() {
    let values: Vec<i64> = (-10..EXACT_VALUES_MAX as i64 * 2).collect();
    let mut many = samples::<Int64Type>(values.into_iter().rev());
    assert_eq!(many.quantile(rank(0.0)), Some(-10.0));
    let first = Rank::new(95, 10 * (EXACT_VALUES_MAX as u64 * 2 + 9));
    assert_eq!(many.quantile(first), Some(-0.5));
}

proptest! {
    #[test]
    fn parts_merge_to_the_whole(
        parts in prop::collection::vec(
            prop::collection::vec(-1_000_000_i64..1_000_000, 0..60),
            1..5,
        ),
        q in 0.0..=1.0_f64,
    ) {
        let all: Vec<f64> = parts.iter().flatten().map(|it| *it as f64).collect();
        let mut merged = Samples::<Int64Type>::default();
        for part in parts {
            let (values, sketch) = samples::<Int64Type>(part).into_state();
            merged.merge(&values, sketch.as_deref()).unwrap();
        }
        let found = merged.quantile(rank(q));
        if all.is_empty() {
            prop_assert_eq!(found, None);
        } else {
            let exact = slow(all, q);
            prop_assert!((found.unwrap() - exact).abs() <= 1e-6, "{:?} for {}", found, exact);
        }
    }

    #[test]
    fn a_moving_window_forgets_what_left(
        values in prop::collection::vec(-50.0..50.0_f64, 1..80),
        width in 1_usize..10,
        q in 0.0..=1.0_f64,
    ) {
        let mut window = SortedSamples::<Float64Type>::default();
        for (at, value) in values.iter().enumerate() {
            window.insert(*value).unwrap();
            if at >= width {
                window.remove(values[at - width]);
            }
            let frame = values[(at + 1).saturating_sub(width)..=at].to_vec();
            let exact = slow(frame, q);
            prop_assert!((window.quantile(rank(q)).unwrap() - exact).abs() <= 1e-9);
        }
    }
}

#[test]
fn large_parts_merge_to_the_whole() {
    let part = |from: i64| {
        let size = EXACT_VALUES_MAX as i64;
        samples::<Int64Type>((0..size * 2).map(move |it| from + it * 3)).into_state()
    };
    let mut merged = Samples::<Int64Type>::default();
    merged.merge(&[5, -1], None).unwrap();
    for from in [0, 1_000, 2_000_000] {
        let (values, sketch) = part(from);
        assert!(values.is_empty() && sketch.is_some());
        merged.merge(&values, sketch.as_deref()).unwrap();
    }
    assert_eq!(merged.quantile(rank(0.0)), Some(-1.0));
    let top = merged.quantile(rank(1.0)).unwrap();
    let exact = 2_000_000.0 + (EXACT_VALUES_MAX as f64 * 2.0 - 1.0) * 3.0;
    assert!((top - exact).abs() <= exact * 0.001, "{top} for {exact}");
}
