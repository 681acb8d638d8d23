//! Templates of a user, read from a folder: each `*.j2` below it stands in the place of the
//! built-in template with its name. Compiles none of them; writes nothing.

use std::path::{Path, PathBuf};

use super::source::read_bounded;
use crate::error::{Error, Result};
use crate::template::Library;

/// How a template's file ends.
const ENDING: &str = ".j2";

/// Most files of a folder that are looked at, deepest folder, and longest template: bounds against
/// a wrong folder.
const FILES_MAX: usize = 10_000;
const DEPTH_MAX: usize = 8;
const TEMPLATE_BYTES_MAX: u64 = 1 << 20;

/// The library with the templates of a folder in the place of the built-in ones; without a folder
/// the built-in ones alone.
///
/// # Errors
/// When the folder cannot be read or holds no template, or a template has a name that is never
/// rendered, is no text, or does not compile.
pub fn library(folder: Option<&Path>) -> Result<Library> {
    let Some(folder) = folder else { return Library::builtin() };
    let mut files = Vec::new();
    for path in templates(folder)? {
        let shown = path.display().to_string();
        let text =
            String::from_utf8(read_bounded(&path, TEMPLATE_BYTES_MAX)?).map_err(|source| {
                Error::invalid(format!("{shown} is not UTF-8")).with_source(source)
            })?;
        let relative = path.strip_prefix(folder).unwrap_or(&path);
        let parts: Vec<String> =
            relative.iter().map(|it| it.to_string_lossy().into_owned()).collect();
        let name = parts.join("/");
        let name = name.strip_suffix(ENDING).unwrap_or(&name).to_owned();
        files.push((name, shown, text));
    }
    Library::with(files)
}

/// The templates below a folder, in the order of their paths.
fn templates(folder: &Path) -> Result<Vec<PathBuf>> {
    let cannot = |path: &Path, source: std::io::Error| {
        Error::failed(format!("cannot list the folder {}", path.display())).with_source(source)
    };
    let mut found = Vec::new();
    let mut seen = 0_usize;
    let mut pending = vec![(folder.to_path_buf(), 0)];
    while let Some((below, depth)) = pending.pop() {
        for entry in std::fs::read_dir(&below).map_err(|it| cannot(&below, it))? {
            let entry = entry.map_err(|it| cannot(&below, it))?;
            let path = entry.path();
            seen += 1;
            if seen > FILES_MAX {
                return Err(Error::invalid(format!(
                    "{} holds more than {FILES_MAX} files: it is no folder of templates",
                    folder.display()
                )));
            }
            // a link to a folder is not followed: it could lead to itself
            if entry.file_type().is_ok_and(|it| it.is_dir()) {
                if depth < DEPTH_MAX {
                    pending.push((path, depth + 1));
                }
            } else if entry.file_name().to_string_lossy().ends_with(ENDING) {
                found.push(path);
            }
        }
    }
    found.sort();
    if found.is_empty() {
        return Err(Error::invalid(format!(
            "there is no template (*{ENDING}) in {}",
            folder.display()
        ))
        .with_hint("Templates are named as in `genstore template list`: effect/handler.py.j2."));
    }
    Ok(found)
}
