//! What an object store says when it refuses, in this project's words: which address, what is
//! wrong, what to do. Shows the server's code and message only, never a request: one may hold a
//! credential.

use std::error::Error as StdError;

use object_store::client::{HttpError, HttpErrorKind};

use super::access::RemoteAccess;
use super::address::{Address, Provider};
use crate::error::Error;

/// What a failed request means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Cause {
    /// There is no such object.
    NoObject,
    /// There is no such bucket.
    NoBucket,
    /// An object of this name is there.
    Exists,
    /// No credentials were given.
    NoCredentials,
    /// The credentials are wrong.
    WrongCredentials,
    /// The credentials are right, and this is not allowed to them.
    Forbidden,
    /// The bucket lies in another region, or the endpoint is another one.
    WrongPlace,
    /// The client refuses plain HTTP.
    PlainHttp,
    /// The server does not know the operation.
    Unknown,
    /// The request is wrong in itself.
    Refused,
    /// Nobody answers at the endpoint.
    Unreachable,
    /// The answer did not come, or was cut: what was asked may have been done.
    NoAnswer,
    /// The server failed, also when asked again.
    ServerFailed,
}

impl Cause {
    /// Whether what was asked may have been done all the same.
    pub(super) fn is_open(self) -> bool {
        matches!(self, Self::NoAnswer | Self::ServerFailed | Self::Unreachable)
    }
}

/// What an error of the client means.
pub(super) fn cause(error: &object_store::Error) -> Cause {
    use object_store::Error as Told;
    let text = error.to_string();
    let has = |codes: &[&str]| codes.iter().any(|code| text.contains(code));
    if has(&["NoSuchBucket", "ContainerNotFound", "bucket does not exist", "InvalidBucketName"]) {
        return Cause::NoBucket;
    }
    if has(&["169.254.169.254", "metadata.google.internal", "MissingAccount", "Account must be"]) {
        return Cause::NoCredentials;
    }
    if has(&["PermanentRedirect", "AuthorizationHeaderMalformed", "without LOCATION"]) {
        return Cause::WrongPlace;
    }
    if has(&[
        "InvalidAccessKeyId",
        "SignatureDoesNotMatch",
        "ExpiredToken",
        "InvalidToken",
        "AuthenticationFailed",
        "InvalidSecurity",
    ]) {
        return Cause::WrongCredentials;
    }
    match error {
        Told::NotFound { .. } => Cause::NoObject,
        Told::AlreadyExists { .. } | Told::Precondition { .. } | Told::NotModified { .. } => {
            Cause::Exists
        }
        Told::PermissionDenied { .. } => Cause::Forbidden,
        Told::Unauthenticated { .. } => Cause::WrongCredentials,
        Told::NotImplemented { .. } | Told::NotSupported { .. } => Cause::Unknown,
        _ => of_transport(error, &text),
    }
}

fn of_transport(error: &object_store::Error, text: &str) -> Cause {
    if chain(error).any(|it| it.to_string().contains("URL scheme is not allowed")) {
        return Cause::PlainHttp;
    }
    let http = chain(error).find_map(|it| it.downcast_ref::<HttpError>());
    match http.map(HttpError::kind) {
        Some(HttpErrorKind::Connect) => Cause::Unreachable,
        Some(_) => Cause::NoAnswer,
        None => match status(text) {
            Some(501 | 405) => Cause::Unknown,
            Some(300..=399) => Cause::WrongPlace,
            Some(429) => Cause::ServerFailed,
            Some(400..=499) => Cause::Refused,
            Some(_) => Cause::ServerFailed,
            None => Cause::NoAnswer,
        },
    }
}

