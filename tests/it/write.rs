//! Packages on disk: whole, inside their folder, and never over somebody's work.

use std::fs;
use std::path::Path;

use genstore::pipeline::{OutputFolder, WriteOptions};
use genstore::template::{FileKind, Package, PackageFile};
use tempfile::TempDir;

fn package(name: &str, files: &[(&str, &str)]) -> Package {
    let file = |(path, content): &(&str, &str)| PackageFile {
        path: (*path).to_owned(),
        kind: FileKind::Node,
        content: (*content).to_owned(),
    };
    Package { name: name.to_owned(), files: files.iter().map(file).collect() }
}

fn open(root: &TempDir) -> OutputFolder {
    OutputFolder::open(&root.path().join("out"), WriteOptions::default()).unwrap()
}

#[test]
fn a_package_is_created_and_then_left_alone() {
    let root = TempDir::new().unwrap();
    let contract = root.path().join("a.yaml");
    let ours = package("node_a", &[("node.py", "1\n"), ("models/model_a.py", "2\n")]);
    let first = open(&root).write(&ours, &contract, "d1", "u1").unwrap();
    assert_eq!(first.changed, 2);
    assert_eq!(fs::read_to_string(first.folder.join("models/model_a.py")).unwrap(), "2\n");
    let second = open(&root).write(&ours, &contract, "d1", "u2").unwrap();
    assert_eq!((second.changed, &second.folder), (0, &first.folder));
    let names: Vec<_> = fs::read_dir(root.path().join("out")).unwrap().flatten().collect();
    assert_eq!(names.len(), 1, "no temporary folder is left: {names:?}");
}

#[test]
fn a_new_version_replaces_generated_files_and_removes_stale_ones() {
    let root = TempDir::new().unwrap();
    let contract = root.path().join("a.yaml");
    let old = package("node_a", &[("node.py", "1\n"), ("old.py", "x\n")]);
    let folder = open(&root).write(&old, &contract, "d1", "u1").unwrap().folder;
    fs::write(folder.join("mine.py"), "mine\n").unwrap();
    let new = package("node_a", &[("node.py", "2\n"), ("new.py", "y\n")]);
    assert_eq!(open(&root).write(&new, &contract, "d2", "u2").unwrap().changed, 3);
    assert_eq!(fs::read_to_string(folder.join("node.py")).unwrap(), "2\n");
    assert!(!folder.join("old.py").exists());
    assert_eq!(fs::read_to_string(folder.join("mine.py")).unwrap(), "mine\n");
}

#[test]
fn an_edited_file_is_not_replaced_unless_asked() {
    let root = TempDir::new().unwrap();
    let contract = root.path().join("a.yaml");
    let old = package("node_a", &[("handler.py", "scaffold\n")]);
    let folder = open(&root).write(&old, &contract, "d1", "u1").unwrap().folder;
    fs::write(folder.join("handler.py"), "the business rule\n").unwrap();
    let new = package("node_a", &[("handler.py", "new scaffold\n"), ("node.py", "n\n")]);
    let error = open(&root).write(&new, &contract, "d2", "u2").unwrap_err();
    assert!(error.message().contains("handler.py was edited"), "{error}");
    assert_eq!(fs::read_to_string(folder.join("handler.py")).unwrap(), "the business rule\n");
    assert!(!folder.join("node.py").exists(), "a refused package changes nothing");
    let options = WriteOptions { overwrite: true, fsync: true };
    let out = OutputFolder::open(&root.path().join("out"), options).unwrap();
    assert_eq!(out.write(&new, &contract, "d2", "u3").unwrap().changed, 2);
}

#[test]
fn two_contracts_of_one_name_get_two_folders_for_good() {
    let root = TempDir::new().unwrap();
    let (a, b) = (root.path().join("a.yaml"), root.path().join("b.yaml"));
    let ours = package("node_x", &[("node.py", "a\n")]);
    let theirs = package("node_x", &[("node.py", "b\n")]);
    let out = open(&root);
    let first = out.write(&ours, &a, "da", "u1").unwrap().folder;
    let second = out.write(&theirs, &b, "db", "u2").unwrap().folder;
    assert_ne!(first, second);
    // In another process, and in the other order, each finds its own folder again.
    let out = open(&root);
    assert_eq!(out.write(&theirs, &b, "db", "u3").unwrap().folder, second);
    assert_eq!(out.write(&ours, &a, "da", "u4").unwrap().folder, first);
}

#[test]
fn no_path_leaves_the_folder() {
    let root = TempDir::new().unwrap();
    let contract = root.path().join("a.yaml");
    for path in ["../evil.py", "/etc/evil.py", "a/../../evil.py", "a//b.py", "", "a\0.py"] {
        let error = open(&root).write(&package("node_a", &[(path, "x")]), &contract, "d", "u");
        assert!(error.is_err(), "{path:?} was written");
    }
    assert!(!root.path().join("evil.py").exists());
    assert_eq!(fs::read_dir(root.path().join("out")).unwrap().count(), 0);
}

