//! A Bloom filter: whether a file may hold a name. Says yes too often, one time in a hundred, and
//! never no where the name is.

use serde::{Deserialize, Serialize};

/// Bits per name: about one false yes in a hundred.
const BITS_PER_NAME: usize = 10;
const PROBES: u64 = 7;
/// More names than this are not worth a filter.
const NAMES_MAX: usize = 100_000;

/// The names of one file, as bits.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Filter {
    bits: Vec<u8>,
}

impl Filter {
    /// A filter of distinct names; `None` for too many.
    pub(super) fn of<'a>(names: impl ExactSizeIterator<Item = &'a str>) -> Option<Self> {
        if names.len() > NAMES_MAX {
            return None;
        }
        let mut filter = Self { bits: vec![0; (names.len() * BITS_PER_NAME).div_ceil(8).max(8)] };
        for name in names {
            let places: Vec<_> = filter.places(name).collect();
            for (byte, mask) in places {
                if let Some(byte) = filter.bits.get_mut(byte) {
                    *byte |= mask;
                }
            }
        }
        Some(filter)
    }

    /// Whether the name may be there.
    pub(super) fn may_hold(&self, name: &str) -> bool {
        self.places(name).all(|(byte, mask)| self.bits.get(byte).is_some_and(|it| it & mask != 0))
    }

    /// Byte and mask of each bit of a name.
    fn places(&self, name: &str) -> impl Iterator<Item = (usize, u8)> + use<> {
        let size = self.bits.len() as u64 * 8;
        let [a, b] = hashes(name);
        (0..PROBES).map(move |probe| {
            let bit = a.wrapping_add(probe.wrapping_mul(b | 1)) % size;
            (usize::try_from(bit / 8).unwrap_or_default(), 1 << (bit % 8))
        })
    }
}

fn hashes(name: &str) -> [u64; 2] {
    let digest = blake3::hash(name.as_bytes());
    let word = |from: usize| {
        let bytes = digest.as_bytes().iter().skip(from).take(8);
        bytes.fold(0, |word, byte| word << 8 | u64::from(*byte))
    };
    [word(0), word(8)]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_there_is_always_found_and_what_is_not_rarely() {
        for count in [0, 1, 7, 1_000] {
            let names: Vec<String> = (0..count).map(|it| format!("contract_{it}")).collect();
            let filter = Filter::of(names.iter().map(String::as_str)).expect("few names");
            assert!(names.iter().all(|it| filter.may_hold(it)));
            let wrong = (0..10_000).filter(|it| filter.may_hold(&format!("other_{it}"))).count();
            assert!(wrong < 200, "{wrong} of 10,000 at {count} names");
        }
    }

    #[test]
    fn too_many_names_have_no_filter() {
        let names: Vec<String> = (0..=NAMES_MAX).map(|it| it.to_string()).collect();
        assert_eq!(Filter::of(names.iter().map(String::as_str)), None);
    }
}
