//! Deals the row groups of files out to threads, one to each in turn: what a question leaves over
//! of a file, such as its last week, lies together, and with a file cut in halves one thread would
//! have all of it. Looks at numbers of row groups, and reads nothing.

use std::sync::Arc;

use datafusion::common::Statistics;
use datafusion::datasource::listing::PartitionedFile;
use datafusion::datasource::physical_plan::FileGroup;
use datafusion::datasource::physical_plan::parquet::ParquetAccessPlan;

/// The shares of some threads.
#[derive(Debug)]
pub(super) struct Shares {
    threads: Vec<FileGroup>,
    /// Whose turn it is.
    next: usize,
}

impl Shares {
    /// Nothing dealt out yet.
    pub(super) fn new(threads: usize) -> Self {
        Self { threads: vec![FileGroup::default(); threads.max(1)], next: 0 }
    }

    /// Deals a file out that has so many row groups.
    pub(super) fn deal(&mut self, file: &PartitionedFile, row_groups: usize) {
        let shares = row_groups.clamp(1, self.threads.len());
        for first in 0..shares {
            let mut share = file.clone();
            if shares > 1 {
                let mut access = ParquetAccessPlan::new_none(row_groups);
                (first..row_groups).step_by(shares).for_each(|it| access.scan(it));
                share.statistics = file.statistics.as_deref().map(|it| Arc::new(part(it, shares)));
                share = share.with_extension(access);
            }
            let thread = self.next;
            self.next = (self.next + 1) % self.threads.len();
            if let Some(thread) = self.threads.get_mut(thread) {
                thread.push(share);
            }
        }
    }

    /// The share of each thread that has one.
    pub(super) fn groups(mut self) -> Vec<FileGroup> {
        self.threads.retain(|it| !it.is_empty());
        self.threads
    }
}

/// What is known of one of so many parts.
fn part(whole: &Statistics, parts: usize) -> Statistics {
    let mut part = whole.clone().to_inexact();
    let share = |it: &usize| it.div_ceil(parts);
    part.num_rows = part.num_rows.map(|it| share(&it));
    part.total_byte_size = part.total_byte_size.map(|it| share(&it));
    part
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Per thread the files and the row groups of each.
    fn dealt(files: &[(&str, usize)], threads: usize) -> Vec<Vec<(String, Option<Vec<usize>>)>> {
        let mut shares = Shares::new(threads);
        for (name, row_groups) in files {
            shares.deal(&PartitionedFile::new(*name, 10), *row_groups);
        }
        let share = |it: &PartitionedFile| {
            let groups = it.extension::<ParquetAccessPlan>().map(|it| it.row_group_indexes());
            (it.object_meta.location.to_string(), groups)
        };
        shares.groups().iter().map(|it| it.iter().map(share).collect()).collect()
    }

    #[test]
    fn each_row_group_has_one_thread_and_each_thread_its_turn() {
        let whole = |name: &str| (name.to_owned(), None);
        let some = |name: &str, groups: &[usize]| (name.to_owned(), Some(groups.to_vec()));
        assert_eq!(
            dealt(&[("a", 5), ("b", 1), ("c", 1)], 2),
            [vec![some("a", &[0, 2, 4]), whole("b")], vec![some("a", &[1, 3]), whole("c")],]
        );
        assert_eq!(dealt(&[("a", 2)], 4), [[some("a", &[0])], [some("a", &[1])]]);
        assert_eq!(dealt(&[("a", 0)], 4), [[whole("a")]]);
        assert!(dealt(&[], 3).is_empty());
    }
}
