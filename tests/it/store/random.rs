//! Random histories of several writers, compactions and an old reader on one machine, with faults,
//! crashes and power losses, against a plain model: which runs must be there and which may. A
//! failing history shrinks to a short one.

use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::sync::Arc;

use genstore::clock::{Clock, ManualClock, SeededIds};
use genstore::error::ErrorKind;
use genstore::journal::Durability;
use genstore::store::{CompactOptions, Keeper, Store};
use proptest::prelude::*;
use proptest::test_runner::{FileFailurePersistence, TestRunner};

use super::rows::NOW_US;
use super::script::{Session, Told, check, check_view, open_on, recover, results, small};
use crate::disk::{Fault, FaultDisk, Machine};

const WRITERS: usize = 3;

/// What happens next. The first number is a writer.
#[derive(Debug, Clone)]
enum Step {
    Open(usize),
    Close(usize),
    Run(usize),
    Begin(usize),
    End(usize),
    Flush(usize),
    /// A fault after so many operations of the writer.
    Hurt(usize, Hurt, u64),
    /// The writer is gone at once, without a word.
    Kill(usize),
    PowerLoss(u64),
    /// The old reader looks.
    Look,
    /// The old reader is replaced by a new one.
    NewReader,
    /// All small files are merged, or the process dies over it after so many operations.
    Compact(Option<u64>),
    /// Time goes by, more than a journal file's grace time, or back.
    Wait(i64),
}

#[derive(Debug, Clone, Copy)]
enum Hurt {
    Crash,
    Fail,
    FailForLong,
    Tear,
    LoseReply,
}

fn step() -> impl Strategy<Value = Step> {
    let writer = || 0..WRITERS;
    let hurt = prop_oneof![
        Just(Hurt::Crash),
        Just(Hurt::Fail),
        Just(Hurt::FailForLong),
        Just(Hurt::Tear),
        Just(Hurt::LoseReply),
    ];
    prop_oneof![
        4 => writer().prop_map(Step::Open),
        2 => writer().prop_map(Step::Close),
        6 => writer().prop_map(Step::Run),
        2 => writer().prop_map(Step::Begin),
        2 => writer().prop_map(Step::End),
        4 => writer().prop_map(Step::Flush),
        3 => (writer(), hurt, 0..60_u64).prop_map(|(who, hurt, at)| Step::Hurt(who, hurt, at)),
        1 => writer().prop_map(Step::Kill),
        1 => (0..u64::MAX).prop_map(Step::PowerLoss),
        2 => Just(Step::Look),
        1 => Just(Step::NewReader),
        2 => prop::option::of(0..60_u64).prop_map(Step::Compact),
        1 => (-7_200..7_200_i64).prop_map(Step::Wait),
    ]
}

/// A writer: its disk from the moment it is first spoken of, its session while it is open.
struct Writer {
    disk: FaultDisk,
    /// A fault may have happened: errors are allowed.
    hurt: bool,
    session: Option<Session>,
    begun: Vec<i64>,
}

struct World {
    machine: Arc<Machine>,
    clock: Arc<ManualClock>,
    writers: Vec<Writer>,
    told: Told,
    reader: Option<Store>,
    /// What a reader has seen: it never goes away.
    seen: BTreeMap<String, String>,
    next: i64,
}

impl World {
    fn new() -> Self {
        let machine = Machine::new();
        Self {
            writers: (0..WRITERS).map(|_| Writer::on(&machine)).collect(),
            machine,
            clock: ManualClock::at(NOW_US),
            told: Told::default(),
            reader: None,
            seen: BTreeMap::new(),
            next: 0,
        }
    }

    fn take(&mut self, step: &Step) {
        self.next += 1;
        match *step {
            Step::Open(writer) => self.open(writer),
            Step::Close(writer) => self.close(writer),
            Step::Run(writer) => {
                self.act(writer, Session::run);
            }
            Step::Begin(writer) => {
                self.act(writer, Session::begin);
                let it = &mut self.writers[writer];
                if it.session.is_some() {
                    it.begun.push(self.next);
                }
            }
            Step::End(writer) => {
                if let Some(number) = self.writers[writer].begun.pop() {
                    self.act(writer, |session, _| session.end(number));
                }
            }
            Step::Flush(writer) => self.act(writer, |session, _| session.flush()),
            Step::Hurt(writer, hurt, after) => {
                let other = std::io::ErrorKind::Other;
                let fault = match hurt {
                    Hurt::Crash => Fault::crash(),
                    Hurt::Fail => Fault::fail(other),
                    Hurt::FailForLong => Fault::fail(std::io::ErrorKind::StorageFull).lasting(),
                    Hurt::Tear => Fault::tear(other),
                    Hurt::LoseReply => Fault::lose_reply(),
                };
                self.writers[writer].hurt = true;
                self.writers[writer].disk.inject(fault.after(after));
            }
            Step::Kill(writer) => {
                self.writers[writer].disk.inject(Fault::crash().lasting());
                self.writers[writer].hurt = true;
                self.close(writer);
            }
            Step::PowerLoss(seed) => {
                self.gather();
                let machine = self.machine.power_loss(seed);
                self.writers = (0..WRITERS).map(|_| Writer::on(&machine)).collect();
                self.machine = machine;
                (self.reader, self.seen) = (None, BTreeMap::new());
            }
            Step::Look => self.look(),
            Step::NewReader => {
                self.reader = Store::open_read_only(&self.machine.store()).ok();
                self.look();
            }
            Step::Compact(dies) => self.compact(dies),
            Step::Wait(seconds) if seconds < 0 => self.clock.jump_us(seconds * 1_000_000),
            Step::Wait(seconds) => self.clock.advance_ns(seconds * 1_000_000_000),
        }
    }

