//! What servers answer, and what a user is told.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use super::*;
use crate::error::ErrorKind;
use object_store::Error as Answer;

/// An error as the client makes it of an answer.
fn answer(status: u16, code: &str) -> Answer {
    let body = format!("<Error><Code>{code}</Code><Message>Sorry, AKIAEXAMPLE</Message></Error>");
    let text = format!(
        "Error performing PUT https://h/b/x?sig=s3cr3t in 2ms - Server returned non-2xx status \
         code: {status} Any: {body}"
    );
    let (path, source) = ("x".to_owned(), Box::<dyn StdError + Send + Sync>::from(text));
    match status {
        404 => Answer::NotFound { path, source },
        403 => Answer::PermissionDenied { path, source },
        401 => Answer::Unauthenticated { path, source },
        412 => Answer::Precondition { path, source },
        409 => Answer::AlreadyExists { path, source },
        _ => Answer::Generic { store: "S3", source },
    }
}

#[test]
fn each_answer_has_its_cause() {
    let cases = [
        (404, "NoSuchKey", Cause::NoObject),
        (404, "NoSuchBucket", Cause::NoBucket),
        (403, "AccessDenied", Cause::Forbidden),
        (403, "SignatureDoesNotMatch", Cause::WrongCredentials),
        (403, "InvalidAccessKeyId", Cause::WrongCredentials),
        (400, "ExpiredToken", Cause::WrongCredentials),
        (400, "AuthorizationHeaderMalformed", Cause::WrongPlace),
        (301, "PermanentRedirect", Cause::WrongPlace),
        (412, "PreconditionFailed", Cause::Exists),
        (409, "ConditionalRequestConflict", Cause::Exists),
        (400, "InvalidArgument", Cause::Refused),
        (501, "NotImplemented", Cause::Unknown),
        (500, "InternalError", Cause::ServerFailed),
        (503, "SlowDown", Cause::ServerFailed),
        (429, "TooManyRequests", Cause::ServerFailed),
    ];
    for (status, code, expected) in cases {
        assert_eq!(cause(&answer(status, code)), expected, "{status} {code}");
    }
}

#[test]
fn a_user_is_told_the_place_and_the_next_step_and_no_secret() {
    let address = Address::parse("s3://bucket/history").unwrap();
    let mut access = RemoteAccess::default();
    access.settings.insert("aws_access_key_id".to_owned(), "AKIAEXAMPLE".to_owned());
    for (status, code) in [(404, "NoSuchBucket"), (403, "AccessDenied"), (500, "InternalError")] {
        let it = answer(status, code);
        let error = told((&address, &access), "write", "s3://bucket/history/x", &it);
        let shown = format!("{error} {:?} {:?}", error.hint(), std::error::Error::source(&error));
        assert!(error.message().starts_with("cannot write s3://bucket/history/x: "), "{shown}");
        assert!(error.hint().is_some_and(|it| it.ends_with('.')), "{shown}");
        assert!(!shown.contains("s3cr3t") && !shown.contains("AKIAEXAMPLE"), "{shown}");
        let kind = if status == 500 { ErrorKind::Failed } else { ErrorKind::Unavailable };
        assert_eq!(error.kind(), kind, "{shown}");
    }
}
