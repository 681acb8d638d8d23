//! The `--fix` of contract lint: safe rewrites carried out in the file, or shown. Decides nothing
//! about what is safe.

use std::io::Write;
use std::path::Path;

use crate::contract::fix::diff;
use crate::contract::{Fixed, fix, parse_bytes};
use crate::error::{IoContext, Result};
use crate::pipeline::source::{ContractFolder, read_contract};

/// The safe rewrites of a file; `None` where it cannot be read, is no contract, or needs none.
pub(super) fn mended(path: &Path) -> Option<(String, Fixed)> {
    let text = String::from_utf8(read_contract(path).ok()?).ok()?;
    let (uri, folder) = (path.display().to_string(), ContractFolder::of(path));
    let parsed = parse_bytes(text.as_bytes(), &uri, &folder);
    let fixed = fix(&text, &parsed, &uri, &folder);
    (!fixed.fixes.is_empty()).then_some((text, fixed))
}

/// The rewrites as a diff.
pub(super) fn shown(path: &Path, before: &str, fixed: &Fixed) -> String {
    diff(before, fixed, &path.display().to_string())
}

/// Writes the file anew beside itself and renames it, so that it is whole at every moment. A link
/// stays one: what it leads to is written.
pub(super) fn write(path: &Path, fixed: &Fixed) -> Result<()> {
    let path = std::fs::canonicalize(path).context("resolve", path)?;
    let folder = path.parent().unwrap_or(Path::new("."));
    let mut file = tempfile::NamedTempFile::new_in(folder).context("create a file in", folder)?;
    file.write_all(fixed.text.as_bytes()).context("write", &path)?;
    let permissions = std::fs::metadata(&path).context("read", &path)?.permissions();
    file.as_file().set_permissions(permissions).context("write", &path)?;
    file.as_file().sync_all().context("write", &path)?;
    file.persist(&path).map_err(|error| error.error).context("write", &path)?;
    Ok(())
}
