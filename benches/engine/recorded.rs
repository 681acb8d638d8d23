//! What the engine costs with a store behind it: steps recorded and acknowledged once per run, runs
//! that go on where one has ended, pipelines of many steps, and the memory of all that. The store
//! is made in a temporary folder; fdatasync counts.
#![allow(clippy::print_stdout, reason = "a bench prints")]

use std::collections::BTreeMap;
use std::hint::black_box;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::time::{Duration, Instant};

use genstore::clock::{Clock, IdSource, SystemClock, SystemIds};
use genstore::event::{EventSink, Memo, RunRow, RunStarted, TimeUs};
use genstore::history::History;
use genstore::pipeline::{PipelineFile, WorkflowOptions};
use genstore::recorder::Recorder;
use genstore::replay::WorkflowRuns;
use genstore::store::{Store, StoreOptions};
use genstore::workflow::{Cancel, Engine, Lane, Limits, Plan, ResultKind, Run, Workflow, builtin};
use tempfile::TempDir;
use tokio::runtime::Runtime;

use super::shapes::{self, Draw, Spread};
use super::steps;
use super::suite::{STEPS, grain, resident_bytes, runtime};

/// Of these sizes pipelines are checked and run: a file may have 500,000 values, and a step that
/// sets something is nine.
const SIZES: [usize; 3] = [10_000, 30_000, 50_000];

/// A store of its own, with what runs into it need.
struct Recorded {
    runtime: Runtime,
    runs: WorkflowRuns,
    folder: TempDir,
}

impl Recorded {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let runs = runs(&folder.path().join("history"));
        Self { runtime: runtime(), runs, folder }
    }

    /// The same store, opened as by the next process.
    fn opened_again(self) -> Self {
        let Self { runtime, runs, folder } = self;
        runs.recorder.store().close().unwrap();
        drop(runs);
        let runs = self::runs(&folder.path().join("history"));
        Self { runtime, runs, folder }
    }

    /// Nothing is left to be flushed that would take time of what comes next.
    fn settle(&self) {
        self.runs.recorder.store().flush().unwrap();
    }

    /// A plan from its beginning to its acknowledgement.
    fn execute(&self, runtime: &Runtime, plan: &Arc<Plan>, places: usize) {
        let started = RunStarted {
            run_id: self.runs.ids.next_id().to_string().into(),
            pipeline_name: "bench".into(),
            start_time: TimeUs(self.runs.clock.now_us()),
            ..RunStarted::default()
        };
        let run_id = started.run_id.clone();
        let recorder = Arc::new(self.runs.recorder.begin(started).unwrap());
        let (clock, sink) = (Arc::clone(&self.runs.clock), Arc::clone(&recorder));
        let sink: Arc<dyn EventSink> = sink;
        let engine = Engine { clock, sink, limits: Limits::new(1_000) };
        let run = Run { concurrency_max: places, ..Run::new(run_id.clone(), "bench") };
        let ended = async {
            let outcome = engine.execute(plan, run, &Cancel::new()).await.unwrap();
            let row = RunRow {
                run_id,
                pipeline_name: "bench".into(),
                result: outcome.result.text(),
                start_time: outcome.start_time,
                end_time: outcome.end_time,
                duration_ns: outcome.duration_ns,
                ..RunRow::default()
            };
            recorder.finish(row).await.unwrap();
            outcome
        };
        black_box(runtime.block_on(ended));
    }

    /// A pipeline from its beginning to its acknowledgement; gives the run.
    fn run(&self, workflow: &Workflow, memo: Option<Arc<dyn Memo>>) -> String {
        let options = WorkflowOptions { memo, ..WorkflowOptions::default() };
        let cancel = Cancel::new();
        let run = self.runs.run(workflow, serde_json::Map::new(), options, &cancel);
        let report = self.runtime.block_on(run).unwrap();
        assert_eq!(report.outcome.result, ResultKind::Success, "{:?}", report.run.error_message);
        report.run.run_id.to_string()
    }

    /// What a run has left behind.
    fn outputs(&self, run_id: &str, pipeline: &str) -> Arc<dyn Memo> {
        let snapshot = self.runs.recorder.store().snapshot().unwrap();
        let history = History::new(&snapshot, &self.runs.clock).unwrap();
        Arc::new(self.runtime.block_on(history.of_run(run_id, pipeline)).unwrap())
    }
}

