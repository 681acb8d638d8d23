//! Limits: what they refuse, which fit a type, and which lie within others.

use super::*;
use serde_json::json;

fn limits(change: impl FnOnce(&mut Limits)) -> Limits {
    let mut limits = Limits::default();
    change(&mut limits);
    limits
}

#[test]
fn each_limit_refuses_what_lies_outside() {
    let number = limits(|it| {
        it.minimum = Some(1.0);
        it.exclusive_maximum = Some(2.0);
        it.multiple_of = Some(0.25);
    });
    let above = limits(|it| it.exclusive_minimum = Some(0.0));
    let most = limits(|it| it.maximum = Some(3.0));
    let text = limits(|it| {
        it.min_length = Some(2);
        it.max_length = Some(3);
        it.pattern = Some("^[a-z]+$".to_owned());
    });
    let list = limits(|it| it.unique_items = true);
    for (limits, value, why) in [
        (&number, json!(1.25), None),
        (&number, json!("1.25"), None),
        (&number, json!(0.75), Some("is below its minimum")),
        (&number, json!(2), Some("is above its maximum")),
        (&number, json!(1.3), Some("is not a multiple of what it must be")),
        (&above, json!(0), Some("is below its minimum")),
        (&most, json!(3), None),
        (&most, json!(3.5), Some("is above its maximum")),
        (&text, json!("ab"), None),
        (&text, json!("a"), Some("is too short")),
        (&text, json!("abcd"), Some("is too long")),
        (&text, json!("AB"), Some("does not match its pattern")),
        (&text, json!(true), None),
        (&list, json!([1, 2]), None),
        (&list, json!([1, 1]), Some("holds something twice")),
    ] {
        assert_eq!(limits.refuses(&value), why, "{value}");
    }
}

#[test]
fn what_means_nothing_for_a_type_is_named() {
    let all = Limits {
        minimum: Some(1.0),
        min_length: Some(1),
        pattern: Some("a".to_owned()),
        unique_items: true,
        max_digits: Some(3),
        ..Limits::default()
    };
    for (of, unfit) in [
        (FieldType::Int, vec!["min_length", "pattern", "max_digits", "unique_items"]),
        (FieldType::Decimal, vec!["min_length", "pattern", "unique_items"]),
        (FieldType::Text, vec!["minimum", "max_digits", "unique_items"]),
        (FieldType::List(Box::new(FieldType::Int)), vec!["minimum", "pattern", "max_digits"]),
        (FieldType::Bool, vec!["minimum", "min_length", "pattern", "max_digits", "unique_items"]),
    ] {
        assert_eq!(all.clone().fitting(&of).1, unfit, "{of:?}");
    }
}

#[test]
fn the_tighter_limits_lie_within_the_wider() {
    let wide = limits(|it| it.minimum = Some(0.0));
    let tight = limits(|it| {
        it.minimum = Some(1.0);
        it.maximum = Some(2.0);
    });
    assert!(tight.within(&wide) && tight.within(&Limits::default()) && tight.within(&tight));
    assert!(!wide.within(&tight) && !Limits::default().within(&wide));
    assert_eq!(wide.clone().and(tight.clone()), tight);
    assert!(limits(|it| (it.minimum, it.exclusive_maximum) = (Some(1.0), Some(1.0))).contradict());
    assert!(!tight.contradict());
}
