//! Slots: a writer locks the lowest free one. Slots are made once and never removed. The lock is
//! the operating system's, so it ends with the process, however that ends.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Read, Seek, Write};
use std::path::Path;
use std::thread;
use std::time::Duration;

use super::layout::Layout;
use crate::error::{Error, IoContext, Result};
use crate::journal::disk::{Disk, open_file};
use crate::journal::file_number;

/// How long those are waited for who have a lock for a moment only: 0.2 s. That is whoever looks
/// for its holder, and a child that a process starts, which has all its files until it runs its own
/// program.
const LOOKS_MAX: u32 = 200;
const BETWEEN_LOOKS: Duration = Duration::from_millis(1);

/// A locked slot; free again when dropped.
#[derive(Debug)]
pub(super) struct Slot {
    number: u32,
    _lock: File,
}

/// The slot that a process writes. Meanwhile nobody has all slots alone.
#[derive(Debug)]
pub(super) struct OwnedSlot {
    slot: Slot,
    _shared: File,
}

impl OwnedSlot {
    pub(super) fn slot(&self) -> &Slot {
        &self.slot
    }

    pub(super) fn number(&self) -> u32 {
        self.slot.number
    }
}

/// All slots at once, those to come included: whoever repairs a store has it alone.
#[derive(Debug)]
pub(super) struct AllSlots {
    slots: Vec<Slot>,
    _exclusive: File,
}

impl AllSlots {
    /// Frees the slots; new writers are still kept out.
    pub(super) fn free(&mut self) {
        self.slots.clear();
    }
}

impl Slot {
    pub(super) fn number(&self) -> u32 {
        self.number
    }
}

/// Locks the lowest free slot of `writers_max`.
///
/// # Errors
/// `Unavailable`, naming the processes that hold the slots.
pub(super) fn lock_lowest(layout: &Layout, disk: &dyn Disk, writers_max: u32) -> Result<OwnedSlot> {
    let shared = lock_shared(layout)?;
    let mut holders = Vec::new();
    for number in 0..writers_max {
        let folder = layout.slot(number);
        disk.create_folder(&folder).context("create the folder", &folder)?;
        match try_lock(layout, number)? {
            Ok(slot) => return Ok(OwnedSlot { slot, _shared: shared }),
            Err(holder) => holders.push(holder),
        }
    }
    Err(busy(layout, &holders))
}

/// Keeps whoever wants the store alone out, as long as the file is held.
///
/// # Errors
/// `Unavailable`, naming the process that repairs.
pub(super) fn lock_shared(layout: &Layout) -> Result<File> {
    let path = layout.writers_lock();
    let shared = open_lock(&path)?;
    match patiently(|| shared.try_lock_shared()) {
        Ok(()) => Ok(shared),
        Err(TryLockError::WouldBlock) => {
            let (root, holder) = (layout.root().display(), named_in(&shared));
            let message = format!("{root} is being repaired by process {holder}");
            Err(Error::unavailable(message).with_hint("Wait until that has ended."))
        }
        Err(TryLockError::Error(source)) => Err(source).context("lock", &path),
    }
}

/// Locks every slot, and keeps new writers out.
///
/// # Errors
/// `Unavailable`, naming the processes that write.
pub(super) fn lock_all(layout: &Layout) -> Result<AllSlots> {
    let path = layout.writers_lock();
    let mut exclusive = open_lock(&path)?;
    let locked = patiently(|| exclusive.try_lock());
    let (mut slots, mut holders) = (Vec::new(), Vec::new());
    for number in list(layout)? {
        let mut tried = try_lock(layout, number)?;
        for _ in 0..LOOKS_MAX {
            // without a writer, a slot is held for a moment at most
            if tried.is_ok() || locked.is_err() {
                break;
            }
            thread::sleep(BETWEEN_LOOKS);
            tried = try_lock(layout, number)?;
        }
        match tried {
            Ok(slot) => slots.push(slot),
            Err(holder) => holders.push(holder),
        }
    }
    match locked {
        Ok(()) if holders.is_empty() => {
            note_process(&mut exclusive, &path)?;
            Ok(AllSlots { slots, _exclusive: exclusive })
        }
        Ok(()) | Err(TryLockError::WouldBlock) => {
            Err(busy(layout, &holders).with_hint("Stop that process, then repair."))
        }
        Err(TryLockError::Error(source)) => Err(source).context("lock", &path),
    }
}

