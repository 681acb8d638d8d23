//! Group commit: one thread that writes whatever waits as one frame, syncs once, and only then
//! acknowledges. It also seals files by size, age and request.
//!
//! A failed write or sync ends the thread: nobody is acknowledged any more, and the store must be
//! opened again, because what the disk holds after a failed sync is unknown.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use super::disk::Disk;
use super::header::{FileHeader, file_name};
use super::open_runs::OpenRuns;
use super::options::{Durability, JournalOptions};
use super::queue::{Chunk, Queue, Work};
use super::write::JournalFile;
use crate::clock::{Clock, IdSource};
use crate::error::{Error, Result};

/// Who is told of what the journal has done.
pub trait JournalListener: std::fmt::Debug + Send + Sync {
    /// These chunks are in file `n` and acknowledged right after this call.
    fn written(&self, n: u64, chunks: Vec<Chunk>);
    /// File `n` is complete and synced. `open_runs`: some runs have not ended in it.
    fn sealed(&self, n: u64, open_runs: bool);
}

/// Where a journal writes.
#[derive(Debug)]
pub struct Place {
    /// The folder of the slot; it exists, and the slot is locked.
    pub folder: PathBuf,
    /// Header of the first file to make; its `n` is the next free number of the slot.
    pub header: FileHeader,
}

/// A running journal.
#[derive(Debug)]
pub struct Journal {
    queue: Arc<Queue>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

impl Journal {
    /// Starts the thread. The first file is made with the first rows.
    pub fn start(
        place: Place,
        options: JournalOptions,
        disk: Arc<dyn Disk>,
        clock: Arc<dyn Clock>,
        ids: Arc<dyn IdSource>,
        listener: Arc<dyn JournalListener>,
    ) -> Result<Self> {
        let queue = Arc::new(Queue::new(options.held_bytes_max));
        let group = Group {
            queue: Arc::clone(&queue),
            open: OpenRuns::new(place.header.open_runs.iter().cloned()),
            place,
            options,
            disk,
            clock,
            ids,
            listener,
            file: None,
            since_ns: 0,
            sealed: None,
            synced_ns: 0,
            unsynced: false,
        };
        let thread = std::thread::Builder::new()
            .name("genstore-journal".to_owned())
            .spawn(move || {
                let _guard = FailOnPanic(Arc::clone(&group.queue));
                group.run();
            })
            .map_err(|source| Error::failed("cannot start a thread").with_source(source))?;
        Ok(Self { queue, thread: Mutex::new(Some(thread)) })
    }

    /// The way in.
    pub fn queue(&self) -> &Arc<Queue> {
        &self.queue
    }

    /// Refuses further events, writes and seals what has entered, ends the thread. Once is enough.
    pub fn close(&self) {
        self.queue.close();
        let thread = self.thread.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(thread) = thread {
            drop(thread.join()); // a panic there is a bug that its own message has told
        }
    }
}

impl Drop for Journal {
    fn drop(&mut self) {
        self.close();
    }
}

/// Tells writers when the thread dies of a bug: nobody may wait for an answer that cannot come.
struct FailOnPanic(Arc<Queue>);

impl Drop for FailOnPanic {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.0.fail("the journal's thread panicked".to_owned());
        }
    }
}

#[derive(Debug)]
struct Group {
    queue: Arc<Queue>,
    place: Place,
    options: JournalOptions,
    disk: Arc<dyn Disk>,
    clock: Arc<dyn Clock>,
    ids: Arc<dyn IdSource>,
    listener: Arc<dyn JournalListener>,
    open: OpenRuns,
    file: Option<JournalFile>,
    since_ns: i64,
    sealed: Option<u64>,
    synced_ns: i64,
    unsynced: bool,
}

