//! Tests of how programs and their groups come to an end: by themselves, by a signal, by a limit,
//! by a wish, by a drop. That nobody is left is seen by a pipe that everyone of the group holds
//! open.

use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::os::unix::fs::OpenOptionsExt;
use std::path::PathBuf;

use nix::fcntl::OFlag;
use nix::sys::signal::kill;
use nix::unistd::Pid;
use tokio::sync::oneshot;

use super::super::end_programs;
use super::*;

/// Everyone of a group holds it open as file 9.
const HELD: &str = "exec 9>\"$WITNESS\"; echo $$ >&9;";

/// Who says so hears no SIGTERM, and neither do its children.
const DEAF: &str = "trap '' TERM";

/// A named pipe, and who listens at it.
struct Witness {
    path: PathBuf,
    started: Option<oneshot::Receiver<Pid>>,
    gone: oneshot::Receiver<()>,
    _folder: tempfile::TempDir,
}

impl Witness {
    async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("witness");
        call(json!({ "argv": ["mkfifo", path] })).await.value();
        let (tell_started, started) = oneshot::channel();
        let (tell_gone, gone) = oneshot::channel();
        let pipe = path.clone();
        std::thread::spawn(move || {
            let mut pipe = BufReader::new(File::open(pipe).unwrap());
            let mut line = String::new();
            pipe.read_line(&mut line).unwrap();
            if let Ok(leader) = line.trim().parse() {
                tell_started.send(Pid::from_raw(leader)).unwrap();
            }
            pipe.read_to_end(&mut Vec::new()).unwrap();
            tell_gone.send(()).unwrap();
        });
        Self { path, started: Some(started), gone, _folder: folder }
    }

    /// A script whose whole group is watched.
    fn inputs(&self, script: &str, inputs: Json) -> Json {
        self.trapping(":", script, inputs)
    }

    /// The same, which sets a trap before it says that it has started.
    fn trapping(&self, trap: &str, script: &str, mut inputs: Json) -> Json {
        inputs["argv"] = json!(["sh", "-c", format!("{trap}; {HELD} {script}")]);
        inputs["env"] = json!({ "WITNESS": self.path });
        inputs
    }

    /// Waits until the program runs; gives the number of its process.
    async fn started(&mut self) -> Pid {
        let started = self.started.take().unwrap();
        tokio::time::timeout(Duration::from_secs(60), started).await.expect("it starts").unwrap()
    }

    /// Waits until nobody of the group is left.
    async fn gone(self) {
        // on a busy machine a timeout may be over before the script has begun: then nobody has
        // opened the pipe, and nobody will
        File::options().write(true).custom_flags(OFlag::O_NONBLOCK.bits()).open(&self.path).ok();
        tokio::time::timeout(Duration::from_secs(60), self.gone).await.expect("all end").unwrap();
    }
}

#[tokio::test]
async fn a_signal_that_a_program_dies_of_is_named() {
    let dies = async |signal: &str| {
        let script = format!("echo last words >&2; kill -{signal} $$");
        let retry = Retry { attempts_max: 2, ..Retry::default() };
        let step = command(json!({ "argv": ["sh", "-c", script] })).with_retry(retry);
        run(step, &Cancel::new()).await
    };
    let killed = dies("KILL").await;
    assert_eq!(killed.end(), ("error", "signal", "`sh` was ended by SIGKILL: last words"));
    assert_eq!(killed.results(), ["error", "error"], "another attempt may go well");
    let aborted = dies("ABRT").await;
    assert_eq!(aborted.end(), ("error", "signal", "`sh` was ended by SIGABRT: last words"));
    assert_eq!(aborted.results(), ["error"], "its own fault");
}

#[tokio::test]
async fn a_timeout_asks_the_group_to_end() {
    let witness = Witness::new().await;
    // the grace is never over: whoever is asked goes
    let inputs =
        witness.inputs("sleep 1000 & sleep 1000", json!({ "timeout": "200ms", "grace": "1h" }));
    let tried = call(inputs).await;
    let message = "`sh` had no end within 200ms and was ended";
    assert_eq!(tried.end(), ("timeout", "timeout", message));
    witness.gone().await;
}

#[tokio::test]
async fn who_does_not_hear_is_killed_after_the_grace() {
    let witness = Witness::new().await;
    let script = "sleep 1000 & while :; do sleep 1000; done";
    let inputs = witness.trapping(DEAF, script, json!({ "timeout": "1s", "grace": "100ms" }));
    assert_eq!(call(inputs).await.results(), ["timeout"]);
    witness.gone().await;
}

