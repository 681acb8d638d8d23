//! What a definition says of places and times: of a run, of its steps, and of the resources that
//! they share.

use std::time::Duration;

use serde_json::Value as Json;

use super::super::bucket::Rate;
use super::super::checked::Limit;
use super::super::circuit::CircuitBreaker;
use super::super::composition::{Definition, Resource};
use super::super::library::duration;
use super::Lowering;

/// How long a resource that keeps failing is left alone when nobody says how long.
const COOLDOWN: Duration = Duration::from_secs(30);

/// A resource that was declared.
#[derive(Debug)]
pub(super) struct Declaration {
    resource: Resource,
    /// The workflow that declared it first.
    uri: String,
    pub(super) limit: Limit,
}

impl Lowering<'_> {
    /// Places and time of a run, or of a workflow that is called.
    pub(super) fn bounds(&mut self, definition: &Definition) -> (Option<usize>, Option<Duration>) {
        if definition.concurrency == Some(0) {
            self.problem("/concurrency", "`concurrency` is 0: nothing could ever work");
        }
        let timeout = self.longest(definition.timeout.as_ref(), "", "timeout");
        (definition.concurrency, timeout)
    }

    /// Takes note of a resource. It is one and the same for all workflows that call each other.
    pub(super) fn resource(&mut self, name: &str, resource: &Resource, path: &str) {
        let uri = self.calls.last().cloned().unwrap_or_default();
        if let Some(other) = self.resources.get(name) {
            if other.resource != *resource {
                let (ours, theirs) = (said(resource), said(&other.resource));
                let message = format!(
                    "resource `{name}` is {ours} here, and {theirs} in {}, which runs with it",
                    other.uri
                );
                self.problem(path, message).hint =
                    Some("Declare it alike, or call one of them by another name.".to_owned());
            }
            return;
        }
        let limit = self.limit(name, resource, path);
        self.resources
            .insert(name.to_owned(), Declaration { resource: resource.clone(), uri, limit });
    }

    /// What steps may use of a resource.
    fn limit(&mut self, name: &str, resource: &Resource, path: &str) -> Limit {
        if resource.places == Some(0) {
            let message = format!("`{name}` has 0 places: nothing could ever use it");
            self.problem(format!("{path}/places"), message);
        }
        let rate = resource.rate.as_deref().and_then(|text| {
            let rate = rate(text);
            if rate.is_none() {
                self.problem(format!("{path}/rate"), format!("`{text}` is no rate")).hint =
                    Some("Write `10/s`, `100/m` or `5/250ms`.".to_owned());
            }
            rate
        });
        let cooldown = self.span(resource.cooldown.as_ref(), &format!("{path}/cooldown"));
        let breaker = resource.failures.map(|failures_max| CircuitBreaker {
            failures_max,
            cooldown: cooldown.unwrap_or(COOLDOWN),
        });
        Limit { places: resource.places, rate, breaker }
    }

    /// A longest time, in which something can be done.
    pub(super) fn longest(
        &mut self,
        value: Option<&Json>,
        path: &str,
        key: &str,
    ) -> Option<Duration> {
        let path = format!("{path}/{key}");
        let span = self.span(value, &path);
        if span.is_some_and(|it| it.is_zero()) {
            self.problem(path, format!("`{key}` is 0: nothing could ever end in time"));
        }
        span
    }

    pub(super) fn span(&mut self, value: Option<&Json>, path: &str) -> Option<Duration> {
        let value = value.filter(|it| !it.is_null())?;
        let span = duration(value);
        if span.is_none() {
            let (what, hint) = match is_too_long(value) {
                true => ("longer than a century", "Leave it out: then no time is too long."),
                false => ("no time span", "Write `250ms`, `2s` or `5m`."),
            };
            self.problem(path, format!("{value} is {what}")).hint = Some(hint.to_owned());
        }
        span
    }
}

/// A resource as its author declares it.
fn said(resource: &Resource) -> String {
    let mut json = serde_json::to_value(resource).unwrap_or_default();
    if let Json::Object(entries) = &mut json {
        entries.retain(|_, it| !it.is_null());
    }
    json.to_string()
}

/// A rate such as `10/s` or `5/250ms`: as many at once as in the time.
fn rate(text: &str) -> Option<Rate> {
    let (count, per) = text.split_once('/')?;
    let count: u32 = count.trim().parse().ok().filter(|it| *it > 0)?;
    let per = per.trim();
    let per = match per.starts_with(|it: char| it.is_ascii_digit()) {
        true => duration(&Json::from(per))?,
        false => duration(&Json::from(format!("1{per}")))?,
    };
    (!per.is_zero()).then_some(Rate { count, per, burst: count })
}

/// Whether a value that is no time span would be one with a smaller number.
fn is_too_long(value: &Json) -> bool {
    let one = |text: &str| {
        let unit = text.trim().trim_start_matches(|it: char| it.is_ascii_digit() || it == '.');
        duration(&Json::from(format!("1{unit}"))).is_some()
    };
    value.as_f64().is_some_and(|it| it > 0.0) || value.as_str().is_some_and(one)
}
