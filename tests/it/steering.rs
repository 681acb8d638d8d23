//! Work that is paused, goes on, is ended and is left, by signals to the real program.
#![cfg(unix)]

use std::io::{BufRead, BufReader, Read, Write};
use std::process::{Child, ChildStderr, Command, Stdio};
use std::time::{SystemTime, UNIX_EPOCH};

use crate::program::{Place, lines};

/// The program at work, and what it says.
struct Working {
    child: Child,
    said: BufReader<ChildStderr>,
}

impl Working {
    fn start(mut command: Command) -> Self {
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let said = BufReader::new(child.stderr.take().unwrap());
        Self { child, said }
    }

    /// Sends a signal, and waits until the program says that it has heard it.
    fn signal(&mut self, name: &str, expected: &str) {
        let pid = self.child.id().to_string();
        assert!(Command::new("kill").args(["-s", name, &pid]).status().unwrap().success());
        let mut line = String::new();
        self.said.read_line(&mut line).unwrap();
        assert_eq!(line, expected);
    }

    fn pause(&mut self) {
        self.signal("USR1", "paused: no step starts before SIGUSR2\n");
    }

    fn go_on(&mut self) {
        self.signal("USR2", "goes on\n");
    }

    /// Waits for its end; gives its exit code, and what else it said.
    fn end(mut self) -> (Option<i32>, String) {
        let mut rest = String::new();
        self.said.read_to_string(&mut rest).unwrap();
        (self.child.wait().unwrap().code(), rest)
    }
}

/// A step that works until somebody writes to a FIFO, and one after it.
const TWO: &str = "
name: two
parameters:
  - {name: folder, type: text}
