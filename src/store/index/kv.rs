//! The only file that names sled: a few ordered trees of bytes, in one folder, of one process at a
//! time. Knows nothing of what the bytes mean.
//!
//! sled 0.34 can panic on bytes that are not what it wrote. A panic here is damage like any other:
//! it is caught, and after it the trees must not be used again.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{Read, Write};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::error::{Error, ErrorKind, IoContext, Result};

/// Memory that sled keeps pages in.
const CACHE_BYTES: u64 = 32 << 20;
/// How long a lock is waited for: 0.2 s.
const ATTEMPTS_MAX: u32 = 20;
const BETWEEN_ATTEMPTS: Duration = Duration::from_millis(10);

/// The trees.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Tree {
    /// What index this is.
    About,
    /// Data files that are indexed.
    Files,
    /// Run ids and start times of a file, in chunks.
    Runs,
    /// Whole runs, in groups.
    Packed,
    /// The groups by the age of their runs.
    PackedAge,
    /// Runs of a contract, in lists.
    Contracts,
    /// Runs by their input.
    Memo,
    /// Names for completion, by kind.
    Names,
}

impl Tree {
    /// Every tree, in the order of its place in [`Kv`].
    pub(super) const ALL: [Self; 8] = [
        Self::About,
        Self::Files,
        Self::Runs,
        Self::Packed,
        Self::PackedAge,
        Self::Contracts,
        Self::Memo,
        Self::Names,
    ];

    /// Its name, as `store status` shows it.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::About => "about",
            Self::Files => "files",
            Self::Runs => "runs",
            Self::Packed => "packed",
            Self::PackedAge => "packed_age",
            Self::Contracts => "contracts",
            Self::Memo => "memo",
            Self::Names => "names",
        }
    }
}

/// Changes of a tree: `None` removes.
pub(super) type Changes = Vec<(Vec<u8>, Option<Vec<u8>>)>;

/// The open trees.
pub(super) struct Kv {
    /// There until it is dropped.
    opened: Option<(sled::Db, Vec<sled::Tree>)>,
    path: PathBuf,
}

impl std::fmt::Debug for Kv {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Kv").field("path", &self.path).finish_non_exhaustive()
    }
}

impl Kv {
    /// Opens the trees in `folder`, and makes them where there are none. The caller has the lock.
    ///
    /// # Errors
    /// `Damaged` when they must be made anew; `Failed` when the disk refuses.
    pub(super) fn open(folder: &Path) -> Result<Self> {
        let path = folder.join(TREES_NAME);
        let opened = patiently(|| {
            guarded(&path, || {
                let config = sled::Config::new().path(&path).cache_capacity(CACHE_BYTES);
                // No thread of its own: what must be durable is flushed by name.
                let db = config.flush_every_ms(None).open()?;
                let trees = Tree::ALL.iter().map(|tree| db.open_tree(tree.name()));
                let trees = trees.collect::<sled::Result<Vec<_>>>()?;
                Ok((db, trees))
            })
        })?;
        Ok(Self { opened: Some(opened), path })
    }

    pub(super) fn get(&self, tree: Tree, key: &[u8]) -> Result<Option<Vec<u8>>> {
        self.guarded(tree, |it| Ok(it.get(key)?.map(|value| value.to_vec())))
    }

    /// The entry with the largest key up to `key`, if that key begins with `prefix`.
    pub(super) fn last_up_to(
        &self,
        tree: Tree,
        prefix: &[u8],
        key: &[u8],
    ) -> Result<Option<(Vec<u8>, Vec<u8>)>> {
        self.guarded(tree, |it| {
            let last = it.range(..=key).next_back().transpose()?;
            let last = last.filter(|(key, _)| key.starts_with(prefix));
            Ok(last.map(|(key, value)| (key.to_vec(), value.to_vec())))
        })
    }

    /// Hands over entries whose key begins with `prefix`, in their order, until `take` says no.
    pub(super) fn scan(
        &self,
        tree: Tree,
        prefix: &[u8],
        mut take: impl FnMut(&[u8], &[u8]) -> bool,
    ) -> Result<()> {
        self.guarded(tree, |it| {
            for entry in it.scan_prefix(prefix) {
                let (key, value) = entry?;
                if !take(&key, &value) {
                    break;
                }
            }
            Ok(())
        })
    }

    /// Makes changes of one tree, all or none: nobody sees a part of them, also after a crash. The
    /// last one of a key counts.
    pub(super) fn apply(&self, tree: Tree, changes: Changes) -> Result<()> {
        let mut batch = sled::Batch::default();
        for (key, value) in changes {
            match value {
                Some(value) => batch.insert(key, value),
                None => batch.remove(key),
            }
        }
        self.guarded(tree, |it| it.apply_batch(batch))
    }

    /// Takes the entry with the smallest key away.
    pub(super) fn pop_first(&self, tree: Tree) -> Result<Option<(Vec<u8>, Vec<u8>)>> {
        self.guarded(tree, |it| {
            Ok(it.pop_min()?.map(|(key, value)| (key.to_vec(), value.to_vec())))
        })
    }

