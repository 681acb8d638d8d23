//! Reads contracts from disk, with bounds, and the files that they include.

use std::fs;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use crate::error::{Error, Result};

/// Longest contract that is read.
pub const CONTRACT_BYTES_MAX: u64 = 50 << 20;

/// The content of the contract at `path`. The error names the path and what is wrong with it;
/// [`error_type`] gives its class.
pub fn read_contract(path: &Path) -> Result<Vec<u8>> {
    read_bounded(path, CONTRACT_BYTES_MAX)
}

/// Reads at most `bytes_max` bytes of a regular file.
pub fn read_bounded(path: &Path, bytes_max: u64) -> Result<Vec<u8>> {
    let metadata = fs::metadata(path).map_err(|error| describe(path, error))?;
    if metadata.is_dir() {
        fs::read_dir(path).map_err(|error| describe(path, error))?;
        return Err(Error::invalid(format!("{} is a folder, not a contract", path.display()))
            .with_hint(
                "Name a contract in it; `genstore replay` and `contract lint` take folders.",
            ));
    }
    if !metadata.is_file() {
        return Err(Error::invalid(format!("{} is not a regular file", path.display())));
    }
    let mut bytes = Vec::with_capacity(usize::try_from(metadata.len().min(bytes_max)).unwrap_or(0));
    let file = fs::File::open(path).map_err(|error| describe(path, error))?;
    file.take(bytes_max + 1).read_to_end(&mut bytes).map_err(|error| describe(path, error))?;
    if bytes.len() as u64 > bytes_max {
        return Err(Error::invalid(format!(
            "{} has more than {} MiB: no contract is that long",
            path.display(),
            bytes_max >> 20
        )));
    }
    Ok(bytes)
}

fn describe(path: &Path, error: io::Error) -> Error {
    let path = path.display();
    let message = match error.kind() {
        io::ErrorKind::NotFound => format!("there is no file {path}"),
        io::ErrorKind::PermissionDenied => format!("{path} may not be read"),
        // ELOOP has no stable kind.
        _ if error.raw_os_error() == Some(40) => format!("{path} is a link that leads to itself"),
        _ => format!("cannot read {path}"),
    };
    Error::failed(message).with_source(error)
}

/// The folder that a contract's includes are read from.
#[derive(Debug)]
pub struct ContractFolder {
    folder: PathBuf,
}

impl ContractFolder {
    /// The folder of the contract at `path`.
    pub fn of(path: &Path) -> Self {
        let folder = path.parent().filter(|it| !it.as_os_str().is_empty());
        Self { folder: folder.unwrap_or(Path::new(".")).to_path_buf() }
    }

    /// The content of an included file. `relative` was found to be a plain relative path; a link
    /// that leads out of the folder is refused here, where links can be seen.
    pub fn read_file(&self, relative: &str, bytes_max: u64) -> Result<Vec<u8>> {
        let path = self.folder.join(relative);
        let inside = match (path.canonicalize(), self.folder.canonicalize()) {
            (Ok(path), Ok(folder)) => path.starts_with(folder),
            (Err(error), _) | (_, Err(error)) => return Err(describe(&path, error)),
        };
        if !inside {
            return Err(Error::invalid(format!(
                "{} leads out of the contract's folder",
                path.display()
            )));
        }
        read_bounded(&path, bytes_max)
    }
}
