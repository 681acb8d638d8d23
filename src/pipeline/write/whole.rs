//! Which packages of an output folder are whole, by their manifests. Reads, and writes nothing.

use std::collections::BTreeMap;

use super::{OutputFolder, Written, generator, read_manifest, safe};
use crate::event::Text;

impl OutputFolder {
    /// The packages that this genstore has written and that have all their files, by the digest of
    /// their contract. Whether somebody has edited a file is not asked: it stays as it is.
    pub fn whole(&self) -> BTreeMap<Text, Written> {
        let entries = std::fs::read_dir(&self.root).into_iter().flatten().flatten();
        let whole = entries.filter_map(|entry| {
            let folder = entry.path();
            // what cannot be read is not whole: it is made again, and then its run says why
            let manifest = read_manifest(&folder).ok().flatten()?;
            let is_there = |name: &String| safe(name).is_ok_and(|it| folder.join(it).is_file());
            let is_whole = manifest.generator == generator() && manifest.files.keys().all(is_there);
            let written = Written { folder: self.named.join(entry.file_name()), changed: 0 };
            is_whole.then(|| (Text::from(manifest.contract_digest), written))
        });
        whole.collect()
    }
}