#[tokio::test]
async fn a_stopped_program_hears_it_too() {
    let witness = Witness::new().await;
    let inputs = witness.inputs("kill -STOP $$", json!({ "timeout": "100ms", "grace": "1h" }));
    assert_eq!(call(inputs).await.results(), ["timeout"]);
    witness.gone().await;
}

#[tokio::test]
async fn a_wish_to_stop_ends_the_group() {
    let (mut witness, cancel) = (Witness::new().await, Cancel::new());
    let trap = "trap 'echo I go >&2; exit 0' TERM";
    let inputs = witness.trapping(trap, "sleep 1000 & wait", json!({ "grace": "1h" }));
    let wish = async {
        witness.started().await;
        cancel.cancel();
    };
    let (tried, ()) = tokio::join!(run(command(inputs), &cancel), wish);
    let message = "`sh` was ended by the wish to stop: I go";
    assert_eq!(tried.end(), ("cancellation", "cancelled", message));
    witness.gone().await;
}

#[tokio::test]
async fn a_program_that_is_deaf_to_the_wish_outlives_no_run() {
    let (mut witness, cancel) = (Witness::new().await, Cancel::new());
    let script = "while :; do sleep 1000; done";
    // the run's own grace of a second is over first
    let inputs = witness.trapping(DEAF, script, json!({ "grace": "1h" }));
    let wish = async {
        witness.started().await;
        cancel.cancel();
    };
    let (tried, ()) = tokio::join!(run(command(inputs), &cancel), wish);
    assert_eq!(tried.results(), ["cancellation"]);
    witness.gone().await;
}

#[tokio::test]
async fn the_timeout_of_the_step_kills_the_group() {
    let witness = Witness::new().await;
    let script = "sleep 1000 & while :; do sleep 1000; done";
    let step = command(witness.trapping(DEAF, script, json!({ "grace": "1h" })));
    let policy = Policy { timeout: Some(Duration::from_millis(200)), ..Policy::default() };
    let tried = run(step.with_policy(policy), &Cancel::new()).await;
    assert_eq!(tried.end(), ("timeout", "timeout", "no answer within 200ms"));
    witness.gone().await;
}

#[tokio::test]
async fn a_drop_kills_the_group_and_leaves_no_zombie() {
    let mut witness = Witness::new().await;
    let inputs = witness.trapping(DEAF, "sleep 1000 & sleep 1000", json!({}));
    let cancel = Cancel::new();
    let run = run(command(inputs), &cancel);
    let leader = tokio::select! {
        _ = run => panic!("it does not end by itself"),
        leader = witness.started() => leader,
    };
    witness.gone().await;
    // a process that has ended but was not waited for is still there
    let buried = async {
        while kill(leader, None).is_ok() {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(60), buried).await.expect("it is waited for");
}

#[tokio::test]
async fn a_runtime_that_goes_takes_its_programs_with_it() {
    let mut witness = Witness::new().await;
    let inputs = witness.trapping(DEAF, "sleep 1000 & sleep 1000", json!({}));
    let (tell, told) = oneshot::channel();
    let thread = std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.spawn(async move { run(command(inputs), &Cancel::new()).await.rows.len() });
        runtime.block_on(told).unwrap();
    });
    witness.started().await;
    tell.send(()).unwrap();
    thread.join().unwrap();
    witness.gone().await;
}

#[tokio::test]
async fn what_a_program_leaves_behind_ends_with_it() {
    let witness = Witness::new().await;
    let script = "sleep 1000 </dev/null >/dev/null 2>&1 & echo done";
    let tried = call(witness.trapping(DEAF, script, json!({ "grace": "1h" }))).await;
    assert_eq!(tried.value(), "done\n");
    witness.gone().await;
}

#[tokio::test]
async fn a_child_that_keeps_the_pipes_open_is_not_waited_for() {
    let witness = Witness::new().await;
    let tried = call(witness.inputs("sleep 1000 & echo done", json!({ "grace": "50ms" }))).await;
    assert_eq!(tried.value(), "done\n");
    witness.gone().await;
}

