//! One sync for all that wait, no acknowledgement after a failure, seals by size, age and request.
#![allow(clippy::unwrap_used, reason = "tests")]

use std::io;
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc;

use super::*;
use crate::clock::{ManualClock, SeededIds};
use crate::error::ErrorKind;
use crate::event::{Event, RunRow, RunStarted, Text};
use crate::journal::JournalReader;
use crate::journal::disk::{AppendFile, SystemDisk};

#[derive(Debug, Default)]
struct Counts {
    appends: AtomicU64,
    syncs: AtomicU64,
    fail_sync: AtomicBool,
    /// Holds the first sync until the test has queued the others.
    gate: Mutex<Option<mpsc::Receiver<()>>>,
}

#[derive(Debug)]
struct CountingDisk(Arc<Counts>);

#[derive(Debug)]
struct CountingFile(Box<dyn AppendFile>, Arc<Counts>);

impl Disk for CountingDisk {
    fn create_folder(&self, path: &Path) -> io::Result<()> {
        SystemDisk.create_folder(path)
    }
    fn write_new(&self, path: &Path, bytes: &[u8]) -> io::Result<()> {
        SystemDisk.write_new(path, bytes)
    }
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        SystemDisk.rename(from, to)
    }
    fn hard_link(&self, from: &Path, to: &Path) -> io::Result<()> {
        SystemDisk.hard_link(from, to)
    }
    fn remove(&self, path: &Path) -> io::Result<()> {
        SystemDisk.remove(path)
    }
    fn sync_folder(&self, path: &Path) -> io::Result<()> {
        SystemDisk.sync_folder(path)
    }
    fn truncate(&self, path: &Path, size_bytes: u64) -> io::Result<()> {
        SystemDisk.truncate(path, size_bytes)
    }
    fn open_append(&self, path: &Path) -> io::Result<Box<dyn AppendFile>> {
        Ok(Box::new(CountingFile(SystemDisk.open_append(path)?, Arc::clone(&self.0))))
    }
}

impl AppendFile for CountingFile {
    fn append(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.1.appends.fetch_add(1, Ordering::SeqCst);
        self.0.append(bytes)
    }
    fn sync(&mut self) -> io::Result<()> {
        if let Some(gate) = self.1.gate.lock().unwrap().take() {
            gate.recv().unwrap();
        }
        self.1.syncs.fetch_add(1, Ordering::SeqCst);
        if self.1.fail_sync.load(Ordering::SeqCst) {
            return Err(io::Error::other("no more"));
        }
        self.0.sync()
    }
}

#[derive(Debug, Default)]
struct Listener(Mutex<Vec<(u64, bool)>>);

impl JournalListener for Listener {
    fn written(&self, _: u64, _: Vec<Chunk>) {}
    fn sealed(&self, n: u64, open_runs: bool) {
        self.0.lock().unwrap().push((n, open_runs));
    }
}

struct Rig {
    folder: tempfile::TempDir,
    journal: Journal,
    counts: Arc<Counts>,
    clock: Arc<ManualClock>,
    listener: Arc<Listener>,
}

fn rig(durability: Durability) -> Rig {
    let folder = tempfile::tempdir().unwrap();
    let options = JournalOptions {
        file_bytes_max: 4_096,
        file_age_ms_max: 5_000,
        held_bytes_max: 1 << 20,
        linger_ms: 1,
        durability,
        sync_interval_ms: 1_000,
    };
    let (counts, clock) = (Arc::new(Counts::default()), ManualClock::at(0));
    let listener = Arc::new(Listener::default());
    let header = FileHeader { n: 7, ..FileHeader::default() };
    let place = Place { folder: folder.path().to_owned(), header };
    let journal = Journal::start(
        place,
        options,
        Arc::new(CountingDisk(Arc::clone(&counts))),
        Arc::clone(&clock) as Arc<dyn Clock>,
        Arc::new(SeededIds::new(1)),
        Arc::clone(&listener) as Arc<dyn JournalListener>,
    )
    .unwrap();
    Rig { folder, journal, counts, clock, listener }
}

fn started(id: &str) -> Event {
    Event::RunStarted(RunStarted { run_id: Text::from(id), ..RunStarted::default() })
}

fn ended(id: &str) -> Event {
    Event::from(RunRow { run_id: Text::from(id), ..RunRow::default() })
}

