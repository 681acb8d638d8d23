//! The whole path through the program: a folder of contracts in, packages and rows out. What a kill
//! leaves is told in `store::kill`.

use std::collections::BTreeSet;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};

use serde_json::Value;

use crate::program::{Place, Until, Victim, by_run, lines, samples, text};

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

/// One row per contract of the set, each finished, whatever was killed on the way.
fn assert_complete(place: &Place, batch_id: &str, contracts: i64) {
    let of = |what: &str| {
        let query = format!("SELECT count(*) AS n FROM runs WHERE batch_id = '{batch_id}' {what}");
        place.count(&query)
    };
    assert_eq!(of("AND result IN ('success', 'failure')"), contracts, "one finished run each");
    assert_eq!(of(""), contracts, "and none besides");
}

/// Runs that did the work, by contract, of whatever batch.
fn done(place: &Place) -> Vec<(String, i64)> {
    let query = "SELECT contract_name, count(*) AS n FROM runs
                 WHERE NOT cached AND result IN ('success', 'failure') GROUP BY 1 ORDER BY 1";
    let rows = place.sql(query);
    rows.iter()
        .map(|it| (text(it, "contract_name").to_owned(), it["n"].as_i64().unwrap()))
        .collect()
}

#[test]
fn a_killed_replay_goes_on_and_does_nothing_twice() {
    const CONTRACTS: u64 = 24 * 3;
    let place = Place::new();
    place.contracts(3);
    let replay = |more: &[&str]| {
        let args = [&["replay", "set", "--format", "ndjson", "--jobs", "1"], more].concat();
        Victim::start(place.command(&args))
    };
    let (mut printed, status) = replay(&[]).kill(Until::Lines(6));
    assert!(status.code().is_none());
    // the second one is killed, too: it has taken over what the first one had finished
    let (second, status) = replay(&["--resume", "last"]).kill(Until::Lines(14));
    assert!(status.code().is_none());
    let taken = second.values().filter(|it| it["cached"] == true).count();
    assert!(taken >= printed.len(), "what was printed was finished: {taken}");
    printed.extend(second);
    let (last, status) = replay(&["--resume", "last"]).kill(Until::End);
    assert!(status.success());
    let batch_id = text(last.values().next().unwrap(), "batch_id").to_owned();
    assert_eq!(last.len() as u64, CONTRACTS);
    assert_complete(&place, &batch_id, CONTRACTS as i64);
    let done = done(&place);
    assert_eq!(done.len() as u64, CONTRACTS);
    assert!(done.iter().all(|(_, times)| *times == 1), "done twice: {done:?}");
    printed.extend(last);
    place.assert_whole(&printed);
    place.assert_checked();

    // what belongs to the runs came with them: a batch that nobody killed has the same
    let (whole, status) = replay(&["--name", "whole"]).kill(Until::End);
    assert!(status.success());
    let whole_id = text(whole.values().next().unwrap(), "batch_id").to_owned();
    let said = |batch_id: &str| {
        place.sql(&format!(
            "SELECT r.contract_name, r.result, r.quality_score, r.output_digest, r.note_count,
                    (SELECT count(*) FROM issues i WHERE i.run_id = r.run_id) AS issues,
                    (SELECT count(*) FROM scores s WHERE s.run_id = r.run_id) AS scores
             FROM runs r WHERE r.batch_id = '{batch_id}' ORDER BY 1"
        ))
    };
    assert_eq!(said(&batch_id), said(&whole_id));
    let batch = &place.sql("SELECT * FROM batches WHERE resumed_from IS NOT NULL")[0];
    assert_eq!(text(batch, "batch_id"), batch_id);
    assert!(batch["cached"].as_i64().unwrap() >= 6, "{batch}");
    assert_eq!(batch["succeeded"], CONTRACTS);

    // a batch that ended well is taken over whole, and its times are those of nobody
    let output = place.run(&["replay", "set", "--resume", &whole_id[..], "--format", "json"]);
    let summary: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(summary[0]["cached"], CONTRACTS, "{summary}");
    assert_eq!(summary[0]["p99_ms"], Value::Null, "{summary}");
    assert_eq!(
        place.count(
            "SELECT count(*) AS n FROM steps WHERE run_id IN
                            (SELECT run_id FROM runs WHERE cached)"
        ),
        0
    );
}

