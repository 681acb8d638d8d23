//! Tests of programs as steps, with real processes and in real time.
#![allow(clippy::indexing_slicing, clippy::unwrap_used, reason = "tests")]

mod endings;
mod files;

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::time::Duration;

use serde_json::{Value as Json, json};

use super::super::super::{Cancel, Library, Policy, Retry, Step};
use super::super::builtin;
use super::super::tests::{Tried, run, step};

/// A library whose programs may get PATH, and SECRET if it is asked for.
fn library() -> Library {
    let path = std::env::var_os("PATH").unwrap();
    builtin(BTreeMap::from([("PATH".into(), path), ("SECRET".into(), OsString::from("hush"))]))
}

fn command(inputs: Json) -> Step {
    step(&library(), "command", inputs)
}

/// A step that must be over long before this.
async fn call(inputs: Json) -> Tried {
    let cancel = Cancel::new();
    let tried = run(command(inputs), &cancel);
    tokio::time::timeout(Duration::from_secs(60), tried).await.expect("no step hangs")
}

/// A script for `sh`, with further inputs.
async fn sh(script: &str, mut inputs: Json) -> Tried {
    inputs["argv"] = json!(["sh", "-c", script]);
    call(inputs).await
}

#[tokio::test]
async fn a_program_gets_its_arguments_as_they_are() {
    let tried = call(json!({ "argv": ["printf", "%s|", "$HOME *", "", "ü"] })).await;
    assert_eq!(tried.value(), "$HOME *||ü|");
    let attributes = tried.rows[0].attributes.as_deref();
    assert_eq!(attributes, Some(r#"{"exit_code":0,"stdout_bytes":12}"#));
}

#[tokio::test]
async fn it_reads_text_json_or_nothing() {
    let cat = async |stdin: Json| call(json!({ "argv": ["cat"], "stdin": stdin })).await.value();
    assert_eq!(cat(json!("as it is\n")).await, "as it is\n");
    assert_eq!(cat(json!({ "b": [1, "x"], "a": null })).await, r#"{"b":[1,"x"],"a":null}"#);
    assert_eq!(cat(Json::Null).await, "null");
    assert_eq!(call(json!({ "argv": ["cat"] })).await.value(), "");
}

#[tokio::test]
async fn its_output_is_read_in_the_form_that_is_wanted() {
    let print = async |text: &str, form: &str| {
        call(json!({ "argv": ["printf", text], "output": form })).await
    };
    assert_eq!(print(r#"{"b": 1, "a": [2]}\n"#, "json").await.value(), json!({ "b": 1, "a": [2] }));
    assert_eq!(print("a\nb\r\n\nc", "lines").await.value(), json!(["a", "b", "", "c"]));
    assert_eq!(print("", "lines").await.value(), json!([]));
    let none = print("much", "none").await;
    assert_eq!(none.value(), Json::Null);
    assert_eq!(none.rows[0].attributes.as_deref(), Some(r#"{"exit_code":0}"#));
}

#[tokio::test]
async fn an_output_in_another_form_is_invalid() {
    let print = async |text: &str, form: &str| {
        call(json!({ "argv": ["printf", text], "output": form })).await.end().2.to_owned()
    };
    let json = "the output of `printf` is no JSON: ";
    let place = format!("{json}expected `,` or `}}` at line 2 column 1");
    assert_eq!(print("{\"a\": 1\n!", "json").await, place);
    let empty = format!("{json}EOF while parsing a value at line 1 column 0");
    assert_eq!(print("", "json").await, empty);
    let bytes = "the output of `printf` is no text: byte 3 is no UTF-8";
    assert_eq!(print("abc\\377", "text").await, bytes);
    let deep = call(json!({ "argv": ["printf", "[".repeat(1_000)], "output": "json" })).await;
    assert_eq!(deep.end().1, "invalid_output");
    assert!(deep.end().2.contains("recursion limit"), "{}", deep.end().2);
}

#[tokio::test]
async fn it_gets_no_variable_that_is_not_allowed() {
    let env = async |inputs: Json| {
        let mut inputs = inputs;
        inputs["argv"] = json!(["env"]);
        inputs["output"] = json!("lines");
        let Json::Array(lines) = call(inputs).await.value() else { panic!("lines") };
        let lines = lines.into_iter().filter_map(|it| it.as_str().map(str::to_owned));
        lines.filter(|it| !it.starts_with("PATH=")).collect::<Vec<_>>()
    };
    assert!(env(json!({})).await.is_empty());
    assert_eq!(env(json!({ "env": { "A": "1", "B": "" } })).await, ["A=1", "B="]);
    let allowed = json!({ "env_allow": ["PATH", "SECRET", "MISSING"] });
    assert_eq!(env(allowed).await, ["SECRET=hush"]);
}

#[tokio::test]
async fn it_works_where_it_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path().canonicalize().unwrap();
    let here = call(json!({ "argv": ["pwd"], "cwd": folder })).await;
    assert_eq!(here.value(), format!("{}\n", folder.display()));
    let nowhere = call(json!({ "argv": ["pwd"], "cwd": "/there/is/no/such" })).await;
    let message = "there is no folder `/there/is/no/such` to work in";
    assert_eq!(nowhere.end(), ("error", "not_found", message));
}

#[tokio::test]
async fn large_streams_flow_both_ways() {
    let text = "0123456789abcdef".repeat(500_000);
    let tried = call(json!({ "argv": ["cat"], "stdin": text })).await;
    assert!(tried.value() == text, "8 MB came back as they went");
}

#[tokio::test]
async fn it_need_not_read_what_it_is_given() {
    let text = "x".repeat(10_000_000);
    assert_eq!(call(json!({ "argv": ["true"], "stdin": text })).await.value(), "");
    let first = call(json!({ "argv": ["head", "-c", "3"], "stdin": text })).await;
    assert_eq!(first.value(), "xxx");
    let closed = sh("exec <&-; echo closed", json!({ "stdin": text })).await;
    assert_eq!(closed.value(), "closed\n");
}

#[tokio::test]
async fn exit_codes_mean_what_is_said_of_them() {
    let exit = async |code: u8, inputs: Json| {
        sh(&format!("echo out; echo first >&2; echo last >&2; exit {code}"), inputs).await
    };
    let failed = exit(3, json!({})).await;
    let message = "`sh` ended with exit code 3: first\nlast";
    assert_eq!(failed.end(), ("error", "exit_code", message));
    assert_eq!(exit(3, json!({ "ok_codes": [0, 3] })).await.value(), "out\n");
    assert_eq!(exit(0, json!({ "ok_codes": [3] })).await.end().1, "exit_code");

    let verdict = exit(1, json!({ "reject_codes": [1, 2] })).await;
    assert_eq!(verdict.end(), ("failure", "rejected", "last"));
    assert_eq!(verdict.output(), Some(json!("out\n")));
    let quiet = sh("echo a; echo b; exit 1", json!({ "reject_codes": [1] })).await;
    assert_eq!(quiet.end().2, "b");
    let mute = sh("exit 1", json!({ "reject_codes": [1], "output": "json" })).await;
    assert_eq!(mute.end(), ("failure", "rejected", "`sh` ended with exit code 1"));
    assert_eq!(mute.output(), Some(Json::Null));
}

#[tokio::test]
async fn some_exit_codes_are_worth_another_attempt() {
    let script = |code| command(json!({ "argv": ["sh", "-c", format!("exit {code}")] }));
    let retry = Retry { attempts_max: 2, ..Retry::default() };
    let passing = run(script(75).with_retry(retry), &Cancel::new()).await;
    assert_eq!(passing.results(), ["error", "error"]);
    let lasting = run(script(74).with_retry(retry), &Cancel::new()).await;
    assert_eq!(lasting.results(), ["error"]);
}

#[tokio::test]
async fn only_the_last_of_stderr_is_kept() {
    let script = "yes 'one more line' | head -n 500000 >&2; echo the end >&2; exit 3";
    let tried = sh(script, json!({})).await;
    let message = tried.end().2;
    let begin = "`sh` ended with exit code 3: … one more line\none more line\n";
    assert!(message.starts_with(begin), "{message}");
    assert!(message.ends_with("\none more line\nthe end"), "{message}");
    assert!((8_000..=8_300).contains(&message.len()), "{}", message.len());
}

#[tokio::test]
async fn a_program_that_cannot_be_started_is_named() {
    let end = async |inputs: Json| {
        let tried = call(inputs).await;
        let (_, error_type, message) = tried.end();
        (error_type.to_owned(), message.to_owned())
    };
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path().to_str().unwrap();
    // written by another process: one that starts programs must not have them open itself
    let files = "cd \"$1\"; echo hi > plain; printf '\\0\\0' > odd; chmod +x odd; \
                 echo '#!/no/such/sh' > lost; chmod +x lost";
    call(json!({ "argv": ["sh", "-c", files, "sh", folder] })).await.value();

    let path = json!({ "PATH": folder });
    let argv = |name: &str| json!({ "argv": [name], "env": path });
    let missing = format!("there is no program `gen` in PATH, which is `{folder}`");
    assert_eq!(end(argv("gen")).await, ("not_found".to_owned(), missing));
    let plain = format!("`{folder}/plain` is no executable file");
    assert_eq!(end(argv("plain")).await, ("not_executable".to_owned(), plain.clone()));
    let direct = json!({ "argv": ["./plain"], "cwd": folder });
    let dotted = format!("`{folder}/./plain` is no executable file");
    assert_eq!(end(direct).await, ("not_executable".to_owned(), dotted));
    let gone = "there is no program `/no/such/gen`".to_owned();
    assert_eq!(end(argv("/no/such/gen")).await, ("not_found".to_owned(), gone));
    let (error_type, message) = end(argv("lost")).await;
    assert_eq!(error_type, "not_found");
    assert!(message.ends_with("; is there what its `#!` line names?"), "{message}");
    let (error_type, message) = end(argv("odd")).await;
    assert_eq!(error_type, "not_executable", "{message}");
    let none = json!({ "argv": ["sh"], "env_allow": [] });
    let message = "`sh` cannot be looked for: `env_allow` hands on no PATH".to_owned();
    assert_eq!(end(none).await, ("not_found".to_owned(), message));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_programs_run_at_a_time() {
    let one = async |at: usize| {
        let argv = json!(["sh", "-c", "read line; echo \"$line $0\"", at.to_string()]);
        let tried = call(json!({ "argv": argv, "stdin": format!("{at}\n") })).await;
        assert_eq!(tried.value(), format!("{at} {at}\n"));
    };
    futures::future::join_all((0..64).map(one)).await;
}

#[tokio::test]
async fn a_wrong_input_is_named() {
    let cases = [
        (json!({}), "`argv` is not given"),
        (json!({ "argv": "ls -l" }), "`argv` is \"ls -l\", not a list"),
        (json!({ "argv": [] }), "`argv` names no program"),
        (
            json!({ "argv": ["head", 5] }),
            "`argv[1]` is 5, not a text; put it in quotes, or `| string` behind an expression",
        ),
        (json!({ "argv": ["a\0b"] }), "`argv[0]` has a zero byte, which no program can be given"),
        (
            json!({ "env": { "A": 1 } }),
            "`env.A` is 1, not a text; put it in quotes, or `| string` behind an expression",
        ),
        (json!({ "env": { "A=B": "" } }), "`env` names a variable \"A=B\", which cannot be"),
        (
            json!({ "output": "yaml" }),
            "`output` is \"yaml\"; it may be `text`, `json`, `lines`, `none`",
        ),
        (json!({ "output_bytes_max": -1 }), "`output_bytes_max` is -1"),
        (json!({ "ok_codes": [256] }), "`ok_codes[0]` is 256, no exit code; those are 0 to 255"),
        (json!({ "reject_codes": [0] }), "0 is in both `ok_codes` and `reject_codes`"),
        (json!({ "files": { "../x": "" } }), "`files` names \"../x\", which is no plain file name"),
        (json!({ "files": { "/x": "" } }), "`files` names \"/x\", which is no plain file name"),
        (json!({ "files": { "": "" } }), "`files` names \"\", which is no plain file name"),
        (json!({ "read": [".."] }), "`read` names \"..\", which is no plain file name"),
        (json!({ "read": ["x/"] }), "`read` names \"x/\", which is no plain file name"),
        (
            json!({ "timeout": "soon" }),
            "`timeout` is \"soon\", not a time span such as `250ms` or `2s`",
        ),
    ];
    for (mut inputs, problem) in cases {
        if inputs.as_object().is_some_and(|it| !it.is_empty() && !it.contains_key("argv")) {
            inputs["argv"] = json!(["true"]);
        }
        let message = format!("an input of `command`: {problem}");
        assert_eq!(call(inputs).await.end(), ("error", "invalid", &*message));
    }
}
