//! The whole path through the program: a folder of contracts in, packages and rows out. What a kill
//! leaves is told in `store::kill`.

use std::collections::BTreeSet;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};

use serde_json::Value;

use crate::program::{Place, by_run, lines, samples, text};

#[test]
fn a_folder_of_contracts_becomes_packages_and_rows() {
    let place = Place::new();
    let output = place.run(&["replay", &samples(), "--format", "ndjson"]);
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{said}");
    assert_eq!(said, "", "nothing is said on success when nobody looks");
    let printed = by_run(lines(&output));
    let files = std::fs::read_dir(samples()).unwrap().flatten();
    let files = files.filter(|it| it.path().extension().is_some_and(|it| it == "yaml")).count();
    assert_eq!(printed.len(), files);
    place.assert_whole(&printed);
    for run in printed.values() {
        assert_eq!(text(run, "result"), "success", "{run}");
        let folder = place.root.path().join(text(run, "folder"));
        assert!(folder.join("node.py").is_file(), "{folder:?}");
    }
    let kinds: BTreeSet<_> = printed.values().map(|it| text(it, "node_type")).collect();
    assert_eq!(kinds, BTreeSet::from(["COMPUTE", "EFFECT", "ORCHESTRATOR", "REDUCER"]));
    assert_eq!(place.count("SELECT count(*) AS n FROM batches WHERE result = 'success'"), 1);
    assert_eq!(
        place.count("SELECT count(*) AS n FROM scores WHERE name = 'overall'"),
        i64::try_from(files).unwrap()
    );
    // The sketches count what the steps count.
    assert_eq!(
        place.count("SELECT sum(count) AS n FROM step_latency"),
        place.count("SELECT count(*) AS n FROM steps"),
    );
}

#[test]
fn the_summary_is_what_sql_says() {
    let place = Place::new();
    let output = place.run(&["replay", &samples(), "--format", "json"]);
    assert!(output.status.success());
    let printed: Value = serde_json::from_slice(&output.stdout).unwrap();
    let batch = place.sql("SELECT batch_id FROM batches");
    let batch = format!("batch_id={}", text(batch.first().unwrap(), "batch_id"));
    let asked = place.run(&["query", "batch_summary", &batch, "--format", "json"]);
    assert!(asked.status.success(), "{}", String::from_utf8_lossy(&asked.stderr));
    let asked: Value = serde_json::from_slice(&asked.stdout).unwrap();
    assert_eq!(printed, asked);
}

#[test]
fn bad_files_of_a_set_get_a_row_and_the_others_are_done() {
    let place = Place::new();
    let set = place.root.path().join("set");
    std::fs::create_dir(&set).unwrap();
    let sample = std::fs::read_dir(samples()).unwrap().flatten().map(|it| it.path());
    let sample = sample
        .filter(|it| it.extension().is_some_and(|it| it == "yaml"))
        .find(|it| !std::fs::read_to_string(it).unwrap().contains("!include"))
        .unwrap();
    std::fs::copy(sample, set.join("good.yaml")).unwrap();
    std::fs::write(set.join("binary.yaml"), [0_u8, 159, 146, 150, 0, 1]).unwrap();
    std::fs::write(set.join("empty.yaml"), "").unwrap();
    std::fs::write(set.join("list.yaml"), "- a\n- b\n").unwrap();
    std::fs::write(set.join("broken.yaml"), "name: [a\n").unwrap();
    let escape = "name: a\nnode_type: compute\nx: !include ../../etc/passwd\n";
    std::fs::write(set.join("climb.yaml"), escape).unwrap();
    let evil = "name: ../../evil\nnode_type: COMPUTE_GENERIC\ncontract_version: {major: 1, minor: 0, patch: 0}\n";
    std::fs::write(set.join("evil.yaml"), evil).unwrap();
    let huge = std::fs::File::create(set.join("huge.yaml")).unwrap();
    huge.set_len(60 << 20).unwrap();
    #[cfg(unix)]
    {
        std::os::unix::fs::symlink("loop.yaml", set.join("loop.yaml")).unwrap();
        std::os::unix::fs::symlink("gone", set.join("vanished.yaml")).unwrap();
    }
    let output = place.run(&["replay", "set", "--format", "ndjson"]);
    assert_eq!(output.status.code(), Some(1), "{}", String::from_utf8_lossy(&output.stderr));
    let printed = by_run(lines(&output));
    assert_eq!(printed.len(), std::fs::read_dir(&set).unwrap().count());
    place.assert_whole(&printed);
    for run in printed.values() {
        let uri = text(run, "uri");
        if uri.ends_with("good.yaml") {
            assert_eq!(text(run, "result"), "success", "{run}");
        } else if !uri.ends_with("evil.yaml") {
            assert_ne!(text(run, "result"), "success", "{run}");
            assert!(!text(run, "error_message").is_empty(), "{run}");
        }
    }
    assert!(!place.root.path().join("evil").exists());
    let out = place.root.path().join("generated");
    for entry in std::fs::read_dir(out).unwrap().flatten() {
        assert!(entry.file_name().to_string_lossy().starts_with("node_"), "{entry:?}");
    }
}