/// Whether no process of this machine writes the store or looks after it at this moment: whatever
/// was there before belongs to nobody. To be asked by a process that does neither yet.
pub(super) fn nobody_writes(layout: &Layout) -> Result<bool> {
    let path = layout.writers_lock();
    if !path.exists() {
        return Ok(true);
    }
    match open_lock(&path)?.try_lock() {
        Ok(()) => Ok(true),
        Err(TryLockError::WouldBlock) => Ok(false),
        Err(TryLockError::Error(source)) => Err(source).context("lock", &path),
    }
}

pub(super) fn patiently(
    attempt: impl Fn() -> Result<(), TryLockError>,
) -> Result<(), TryLockError> {
    for _ in 0..LOOKS_MAX {
        match attempt() {
            Err(TryLockError::WouldBlock) => thread::sleep(BETWEEN_LOOKS),
            done => return done,
        }
    }
    attempt()
}

fn busy(layout: &Layout, holders: &[String]) -> Error {
    let who = match holders {
        [] => "another process".to_owned(),
        [holder] => format!("process {holder}"),
        _ => format!("processes {}", holders.join(", ")),
    };
    Error::unavailable(format!("{} is being written by {who}", layout.root().display()))
        .with_hint("Reading works meanwhile; wait for that process, or use another --store.")
}

pub(super) fn open_lock(path: &Path) -> Result<File> {
    OpenOptions::new().read(true).write(true).create(true).truncate(false).open(path).map_err(
        |source| {
            Error::unavailable(format!("cannot open the lock {}", path.display()))
                .with_source(source)
                .with_hint("Writing needs permission to write in the store's folder.")
        },
    )
}

/// Only for the message that another process shows: no sync needed.
pub(super) fn note_process(file: &mut File, path: &Path) -> Result<()> {
    file.set_len(0).context("write", path)?;
    file.rewind().context("write", path)?;
    writeln!(file, "{}", std::process::id()).context("write", path)
}

/// Locks a slot whose folder exists; the holder's process id if it is taken.
pub(super) fn try_lock(layout: &Layout, number: u32) -> Result<Result<Slot, String>> {
    let path = layout.slot_lock(number);
    let mut file = open_lock(&path)?;
    for _ in 0..LOOKS_MAX {
        match file.try_lock() {
            Ok(()) => {
                note_process(&mut file, &path)?;
                return Ok(Ok(Slot { number, _lock: file }));
            }
            Err(TryLockError::WouldBlock) => {}
            Err(TryLockError::Error(source)) => return Err(source).context("lock", &path),
        }
        match file.try_lock_shared() {
            // only someone who looks for its holder, as this does, and is gone at once
            Ok(()) => file.unlock().context("unlock", &path)?,
            Err(TryLockError::WouldBlock) => break,
            Err(TryLockError::Error(source)) => return Err(source).context("lock", &path),
        }
        thread::sleep(BETWEEN_LOOKS);
    }
    Ok(Err(named_in(&file)))
}

/// The process that holds a slot; `None` for a free one. Changes nothing.
pub(super) fn holder(layout: &Layout, number: u32) -> Result<Option<String>> {
    let path = layout.slot_lock(number);
    let file = match open_file(&path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error).context("read", &path),
    };
    match file.try_lock_shared() {
        Ok(()) => Ok(None),
        Err(TryLockError::WouldBlock) => Ok(Some(named_in(&file))),
        Err(TryLockError::Error(source)) => Err(source).context("lock", &path),
    }
}

/// The process id that the holder of a lock has written.
pub(super) fn named_in(mut file: &File) -> String {
    let mut holder = String::new();
    let known = Read::by_ref(&mut file).take(32).read_to_string(&mut holder).is_ok();
    let holder = holder.trim();
    let known = known && !holder.is_empty(); // it may not have written its id yet
    if known { holder.to_owned() } else { "(not known yet)".to_owned() }
}

/// The numbers of the slots that exist, rising.
pub(super) fn list(layout: &Layout) -> Result<Vec<u32>> {
    let names = names_in(&layout.journal())?;
    let mut slots: Vec<u32> = names.iter().filter_map(|it| it.parse().ok()).collect();
    slots.sort_unstable();
    Ok(slots)
}

/// The numbers of the journal files of a slot, rising.
pub(super) fn files(layout: &Layout, slot: u32) -> Result<Vec<u64>> {
    let names = names_in(&layout.slot(slot))?;
    let mut files: Vec<u64> = names.iter().filter_map(|it| file_number(it)).collect();
    files.sort_unstable();
    Ok(files)
}

/// The names in a folder; none if there is no such folder.
pub(super) fn names_in(folder: &Path) -> Result<Vec<String>> {
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(error).context("read the folder", folder),
    };
    let mut names = Vec::new();
    for entry in entries {
        let name = entry.context("read the folder", folder)?.file_name();
        names.extend(name.into_string().ok());
    }
    Ok(names)
}
