//! Python facts and measures, compared with radon where its script is at hand.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::print_stderr,
    reason = "a test fails by panicking and says when it is skipped"
)]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

use genstore::python::{self, Module};

/// Every construct that radon counts, and some that it does not.
const MEASURED: &str = include_str!("python/measured.py");

/// radon's numbers of files, by path; `None` where the script is not at hand.
fn radon(files: &[PathBuf]) -> Option<serde_json::Value> {
    let Some(script) = std::env::var_os("GENSTORE_ONEX_CHECK") else {
        eprintln!("skipped: GENSTORE_ONEX_CHECK does not name the script that runs radon");
        return None;
    };
    let output = Command::new("bash").arg(script).arg("radon").args(files).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    Some(serde_json::from_slice(&output.stdout).unwrap())
}

/// Our numbers in the same words.
fn measures(module: &Module) -> BTreeMap<String, f64> {
    let metrics = &module.metrics;
    let (lines, halstead) = (metrics.lines, metrics.halstead);
    let mut found = BTreeMap::from([
        ("loc".to_owned(), f64::from(lines.total)),
        ("lloc".to_owned(), f64::from(lines.logical)),
        ("sloc".to_owned(), f64::from(lines.source)),
        ("comments".to_owned(), f64::from(lines.comments)),
        ("multi".to_owned(), f64::from(lines.multi)),
        ("blank".to_owned(), f64::from(lines.blank)),
        ("single_comments".to_owned(), f64::from(lines.single_comments)),
        ("h1".to_owned(), f64::from(halstead.distinct_operators)),
        ("h2".to_owned(), f64::from(halstead.distinct_operands)),
        ("N1".to_owned(), f64::from(halstead.operators)),
        ("N2".to_owned(), f64::from(halstead.operands)),
        ("complexity".to_owned(), f64::from(metrics.complexity)),
        ("mi".to_owned(), metrics.maintainability_percent()),
    ]);
    for function in &module.functions {
        if function.site.function.is_none() {
            let line = module.line(function.place);
            let key = format!("cc {} {line}", function.name);
            found.insert(key, f64::from(function.complexity));
        }
    }
    for class in module.classes.iter().filter(|it| it.site == Default::default()) {
        let key = format!("class {} {}", class.name, module.line(class.place));
        found.insert(key, f64::from(class.complexity));
    }
    found
}

/// radon's numbers of one file in the same words.
fn radon_measures(report: &serde_json::Value) -> BTreeMap<String, f64> {
    let mut found = BTreeMap::new();
    for part in ["raw", "halstead"] {
        for (name, value) in report[part].as_object().unwrap() {
            found.insert(name.clone(), value.as_f64().unwrap());
        }
    }
    found.insert("mi".to_owned(), report["mi"].as_f64().unwrap());
    found.insert("complexity".to_owned(), report["mi_inputs"]["complexity"].as_f64().unwrap());
    for block in report["cc"].as_array().unwrap() {
        let kind = if block["type"] == "class" { "class" } else { "cc" };
        let key = format!("{kind} {} {}", block["name"].as_str().unwrap(), block["lineno"]);
        found.insert(key, block["complexity"].as_f64().unwrap());
    }
    found.retain(|name, _| {
        !matches!(name.as_str(), "vocabulary" | "length" | "volume" | "difficulty" | "effort")
    });
    found
}

fn python_files(folder: &Path, found: &mut Vec<PathBuf>) {
    let mut entries: Vec<PathBuf> =
        std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    entries.sort();
    for path in entries {
        if path.is_dir() {
            python_files(&path, found);
        } else if path.extension().is_some_and(|it| it == "py") {
            found.push(path);
        }
    }
}