fn runs(path: &Path) -> WorkflowRuns {
    let clock: Arc<dyn Clock> = Arc::new(SystemClock::new());
    let ids: Arc<dyn IdSource> = Arc::new(SystemIds);
    let (time, names) = (Arc::clone(&clock), Arc::clone(&ids));
    let store = Store::open_at(path, StoreOptions::default(), time, names).unwrap();
    let (recorder, limits) = (Recorder::new(Arc::new(store)), Limits::new(8));
    WorkflowRuns { recorder, clock, ids, limits, jobs: 8 }
}

/// A pipeline file of so many steps, in the way that its name says.
fn file(kind: &str, count: usize) -> String {
    let steps = |of: &dyn Fn(usize) -> String| (0..count).map(of).collect::<String>();
    let plain = |at: usize| format!("  - {{name: s{at}, use: noop}}\n");
    let body = match kind {
        "chain" => steps(&plain),
        "list" => format!("  - parallel:\n{}", steps(&|at| format!("  {}", plain(at)))),
        "gathered" => format!(
            "  - pipeline:\n    - parallel:\n{}    - {{name: all, use: noop}}\n",
            steps(&|at| format!("    {}", plain(at)))
        ),
        "graph" => format!(
            "  - graph:\n{}",
            steps(&|at| match at {
                0 => "    - {name: s0, use: noop}\n".to_owned(),
                _ => format!("    - {{name: s{at}, use: noop, needs: [s{}]}}\n", at / 2),
            })
        ),
        "state, chain" => {
            steps(&|at| format!("  - {{name: s{at}, use: noop, set: {{x: {at}}}}}\n"))
        }
        "state, list" => format!(
            "  - parallel:\n{}",
            steps(&|at| format!("    - {{name: s{at}, use: noop, set: {{x: 1}}}}\n"))
        ),
        "for_each" => {
            let list = format!("\"{{{{ range({count}) | list }}}}\"");
            let each = format!("name: each, in: {list}, items_max: {count}");
            format!("  - for_each: {{{each}, do: [{{name: s, use: noop}}]}}\n")
        }
        other => panic!("no pipeline is called {other}"),
    };
    format!("name: bench\nstate: {{x: {{}}}}\nsteps:\n{body}")
}

fn workflow(text: &str) -> Workflow {
    checked(&PipelineFile::parse(text, "bench.yaml"))
}

fn checked(file: &PipelineFile) -> Workflow {
    let others = |name: &str, _: &str| panic!("nothing calls {name}");
    file.lower(&builtin(BTreeMap::new()), &others).unwrap()
}

/// Overhead per step, and the smallest step that is worth it.
pub(super) fn overhead() {
    let recorded = Recorded::new();
    println!("\noverhead per step, recorded and acknowledged once per run");
    let mut draw = Draw::new(Spread::Even, 1);
    for shape in [
        shapes::chain(1_000, &mut draw),
        shapes::fan(STEPS, &mut draw),
        shapes::lattice(50, &mut draw),
    ] {
        let plan = Arc::new(Plan::new(steps(&shape, Lane::Inline)).unwrap());
        let (best, middle) =
            per_step(&recorded, plan.len(), || recorded.execute(&recorded.runtime, &plan, 8));
        println!("{:<28}{:>7} steps {best:>6.2} µs, median {middle:>6.2}", shape.name, plan.len());
    }
    for (kind, count) in [("chain", 1_000), ("list", STEPS), ("for_each", STEPS)] {
        let workflow = workflow(&file(kind, count));
        let (best, middle) = per_step(&recorded, count, || drop(recorded.run(&workflow, None)));
        let name = format!("pipeline, {kind}, outputs kept");
        println!("{name:<28}{count:>7} steps {best:>6.2} µs, median {middle:>6.2}");
    }
    grain("recorded", |runtime, plan, places| recorded.execute(runtime, plan, places));
}

