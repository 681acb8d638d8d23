//! What the store knows of earlier runs, for the engine: how long steps take, and the outputs that
//! steps have left behind. Writes nothing.

mod batches;

use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::{Arc, OnceLock};

use arrow::array::{Array, AsArray, RecordBatch, StringArray};
use arrow::datatypes::{DataType, Float64Type};
use serde_json::Value as Json;

use crate::clock::Clock;
use crate::error::{Error, Result};
use crate::event::{Estimates, Memo, StepKey, Text};
use crate::sql::{ParamValue, Params, QueryOutput, Session, SessionSettings};
use crate::store::snapshot::Snapshot;
use crate::store::{Location, Store};

pub use batches::Finished;

/// Medians over the successful steps of the last month; what is older says little of now.
const MEDIANS: &str = "SELECT step_name, median(CAST(duration_ns AS DOUBLE)) AS ns FROM steps
     WHERE pipeline_name = $pipeline AND result = 'success' AND NOT cached
       AND start_time > ago('30d')
     GROUP BY step_name";

/// The outputs of one run.
const OF_RUN: &str = "SELECT filename, content FROM artifacts
     WHERE run_id = $run_id AND kind = 'output' AND content IS NOT NULL";

/// What took back effects of steps of one run, by the names of its rows.
const UNDONE: &str = "SELECT step_name FROM steps
     WHERE run_id = $run_id AND step_name LIKE '%.undo' AND result = 'success'";

/// The newest outputs of the pipeline's steps, whatever the run; large ones cost more to look for
/// than they are worth.
const OF_PIPELINE: &str = "SELECT a.filename, a.content FROM artifacts a
     JOIN runs r ON r.run_id = a.run_id
     WHERE a.kind = 'output' AND a.content IS NOT NULL AND a.size_bytes <= 65536
       AND r.pipeline_name = $pipeline
     ORDER BY r.start_time DESC LIMIT 10000";

/// The pipeline of a run, and what else is known of it.
const RUN: &str = "SELECT pipeline_name, attributes FROM runs WHERE run_id = $run_id";

/// The attribute of a run that went on where another has ended.
const RESUMED_FROM: &str = "resumed_from";

/// The newest run of a pipeline that did not succeed.
const UNFINISHED: &str = "SELECT run_id FROM runs
     WHERE pipeline_name = $pipeline AND result NOT IN ('success', 'skip')
     ORDER BY start_time DESC LIMIT 1";

/// Answers questions about one moment of a store.
#[derive(Debug)]
pub struct History {
    session: Session,
}

impl History {
    /// Looks at a moment of a store.
    ///
    /// # Errors
    /// Internal, when no session can be made.
    pub fn new(snapshot: &Snapshot, clock: &Arc<dyn Clock>) -> Result<Self> {
        let session = Session::new(snapshot, SessionSettings::default(), Arc::clone(clock))?;
        Ok(Self { session })
    }

    /// How long the steps of a pipeline take.
    ///
    /// # Errors
    /// When rows cannot be read.
    pub async fn medians(&self, pipeline: &str) -> Result<Medians> {
        let mut medians = BTreeMap::new();
        for batch in &self.ask(MEDIANS, "pipeline", pipeline).await?.batches {
            let names = texts(batch, 0)?;
            let ns = batch.column(1).as_primitive::<Float64Type>();
            let rows = names.iter().zip(ns);
            medians.extend(rows.filter_map(|(name, ns)| Some((name?.to_owned(), ns? as i64))));
        }
        Ok(Medians(medians))
    }

    /// The newest run of a pipeline that did not succeed.
    ///
    /// # Errors
    /// Usage, when there is none.
    pub async fn unfinished(&self, pipeline: &str) -> Result<String> {
        let found = self.texts(UNFINISHED, "pipeline", pipeline).await?;
        found.into_iter().next().ok_or_else(|| {
            let error = Error::usage(format!("no run of {pipeline} is left to go on with"));
            error.with_hint("Leave out --resume to begin a new one.")
        })
    }