steps:
  - name: first
    use: command
    with: {argv: [sh, -c, 'echo > began; cat go >> log'], cwd: \"{{ params.folder }}\"}
  - name: second
    use: command
    with: {argv: [sh, -c, 'echo second >> log'], cwd: \"{{ params.folder }}\"}
";

#[test]
fn a_pipeline_that_pauses_ends_what_works_and_starts_nothing() {
    let place = Place::new();
    let folder = place.root.path().to_path_buf();
    std::fs::write(folder.join("two.yaml"), TWO).unwrap();
    let fifos = [folder.join("began"), folder.join("go")];
    assert!(Command::new("mkfifo").args(&fifos).status().unwrap().success());
    let set = format!("folder={}", folder.display());
    let mut run = Working::start(place.command(&["pipeline", "run", "two.yaml", "--set", &set]));
    std::fs::read_to_string(&fifos[0]).unwrap();
    run.pause();
    std::fs::write(&fifos[1], "first\n").unwrap();
    // an output enters the journal when its step has ended; nothing is left to wait for then
    while place.count("SELECT count(*) AS n FROM artifacts") < 1 {}
    let mut log = std::fs::File::options().append(true).open(folder.join("log")).unwrap();
    log.write_all(b"paused\n").unwrap();
    run.go_on();
    assert_eq!(run.end(), (Some(0), String::new()));
    assert_eq!(std::fs::read_to_string(folder.join("log")).unwrap(), "first\npaused\nsecond\n");
}

fn now_us() -> u128 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_micros()
}

/// So many contracts that are none. They print more than a pipe holds: no replay ends before its
/// lines are read.
const CONTRACTS: usize = 400;

fn set(place: &Place) -> Vec<String> {
    std::fs::create_dir(place.root.path().join("set")).unwrap();
    let names = (0..CONTRACTS).map(|n| format!("set/{n}.yaml"));
    let write =
        |name: &String| std::fs::write(place.root.path().join(name), format!("a: {name}\n"));
    let names: Vec<_> = names.collect();
    names.iter().try_for_each(write).unwrap();
    names
}

#[test]
fn contracts_that_pause_go_on_and_lose_nothing() {
    let place = Place::new();
    let files = set(&place);
    let files: Vec<_> = files.iter().map(String::as_str).collect();
    for (verb, what) in [("replay", &["set"][..]), ("run", &files)] {
        let args = [&[verb, "--jobs", "1", "--format", "ndjson"], what].concat();
        let mut work = Working::start(place.command(&args));
        let mut printed = BufReader::new(work.child.stdout.take().unwrap());
        printed.read_line(&mut String::new()).unwrap();
        work.pause();
        let from_us = now_us();
        // each takes the time of many steps
        for _ in 0..3 {
            assert!(place.count("SELECT count(*) AS n FROM runs") > 0);
        }
        let until_us = now_us();
        work.go_on();
        assert_eq!(1 + printed.lines().map_while(Result::ok).count(), CONTRACTS, "{verb}");
        assert_eq!(work.end().0, Some(1), "no contract is one");
        let started = place.count(&format!(
            "SELECT count(*) AS n FROM steps
             WHERE CAST(start_time AS BIGINT) BETWEEN {from_us} AND {until_us}"
        ));
        assert!(started <= 1, "{verb}: {started} steps started in a pause, one was on its way");
    }
}

#[test]
fn a_batch_that_pauses_can_be_ended_and_gone_on_with() {
    let place = Place::new();
    set(&place);
    let replay = ["replay", "set", "--jobs", "1", "--format", "ndjson"];
    let mut work = Working::start(place.command(&replay));
    let mut printed = BufReader::new(work.child.stdout.take().unwrap());
    printed.read_line(&mut String::new()).unwrap();
    work.pause();
    let pid = work.child.id().to_string();
    assert!(Command::new("kill").args(["-s", "INT", &pid]).status().unwrap().success());
    let finished = 1 + printed.lines().map_while(Result::ok).count();
    assert_eq!(work.child.wait().unwrap().code(), Some(130));
    let row = &place.sql("SELECT result, failed FROM batches")[0];
    assert_eq!((&row["result"], &row["failed"]), (&"cancellation".into(), &finished.into()));
    let output = place.run(&[&replay[..], &["--resume", "last"]].concat());
    let taken = lines(&output).iter().filter(|it| it["cached"] == true).count();
    let cancelled = place.count("SELECT count(*) AS n FROM runs WHERE result = 'cancellation'");
    assert_eq!(taken as i64, finished as i64 - cancelled, "{cancelled} had not ended");
    assert_eq!(lines(&output).len(), CONTRACTS);
}

/// A step that says through a FIFO that it works, through another that it is to end, and does not
/// end; a third is open as long as anything of it lives.
const STUBBORN: &str = "
name: stubborn
parameters:
  - {name: folder, type: text}
steps:
  - name: hangs
    use: command
    with:
      argv: [sh, -c, 'exec 3> alive; trap \"echo > told\" TERM; echo > began;
        while :; do sleep 3600; done']
      cwd: \"{{ params.folder }}\"
";

#[test]
fn the_shell_leaves_the_work_at_the_second_wish() {
    let place = Place::new();
    let folder = place.root.path().to_path_buf();
    std::fs::write(folder.join("stubborn.yaml"), STUBBORN).unwrap();
    let script = format!(".pipeline stubborn.yaml folder={}\n", folder.display());
    std::fs::write(folder.join("script"), script).unwrap();
    let fifos = ["alive", "began", "told"].map(|it| folder.join(it));
    assert!(Command::new("mkfifo").args(&fifos).status().unwrap().success());
    let mut shell = place.command(&["repl", "--config", "workflow.grace=1h"]);
    shell.stdin(std::fs::File::open(folder.join("script")).unwrap());
    let shell = Working::start(shell);
    let pid = shell.child.id().to_string();
    let interrupt = || Command::new("kill").args(["-s", "INT", &pid]).status().unwrap().success();
    let mut alive = std::fs::File::open(&fifos[0]).unwrap();
    std::fs::read_to_string(&fifos[1]).unwrap();
    assert!(interrupt());
    std::fs::read_to_string(&fifos[2]).unwrap();
    assert!(interrupt());
    let (code, said) = shell.end();
    assert!(said.contains("left at once"), "it is the shell that ends, and says so: {said}");
    assert_eq!(code, Some(130));
    assert_eq!(alive.read_to_string(&mut String::new()).unwrap(), 0, "its program ends, too");
    assert!(place.run(&["pipeline", "run", "sequence"]).status.success());
    place.assert_checked();
}

#[test]
fn what_the_shell_has_run_can_be_asked_for_at_once() {
    let place = Place::new();
    let script = place.root.path().join("script");
    let text = ".mode csv\n.pipeline sequence count=4\nSELECT result FROM runs;\n.pipeline graph\n\
                SELECT count(*) AS n FROM runs;\n.pipeline sequence cuont=4\n";
    std::fs::write(&script, text).unwrap();
    let mut shell = place.command(&["repl"]);
    let output = shell.stdin(std::fs::File::open(&script).unwrap()).output().unwrap();
    let (said, printed) = (String::from_utf8(output.stderr), String::from_utf8(output.stdout));
    assert!(said.unwrap().contains("Did you mean `count`?"));
    let expected = "4 numbers, sum 6\nresult\nsuccess\n";
    let printed = printed.unwrap();
    assert!(printed.starts_with(expected) && printed.ends_with("n\n2\n"), "{printed}");
}
