//! Runs by id, per file of `runs`: ids and start times in chunks, and of the newest runs the whole
//! record, in groups that compress well together.
//!
//! A record says of which files of `steps` and `issues` it was made, so that a reader knows whether
//! it is still the whole truth.

use uuid::Uuid;

use super::coding::{compress, damaged, decode, decompress, encode};
use super::kv::{Changes, Kv, Tree};
use crate::error::Result;
use crate::store::lookup::RunRecord;

/// Runs of one chunk of ids.
const CHUNK_RUNS: usize = 512;
/// Runs of one group of records; chunks hold whole groups.
pub(super) const GROUP_RUNS: usize = 16;

/// A run's id as a number: ids that are made later are larger.
pub(super) type RunNumber = u128;

/// What is known of every indexed run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct RunEntry {
    pub(super) id: RunNumber,
    pub(super) start_us: i64,
}

/// The number of an id; `None` for one that is no UUID in its usual form.
pub(in crate::store) fn run_number(id: &str) -> Option<u128> {
    let uuid = Uuid::try_parse(id).ok()?;
    let mut usual = Uuid::encode_buffer();
    (uuid.hyphenated().encode_lower(&mut usual) == id).then(|| uuid.as_u128())
}

/// The id of a number.
pub(super) fn run_id(number: RunNumber) -> String {
    Uuid::from_u128(number).hyphenated().to_string()
}

/// Writes the runs of a file, sorted by id.
pub(super) fn write(kv: &Kv, file: u32, runs: &[RunEntry]) -> Result<()> {
    let mut changes = Changes::new();
    for chunk in runs.chunks(CHUNK_RUNS) {
        let Some(first) = chunk.first() else { continue };
        let mut bytes: Vec<u8> = chunk.iter().flat_map(|run| run.id.to_be_bytes()).collect();
        bytes.extend(chunk.iter().flat_map(|run| run.start_us.to_be_bytes()));
        changes.push((key(file, first.id), Some(compress(&bytes)?)));
    }
    kv.apply(Tree::Runs, changes)
}

/// A run in a file, and the first of the group that it would be packed with.
pub(super) fn find(kv: &Kv, file: u32, id: RunNumber) -> Result<Option<(RunEntry, RunNumber)>> {
    let last = kv.last_up_to(Tree::Runs, &file.to_be_bytes(), &key(file, id))?;
    let Some((_, value)) = last else { return Ok(None) };
    let bytes = decompress(&value)?;
    let (ids, starts) = bytes.split_at_checked(bytes.len() / 24 * 16).ok_or_else(damaged)?;
    let (ids, _) = ids.as_chunks::<16>();
    let (starts, _) = starts.as_chunks::<8>();
    let Ok(at) = ids.binary_search_by(|it| RunNumber::from_be_bytes(*it).cmp(&id)) else {
        return Ok(None);
    };
    let start = starts.get(at).ok_or_else(damaged)?;
    let first = ids.get(at / GROUP_RUNS * GROUP_RUNS).ok_or_else(damaged)?;
    let entry = RunEntry { id, start_us: i64::from_be_bytes(*start) };
    Ok(Some((entry, RunNumber::from_be_bytes(*first))))
}

/// Writes a group of records: `children` are the numbers of the files they were made of.
pub(super) fn pack(
    kv: &Kv,
    file: u32,
    children: &[u32],
    group: &[(RunNumber, RunRecord)],
) -> Result<()> {
    let (Some((first, _)), Some((last, _))) = (group.first(), group.last()) else {
        return Ok(());
    };
    let ids: Vec<RunNumber> = group.iter().map(|(id, _)| *id).collect();
    let records: Vec<Vec<u8>> =
        group.iter().map(|(_, record)| encode(record)).collect::<Result<_>>()?;
    let sizes: Vec<usize> = records.iter().map(Vec::len).collect();
    let head = encode(&(children, ids, sizes))?;
    let mut bytes = u32::try_from(head.len()).unwrap_or_default().to_be_bytes().to_vec();
    bytes.extend(head);
    bytes.extend(records.into_iter().flatten());
    kv.apply(Tree::Packed, vec![(key(file, *first), Some(compress(&bytes)?))])?;
    let count = u8::try_from(group.len()).unwrap_or(u8::MAX);
    kv.apply(Tree::PackedAge, vec![(age_key(*last, file, *first), Some(vec![count]))])
}

/// The record of a run, and the files that it was made of.
pub(super) fn unpack(
    kv: &Kv,
    file: u32,
    first: RunNumber,
    id: RunNumber,
) -> Result<Option<(Vec<u32>, RunRecord)>> {
    let Some(value) = kv.get(Tree::Packed, &key(file, first))? else { return Ok(None) };
    let bytes = decompress(&value)?;
    let (size, rest) = bytes.split_first_chunk::<4>().ok_or_else(damaged)?;
    let size = usize::try_from(u32::from_be_bytes(*size)).unwrap_or(usize::MAX);
    let (head, records) = rest.split_at_checked(size).ok_or_else(damaged)?;
    let (children, ids, sizes): (Vec<u32>, Vec<RunNumber>, Vec<usize>) = decode(head)?;
    let Some(at) = ids.iter().position(|it| *it == id) else { return Ok(None) };
    let start: usize = sizes.iter().take(at).sum();
    let end = start + sizes.get(at).ok_or_else(damaged)?;
    let record = decode(records.get(start..end).ok_or_else(damaged)?)?;
    Ok(Some((children, record)))
}

/// How many runs are packed.
pub(super) fn packed_count(kv: &Kv) -> Result<u64> {
    let mut count = 0;
    kv.scan(Tree::PackedAge, &[], |_, value| {
        count += value.first().copied().map_or(0, u64::from);
        true
    })?;
    Ok(count)
}

/// Takes the group of the oldest runs away; how many runs it held, `None` if there is none.
pub(super) fn drop_oldest(kv: &Kv) -> Result<Option<u64>> {
    let Some((age, count)) = kv.pop_first(Tree::PackedAge)? else { return Ok(None) };
    kv.apply(Tree::Packed, vec![(age.get(16..).ok_or_else(damaged)?.to_vec(), None)])?;
    Ok(count.first().copied().map(u64::from))
}

/// Forgets the runs of a file. Its groups' ages are forgotten when their time comes.
pub(super) fn remove(kv: &Kv, file: u32) -> Result<()> {
    for tree in [Tree::Runs, Tree::Packed] {
        let mut gone = Changes::new();
        kv.scan(tree, &file.to_be_bytes(), |key, _| {
            gone.push((key.to_vec(), None));
            true
        })?;
        kv.apply(tree, gone)?;
    }
    Ok(())
}

fn key(file: u32, first: RunNumber) -> Vec<u8> {
    let mut key = file.to_be_bytes().to_vec();
    key.extend(first.to_be_bytes());
    key
}

fn age_key(last: RunNumber, file: u32, first: RunNumber) -> Vec<u8> {
    let mut key = last.to_be_bytes().to_vec();
    key.extend(self::key(file, first));
    key
}
