//! A program from its start to its end, with everyone in its process group. What its end means is
//! for `answer`.

use std::future::pending;
use std::io::{self, ErrorKind};
use std::path::Path;
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use nix::errno::Errno;
use tokio::process::{Child, Command};
use tokio::time::{sleep, timeout};

use super::super::super::cancel::Cancel;
use super::super::super::failure::StepError;
use super::group::Group;
use super::order::{Form, Order};
use super::streams::{Excess, Streams};

/// How long a killed program may take to be gone before it is left to the runtime to bury.
const BURIAL: Duration = Duration::from_secs(5);

/// What is left of a program.
#[derive(Debug)]
pub(super) struct Ended {
    pub(super) end: End,
    pub(super) stdout: Vec<u8>,
    /// The last of what it wrote there.
    pub(super) stderr: String,
}

/// How it came to an end.
#[derive(Debug)]
pub(super) enum End {
    /// By itself, or by a signal that did not come from here.
    Exit(ExitStatus),
    TimedOut,
    Cancelled,
    TooMuch,
    /// It could not be listened to, or not be waited for.
    Lost(io::Error),
}

impl From<Excess> for End {
    fn from(excess: Excess) -> Self {
        match excess {
            Excess::TooMuch => Self::TooMuch,
            Excess::Broken(error) => Self::Lost(error),
        }
    }
}

/// Runs the program of an order, which is at `path`; takes the order's stdin. Nothing of its group
/// is left when this returns or is dropped.
pub(super) async fn run(
    order: &mut Order,
    path: &Path,
    cancel: &Cancel,
) -> Result<Ended, StepError> {
    let input = order.stdin.take();
    let mut child = start(order, path, input.is_some())?;
    // nothing is awaited in between: from the start on a drop ends the group. It is declared after
    // the child and so dropped before it, while the number of the group cannot be another's
    let mut group = Group::of(&child);
    let mut streams = Streams::of(&mut child, input, order.output_bytes_max);
    let stop = tokio::select! {
        biased;
        // first those that end it: reading may use up the turn of the task every time
        status = child.wait() => status.map_err(End::Lost),
        () = cancel.cancelled() => Err(End::Cancelled),
        () = after(order.timeout) => Err(End::TimedOut),
        excess = streams.excess() => Err(excess.into()),
    };
    let end = match stop {
        Ok(status) => {
            // someone whom it left behind may hold the pipes, and may have something to say
            let rest = timeout(order.grace, streams.rest()).await;
            group.end();
            match rest {
                Ok(Err(excess)) => excess.into(),
                Ok(Ok(())) | Err(_) => End::Exit(status),
            }
        }
        Err(end) => {
            group.ask();
            tokio::select! {
                biased;
                _ = child.wait() => {}
                () = sleep(order.grace) => {}
                _ = streams.serve_out() => {}
            }
            group.end();
            // the leader may have gone to another group
            child.start_kill().ok();
            timeout(BURIAL, child.wait()).await.ok();
            // its last words
            timeout(order.grace, streams.rest()).await.ok();
            end
        }
    };
    let (stdout, stderr) = streams.into_written();
    Ok(Ended { end, stdout, stderr })
}

async fn after(time: Option<Duration>) {
    match time {
        Some(time) => sleep(time).await,
        None => pending().await,
    }
}

fn start(order: &Order, path: &Path, has_input: bool) -> Result<Child, StepError> {
    let piped_if = |wanted| if wanted { Stdio::piped() } else { Stdio::null() };
    let mut command = Command::new(path);
    command
        .arg0(&order.program)
        .args(&order.arguments)
        .env_clear()
        .envs(&order.variables)
        .stdin(piped_if(has_input))
        .stdout(piped_if(order.form != Form::None))
        .stderr(Stdio::piped())
        .process_group(0)
        .kill_on_drop(true);
    if let Some(cwd) = &order.cwd {
        command.current_dir(cwd);
    }
    command.spawn().map_err(|error| not_started(path, &error))
}

/// Errors of a full machine pass; others stay.
fn not_started(path: &Path, error: &io::Error) -> StepError {
    let path = path.display();
    let passing = [Errno::EAGAIN, Errno::EMFILE, Errno::ENFILE, Errno::ENOMEM, Errno::ETXTBSY];
    let errno = error.raw_os_error().map(Errno::from_raw);
    if errno.is_some_and(|it| passing.contains(&it)) {
        return StepError::transient("spawn", format!("`{path}` cannot be started now: {error}"));
    }
    let (error_type, hint) = match (errno, error.kind()) {
        (Some(Errno::ENOEXEC), _) => ("not_executable", "; a script begins with `#!`"),
        (_, ErrorKind::PermissionDenied) => ("not_executable", ""),
        (_, ErrorKind::NotFound) => ("not_found", "; is there what its `#!` line names?"),
        _ => ("spawn", ""),
    };
    StepError::permanent(error_type, format!("`{path}` cannot be started: {error}{hint}"))
}