#[cfg(unix)]
#[test]
fn what_has_changed_or_is_gone_is_done_again() {
    let place = Place::new();
    place.contracts(1);
    let set = place.root.path().join("set");
    std::fs::write(set.join("broken.yaml"), "name: [a\n").unwrap();
    std::os::unix::fs::symlink("gone", set.join("unreadable.yaml")).unwrap();
    assert_eq!(place.run(&["replay", "set"]).status.code(), Some(1));
    // one is another contract now, of one the package is gone, one could not be read
    let changed = set.join("0_price_order_compute.yaml");
    let before = std::fs::read_to_string(&changed).unwrap();
    std::fs::write(&changed, format!("{before}# changed\n")).unwrap();
    let package = place.root.path().join("generated/node_send_receipt0_effect");
    std::fs::remove_file(package.join("node.py")).unwrap();
    let output = place.run(&["replay", "set", "--resume", "last", "--format", "ndjson"]);
    assert_eq!(output.status.code(), Some(1), "one is broken still");
    let again: BTreeSet<_> = lines(&output)
        .iter()
        .filter(|it| it["cached"] == false)
        .map(|it| Path::new(text(it, "uri")).file_name().unwrap().to_owned())
        .collect();
    let expected = ["0_price_order_compute.yaml", "0_send_receipt_effect.yaml", "unreadable.yaml"];
    assert_eq!(again, expected.map(Into::into).into());
    let taken = lines(&output).into_iter().find(|it| text(it, "uri").ends_with("broken.yaml"));
    assert_eq!(taken.unwrap()["result"], "failure", "a no is an answer, too");
    assert!(package.join("node.py").is_file());
    // two of the same content are two contracts of the set
    std::fs::copy(set.join("0_stock_level_reducer.yaml"), set.join("twin.yaml")).unwrap();
    let output = place.run(&["replay", "set", "--resume", "last", "--format", "ndjson"]);
    let again = lines(&output).iter().filter(|it| it["cached"] == false).count();
    assert_eq!(again, 2, "the twin, and what cannot be read");
}

#[test]
fn a_batch_that_cannot_be_gone_on_with_is_told() {
    let place = Place::new();
    let fails = |args: &[&str], expected: &[&str]| {
        let output = place.run(&[&["replay"], args].concat());
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(matches!(output.status.code(), Some(1 | 2)), "{args:?}: {said}");
        assert!(expected.iter().all(|it| said.contains(it)), "{args:?}: {said}");
    };
    let samples = samples();
    fails(&[&samples, "--resume", "last"], &["no batch of node_generation", "Leave out --resume"]);
    let output = place.run(&["replay", &samples, "--format", "ndjson"]);
    let batch_id = text(&lines(&output)[0], "batch_id").to_owned();
    fails(&[&samples, "--resume", "nothing"], &["there is no batch \"nothing\"", &batch_id]);
    std::fs::write(place.root.path().join("other.yaml"), "name: other\n").unwrap();
    let hints = ["has nothing to take over: its contracts are others", "leave out --resume"];
    fails(&["other.yaml", "--resume", &batch_id[..13]], &hints);
    fails(&[&samples, "--resume", "last", "--resume", "last"], &["cannot be used multiple times"]);
    let runs = place.root.path().join("foreign.csv");
    let columns = "run_id,batch_id,pipeline_name,tool_version,result,degraded,cached,start_time,\
                   end_time,duration_ns,queue_ns,work_ns,critical_path_ns,strategy,error_count,\
                   warning_count,note_count";
    let row = "r1,nightly,another,1,success,false,false,2026-01-01T00:00:00Z,2026-01-01T00:00:00Z,\
               0,0,0,0,ready_queue,0,0,0";
    std::fs::write(&runs, format!("{columns}\n{row}\n")).unwrap();
    assert!(place.run(&["import", "runs", "foreign.csv"]).status.success());
    let expected = ["batch nightly is one of another, not of node_generation", &batch_id[..]];
    fails(&[&samples, "--resume", "nightly"], &expected);
}
