//! A child process that prints one JSON line per acknowledged run, and is killed at some moment.
//! What it had put into the pipe by then counts as acknowledged.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::thread::JoinHandle;
use std::time::Duration;

use serde_json::Value;

use super::{Printed, text};

/// When a process is killed.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Until {
    /// After so many lines, or at its end if that comes first.
    Lines(u64),
    /// This long after its start: it may be opening, recovering, working or closing then.
    Micros(u64),
    /// Not at all.
    End,
}

/// A running child process and the lines it prints.
#[derive(Debug)]
pub(crate) struct Victim {
    child: Child,
    lines: Receiver<()>,
    reader: JoinHandle<Printed>,
}

impl Victim {
    pub(crate) fn start(mut command: Command) -> Self {
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let out = BufReader::new(child.stdout.take().unwrap());
        let (sender, lines) = channel();
        let reader = std::thread::spawn(move || {
            let mut printed = Printed::new();
            for line in out.lines().map_while(Result::ok) {
                // other lines, and one that was cut by the kill, tell nothing
                let Ok(run) = serde_json::from_str::<Value>(&line) else { continue };
                if run.get("run_id").is_some() {
                    printed.insert(text(&run, "run_id").to_owned(), run);
                    sender.send(()).ok();
                }
            }
            printed
        });
        Self { child, lines, reader }
    }

    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// Waits until it has printed so many more runs; `false` if it has ended before.
    pub(crate) fn wait_for(&self, lines: u64) -> bool {
        (0..lines).all(|_| self.lines.recv().is_ok())
    }

    /// Kills it at that moment with SIGKILL; gives what it printed, and how it ended.
    pub(crate) fn kill(mut self, until: Until) -> (Printed, ExitStatus) {
        match until {
            Until::Lines(lines) => drop(self.wait_for(lines)),
            // no wait for anything: any moment is right
            Until::Micros(us) => std::thread::sleep(Duration::from_micros(us)),
            Until::End => while self.wait_for(1) {},
        }
        if !matches!(until, Until::End) {
            self.child.kill().unwrap();
        }
        let output = self.child.wait_with_output().unwrap();
        let printed = self.reader.join().unwrap();
        let errors = String::from_utf8_lossy(&output.stderr);
        let killed = output.status.code().is_none();
        assert!(killed || output.status.success(), "{}: {errors}", output.status);
        assert!(!errors.contains("panicked"), "{errors}");
        (printed, output.status)
    }
}
