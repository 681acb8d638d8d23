//! A machine's file system as tests need it: real files in a temporary folder, without real syncs,
//! and beside them what is durable. A power loss makes a new machine of what survives. Knows only
//! what went through the disk trait: locks and derived files do not survive.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::ffi::{OsStr, OsString};
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard};

use super::FaultDisk;
use super::survival::Survival;

/// Index of a file or folder in [`Model::nodes`]: what a name leads to.
pub(super) type NodeId = usize;

/// A folder of real files and the model of what a power loss leaves of them.
#[derive(Debug)]
pub(crate) struct Machine {
    folder: tempfile::TempDir,
    model: Mutex<Model>,
}

#[derive(Debug, Clone)]
struct Model {
    nodes: Vec<Node>,
}

#[derive(Debug, Clone)]
enum Node {
    Folder(Names),
    File(Content),
}

/// The names in a folder: as processes see them, and as of the folder's last sync.
#[derive(Debug, Clone, Default)]
struct Names {
    now: BTreeMap<OsString, NodeId>,
    durable: BTreeMap<OsString, NodeId>,
}

/// A file's bytes: the first `synced` are durable. `older`: what is durable instead, when the file
/// was cut and not synced.
#[derive(Debug, Clone, Default)]
struct Content {
    bytes: Vec<u8>,
    synced: usize,
    older: Option<Vec<u8>>,
}

const ROOT: NodeId = 0;

impl Machine {
    pub(crate) fn new() -> Arc<Self> {
        Arc::new(Self::with(Model { nodes: vec![Node::Folder(Names::default())] }))
    }

    fn with(model: Model) -> Self {
        // a folder in memory, where there is one, takes the load off the disk
        let memory = Path::new("/dev/shm");
        let folder = tempfile::tempdir_in(memory).or_else(|_| tempfile::tempdir()).unwrap();
        Self { folder, model: Mutex::new(model) }
    }

    /// Where tests put their store: a folder that is not there at first.
    pub(crate) fn store(&self) -> PathBuf {
        self.folder.path().join("store")
    }

    /// The disk as a new process sees it, without a fault.
    pub(crate) fn process(self: &Arc<Self>) -> FaultDisk {
        FaultDisk::new(self)
    }

    /// What is left after a power loss: everything durable, and of the rest a choice that depends
    /// on the seed. Seed 0 drops all that was not synced, seed 1 keeps all.
    pub(crate) fn power_loss(&self, seed: u64) -> Arc<Self> {
        let survival = &mut Survival::new(seed);
        let before = self.lock();
        let after = Self::with(Model { nodes: vec![Node::Folder(Names::default())] });
        {
            let mut contents = HashMap::new();
            let mut model = after.lock();
            let folder = after.folder.path();
            survive(&before, ROOT, &mut model, ROOT, folder, survival, &mut contents);
        }
        drop(before);
        Arc::new(after)
    }

    pub(super) fn make_folder(&self, path: &Path) -> io::Result<()> {
        let mut model = self.lock();
        fs::create_dir(path)?;
        let (folder, name) = self.parent(&mut model, path)?;
        let node = model.add(Node::Folder(Names::default()));
        model.names(folder).now.insert(name, node);
        Ok(())
    }

    pub(super) fn sync_folder(&self, path: &Path) -> io::Result<()> {
        let mut model = self.lock();
        File::open(path)?;
        let node = self.folder(&mut model, path)?;
        let names = model.names(node);
        names.durable = names.now.clone();
        Ok(())
    }

    pub(super) fn write_new(&self, path: &Path, bytes: &[u8], synced: bool) -> io::Result<()> {
        let mut model = self.lock();
        File::create_new(path)?.write_all(bytes)?;
        let (folder, name) = self.parent(&mut model, path)?;
        let synced = if synced { bytes.len() } else { 0 };
        let node = model.add(Node::File(Content { bytes: bytes.to_vec(), synced, older: None }));
        model.names(folder).now.insert(name, node);
        Ok(())
    }