#[tokio::test]
async fn a_child_may_say_its_last_within_the_grace() {
    // a process is there until it was waited for
    let script = "(while kill -0 $$ 2>&-; do :; done; echo late) & echo early";
    let tried = sh(script, json!({ "grace": "1h" })).await;
    assert_eq!(tried.value(), "early\nlate\n");
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn a_child_that_has_left_the_group_is_not_waited_for() {
    let start = std::time::Instant::now();
    let tried = sh("setsid sleep 20 & echo done", json!({ "grace": "50ms" })).await;
    assert_eq!(tried.value(), "done\n");
    assert!(start.elapsed() < Duration::from_secs(15), "it still sleeps: {:?}", start.elapsed());
}

#[tokio::test]
async fn too_much_output_ends_the_program() {
    let limit = "`sh` wrote more than 1000 bytes to stdout and was ended; `output_bytes_max` sets \
                 the limit";
    let endless = [
        ("yes", "1h"),
        ("trap '' TERM PIPE; while :; do echo more; done 2>/dev/null", "50ms"),
        ("yes & yes & wait", "50ms"),
        // it has ended by itself, and what it wrote is still too much
        ("printf '%01001d' 0", "1h"),
    ];
    for (script, grace) in endless {
        let witness = Witness::new().await;
        let inputs = witness.inputs(script, json!({ "output_bytes_max": 1000, "grace": grace }));
        assert_eq!(call(inputs).await.end(), ("error", "output_size", limit), "{script}");
        witness.gone().await;
    }
    let fits = sh("printf '%01000d' 0", json!({ "output_bytes_max": 1000 })).await;
    assert_eq!(fits.value().as_str().unwrap().len(), 1_000);
}

#[tokio::test]
async fn a_gigabyte_is_cut_or_thrown_away() {
    let flood = |form| json!({ "argv": ["head", "-c", "1000000000", "/dev/zero"], "output": form });
    let cut = call(flood("text")).await;
    let limit = "`head` wrote more than 16777216 bytes to stdout and was ended; \
                 `output_bytes_max` sets the limit";
    assert_eq!(cut.end(), ("error", "output_size", limit));
    assert_eq!(call(flood("none")).await.value(), Json::Null);
}

#[tokio::test]
async fn endless_stderr_is_no_output_and_hides_no_wish() {
    let (mut witness, cancel) = (Witness::new().await, Cancel::new());
    let long = "yes on and on | head -n 100000 >&2";
    let inputs = witness.trapping(long, "yes on and on >&2", json!({}));
    let wish = async {
        witness.started().await;
        cancel.cancel();
    };
    let (tried, ()) = tokio::join!(run(command(inputs), &cancel), wish);
    let (result, _, message) = tried.end();
    assert_eq!(result, "cancellation");
    let begin = "`sh` was ended by the wish to stop: … on and on\non and on\n";
    assert!(message.starts_with(begin), "{message}");
    assert!(message.len() < 9_000, "{}", message.len());
    witness.gone().await;
}

const LEAVER: &str = "GENSTORE_TEST_LEAVER_WITNESS";

/// Not a test by itself: the process that leaves in a hurry when it is told to. Does nothing unless
/// another test starts it.
#[tokio::test]
async fn process_that_leaves() {
    let Some(witness) = std::env::var_os(LEAVER) else { return };
    let script = format!("{DEAF}; {HELD} sleep 1000 & sleep 1000");
    let env = json!({ "WITNESS": witness.to_str().unwrap() });
    let told = tokio::task::spawn_blocking(|| std::io::stdin().read_line(&mut String::new()));
    tokio::select! {
        _ = call(json!({ "argv": ["sh", "-c", script], "env": env })) => panic!("it ends by itself"),
        _ = told => {
            end_programs();
            std::process::exit(0);
        }
    }
}

#[tokio::test]
async fn a_process_that_leaves_in_a_hurry_can_end_its_programs() {
    let mut witness = Witness::new().await;
    let this = module_path!().split_once("::").unwrap().1;
    let mut leaver = tokio::process::Command::new(std::env::current_exe().unwrap())
        .args(["--exact", &format!("{this}::process_that_leaves"), "--nocapture"])
        .env(LEAVER, &witness.path)
        .stdin(std::process::Stdio::piped())
        .stdout(std::process::Stdio::null())
        .spawn()
        .unwrap();
    witness.started().await;
    drop(leaver.stdin.take()); // tells it
    assert!(leaver.wait().await.unwrap().success());
    witness.gone().await;
}
