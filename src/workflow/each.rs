//! The same steps for each item of a list that is known only when it runs: one nested run per item,
//! of a plan that was made and checked once.

use std::sync::Arc;
use std::task::Poll;

use futures::future::BoxFuture;
use futures::stream::{FuturesUnordered, StreamExt};
use serde_json::{Map, Value as Json};

use super::bound::{Handed, Params, Reader, Scope, captured};
use super::component::{Component, Lane, Output};
use super::context::StepContext;
use super::execution::TURN_NS;
use super::expression::{Template, Values};
use super::failure::{ErrorClass, StepError};
use super::lower::Source;
use super::nested::Nested;
use super::outcome::Outcome;
use super::plan::Plan;
use super::state::Update;

/// Works through a list.
#[derive(Debug)]
pub(super) struct Each {
    /// The step, as it is called in the plan; the names of its inner steps begin with it.
    pub(super) step: String,
    pub(super) items: Template,
    /// What an item is called.
    pub(super) item: String,
    pub(super) plan: Arc<Plan>,
    /// The steps whose outputs are what an item gives, by name.
    pub(super) exits: Vec<(String, String)>,
    /// The step that gives what the inner steps have set, if any of them sets something.
    pub(super) state: Option<String>,
    /// Steps around that the inner ones read.
    pub(super) captures: Vec<Source>,
    /// Values of the state that inner steps read.
    pub(super) reader: Arc<Reader>,
    pub(super) concurrency: Option<usize>,
    pub(super) items_max: usize,
    pub(super) partial: bool,
}

/// What became of one item.
type Ended = (usize, Result<(Json, Vec<Update>), StepError>);

impl Component for Each {
    fn name(&self) -> &str {
        "for_each"
    }

    fn version(&self) -> &str {
        "1"
    }

    fn lane(&self) -> Lane {
        Lane::Nested
    }

    fn run(&self, ctx: StepContext) -> BoxFuture<'_, Result<Output, StepError>> {
        Box::pin(async move {
            let values = self.reader.values(ctx.view())?;
            let items = self.list(&values)?;
            let around = self.around(&ctx, &values)?;
            let mut ended = self.work(&ctx, &items, &around).await;
            ended.sort_by_key(|it| it.0);
            self.handed(ended, items.len())
        })
    }
}

impl Each {
    fn list(&self, values: &Map<String, Json>) -> Result<Vec<Json>, StepError> {
        let value = self.items.value(&Values::new(values));
        let items = match value.map_err(|it| StepError::permanent("expression", it))? {
            Json::Array(items) => items,
            other => {
                let what = what(&other);
                let message = format!("`in` is {what}, not a list");
                return Err(StepError::permanent("input", message));
            }
        };
        if items.len() > self.items_max {
            let message = format!(
                "the list has {} items, more than the {} of `items_max`",
                items.len(),
                self.items_max
            );
            return Err(StepError::permanent("items_max", message));
        }
        Ok(items)
    }

    /// What every item works with.
    fn around(&self, ctx: &StepContext, values: &Map<String, Json>) -> Result<Scope, StepError> {
        let outer = ctx.input::<Scope>()?;
        let mut updates = Vec::clone(&outer.updates);
        for seen in &self.reader.state {
            updates.retain(|it| it.variable != seen.number);
            updates.extend(seen.all(ctx.view())?);
        }
        // a step of the plan around hides one of the same name further out
        let mut all = Map::clone(&outer.captured);
        all.extend(captured(ctx.view(), &self.captures)?);
        Ok(Scope {
            params: match self.reader.params {
                Some(Params::Step(_)) => {
                    Arc::new(values.get("params").cloned().unwrap_or_default())
                }
                Some(Params::Run) | None => Arc::clone(&outer.params),
            },
            items: outer.items.clone(),
            numbers: outer.numbers.clone(),
            captured: Arc::new(all),
            updates: Arc::new(updates),
        })
    }

