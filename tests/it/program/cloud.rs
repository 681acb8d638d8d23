//! A store whose tables lie on a real S3 server, which is started on this machine, behind a proxy
//! that fails, loses, delays and lies as it is told. Wants `GENSTORE_PYTHON`, an interpreter with
//! `moto[server]`; without, there is none, and it says so.

use std::ffi::OsStr;
use std::path::PathBuf;
use std::sync::Arc;

use genstore::clock::{SystemClock, SystemIds};
use genstore::error::Result;
use genstore::store::{Location, RemoteAccess, RemoteOptions, Store, StoreOptions};
use tempfile::TempDir;

use super::proxy::Proxy;
use super::{Place, server};

/// A bucket of a test's own behind a proxy of its own, and a home for local state.
#[derive(Debug)]
pub(crate) struct Cloud {
    pub(crate) proxy: Proxy,
    pub(crate) bucket: String,
    pub(crate) home: TempDir,
}

impl Cloud {
    /// `None` where there is no server to start.
    pub(crate) fn new() -> Option<Self> {
        let (port, bucket) = server::bucket()?;
        Some(Self { proxy: Proxy::start(port), bucket, home: TempDir::new().unwrap() })
    }

    pub(crate) fn url(&self) -> String {
        format!("s3://{}/history", self.bucket)
    }

    /// The usual variables.
    pub(crate) fn variables(&self) -> Vec<(&'static str, String)> {
        vec![
            ("AWS_ENDPOINT_URL", format!("http://127.0.0.1:{}", self.proxy.port())),
            ("AWS_ALLOW_HTTP", "true".to_owned()),
            ("AWS_REGION", "us-east-1".to_owned()),
            ("AWS_ACCESS_KEY_ID", "AKIATESTTESTTEST".to_owned()),
            ("AWS_SECRET_ACCESS_KEY", "s3cr3t-of-the-test".to_owned()),
        ]
    }

    pub(crate) fn access(&self) -> RemoteAccess {
        let settings = self.variables().into_iter();
        let settings = settings.map(|(name, value)| (name.to_ascii_lowercase(), value)).collect();
        let options = RemoteOptions { pause_ms_max: 200, ..RemoteOptions::default() };
        RemoteAccess { settings, state_dir: Some(self.state_dir()), options }
    }

    pub(crate) fn state_dir(&self) -> PathBuf {
        self.home.path().join("genstore")
    }

    pub(crate) fn location(&self) -> Location {
        self.location_of(&self.url())
    }

    pub(crate) fn location_of(&self, url: &str) -> Location {
        Location::parse(OsStr::new(url), &self.access()).unwrap()
    }

    pub(crate) fn open(&self, options: StoreOptions) -> Result<Store> {
        let (clock, ids) = (Arc::new(SystemClock::new()), Arc::new(SystemIds));
        Store::open_at(self.location(), options, clock, ids)
    }

    pub(crate) fn read(&self) -> Result<Store> {
        Store::open_at_read_only(&self.location())
    }

    /// The program on this store.
    pub(crate) fn place(&self) -> Place {
        self.place_of(self.url())
    }

    /// The program on a store at another address of this server.
    pub(crate) fn place_of(&self, url: String) -> Place {
        let mut variables = self.variables();
        variables.push(("XDG_STATE_HOME", self.home.path().display().to_string()));
        Place::remote(url, variables)
    }
}
