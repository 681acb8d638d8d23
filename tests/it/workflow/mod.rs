//! The engine through its public door: what an analysis says of a plan, and whether runs keep to
//! it. Nothing here waits: runs are on tokio's paused clock.

mod analysis;
mod drawing;
mod makespan;
mod optimum;
mod turns;

use std::collections::HashMap;
use std::time::Duration;

use genstore::workflow::{FnComponent, Output, Plan, Step};

use crate::shapes::Known;

const MS: i64 = 1_000_000;
const FALLBACK: Duration = Duration::from_millis(7);

/// A step that waits for others, named and parted by commas.
fn step(name: &str, after: &str) -> Step {
    let after = after.split(',').filter(|it| !it.is_empty());
    Step::new(name, FnComponent::new("noop", "1", |_| Ok(Output::none()))).after(after)
}

fn plan<const N: usize>(steps: [(&str, &str); N]) -> Plan {
    Plan::new(steps.map(|(name, after)| step(name, after)).into()).unwrap()
}

/// Durations in milliseconds by name.
fn known<const N: usize>(durations_ms: [(&str, i64); N]) -> Known {
    let durations = durations_ms.map(|(name, ms)| (name.to_owned(), ms * MS));
    Known(HashMap::from(durations))
}
