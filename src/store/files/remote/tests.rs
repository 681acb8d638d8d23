//! Remote files over a store in memory that loses replies, refuses and lies as told.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::collections::VecDeque;
use std::path::Path;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use futures::stream::BoxStream;
use object_store::memory::InMemory;
use object_store::{
    CopyOptions, GetOptions, GetResult, ListResult, MultipartUpload, ObjectMeta,
    PutMultipartOptions, PutResult,
};

use super::*;
use crate::clock::SystemIds;
use crate::error::ErrorKind;

/// What happens to a conditional put.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Fault {
    /// It is done, and the answer is lost.
    LostReply,
    /// It never comes, and nor does an answer.
    LostRequest,
    /// It collides with another, and neither is done.
    Collision,
    /// It is done whatever is there.
    Lie,
}

#[derive(Debug)]
struct Faulty {
    inner: InMemory,
    faults: Mutex<VecDeque<Fault>>,
}

impl fmt::Display for Faulty {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("faulty")
    }
}

fn lost() -> Told {
    Told::Generic { store: "test", source: "connection closed".into() }
}

#[async_trait]
impl ObjectStore for Faulty {
    async fn put_opts(
        &self,
        location: &Location,
        payload: PutPayload,
        options: PutOptions,
    ) -> Result<PutResult, Told> {
        let fault = self.faults.lock().unwrap().pop_front();
        match fault {
            Some(Fault::LostReply) => {
                self.inner.put_opts(location, payload, options).await?;
                Err(lost())
            }
            Some(Fault::LostRequest) => Err(lost()),
            Some(Fault::Collision) => {
                let (path, source) = (location.to_string(), "409 Conflict".into());
                Err(Told::AlreadyExists { path, source })
            }
            Some(Fault::Lie) => self.inner.put(location, payload).await,
            None => self.inner.put_opts(location, payload, options).await,
        }
    }

    async fn put_multipart_opts(
        &self,
        location: &Location,
        options: PutMultipartOptions,
    ) -> Result<Box<dyn MultipartUpload>, Told> {
        self.inner.put_multipart_opts(location, options).await
    }

    async fn get_opts(&self, location: &Location, options: GetOptions) -> Result<GetResult, Told> {
        self.inner.get_opts(location, options).await
    }

    fn delete_stream(
        &self,
        locations: BoxStream<'static, Result<Location, Told>>,
    ) -> BoxStream<'static, Result<Location, Told>> {
        self.inner.delete_stream(locations)
    }

    fn list(&self, prefix: Option<&Location>) -> BoxStream<'static, Result<ObjectMeta, Told>> {
        self.inner.list(prefix)
    }

    async fn list_with_delimiter(&self, prefix: Option<&Location>) -> Result<ListResult, Told> {
        self.inner.list_with_delimiter(prefix).await
    }

    async fn copy_opts(
        &self,
        from: &Location,
        to: &Location,
        options: CopyOptions,
    ) -> Result<(), Told> {
        self.inner.copy_opts(from, to, options).await
    }
}

const ROOT: &str = "s3://bucket/history";

fn files(faults: &[Fault]) -> Arc<RemoteFiles> {
    let faults = Mutex::new(faults.iter().copied().collect());
    let store = Arc::new(Faulty { inner: InMemory::new(), faults });
    Arc::new(RemoteFiles::over(store, Address::parse(ROOT).unwrap()).unwrap())
}

fn root() -> &'static Path {
    Path::new(ROOT)
}

