//! How updates come together, and which cannot.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test fails by panicking")]

use serde_json::json;

use super::*;

fn update(step: &str, value: Json) -> Update {
    Update { variable: 0, name: "x".to_owned(), value, step: step.to_owned(), items: Vec::new() }
}

fn after(merge: Merge, initial: Json, updates: &[Update], ordered: bool) -> Result<Json, String> {
    let variable = Variable { scope: Access::Shared, initial, merge };
    let declared = Declared { name: "x".to_owned(), variable, block: 0 };
    let updates: Vec<&Update> = updates.iter().collect();
    merged(&declared, &updates, &|_, _| ordered)
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
