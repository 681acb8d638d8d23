//! Comments of every tool, what they hide and what they leave.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test fails by panicking")]

use crate::validate::{Subject, validators};

/// Rules that are found, with a `-` before those that are suppressed, in the order of the lines.
fn found(text: &str) -> Vec<String> {
    let subject = Subject::file("sample.py", text.to_owned());
    let mut found: Vec<_> = validators()
        .iter()
        .flat_map(|it| it.validate(&subject).findings)
        .map(|it| {
            let sign = if it.is_suppressed() { "-" } else { "" };
            (it.span.map_or(0, |at| at.start_line), format!("{sign}{}", it.rule_id))
        })
        .collect();
    found.sort();
    found.into_iter().map(|(_, rule)| rule).collect()
}

#[test]
fn each_tools_comment_hides_what_that_tool_would_find() {
    const HEAD: &str = "\"\"\"About.\"\"\"\n";
    let cases = [
        ("import os\n", "quality.unused-import"),
        ("import os  # noqa\n", "-quality.unused-import"),
        ("import os  # NOQA: F401\n", "-quality.unused-import"),
        ("import os  # noqa:F401,E501 kept\n", "-quality.unused-import"),
        ("import os  # noqa: E501\n", "quality.unused-import"),
        ("from os import (  # noqa: F401\n    path,\n)\n", "-quality.unused-import"),
        ("import os  # noqa is a word here\n", "-quality.unused-import"),
        ("import os  # nosec\n", "quality.unused-import"),
        ("import os  # type: ignore\n", "quality.unused-import"),
        ("X = eval(\"1\")  # nosec\n", "-security.exec"),
        ("X = eval(\"1\")  # nosec B307\n", "-security.exec"),
        ("X = eval(\"1\")  # nosec: B102, B307\n", "-security.exec"),
        ("X = eval(\"1\")  # nosec B101\n", "security.exec"),
        ("X = eval(\"1\")  # noqa: S307\n", "-security.exec"),
        ("X = eval(\n    \"1\"\n)  # nosec\n", "-security.exec"),
        ("X = wrong  # type: ignore\n", "-correctness.undefined-name"),
        ("X = wrong  # type: ignore[name-defined]  # noqa: E501\n", "-correctness.undefined-name"),
        ("X = wrong  # type: ignore[attr-defined]\n", "correctness.undefined-name"),
        (
            "import os  # genstore: ignore[quality.unused-import] a plug-in\n",
            "-quality.unused-import",
        ),
        ("# genstore: ignore[quality] a plug-in\nimport os\n", "-quality.unused-import"),
        ("# ruff: noqa: F401\n\nimport os\n", "-quality.unused-import"),
    ];
    for (text, expected) in cases {
        assert_eq!(found(&format!("{HEAD}{text}")), [expected], "{text}");
    }
}

#[test]
fn upstreams_purity_comment_hides_purity_alone() {
    let text = "\"\"\"About.\"\"\"\nimport httpx  # node-purity-ok: a shim\n\nX = httpx\n";
    let subject = Subject::file("nodes/node_a/node.py", text.to_owned());
    let compliance = validators().iter().find(|it| it.name() == "compliance").unwrap();
    let findings = compliance.validate(&subject).findings;
    let said: Vec<_> = findings.iter().map(|it| (it.rule_id, it.suppression.as_deref())).collect();
    assert_eq!(said, [("compliance.purity", Some("node-purity-ok: a shim"))]);
}

#[test]
fn an_own_comment_that_hides_nothing_is_told() {
    let cases = [
        ("X = 1  # genstore: ignore[security.exec] no more\n", "suppresses no `security.exec`"),
        ("X = 1  # genstore: ignore[security.exce]\n", "there is no rule `security.exce`"),
        ("X = 1  # genstore: ignore\n", "names no rule"),
    ];
    for (text, message) in cases {
        let subject = Subject::file("sample.py", format!("\"\"\"About.\"\"\"\n{text}"));
        let quality = validators().iter().find(|it| it.name() == "quality").unwrap();
        let findings = quality.validate(&subject).findings;
        assert_eq!(findings.len(), 1, "{text}");
        assert!(findings[0].message.contains(message), "{text}: {}", findings[0].message);
        assert_eq!(findings[0].rule_id, super::UNUSED);
    }
}

#[test]
fn a_comment_above_all_code_is_about_the_file() {
    let long = "    x = a + b * c - d\n".repeat(400);
    let text =
        format!("# genstore: ignore[quality.volume] a table\n\"\"\"About.\"\"\"\ndef f():\n{long}");
    let plain = text.replace("# genstore", "# other");
    let volume = |text: &str| {
        let found = found(text);
        found.into_iter().filter(|it| it.ends_with("quality.volume")).collect::<Vec<_>>()
    };
    assert_eq!(volume(&text), ["-quality.volume"]);
    assert_eq!(volume(&plain), ["quality.volume"]);
}