    /// Makes all changes durable.
    pub(super) fn flush(&self) -> Result<()> {
        let Some((db, _)) = &self.opened else { return Ok(()) };
        guarded(&self.path, || db.flush().map(drop))
    }

    fn guarded<T>(
        &self,
        tree: Tree,
        work: impl FnOnce(&sled::Tree) -> sled::Result<T>,
    ) -> Result<T> {
        let known = Tree::ALL.iter().position(|it| *it == tree);
        let opened = known
            .and_then(|at| self.opened.as_ref()?.1.get(at))
            .ok_or_else(|| Error::internal(format!("there is no tree {}", tree.name())))?;
        guarded(&self.path, || work(opened))
    }
}

impl Drop for Kv {
    /// Closing flushes, and damaged trees may panic at that, too: there is nothing left to lose.
    fn drop(&mut self) {
        let opened = self.opened.take();
        drop(catch_unwind(AssertUnwindSafe(move || drop(opened))));
    }
}

/// Name of sled's folder in that of the index.
pub(super) const TREES_NAME: &str = "trees";
/// Where damaged trees go, in place of earlier ones.
pub(super) const DAMAGED_NAME: &str = "trees.damaged";

/// Moves the trees in `folder` aside, in place of those that were moved before.
pub(super) fn set_aside(folder: &Path) -> Result<()> {
    let (from, to) = (folder.join(TREES_NAME), folder.join(DAMAGED_NAME));
    remove_all(&to)?;
    match fs::rename(&from, &to) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(error).context("move aside", &from)
        }
        _ => Ok(()),
    }
}

/// Removes the trees in `folder`, and those that were moved aside.
pub(super) fn remove(folder: &Path) -> Result<()> {
    remove_all(&folder.join(TREES_NAME))?;
    remove_all(&folder.join(DAMAGED_NAME))
}

fn remove_all(path: &Path) -> Result<()> {
    let removed = if path.is_dir() { fs::remove_dir_all(path) } else { fs::remove_file(path) };
    match removed {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(error).context("remove", path)
        }
        _ => Ok(()),
    }
}

/// Tries again for a moment what is refused because of a lock: sled lets go of its file a little
/// after it is closed, and so does a process that ends, or that just starts another.
pub(super) fn patiently<T>(mut attempt: impl FnMut() -> Result<T>) -> Result<T> {
    for _ in 0..ATTEMPTS_MAX {
        match attempt() {
            Err(error) if error.kind() == ErrorKind::Unavailable => {
                std::thread::sleep(BETWEEN_ATTEMPTS);
            }
            done => return done,
        }
    }
    attempt()
}

/// Keeps other processes out until the file is dropped, or the process ends.
///
/// # Errors
/// `Unavailable` when another process has the index.
pub(super) fn lock(folder: &Path) -> Result<File> {
    fs::create_dir_all(folder).context("create the folder", folder)?;
    let path = folder.join("lock");
    let mut file = OpenOptions::new()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .open(&path)
        .context("open", &path)?;
    match file.try_lock() {
        Ok(()) => {
            // only for the message that another process shows
            file.set_len(0).context("write", &path)?;
            writeln!(file, "{}", std::process::id()).context("write", &path)?;
            Ok(file)
        }
        Err(TryLockError::WouldBlock) => {
            let mut holder = String::new();
            // its id may not be there yet
            drop(Read::by_ref(&mut file).take(32).read_to_string(&mut holder));
            let holder = match holder.trim() {
                "" => "another process".to_owned(),
                id => format!("process {id}"),
            };
            Err(Error::unavailable(format!("{holder} uses the index {}", folder.display())))
        }
        Err(TryLockError::Error(source)) => Err(source).context("lock", &path),
    }
}

/// Does `work`, and makes one kind of error of all that can go wrong.
fn guarded<T>(path: &Path, work: impl FnOnce() -> sled::Result<T>) -> Result<T> {
    let damaged = || Error::damaged(format!("the index {} cannot be read", path.display()));
    match catch_unwind(AssertUnwindSafe(work)) {
        Ok(Ok(done)) => Ok(done),
        Ok(Err(sled::Error::Io(source))) if !is_damage(source.kind()) => {
            Err(Error::failed(format!("cannot use the index {}", path.display()))
                .with_source(source)
                .with_hint("The tables are whole; without the index, lookups only take longer."))
        }
        // no kind of error tells it apart
        Ok(Err(source)) if source.to_string().contains("could not acquire lock") => {
            Err(Error::unavailable(format!("the index {} is in use", path.display()))
                .with_source(source))
        }
        Ok(Err(source)) => Err(damaged().with_source(source)),
        Err(_) => Err(damaged()),
    }
}

/// Kinds of errors that come from what was read, not from the disk.
fn is_damage(kind: std::io::ErrorKind) -> bool {
    use std::io::ErrorKind::{InvalidData, InvalidInput, Other, UnexpectedEof};
    matches!(kind, InvalidData | InvalidInput | Other | UnexpectedEof)
}