    /// The outputs that a run has left behind, and those that it took over from the runs that it
    /// went on from, to go on where it has ended. What was taken back must be done again.
    ///
    /// # Errors
    /// Usage, when there is no such run of the pipeline.
    pub async fn of_run(&self, run_id: &str, pipeline: &str) -> Result<Outputs> {
        let mut outputs = Outputs { of_run: Some(run_id.into()), ..Outputs::default() };
        let mut run = match self.run(run_id).await? {
            Some(run) if run.pipeline_name == pipeline => Some((run_id.to_owned(), run)),
            Some(Run { pipeline_name, .. }) => {
                let message = format!("run {run_id} is one of {pipeline_name}, not of {pipeline}");
                return Err(Error::usage(message));
            }
            None => {
                let error = Error::usage(format!("there is no run {run_id}"));
                return Err(error.with_hint("`--resume last` is the newest that did not succeed."));
            }
        };
        // from the newest to the oldest: what a later run took back is gone from those before it
        let (mut undone, mut seen) = (HashSet::new(), HashSet::new());
        while let Some((run_id, Run { resumed_from, .. })) = run {
            let steps = self.texts(UNDONE, "run_id", &run_id).await?;
            undone.extend(steps.iter().filter_map(|it| it.strip_suffix(".undo")).map(Text::from));
            let is_undone =
                |step: &str| !undone.is_empty() && undone.contains(&*without_items(step));
            for batch in &self.ask(OF_RUN, "run_id", &run_id).await?.batches {
                outputs.add(batch, Some(&is_undone))?;
            }
            seen.insert(run_id);
            run = match resumed_from.filter(|it| !seen.contains(it)) {
                Some(earlier) => self.run(&earlier).await?.map(|run| (earlier, run)),
                None => None,
            };
        }
        Ok(outputs)
    }

    async fn run(&self, run_id: &str) -> Result<Option<Run>> {
        let found = self.ask(RUN, "run_id", run_id).await?;
        let Some(batch) = found.batches.iter().find(|it| it.num_rows() > 0) else {
            return Ok(None);
        };
        let (names, attributes) = (texts(batch, 0)?, texts(batch, 1)?);
        let attributes = attributes.iter().next().flatten();
        let attributes = attributes.and_then(|it| serde_json::from_str::<Json>(it).ok());
        let resumed_from = attributes.as_ref().and_then(|it| it.get(RESUMED_FROM)?.as_str());
        Ok(Some(Run {
            pipeline_name: names.iter().next().flatten().unwrap_or_default().to_owned(),
            resumed_from: resumed_from.map(str::to_owned),
        }))
    }

    /// The outputs that steps of a pipeline have left behind in any run.
    ///
    /// # Errors
    /// When rows cannot be read.
    pub async fn of_pipeline(&self, pipeline: &str) -> Result<Outputs> {
        let mut outputs = Outputs::default();
        for batch in &self.ask(OF_PIPELINE, "pipeline", pipeline).await?.batches {
            outputs.add(batch, None)?;
        }
        Ok(outputs)
    }

    /// The texts of the first column.
    async fn texts(&self, query: &str, name: &str, value: &str) -> Result<Vec<String>> {
        let mut found = Vec::new();
        for batch in &self.ask(query, name, value).await?.batches {
            found.extend(texts(batch, 0)?.iter().flatten().map(str::to_owned));
        }
        Ok(found)
    }

    async fn ask(&self, query: &str, name: &str, value: &str) -> Result<QueryOutput> {
        let params = Params::from([(name.to_owned(), ParamValue::Text(value.to_owned()))]);
        self.session.query(query, &params).await
    }
}

/// The store at a place, if there is one.
///
/// # Errors
/// When one is there and cannot be read.
pub fn existing(location: &Location) -> Result<Option<Store>> {
    match Store::open_at_read_only(location) {
        Ok(store) => Ok(Some(store)),
        Err(_) if !location.is_remote() && !location.path().exists() => Ok(None),
        Err(error) => Err(error),
    }
}

fn texts(batch: &RecordBatch, column: usize) -> Result<StringArray> {
    let column = arrow::compute::cast(batch.column(column), &DataType::Utf8)
        .map_err(|source| Error::internal("a column is no text").with_source(source))?;
    Ok(column.as_string::<i32>().clone())
}

/// A step's name without the items of the lists that it was done for: `each/double` of
/// `each/double[3]`.
fn without_items(step: &str) -> String {
    let mut name = String::with_capacity(step.len());
    let mut parts = step.split('[');
    name.extend(parts.next());
    for part in parts {
        match part.split_once(']') {
            Some((item, after))
                if !item.is_empty() && item.bytes().all(|it| it.is_ascii_digit()) =>
            {
                name.push_str(after);
            }
            _ => name.extend(["[", part]),
        }
    }
    name
}

/// Median durations of the steps of one pipeline.
#[derive(Debug, Default)]
pub struct Medians(BTreeMap<String, i64>);

impl Estimates for Medians {
    fn estimate_ns(&self, step_name: &str) -> Option<i64> {
        self.0.get(step_name).copied()
    }
}

