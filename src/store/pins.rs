//! Pinned batches: retention keeps their runs, whole. A pin is a row of `baselines`; the newest row
//! of a batch says whether it is pinned. Reads rows and removes none.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use arrow::array::{AsArray, RecordBatch};

use super::data_file::{each_batch, texts, times};
use super::handle::Store;
use super::snapshot::Snapshot;
use crate::error::{Error, Result, nearest};
use crate::event::{BaselineRow, Event, Table, Text, TimeUs};

/// Batches that an error names at most.
const CANDIDATES_MAX: usize = 5;

/// A pinned batch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pin {
    /// The batch.
    pub batch_id: Text,
    /// The name that it was pinned under.
    pub name: Text,
    /// Since when.
    pub time: TimeUs,
}

impl Store {
    /// The pinned batches, the last one pinned first.
    pub fn pins(&self) -> Result<Vec<Pin>> {
        let mut pins = pinned(&self.snapshot()?)?;
        pins.sort_by(|a, b| (b.time, &b.batch_id).cmp(&(a.time, &a.batch_id)));
        Ok(pins)
    }

    /// The batch of which `typed` is the id or the beginning of it, whether or not it has ended.
    ///
    /// # Errors
    /// `Invalid` when there is no such batch, or several.
    pub fn batch(&self, typed: &str) -> Result<Text> {
        find_batch(batches(&self.snapshot()?)?, typed)
    }

    /// Pins a batch, of which `batch` is the id or the beginning of it, under a name; without one,
    /// under its id. Acknowledged when it returns.
    ///
    /// # Errors
    /// `Invalid` when there is no such batch, or several.
    pub fn pin(&self, batch: &str, name: Option<&str>, now_us: i64) -> Result<Pin> {
        let batch_id = self.batch(batch)?;
        let name = name.map_or_else(|| batch_id.clone(), Text::from);
        let pin = Pin { batch_id, name, time: TimeUs(now_us) };
        self.commit_pin(&pin, true)?;
        Ok(pin)
    }

    /// Ends a pin; the batch is of no other meaning to retention from then on.
    ///
    /// # Errors
    /// `Invalid` when no such batch is pinned, or several.
    pub fn unpin(&self, batch: &str, now_us: i64) -> Result<Pin> {
        let pins = pinned(&self.snapshot()?)?;
        let ids = pins.iter().map(|it| it.batch_id.clone()).collect();
        let found = find_batch(ids, batch).map_err(|error| {
            let hint = error.hint().unwrap_or("`genstore store pins` lists them.").to_owned();
            let message = error.message().replace("there is no batch", "there is no pinned batch");
            Error::new(error.kind(), message).with_hint(hint)
        })?;
        let pin = pins.into_iter().find(|it| it.batch_id == found);
        let pin = pin.ok_or_else(|| Error::internal("a pin was found and is not there"))?;
        // a clock that was set back must not make this row the older one
        let time = TimeUs(now_us.max(pin.time.0.saturating_add(1)));
        let pin = Pin { time, ..pin };
        self.commit_pin(&pin, false)?;
        Ok(pin)
    }

    fn commit_pin(&self, pin: &Pin, pinned: bool) -> Result<()> {
        let Pin { batch_id, name, time } = pin.clone();
        self.commit_blocking(vec![Event::from(BaselineRow { name, batch_id, pinned, time })])
    }
}

/// The pinned batches of a snapshot, by their ids.
pub(super) fn pinned(snapshot: &Snapshot) -> Result<Vec<Pin>> {
    let mut newest: BTreeMap<Text, (TimeUs, bool, Text)> = BTreeMap::new();
    for_each(snapshot, Table::Baselines, &["name", "batch_id", "pinned", "time"], |batch| {
        let pinned = batch.column_by_name("pinned").and_then(|it| it.as_boolean_opt());
        let (names, ids) = (texts(batch, "name"), texts(batch, "batch_id"));
        let columns = names.zip(ids).zip(pinned.zip(times(batch, "time")));
        let Some(((names, ids), (pinned, times))) = columns else { return };
        for row in 0..batch.num_rows() {
            let it = (TimeUs(times.value(row)), pinned.value(row), Text::from(names.value(row)));
            let known = newest.entry(Text::from(ids.value(row))).or_insert_with(|| it.clone());
            // of two at one time, the pin holds: nothing is lost by it
            if (it.0, it.1) > (known.0, known.1) {
                *known = it;
            }
        }
    })?;
    let pins = newest.into_iter().filter(|(_, (_, pinned, _))| *pinned);
    Ok(pins.map(|(batch_id, (time, _, name))| Pin { batch_id, name, time }).collect())
}

