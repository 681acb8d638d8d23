//! The test disk itself: what is durable survives every power loss, and what is not may be lost in
//! each of the ways that matter.
#![cfg(test)]

use std::collections::BTreeSet;
use std::fs;

use super::*;

const SEEDS: u64 = 300;

/// A machine with a durable folder `store`, and a disk on it.
fn machine() -> (Arc<Machine>, FaultDisk, PathBuf) {
    let machine = Machine::new();
    let disk = machine.process();
    let folder = machine.store();
    disk.create_folder(&folder).unwrap();
    (machine, disk, folder)
}

/// The names and contents that `store` can have after a power loss, as text.
fn outcomes(machine: &Machine) -> BTreeSet<String> {
    (0..SEEDS)
        .map(|seed| {
            let after = machine.power_loss(seed);
            let Ok(entries) = fs::read_dir(after.store()) else { return "nothing".to_owned() };
            let files = entries.map(|entry| entry.unwrap().path());
            let mut files: Vec<_> = files
                .map(|path| {
                    let name = path.file_name().unwrap().to_string_lossy().into_owned();
                    format!("{name}={}", String::from_utf8_lossy(&fs::read(&path).unwrap()))
                })
                .collect();
            files.sort();
            files.join(" ")
        })
        .collect()
}

fn set(texts: &[&str]) -> BTreeSet<String> {
    texts.iter().map(|it| (*it).to_owned()).collect()
}

#[test]
fn a_name_is_durable_with_its_folder_and_not_with_its_content() {
    let (machine, disk, folder) = machine();
    disk.write_new(&folder.join("a"), b"1").unwrap();
    assert_eq!(outcomes(&machine), set(&["", "a=1"]));
    disk.sync_folder(&folder).unwrap();
    assert_eq!(outcomes(&machine), set(&["a=1"]));
    disk.create_folder(&folder.join("b")).unwrap();
    disk.write_new(&folder.join("b/c"), b"2").unwrap();
    assert!(machine.power_loss(0).store().join("b").is_dir());
    assert!(!machine.power_loss(0).store().join("b/c").exists());
    assert!(machine.power_loss(1).store().join("b/c").is_file());
}

#[test]
fn renames_links_and_removals_may_be_there_or_not_until_the_folder_is_synced() {
    let (machine, disk, folder) = machine();
    for name in ["a", "b"] {
        disk.write_new(&folder.join(name), name.as_bytes()).unwrap();
    }
    disk.sync_folder(&folder).unwrap();
    disk.rename(&folder.join("a"), &folder.join("b")).unwrap();
    let whole = set(&["a=a b=a", "a=a b=b", "b=a", "b=b"]);
    assert_eq!(outcomes(&machine), whole, "each name on its own");
    disk.sync_folder(&folder).unwrap();
    disk.hard_link(&folder.join("b"), &folder.join("c")).unwrap();
    assert_eq!(outcomes(&machine), set(&["b=a", "b=a c=a"]));
    let taken = disk.hard_link(&folder.join("b"), &folder.join("c")).unwrap_err();
    assert_eq!(taken.kind(), io::ErrorKind::AlreadyExists);
    disk.sync_folder(&folder).unwrap();
    disk.remove(&folder.join("b")).unwrap();
    assert_eq!(outcomes(&machine), set(&["b=a c=a", "c=a"]));
}

#[test]
fn bytes_that_were_not_synced_are_kept_lost_cut_or_zero_and_the_others_stay() {
    let (machine, disk, folder) = machine();
    let path = folder.join("a");
    disk.write_new(&path, &[b'x'; 100]).unwrap();
    disk.sync_folder(&folder).unwrap();
    let mut file = disk.open_append(&path).unwrap();
    file.append(&[b'y'; 2_000]).unwrap();
    let mut kinds = BTreeSet::new();
    for seed in 0..SEEDS {
        let bytes = fs::read(machine.power_loss(seed).store().join("a")).unwrap();
        assert!(bytes.starts_with(&[b'x'; 100]), "seed {seed}");
        let rest = &bytes[100..];
        kinds.insert(match (rest.len(), rest.contains(&b'y'), rest.contains(&0)) {
            (0, ..) => "lost",
            (2_000, true, false) => "kept",
            (2_000, false, true) => "zero",
            (2_000, true, true) => "in pieces",
            (_, true, false) => "cut",
            other => panic!("seed {seed}: {other:?}"),
        });
    }
    assert_eq!(kinds, BTreeSet::from(["lost", "kept", "zero", "in pieces", "cut"]));
    file.sync().unwrap();
    for seed in 0..SEEDS {
        assert_eq!(fs::read(machine.power_loss(seed).store().join("a")).unwrap().len(), 2_100);
    }
    disk.inject(Fault::crash());
    disk.truncate(&path, 7).unwrap_err();
    let lengths = (0..SEEDS).map(|it| fs::read(machine.power_loss(it).store().join("a")));
    let lengths: BTreeSet<_> = lengths.map(|it| it.unwrap().len()).collect();
    assert_eq!(lengths, BTreeSet::from([7, 2_100]));
}

#[test]
fn faults_happen_where_they_were_told_to() {
    let (machine, disk, folder) = machine();
    let path = |name: &str| folder.join(name);
    disk.inject(Fault::fail(io::ErrorKind::StorageFull).on(&[Kind::WriteNew]).after(1));
    disk.write_new(&path("a"), b"1234").unwrap();
    let error = disk.write_new(&path("b"), b"1234").unwrap_err();
    assert_eq!((error.kind(), path("b").exists()), (io::ErrorKind::StorageFull, false));
    disk.inject(Fault::tear(io::ErrorKind::Other).within("/b"));
    disk.write_new(&path("c"), b"1234").unwrap();
    disk.write_new(&path("b"), b"1234").unwrap_err();
    assert_eq!(fs::read(path("b")).unwrap(), b"12");
    disk.inject(Fault::lose_reply());
    disk.remove(&path("b")).unwrap_err();
    assert!(!path("b").exists());
    disk.inject(Fault::fail(io::ErrorKind::Other).lasting());
    disk.remove(&path("a")).unwrap_err();
    disk.remove(&path("a")).unwrap_err();
    disk.repair();
    disk.remove(&path("a")).unwrap();
    let mut file = disk.open_append(&path("c")).unwrap();
    disk.inject(Fault::crash());
    file.append(b"5678").unwrap_err();
    assert_eq!(fs::read(path("c")).unwrap(), b"123456");
    disk.repair();
    file.append(b"5678").unwrap_err();
    file.sync().unwrap_err();
    disk.write_new(&path("d"), b"").unwrap_err();
    machine.process().write_new(&path("d"), b"").unwrap();
}
