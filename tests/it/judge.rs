//! `genstore validate` as a user meets it: any Python code, packages beside their contract, what
//! cannot be read, and numbers that are those of radon and bandit.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

use crate::program::Place;

/// What the command prints to stdout and stderr.
fn told(place: &Place, args: &[&str]) -> (i32, String, String) {
    let output = place.run(&[&["validate"], args].concat());
    let text = |it: &[u8]| String::from_utf8_lossy(it).into_owned();
    (output.status.code().unwrap(), text(&output.stdout), text(&output.stderr))
}

/// The objects that are printed, by path.
fn objects(place: &Place, args: &[&str]) -> (i32, BTreeMap<String, Value>) {
    let (code, out, said) =
        told(place, &[args, &["--format", "ndjson", "--level", "note"]].concat());
    assert!(said.is_empty(), "{said}");
    let objects = out.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    (code, objects.map(|it| (it["path"].as_str().unwrap().to_owned(), it)).collect())
}

fn rules_of(object: &Value) -> Vec<&str> {
    let findings = object["findings"].as_array().unwrap();
    findings.iter().map(|it| it["rule_id"].as_str().unwrap()).collect()
}

fn write(place: &Place, path: &str, content: impl AsRef<[u8]>) {
    let path = place.root.path().join(path);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, content).unwrap();
}

/// A copy of the package without fault that the validators' own tests have.
fn order(place: &Place) {
    fn copy(from: &Path, to: &Path) {
        fs::create_dir_all(to).unwrap();
        for entry in fs::read_dir(from).unwrap() {
            let path = entry.unwrap().path();
            let target = to.join(path.file_name().unwrap());
            match path.is_dir() {
                true => copy(&path, &target),
                false => drop(fs::copy(&path, target).unwrap()),
            }
        }
    }
    let from = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/validate/order");
    copy(&from, &place.root.path().join("node_order_compute"));
}

#[test]
fn any_python_code_is_judged_like_a_compiler_would() {
    let place = Place::new();
    write(&place, "app/main.py", "\"\"\"About.\"\"\"\nimport os\n\nX = eval(\"1\")\n");
    write(&place, "app/fine.py", "\"\"\"About.\"\"\"\n\nX = 1\n");
    let (code, out, _) = told(&place, &["app"]);
    assert_eq!(code, 1);
    assert!(out.contains("warning[quality.unused-import]: the import `os` is not used\n"), "{out}");
    assert!(out.contains(" --> app/main.py:4:5\n"), "{out}");
    assert!(out.contains("4 | X = eval(\"1\")\n   |     ^^^^^^^^^\n"), "{out}");
    assert!(!out.contains("fine.py"));
    let (code, out, _) = told(&place, &["app/main.py", "--ignore", "security"]);
    assert_eq!((code, out.matches("warning[").count(), out.matches("error[").count()), (0, 1, 0));
    let (code, out, _) = told(&place, &["app/*.py", "--select", "security.exec,quality.nesting"]);
    assert_eq!((code, out.matches("security.exec").count()), (1, 1));
    assert!(!out.contains("unused-import"));
    let (code, out, _) = told(&place, &["app", "--validator", "quality", "--level", "error"]);
    assert_eq!((code, out.as_str()), (0, ""));
    let (code, found) = objects(&place, &["app"]);
    assert_eq!((code, found.len()), (1, 2));
    let main = &found["app/main.py"];
    assert_eq!(rules_of(main), ["quality.unused-import", "security.exec"]);
    assert_eq!(main["findings"][0]["fix"]["replacement"], "");
    assert_eq!(main["scores"]["security"], 60.0);
    assert_eq!(found["app/fine.py"]["scores"]["overall"], 100.0);
    assert_eq!(found["app/fine.py"]["metrics"]["maintainability"], 100.0);
}

#[test]
fn files_beside_a_contract_are_judged_by_it() {
    let place = Place::new();
    order(&place);
    let (code, found) = objects(&place, &["."]);
    let said: Vec<_> = found.values().flat_map(rules_of).collect();
    assert_eq!((code, said), (0, Vec::new()));
    assert_eq!(found["./node_order_compute"]["scores"]["overall"], 100.0);
    assert!(found["./node_order_compute"]["metrics"].is_null());
    fs::remove_dir_all(place.root.path().join("node_order_compute/tests")).unwrap();
    write(&place, "node_order_compute/handlers/handler_order.py", "import requests\n");
    let (code, found) = objects(&place, &["node_order_compute"]);
    assert_eq!(code, 1);
    assert_eq!(rules_of(&found["node_order_compute"]), ["completeness.tests"]);
    let handler = &found["node_order_compute/handlers/handler_order.py"];
    assert!(rules_of(handler).contains(&"security.network"), "{handler}");
    // a file that is named is told of alone, and still judged by the contract beside it
    let (_, found) = objects(&place, &["node_order_compute/node.py"]);
    assert_eq!(found.keys().collect::<Vec<_>>(), ["node_order_compute/node.py"]);
    assert_eq!(rules_of(&found["node_order_compute/node.py"]), ["correctness.import"]);
    write(&place, "node_order_compute/contract.yaml", "{");
    let (code, found) = objects(&place, &["node_order_compute"]);
    assert_eq!((code, rules_of(&found["node_order_compute"])), (1, vec!["completeness.file"]));
}