    fn open(&mut self, writer: usize) {
        let it = &mut self.writers[writer];
        if it.session.is_some() {
            return;
        }
        let options = small(4, Durability::Run);
        let seed = u64::try_from(self.next).unwrap();
        match open_on(&it.disk, &self.machine, options, &self.clock, seed) {
            Ok(store) => it.session = Some(Session::new(store)),
            Err(error) => {
                assert!(it.hurt, "a good writer cannot open: {error:?}");
                *it = Writer::on(&self.machine);
            }
        }
    }

    fn close(&mut self, writer: usize) {
        let fresh = Writer::on(&self.machine);
        let it = std::mem::replace(&mut self.writers[writer], fresh);
        if let Some(session) = it.session {
            let (told, closed) = session.close();
            assert!(it.hurt || closed.is_ok(), "a good writer cannot close: {closed:?}");
            self.told.add(told);
        }
    }

    fn act(
        &mut self,
        writer: usize,
        act: impl FnOnce(&mut Session, i64) -> genstore::error::Result<()>,
    ) {
        let it = &mut self.writers[writer];
        let Some(session) = &mut it.session else { return };
        let done = act(session, self.next);
        assert!(it.hurt || done.is_ok(), "a good writer has an error: {done:?}");
    }

    fn compact(&self, dies: Option<u64>) {
        let disk = self.machine.process();
        if let Some(operation) = dies {
            disk.inject(Fault::crash().after(operation));
        }
        let ids = Arc::new(SeededIds::new((u64::try_from(self.next).unwrap() << 32) | 1 << 31));
        let clock: Arc<dyn Clock> = Arc::<ManualClock>::clone(&self.clock);
        let keeper = Keeper::open_on(disk.shared(), &self.machine.store(), clock, ids);
        let mut go_on = |_| ControlFlow::Continue(());
        let done = keeper.and_then(|it| it.compact(&CompactOptions::default(), &mut go_on));
        match done {
            Ok(done) => {
                let failed =
                    done.tables.iter().find(|it| it.skipped.is_some() || !it.left_alone.is_empty());
                assert!(dies.is_some() || failed.is_none(), "not compacted: {failed:?}");
            }
            // a store may not be there yet, and another test's child may hold a copy of a lock
            Err(error) => {
                let excused = dies.is_some() || error.kind() == ErrorKind::Unavailable;
                assert!(excused, "a good compaction has an error: {error:?}");
            }
        }
    }

    /// What all callers were told so far.
    fn gather(&mut self) {
        for writer in &self.writers {
            if let Some(session) = &writer.session {
                self.told.add(session.told().clone());
            }
        }
    }

    fn look(&mut self) {
        self.gather();
        let Some(reader) = &self.reader else { return };
        let snapshot = reader.snapshot().unwrap();
        check_view(&snapshot, &self.told.acknowledged, &self.told.sent, "a reader");
        let now = results(&snapshot, "a reader");
        for (run, result) in std::mem::take(&mut self.seen) {
            assert_eq!(now.get(&run), Some(&result), "{run} went away or changed");
        }
        self.seen = now;
    }

    /// Everybody is gone; the next writer finds what it must.
    fn end(mut self, seed: u64) {
        self.look();
        self.take(&Step::PowerLoss(seed));
        let (_store, snapshot) = recover(&self.machine, 1 << 20).unwrap();
        check(&snapshot, &self.told.acknowledged, &self.told.sent, "at the end");
    }
}

impl Writer {
    fn on(machine: &Arc<Machine>) -> Self {
        Self { disk: machine.process(), hurt: false, session: None, begun: Vec::new() }
    }
}

#[test]
fn random_histories_agree_with_the_model() {
    let persistence = FileFailurePersistence::Direct("tests/it/store/random.regressions");
    let default = ProptestConfig::default();
    let cases = if std::env::var_os("PROPTEST_CASES").is_some() { default.cases } else { 100 };
    let config = ProptestConfig {
        cases,
        max_shrink_iters: 400,
        failure_persistence: Some(Box::new(persistence)),
        source_file: Some(file!()),
        ..default
    };
    let histories = (prop::collection::vec(step(), 10..60), 0..u64::MAX);
    let checked = TestRunner::new(config).run(&histories, |(steps, seed)| {
        let mut world = World::new();
        world.take(&Step::Open(0));
        world.take(&Step::NewReader);
        steps.iter().for_each(|step| world.take(step));
        world.end(seed);
        Ok(())
    });
    if let Err(failure) = checked {
        panic!("{failure}");
    }
}
