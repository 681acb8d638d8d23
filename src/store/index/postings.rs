//! Runs by something else than their id: by contract, newest first, and by input, the newest
//! successful one. A posting names the file that its run is in: it counts only for a reader who
//! has that file.

use std::collections::{BTreeMap, HashMap};

use super::coding::{compress, damaged, decompress};
use super::kv::{Changes, Kv, Tree};
use super::runs::RunNumber;
use crate::error::Result;

/// Runs of one list of a contract.
const LIST_RUNS_MAX: usize = 512;
const BYTES: usize = 28;
const MEMO_BYTES: usize = 16 + BYTES;

/// A run, and the number of the file that it is in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Posting {
    pub(super) id: RunNumber,
    pub(super) start_us: i64,
    pub(super) file: u32,
}

/// Stands for a text of any length.
pub(super) type Digest = u128;

pub(super) fn digest(text: &str) -> Digest {
    let hash = blake3::hash(text.as_bytes());
    hash.as_bytes().first_chunk::<16>().map_or(0, |it| Digest::from_be_bytes(*it))
}

/// Adds runs of contracts.
pub(super) fn add_to_contracts(kv: &Kv, added: HashMap<Digest, Vec<Posting>>) -> Result<()> {
    for (contract, mut postings) in added {
        let mut changes = Changes::new();
        // short lists grow, so that a contract has few of them
        let newest = first_list(kv, contract)?;
        if let Some((key, list)) = newest
            && list.len() + postings.len() <= LIST_RUNS_MAX
        {
            changes.push((key, None));
            let known: std::collections::HashSet<_> = postings.iter().map(|it| it.id).collect();
            postings.extend(list.into_iter().filter(|it| !known.contains(&it.id)));
        }
        postings.sort_by_key(|it| std::cmp::Reverse(it.id));
        for list in postings.chunks(LIST_RUNS_MAX) {
            let Some(newest) = list.first() else { continue };
            let bytes: Vec<u8> = list.iter().flat_map(encode).collect();
            // a key that goes and comes is written once, last
            changes.push((list_key(contract, newest), Some(compress(&bytes)?)));
        }
        kv.apply(Tree::Contracts, changes)?;
    }
    Ok(())
}

/// The newest runs of a contract whose files count, at most `count_max`.
pub(super) fn newest_of_contract(
    kv: &Kv,
    name: &str,
    count_max: usize,
    counts: impl Fn(u32) -> bool,
) -> Result<Vec<Posting>> {
    let mut found: BTreeMap<RunNumber, Posting> = BTreeMap::new();
    let mut understood = true;
    kv.scan(Tree::Contracts, &digest(name).to_be_bytes(), |key, value| {
        let newest = key.get(16..).and_then(|it| it.first_chunk::<16>());
        let newest = newest.map(|it| !RunNumber::from_be_bytes(*it));
        let oldest_kept = found.keys().rev().nth(count_max.saturating_sub(1));
        if newest.zip(oldest_kept).is_some_and(|(newest, kept)| newest < *kept) {
            return false; // this list and those after it are older than all that are asked for
        }
        let list = decode_list(value);
        understood = newest.is_some() && list.is_some();
        for posting in list.into_iter().flatten().filter(|it| counts(it.file)) {
            found.insert(posting.id, posting);
        }
        understood
    })?;
    if !understood {
        return Err(damaged());
    }
    Ok(found.into_values().rev().take(count_max).collect())
}

/// Adds successful runs by the digest of their input.
pub(super) fn add_to_memo(kv: &Kv, added: HashMap<Digest, Posting>) -> Result<()> {
    let mut buckets: BTreeMap<u16, Vec<(Digest, Posting)>> = BTreeMap::new();
    for (input, posting) in added {
        buckets.entry(bucket(input)).or_default().push((input, posting));
    }
    for (bucket, added) in buckets {
        let mut entries: BTreeMap<Digest, Posting> = memo_bucket(kv, bucket)?.into_iter().collect();
        for (input, posting) in added {
            let known = entries.entry(input).or_insert(posting);
            if (posting.start_us, posting.id) >= (known.start_us, known.id) {
                *known = posting;
            }
        }
        let mut bytes = Vec::with_capacity(entries.len() * MEMO_BYTES);
        for (input, posting) in entries {
            bytes.extend(input.to_be_bytes());
            bytes.extend(encode(&posting));
        }
        let key = bucket.to_be_bytes().to_vec();
        kv.apply(Tree::Memo, vec![(key, Some(compress(&bytes)?))])?;
    }
    Ok(())
}