#[test]
fn what_cannot_be_read_as_python_is_told_with_its_place() {
    let place = Place::new();
    write(&place, "a/syntax.py", "x = = 1\n");
    write(&place, "a/latin.py", b"# ok\nx = '\xe9'\n");
    write(&place, "a/huge.py", " ".repeat(20 << 20));
    let (code, found) = objects(&place, &["a"]);
    assert_eq!(code, 1);
    let first = |path: &str| found[path]["findings"][0].clone();
    let messages = [
        ("a/syntax.py", "unexpected `=`"),
        ("a/latin.py", "is not UTF-8: there is a byte 0xe9"),
        ("a/huge.py", "has 20971520 bytes, and is not judged"),
    ];
    for (path, message) in messages {
        let finding = first(path);
        assert_eq!(finding["rule_id"], "correctness.syntax");
        assert!(finding["message"].as_str().unwrap().contains(message), "{finding}");
        assert_eq!(found[path]["scores"]["overall"], 0.0);
        assert!(found[path]["metrics"].is_null());
    }
    assert_eq!(
        (&first("a/latin.py")["start_line"], &first("a/latin.py")["start_column"]),
        (&Value::from(2), &Value::from(6))
    );
    write(&place, "empty/readme.md", "");
    let wrong: [(&[&str], i32, &str); 7] = [
        (&["empty"], 1, "there is no Python file (*.py) in empty"),
        (&["nowhere"], 1, "no file or folder matches \"nowhere\""),
        (&[], 2, "PATH"),
        (&["a", "--select", "security.exce"], 2, "Did you mean security.exec?"),
        (&["a", "--ignore", "quailty"], 2, "Did you mean quality?"),
        (&["a", "--validator", "speed"], 2, "there is no validator \"speed\""),
        (&["a", "--profile", "orignal"], 2, "Did you mean original?"),
    ];
    for (args, expected, message) in wrong {
        let (code, _, said) = told(&place, args);
        assert_eq!(code, expected, "{args:?}: {said}");
        assert!(said.contains(message), "{args:?}: {said}");
    }
}

#[test]
fn suppressed_findings_are_kept_and_do_not_count() {
    let place = Place::new();
    write(&place, "a.py", "\"\"\"About.\"\"\"\n\nX = eval(\"1\")  # noqa: S307\n");
    let (code, found) = objects(&place, &["a.py"]);
    assert_eq!(code, 0);
    assert_eq!(found["a.py"]["findings"][0]["suppression"], "noqa: S307");
    assert_eq!(found["a.py"]["scores"]["overall"], 100.0);
    let (code, out, _) = told(&place, &["a.py"]);
    assert_eq!((code, out.as_str()), (0, ""));
}

#[test]
fn sarif_has_the_rules_the_places_and_the_suppressions() {
    let place = Place::new();
    write(&place, "a.py", "\"\"\"About.\"\"\"\n\nX = eval(\"1\")  # nosec\nY = wrong\n");
    let (code, out, _) = told(&place, &["a.py", "--format", "sarif", "--ignore", "quality"]);
    assert_eq!(code, 1);
    let log: Value = serde_json::from_str(&out).unwrap();
    let run = &log["runs"][0];
    let results = run["results"].as_array().unwrap();
    let said: Vec<_> = results
        .iter()
        .map(|it| {
            let region = &it["locations"][0]["physicalLocation"]["region"];
            (it["ruleId"].as_str().unwrap(), region["startLine"].as_u64().unwrap())
        })
        .collect();
    assert_eq!(said, [("security.exec", 3), ("correctness.undefined-name", 4)]);
    assert_eq!(results[0]["suppressions"][0]["justification"], "nosec");
    let rules = run["tool"]["driver"]["rules"].as_array().unwrap();
    assert!(rules.iter().all(|it| !it["id"].as_str().unwrap().starts_with("quality.")));
    assert_eq!(rules[results[0]["ruleIndex"].as_u64().unwrap() as usize]["id"], "security.exec");
}

#[test]
fn thresholds_come_from_profile_and_settings() {
    let place = Place::new();
    let lines: String =
        (0..12).map(|at| format!("    x{at} = a + b * {at}\n    print(x{at})\n")).collect();
    write(
        &place,
        "a.py",
        format!(
            "\"\"\"About.\"\"\"\n\n\ndef f(a: int, b: int) -> None:\n    \"\"\"Do.\"\"\"\n{lines}"
        ),
    );
    let has = |args: &[&str]| {
        let (_, found) =
            objects(&place, &[&["a.py", "--select", "quality.maintainability"], args].concat());
        !rules_of(&found["a.py"]).is_empty()
    };
    assert!(!has(&[]));
    assert!(has(&["--profile", "original"]));
    assert!(has(&["--config", "validate.maintainability_min=70"]));
    assert!(!has(&["--config", "validate.profile=original", "--profile", "default"]));
    let weights =
        ["--config", "validate.weights.quality=0", "--config", "validate.profile=original"];
    let (_, found) =
        objects(&place, &[&["a.py", "--validator", "quality"], weights.as_slice()].concat());
    assert_eq!(found["a.py"]["scores"]["overall"], 100.0, "quality weighs nothing");
    let (code, _, said) = told(&place, &["a.py", "--config", "validate.maintainability_min=101"]);
    assert_eq!(code, 2, "{said}");
    assert!(said.contains("must be at most 100"), "{said}");
}