/// Shortest and median time per step in microseconds.
fn per_step(recorded: &Recorded, steps: usize, run: impl Fn()) -> (f64, f64) {
    let mut times: Vec<Duration> = (0..15)
        .map(|_| {
            recorded.settle();
            let start = Instant::now();
            run();
            start.elapsed()
        })
        .collect();
    times.sort();
    let of_one = |time: Duration| time.as_secs_f64() * 1e6 / steps as f64;
    (of_one(times[0]), of_one(times[times.len() / 2]))
}

/// A run of finished steps that is gone on with.
pub(super) fn resume() {
    println!("\nresume of {STEPS} finished steps: what is read of the store, and the run");
    for kind in ["list", "chain", "for_each"] {
        let workflow = workflow(&file(kind, STEPS));
        let recorded = Recorded::new();
        let run_id = recorded.run(&workflow, None);
        let recorded = recorded.opened_again();
        let (mut reads, mut all) = (Vec::new(), Vec::new());
        for _ in 0..7 {
            recorded.settle();
            let start = Instant::now();
            let memo = recorded.outputs(&run_id, "bench");
            reads.push(start.elapsed());
            recorded.run(&workflow, Some(memo));
            all.push(start.elapsed());
        }
        let first = all[0];
        reads.sort();
        all.sort();
        println!(
            "{kind:<10} first {first:>8.1?}, median {:>8.1?} (reading {:.1?}), best {:>8.1?}",
            all[3], reads[3], all[0]
        );
    }
}

/// Pipelines of many steps: how long it takes to read and check one, and to run it.
pub(super) fn files() {
    println!("\npipeline files: parsed, checked, planned for two places, run and recorded");
    for kind in ["list", "chain", "gathered", "graph", "state, list", "state, chain"] {
        for count in SIZES {
            let text = file(kind, count);
            let start = Instant::now();
            let file = PipelineFile::parse(&text, "bench.yaml");
            let parsed = start.elapsed();
            let workflow = checked(&file);
            let lowered = start.elapsed() - parsed;
            let start = Instant::now();
            let workflow = workflow.expecting(Nothing, 2).unwrap();
            let planned = start.elapsed();
            let recorded = Recorded::new();
            let start = Instant::now();
            recorded.run(&workflow, None);
            println!(
                "{kind:<14}{count:>7} steps: {parsed:>8.1?}, {lowered:>8.1?}, {planned:>8.1?}, \
                 {:>8.1?}",
                start.elapsed()
            );
        }
    }
}

/// Nothing is known of any step.
#[derive(Debug)]
struct Nothing;

impl genstore::event::Estimates for Nothing {
    fn estimate_ns(&self, _: &str) -> Option<i64> {
        None
    }
}

/// What a run takes of memory at its peak; each in a process of its own, as what was used once
/// counts no more.
pub(super) fn memory() {
    println!("\nmemory of a recorded pipeline of {STEPS} steps at its peak, plan included");
    for kind in ["list", "chain", "for_each"] {
        let mut one = Command::new(std::env::current_exe().unwrap());
        let output = one.arg("memory-of").arg(kind).output().unwrap();
        print!("{}", String::from_utf8(output.stdout).unwrap());
    }
}

/// The process of one measurement.
pub(super) fn memory_of(kind: &str) {
    let recorded = Recorded::new();
    recorded.run(&workflow(&file(kind, 10)), None);
    recorded.settle();
    let before = resident_bytes("VmRSS:");
    let workflow = workflow(&file(kind, STEPS));
    let planned = resident_bytes("VmHWM:");
    recorded.run(&workflow, None);
    let ran = resident_bytes("VmHWM:");
    let mib = |bytes: u64| bytes.saturating_sub(before) as f64 / f64::from(1 << 20);
    println!("{kind:<10} checked {:.1} MiB, run and recorded {:.1} MiB", mib(planned), mib(ran));
}
