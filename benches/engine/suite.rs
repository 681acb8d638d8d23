//! The suite as one table after another: order, overhead, grain, planning, memory. Makespans are
//! predictions, which the tests show to be what the engine takes to the nanosecond; runs with
//! faults are real ones on the paused clock.
#![allow(clippy::print_stdout, reason = "a bench prints")]

use std::hint::black_box;
use std::sync::Arc;
use std::time::{Duration, Instant};

use genstore::workflow::{
    Analysis, Cancel, Component, FnComponent, Lane, Output, Plan, Run, Step, Strategy, span,
};
use tokio::runtime::{Builder, Runtime};

use super::shapes::{self, Draw, Known, Shape, Spread, analyse, run_paused};
use super::{engine, steps};

const SEEDS: u64 = 8;
pub(super) const STEPS: usize = 10_000;
const GRAIN_MAX: Duration = Duration::from_millis(1);

pub(super) fn print() {
    memory();
    for spread in [Spread::Uniform, Spread::Lognormal] {
        order(spread);
    }
    large();
    faults();
    package();
    overhead();
    grain("in memory", execute);
    planning();
}

/// Times of a run in parts of its lower bound.
struct Ratios {
    lb1: f64,
    ahead: f64,
    by_chain: f64,
    fifo: f64,
    staged: f64,
    sequential: f64,
}

impl Ratios {
    fn of(shape: &Shape, places: usize) -> Self {
        let (plan, ahead) = (shape.plan(), shape.plan_for(places));
        let known = shape.estimates();
        let [plan, ahead] = [&plan, &ahead].map(|it| analyse(it, &known, places));
        let bound = plan.lb2_ns() as f64;
        let ratio = |analysis: &Analysis<'_>, strategy| {
            analysis.predict(strategy).makespan_ns as f64 / bound
        };
        Self {
            lb1: plan.lb1_ns() as f64 / bound,
            ahead: ratio(&ahead, Strategy::ReadyQueue),
            by_chain: ratio(&plan, Strategy::ReadyQueue),
            fifo: ratio(&plan, Strategy::FullParallel),
            staged: ratio(&plan, Strategy::StagedParallel),
            sequential: ratio(&plan, Strategy::Sequential),
        }
    }
}

fn head(title: &str) {
    println!("\n{title}");
    println!(
        "{:<18}{:>7}{:>7}{:>8}{:>8}{:>8}{:>8}{:>8}{:>8}{:>9}",
        "shape", "steps", "places", "LB1", "ready", "worst", "chain", "fifo", "staged", "sequence"
    );
}

fn line(shape: &Shape, places: usize, all: &[Ratios]) {
    let mean = |of: fn(&Ratios) -> f64| all.iter().map(of).sum::<f64>() / all.len() as f64;
    println!(
        "{:<18}{:>7}{places:>7}{:>8.3}{:>8.3}{:>8.3}{:>8.3}{:>8.3}{:>8.3}{:>9.2}",
        shape.name,
        shape.work.len(),
        mean(|it| it.lb1),
        mean(|it| it.ahead),
        all.iter().map(|it| it.ahead).fold(0.0, f64::max),
        mean(|it| it.by_chain),
        mean(|it| it.fifo),
        mean(|it| it.staged),
        mean(|it| it.sequential),
    );
}

/// Of every shape the mean over the seeds.
fn order(spread: Spread) {
    head(&format!("time / LB2, durations {spread:?}, mean of {SEEDS} seeds"));
    println!(
        "ready: the queue that looked ahead (worst: of the seeds); chain: longest chain first;"
    );
    println!("fifo: as written; the model of the generation has half of the places");
    let suites: Vec<Vec<Shape>> = (1..=SEEDS).map(|seed| shapes::suite(spread, seed)).collect();
    let kinds = suites.first().map_or(0, Vec::len);
    for (at, places) in (0..kinds).flat_map(|at| [4, 16].map(|places| (at, places))) {
        let same: Vec<&Shape> = suites.iter().filter_map(|suite| suite.get(at)).collect();
        let all: Vec<Ratios> = same.iter().map(|shape| Ratios::of(shape, places)).collect();
        same.first().iter().for_each(|shape| line(shape, places, &all));
    }
}

/// The shapes whose size is what they are about.
fn large() {
    head("large, lognormal, one seed (above 2,000 steps nobody looks ahead)");
    let mut draw = Draw::new(Spread::Lognormal, 1);
    for shape in [
        shapes::chain(1_000, &mut draw),
        shapes::fan(STEPS, &mut draw),
        shapes::lattice(50, &mut draw),
        shapes::random(STEPS, &mut draw),
    ] {
        for places in [4, 16] {
            line(&shape, places, &[Ratios::of(&shape, places)]);
        }
    }
}

