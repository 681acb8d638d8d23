//! The files of a remote store as queries read them: the same client, which changes nothing, and
//! whose errors say what to do. Keeps the client's threads alive.

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

use async_trait::async_trait;
use futures::stream::{BoxStream, StreamExt, TryStreamExt};
use object_store::path::Path as Location;
use object_store::{
    CopyOptions, Error as Told, GetOptions, GetResult, GetResultPayload, ListResult,
    MultipartUpload, ObjectMeta, ObjectStore, PutMultipartOptions, PutOptions, PutPayload,
    PutResult, Result,
};

use super::RemoteFiles;
use super::told::{Cause, cause};
use crate::error::Error;
use crate::store::files::missing;

/// A client that only reads.
#[derive(Debug)]
pub(super) struct Reader(pub(super) Arc<RemoteFiles>);

impl fmt::Display for Reader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0.address.bucket())
    }
}

impl Reader {
    fn told(files: &RemoteFiles, location: &Location, error: &Told) -> Told {
        let path = PathBuf::from(format!("{}/{location}", files.address.bucket()));
        let told: Error = match cause(error) {
            Cause::NoObject => missing(&path),
            _ => files.told("read", &path, error),
        };
        Told::Generic { store: "tables", source: Box::new(told) }
    }
}

fn refused<T>() -> Result<T> {
    Err(Told::NotSupported { source: "queries change no file".into() })
}

#[async_trait]
impl ObjectStore for Reader {
    async fn get_opts(&self, location: &Location, options: GetOptions) -> Result<GetResult> {
        let files = Arc::clone(&self.0);
        let found = files.store.get_opts(location, options).await;
        let found = found.map_err(|error| Self::told(&files, location, &error))?;
        let location = location.clone();
        let payload = match found.payload {
            GetResultPayload::Stream(bytes) => GetResultPayload::Stream(
                bytes.map_err(move |error| Self::told(&files, &location, &error)).boxed(),
            ),
            file => file,
        };
        Ok(GetResult { payload, ..found })
    }

    fn list(&self, prefix: Option<&Location>) -> BoxStream<'static, Result<ObjectMeta>> {
        self.0.store.list(prefix)
    }

    async fn list_with_delimiter(&self, prefix: Option<&Location>) -> Result<ListResult> {
        self.0.store.list_with_delimiter(prefix).await
    }

    async fn put_opts(
        &self,
        _location: &Location,
        _payload: PutPayload,
        _options: PutOptions,
    ) -> Result<PutResult> {
        refused()
    }

    async fn put_multipart_opts(
        &self,
        _location: &Location,
        _options: PutMultipartOptions,
    ) -> Result<Box<dyn MultipartUpload>> {
        refused()
    }

    fn delete_stream(
        &self,
        locations: BoxStream<'static, Result<Location>>,
    ) -> BoxStream<'static, Result<Location>> {
        locations.map(|_| refused()).boxed()
    }

    async fn copy_opts(
        &self,
        _from: &Location,
        _to: &Location,
        _options: CopyOptions,
    ) -> Result<()> {
        refused()
    }
}
