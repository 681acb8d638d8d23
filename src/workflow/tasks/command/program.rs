//! Which file is meant by the name of a program. Starts nothing.
//!
//! The search is done here and not by the start itself: so the error can say what was found, and a
//! program with a full path starts without a copy of this process (`posix_spawn`).

use std::ffi::OsStr;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use super::super::super::failure::StepError;
use super::order::Order;

/// The program of an order, as a full path.
pub(super) fn find(order: &Order) -> Result<PathBuf, StepError> {
    let name = &order.program;
    let base = order.cwd.as_deref().unwrap_or(Path::new(""));
    if let Some(cwd) = &order.cwd
        && !cwd.is_dir()
    {
        return Err(not_found(format!("there is no folder `{}` to work in", cwd.display())));
    }
    if name.contains('/') {
        let path = base.join(name);
        return match is_executable(&path) {
            Some(true) => absolute(&path),
            Some(false) => Err(not_executable(&path)),
            None => Err(not_found(format!("there is no program `{}`", path.display()))),
        };
    }
    let Some(folders) = order.variables.get(OsStr::new("PATH")) else {
        let message = format!("`{name}` cannot be looked for: `env_allow` hands on no PATH");
        return Err(not_found(message));
    };
    let mut passed = None;
    for folder in std::env::split_paths(folders) {
        let path = base.join(folder).join(name);
        match is_executable(&path) {
            Some(true) => return absolute(&path),
            Some(false) => passed = passed.or(Some(path)),
            None => {}
        }
    }
    Err(match passed {
        Some(path) => not_executable(&path),
        None => {
            let folders = folders.to_string_lossy();
            not_found(format!("there is no program `{name}` in PATH, which is `{folders}`"))
        }
    })
}

/// `None` if there is nothing; folders and files without the permission are not executable.
fn is_executable(path: &Path) -> Option<bool> {
    let about = fs::metadata(path).ok()?;
    Some(about.is_file() && about.permissions().mode() & 0o111 != 0)
}

fn absolute(path: &Path) -> Result<PathBuf, StepError> {
    std::path::absolute(path)
        .map_err(|error| not_found(format!("cannot tell where `{}` is: {error}", path.display())))
}

fn not_found(message: String) -> StepError {
    StepError::permanent("not_found", message)
}

fn not_executable(path: &Path) -> StepError {
    let message = format!("`{}` is no executable file", path.display());
    StepError::permanent("not_executable", message)
}
