//! Exports that break off: a disk that fails or is full, Ctrl-C, and a kill at any moment. What is
//! left never looks whole, and the next export is as if nothing had been.

use std::fs;
use std::io;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use genstore::error::ErrorKind;
use genstore::event::Table;
use genstore::export::{Destination, MANIFEST, Manifest, Request, What, export, to_the_end};
use genstore::journal::disk::{AppendFile, Disk, SystemDisk};
use genstore::store::Store;

use super::fixture::{checked, continued, counts, files, request, run, session};
use crate::import::fixture::{events, fill};
use crate::program::Place;
use crate::store::rows::{open, quiet, whole_run};

/// What becomes of a disk.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Fault {
    /// It is full for one moment: half of a file is written.
    Full,
    /// The power goes: nothing works from then on.
    Dead,
}

/// A disk whose k-th change fails.
#[derive(Debug)]
struct FailingDisk {
    fault: Fault,
    at: u64,
    changes: AtomicU64,
}

impl FailingDisk {
    fn change(&self) -> io::Result<bool> {
        let n = self.changes.fetch_add(1, Ordering::SeqCst);
        if self.fault == Fault::Dead && n > self.at {
            return Err(io::Error::other("the power is gone"));
        }
        Ok(n == self.at)
    }

    fn whole(&self) -> io::Result<()> {
        if self.change()? { Err(io::ErrorKind::StorageFull.into()) } else { Ok(()) }
    }
}

impl Disk for FailingDisk {
    fn create_folder(&self, path: &Path) -> io::Result<()> {
        self.whole()?;
        SystemDisk.create_folder(path)
    }
    fn write_new(&self, path: &Path, bytes: &[u8]) -> io::Result<()> {
        if self.change()? {
            fs::write(path, &bytes[..bytes.len() / 2])?;
            return Err(io::ErrorKind::StorageFull.into());
        }
        SystemDisk.write_new(path, bytes)
    }
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.whole()?;
        SystemDisk.rename(from, to)
    }
    fn hard_link(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.whole()?;
        SystemDisk.hard_link(from, to)
    }
    fn remove(&self, path: &Path) -> io::Result<()> {
        self.whole()?;
        SystemDisk.remove(path)
    }
    fn sync_folder(&self, path: &Path) -> io::Result<()> {
        self.whole()?;
        SystemDisk.sync_folder(path)
    }
    fn truncate(&self, path: &Path, size_bytes: u64) -> io::Result<()> {
        SystemDisk.truncate(path, size_bytes)
    }
    fn open_append(&self, path: &Path) -> io::Result<Box<dyn AppendFile>> {
        SystemDisk.open_append(path)
    }
}

fn manifest(folder: &Path) -> Option<Manifest> {
    let bytes = fs::read(folder.join(MANIFEST)).ok()?;
    Some(serde_json::from_slice(&bytes).unwrap())
}

/// A request whose target's disk fails at the k-th change.
fn failing(asked: &Request, to: &Path, fault: Fault, at: u64) -> (Request, Arc<FailingDisk>) {
    let disk = Arc::new(FailingDisk { fault, at, changes: AtomicU64::new(0) });
    let shared: Arc<dyn Disk> = Arc::<FailingDisk>::clone(&disk);
    (Request { to: Destination::on_disk(to, shared).unwrap(), ..asked.clone() }, disk)
}

/// One table: each change that it takes is a chance to fail.
fn few(store: &Path, to: &Path) -> Request {
    let what = What::Tables(vec![Table::Steps]);
    Request { what, ..request(store, to) }
}

fn prepared() -> (tempfile::TempDir, PathBuf) {
    let place = tempfile::tempdir().unwrap();
    let store = place.path().join("store");
    fill(&store, &events(6, 2));
    (place, store)
}

/// Every change of the target's disk fails once, in a new export and in one that replaces.
#[test]
fn a_disk_that_fails_at_any_moment_leaves_nothing_that_looks_whole() {
    let (place, store) = prepared();
    let snapshot = Store::open_read_only(&store).unwrap().snapshot().unwrap();
    let session = session(&snapshot); // once: it takes longer than an export
    let run = |asked: &Request| export(&session, asked, &mut to_the_end);
    for fault in [Fault::Full, Fault::Dead] {
        for force in [false, true] {
            let mut failed = 0;
            for at in (0..).step_by(2) {
                let to = place.path().join(format!("{fault:?}-{force}-{at}"));
                let asked = Request { force, rows_per_file: 12, ..few(&store, &to) };
                if force {
                    run(&Request { force: false, ..asked.clone() }).unwrap();
                }
                let (broken, disk) = failing(&asked, &to, fault, at);
                let result = run(&broken);
                if disk.changes.load(Ordering::SeqCst) <= at {
                    result.unwrap();
                    break;
                }
                failed += u64::from(result.is_err());
                if manifest(&to).is_some_and(|it| it.export_id == broken.id.to_string()) {
                    // the manifest was written, and what failed was to say so
                    assert!(fault == Fault::Dead || result.is_err());
                } else if fault == Fault::Full {
                    let left = files(&to);
                    let old = manifest(&to).is_some();
                    assert!(left.is_empty() || force && old, "at {at}: {left:?}");
                }
                let again = Request { force: true, ..few(&store, &to) };
                run(&again).unwrap();
                assert_eq!(counts(&checked(&to))["steps"], 18, "{fault:?} at {at}");
                fs::remove_dir_all(&to).unwrap();
            }
            assert!(failed > 8, "{fault:?}: {failed}");
        }
    }
}

