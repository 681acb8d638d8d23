//! Work on a runtime of its own, steered by signals: Ctrl-C and SIGTERM end it, SIGUSR1 pauses it,
//! SIGUSR2 lets it go on. Knows nothing of the work.

use std::time::Duration;

#[cfg(unix)]
use tokio::signal::unix::{Signal, SignalKind, signal};

use super::{Context, tell};
use crate::error::{Error, ErrorKind, Result};
use crate::workflow::{Cancel, end_programs};

/// How long threads of work that was left have to end.
const PATIENCE: Duration = Duration::from_millis(100);

/// Runs `work`. The first wish to end cancels it, and what it has done is kept; the second ends the
/// process at once, or, in the shell, leaves the work where it is.
pub(super) fn block_on<T>(
    context: &Context,
    work: impl AsyncFnOnce(Cancel) -> Result<T>,
) -> Result<T> {
    run(context, Signals::to_end, work)
}

/// The same for work that can pause.
pub(super) fn steered<T>(
    context: &Context,
    work: impl AsyncFnOnce(Cancel) -> Result<T>,
) -> Result<T> {
    run(context, Signals::to_end_and_to_pause, work)
}

fn run<T>(
    context: &Context,
    signals: fn() -> std::io::Result<Signals>,
    work: impl AsyncFnOnce(Cancel) -> Result<T>,
) -> Result<T> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|source| Error::internal("cannot start a runtime").with_source(source))?;
    let mut left = false;
    let done = runtime.block_on(async {
        let cancel = Cancel::new();
        let signals = signals()
            .map_err(|source| Error::internal("cannot listen to signals").with_source(source))?;
        tokio::select! {
            result = work(cancel.clone()) => match result {
                Ok(_) if cancel.is_cancelled() => Err(Error::new(
                    ErrorKind::Interrupted,
                    "interrupted; every run that was reported is recorded",
                )),
                other => other,
            },
            () = obey(signals, &cancel, context) => {
                left = true;
                Err(Error::new(
                    ErrorKind::Interrupted,
                    "left at once; every run that was reported is recorded",
                ))
            }
        }
    });
    if left {
        // a step that computes cannot be stopped, and nobody waits for it
        runtime.shutdown_timeout(PATIENCE);
    }
    done
}

/// How long a query that was told to end may take for it.
const QUERY_PATIENCE: Duration = Duration::from_secs(1);

/// From now on Ctrl-C and SIGTERM end the process, with the exit code for it, wherever it is:
/// whoever listens, as a query does, has a second to end by itself, and a second signal takes that
/// away. For commands that only read: nothing of them has to be kept.
pub(super) fn end_when_asked() -> Result<()> {
    let failed = |source| Error::internal("cannot listen to signals").with_source(source);
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(failed)?;
    // before the thread is there: a signal that comes meanwhile must not be missed
    let mut signals = runtime.block_on(async { Signals::to_end() }).map_err(failed)?;
    let work = move || {
        runtime.block_on(async {
            signals.next().await;
            drop(tokio::time::timeout(QUERY_PATIENCE, signals.next()).await);
        });
        std::process::exit(i32::from(ErrorKind::Interrupted.exit_code()));
    };
    let thread = std::thread::Builder::new().name("genstore-signals".to_owned()).spawn(work);
    thread.map(drop).map_err(failed)
}

/// Hands the wishes on, until the second one to end.
async fn obey(mut signals: Signals, cancel: &Cancel, context: &Context) {
    // who looks on sees it in the line that says how the work gets on
    let say = |text: &str| match context.env.terminal.stderr {
        true => Ok(()),
        false => tell(text),
    };
    loop {
        let said = match signals.next().await {
            Wish::End if !cancel.is_cancelled() => {
                cancel.cancel();
                Ok(())
            }
            Wish::End => break,
            Wish::Pause => {
                cancel.pause();
                say("paused: no step starts before SIGUSR2\n")
            }
            Wish::GoOn => {
                cancel.resume();
                say("goes on\n")
            }
        };
        drop(said); // if stderr is closed there is nobody to tell
    }
    end_programs();
    if !context.in_shell {
        std::process::exit(i32::from(ErrorKind::Interrupted.exit_code()));
    }
}

/// What a signal asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Wish {
    End,
    #[cfg_attr(not(unix), expect(dead_code, reason = "there is no such signal"))]
    Pause,
    #[cfg_attr(not(unix), expect(dead_code, reason = "there is no such signal"))]
    GoOn,
}

/// The signals of the process from now on, none of which is missed.
#[cfg(unix)]
struct Signals {
    interrupt: Signal,
    terminate: Signal,
    /// To pause, and to go on.
    pause: Option<(Signal, Signal)>,
}

#[cfg(unix)]
impl Signals {
    fn to_end() -> std::io::Result<Self> {
        let interrupt = signal(SignalKind::interrupt())?;
        Ok(Self { interrupt, terminate: signal(SignalKind::terminate())?, pause: None })
    }

    fn to_end_and_to_pause() -> std::io::Result<Self> {
        let pause = signal(SignalKind::user_defined1())?;
        let go_on = signal(SignalKind::user_defined2())?;
        Ok(Self { pause: Some((pause, go_on)), ..Self::to_end()? })
    }

    async fn next(&mut self) -> Wish {
        let pauses = async {
            let Some((pause, go_on)) = &mut self.pause else {
                return std::future::pending().await;
            };
            tokio::select! {
                _ = pause.recv() => Wish::Pause,
                _ = go_on.recv() => Wish::GoOn,
            }
        };
        tokio::select! {
            _ = self.interrupt.recv() => Wish::End,
            _ = self.terminate.recv() => Wish::End,
            wish = pauses => wish,
        }
    }
}

#[cfg(not(unix))]
struct Signals;

#[cfg(not(unix))]
impl Signals {
    fn to_end() -> std::io::Result<Self> {
        Ok(Self)
    }

    /// There is no signal to pause.
    fn to_end_and_to_pause() -> std::io::Result<Self> {
        Ok(Self)
    }

    async fn next(&mut self) -> Wish {
        match tokio::signal::ctrl_c().await {
            Ok(()) => Wish::End,
            Err(_) => std::future::pending().await,
        }
    }
}
