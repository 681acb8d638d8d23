//! Safe rewrites: each once, with layout kept, and never against the meaning.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

use super::{Fixed, diff, fix};
use crate::contract::{NoIncludes, lint, parse};

fn fixed(text: &str) -> Fixed {
    fix(text, &parse(text, "c.yaml", &NoIncludes), "c.yaml", &NoIncludes)
}

#[test]
fn every_rewrite_keeps_comments_layout_and_meaning() {
    let text = "# about\nnode_name:   node_a_compute  # the name\nnode_type: 'compute' # kind\n\
                version: \"1.2\" # old\nnode_version: 1.0.0\ncontract_description: Adds up \
                numbers.\n\
                descriptor: {purity: impure}\ninputs: {a: int}\noutputs: {b: int}\n";
    let expected = "# about\nname: node_a_compute\nnode_name:   node_a_compute  # the name\n\
                    node_type: COMPUTE_GENERIC # kind\n\
                    contract_version: {major: 1, minor: 2, patch: 0} # old\n\
                    node_version: {major: 1, minor: 0, patch: 0}\ndescription: Adds up numbers.\n\
                    descriptor: {purity: side_effecting}\ninputs: {a: int}\noutputs: {b: int}\n";
    let first = fixed(text);
    assert_eq!(first.text, expected);
    assert_eq!(first.fixes.len(), 7);
    let again = fixed(&first.text);
    assert_eq!((again.text.as_str(), again.fixes.len()), (expected, 0));
    let parsed = parse(expected, "c.yaml", &NoIncludes);
    let left = lint(parsed.contract.as_ref().unwrap(), "c.yaml");
    for done in &first.fixes {
        let same = |id: &str| id == done.rule_id;
        assert!(!parsed.findings.iter().chain(&left).any(|it| same(it.rule_id)), "{done:?}");
    }
    let shown = diff(text, &first, "c.yaml");
    assert!(shown.contains("@@ -1,0 +2 @@\n+name: node_a_compute\n@@ -3 +4 @@\n"), "{shown}");
    assert!(shown.contains("-version: \"1.2\" # old\n+contract_version: {major"), "{shown}");
}

#[test]
fn what_has_more_than_one_meaning_is_left_alone() {
    for text in [
        "name: n\nnode_type: service\ninputs: {a: int}\n",
        "name: n\nnode_type: COMPUTE\ncontract_driven: true\n",
        "name: n\nnode_type: COMPUTE_GENERIC\ncontract_version: 1.0.0-rc.1\n",
        "name: n\nnode_type: COMPUTE_GENERIC\nversion: 2.0.0\ncontract_version: {major: 1, minor: \
         0, \
         patch: 0}\n",
        "name: n\nnode_type: COMPUTE_GENERIC\ninputs: {a: {type: string, default: &v 1.0.0}}\n\
         contract_version: *v\n",
        "name: n\nnode_type: &k compute\ninputs: {a: {type: string, default: *k}}\n",
        "no contract",
    ] {
        let found = fixed(text);
        assert_eq!((found.text.as_str(), found.fixes), (text, vec![]), "{text}");
    }
}

#[test]
fn one_rewrite_that_is_refused_does_not_stop_the_others() {
    let text = "node_name: n\nnode_type: &k compute\ninputs: {a: {type: string, default: *k}}\n";
    assert!(fixed(text).text.starts_with("name: n\nnode_name: n\nnode_type: &k compute\n"));
}