/// Every batch that a finished replay, or a run, names.
fn batches(snapshot: &Snapshot) -> Result<BTreeSet<Text>> {
    let mut found = HashSet::new();
    for table in [Table::Batches, Table::Runs] {
        for_each(snapshot, table, &["batch_id"], |batch| {
            for id in texts(batch, "batch_id").into_iter().flatten().flatten() {
                if !found.contains(id) {
                    found.insert(id.to_owned());
                }
            }
        })?;
    }
    Ok(found.into_iter().map(Text::from).collect())
}

fn for_each(
    snapshot: &Snapshot,
    table: Table,
    names: &[&str],
    mut see: impl FnMut(&RecordBatch),
) -> Result<()> {
    let Some(it) = snapshot.tables.get(&table) else { return Ok(()) };
    if let Some(damage) = &it.damage {
        return Err(damage.again());
    }
    for file in it.files.iter() {
        each_batch(&snapshot.source, file, names, |batch| see(&batch))?;
    }
    it.hot.iter().for_each(see);
    Ok(())
}

/// The batch that has this id, or whose id alone begins so.
fn find_batch(batches: BTreeSet<Text>, typed: &str) -> Result<Text> {
    if let Some(exact) = batches.iter().find(|it| it.as_str() == typed) {
        return Ok(exact.clone());
    }
    let fitting: Vec<&Text> =
        batches.iter().filter(|it| !typed.is_empty() && it.starts_with(typed)).collect();
    let names = |ids: &[&Text]| {
        let shown: Vec<&str> = ids.iter().take(CANDIDATES_MAX).map(|it| it.as_str()).collect();
        let more = ids.len().saturating_sub(CANDIDATES_MAX);
        let more = if more > 0 { format!(" and {more} more") } else { String::new() };
        format!("{}{more}", shown.join(", "))
    };
    match &*fitting {
        [one] => Ok((*one).clone()),
        [] => {
            // ids of batches begin with their time: the last ones are the newest
            let newest: Vec<&Text> = batches.iter().rev().collect();
            let hint = match nearest(typed, batches.iter().map(Text::as_str)) {
                Some(near) => format!("Did you mean {near}?"),
                None if newest.is_empty() => "The store holds none.".to_owned(),
                None => format!("The newest are {}.", names(&newest)),
            };
            Err(Error::invalid(format!("there is no batch {typed:?}")).with_hint(hint))
        }
        several => {
            let message = format!("{} batches begin with {typed:?}", several.len());
            Err(Error::invalid(message).with_hint(format!("They are {}.", names(several))))
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test fails by panicking")]
mod tests {
    use super::*;

    #[test]
    fn a_batch_is_found_by_the_beginning_of_its_id() {
        let batches: BTreeSet<Text> =
            ["0199aa", "0199ab", "0199b", "nightly"].into_iter().map(Text::from).collect();
        let find = |typed: &str| find_batch(batches.clone(), typed);
        assert_eq!(find("0199b").unwrap().as_str(), "0199b");
        assert_eq!(find("ni").unwrap().as_str(), "nightly");
        let error = find("0199").unwrap_err();
        assert_eq!(error.message(), "3 batches begin with \"0199\"");
        assert_eq!(error.hint(), Some("They are 0199aa, 0199ab, 0199b."));
        assert_eq!(find("nihgtly").unwrap_err().hint(), Some("Did you mean nightly?"));
        let hint = "The newest are nightly, 0199b, 0199ab, 0199aa.";
        assert_eq!(find("").unwrap_err().hint(), Some(hint));
        let error = find_batch(BTreeSet::new(), "x").unwrap_err();
        assert_eq!(error.hint(), Some("The store holds none."));
    }
}
