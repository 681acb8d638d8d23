//! `genstore contract infer`: a contract from a node's Python, by syntax alone. Reads files below
//! one package and runs nothing.

use std::path::{Path, PathBuf};

use super::Context;
use super::made::{Delivery, deliver, refused};
use crate::contract::infer::{Options, PackageFiles, infer};
use crate::error::{Error, IoContext, Result};
use crate::pipeline::source::read_bounded;
use crate::python::SIZE_BYTES_MAX;

/// Most Python files of a package, and deepest folder in it.
const FILES_MAX: usize = 2000;
const DEPTH_MAX: usize = 6;

/// Most folders that are gone up from a file to the folder of its package.
const UP_MAX: usize = 4;

/// Read the contract of a node out of its Python; nothing is imported or run
///
/// PATH is a package's folder (its node.py, else its handler.py), or any Python file with a node.
/// Models, enums and tables are read from the files of the same package that it imports. What code
/// does not say (topics, say) is a finding.
#[derive(Debug, clap::Args)]
#[command(verbatim_doc_comment)]
pub(super) struct Args {
    /// A package, or a Python file
    path: PathBuf,
    /// The node's class, where the file has several
    #[arg(long, value_name = "NAME")]
    class: Option<String>,
    #[command(flatten)]
    delivery: Delivery,
}

pub(super) fn run(args: &Args, context: &Context) -> Result<u8> {
    let (root, start) = place(&args.path)?;
    let files = Folder::below(&root)?;
    let whole = root.canonicalize().context("resolve", &root)?;
    let folder = whole.file_name().map(|it| it.to_string_lossy().into_owned());
    let options = Options { class: args.class.as_deref(), folder: folder.as_deref() };
    let source = files.read(&start, SIZE_BYTES_MAX as u64).ok();
    let source = source.and_then(|it| String::from_utf8(it).ok());
    match infer(&start, &files, &options) {
        Ok(made) => deliver(&made, &args.delivery),
        Err(finding) => {
            refused(&finding, source.as_deref(), context);
            let message = format!("no contract can be read out of {}", args.path.display());
            Err(Error::invalid(message))
        }
    }
}

/// The folder of the package, and the path of the file in it.
fn place(path: &Path) -> Result<(PathBuf, String)> {
    let metadata = std::fs::metadata(path).map_err(|source| {
        Error::failed(format!("there is no file {}", path.display())).with_source(source)
    })?;
    if metadata.is_dir() {
        let known = ["node.py", "handler.py"].into_iter().find(|it| path.join(it).is_file());
        if let Some(start) = known {
            return Ok((path.to_path_buf(), start.to_owned()));
        }
        let message = format!("there is no node.py and no handler.py in {}", path.display());
        return Err(Error::invalid(message).with_hint("Name the file with the node in it."));
    }
    let folder = path.parent().filter(|it| !it.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let mut root = folder.canonicalize().context("resolve", folder)?;
    let file = path.file_name().map(|it| it.to_string_lossy().into_owned()).unwrap_or_default();
    let mut start = file;
    for _ in 0..UP_MAX {
        let whole = ["node.py", "contract.yaml"].iter().any(|it| root.join(it).is_file());
        let Some(parent) = root.parent().filter(|_| !whole && root.join("__init__.py").is_file())
        else {
            break;
        };
        let part = root.file_name().map(|it| it.to_string_lossy().into_owned()).unwrap_or_default();
        start = format!("{part}/{start}");
        root = parent.to_path_buf();
    }
    Ok((root, start))
}

/// The Python files below a folder.
struct Folder {
    root: PathBuf,
    paths: Vec<String>,
}

impl Folder {
    /// Lists them; links are not followed, hidden folders and tests are left out.
    fn below(root: &Path) -> Result<Self> {
        let mut paths = Vec::new();
        let mut waiting = vec![(root.to_path_buf(), String::new(), 0)];
        while let Some((folder, inside, depth)) = waiting.pop() {
            for entry in std::fs::read_dir(&folder).context("list", &folder)?.flatten() {
                let name = entry.file_name().to_string_lossy().into_owned();
                let is = entry.file_type().ok();
                let path =
                    if inside.is_empty() { name.clone() } else { format!("{inside}/{name}") };
                let hidden = name.starts_with('.') || ["tests", "__pycache__"].contains(&&*name);
                if is.is_some_and(|it| it.is_dir()) && depth < DEPTH_MAX && !hidden {
                    waiting.push((entry.path(), path, depth + 1));
                } else if is.is_some_and(|it| it.is_file()) && name.ends_with(".py") {
                    paths.push(path);
                }
                if paths.len() >= FILES_MAX {
                    waiting.clear();
                    break;
                }
            }
        }
        paths.sort();
        Ok(Self { root: root.to_path_buf(), paths })
    }
}

impl PackageFiles for Folder {
    fn paths(&self) -> Vec<String> {
        self.paths.clone()
    }

    fn read(&self, path: &str, bytes_max: u64) -> Result<Vec<u8>> {
        let path = self.root.join(path);
        let size_bytes = std::fs::metadata(&path).map_or(0, |it| it.len());
        if size_bytes > bytes_max {
            let most = bytes_max >> 20;
            let message =
                format!("{} has more than {most} MiB: no node is that long", path.display());
            return Err(Error::invalid(message));
        }
        read_bounded(&path, bytes_max)
    }
}
