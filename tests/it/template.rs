//! `genstore template`: the built-in templates are sound in every kind and variant; a user's own
//! stand in their place, and what is wrong with one is said with its file and line.
#![allow(clippy::unwrap_used, reason = "a test may fail loudly")]

use std::path::Path;
use std::process::Command;

fn genstore() -> Command {
    Command::new(env!("CARGO_BIN_EXE_genstore"))
}

/// Runs the program without a store; exit code, stdout and stderr.
fn run(args: &[&str]) -> (i32, String, String) {
    let output = genstore().args(args).output().unwrap();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (output.status.code().unwrap(), text(&output.stdout), text(&output.stderr))
}

fn sample(name: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("data/contracts").join(name);
    path.display().to_string()
}

/// A folder with one template.
fn folder(name: &str, text: &str) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(name);
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(path, text).unwrap();
    folder
}

#[test]
fn the_built_in_templates_have_nothing_against_them() {
    let (code, out, err) = run(&["template", "check"]);
    assert_eq!((code, out.as_str(), err.as_str()), (0, "", ""));
}

#[test]
fn a_template_that_is_listed_can_be_shown() {
    let (code, listed, _) = run(&["template", "list"]);
    assert_eq!(code, 0);
    for line in listed.lines() {
        let name = line.split_whitespace().next().unwrap();
        let (code, text, err) = run(&["template", "show", name]);
        assert!(code == 0 && !text.is_empty(), "{name}: {err}");
    }
    let (code, set, _) = run(&["template", "show", "effect/io_operations"]);
    assert!(code == 0 && set.contains("effect/io_operations/handler.py"), "{set}");
}

#[test]
fn one_file_of_a_package_is_the_file_that_a_run_writes() {
    let contract = sample("charge_card_effect.yaml");
    let scratch = tempfile::tempdir().unwrap();
    let (store, out) = (scratch.path().join("s"), scratch.path().join("o"));
    let made = genstore()
        .args(["run", &contract, "--store"])
        .arg(&store)
        .arg("--out")
        .arg(&out)
        .output()
        .unwrap();
    assert!(made.status.success());
    for path in ["node.py", "mixins/mixin_retry.py", "README.md", "contract.yaml"] {
        let (code, text, _) = run(&["template", "render", &contract, "--file", path]);
        let written = std::fs::read_to_string(out.join("node_charge_card_effect").join(path));
        assert_eq!((code, text), (0, written.unwrap()), "{path}");
    }
}

#[test]
fn a_variant_can_be_asked_for_where_the_kind_has_it() {
    let contract = sample("charge_card_effect.yaml");
    let args = ["template", "render", contract.as_str(), "--file"];
    let handler = "handlers/handler_charge_card.py";
    let (_, operations, _) = run(&[&args[..], &[handler]].concat());
    assert!(operations.contains("async def create_charge("), "{operations}");
    let (_, plain, _) = run(&[&args[..], &[handler, "--variant", "plain"]].concat());
    assert!(!plain.contains("async def create_charge("), "{plain}");
    let (code, _, err) = run(&[&args[..], &[handler, "--variant", "fsm"]].concat());
    assert_eq!(code, 2);
    assert!(err.contains("there is no fsm EFFECT node"), "{err}");
    assert!(err.contains("io_operations, event_driven, plain"), "{err}");
    let (code, out, err) = run(&[&args[..], &[handler, "--variant", "event_driven"]].concat());
    assert_eq!((code, out.as_str()), (1, ""));
    assert!(err.contains("declares no topic to listen to"), "{err}");
}

#[test]
fn a_users_template_stands_in_the_place_of_the_built_in_one() {
    let own = folder("shared/folder.py.j2", "\"\"\"{{ content }} of {{ noun }}, ours.\"\"\"\n");
    let own = own.path().display().to_string();
    let contract = sample("price_order_compute.yaml");
    let file = ["--file", "models/__init__.py"];
    let args = ["template", "render", contract.as_str(), "--templates", own.as_str()];
    let (code, text, _) = run(&[&args[..], &file].concat());
    assert_eq!((code, text.as_str()), (0, "\"\"\"Models of price order, ours.\"\"\"\n"));
    let (_, listed, _) = run(&["template", "list", "--templates", &own]);
    let line = listed.lines().find(|it| it.starts_with("shared/folder.py ")).unwrap();
    assert!(line.ends_with("folder.py.j2"), "{line}");
    assert_eq!(run(&["template", "check", "--templates", &own]).0, 0);
}

#[test]
fn what_is_wrong_with_a_users_template_is_said_with_its_place() {
    let cases = [
        ("shared/foldr.py.j2", "x", "no template is called `shared/foldr.py`"),
        ("shared/folder.py.j2", "\n{% if %}\n", "folder.py.j2:2 is no template"),
        ("shared/folder.py.j2", "\n\n{{ nuon }}\n", "shared/folder.py:3"),
        ("notes.txt", "x", "there is no template (*.j2)"),
    ];
    for (name, text, wanted) in cases {
        let own = folder(name, text);
        let own = own.path().display().to_string();
        let (code, _, err) = run(&["template", "check", "--templates", &own]);
        assert!(code == 1 && err.contains(wanted), "{name}: {code} {err}");
    }
    let (code, _, err) = run(&["template", "check", "--templates", "/no/such/folder"]);
    assert!(code == 1 && err.contains("/no/such/folder"), "{err}");
}

#[test]
fn a_template_whose_packages_are_wrong_fails_the_check() {
    let text = "\"\"\"Evaluates.\"\"\"\n\neval(\"{{ noun }}\")\n";
    let own = folder("shared/folder.py.j2", text);
    let own = own.path().display().to_string();
    let (code, out, _) = run(&["template", "check", "--templates", &own]);
    assert_eq!(code, 1, "{out}");
    assert!(out.contains("security.exec") && out.contains("effect/plain"), "{out}");
}
