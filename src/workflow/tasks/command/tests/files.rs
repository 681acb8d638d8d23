//! Tests of files as inputs and outputs of a program, and of the files that it does not inherit.

use std::fs;

use super::*;

/// A library whose programs have their files in a folder of this test.
fn below(folder: &tempfile::TempDir) -> Library {
    let path = std::env::var_os("PATH").unwrap();
    let above = folder.path().as_os_str().to_owned();
    builtin(BTreeMap::from([("PATH".into(), path), ("TMPDIR".into(), above)]))
}

async fn call_in(folder: &tempfile::TempDir, inputs: Json) -> Tried {
    run(step(&below(folder), "command", inputs), &Cancel::new()).await
}

fn is_empty(folder: &tempfile::TempDir) -> bool {
    fs::read_dir(folder.path()).unwrap().next().is_none()
}

#[tokio::test]
async fn files_go_in_and_come_out_and_are_gone() {
    let folder = tempfile::tempdir().unwrap();
    let script = "cat contract.json note; ls -ld . | cut -c 1-10; test \"$PWD\" -ef \
                  \"$GENSTORE_FILES\" || exit 1; printf made > node.py; echo more > skipped";
    let tried = call_in(
        &folder,
        json!({
            "argv": ["sh", "-c", script],
            "files": { "contract.json": { "name": "n" }, "note": "as it is\n" },
            "read": ["node.py", "note"],
        }),
    )
    .await;
    let expected = json!({
        "output": "{\"name\":\"n\"}as it is\ndrwx------\n",
        "files": { "node.py": "made", "note": "as it is\n" },
    });
    assert_eq!(tried.value(), expected);
    assert!(is_empty(&folder), "the folder is removed");
}

#[tokio::test]
async fn the_folder_can_be_elsewhere_than_the_work() {
    let (folder, cwd) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let script = "cp \"$GENSTORE_FILES/in\" \"$GENSTORE_FILES/out\"; touch trace";
    let inputs = json!({
        "argv": ["sh", "-c", script], "cwd": cwd.path(), "files": { "in": "x" }, "read": ["out"],
    });
    let tried = call_in(&folder, inputs).await;
    assert_eq!(tried.value(), json!({ "output": "", "files": { "out": "x" } }));
    assert!(cwd.path().join("trace").exists());
    assert!(is_empty(&folder));
}

#[tokio::test]
async fn only_files_that_are_there_are_read() {
    let folder = tempfile::tempdir().unwrap();
    let cases = [
        ("true", "the program left no file `out`"),
        ("ln -s /etc/passwd out", "the program left no file `out`"),
        ("mkfifo out", "the program left no file `out`"),
        ("printf 'ab\\377' > out", "`out` is no text: byte 2 is no UTF-8"),
    ];
    for (script, message) in cases {
        let inputs = json!({ "argv": ["sh", "-c", script], "read": ["out"] });
        let tried = call_in(&folder, inputs).await;
        assert_eq!(tried.end(), ("error", "invalid_output", message));
        assert!(is_empty(&folder), "after `{script}`");
    }
}

#[tokio::test]
async fn files_have_a_limit_together() {
    let folder = tempfile::tempdir().unwrap();
    let inputs = |bytes_max: u32| {
        json!({
            "argv": ["sh", "-c", "printf 12345 > a; printf 67890 > b"],
            "read": ["a", "b"],
            "output_bytes_max": bytes_max,
        })
    };
    let fits = call_in(&folder, inputs(10)).await.value();
    assert_eq!(fits["files"], json!({ "a": "12345", "b": "67890" }));
    let tried = call_in(&folder, inputs(9)).await;
    let message = "the files to read have more than 9 bytes with `b`; `output_bytes_max` sets the \
                   limit";
    assert_eq!(tried.end(), ("error", "output_size", message));
}

#[tokio::test]
async fn a_folder_that_cannot_be_made_is_named() {
    let library = builtin(BTreeMap::from([("TMPDIR".into(), "/no/such".into())]));
    let inputs = json!({ "argv": ["true"], "files": { "a": "" } });
    let tried = run(step(&library, "command", inputs), &Cancel::new()).await;
    let (_, error_type, message) = tried.end();
    assert_eq!(error_type, "failed");
    assert!(message.starts_with("cannot make a folder in /no/such: "), "{message}");
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn open_files_are_not_inherited() {
    let held = tempfile::NamedTempFile::new().unwrap();
    let listed = call(json!({ "argv": ["ls", "-l", "/proc/self/fd"], "stdin": "x" })).await;
    let listed = listed.value();
    let listed = listed.as_str().unwrap();
    assert!(listed.contains(" 2 -> pipe:"), "{listed}");
    assert!(!listed.contains(held.path().to_str().unwrap()), "{listed}");
}