/// The newest successful run with this input.
pub(super) fn memo(kv: &Kv, input: &str) -> Result<Option<Posting>> {
    let input = digest(input);
    let entries = memo_bucket(kv, bucket(input))?;
    Ok(entries.into_iter().find(|(it, _)| *it == input).map(|(_, posting)| posting))
}

/// How many runs stand in lists of contracts.
pub(super) fn in_contracts(kv: &Kv) -> Result<u64> {
    in_tree(kv, Tree::Contracts, BYTES)
}

/// How many inputs are known.
pub(super) fn in_memo(kv: &Kv) -> Result<u64> {
    in_tree(kv, Tree::Memo, MEMO_BYTES)
}

fn in_tree(kv: &Kv, tree: Tree, entry_bytes: usize) -> Result<u64> {
    let (mut count, mut understood) = (0, true);
    kv.scan(tree, &[], |_, value| {
        let size = decompress(value).map(|it| it.len());
        count += size.as_ref().map_or(0, |size| *size / entry_bytes) as u64;
        understood &= size.is_ok();
        understood
    })?;
    if understood { Ok(count) } else { Err(damaged()) }
}

/// Inputs are spread over 4,096 values of the tree.
fn bucket(input: Digest) -> u16 {
    u16::try_from(input >> 116).unwrap_or_default()
}

fn memo_bucket(kv: &Kv, bucket: u16) -> Result<Vec<(Digest, Posting)>> {
    let Some(value) = kv.get(Tree::Memo, &bucket.to_be_bytes())? else { return Ok(Vec::new()) };
    let bytes = decompress(&value)?;
    let (entries, rest) = bytes.as_chunks::<MEMO_BYTES>();
    if !rest.is_empty() {
        return Err(damaged());
    }
    let decode = |entry: &[u8; MEMO_BYTES]| {
        let (input, posting) = entry.split_first_chunk::<16>()?;
        Some((Digest::from_be_bytes(*input), decode(posting.first_chunk()?)?))
    };
    entries.iter().map(|it| decode(it).ok_or_else(damaged)).collect()
}

fn first_list(kv: &Kv, contract: Digest) -> Result<Option<(Vec<u8>, Vec<Posting>)>> {
    let mut first = None;
    kv.scan(Tree::Contracts, &contract.to_be_bytes(), |key, value| {
        first = Some((key.to_vec(), decode_list(value)));
        false
    })?;
    first.map(|(key, list)| Ok((key, list.ok_or_else(damaged)?))).transpose()
}

fn list_key(contract: Digest, newest: &Posting) -> Vec<u8> {
    let mut key = contract.to_be_bytes().to_vec();
    key.extend((!newest.id).to_be_bytes());
    key.extend(newest.file.to_be_bytes());
    key
}

fn encode(posting: &Posting) -> Vec<u8> {
    let mut bytes = posting.id.to_be_bytes().to_vec();
    bytes.extend(posting.start_us.to_be_bytes());
    bytes.extend(posting.file.to_be_bytes());
    bytes
}

fn decode_list(value: &[u8]) -> Option<Vec<Posting>> {
    let bytes = decompress(value).ok()?;
    let (postings, rest) = bytes.as_chunks::<BYTES>();
    let postings = postings.iter().map(decode).collect::<Option<Vec<_>>>();
    postings.filter(|_| rest.is_empty())
}

fn decode(bytes: &[u8; BYTES]) -> Option<Posting> {
    let (id, rest) = bytes.split_first_chunk::<16>()?;
    let (start, file) = rest.split_first_chunk::<8>()?;
    Some(Posting {
        id: RunNumber::from_be_bytes(*id),
        start_us: i64::from_be_bytes(*start),
        file: u32::from_be_bytes(*file.first_chunk::<4>()?),
    })
}