/// The numbers of this project's fixture are radon's, to the last digit of rounding. A folder of
/// other files can be compared by naming it in `GENSTORE_PYTHON_FILES`.
#[test]
fn measures_are_those_of_radon() {
    let folder = tempfile::tempdir().unwrap();
    let fixture = folder.path().join("measured.py");
    std::fs::write(&fixture, MEASURED).unwrap();
    let mut files = vec![fixture];
    if let Some(more) = std::env::var_os("GENSTORE_PYTHON_FILES") {
        python_files(Path::new(&more), &mut files);
    }
    let Some(reports) = radon(&files) else { return };
    let mut differences = Vec::new();
    let mut compared = 0;
    for file in &files {
        let key = file.to_str().unwrap();
        if reports[key]["raw"].is_null() {
            continue;
        }
        compared += 1;
        let expected = radon_measures(&reports[key]);
        let module = python::parse(&std::fs::read_to_string(file).unwrap());
        assert!(module.is_valid(), "{key}: {:?}", module.problems);
        let found = measures(&module);
        for (name, value) in &expected {
            match found.get(name) {
                Some(ours) if (ours - value).abs() < 1e-6 => {}
                ours => differences.push(format!("{key}: {name} is {ours:?}, radon has {value}")),
            }
        }
    }
    eprintln!("{compared} of {} files compared with radon", files.len());
    assert!(compared > 0, "radon said nothing of the fixture");
    let shown = differences.iter().take(20).cloned().collect::<Vec<_>>().join("\n");
    assert!(differences.is_empty(), "{} differences:\n{shown}", differences.len());
}

#[test]
fn columns_count_characters() {
    let module = python::parse("é = 'ü'; wrong = ünknown\r\nnext_line = also_wrong\n");
    let spans: Vec<_> = module.undefined.iter().map(|place| module.span(*place)).collect();
    let found: Vec<_> = spans
        .iter()
        .map(|it| (it.start_line, it.start_column, it.end_line, it.end_column))
        .collect();
    assert_eq!(found, [(1, 18, 1, 25), (2, 13, 2, 23)]);
    assert_eq!(&module.source()[spans[0].start_byte..spans[0].end_byte], "ünknown");
}

#[test]
fn what_python_refuses_is_a_problem_with_its_place() {
    let cases = [
        ("def f(:\n    pass\n", 1, "`)` is missing"),
        ("x = = 1\n", 1, "unexpected `=`"),
        ("x = 1\nprint 'two'\n", 2, "`print` is a function"),
        ("x = 1\n\nreturn x\n", 3, "`return` outside"),
        ("class A:\n    return 1\n", 2, "`return` outside"),
        ("def f(a, *, a): ...\n", 1, "two parameters are called `a`"),
        ("def f():\n    await g()\n", 2, "`await` outside"),
        ("for x in y:\n    def f():\n        break\n", 3, "`break` outside"),
        ("x = [1, 2\n", 1, ""),
        ("x = 'open\n", 1, ""),
    ];
    for (text, line, message) in cases {
        let module = python::parse(text);
        let first = module.problems.first().unwrap_or_else(|| panic!("{text:?} is refused"));
        assert!(first.message.contains(message), "{text:?}: {first:?}");
        assert_eq!(module.line(first.place), line, "{text:?}");
    }
    let too_large = python::parse(&" ".repeat(python::SIZE_BYTES_MAX + 1));
    assert!(!too_large.is_valid());
}

#[test]
fn names_resolve_through_imports() {
    let text = "import os.path\nimport numpy as np\nfrom time import sleep as pause\n\
                from .time import sleep\nfrom .. import tools\nprint(os, np, pause, sleep, tools)\n";
    let module = python::parse(text);
    let cases = [
        ("os.path.join", "os.path.join"),
        ("np.array", "numpy.array"),
        ("pause", "time.sleep"),
        ("sleep", ".time.sleep"),
        ("tools.x", "..tools.x"),
        ("other.y", "other.y"),
    ];
    for (written, expected) in cases {
        assert_eq!(module.resolve(written), expected);
    }
    assert!(module.imports.iter().all(|it| it.used) && module.undefined.is_empty());
}
