//! Builds with other columns: which tables may be written, and what is added to them.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

use super::*;

fn changed(change: impl FnOnce(&mut Vec<Value>)) -> String {
    let mut schema: Value = serde_json::from_str(&schema_string(Table::Runs)).unwrap();
    change(schema["fields"].as_array_mut().unwrap());
    schema.to_string()
}

fn named(fields: &[Value], name: &str) -> usize {
    fields.iter().position(|it| it["name"] == name).unwrap()
}

#[test]
fn the_own_schema_fits_and_so_does_one_with_more_nullable_columns() {
    assert_eq!(fit(Table::Runs, &schema_string(Table::Runs)).unwrap().len(), 0);
    let more = changed(|it| it.push(json!({"name": "x", "type": "long", "nullable": true})));
    assert_eq!(fit(Table::Runs, &more).unwrap().len(), 0);
    let nested = json!({"name": "x", "type": {"type": "struct", "fields": []}, "nullable": true});
    assert_eq!(fit(Table::Runs, &changed(|it| it.push(nested))).unwrap().len(), 0);
}

#[test]
fn missing_nullable_columns_are_added_at_the_end_and_the_rest_stays() {
    let less = changed(|it| {
        it.retain(|it| it["name"] != "seed" && it["name"] != "batch_id");
        it.push(json!({"name": "x", "type": "long", "nullable": true, "metadata": {"k": 1}}));
    });
    let missing = fit(Table::Runs, &less).unwrap();
    assert_eq!(missing.iter().map(|it| it.name).collect::<Vec<_>>(), ["batch_id", "seed"]);
    let wide = widened(&less, &missing).unwrap();
    assert_eq!(fit(Table::Runs, &wide).unwrap().len(), 0);
    let wide: Value = serde_json::from_str(&wide).unwrap();
    let fields = wide["fields"].as_array().unwrap();
    let last: Vec<_> = fields[fields.len() - 3..].iter().map(|it| &it["name"]).collect();
    assert_eq!(last, ["x", "batch_id", "seed"]);
    assert_eq!(fields[fields.len() - 3]["metadata"]["k"], 1);
}

#[test]
fn what_this_build_must_not_write_is_named() {
    let cases = [
        (changed(|it| it.retain(|it| it["name"] != "run_id")), "run_id is gone"),
        (
            changed(|it| {
                let at = named(it, "seed");
                it[at]["type"] = json!("string");
            }),
            "seed is \"string\", and here long",
        ),
        (
            changed(|it| {
                let at = named(it, "seed");
                it[at]["nullable"] = json!(false);
            }),
            "seed must not be NULL",
        ),
        (
            changed(|it| it.push(json!({"name": "x", "type": "long", "nullable": false}))),
            "x must not be NULL",
        ),
        ("{}".to_owned(), "has no columns"),
    ];
    for (schema, expected) in cases {
        let reason = fit(Table::Runs, &schema).unwrap_err();
        assert!(reason.contains(expected), "{reason}");
    }
}
