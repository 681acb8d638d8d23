//! What is needed to reach an object store: settings and credentials as they were handed in, and
//! bounds of time. Keeps credentials out of every text.

use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use object_store::{BackoffConfig, ClientOptions, RetryConfig};
use serde::{Deserialize, Serialize};

use crate::setting::{Fault, size, sizes, time, times, within};

/// The first pause between two tries.
const FIRST_PAUSE_MS: u64 = 100;

/// How an object store is reached. Never printed, never stored: [`fmt::Debug`] shows only the names
/// of settings.
#[derive(Clone, Default)]
pub struct RemoteAccess {
    /// Settings and credentials by the names of the usual environment variables in lower case:
    /// `aws_access_key_id`, `aws_endpoint_url`, `google_application_credentials`,
    /// `azure_storage_account_key`.
    pub settings: BTreeMap<String, String>,
    /// Where local state lies: the journal and the index of each remote store, in a folder of its
    /// own.
    pub state_dir: Option<PathBuf>,
    /// Bounds of time.
    pub options: RemoteOptions,
}

impl fmt::Debug for RemoteAccess {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RemoteAccess")
            .field("settings", &self.settings.keys())
            .field("state_dir", &self.state_dir)
            .field("options", &self.options)
            .finish()
    }
}

impl RemoteAccess {
    /// The settings whose names begin so.
    pub(super) fn settings_of<'a>(
        &'a self,
        prefix: &'a str,
    ) -> impl Iterator<Item = (&'a String, &'a String)> {
        self.settings.iter().filter(move |(key, _)| key.starts_with(prefix))
    }

    /// Where the objects really are, if a setting says so.
    pub(in crate::store) fn endpoint(&self) -> Option<&str> {
        let names = ["aws_endpoint_url_s3", "aws_endpoint_url", "aws_endpoint", "google_base_url"];
        let azure = ["azure_storage_endpoint", "azure_endpoint"];
        let mut all = names.iter().chain(&azure);
        all.find_map(|name| self.settings.get(*name)).map(String::as_str)
    }

    /// A text of others, in which no secret remains.
    pub(super) fn redacted(&self, text: &str) -> String {
        const SECRET: [&str; 5] = ["secret", "token", "key", "sas", "password"];
        let secrets = self
            .settings
            .iter()
            .filter(|(name, value)| !value.is_empty() && SECRET.iter().any(|it| name.contains(it)));
        secrets.fold(text.to_owned(), |text, (_, value)| text.replace(value.as_str(), "…"))
    }
}

/// How long an object store is waited for. One request takes at most `request_ms_max`; a request is
/// begun again at most `retries_max` times and not later than `retry_ms_max` after its first try.
/// In a file the names carry no unit, and the values do: `request_time_max = "30s"`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RemoteOptions {
    /// How often a request is begun again: when the server fails or is too busy, and when the
    /// connection breaks.
    pub retries_max: u32,
    /// No request is begun again later than this after its first try.
    #[serde(rename = "retry_time_max", with = "times")]
    pub retry_ms_max: u64,
    /// The longest pause between two tries; the first is 0.1 s, and each is longer than the last.
    #[serde(rename = "pause_time_max", with = "times")]
    pub pause_ms_max: u64,
    /// The longest time of one request, its answer included.
    #[serde(rename = "request_time_max", with = "times")]
    pub request_ms_max: u64,
    /// The longest time until a connection is made.
    #[serde(rename = "connect_time_max", with = "times")]
    pub connect_ms_max: u64,
    /// Larger files are written in parts of this size.
    #[serde(with = "sizes")]
    pub part_bytes: u64,
}

impl Default for RemoteOptions {
    fn default() -> Self {
        Self {
            retries_max: 8,
            retry_ms_max: 60_000,
            pause_ms_max: 10_000,
            request_ms_max: 30_000,
            connect_ms_max: 5_000,
            part_bytes: 16 << 20,
        }
    }
}

impl RemoteOptions {
    /// Checks each setting.
    ///
    /// # Errors
    /// A [`Fault`] that names the setting and the bound.
    pub fn validate(&self) -> Result<(), Fault> {
        let any = (1, u64::MAX);
        // the client panics where its first pause is longer than the longest
        within("remote.pause_time_max", self.pause_ms_max, (FIRST_PAUSE_MS, u64::MAX), time)?;
        within("remote.request_time_max", self.request_ms_max, any, time)?;
        within("remote.connect_time_max", self.connect_ms_max, any, time)?;
        // S3 takes parts of 5 MiB to 5 GiB, and 10,000 of them
        within("remote.part_bytes", self.part_bytes, (5 << 20, 1 << 30), size)
    }

    pub(super) fn retry(&self) -> RetryConfig {
        RetryConfig {
            backoff: BackoffConfig {
                init_backoff: Duration::from_millis(FIRST_PAUSE_MS),
                max_backoff: Duration::from_millis(self.pause_ms_max),
                ..BackoffConfig::default()
            },
            max_retries: usize::try_from(self.retries_max).unwrap_or(usize::MAX),
            retry_timeout: Duration::from_millis(self.retry_ms_max),
        }
    }

    pub(super) fn client(&self) -> ClientOptions {
        ClientOptions::new()
            .with_timeout(Duration::from_millis(self.request_ms_max))
            .with_connect_timeout(Duration::from_millis(self.connect_ms_max))
    }
}
