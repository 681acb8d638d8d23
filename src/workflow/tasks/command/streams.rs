//! What goes into a program and what comes out of it, in bounded memory. Understands none of it.

use std::convert::Infallible;
use std::future::pending;
use std::io::{self, Cursor};

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWriteExt};
use tokio::process::{Child, ChildStderr, ChildStdin, ChildStdout};

/// Bytes of stderr that are kept, the last ones.
const TAIL_BYTES: usize = 8 * 1024;

/// Room for one reading: as much as a pipe usually holds.
const CHUNK_BYTES: usize = 64 * 1024;

/// Why there is no use in reading on.
#[derive(Debug)]
pub(super) enum Excess {
    TooMuch,
    Broken(io::Error),
}

/// The three streams of a program; each is `None` when it is closed. No future of theirs loses a
/// byte by being dropped.
#[derive(Debug)]
pub(super) struct Streams {
    stdin: Option<(ChildStdin, Cursor<Vec<u8>>)>,
    stdout: Option<ChildStdout>,
    stderr: Option<ChildStderr>,
    stdout_bytes_max: usize,
    out: Vec<u8>,
    tail: Vec<u8>,
    is_cut: bool,
}

impl Streams {
    pub(super) fn of(child: &mut Child, input: Option<Vec<u8>>, stdout_bytes_max: usize) -> Self {
        let input = Cursor::new(input.unwrap_or_default());
        Self {
            stdin: child.stdin.take().map(|stdin| (stdin, input)),
            stdout: child.stdout.take(),
            stderr: child.stderr.take(),
            stdout_bytes_max,
            out: Vec::new(),
            tail: Vec::new(),
            is_cut: false,
        }
    }

    /// Serves all three for as long as it is polled.
    pub(super) async fn excess(&mut self) -> Excess {
        match self.serve().await {
            Ok(()) => pending().await,
            Err(excess) => excess,
        }
    }

    /// Serves a program that is being ended, so that it does not wait for a reader.
    pub(super) async fn serve_out(&mut self) -> Infallible {
        if self.serve().await.is_err() {
            self.stdout = None;
            self.serve().await.ok();
        }
        pending().await
    }

    /// Reads what a program has left in the pipes, until everyone has closed them.
    pub(super) async fn rest(&mut self) -> Result<(), Excess> {
        self.stdin = None;
        self.serve().await
    }

    /// What it wrote to stdout, and the end of what it wrote to stderr.
    pub(super) fn into_written(self) -> (Vec<u8>, String) {
        let from = self.tail.len().saturating_sub(TAIL_BYTES);
        let tail = String::from_utf8_lossy(self.tail.get(from..).unwrap_or_default());
        let text = tail.trim();
        // the first line of a cut text is most likely a part of one
        let whole = text.split_once('\n').map_or(text, |(_, rest)| rest);
        let text = if from > 0 || self.is_cut { format!("… {whole}") } else { text.to_owned() };
        (self.out, text)
    }

    async fn serve(&mut self) -> Result<(), Excess> {
        let feed = async {
            feed(&mut self.stdin).await;
            Ok(())
        };
        let take = take(&mut self.stdout, &mut self.out, self.stdout_bytes_max);
        let tail = tail(&mut self.stderr, &mut self.tail, &mut self.is_cut);
        tokio::try_join!(feed, take, tail).map(|_| ())
    }
}

async fn feed(stdin: &mut Option<(ChildStdin, Cursor<Vec<u8>>)>) {
    if let Some((pipe, input)) = stdin {
        // an error means that the program reads no further, which is its own affair
        pipe.write_all_buf(input).await.ok();
    }
    *stdin = None;
}

async fn take(
    stdout: &mut Option<ChildStdout>,
    out: &mut Vec<u8>,
    bytes_max: usize,
) -> Result<(), Excess> {
    while read(stdout, out).await? {
        if out.len() > bytes_max {
            return Err(Excess::TooMuch);
        }
    }
    Ok(())
}

async fn tail(
    stderr: &mut Option<ChildStderr>,
    tail: &mut Vec<u8>,
    is_cut: &mut bool,
) -> Result<(), Excess> {
    while read(stderr, tail).await? {
        if tail.len() > CHUNK_BYTES {
            tail.drain(..tail.len() - TAIL_BYTES);
            *is_cut = true;
        }
    }
    Ok(())
}

/// Reads once; `false` at the end, where it closes the pipe.
async fn read(
    pipe: &mut Option<impl AsyncRead + Unpin>,
    bytes: &mut Vec<u8>,
) -> Result<bool, Excess> {
    let Some(open) = pipe else { return Ok(false) };
    bytes.reserve(CHUNK_BYTES);
    let is_open = open.read_buf(bytes).await.map_err(Excess::Broken)? > 0;
    if !is_open {
        *pipe = None;
    }
    Ok(is_open)
}