#[cfg(unix)]
#[test]
fn a_link_is_not_followed() {
    let root = TempDir::new().unwrap();
    let elsewhere = TempDir::new().unwrap();
    let out = open(&root);
    std::os::unix::fs::symlink(elsewhere.path(), root.path().join("out/node_a")).unwrap();
    let contract = root.path().join("a.yaml");
    let error =
        out.write(&package("node_a", &[("node.py", "x")]), &contract, "d", "u").unwrap_err();
    assert!(error.message().contains("is a link"), "{error}");
    assert!(!elsewhere.path().join("node.py").exists());
}

#[test]
fn what_somebody_else_put_in_the_package_s_place_is_left_alone() {
    let root = TempDir::new().unwrap();
    let contract = root.path().join("a.yaml");
    let ours = package("node_a", &[("node.py", "n\n")]);
    let place = root.path().join("out/node_a");
    let refused = |what: &str| {
        let error = open(&root).write(&ours, &contract, "d", "u").unwrap_err();
        assert!(error.message().contains(what) && error.hint().is_some(), "{error}");
        assert!(!place.join("node.py").exists());
    };
    fs::create_dir_all(&place).unwrap();
    fs::write(place.join("notes.txt"), "mine").unwrap();
    refused("was not made by genstore");
    let evil = r#"{"generator": "", "contract": "", "contract_digest": "d",
        "files": {"../../evil.py": ""}}"#;
    fs::write(place.join(".genstore.json"), evil).unwrap();
    refused("names a file outside its folder");
    fs::remove_dir_all(&place).unwrap();
    fs::write(&place, "mine").unwrap();
    refused("is a file");
    assert_eq!(fs::read_to_string(&place).unwrap(), "mine");
    fs::remove_file(&place).unwrap();
    fs::create_dir(&place).unwrap();
    open(&root).write(&ours, &contract, "d", "u").unwrap();
}

#[test]
fn an_output_folder_that_is_a_file_is_refused() {
    let root = TempDir::new().unwrap();
    let file = root.path().join("file");
    fs::write(&file, "x").unwrap();
    let error = OutputFolder::open(&file, WriteOptions::default()).unwrap_err();
    assert!(error.message().contains("is a file"), "{error}");
    assert!(error.hint().is_some());
    let below: &Path = &file.join("below");
    assert!(OutputFolder::open(below, WriteOptions::default()).is_err());
}

#[test]
fn what_a_dead_process_was_writing_goes_and_nothing_else() {
    let root = TempDir::new().unwrap();
    let out = root.path().join("out");
    let left = format!(".genstore-{}", uuid::Uuid::from_u128(7));
    let leave = || {
        fs::create_dir_all(out.join(&left).join("models")).unwrap();
        fs::write(out.join(&left).join("models/model_a.py"), "half").unwrap();
    };
    leave();
    fs::write(out.join(".genstore-probe-12"), "").unwrap();
    fs::write(out.join(".genstore-notes"), "mine").unwrap();
    fs::create_dir(out.join("node_a")).unwrap();
    let first = open(&root);
    let names = || {
        let entries = fs::read_dir(&out).unwrap();
        let mut names: Vec<_> =
            entries.map(|it| it.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    };
    assert_eq!(names(), [".genstore-notes", "node_a"]);
    leave();
    let second = open(&root);
    assert!(names().contains(&left), "the first may be alive and writing it");
    drop((first, second));
    open(&root);
    assert_eq!(names(), [".genstore-notes", "node_a"]);
}

#[test]
fn processes_that_write_the_same_packages_at_once_do_not_disturb_each_other() {
    let root = TempDir::new().unwrap();
    let contract = root.path().join("a.yaml");
    let folders: Vec<_> = (0..4).map(|_| open(&root)).collect();
    for round in 0..50 {
        let name = format!("node_{round}");
        let package = package(&name, &[("__init__.py", ""), ("node.py", "x = 1\n")]);
        let write = |writer: usize, into: &OutputFolder| {
            into.write(&package, &contract, "digest", &format!("run-{writer}")).unwrap()
        };
        let write = &write;
        let folders: Vec<_> = std::thread::scope(|scope| {
            let writers: Vec<_> = folders
                .iter()
                .enumerate()
                .map(|(writer, into)| scope.spawn(move || write(writer, into)))
                .collect();
            writers.into_iter().map(|it| it.join().unwrap().folder).collect()
        });
        assert!(folders.iter().all(|it| it.ends_with(&name)), "{folders:?}");
        let names = fs::read_dir(root.path().join("out").join(&name)).unwrap().count();
        assert_eq!(names, 3);
    }
}
