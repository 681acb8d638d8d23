//! Overhead of the engine per step that does nothing, in memory, with every event made. Compare
//! within one run: the machine's speed is part of every figure.
#![allow(clippy::unwrap_used, reason = "a bench has nobody to report to")]
#![allow(missing_docs, reason = "criterion's macros make public items")]

use std::hint::black_box;
use std::sync::Arc;

use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use genstore::clock::SystemClock;
use genstore::error::Result;
use genstore::event::{Event, EventSink};
use genstore::workflow::{
    Cancel, Component, Engine, FnComponent, Lane, Limits, Output, Plan, Run, Step, Strategy,
};

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

fn steps(count: usize, lane: Lane, mut after: impl FnMut(usize) -> Vec<usize>) -> Vec<Step> {
    let noop = noop(lane);
    (0..count)
        .map(|n| {
            let names = after(n).into_iter().map(|before| format!("s{before}"));
            Step::shared(format!("s{n}"), Arc::clone(&noop)).after(names)
        })
        .collect()
}

/// Each step after the one before.
fn chain(count: usize, lane: Lane) -> Vec<Step> {
    steps(count, lane, |n| n.checked_sub(1).into_iter().collect())
}

/// One step, then many, then one.
fn fan(width: usize) -> Vec<Step> {
    steps(width + 2, Lane::Inline, |n| match n {
        0 => vec![],
        n if n <= width => vec![0],
        _ => (1..=width).collect(),
    })
}

/// A square in which each step comes after its left and its upper neighbour.
fn lattice(side: usize) -> Vec<Step> {
    steps(side * side, Lane::Inline, |n| {
        let left = (n % side > 0).then(|| n - 1);
        left.into_iter().chain(n.checked_sub(side)).collect()
    })
}

/// Each step after one to three of the forty before it, the same in every run.
fn random(count: usize) -> Vec<Step> {
    let mut state = 1_u64;
    let mut draw = |below: usize| {
        // Knuth's MMIX multiplier; the high bits are the random ones
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        usize::try_from(state >> 33).unwrap() % below
    };
    steps(count, Lane::Inline, |n| match n {
        0 => vec![],
        n => (0..=draw(3)).map(|_| n - 1 - draw(n.min(40))).collect(),
    })
}

fn overhead(criterion: &mut Criterion) {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    let engine = Engine {
        clock: Arc::new(SystemClock::new()),
        sink: Arc::new(Gone),
        limits: Limits::new(1_000),
    };
    let mut group = criterion.benchmark_group("engine");
    group.sample_size(30);
    let shapes = [
        ("chain of 1,000", chain(1_000, Lane::Inline), Strategy::ReadyQueue),
        ("chain of 1,000, sequential", chain(1_000, Lane::Inline), Strategy::Sequential),
        ("chain of 1,000 tasks", chain(1_000, Lane::Task), Strategy::ReadyQueue),
        ("1 to 1,000 to 1", fan(1_000), Strategy::ReadyQueue),
        ("1 to 10,000 to 1", fan(10_000), Strategy::ReadyQueue),
        ("lattice of 50 by 50", lattice(50), Strategy::ReadyQueue),
        ("random 1,000", random(1_000), Strategy::ReadyQueue),
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
            || random(10_000),
            |steps| Plan::new(steps).unwrap(),
            BatchSize::LargeInput,
        );
    });
    group.finish();
}

criterion_group!(benches, overhead);
criterion_main!(benches);
