//! Which files of a table to put together next, and why. Pure: knows files by their names, sizes
//! and bounds, and reads none.
//!
//! Beside writers, files are put together by **tiers**: a file with `files_min` times the rows of
//! another is one tier above it. As soon as a tier has `files_min` files, they become one file of
//! a tier above. So a table of n rows has at most about `files_min · log n` small files, and each
//! row is written anew about log n times in its life. A **full** plan puts together all neighbours
//! that are not large enough yet.

use crate::event::Text;

/// What a plan knows of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct PlanFile {
    /// Name in the folder of the table.
    pub(super) name: String,
    pub(super) size_bytes: u64,
    /// Rows in it; `None` where the log does not say.
    pub(super) rows: Option<u64>,
    /// The smallest run id in it, where the log says it.
    pub(super) first_run: Option<Text>,
    /// The earliest time in it, where the log says it.
    pub(super) oldest_us: Option<i64>,
}

/// What bounds a plan.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::store) struct Bounds {
    /// A file of this size is large enough for ever.
    pub(in crate::store) large_bytes: u64,
    /// Files of a tier that are put together; also the factor between two tiers.
    pub(in crate::store) files_min: usize,
    /// Files of a group.
    pub(in crate::store) files_max: usize,
    /// Bytes of a group's files.
    pub(in crate::store) bytes_max: u64,
}

/// Files that become one, neighbours in the order of their rows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Group {
    /// Their names; at least two.
    pub(super) names: Vec<String>,
    pub(super) size_bytes: u64,
    /// Rows in them, as far as the log says.
    pub(super) rows: u64,
    /// Why, in words.
    pub(super) reason: String,
}

/// The groups of a whole compaction: every two neighbours that are not large enough are put
/// together, within the bounds. None in a table that is compact. What comes of one plan may be
/// small enough for another.
pub(super) fn full(files: &[PlanFile], bounds: &Bounds) -> Vec<Group> {
    let mut groups = Vec::new();
    let mut open: Vec<&PlanFile> = Vec::new();
    let mut open_bytes = 0;
    for file in in_order(files) {
        let is_large = file.size_bytes >= bounds.large_bytes;
        let fits = open_bytes + file.size_bytes <= bounds.bytes_max;
        if is_large || !fits || open.len() >= bounds.files_max {
            close_full(&mut open, bounds, &mut groups);
            open_bytes = 0;
        }
        if !is_large {
            open_bytes += file.size_bytes;
            open.push(file);
        }
    }
    close_full(&mut open, bounds, &mut groups);
    groups
}

fn close_full(open: &mut Vec<&PlanFile>, bounds: &Bounds, groups: &mut Vec<Group>) {
    if open.len() >= 2 {
        let large_mb = bounds.large_bytes.div_ceil(1 << 20);
        groups.push(group(open, format!("{} files below {large_mb} MB each", open.len())));
    }
    open.clear();
}

/// The next step of a compaction beside writers, `None` if no tier is full. Small tiers come first:
/// they are soon done, and hold most files.
pub(super) fn step(files: &[PlanFile], bounds: &Bounds) -> Option<Group> {
    // of files up to half the bound, any two fit into a step
    let may_grow =
        |it: &PlanFile| it.size_bytes < bounds.large_bytes && it.size_bytes <= bounds.bytes_max / 2;
    let growing: Vec<&PlanFile> = in_order(files).into_iter().filter(|it| may_grow(it)).collect();
    let factor = bounds.files_min.max(2) as u64;
    let highest = growing.iter().map(|it| tier(it, factor)).max()?;
    (0..=highest).find_map(|at| {
        let peers: Vec<&PlanFile> =
            growing.iter().copied().filter(|it| tier(it, factor) == at).collect();
        if peers.len() < bounds.files_min.max(2) {
            return None;
        }
        let mut size_bytes = 0;
        let fits = |it: &&PlanFile| {
            size_bytes += it.size_bytes;
            size_bytes <= bounds.bytes_max
        };
        let taken: Vec<_> =
            peers.iter().copied().take(bounds.files_max.max(2)).take_while(fits).collect();
        let (least, most) = (factor.pow(at), factor.saturating_pow(at + 1) - 1);
        Some(group(&taken, format!("{} files of {least} to {most} rows", peers.len())))
    })
}

/// How often `factor` goes into the rows of a file.
fn tier(file: &PlanFile, factor: u64) -> u32 {
    // where the log does not say it, about as many as are usual
    const ROW_BYTES: u64 = 32;
    file.rows.unwrap_or(file.size_bytes / ROW_BYTES).max(1).ilog(factor)
}

/// In the order of their rows, as far as it is known; names of files rise with time, too.
fn in_order(files: &[PlanFile]) -> Vec<&PlanFile> {
    let mut sorted: Vec<&PlanFile> = files.iter().collect();
    sorted.sort_by(|a, b| {
        let key = |it: &PlanFile| (it.first_run.clone(), it.oldest_us);
        key(a).cmp(&key(b)).then_with(|| a.name.cmp(&b.name))
    });
    sorted
}

fn group(files: &[&PlanFile], reason: String) -> Group {
    Group {
        names: files.iter().map(|it| it.name.clone()).collect(),
        size_bytes: files.iter().map(|it| it.size_bytes).sum(),
        rows: files.iter().filter_map(|it| it.rows).sum(),
        reason,
    }
}

#[cfg(test)]
mod tests;