impl Group {
    fn run(mut self) {
        let linger = Duration::from_millis(self.options.linger_ms);
        loop {
            let mut work = self.queue.take(linger, self.idle());
            let pending = std::mem::take(&mut work.pending);
            let mut replies = Vec::with_capacity(pending.len());
            let mut chunks = Vec::with_capacity(pending.len());
            let mut encoded = Vec::with_capacity(pending.len());
            for it in pending {
                replies.push(it.reply);
                chunks.push(it.chunk);
                encoded.push(it.encoded);
            }
            let done = self.write(chunks, &encoded);
            let failure = done.as_ref().err().map(Error::in_one_line);
            if let Some(failure) = &failure {
                self.queue.fail(failure.clone());
            }
            for reply in replies {
                reply.send(match &failure {
                    None => Ok(()),
                    Some(failure) => Err(Error::failed(failure.clone())
                        .with_hint("Open the store again; what was acknowledged is safe.")),
                });
            }
            if failure.is_some() {
                return;
            }
            if let Err(error) = self.finish_turn(&work) {
                self.queue.fail(error.in_one_line());
                return;
            }
            for reply in work.sealed_replies {
                drop(reply.send(Ok(self.sealed))); // whoever asked may have gone away
            }
            if work.last {
                return;
            }
        }
    }

    /// How long nothing may happen before a file must be sealed or synced; `None` without a file.
    fn idle(&self) -> Option<Duration> {
        self.file.as_ref()?;
        let now_ns = self.clock.monotonic_ns();
        let left = |since_ns: i64, interval_ms: u64| {
            let passed = Duration::from_nanos(u64::try_from(now_ns - since_ns).unwrap_or(0));
            Duration::from_millis(interval_ms).saturating_sub(passed)
        };
        let age = left(self.since_ns, self.options.file_age_ms_max);
        let wait = match self.options.durability {
            Durability::Interval if self.unsynced => {
                age.min(left(self.synced_ns, self.options.sync_interval_ms))
            }
            _ => age,
        };
        Some(wait.max(Duration::from_millis(1)))
    }

    fn write(&mut self, chunks: Vec<Chunk>, encoded: &[Vec<u8>]) -> Result<()> {
        if chunks.is_empty() {
            return Ok(());
        }
        let mut file = match self.file.take() {
            Some(file) => file,
            None => self.next_file()?,
        };
        file.append(encoded.iter().map(Vec::as_slice))?;
        match self.options.durability {
            Durability::Run => file.sync()?,
            Durability::Interval | Durability::None => self.unsynced = true,
        }
        for event in chunks.iter().flat_map(|chunk| &chunk.events) {
            self.open.observe(event);
        }
        self.listener.written(file.n(), chunks);
        self.file = Some(file);
        Ok(())
    }

    fn next_file(&mut self) -> Result<JournalFile> {
        self.place.header.open_runs = self.open.to_vec();
        let header = &self.place.header;
        let path = self.place.folder.join(file_name(header.n));
        let file = JournalFile::create(&*self.disk, &path, header, self.ids.next_id())?;
        self.place.header.n += 1;
        self.since_ns = self.clock.monotonic_ns();
        self.synced_ns = self.since_ns;
        Ok(file)
    }

    /// Seals the file if it is time, and syncs it if that is due.
    fn finish_turn(&mut self, work: &Work) -> Result<()> {
        let Some(file) = &mut self.file else { return Ok(()) };
        let now_ns = self.clock.monotonic_ns();
        let age_ms = (now_ns - self.since_ns) / 1_000_000;
        let old = u64::try_from(age_ms).is_ok_and(|it| it >= self.options.file_age_ms_max);
        let seal =
            work.seal || work.last || old || file.size_bytes() >= self.options.file_bytes_max;
        let sync_age_ms = (now_ns - self.synced_ns) / 1_000_000;
        let sync_due = self.options.durability == Durability::Interval
            && u64::try_from(sync_age_ms).is_ok_and(|it| it >= self.options.sync_interval_ms);
        if self.unsynced && (seal || sync_due) {
            file.sync()?;
            self.unsynced = false;
            self.synced_ns = now_ns;
        }
        if seal {
            let n = file.n();
            self.file = None;
            self.sealed = Some(n);
            self.listener.sealed(n, !self.open.is_empty());
        }
        Ok(())
    }
}