    pub(super) fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        let mut model = self.lock();
        let node = self.file(&mut model, from)?;
        fs::rename(from, to)?;
        let (folder, name) = self.parent(&mut model, from)?;
        model.names(folder).now.remove(&name);
        let (folder, name) = self.parent(&mut model, to)?;
        model.names(folder).now.insert(name, node);
        Ok(())
    }

    pub(super) fn hard_link(&self, from: &Path, to: &Path) -> io::Result<()> {
        let mut model = self.lock();
        let node = self.file(&mut model, from)?;
        fs::hard_link(from, to)?;
        let (folder, name) = self.parent(&mut model, to)?;
        model.names(folder).now.insert(name, node);
        Ok(())
    }

    pub(super) fn remove(&self, path: &Path) -> io::Result<()> {
        let mut model = self.lock();
        fs::remove_file(path)?;
        let (folder, name) = self.parent(&mut model, path)?;
        model.names(folder).now.remove(&name);
        Ok(())
    }

    pub(super) fn truncate(&self, path: &Path, size_bytes: u64, synced: bool) -> io::Result<()> {
        let mut model = self.lock();
        let node = self.file(&mut model, path)?;
        OpenOptions::new().write(true).open(path)?.set_len(size_bytes)?;
        let content = model.content(node);
        let before = content.bytes.clone();
        content.bytes.resize(usize::try_from(size_bytes).unwrap(), 0);
        if synced {
            content.synced = content.bytes.len();
            content.older = None;
        } else {
            content.older = Some(before[..content.synced].to_vec());
            content.synced = content.synced.min(content.bytes.len());
        }
        Ok(())
    }

    pub(super) fn open_append(&self, path: &Path) -> io::Result<(File, NodeId)> {
        let mut model = self.lock();
        let file = OpenOptions::new().append(true).open(path)?;
        Ok((file, self.file(&mut model, path)?))
    }

    pub(super) fn append(&self, file: &mut File, node: NodeId, bytes: &[u8]) -> io::Result<()> {
        let mut model = self.lock();
        file.write_all(bytes)?;
        model.content(node).bytes.extend_from_slice(bytes);
        Ok(())
    }

    pub(super) fn sync_file(&self, node: NodeId) {
        let mut model = self.lock();
        let content = model.content(node);
        content.synced = content.bytes.len();
        content.older = None;
    }

    fn lock(&self) -> MutexGuard<'_, Model> {
        self.model.lock().unwrap()
    }

    fn folder(&self, model: &mut Model, path: &Path) -> io::Result<NodeId> {
        let inside = path.strip_prefix(self.folder.path()).map_err(io::Error::other)?;
        let mut node = ROOT;
        let mut here = self.folder.path().to_owned();
        for name in inside.iter() {
            here.push(name);
            node = model.child(node, name, &here)?;
        }
        Ok(node)
    }

    fn parent(&self, model: &mut Model, path: &Path) -> io::Result<(NodeId, OsString)> {
        let folder = self.folder(model, path.parent().unwrap())?;
        Ok((folder, path.file_name().unwrap().to_owned()))
    }

    fn file(&self, model: &mut Model, path: &Path) -> io::Result<NodeId> {
        let (folder, name) = self.parent(model, path)?;
        model.child(folder, &name, path)
    }
}

impl Model {
    fn add(&mut self, node: Node) -> NodeId {
        self.nodes.push(node);
        self.nodes.len() - 1
    }

    fn names(&mut self, node: NodeId) -> &mut Names {
        match &mut self.nodes[node] {
            Node::Folder(names) => names,
            Node::File(_) => panic!("a file is used as a folder"),
        }
    }

    fn content(&mut self, node: NodeId) -> &mut Content {
        match &mut self.nodes[node] {
            Node::File(content) => content,
            Node::Folder(_) => panic!("a folder is used as a file"),
        }
    }

    /// What a name in a folder leads to. A file that a test has put there by itself is taken in,
    /// as durable.
    fn child(&mut self, folder: NodeId, name: &OsStr, path: &Path) -> io::Result<NodeId> {
        if let Some(node) = self.names(folder).now.get(name) {
            return Ok(*node);
        }
        let node = if fs::metadata(path)?.is_dir() {
            self.add(Node::Folder(Names::default()))
        } else {
            let bytes = fs::read(path)?;
            self.add(Node::File(Content { synced: bytes.len(), bytes, older: None }))
        };
        let names = self.names(folder);
        names.now.insert(name.to_owned(), node);
        names.durable.insert(name.to_owned(), node);
        Ok(node)
    }
}

/// Writes what survives of a folder of `before` to the folder `path`, and into the new model.
fn survive(
    before: &Model,
    from: NodeId,
    after: &mut Model,
    to: NodeId,
    path: &Path,
    survival: &mut Survival,
    contents: &mut HashMap<NodeId, Vec<u8>>,
) {
    let Node::Folder(names) = &before.nodes[from] else { return };
    let all: BTreeSet<_> = names.now.keys().chain(names.durable.keys()).collect();
    for name in all {
        let (now, durable) = (names.now.get(name), names.durable.get(name));
        let chosen = if now == durable || survival.keeps() { now } else { durable };
        let Some(chosen) = chosen else { continue };
        let path = path.join(name);
        let node = match &before.nodes[*chosen] {
            Node::Folder(_) => {
                fs::create_dir(&path).unwrap();
                let node = after.add(Node::Folder(Names::default()));
                survive(before, *chosen, after, node, &path, survival, contents);
                node
            }
            Node::File(content) => {
                // two names of one file show the same bytes
                let bytes = contents.entry(*chosen).or_insert_with(|| content.survive(survival));
                fs::write(&path, &*bytes).unwrap();
                let synced = bytes.len();
                after.add(Node::File(Content { bytes: bytes.clone(), synced, older: None }))
            }
        };
        let names = after.names(to);
        names.now.insert(name.clone(), node);
        names.durable.insert(name.clone(), node);
    }
}

impl Content {
    fn survive(&self, survival: &mut Survival) -> Vec<u8> {
        if let Some(older) = &self.older
            && !survival.keeps()
        {
            return older.clone();
        }
        let mut bytes = self.bytes.clone();
        survival.mangle(&mut bytes, self.synced);
        bytes
    }
}