/// The error of a request, as a user is told.
pub(super) fn told(
    (address, access): (&Address, &RemoteAccess),
    action: &str,
    path: &str,
    error: &object_store::Error,
) -> Error {
    let (cause, said) = (cause(error), access.redacted(&said(error)));
    let (bucket, provider) = (address.bucket(), address.provider());
    let cannot = format!("cannot {action} {path}");
    match cause {
        Cause::NoBucket => Error::unavailable(format!("{cannot}: there is no bucket {bucket}"))
            .with_hint("Make the bucket first, or correct the address; genstore makes no buckets."),
        Cause::NoCredentials => {
            Error::unavailable(format!("{cannot}: there are no credentials for {bucket}"))
                .with_hint(format!("Set {}.", credentials(provider)))
        }
        Cause::WrongCredentials => {
            Error::unavailable(format!("{cannot}: the credentials are refused: {said}"))
                .with_hint(format!("Check {}.", credentials(provider)))
        }
        Cause::Forbidden => Error::unavailable(format!("{cannot}: this is not allowed: {said}"))
            .with_hint(
                "Reading needs the permission to get and to list objects, writing also that to \
                 put and to delete them.",
            ),
        Cause::WrongPlace => Error::unavailable(format!(
            "{cannot}: the bucket is not where it is looked for: {said}"
        ))
        .with_hint(place(provider)),
        Cause::PlainHttp => Error::unavailable(format!("{cannot}: the endpoint is plain http"))
            .with_hint(format!(
                "Use https, or allow it with {}ALLOW_HTTP=true.",
                provider.prefix().to_ascii_uppercase()
            )),
        Cause::Unreachable => Error::failed(format!("{cannot}: nobody answers: {said}"))
            .with_hint(format!("Check the network. {}", place(provider))),
        Cause::NoAnswer => Error::failed(format!("{cannot}: no answer came: {said}"))
            .with_hint("Try again when the network is better; nothing is half-written."),
        Cause::ServerFailed => Error::failed(format!("{cannot}: the server failed: {said}"))
            .with_hint("Try again later; nothing is half-written."),
        Cause::NoObject => Error::failed(format!("{cannot}: there is no such object")),
        Cause::Exists | Cause::Unknown | Cause::Refused => {
            Error::failed(format!("{cannot}: the server refuses: {said}"))
        }
    }
}

fn credentials(provider: Provider) -> &'static str {
    match provider {
        Provider::Amazon => {
            "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY (and AWS_SESSION_TOKEN with temporary \
             ones); files such as ~/.aws are not read"
        }
        Provider::Google => "GOOGLE_APPLICATION_CREDENTIALS, the path of a key file",
        Provider::Azure => {
            "AZURE_STORAGE_ACCOUNT_NAME with AZURE_STORAGE_ACCOUNT_KEY or AZURE_STORAGE_SAS_TOKEN"
        }
    }
}

fn place(provider: Provider) -> &'static str {
    match provider {
        Provider::Amazon => {
            "AWS_REGION names the bucket's region, AWS_ENDPOINT_URL a server other than Amazon's."
        }
        Provider::Google => "GOOGLE_BASE_URL names a server other than Google's.",
        Provider::Azure => "AZURE_STORAGE_ENDPOINT names a server other than Microsoft's.",
    }
}

/// The server's own words, in short; else what broke.
fn said(error: &object_store::Error) -> String {
    let text = error.to_string();
    match (between(&text, "Code"), between(&text, "Message"), status(&text)) {
        (Some(code), Some(message), _) => format!("{message} ({code})"),
        (Some(code), None, _) => code.to_owned(),
        (None, _, Some(status)) => format!("status {status}"),
        (None, _, None) => chain(error).last().map(ToString::to_string).unwrap_or_default(),
    }
}

fn between<'t>(text: &'t str, tag: &str) -> Option<&'t str> {
    let rest = text.split_once(&format!("<{tag}>"))?.1;
    Some(rest.split_once(&format!("</{tag}>"))?.0.trim())
}

/// The status of the answer that an error tells of.
fn status(text: &str) -> Option<u16> {
    let rest = text.split_once("status code: ")?.1;
    rest.get(..3)?.parse().ok()
}

fn chain(error: &object_store::Error) -> impl Iterator<Item = &(dyn StdError + 'static)> {
    let first: &(dyn StdError + 'static) = error;
    std::iter::successors(Some(first), |it: &&(dyn StdError + 'static)| (*it).source())
}

#[cfg(test)]
mod tests;
