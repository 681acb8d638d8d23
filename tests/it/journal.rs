//! Group commit: one sync for all that wait, no acknowledgement after a failure, seals by size, age
//! and request.

use std::sync::{Arc, Mutex};

use genstore::clock::{Clock, ManualClock, SeededIds};
use genstore::error::ErrorKind;
use genstore::event::{Event, RunRow, RunStarted, Text};
use genstore::journal::disk::Disk;
use genstore::journal::{
    Chunk, Durability, FileHeader, Journal, JournalListener, JournalOptions, JournalReader, Place,
    file_name,
};

use crate::disk::{Fault, FaultDisk, Kind, Machine};

#[derive(Debug, Default)]
struct Listener(Mutex<Vec<(u64, bool)>>);

impl JournalListener for Listener {
    fn written(&self, _: u64, _: Vec<Chunk>) {}
    fn sealed(&self, n: u64, open_runs: bool) {
        self.0.lock().unwrap().push((n, open_runs));
    }
}

struct Rig {
    machine: Arc<Machine>,
    disk: FaultDisk,
    journal: Journal,
    clock: Arc<ManualClock>,
    listener: Arc<Listener>,
}

impl Rig {
    fn new(durability: Durability) -> Self {
        let machine = Machine::new();
        let disk = machine.process();
        disk.create_folder(&machine.store()).unwrap();
        let options = JournalOptions {
            file_bytes_max: 4_096,
            file_age_ms_max: 5_000,
            held_bytes_max: 1 << 20,
            linger_ms: 1,
            durability,
            sync_interval_ms: 1_000,
        };
        let (clock, listener) = (ManualClock::at(0), Arc::new(Listener::default()));
        let header = FileHeader { n: 7, ..FileHeader::default() };
        let journal = Journal::start(
            Place { folder: machine.store(), header },
            options,
            disk.shared(),
            Arc::clone(&clock) as Arc<dyn Clock>,
            Arc::new(SeededIds::new(1)),
            Arc::clone(&listener) as Arc<dyn JournalListener>,
        )
        .unwrap();
        Self { machine, disk, journal, clock, listener }
    }

    fn count(&self, kind: Kind) -> usize {
        self.disk.count(kind, ".wal")
    }
}

fn started(id: &str) -> Event {
    Event::RunStarted(RunStarted { run_id: Text::from(id), ..RunStarted::default() })
}

fn ended(id: &str) -> Event {
    Event::from(RunRow { run_id: Text::from(id), ..RunRow::default() })
}

#[test]
fn all_that_wait_share_one_write_and_one_sync() {
    let rig = Rig::new(Durability::Run);
    rig.disk.inject(Fault::hold().on(&[Kind::Sync]));
    let queue = rig.journal.queue();
    std::thread::scope(|scope| {
        scope.spawn(|| queue.commit_blocking(vec![ended("first")]).unwrap());
        rig.disk.wait_until_held();
        let one = queue.held_bytes();
        for _ in 0..20 {
            scope.spawn(|| queue.commit_blocking(vec![ended("other")]).unwrap());
        }
        while queue.held_bytes() < 21 * one {
            std::thread::yield_now();
        }
        rig.disk.release();
    });
    assert_eq!((rig.count(Kind::Append), rig.count(Kind::Sync)), (2, 2));
    let path = rig.machine.store().join("7.wal");
    assert_eq!(JournalReader::open(&path).unwrap().read_new().unwrap().events.len(), 21);
}

#[test]
fn a_failed_sync_ends_all_acknowledgements() {
    let rig = Rig::new(Durability::Run);
    let queue = rig.journal.queue();
    queue.commit_blocking(vec![ended("a")]).unwrap();
    rig.disk.inject(Fault::fail(std::io::ErrorKind::Other).on(&[Kind::Sync]));
    let error = queue.commit_blocking(vec![ended("b")]).unwrap_err();
    assert!(error.message().contains("7.wal") && error.hint().is_some(), "{error}");
    for error in [
        queue.commit_blocking(vec![ended("c")]).unwrap_err(),
        queue.append(vec![ended("c")]).unwrap_err(),
        queue.seal().unwrap_err(),
    ] {
        assert_eq!(error.kind(), ErrorKind::Unavailable);
        assert!(error.hint().unwrap().contains("again"), "{error}");
    }
    assert_eq!(rig.count(Kind::Append), 2);
}

#[test]
fn files_are_sealed_by_request_size_and_age_and_know_the_open_runs() {
    let rig = Rig::new(Durability::Run);
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
    let open = |n: u64| {
        let file = JournalReader::open(&rig.machine.store().join(file_name(n))).unwrap();
        file.header().open_runs.iter().map(|it| it.run_id.to_string()).collect::<Vec<_>>()
    };
    assert!(open(7).is_empty());
    assert_eq!(open(8), ["b"]);
    assert_eq!(open(9), ["b", "c"]);
}

#[test]
fn without_durability_a_file_is_synced_when_it_is_sealed() {
    for durability in [Durability::None, Durability::Interval] {
        let rig = Rig::new(durability);
        let queue = rig.journal.queue();
        for _ in 0..10 {
            queue.commit_blocking(vec![ended("a")]).unwrap();
        }
        assert_eq!(rig.count(Kind::Sync), 0);
        rig.clock.advance_ns(1_000_000_000);
        queue.commit_blocking(vec![ended("a")]).unwrap();
        queue.seal().unwrap();
        let expected = if durability == Durability::Interval { 1..=2 } else { 1..=1 };
        assert!(expected.contains(&rig.count(Kind::Sync)));
    }
}