#[test]
fn all_that_wait_share_one_write_and_one_sync() {
    let rig = rig(Durability::Run);
    let (open_gate, gate) = mpsc::channel();
    *rig.counts.gate.lock().unwrap() = Some(gate);
    let queue = rig.journal.queue();
    std::thread::scope(|scope| {
        scope.spawn(|| queue.commit_blocking(vec![ended("first")]).unwrap());
        while rig.counts.appends.load(Ordering::SeqCst) == 0 {
            std::thread::yield_now();
        }
        let one = queue.held_bytes();
        for _ in 0..20 {
            scope.spawn(|| queue.commit_blocking(vec![ended("other")]).unwrap());
        }
        while queue.held_bytes() < 21 * one {
            std::thread::yield_now();
        }
        open_gate.send(()).unwrap();
    });
    assert_eq!(rig.counts.appends.load(Ordering::SeqCst), 2);
    assert_eq!(rig.counts.syncs.load(Ordering::SeqCst), 2);
    let path = rig.folder.path().join("7.wal");
    assert_eq!(JournalReader::open(&path).unwrap().read_new().unwrap().events.len(), 21);
}

#[test]
fn a_failed_sync_ends_all_acknowledgements() {
    let rig = rig(Durability::Run);
    let queue = rig.journal.queue();
    queue.commit_blocking(vec![ended("a")]).unwrap();
    rig.counts.fail_sync.store(true, Ordering::SeqCst);
    let error = queue.commit_blocking(vec![ended("b")]).unwrap_err();
    assert!(error.message().contains("7.wal") && error.hint().is_some(), "{error}");
    rig.counts.fail_sync.store(false, Ordering::SeqCst);
    for error in [
        queue.commit_blocking(vec![ended("c")]).unwrap_err(),
        queue.append(vec![ended("c")]).unwrap_err(),
        queue.seal().unwrap_err(),
    ] {
        assert_eq!(error.kind(), ErrorKind::Unavailable);
        assert!(error.hint().unwrap().contains("again"), "{error}");
    }
    assert_eq!(rig.counts.appends.load(Ordering::SeqCst), 2);
}

#[test]
fn files_are_sealed_by_request_size_and_age_and_know_the_open_runs() {
    let rig = rig(Durability::Run);
    let queue = rig.journal.queue();
    assert_eq!(queue.seal().unwrap(), None);
    queue.commit_blocking(vec![started("a"), started("b"), ended("a")]).unwrap();
    assert_eq!(queue.seal().unwrap(), Some(7));
    queue.commit_blocking(vec![started("c"); 400]).unwrap(); // above the size
    queue.commit_blocking(vec![ended("b")]).unwrap();
    rig.clock.advance_ns(5_000_000_000);
    // The thread may look at the clock before or after it takes "c"; by "d" the file is too old.
    queue.commit_blocking(vec![ended("c")]).unwrap();
    queue.commit_blocking(vec![started("d"), ended("d")]).unwrap();
    assert_eq!(queue.seal().unwrap(), Some(10));
    let sealed = rig.listener.0.lock().unwrap().clone();
    assert_eq!(sealed.iter().map(|it| it.0).collect::<Vec<_>>(), [7, 8, 9, 10]);
    assert_eq!(sealed.first_chunk(), Some(&[(7, true), (8, true)]));
    assert_eq!(sealed.last(), Some(&(10, false)));
    let header = |n: u64| JournalReader::open(&rig.folder.path().join(file_name(n))).unwrap();
    let open =
        |n| header(n).header().open_runs.iter().map(|it| it.run_id.to_string()).collect::<Vec<_>>();
    assert!(open(7).is_empty());
    assert_eq!(open(8), ["b"]);
    assert_eq!(open(9), ["b", "c"]);
}

#[test]
fn without_durability_a_file_is_synced_when_it_is_sealed() {
    for durability in [Durability::None, Durability::Interval] {
        let rig = rig(durability);
        let queue = rig.journal.queue();
        for _ in 0..10 {
            queue.commit_blocking(vec![ended("a")]).unwrap();
        }
        assert_eq!(rig.counts.syncs.load(Ordering::SeqCst), 0);
        rig.clock.advance_ns(1_000_000_000);
        queue.commit_blocking(vec![ended("a")]).unwrap();
        queue.seal().unwrap();
        let expected = if durability == Durability::Interval { 1..=2 } else { 1..=1 };
        assert!(expected.contains(&rig.counts.syncs.load(Ordering::SeqCst)));
    }
}
