//! How updates come together, and which cannot.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test fails by panicking")]

use proptest::prelude::*;
use serde_json::json;

use super::super::ranges::Ranges;
use super::*;

fn update(step: &str, value: Json) -> Update {
    Update { variable: 0, name: "x".to_owned(), value, step: step.to_owned(), items: Vec::new() }
}

fn one_range(range: Range<usize>) -> Vec<Range<usize>> {
    Some(range).into_iter().filter(|it| !it.is_empty()).collect()
}

fn after(merge: Merge, initial: Json, updates: &[Update], ordered: bool) -> Result<Json, String> {
    let variable = Variable { scope: Access::Shared, initial, merge };
    let declared = Declared { name: "x".to_owned(), variable, block: 0 };
    let updates: Vec<&Update> = updates.iter().collect();
    merged(&declared, &updates, &|at| if ordered { Vec::new() } else { one_range(0..at) })
}

#[test]
fn every_rule_merges_as_it_says() {
    let both = [update("a", json!(2)), update("b", json!(5))];
    let cases = [
        (Merge::Sum, json!(1), json!(8)),
        (Merge::Sum, json!(0.5), json!(7.5)),
        (Merge::Sum, json!(null), json!(7)),
        (Merge::Sum, json!(i64::MAX), json!(i64::MAX as f64 + 7.0)),
        (Merge::Min, json!(9), json!(2)),
        (Merge::Max, json!(3), json!(5)),
        (Merge::Append, json!(null), json!([2, 5])),
        (Merge::Append, json!([0]), json!([0, 2, 5])),
    ];
    for (rule, initial, expected) in cases {
        assert_eq!(after(rule, initial.clone(), &both, false), Ok(expected), "{rule:?} {initial}");
    }
    assert_eq!(after(Merge::Replace, json!(1), &both, true), Ok(json!(5)), "the later one");
    assert_eq!(after(Merge::Replace, json!(1), &[], true), Ok(json!(1)), "nobody set it");
    let maps = [update("a", json!({"k": 1})), update("b", json!({"l": 2}))];
    assert_eq!(after(Merge::Union, json!({"z": 0}), &maps, false), Ok(json!({"z":0,"k":1,"l":2})));
}

#[test]
fn a_conflict_names_both_writers() {
    let mut both = [update("a", json!(2)), update("each/b", json!(5))];
    both[1].items = vec![3];
    let error = after(Merge::Replace, json!(1), &both, false).unwrap_err();
    assert!(error.contains("`a` and `each/b[3]` set `x` to different values"), "{error}");
    both[1].value = json!(2);
    assert_eq!(after(Merge::Replace, json!(1), &both, false), Ok(json!(2)), "they agree");
    let maps = [update("a", json!({"k": 1})), update("b", json!({"k": 2}))];
    let error = after(Merge::Union, json!(null), &maps, false).unwrap_err();
    assert!(error.contains("`a` and `b` set `x.k`"), "{error}");
    assert_eq!(after(Merge::Union, json!(null), &maps, true), Ok(json!({"k": 2})));
    let error = after(Merge::Sum, json!(0), &[update("a", json!("no"))], true).unwrap_err();
    assert!(error.contains("`a` sets `x` to \"no\""), "{error}");
}

/// The place of the first update that cannot stand beside one at the second place: every pair is
/// looked at.
fn pair_in_conflict(
    merge: Merge,
    updates: &[Update],
    is_beside: &dyn Fn(usize, usize) -> bool,
) -> Option<(usize, usize)> {
    let mut now = Map::new();
    for (at, update) in updates.iter().enumerate() {
        let beside = || (0..at).filter(|it| is_beside(at, *it));
        let found = match merge {
            Merge::Replace => beside().find(|it| updates[*it].value != update.value),
            _ => update.value.as_object().unwrap().iter().find_map(|(key, value)| {
                let mut others = beside().filter(|it| updates[*it].value.get(key).is_some());
                others.next().filter(|_| now.get(key) != Some(value))
            }),
        };
        if let Some(found) = found {
            return Some((found, at));
        }
        now.extend(update.value.as_object().cloned().unwrap_or_default());
    }
    None
}

proptest! {
    #[test]
    fn a_conflict_is_found_where_a_look_at_every_pair_finds_it(
        replace in any::<bool>(),
        values in prop::collection::vec((0..3, prop::option::of(0..2)), 1..12),
        beside in prop::collection::vec(prop::collection::vec(prop::bool::weighted(0.4), 12), 12),
    ) {
        let merge = if replace { Merge::Replace } else { Merge::Union };
        let updates: Vec<Update> = values.iter().enumerate().map(|(at, (one, other))| {
            let both = match other {
                Some(other) => json!({"k": one, "l": other}),
                None => json!({"k": one}),
            };
            update(&format!("s{at}"), if replace { json!(one) } else { both })
        }).collect();
        let is_beside = |at: usize, other: usize| beside[at][other];
        let refs: Vec<&Update> = updates.iter().collect();
        let variable = Variable { scope: Access::Shared, initial: json!(null), merge };
        let declared = Declared { name: "x".to_owned(), variable, block: 0 };
        let found = merged(&declared, &refs, &|at| {
            let beside = (0..at).filter(|it| is_beside(at, *it)).map(|it| it..it + 1);
            Ranges::of(beside.collect()).iter().collect()
        });
        match (pair_in_conflict(merge, &updates, &is_beside), found) {
            (None, Ok(value)) if replace => prop_assert_eq!(&value, &updates.last().unwrap().value),
            (None, Ok(value)) => {
                let all = updates.iter().flat_map(|it| it.value.as_object().unwrap().clone());
                prop_assert_eq!(value, Json::Object(all.collect()));
            }
            (Some((one, other)), Err(message)) => {
                let both = format!("`s{one}` and `s{other}` set");
                prop_assert!(message.contains(&both), "{} {}", message, both);
            }
            (expected, found) => prop_assert!(false, "{:?} {:?}", expected, found),
        }
    }
}
