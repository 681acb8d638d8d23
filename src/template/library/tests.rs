//! The library: which template has a role, what a user may replace, and what the cache counts.
#![allow(clippy::unwrap_used, reason = "a test may fail loudly")]

use serde::Serialize;

use super::{Library, Origin, View};
use crate::contract::NodeType;
use crate::template::Variant;

#[derive(Serialize)]
struct Noun {
    content: &'static str,
    noun: &'static str,
}

const NOUN: Noun = Noun { content: "Models", noun: "price" };

fn with(name: &str, text: &str) -> crate::error::Result<Library> {
    Library::with([(name.to_owned(), format!("mine/{name}.j2"), text.to_owned())])
}

#[test]
fn every_kind_and_variant_has_every_role() {
    let library = Library::builtin().unwrap();
    for node_type in NodeType::ALL {
        for variant in Variant::of_kind(node_type) {
            let set = library.set(node_type, *variant);
            assert_eq!(set.templates().count(), super::role::ROLES.len(), "{}", set.name);
        }
    }
}

#[test]
fn every_built_in_template_has_a_place() {
    for (name, _) in super::builtin::TEMPLATES {
        assert!(super::role::is_name(name), "{name}");
    }
    assert!(super::builtin::TEMPLATES.is_sorted());
}

#[test]
fn a_variant_has_its_own_template_where_there_is_one() {
    let library = Library::builtin().unwrap();
    let set = library.set(NodeType::Effect, Variant::IoOperations);
    let name = |role: &str| set.templates().find(|(it, _)| *it == role).unwrap().1.to_owned();
    assert_eq!(name("handler.py"), "effect/io_operations/handler.py");
    assert_eq!(name("node.py"), "effect/node.py");
    assert_eq!(name("model.py"), "shared/model.py");
}

#[test]
fn a_users_template_stands_in_the_place_of_the_built_in_one() {
    let library = with("shared/folder.py", "\"\"\"Mine: {{ noun }}.\"\"\"\n").unwrap();
    let builtin = Library::builtin().unwrap();
    let set = library.set(NodeType::Compute, Variant::Plain);
    assert_eq!(set.render("folder.py", &View::new(NOUN)).unwrap(), "\"\"\"Mine: price.\"\"\"\n");
    assert_ne!(set.digest, builtin.set(NodeType::Compute, Variant::Plain).digest);
    let origin = &library.template("shared/folder.py").unwrap().origin;
    assert_eq!(origin, &Origin::File("mine/shared/folder.py.j2".into()));
}

#[test]
fn what_templates_include_changes_the_digest() {
    let library = with("parts/cases.py", "").unwrap();
    let set = library.set(NodeType::Effect, Variant::IoOperations);
    let builtin = Library::builtin().unwrap().set(NodeType::Effect, Variant::IoOperations);
    assert_ne!(set.digest, builtin.digest);
}

#[test]
fn a_name_that_is_never_rendered_is_refused_with_the_nearest() {
    let error = with("effect/handlr.py", "").unwrap_err();
    assert!(error.message().contains("effect/handlr.py"), "{error}");
    assert_eq!(error.hint(), Some("Did you mean `effect/handler.py`?"));
}

#[test]
fn a_text_that_does_not_compile_names_its_file_and_line() {
    let error = with("shared/folder.py", "ok\n{% if noun %}\n").unwrap_err();
    assert!(error.message().starts_with("mine/shared/folder.py.j2:"), "{error}");
}

#[test]
fn a_variable_that_is_not_there_is_an_error_with_its_line() {
    let library = with("shared/folder.py", "a\nb {{ nown }}\n").unwrap();
    let set = library.set(NodeType::Compute, Variant::Plain);
    let error = set.render("folder.py", &View::new(NOUN)).unwrap_err();
    assert!(error.message().contains("shared/folder.py:2"), "{error}");
}

#[test]
fn a_template_without_end_runs_out_of_fuel() {
    let endless =
        "{% for a in range(100000) %}{% for b in range(100000) %}{% endfor %}{% endfor %}";
    let library = with("shared/folder.py", endless).unwrap();
    let set = library.set(NodeType::Compute, Variant::Plain);
    assert!(set.render("folder.py", &View::new(NOUN)).is_err());
}

#[test]
fn the_cache_counts_as_the_original_did() {
    let library = Library::builtin().unwrap();
    for _ in 0..3 {
        library.set(NodeType::Compute, Variant::Plain);
    }
    library.set(NodeType::Effect, Variant::Plain);
    let found = library.statistics();
    assert_eq!((found.size, found.hits, found.misses), (2, 2, 2));
    assert!((found.utilisation - 2.0 / 32.0).abs() < 1e-9);
}
