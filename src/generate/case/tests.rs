//! Operations and events as methods.
#![allow(clippy::unwrap_used, reason = "a test may fail loudly")]

use super::{cases, event};
use crate::contract::{self, NoIncludes};
use crate::template::Variant;

#[test]
fn an_event_is_the_name_in_its_topic() {
    assert_eq!(event("onex.evt.shop.article-changed.v1"), "article_changed");
    assert_eq!(event("onex.cmd.shop.go"), "go");
    assert_eq!(event("plain"), "plain");
    assert_eq!(event(""), "event");
    assert_eq!(event(".v1"), "event");
}

#[test]
fn methods_are_identifiers_that_are_free() {
    let names = ["handle", "class", "2nd", "write file", "write-file", "class"];
    let operations: String = names.iter().map(|it| format!("  - {{operation: {it}}}\n")).collect();
    let text = format!("name: node_x\nnode_type: EFFECT_GENERIC\nio_operations:\n{operations}");
    let contract = contract::parse(&text, "x.yaml", &NoIncludes).contract.unwrap();
    let found = cases(&contract, Variant::of(&contract));
    let methods: Vec<&str> = found.iter().map(|it| it.method.as_str()).collect();
    assert_eq!(methods, ["handle_2", "class_", "field_2nd", "write_file", "write_file_2"]);
}
