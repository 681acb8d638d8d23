//! `!include` tags: which path one may name, and where its text comes from. Does no IO: the reader
//! is a parameter.

use crate::error::{Error, Result};

/// Most bytes of one included file (upstream's limit).
pub const INCLUDE_SIZE_BYTES_MAX: usize = 1 << 20;

/// Most includes inside one another (upstream's limit).
pub const INCLUDE_DEPTH_MAX: usize = 10;

/// Where the text of an included file comes from.
pub trait Includes {
    /// The text of the file at `path`, which is relative to the folder of the contract, with `/`
    /// between parts, and already known to be safe by [`resolve`]. An implementation on a file
    /// system must still refuse a path that a symbolic link takes out of that folder, and should
    /// read no more than [`INCLUDE_SIZE_BYTES_MAX`] + 1 bytes.
    ///
    /// # Errors
    /// Names the file and says why it cannot be read; it becomes a finding at the tag.
    fn read(&self, path: &str) -> Result<String>;
}

/// Refuses every include: for a contract that does not come from a folder.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoIncludes;

impl Includes for NoIncludes {
    fn read(&self, path: &str) -> Result<String> {
        Err(Error::invalid(format!("there is no folder in which to look for {path}")))
    }
}

/// The path of an include, relative to the folder of the contract, or why it is refused.
///
/// `from` is the folder of the including file relative to the contract's folder, empty for the
/// contract itself; `written` is the text after the tag. The result has no `.`, `..` or empty part,
/// so that it can be joined to the contract's folder part by part and never leaves it.
///
/// # Errors
/// A sentence that says what is wrong with the path.
pub fn resolve(from: &str, written: &str) -> Result<String> {
    let refuse = |why: &str| {
        let shown: String = written.chars().take(120).collect();
        Err(Error::invalid(format!("cannot include {shown:?}: {why}"))
            .with_hint("name a file in the contract's own folder, such as subcontracts/fsm.yaml"))
    };
    if written.trim().is_empty() {
        return refuse("the tag names no file");
    }
    if written.len() > 1024 {
        return refuse("the path is longer than 1024 bytes");
    }
    if written.chars().any(char::is_control) {
        return refuse("the path has a control character in it");
    }
    if written.starts_with(['/', '\\', '~']) || written.contains(':') {
        return refuse("the path is not relative");
    }
    if written.contains('\\') {
        return refuse("parts of a path are separated by `/`");
    }
    let mut parts: Vec<&str> = from.split('/').filter(|part| !part.is_empty()).collect();
    let folder_parts = parts.len();
    for part in written.split('/') {
        match part {
            "" | "." => {}
            ".." => return refuse("`..` is not allowed in it"),
            part => parts.push(part),
        }
    }
    if parts.len() == folder_parts || written.ends_with('/') || written.ends_with("/.") {
        return refuse("it names a folder");
    }
    Ok(parts.join("/"))
}

#[cfg(test)]
mod tests;