fn faults() {
    println!(
        "\ngeneration with faults, run: time / LB2 of the work that was done, mean of {SEEDS}"
    );
    for places in [4, 16] {
        let mut sums = [0.0; 3];
        for seed in 1..=SEEDS {
            let shape = shapes::faulty_generation(24, &mut Draw::new(Spread::Lognormal, seed));
            let plan = Arc::new(shape.plan_for(places));
            let [ready, fifo, staged] =
                [Strategy::ReadyQueue, Strategy::FullParallel, Strategy::StagedParallel]
                    .map(|strategy| run_paused(&plan, strategy, places));
            let done = ready.steps.iter().map(|it| (it.name.to_string(), it.duration_ns));
            let bound = analyse(&plan, &Known(done.collect()), places).lb2_ns() as f64;
            for (sum, outcome) in sums.iter_mut().zip([ready, fifo, staged]) {
                *sum += outcome.duration_ns as f64 / bound / SEEDS as f64;
            }
        }
        let [ready, fifo, staged] = sums;
        println!("{places:>2} places: ready {ready:.3}, fifo {fifo:.3}, staged {staged:.3}");
    }
}

/// The case of which the original system gives times.
fn package() {
    let shape = shapes::package();
    let (plan, known) = (shape.plan_for(5), shape.estimates());
    let analysis = analyse(&plan, &known, 5);
    println!("\na package of {} steps, 5 places (the original's own mix: 10.5 s)", plan.len());
    println!("{:<18} {:>7}", "lower bound", span(analysis.lb2_ns()));
    for strategy in Strategy::ALL {
        let it = analysis.predict(strategy);
        let original = match strategy {
            Strategy::FullParallel => "4.70 s",
            Strategy::StagedParallel => "6.30 s",
            Strategy::DependencyChains => "5.20 s",
            Strategy::Sequential => "10.5 s",
            Strategy::ReadyQueue => "",
        };
        let (time, name) = (span(it.makespan_ns), strategy.as_str());
        let (speedup, idle) = (it.speedup, it.idle_share * 100.0);
        println!("{name:<18} {time:>7}  {speedup:.2} ×  idle {idle:.0} %  original {original}");
    }
    println!("the original would choose {}", analysis.original_strategy());
}

pub(super) fn runtime() -> Runtime {
    Builder::new_multi_thread().enable_all().build().unwrap()
}

/// The shortest of some runs, which is the one least disturbed.
fn shortest(runs: usize, mut run: impl FnMut()) -> Duration {
    let mut one = || {
        let start = Instant::now();
        run();
        start.elapsed()
    };
    (0..runs).map(|_| one()).min().unwrap()
}

fn execute(runtime: &Runtime, plan: &Arc<Plan>, places: usize) {
    let run = Run { concurrency_max: places, ..Run::new("run", "bench") };
    black_box(runtime.block_on(engine().execute(plan, run, &Cancel::new())).unwrap());
}

fn overhead() {
    println!("\noverhead per step, in memory, every event made");
    let (runtime, mut draw) = (runtime(), Draw::new(Spread::Even, 1));
    for shape in [
        shapes::chain(1_000, &mut draw),
        shapes::fan(STEPS, &mut draw),
        shapes::lattice(50, &mut draw),
    ] {
        let plan = Arc::new(Plan::new(steps(&shape, Lane::Inline)).unwrap());
        let time = shortest(50, || execute(&runtime, &plan, 8));
        let per_step_ns = time.as_nanos() as f64 / plan.len() as f64;
        println!("{:<18}{:>7} steps {per_step_ns:>8.0} ns", shape.name, plan.len());
    }
}

