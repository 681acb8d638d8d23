//! Tests of the token bucket.

use std::time::Duration;

use proptest::prelude::*;

use super::{Bucket, Rate};

fn bucket(count: u32, per_ns: u64, burst: u32) -> Bucket {
    Bucket::new(Rate { count, per: Duration::from_nanos(per_ns), burst })
}

/// Takes tokens as soon as they are there; the times at which that was.
fn eager(mut bucket: Bucket, from_ns: i64, count: usize) -> Vec<i64> {
    let mut now_ns = from_ns;
    let mut take = || {
        now_ns = now_ns.max(bucket.free_ns());
        bucket.take(now_ns);
        now_ns
    };
    (0..count).map(|_| take()).collect()
}

#[test]
fn tokens_come_at_equal_distances() {
    assert_eq!(eager(bucket(4, 1_000, 1), 7, 4), [7, 257, 507, 757]);
    assert_eq!(eager(bucket(1, 10, 0), 0, 3), [0, 10, 20]);
    assert_eq!(eager(bucket(0, 10, 1), 0, 2), [0, 10]);
}

#[test]
fn a_burst_is_paid_back() {
    assert_eq!(eager(bucket(1, 100, 3), 0, 5), [0, 0, 0, 100, 200]);
}

#[test]
fn a_pause_saves_up_no_more_than_a_burst() {
    let mut bucket = bucket(1, 100, 2);
    bucket.take(0);
    bucket.take(0);
    assert_eq!(bucket.free_ns(), 100);
    assert_eq!(eager(bucket, 1_000_000, 3), [1_000_000, 1_000_000, 1_000_100]);
}

#[test]
fn fractions_of_a_nanosecond_are_never_in_favour_of_the_user() {
    assert_eq!(eager(bucket(3, 1_000, 1), 0, 4), [0, 334, 668, 1_002]);
}

#[test]
fn extreme_rates_are_harmless() {
    let mut never = Bucket::new(Rate { count: 1, per: Duration::MAX, burst: u32::MAX });
    never.take(i64::MAX);
    assert_eq!(never.free_ns(), 0, "nothing overflows");
    let mut always = bucket(1, 0, 1);
    always.take(5);
    assert_eq!(always.free_ns(), 5);
}

proptest! {
    #[test]
    fn no_window_has_more_than_its_share(
        count in 1_u32..20,
        burst in 1_u32..6,
        pauses in prop::collection::vec(0_i64..400, 1..80),
    ) {
        let (mut bucket, per_ns) = (bucket(count, 1_000, burst), 1_000_i64);
        let mut now_ns = 0;
        let mut taken = Vec::new();
        for pause in pauses {
            now_ns += pause;
            if bucket.free_ns() <= now_ns {
                bucket.take(now_ns);
                taken.push(now_ns);
            }
        }
        for (at, start) in taken.iter().enumerate() {
            let window = taken.iter().skip(at).filter(|it| **it < start + per_ns).count();
            prop_assert!(window <= usize::try_from(count + burst).unwrap_or(usize::MAX));
        }
    }
}
