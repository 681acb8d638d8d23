//! Which updates a step's own does not follow, against a look at each pair.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test fails by panicking")]

use proptest::prelude::*;
use serde_json::json;

use super::super::composition::{Access, Variable};
use super::*;

proptest! {
    #[test]
    fn an_update_follows_those_of_the_steps_before_its_own_and_all_from_around(
        before in prop::collection::vec(prop::collection::vec(any::<bool>(), 12), 12),
        around in 0_usize..3,
        counts in prop::collection::vec(0_usize..3, 12),
    ) {
        let is_before = |later: usize, earlier: usize| earlier < later && before[later][earlier];
        let ranges = |later: usize| {
            let earlier = (0..12).filter(|it| is_before(later, *it));
            Ranges::of(earlier.map(|it| it..it + 1).collect())
        };
        let setters = Setters { names: Vec::new(), before: (0..12).map(ranges).collect() };
        let variable = Variable { scope: Access::Shared, initial: json!(0), merge: Merge::Replace };
        let declared = Arc::new(Declared { name: "x".to_owned(), variable, block: 0 });
        let setters = Arc::new(setters);
        let seen = Seen { number: 0, declared, setters, before: Ranges::default() };
        let (variable, items) = (0, Vec::new());
        let (name, step) = (String::new(), String::new());
        let update = Update { variable, name, value: json!(1), step, items };
        let own = counts.iter().enumerate().flat_map(|(at, count)| vec![Some(at); *count]);
        let all: Vec<Placed<'_>> = std::iter::repeat_n(None, around)
            .chain(own)
            .map(|at| (at, &update))
            .collect();
        for at in 0..all.len() {
            let found: Vec<usize> = seen.beside(&all, at).into_iter().flatten().collect();
            let expected = (0..at).filter(|it| match (all[at].0, all[*it].0) {
                (_, None) => false,
                (Some(later), Some(earlier)) => !is_before(later, earlier),
                (None, Some(_)) => unreachable!("those from around come first"),
            });
            prop_assert_eq!(found, expected.collect::<Vec<_>>());
        }
    }
}