/// What is known of a run.
struct Run {
    pipeline_name: String,
    resumed_from: Option<String>,
}

/// What a step has left behind.
#[derive(Debug, serde::Deserialize)]
struct Kept<'a> {
    #[serde(borrow)]
    component: Cow<'a, str>,
    #[serde(borrow)]
    version: Cow<'a, str>,
    #[serde(borrow)]
    input_digest: Cow<'a, str>,
    output: Json,
}

/// Of what a step has left behind, by which inputs it is found.
#[derive(Debug, serde::Deserialize)]
struct KeptFor<'a> {
    #[serde(borrow)]
    input_digest: Cow<'a, str>,
}

/// Where an output stands: the number of the column, and the row.
type Place = (usize, usize);

/// Outputs of earlier runs. What they hold is looked at when a step asks for it.
#[derive(Debug, Default)]
pub struct Outputs {
    /// The run that is gone on with.
    of_run: Option<Text>,
    /// As they were recorded; those of the run that is gone on with come first.
    contents: Vec<StringArray>,
    /// Those that count.
    places: Vec<Place>,
    /// Of the run that is gone on with, by step.
    by_step: HashMap<String, Place>,
    /// By the digest of component, version and inputs; made when the first pure step asks.
    by_inputs: OnceLock<HashMap<String, Place>>,
}

impl Outputs {
    /// Adds the outputs of a batch of names and contents: those of the run that is gone on with,
    /// but for those of steps that are undone or that are there already, or those of any runs.
    fn add(&mut self, batch: &RecordBatch, own: Option<&dyn Fn(&str) -> bool>) -> Result<()> {
        let number = self.contents.len();
        self.contents.push(texts(batch, 1)?);
        for (row, step) in texts(batch, 0)?.iter().enumerate() {
            let Some(step) = step else { continue };
            if let Some(is_undone) = own {
                if is_undone(step) {
                    continue;
                }
                self.by_step.entry(step.to_owned()).or_insert((number, row));
            }
            self.places.push((number, row));
        }
        Ok(())
    }

    /// The attributes of the run that goes on with these outputs.
    pub fn attributes(&self) -> Option<Text> {
        let run_id = self.of_run.as_deref()?;
        Some(serde_json::json!({ RESUMED_FROM: run_id }).to_string().into())
    }

    /// Takes the outputs of other runs, too.
    #[must_use]
    pub fn and(mut self, other: Self) -> Self {
        let first = self.contents.len();
        self.contents.extend(other.contents);
        self.places.extend(other.places.into_iter().map(|(at, row)| (first + at, row)));
        self.by_inputs = OnceLock::new();
        self
    }

    fn content(&self, (number, row): Place) -> Option<&str> {
        self.contents.get(number).filter(|it| it.is_valid(row)).map(|it| it.value(row))
    }

    fn of_inputs(&self, digest: &str) -> Option<Place> {
        let by_inputs = || {
            let mut found = HashMap::new();
            for place in &self.places {
                let kept = self.content(*place).map(serde_json::from_str::<KeptFor<'_>>);
                let Some(Ok(KeptFor { input_digest })) = kept else { continue };
                found.entry(input_digest.into_owned()).or_insert(*place);
            }
            found
        };
        self.by_inputs.get_or_init(by_inputs).get(digest).copied()
    }

    /// The output at a place, if it is one of the same component with the same inputs. What is no
    /// longer to be read is done again.
    fn output(&self, place: Place, step: &StepKey<'_>) -> Option<Json> {
        let kept: Kept<'_> = serde_json::from_str(self.content(place)?).ok()?;
        let same = kept.component == step.component
            && kept.version == step.version
            && kept.input_digest == step.input_digest;
        same.then_some(kept.output)
    }
}

impl Memo for Outputs {
    /// The output of the same step of the run that is gone on with, if its inputs are the same
    /// still; of a pure step, that of any success with the same inputs.
    fn recall(&self, step: &StepKey<'_>) -> Option<Json> {
        let own = self.by_step.get(step.step).and_then(|it| self.output(*it, step));
        let any = || self.of_inputs(step.input_digest).and_then(|it| self.output(it, step));
        own.or_else(|| if step.pure { any() } else { None })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_items_of_lists_are_no_part_of_a_name() {
        for (step, name) in [
            ("each/double[3]", "each/double"),
            ("each/each/s[12][0]", "each/each/s"),
            ("plain", "plain"),
            ("a[b][1]c[", "a[b]c["),
            ("a[]", "a[]"),
        ] {
            assert_eq!(without_items(step), name);
        }
    }
}
