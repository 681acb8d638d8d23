//! Overhead of the engine per step that does nothing, in memory, with every event made. Compare
//! within one run: the machine's speed is part of every figure. With a word behind `cargo bench
//! --bench engine --` it prints something else: `suite` how near runs of the shapes come to the
//! lower bound, and the engine's own costs beside it; `recorded` what steps cost with a store
//! behind them; `resume` what it takes to go on where a run has ended; `files` how long pipelines
//! of many steps take.
#![allow(clippy::unwrap_used, reason = "a bench has nobody to report to")]
#![allow(clippy::indexing_slicing, reason = "the same")]
#![allow(missing_docs, reason = "criterion's macros make public items")]

#[path = "../tests/it/dice.rs"]
mod dice;
#[path = "engine/recorded.rs"]
mod recorded;
#[path = "../tests/it/shapes/mod.rs"]
mod shapes;
#[path = "engine/suite.rs"]
mod suite;

use std::hint::black_box;
use std::sync::Arc;

use criterion::{BatchSize, Criterion, Throughput, criterion_group};
use genstore::clock::SystemClock;
use genstore::error::Result;
use genstore::event::{Event, EventSink};
use genstore::workflow::{
    Cancel, Component, Engine, FnComponent, Lane, Limits, Output, Plan, Run, Step, Strategy,
};

use shapes::{Draw, Shape, Spread};

/// A sink that looks at every event and keeps none.
#[derive(Debug)]
struct Gone;

impl EventSink for Gone {
    fn emit(&self, event: Event) -> Result<()> {
        black_box(&event);
        Ok(())
    }
}

fn noop(lane: Lane) -> Arc<dyn Component> {
    Arc::new(FnComponent::new("noop", "1", |_| Ok(Output::none())).on(lane))
}

/// A shape as steps that do nothing.
fn steps(shape: &Shape, lane: Lane) -> Vec<Step> {
    let noop = noop(lane);
    shape.steps(|_| Arc::clone(&noop))
}

fn engine() -> Engine {
    let (clock, sink) = (Arc::new(SystemClock::new()), Arc::new(Gone));
    Engine { clock, sink, limits: Limits::new(1_000) }
}

fn overhead(criterion: &mut Criterion) {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    let engine = engine();
    let mut draw = Draw::new(Spread::Even, 1);
    let (chain, fan) = (shapes::chain(1_000, &mut draw), shapes::fan(1_000, &mut draw));
    let (wide, lattice) = (shapes::fan(10_000, &mut draw), shapes::lattice(50, &mut draw));
    let (few, many) = (shapes::random(1_000, &mut draw), shapes::random(10_000, &mut draw));
    let mut group = criterion.benchmark_group("engine");
    group.sample_size(30);
    let shapes = [
        ("chain of 1,000", steps(&chain, Lane::Inline), Strategy::ReadyQueue),
        ("chain of 1,000, sequential", steps(&chain, Lane::Inline), Strategy::Sequential),
        ("chain of 1,000 tasks", steps(&chain, Lane::Task), Strategy::ReadyQueue),
        ("1 to 1,000 to 1", steps(&fan, Lane::Inline), Strategy::ReadyQueue),
        ("1 to 10,000 to 1", steps(&wide, Lane::Inline), Strategy::ReadyQueue),
        ("lattice of 50 by 50", steps(&lattice, Lane::Inline), Strategy::ReadyQueue),
        ("random 1,000", steps(&few, Lane::Inline), Strategy::ReadyQueue),
    ];
    for (name, steps, strategy) in shapes {
        let plan = Arc::new(Plan::new(steps).unwrap());
        group.throughput(Throughput::Elements(u64::try_from(plan.len()).unwrap()));
        group.bench_function(name, |bencher| {
            bencher.iter(|| {
                let run = Run { strategy, ..Run::new("run", "bench") };
                runtime.block_on(engine.execute(&plan, run, &Cancel::new())).unwrap()
            });
        });
    }
    group.throughput(Throughput::Elements(10_000));
    group.bench_function("plan random 10,000", |bencher| {
        bencher.iter_batched(
            || steps(&many, Lane::Inline),
            |steps| Plan::new(steps).unwrap(),
            BatchSize::LargeInput,
        );
    });
    group.finish();
}

criterion_group!(benches, overhead);

fn main() {
    let words: Vec<String> = std::env::args().skip(1).collect();
    match words.iter().map(String::as_str).find(|it| !it.starts_with("--bench")) {
        Some("suite") => return suite::print(),
        Some("recorded") => {
            recorded::memory();
            return recorded::overhead();
        }
        Some("resume") => return recorded::resume(),
        Some("files") => return recorded::files(),
        Some("memory-of") => return recorded::memory_of(&words[1]),
        _ => {}
    }
    benches();
    Criterion::default().configure_from_args().final_summary();
}
