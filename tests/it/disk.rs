//! The one test disk: a process's view of a [`Machine`], which fails, tears, loses a reply, waits
//! or dies at the operation that a test has named, and counts. Touches files through its machine
//! only.

mod machine;
mod survival;
mod tests;

use std::fmt;
use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Condvar, Mutex};

use genstore::journal::disk::{AppendFile, Disk};

pub(crate) use machine::Machine;
use machine::NodeId;

/// What an operation does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    CreateFolder,
    WriteNew,
    Rename,
    HardLink,
    Remove,
    SyncFolder,
    Truncate,
    OpenAppend,
    Append,
    Sync,
}

/// What happens at an operation.
#[derive(Debug, Clone, Copy)]
enum What {
    /// Nothing is done, and it is an error.
    Fail(io::ErrorKind),
    /// Half of it is done, and it is an error.
    Tear(io::ErrorKind),
    /// All of it is done, and it is an error.
    LoseReply,
    /// Half of it is done, and the process is dead: nothing goes through any more.
    Crash,
    /// It waits until the test releases it.
    Hold,
}

/// A fault, and the operations it waits for.
#[derive(Debug, Clone)]
pub(crate) struct Fault {
    what: What,
    kinds: &'static [Kind],
    within: &'static str,
    after: u64,
    lasting: bool,
}

impl Fault {
    fn new(what: What) -> Self {
        Self { what, kinds: &[], within: "", after: 0, lasting: false }
    }

    pub(crate) fn fail(kind: io::ErrorKind) -> Self {
        Self::new(What::Fail(kind))
    }

    pub(crate) fn tear(kind: io::ErrorKind) -> Self {
        Self::new(What::Tear(kind))
    }

    pub(crate) fn lose_reply() -> Self {
        Self::new(What::LoseReply)
    }

    pub(crate) fn crash() -> Self {
        Self::new(What::Crash)
    }

    pub(crate) fn hold() -> Self {
        Self::new(What::Hold)
    }

    /// Only operations of these kinds count.
    pub(crate) fn on(self, kinds: &'static [Kind]) -> Self {
        Self { kinds, ..self }
    }

    /// Only operations on paths that contain this count.
    pub(crate) fn within(self, within: &'static str) -> Self {
        Self { within, ..self }
    }

    /// Lets so many operations go through before.
    pub(crate) fn after(self, operations: u64) -> Self {
        Self { after: operations, ..self }
    }

    /// Happens at every such operation from then on, not at one.
    pub(crate) fn lasting(self) -> Self {
        Self { lasting: true, ..self }
    }

    fn meets(&self, kind: Kind, path: &Path) -> bool {
        (self.kinds.is_empty() || self.kinds.contains(&kind))
            && path.to_string_lossy().contains(self.within)
    }
}

#[derive(Debug, Default)]
struct State {
    faults: Vec<Fault>,
    operations: Vec<(Kind, PathBuf)>,
    done: Vec<(Kind, PathBuf)>,
    dead: bool,
    held: usize,
    released: bool,
}

struct Shared {
    machine: Arc<Machine>,
    state: Mutex<State>,
    moved: Condvar,
}

impl fmt::Debug for Shared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("FaultDisk")
    }
}

/// A disk with faults. Clones are the same disk.
#[derive(Debug, Clone)]
pub(crate) struct FaultDisk(Arc<Shared>);

/// What is left to be done of an operation, and what is then said.
enum Turn {
    All,
    Half(io::Error),
    AllAnd(io::Error),
}

impl FaultDisk {
    pub(super) fn new(machine: &Arc<Machine>) -> Self {
        let machine = Arc::clone(machine);
        Self(Arc::new(Shared { machine, state: Mutex::default(), moved: Condvar::new() }))
    }

    /// The same disk, as the store takes it.
    pub(crate) fn shared(&self) -> Arc<dyn Disk> {
        Arc::new(self.clone())
    }

    /// The same disk with one more fault to come.
    pub(crate) fn with(self, fault: Fault) -> Self {
        self.inject(fault);
        self
    }

    /// One more fault to come; operations count from now.
    pub(crate) fn inject(&self, fault: Fault) {
        self.0.state.lock().unwrap().faults.push(fault);
    }

    /// Takes all faults away, and lets go what is held. The dead stay dead.
    pub(crate) fn repair(&self) {
        self.0.state.lock().unwrap().faults.clear();
        self.release();
    }

    /// Lets go what a fault holds, now and later.
    pub(crate) fn release(&self) {
        self.0.state.lock().unwrap().released = true;
        self.0.moved.notify_all();
    }

    /// Waits until an operation is held.
    pub(crate) fn wait_until_held(&self) {
        let mut state = self.0.state.lock().unwrap();
        while state.held == 0 {
            state = self.0.moved.wait(state).unwrap();
        }
    }

    /// How many operations there were.
    pub(crate) fn operations(&self) -> u64 {
        u64::try_from(self.0.state.lock().unwrap().operations.len()).unwrap()
    }

    /// How many operations of a kind there were on paths that contain `within`.
    pub(crate) fn count(&self, kind: Kind, within: &str) -> usize {
        let state = self.0.state.lock().unwrap();
        let meets = |it: &&(Kind, PathBuf)| it.0 == kind && it.1.to_string_lossy().contains(within);
        state.operations.iter().filter(meets).count()
    }

    /// All operations, for the message of a test that fails.
    pub(crate) fn trace(&self) -> Vec<String> {
        let state = self.0.state.lock().unwrap();
        state.operations.iter().map(|it| format!("{:?} {}", it.0, it.1.display())).collect()
    }

