//! Which include paths are safe.

use super::*;

#[test]
fn a_safe_path_is_taken_relative_to_the_including_file() {
    for (from, written, want) in [
        ("", "a.yaml", "a.yaml"),
        ("", "./sub/a.yaml", "sub/a.yaml"),
        ("sub", "b.yaml", "sub/b.yaml"),
        ("sub/deep", "x//y.yaml", "sub/deep/x/y.yaml"),
        ("", "..a/b..yaml", "..a/b..yaml"),
    ] {
        assert_eq!(resolve(from, written).ok().as_deref(), Some(want), "{from:?} {written:?}");
    }
}

#[test]
fn no_path_leaves_the_folder() {
    for written in [
        "",
        " ",
        "/etc/passwd",
        "../a",
        "a/../../b",
        "a/..",
        "~/.ssh/id",
        "C:\\x",
        "c:/x",
        "a\\..\\b",
        "\\\\host\\share",
        "a\0b",
        "a\nb",
        ".",
        "./",
        "sub/",
        "file:///etc/passwd",
    ] {
        assert!(resolve("sub", written).is_err(), "{written:?} was accepted");
    }
    assert!(resolve("", &"a".repeat(2000)).is_err());
}