    /// Works through the items; after one that failed no further one is begun, unless `partial`.
    async fn work(&self, ctx: &StepContext, items: &[Json], around: &Scope) -> Vec<Ended> {
        let at_a_time = self.concurrency.unwrap_or(usize::MAX).max(1);
        let mut waiting = items.iter().enumerate();
        let (mut working, mut ended) = (FuturesUnordered::new(), Vec::with_capacity(items.len()));
        let (mut may_begin, mut turn_ns) = (true, ctx.clock().monotonic_ns());
        loop {
            if ctx.clock().monotonic_ns() - turn_ns > TURN_NS {
                tokio::task::yield_now().await;
                turn_ns = ctx.clock().monotonic_ns();
            }
            let next = if may_begin && working.len() < at_a_time { waiting.next() } else { None };
            let one = match next {
                Some((number, item)) => {
                    let mut one = Box::pin(self.one(ctx, number, self.scope(around, number, item)));
                    // most end without awaiting, and then nothing of them is left behind
                    match futures::poll!(&mut one) {
                        Poll::Ready(one) => one,
                        Poll::Pending => {
                            working.push(one);
                            continue;
                        }
                    }
                }
                None => match working.next().await {
                    Some(one) => one,
                    None => return ended,
                },
            };
            may_begin &= (one.1.is_ok() || self.partial) && !ctx.cancel().is_cancelled();
            ended.push(one);
        }
    }

    /// What an item works with.
    fn scope(&self, around: &Scope, number: usize, item: &Json) -> Scope {
        let mut scope = around.clone();
        scope.items.insert(self.item.clone(), item.clone());
        scope.numbers.push(number);
        scope
    }

    async fn one(&self, ctx: &StepContext, number: usize, scope: Scope) -> Ended {
        let attributes = Map::from_iter([("item".to_owned(), Json::from(number))]);
        let nested = Nested { input: Some(Arc::new(scope)), attributes, concurrency_max: None };
        let answer = match ctx.nested(&self.plan, nested).await {
            Ok(outcome) => self.of(&outcome),
            Err(error) => Err(error),
        };
        (number, answer)
    }

    /// What an item gives.
    fn of(&self, outcome: &Outcome) -> Result<(Json, Vec<Update>), StepError> {
        if let Some(error) = outcome.error() {
            return Err(error.clone());
        }
        let value = outcome.given(&self.exits)?;
        let state = self.state.as_deref().map(|step| outcome.output::<Handed>(step));
        let handed = state.transpose()?.flatten();
        let mut updates = handed.map(|it| it.updates.clone()).unwrap_or_default();
        updates.iter_mut().for_each(|it| it.step = format!("{}/{}", self.step, it.step));
        Ok((value, updates))
    }

    fn handed(&self, ended: Vec<Ended>, count: usize) -> Result<Output, StepError> {
        let (mut outputs, mut updates, mut failed) = (Vec::with_capacity(count), Vec::new(), 0_u64);
        for (number, answer) in ended {
            match answer {
                Ok((output, set)) => {
                    outputs.push(output);
                    updates.extend(set);
                }
                Err(error) if self.partial && error.class != ErrorClass::Cancelled => {
                    outputs.push(Json::Null);
                    failed += 1;
                }
                Err(error) => {
                    let message = format!("item {number}: {}", error.message);
                    return Err(StepError::new(error.class, error.error_type, message));
                }
            }
        }
        let output = Output::new(Handed { output: Json::Array(outputs), updates });
        let output = output.with_attribute("items", count as u64);
        Ok(match failed {
            0 => output,
            _ => output.degraded().with_attribute("items_failed", failed),
        })
    }
}

fn what(value: &Json) -> &'static str {
    match value {
        Json::Null => "nothing",
        Json::Bool(_) => "a boolean",
        Json::Number(_) => "a number",
        Json::String(_) => "a text",
        Json::Array(_) => "a list",
        Json::Object(_) => "a mapping",
    }
}
