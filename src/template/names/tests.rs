//! Names from hostile and ordinary texts.

use std::collections::BTreeSet;

use super::*;

#[test]
fn ordinary_names_keep_their_form() {
    let names = Names::new("node_price_compute", NodeType::Compute);
    assert_eq!(names.package, "node_price_compute");
    assert_eq!(names.node_class, "NodePriceCompute");
    assert_eq!(names.handler_class, "HandlerPrice");
    assert_eq!(Names::new("PriceOrder", NodeType::Effect).package, "node_price_order_effect");
    assert_eq!(Names::new("HTTPFetch v2", NodeType::Effect).package, "node_http_fetch_v2_effect");
    assert_eq!(Names::new("compute", NodeType::Compute).package, "node_compute_compute");
    let long = "node_default_nondeterministic_compute_step_orchestrator";
    assert_eq!(Names::new(long, NodeType::Orchestrator).package, long);
    assert_eq!(Names::new("node_", NodeType::Reducer).package, "node_node_reducer");
}

#[test]
fn a_hostile_name_stays_one_safe_identifier() {
    let long = "a".repeat(300);
    let texts =
        ["../../etc/passwd", "a\0b", "", "größe", "日本", "..", "/", "class", &long, "%s{{x}}"];
    let mut packages = BTreeSet::new();
    for text in texts {
        let names = Names::new(text, NodeType::Compute);
        let safe = |name: &str| name.chars().all(|it| it.is_ascii_alphanumeric() || it == '_');
        assert!(safe(&names.package), "{}", names.package);
        assert!(names.package.len() <= 64, "{}", names.package);
        assert!(names.node_class.starts_with("Node") && safe(&names.node_class));
        packages.insert(names.package);
    }
    // "", "..", "/" and "日本" differ by their digests
    assert_eq!(packages.len(), texts.len());
}

#[test]
fn class_names_avoid_what_upstream_refuses() {
    assert_eq!(class_words("job_service"), "JobSvc");
    assert_eq!(class_words("utilization"), "Utlization");
    assert_eq!(allowed("job_service"), "job_svc");
    let names = Names::new("job_manager", NodeType::Compute);
    assert_eq!(names.package, "node_job_manager_compute");
    assert_eq!((&*names.what, &*names.class_stem), ("job_mgr", "JobMgr"));
    for (refused, _) in REFUSED {
        assert!(!class_words(refused).to_lowercase().contains(refused));
    }
}

#[test]
fn fields_never_shadow_and_never_collide() {
    let mut taken = BTreeSet::new();
    let names = [
        ("net", "net"),
        ("class", "class_"),
        ("schema", "schema_"),
        ("model_config", "field_model_config"),
        ("model_name", "model_name"),
        ("_private", "private"),
        ("1st", "field_1st"),
        ("a-b", "a_b"),
        ("a b", "a_b_2"),
        ("camelCase", "camelCase"),
        ("list", "list_"),
    ];
    for (name, ident) in names {
        assert_eq!(field(name, &mut taken), ident);
    }
    assert!(field("größe", &mut taken).is_ascii());
    assert!(field("", &mut taken).starts_with('x'));
}

#[test]
fn namesakes_are_not_counted_one_by_one() {
    let asked = std::cell::Cell::new(0);
    let taken = |it: &str| {
        asked.set(asked.get() + 1);
        let number = it.strip_prefix("a_").and_then(|it| it.parse::<u32>().ok());
        it == "a" || number.is_some_and(|it| it <= 10_000)
    };
    assert_eq!(free("a", taken), "a_10001");
    assert!(asked.get() < 40, "{asked:?}");
}

#[test]
fn members_are_capitals() {
    let mut taken = BTreeSet::new();
    assert_eq!(member("in-progress", &mut taken), "IN_PROGRESS");
    assert_eq!(member("in_progress", &mut taken), "IN_PROGRESS_2");
    assert_eq!(member("4xx", &mut taken), "VALUE_4XX");
}

proptest::proptest! {
    #[test]
    fn any_text_comes_to_identifiers(text: String) {
        let names = Names::new(&text, NodeType::Reducer);
        let ident = field(&text, &mut BTreeSet::new());
        let member = member(&text, &mut BTreeSet::new());
        for name in [names.package, names.node_class, names.what, ident, member] {
            proptest::prop_assert!(name.len() <= 80, "{name}");
            proptest::prop_assert!(
                name.chars().all(|it| it.is_ascii_alphanumeric() || it == '_'), "{name}"
            );
        }
    }
}