    /// Waits until an operation of a kind has been done on a path that ends in `end`.
    pub(crate) fn wait_for(&self, kind: Kind, end: &str) {
        let mut state = self.0.state.lock().unwrap();
        while !state.done.iter().any(|it| it.0 == kind && it.1.ends_with(end)) {
            state = self.0.moved.wait(state).unwrap();
        }
    }

    /// The last operation, for the message of a test that fails.
    pub(crate) fn last(&self) -> String {
        let state = self.0.state.lock().unwrap();
        match state.operations.last() {
            Some((kind, path)) => format!("{kind:?} {}", path.display()),
            None => "nothing".to_owned(),
        }
    }

    fn turn(&self, kind: Kind, path: &Path) -> io::Result<Turn> {
        let mut state = self.0.state.lock().unwrap();
        if state.dead {
            return Err(dead());
        }
        state.operations.push((kind, path.to_owned()));
        let mut due = None;
        for (at, fault) in state.faults.iter_mut().enumerate() {
            if !fault.meets(kind, path) {
                continue;
            }
            if fault.after == 0 {
                due = due.or(Some(at));
            } else {
                fault.after -= 1;
            }
        }
        let Some(at) = due else { return Ok(Turn::All) };
        let fault = state.faults[at].clone();
        if !fault.lasting {
            state.faults.remove(at);
        }
        match fault.what {
            What::Fail(kind) => Err(injected(kind)),
            What::Tear(kind) => Ok(Turn::Half(injected(kind))),
            What::LoseReply => Ok(Turn::AllAnd(injected(io::ErrorKind::Other))),
            What::Crash => {
                state.dead = true;
                Ok(Turn::Half(dead()))
            }
            What::Hold => {
                state.held += 1;
                self.0.moved.notify_all();
                while !state.released {
                    state = self.0.moved.wait(state).unwrap();
                }
                state.held -= 1;
                Ok(Turn::All)
            }
        }
    }

    /// Does an operation: `all` of it, or `half`, or nothing, as its turn says.
    fn run(
        &self,
        kind: Kind,
        path: &Path,
        all: impl FnOnce(&Machine) -> io::Result<()>,
        half: impl FnOnce(&Machine) -> io::Result<()>,
    ) -> io::Result<()> {
        match self.turn(kind, path)? {
            Turn::All => {
                all(&self.0.machine)?;
                self.0.state.lock().unwrap().done.push((kind, path.to_owned()));
                self.0.moved.notify_all();
                Ok(())
            }
            Turn::Half(error) => {
                half(&self.0.machine).ok(); // the error of the fault is the one to be told
                Err(error)
            }
            Turn::AllAnd(error) => {
                all(&self.0.machine)?;
                Err(error)
            }
        }
    }
}

fn injected(kind: io::ErrorKind) -> io::Error {
    io::Error::new(kind, "the test disk fails here")
}

fn dead() -> io::Error {
    io::Error::other("the process is dead")
}

fn nothing(_: &Machine) -> io::Result<()> {
    Ok(())
}

impl Disk for FaultDisk {
    fn create_folder(&self, path: &Path) -> io::Result<()> {
        let make = |machine: &Machine| match machine.make_folder(path) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists && path.is_dir() => Ok(()),
            made => made,
        };
        let all = |machine: &Machine| {
            make(machine)?;
            machine.sync_folder(path.parent().unwrap())
        };
        self.run(Kind::CreateFolder, path, all, make)
    }

    fn write_new(&self, path: &Path, bytes: &[u8]) -> io::Result<()> {
        let half = |machine: &Machine| machine.write_new(path, &bytes[..bytes.len() / 2], false);
        self.run(Kind::WriteNew, path, |it| it.write_new(path, bytes, true), half)
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.run(Kind::Rename, to, |it| it.rename(from, to), nothing)
    }

    fn hard_link(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.run(Kind::HardLink, to, |it| it.hard_link(from, to), nothing)
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        self.run(Kind::Remove, path, |it| it.remove(path), nothing)
    }

    fn sync_folder(&self, path: &Path) -> io::Result<()> {
        self.run(Kind::SyncFolder, path, |it| it.sync_folder(path), nothing)
    }

    fn truncate(&self, path: &Path, size_bytes: u64) -> io::Result<()> {
        let cut = |synced| move |it: &Machine| it.truncate(path, size_bytes, synced);
        self.run(Kind::Truncate, path, cut(true), cut(false))
    }

    fn open_append(&self, path: &Path) -> io::Result<Box<dyn AppendFile>> {
        self.run(Kind::OpenAppend, path, nothing, nothing)?;
        let (file, node) = self.0.machine.open_append(path)?;
        Ok(Box::new(FaultFile { disk: self.clone(), path: path.to_owned(), file, node }))
    }
}

#[derive(Debug)]
struct FaultFile {
    disk: FaultDisk,
    path: PathBuf,
    file: File,
    node: NodeId,
}

impl AppendFile for FaultFile {
    fn append(&mut self, bytes: &[u8]) -> io::Result<()> {
        let (kind, node, file) = (Kind::Append, self.node, &mut self.file);
        let machine = &self.disk.0.machine;
        match self.disk.turn(kind, &self.path)? {
            Turn::All => machine.append(file, node, bytes),
            Turn::Half(error) => {
                machine.append(file, node, &bytes[..bytes.len() / 2])?;
                Err(error)
            }
            Turn::AllAnd(error) => {
                machine.append(file, node, bytes)?;
                Err(error)
            }
        }
    }

    fn sync(&mut self) -> io::Result<()> {
        let sync = |machine: &Machine| {
            machine.sync_file(self.node);
            Ok(())
        };
        self.disk.run(Kind::Sync, &self.path, sync, nothing)
    }
}
