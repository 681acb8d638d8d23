//! The private folder of one call of `command`: files that the program finds there, and files that
//! it leaves there. It is gone when it is dropped.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::fs::{self, Permissions};
use std::io::Read;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use serde_json::{Map, Value as Json};
use tempfile::TempDir;

use super::super::super::failure::{ErrorClass, StepError};
use super::order::Order;
use crate::error::IoContext;

/// The variable with the path of the folder.
const VARIABLE: &str = "GENSTORE_FILES";

#[derive(Debug)]
pub(super) struct Folder(TempDir);

impl Folder {
    /// Makes the folder of an order that has files, below TMPDIR, and lets the order know of it.
    pub(super) fn for_order(
        order: &mut Order,
        surroundings: &BTreeMap<OsString, OsString>,
    ) -> Result<Option<Self>, StepError> {
        if order.files.is_empty() && order.read.is_empty() {
            return Ok(None);
        }
        let above = surroundings.get(OsStr::new("TMPDIR")).filter(|it| !it.is_empty());
        let above = Path::new(above.map_or(OsStr::new("/tmp"), OsString::as_os_str));
        // a program that changes its folder still has to find it
        let above = std::path::absolute(above).context("find", above)?;
        let folder = tempfile::Builder::new()
            .prefix("genstore-")
            .permissions(Permissions::from_mode(0o700))
            .tempdir_in(&above)
            .context("make a folder in", &above)?;
        for (name, content) in order.files.drain(..) {
            let path = folder.path().join(name);
            fs::write(&path, content).context("write", &path)?;
        }
        order.variables.insert(VARIABLE.into(), folder.path().into());
        order.cwd.get_or_insert_with(|| folder.path().to_owned());
        Ok(Some(Self(folder)))
    }

    /// Files of the folder as texts, together of at most `bytes_max`.
    pub(super) fn read(&self, names: &[String], bytes_max: usize) -> Result<Json, StepError> {
        let mut left = u64::try_from(bytes_max).unwrap_or(u64::MAX);
        let mut texts = Map::new();
        for name in names {
            let path = self.0.path().join(name);
            // a link could lead anywhere, and a pipe be read for ever
            let is_file = fs::symlink_metadata(&path).is_ok_and(|it| it.is_file());
            if !is_file {
                return Err(unusable(format!("the program left no file `{name}`")));
            }
            let mut bytes = Vec::new();
            let file = fs::File::open(&path).context("open", &path)?;
            file.take(left.saturating_add(1)).read_to_end(&mut bytes).context("read", &path)?;
            let read = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
            left = left.checked_sub(read).ok_or_else(|| {
                let message = format!(
                    "the files to read have more than {bytes_max} bytes with `{name}`; \
                     `output_bytes_max` sets the limit"
                );
                StepError::permanent("output_size", message)
            })?;
            let text = String::from_utf8(bytes).map_err(|error| {
                let at = error.utf8_error().valid_up_to();
                unusable(format!("`{name}` is no text: byte {at} is no UTF-8"))
            })?;
            texts.insert(name.clone(), text.into());
        }
        Ok(Json::Object(texts))
    }
}

fn unusable(message: String) -> StepError {
    StepError::new(ErrorClass::InvalidOutput, "invalid_output", message)
}
