//! Addresses of tables in an object store, as a user types them, and the client for each kind.
//! Decides nothing about what is done there.

use std::sync::Arc;

use object_store::ObjectStore;
use object_store::aws::AmazonS3Builder;
use object_store::azure::MicrosoftAzureBuilder;
use object_store::client::SpawnedReqwestConnector;
use object_store::gcp::GoogleCloudStorageBuilder;
use tokio::runtime::Handle;

use super::access::RemoteAccess;
use crate::error::{Error, Result};

/// Who keeps the objects.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Provider {
    Amazon,
    Google,
    Azure,
}

impl Provider {
    /// What the settings of this provider begin with, in lower case.
    pub(super) fn prefix(self) -> &'static str {
        match self {
            Self::Amazon => "aws_",
            Self::Google => "google_",
            Self::Azure => "azure_",
        }
    }
}

/// The schemes that are known, with who keeps the objects.
const SCHEMES: [(&str, Provider); 7] = [
    ("s3", Provider::Amazon),
    ("s3a", Provider::Amazon),
    ("gs", Provider::Google),
    ("az", Provider::Azure),
    ("azure", Provider::Azure),
    ("abfs", Provider::Azure),
    ("abfss", Provider::Azure),
];

/// A bucket and the beginning of all names in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Address {
    url: String,
    bucket: String,
    provider: Provider,
}

/// The scheme of a text that is no path: what stands before `://`.
pub(crate) fn scheme(typed: &str) -> Option<&str> {
    let (scheme, _) = typed.split_once("://")?;
    let is_name = |c: char| c.is_ascii_alphanumeric() || matches!(c, '+' | '-' | '.');
    let begins = scheme.chars().next().is_some_and(|c| c.is_ascii_alphabetic());
    (begins && scheme.chars().all(is_name)).then_some(scheme)
}

impl Address {
    /// The address that a user typed.
    ///
    /// # Errors
    /// `Usage`: the scheme is unknown, or bucket or prefix cannot be.
    pub(crate) fn parse(typed: &str) -> Result<Self> {
        let known = scheme(typed).unwrap_or_default();
        let rest = typed.get(known.len() + 3..).unwrap_or_default();
        let name = known.to_ascii_lowercase();
        let Some((name, provider)) = SCHEMES.iter().find(|(it, _)| *it == name) else {
            return Err(unknown_scheme(&name));
        };
        let rest = rest.trim_end_matches('/');
        let (bucket, prefix) = rest.split_once('/').unwrap_or((rest, ""));
        if bucket.is_empty() {
            return Err(wrong(typed, "it names no bucket"));
        }
        // what stands before @ is a container of Azure, never a password
        if bucket.contains([':', ' ', '?', '#', '%', '\\'])
            || (bucket.contains('@') && *provider != Provider::Azure)
        {
            // not repeated: some clients take a password there
            return Err(wrong(&format!("{name}://…"), "no bucket has such a name"));
        }
        if prefix.contains(['?', '#', '%', '\\', '*']) || prefix.contains(char::is_control) {
            return Err(wrong(typed, "the path in the bucket is no plain one"));
        }
        object_store::path::Path::parse(prefix)
            .map_err(|_| wrong(typed, "the path in the bucket has an empty part, or `..`"))?;
        let bucket_url = format!("{name}://{bucket}");
        let url = match prefix {
            "" => bucket_url.clone(),
            prefix => format!("{bucket_url}/{prefix}"),
        };
        Ok(Self { url, bucket: bucket_url, provider: *provider })
    }

    /// The whole address, without a slash at its end.
    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    /// The address of the bucket.
    pub(super) fn bucket(&self) -> &str {
        &self.bucket
    }

    pub(super) fn provider(&self) -> Provider {
        self.provider
    }

    /// A client for the bucket, whose connections live on the threads of `handle`.
    pub(super) fn connect(
        &self,
        access: &RemoteAccess,
        handle: &Handle,
    ) -> Result<Arc<dyn ObjectStore>, object_store::Error> {
        let options = &access.options;
        let (client, retry) = (options.client(), options.retry());
        let connector = SpawnedReqwestConnector::new(handle.clone());
        let settings = access.settings_of(self.provider.prefix());
        // a setting that the client does not know is one for other programs
        macro_rules! built {
            ($builder:ty) => {{
                let builder = <$builder>::new()
                    .with_client_options(client)
                    .with_retry(retry)
                    .with_http_connector(connector);
                let builder = settings.fold(builder, |builder, (key, value)| match key.parse() {
                    Ok(key) => builder.with_config(key, value),
                    Err(_) => builder,
                });
                Arc::new(builder.with_url(&self.bucket).build()?)
            }};
        }
        Ok(match self.provider {
            Provider::Amazon => built!(AmazonS3Builder),
            Provider::Google => built!(GoogleCloudStorageBuilder),
            Provider::Azure => built!(MicrosoftAzureBuilder),
        })
    }
}

fn unknown_scheme(scheme: &str) -> Error {
    let error = Error::usage(format!("{scheme}:// is no kind of address that is known"));
    if scheme == "file" {
        return error.with_hint("Name the folder itself, without file://.");
    }
    error.with_hint("Name a folder, or an address: s3://, gs://, az:// or abfss://BUCKET/PATH.")
}

fn wrong(typed: &str, what: &str) -> Error {
    Error::usage(format!("{typed} is no address: {what}"))
        .with_hint("Write it as s3://BUCKET/PATH; gs:// and az:// are alike.")
}