#[test]
fn the_rules_are_listed_and_explained() {
    let place = Place::new();
    let (code, out, _) = told(&place, &["rules"]);
    assert_eq!(code, 0);
    assert!(out.lines().count() >= 60, "{out}");
    let (_, out, _) = told(&place, &["rules", "security.exec"]);
    assert!(out.starts_with("security.exec (error)\n"), "{out}");
    assert!(out.contains("Elsewhere: S102, S307, B102, B307."), "{out}");
    let (_, out, _) = told(&place, &["rules", "security", "--format", "ndjson"]);
    assert!(out.lines().all(|it| it.starts_with("{\"rule_id\":\"security.")), "{out}");
    let (code, _, said) = told(&place, &["rules", "security.exce"]);
    assert_eq!(code, 2);
    assert!(said.contains("Did you mean security.exec?"), "{said}");
}

/// Every fifth file of the code that is named, to keep the judges' time short.
fn sample(variable: &str, every: usize) -> Option<Vec<PathBuf>> {
    let Some(folder) = std::env::var_os(variable) else {
        eprintln!("skipped: {variable} names no folder of Python code");
        return None;
    };
    let mut files = Vec::new();
    let mut folders = vec![PathBuf::from(folder)];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            match path.is_dir() {
                true => folders.push(path),
                false if path.extension().is_some_and(|it| it == "py") => files.push(path),
                false => {}
            }
        }
    }
    files.sort();
    Some(files.into_iter().step_by(every).collect())
}

/// Every finding of bandit of level medium and above, of the rules that are claimed, is also ours,
/// but for texts that are no SQL. `GENSTORE_ONEX_PYTHON` names a Python with bandit, and
/// `GENSTORE_PYTHON_FILES` the code.
#[test]
fn what_bandit_finds_is_found() {
    let Some(python) = std::env::var_os("GENSTORE_ONEX_PYTHON") else {
        eprintln!("skipped: GENSTORE_ONEX_PYTHON names no Python with bandit");
        return;
    };
    let Some(files) = sample("GENSTORE_PYTHON_FILES", 1) else { return };
    let place = Place::new();
    let report = place.root.path().join("bandit.json");
    let mut bandit = Command::new(python);
    bandit.args(["-m", "bandit", "-q", "-ll", "-f", "json", "-o"]).arg(&report).args(&files);
    assert!(bandit.status().unwrap().code().unwrap() <= 1);
    let report: Value = serde_json::from_slice(&fs::read(report).unwrap()).unwrap();
    let (_, rules, _) = told(&place, &["rules", "--format", "ndjson"]);
    let rules: Vec<Value> = rules.lines().map(|it| serde_json::from_str(it).unwrap()).collect();
    let claimed: BTreeMap<&str, &str> = rules
        .iter()
        .flat_map(|rule| {
            let ids = rule["bandit"].as_array().unwrap();
            ids.iter().map(|it| (it.as_str().unwrap(), rule["rule_id"].as_str().unwrap()))
        })
        .collect();
    let paths: Vec<&str> = files.iter().map(|it| it.to_str().unwrap()).collect();
    let mut ours = BTreeSet::new();
    for some in paths.chunks(500) {
        let (_, found) = objects(&place, some);
        for (path, object) in found {
            for it in object["findings"].as_array().unwrap() {
                let lines =
                    it["start_line"].as_u64().unwrap_or(0)..=it["end_line"].as_u64().unwrap_or(0);
                ours.extend(
                    lines.map(|line| {
                        (path.clone(), it["rule_id"].as_str().unwrap().to_owned(), line)
                    }),
                );
            }
        }
    }
    let results = report["results"].as_array().unwrap();
    let judged: Vec<&Value> =
        results.iter().filter(|it| claimed.contains_key(it["test_id"].as_str().unwrap())).collect();
    let missed: Vec<String> = judged
        .iter()
        .filter(|it| {
            let rule = claimed[it["test_id"].as_str().unwrap()];
            let path = it["filename"].as_str().unwrap();
            let range = it["line_range"].as_array().unwrap();
            !range.iter().any(|line| {
                ours.contains(&(path.to_owned(), rule.to_owned(), line.as_u64().unwrap()))
            })
        })
        .map(|it| format!("{} {}:{}", it["test_id"], it["filename"], it["line_number"]))
        .collect();
    eprintln!("{} findings of bandit, {} missed: {missed:?}", judged.len(), missed.len());
    // a text that only begins like SQL to bandit, such as a Dockerfile with `apt-get update`
    assert!(missed.iter().all(|it| it.starts_with("\"B608\"")), "{missed:?}");
    assert!(missed.len() * 10 <= judged.len(), "{missed:?}");
}