/// The smallest step that is worth it: the work per step at which half, and at which 95 per cent,
/// of the processors' time is work.
pub(super) fn grain(how: &str, execute: impl Fn(&Runtime, &Arc<Plan>, usize)) {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    println!(
        "\nminimum effective task granularity, layered 20 by 20, {how}, on a machine that does \
         nothing else"
    );
    for (name, lane, places) in
        [("inline, one core", Lane::Inline, 1), ("tasks, all cores", Lane::Task, cores)]
    {
        let runtime =
            Builder::new_multi_thread().worker_threads(places).enable_time().build().unwrap();
        let mut reached = [None, None];
        let mut grain = Duration::from_nanos(200);
        while reached[1].is_none() && grain < GRAIN_MAX {
            let plan = spinning(lane, grain);
            let time = shortest(10, || execute(&runtime, &plan, places));
            let work = grain * u32::try_from(plan.len()).unwrap();
            let share = work.as_secs_f64() / (time.as_secs_f64() * places as f64);
            for (reached, wanted) in reached.iter_mut().zip([0.5, 0.95]) {
                if reached.is_none() && share >= wanted {
                    *reached = Some(grain);
                }
            }
            grain = grain * 5 / 4;
        }
        let [half, most] =
            reached.map(|it| it.map_or("beyond 1 ms".to_owned(), |it| format!("{it:?}")));
        println!("{name:<18} {places} places: METG(50 %) {half}, METG(95 %) {most}");
    }
}

fn spinning(lane: Lane, grain: Duration) -> Arc<Plan> {
    let shape = shapes::layered(20, 20, &mut Draw::new(Spread::Even, 1));
    let spin = move |_: &_| {
        let start = Instant::now();
        while start.elapsed() < grain {
            std::hint::spin_loop();
        }
        Ok(Output::none())
    };
    let spin: Arc<dyn Component> = Arc::new(FnComponent::new("spin", "1", spin).on(lane));
    Arc::new(Plan::new(shape.steps(|_| Arc::clone(&spin))).unwrap())
}

fn planning() {
    println!("\nplanning, random, {STEPS} steps unless said");
    let shape = shapes::random(STEPS, &mut Draw::new(Spread::Lognormal, 1));
    let known = shape.estimates();
    let time = |name: &str, run: &mut dyn FnMut()| {
        println!("{name:<44}{:>10.2?}", shortest(7, run));
    };
    let mut drafts: Vec<Vec<Step>> = (0..7).map(|_| steps(&shape, Lane::Inline)).collect();
    let mut plans = Vec::new();
    time("steps to plan, with estimates", &mut || {
        plans.push(Plan::new(drafts.pop().unwrap()).unwrap().with_estimates(&known));
    });
    let plan = plans.pop().unwrap();
    let analysis = analyse(&plan, &known, 8);
    time("analysis without bound and prediction", &mut || {
        black_box(analyse(&plan, &known, 8).original_strategy());
    });
    time("prediction of the ready queue", &mut || {
        black_box(analysis.predict(Strategy::ReadyQueue));
    });
    time("LB2", &mut || {
        black_box(analysis.lb2_ns());
    });
    time("tree", &mut || drop(black_box(analysis.tree())));
    time("graph", &mut || drop(black_box(analysis.dot("random"))));
    let mut draw = Draw::new(Spread::Uniform, 1);
    for contracts in [24, 120] {
        let shape = shapes::generation(contracts, &mut draw);
        let mut plans: Vec<Plan> = (0..7).map(|_| shape.plan()).collect();
        let (known, capacity) = (shape.estimates(), Shape::capacity(16, 16));
        let name = format!("looking ahead, generation, {} steps", shape.work.len());
        time(&name, &mut || {
            let plan = plans.pop().unwrap();
            black_box(plan.looking_ahead(&known, Duration::ZERO, &capacity).unwrap());
        });
    }
}

/// Bytes of this process that lie in memory: now by `VmRSS:`, at most so far by `VmHWM:`.
pub(super) fn resident_bytes(what: &str) -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix(what));
    let kib = line.and_then(|it| it.trim().trim_end_matches(" kB").parse::<u64>().ok());
    kib.unwrap_or(0) << 10
}

/// Must come first: memory that was used once counts no more.
fn memory() {
    let runtime = runtime();
    let shape = shapes::random(STEPS, &mut Draw::new(Spread::Even, 1));
    let before = resident_bytes("VmRSS:");
    let plan = Arc::new(Plan::new(steps(&shape, Lane::Inline)).unwrap());
    let planned = resident_bytes("VmRSS:");
    let run = Run::new("run", "bench");
    let outcome = runtime.block_on(engine().execute(&plan, run, &Cancel::new())).unwrap();
    let ran = resident_bytes("VmRSS:");
    let mib = |bytes: u64| bytes as f64 / f64::from(1 << 20);
    println!(
        "memory of {STEPS} steps: plan {:.1} MiB, run with its outcome {:.1} MiB more",
        mib(planned.saturating_sub(before)),
        mib(ran.saturating_sub(planned)),
    );
    drop(black_box(outcome));
}