/// The last export stands, and the next one takes what this one did not.
#[test]
fn an_increment_that_breaks_off_changes_nothing() {
    let (place, store) = prepared();
    let writer = open(&store, quiet()).unwrap();
    let what = || What::Tables(vec![Table::Runs, Table::Steps]);
    let asked = |to: &Path| Request { what: what(), ..continued(&store, to) };
    let mut number = 1_000;
    for fault in [Fault::Full, Fault::Dead] {
        for at in (0..).step_by(6) {
            let to = place.path().join(format!("{fault:?}-{at}"));
            let first = asked(&to);
            run(&store, &first).unwrap();
            let before = checked(&to);
            writer.commit_blocking(whole_run(number)).unwrap();
            number += 1;
            let second = asked(&to);
            let (broken, disk) = failing(&second, &to, fault, at);
            let result = run(&store, &broken);
            if disk.changes.load(Ordering::SeqCst) <= at {
                result.unwrap();
                break;
            }
            if manifest(&to).unwrap().export_id == before.export_id {
                assert_eq!(manifest(&to).unwrap(), before);
                if fault == Fault::Full {
                    assert_eq!(checked(&to), before, "nothing of it is left");
                }
            }
            run(&store, &asked(&to)).unwrap();
            let after = checked(&to);
            assert_eq!(counts(&after)["runs"], counts(&before)["runs"] + 1, "{fault:?} at {at}");
            assert_eq!(counts(&after)["steps"], counts(&before)["steps"] + 5, "{fault:?} at {at}");
            assert_eq!(after.tables[0].delta_version, Some(1));
            fs::remove_dir_all(&to).unwrap();
        }
    }
}

#[test]
fn whoever_looks_on_may_end_it() {
    let (place, store) = prepared();
    let snapshot = Store::open_read_only(&store).unwrap().snapshot().unwrap();
    let session = session(&snapshot);
    for end in [1, 2, 10, 40] {
        let to = place.path().join(format!("to-{end}"));
        let mut seen = 0;
        let error = export(&session, &request(&store, &to), &mut |_| {
            seen += 1;
            if seen >= end { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        })
        .unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Interrupted);
        assert_eq!(error.message(), "interrupted; nothing was exported");
        assert!(files(&to).is_empty());
    }
}

/// A store of the program's own that takes a while to export.
fn program() -> Place {
    let place = Place::new();
    fill(&place.store(), &events(1_500, 4));
    place
}

#[test]
fn a_kill_at_any_moment_is_cleaned_up_by_the_next_export() {
    let place = program();
    let started = Instant::now();
    assert!(place.run(&["export", "--to", "whole"]).status.success());
    let takes = started.elapsed();
    let to = place.root.path().join("to");
    const KILLS: u32 = 8;
    let mut unfinished = 0;
    for kill in 0..KILLS {
        let mut child = place.command(&["export", "--to", "to"]).spawn().unwrap();
        // no wait for anything: any moment is right
        std::thread::sleep(takes * kill / KILLS);
        child.kill().unwrap();
        child.wait().unwrap();
        if manifest(&to).is_some() {
            break;
        }
        unfinished += u32::from(to.join("_unfinished.json").exists());
    }
    assert!(unfinished > 0, "no export was cut off while it wrote");
    if manifest(&to).is_none() {
        let output = place.run(&["export", "--to", "to"]);
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }
    assert_eq!(counts(&checked(&to))["steps"], 4_500);
}

#[test]
fn ctrl_c_ends_it_cleanly() {
    let place = program();
    let to = place.root.path().join("to");
    let mut command = place.command(&["export", "--to", "to"]);
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    let child = command.spawn().unwrap();
    let patience = Instant::now() + Duration::from_secs(60);
    while !to.join("_unfinished.json").exists() && Instant::now() < patience {
        std::thread::yield_now();
    }
    let id = nix::unistd::Pid::from_raw(i32::try_from(child.id()).unwrap());
    nix::sys::signal::kill(id, nix::sys::signal::Signal::SIGINT).unwrap();
    let output = child.wait_with_output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(130), "{said}");
    assert!(said.contains("interrupted; nothing was exported"), "{said}");
    assert!(files(&to).is_empty(), "{:?}", files(&to));
}

/// The system itself refuses to make a file as long as it would be.
#[test]
fn a_file_that_the_system_cuts_is_no_export() {
    let place = program();
    let mut shell = std::process::Command::new("sh");
    let script = "trap '' XFSZ; ulimit -f 64; exec \"$@\"";
    let export = place.command(&["export", "--to", "to", "--for", "csv"]);
    shell.args(["-c", script, "sh"]).arg(export.get_program()).args(export.get_args());
    let output = shell.current_dir(place.root.path()).output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(said.contains("cannot write") && said.contains("File too large"), "{said}");
    assert!(files(&place.root.path().join("to")).is_empty());
}