#[test]
fn what_is_written_is_read_listed_and_removed() {
    let files = files(&[]);
    let folder = root().join("tables/runs");
    files.create(&folder, "a.parquet", "a.tmp", b"0123456789").unwrap();
    let path = folder.join("a.parquet");
    assert_eq!(files.read(&path).unwrap().as_deref(), Some(&b"0123456789"[..]));
    assert_eq!(files.read_range(&path, 2..5).unwrap().as_ref(), b"234");
    assert_eq!(files.metadata(&path).unwrap().map(|it| it.size_bytes), Some(10));
    files.replace(&folder, "a.parquet", "a.tmp", b"new").unwrap();
    files.create(&folder.join("_delta_log"), "0.json", "0.tmp", b"{}").unwrap();
    let listed = files.list(&folder).unwrap();
    let names: Vec<_> =
        listed.iter().map(|it| (it.name.as_str(), it.metadata.size_bytes)).collect();
    assert_eq!(names, [("a.parquet", 3)], "and no file of a folder in it");
    let mut read = String::new();
    let input = Arc::<RemoteFiles>::clone(&files).open(&path, 3).unwrap();
    let mut reader = parquet::file::reader::ChunkReader::get_read(&input, 1).unwrap();
    std::io::Read::read_to_string(&mut reader, &mut read).unwrap();
    assert_eq!(read, "ew");
    files.remove(&path).unwrap();
    files.remove(&path).unwrap();
    assert_eq!(files.read(&path).unwrap(), None);
    assert_eq!(files.metadata(&path).unwrap(), None);
    assert_eq!(files.list(&root().join("tables/none")).unwrap(), []);
}

#[test]
fn a_large_file_is_written_in_parts_and_is_whole() {
    let files = files(&[]);
    let bytes: Vec<u8> = (0..40_u32 << 20).map(|at| (at >> 12) as u8).collect();
    files.create(root(), "large", "large.tmp", &bytes).unwrap();
    assert!(files.read(&root().join("large")).unwrap() == Some(bytes));
}

#[test]
fn of_two_that_put_a_new_file_one_is_first_whatever_is_lost() {
    use Fault::{Collision, LostReply, LostRequest};
    let cases: [&[Fault]; 6] = [
        &[],
        &[LostReply],
        &[LostRequest],
        &[LostRequest, LostReply],
        &[Collision, LostRequest, Collision],
        &[Collision, LostReply],
    ];
    for faults in cases {
        let files = files(faults);
        assert!(files.put_if_absent(root(), "0.json", "t", b"ours").unwrap(), "{faults:?}");
        assert!(!files.put_if_absent(root(), "0.json", "t", b"theirs").unwrap(), "{faults:?}");
        // said twice by the one that was first, as after a lost reply
        assert!(files.put_if_absent(root(), "0.json", "t", b"ours").unwrap(), "{faults:?}");
        let read = files.read(&root().join("0.json")).unwrap();
        assert_eq!(read.as_deref(), Some(&b"ours"[..]), "{faults:?}");
    }
}

#[test]
fn a_put_that_never_comes_through_ends_with_an_error() {
    let files = files(&[Fault::LostRequest; PUTS_MAX]);
    let error = files.put_if_absent(root(), "0.json", "t", b"ours").unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Failed);
    let said = error.message();
    assert!(said.contains("s3://bucket/history/0.json") && said.contains("no answer"), "{said}");
}

#[test]
fn a_store_that_takes_both_of_two_puts_is_refused_and_left_clean() {
    let names = |files: &RemoteFiles| files.list(root()).unwrap().len();
    let good = files(&[]);
    good.check_conditional_put(root(), &SystemIds).unwrap();
    assert_eq!(names(&good), 0);
    let flaky = files(&[Fault::LostReply]);
    flaky.check_conditional_put(root(), &SystemIds).unwrap();
    let liar = files(&[Fault::Lie, Fault::Lie]);
    let error = liar.check_conditional_put(root(), &SystemIds).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unavailable);
    assert!(error.message().contains("takes the second of two puts"), "{error}");
    assert_eq!(names(&liar), 0);
}

#[test]
fn a_thread_that_runs_futures_may_call() {
    let files = files(&[]);
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    runtime.block_on(async {
        files.create(root(), "a", "t", b"1").unwrap();
        assert!(files.metadata(&root().join("a")).unwrap().is_some());
        drop(files);
    });
}

#[test]
fn a_path_elsewhere_is_refused() {
    let files = files(&[]);
    for path in ["s3://other/x", "/tmp/x", "s3://bucket/../x"] {
        assert_eq!(files.read(Path::new(path)).unwrap_err().kind(), ErrorKind::Internal, "{path}");
    }
}