#[cfg(unix)]
#[test]
fn a_signal_to_end_is_obeyed_and_recorded() {
    for signal in ["INT", "TERM"] {
        let place = Place::new();
        let set = place.root.path().join("set");
        std::fs::create_dir(&set).unwrap();
        // more lines than a pipe holds: the replay cannot end before its lines are read
        for n in 0..400 {
            std::fs::write(set.join(format!("c{n}.yaml")), format!("a: {n}\n")).unwrap();
        }
        let mut child = place
            .command(&["replay", "set", "--format", "ndjson", "--jobs", "1"])
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut reader = BufReader::new(child.stdout.take().unwrap());
        let mut line = String::new();
        reader.read_line(&mut line).unwrap();
        let pid = child.id().to_string();
        let sent = Command::new("kill").args(["-s", signal, &pid]).status().unwrap();
        assert!(sent.success());
        let printed = 1 + reader.lines().map_while(Result::ok).count();
        let output = child.wait_with_output().unwrap();
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(130), "{signal}: {stderr}");
        assert!(stderr.contains("interrupted"), "{stderr}");
        assert!(printed < 400, "all was done before {signal}");
        let batch = &place.sql("SELECT result, succeeded + failed AS done FROM batches")[0];
        assert_eq!(text(batch, "result"), "cancellation");
        assert_eq!(batch["done"], printed, "{signal}");
    }
}

/// A full disk behind stdout ends the batch, and not the runs in the middle of their work.
#[cfg(target_os = "linux")]
#[test]
fn a_batch_that_cannot_print_is_ended_and_recorded() {
    let place = Place::new();
    let full = std::fs::File::options().write(true).open("/dev/full").unwrap();
    let output = place
        .command(&["replay", &samples(), "--format", "ndjson", "--jobs", "1"])
        .stdout(full)
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&output.stderr).contains("cannot write to stdout"));
    assert_eq!(place.count("SELECT count(*) AS n FROM batches"), 1);
    // the next writer ends what has no end
    let output = place.run(&["run", &format!("{}/no.yaml", samples())]);
    assert_eq!(output.status.code(), Some(1));
    let abandoned = "SELECT count(*) AS n FROM runs WHERE error_type = 'abandoned'";
    assert_eq!(place.count(abandoned), 0);
}

#[test]
fn every_real_contract_gets_a_row() {
    let Some(corpus) = std::env::var_os("GENSTORE_CORPUS") else {
        eprintln!("skipped: GENSTORE_CORPUS names no folder of real contracts");
        return;
    };
    let place = Place::new();
    let set = Path::new(&corpus).join("real");
    let output = place.run(&["replay", &set.display().to_string(), "--format", "ndjson"]);
    let printed = by_run(lines(&output));
    let yaml = |it: &std::fs::DirEntry| it.path().extension().is_some_and(|it| it == "yaml");
    assert_eq!(printed.len(), std::fs::read_dir(&set).unwrap().flatten().filter(yaml).count());
    place.assert_whole(&printed);
    let odd = place.sql(
        "SELECT error_type, error_message FROM runs WHERE result NOT IN ('success', 'failure')",
    );
    assert!(odd.is_empty(), "a real contract is judged, never an error: {odd:?}");
}
