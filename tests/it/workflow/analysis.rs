//! What an analysis says of small plans that one can work out by hand, and of large ones.

use genstore::workflow::{Analysis, Capacity, Plan, Strategy};

use super::{FALLBACK, MS, known, plan, step};
use crate::shapes::{Draw, Known, Spread, generation, random};

/// Two ways from `a` to `d`, and `e` beside them.
fn diamond() -> Plan {
    plan([("a", ""), ("b", "a"), ("c", "a"), ("d", "b,c"), ("e", "")])
}

fn names(plan: &Plan, steps: &[usize]) -> String {
    let names: Vec<&str> = steps.iter().map(|&step| plan.step_name(step)).collect();
    names.join(" ")
}

#[test]
fn a_diamond_is_taken_apart() {
    let plan = diamond();
    let known = known([("a", 1), ("b", 5), ("c", 2), ("d", 3), ("e", 4)]);
    let analysis = Analysis::new(&plan, &known, FALLBACK, &Capacity::new(2)).unwrap();
    let all = |parts: Vec<Vec<usize>>| -> Vec<String> {
        parts.iter().map(|steps| names(&plan, steps)).collect()
    };
    assert_eq!(all(analysis.stages()), ["a e", "b c", "d"]);
    assert_eq!(all(analysis.chains()), ["a b d", "c", "e"]);
    assert_eq!(names(&plan, &analysis.independent()), "e");
    assert_eq!(analysis.width(), 2);
    assert_eq!(names(&plan, analysis.critical_path()), "a b d");
    assert_eq!(analysis.critical_path_ns(), 9 * MS);
    assert_eq!(analysis.work_ns(), 15 * MS);
    let slack = |name: &str| analysis.steps()[plan.find(name).unwrap()].slack_ns / MS;
    assert_eq!(["a", "b", "c", "d", "e"].map(slack), [0, 0, 3, 0, 5]);
    let c = &analysis.steps()[plan.find("c").unwrap()];
    assert_eq!((c.start_ns, c.remaining_ns, c.on_critical_path), (MS, 5 * MS, false));
    assert_eq!((analysis.lb1_ns(), analysis.lb2_ns()), (9 * MS, 9 * MS));
}

#[test]
fn every_strategy_has_its_time() {
    let (plan, known) = (diamond(), known([("a", 1), ("b", 5), ("c", 2), ("d", 3), ("e", 4)]));
    let analysis = Analysis::new(&plan, &known, FALLBACK, &Capacity::new(2)).unwrap();
    let predict = |strategy| {
        let it = analysis.predict(strategy);
        let idle_percent = (it.idle_share * 100.0).round() as i64;
        (it.makespan_ns / MS, it.working_max, idle_percent, (it.speedup * 100.0).round() as i64)
    };
    // a e, then b, c, d: e has a place to the end of 4
    assert_eq!(predict(Strategy::ReadyQueue), (9, 2, 17, 167));
    assert_eq!(predict(Strategy::Sequential), (15, 1, 50, 100));
    // 4 + 5 + 3
    assert_eq!(predict(Strategy::StagedParallel), (12, 2, 38, 125));
    // three at a time: b, c, e
    assert_eq!(predict(Strategy::FullParallel), (9, 3, 44, 167));
    // a b d | c e: c waits for e, which has begun
    assert_eq!(predict(Strategy::DependencyChains), (9, 2, 17, 167));
}

#[test]
fn a_step_that_nobody_knows_counts_as_the_mean_and_else_as_the_fallback() {
    let plan = plan([("a", ""), ("b", ""), ("c", "")]);
    let durations = |known: &Known| {
        let analysis = Analysis::new(&plan, known, FALLBACK, &Capacity::new(1)).unwrap();
        analysis.steps().iter().map(|it| (it.duration_ns / MS, it.is_known)).collect::<Vec<_>>()
    };
    let some = known([("a", 2), ("b", 4)]);
    assert_eq!(durations(&some), [(2, true), (4, true), (3, false)]);
    assert_eq!(durations(&known([])), [(7, false); 3]);
    assert_eq!(durations(&known([("a", -2)])), [(0, true), (0, false), (0, false)]);
}

#[test]
fn a_resource_without_a_limit_is_an_error() {
    let plan = Plan::new(vec![step("a", "").using("modell")]).unwrap();
    let analyse = |capacity| Analysis::new(&plan, &known([]), FALLBACK, &capacity).map(drop);
    let error = analyse(Capacity::new(1).with_resource("model", 2)).unwrap_err();
    assert_eq!(error.to_string(), "no limit is known for the resource `modell`");
    assert_eq!(error.hint(), Some("Did you mean `model`?"));
    let error = analyse(Capacity::new(1)).unwrap_err();
    assert_eq!(error.hint(), Some("Add it to the limits, or remove it from the step."));
    analyse(Capacity::new(1).with_resource("modell", 0)).unwrap();
}

#[test]
fn a_resource_has_a_bound_of_its_own() {
    let ask = |name: &str| step(name, "first").using("model");
    let steps = vec![step("first", ""), ask("x"), ask("y"), ask("z"), step("last", "x,y,z")];
    let plan = Plan::new(steps).unwrap();
    let known = known([("first", 1), ("x", 4), ("y", 4), ("z", 4), ("last", 2)]);
    let bounds = |places, model| {
        let capacity = Capacity::new(places).with_resource("model", model);
        let analysis = Analysis::new(&plan, &known, FALLBACK, &capacity).unwrap();
        let predicted = analysis.predict(Strategy::ReadyQueue).makespan_ns;
        [analysis.lb1_ns(), analysis.lb2_ns(), predicted].map(|ns| ns / MS)
    };
    assert_eq!(bounds(4, 1), [7, 15, 15], "all of the model's work, one by one, and the ends");
    assert_eq!(bounds(4, 2), [7, 9, 11], "three of them in two places: no bound is perfect");
    assert_eq!(bounds(4, 4), [7, 7, 7]);
    assert_eq!(bounds(1, 4), [15, 15, 15]);
}

#[test]
fn the_original_decides_at_seventy_per_cent() {
    let choice = |steps: &[(&str, &str)]| {
        let steps = steps.iter().map(|(name, after)| step(name, after)).collect();
        let plan = Plan::new(steps).unwrap();
        let analysis = Analysis::new(&plan, &known([]), FALLBACK, &Capacity::new(4)).unwrap();
        analysis.original_strategy()
    };
    assert_eq!(choice(&[("a", "")]), Strategy::Sequential);
    assert_eq!(choice(&[("a", ""), ("b", "a"), ("c", "b")]), Strategy::Sequential);
    assert_eq!(choice(&[("a", ""), ("b", "")]), Strategy::FullParallel);
    // 7 of 10 are independent, then 6 of 9
    let mut steps: Vec<(&str, &str)> =
        "1234567".split("").filter(|it| !it.is_empty()).map(|it| (it, "")).collect();
    steps.extend([("x", ""), ("y", "x"), ("z", "x")]);
    assert_eq!(choice(&steps), Strategy::FullParallel);
    assert_eq!(choice(&steps[1..]), Strategy::StagedParallel);
    // 6 of 9 are independent, and the other three are a chain
    *steps.last_mut().unwrap() = ("z", "y");
    assert_eq!(choice(&steps[1..]), Strategy::DependencyChains);
    assert_eq!(choice(&[("a", ""), ("b", "a"), ("c", "a")]), Strategy::StagedParallel);
    assert_eq!(choice(&[("a", ""), ("b", ""), ("c", "a,b")]), Strategy::StagedParallel);
}

/// The bound as it is defined: the critical path, and over every head and every tail.
fn lb2_by_definition(analysis: &Analysis<'_>, places: i64, of_model: Option<i64>) -> i64 {
    let plan = analysis.plan();
    let uses_model: Vec<bool> = plan.steps().map(|step| step.resource.is_some()).collect();
    let tail = |at: usize| analysis.steps()[at].remaining_ns - analysis.steps()[at].duration_ns;
    let head = |at: usize| analysis.steps()[at].start_ns;
    let bound = |a: i64, b: i64, model_only: bool, places: i64| {
        let within = (0..plan.len())
            .filter(|&at| head(at) >= a && tail(at) >= b && (uses_model[at] || !model_only));
        let work: Vec<i64> = within.map(|at| analysis.steps()[at].duration_ns).collect();
        let sum: i64 = work.iter().sum();
        if work.is_empty() { 0 } else { a + b + (sum + places - 1) / places }
    };
    let mut best = analysis.critical_path_ns();
    for first in 0..plan.len() {
        for last in 0..plan.len() {
            let (a, b) = (head(first), tail(last));
            best = best.max(bound(a, b, false, places));
            if let Some(model) = of_model {
                best = best.max(bound(a, b, true, model.min(places)));
            }
        }
    }
    best
}

#[test]
fn the_bound_is_that_of_the_definition() {
    for seed in 1..=4 {
        for shape in [
            random(60, &mut Draw::new(Spread::Uniform, seed)),
            generation(4, &mut Draw::new(Spread::Lognormal, seed)),
        ] {
            let (plan, known) = (shape.plan(), shape.estimates());
            let has_model = shape.work.iter().any(|work| work.resource.is_some());
            for (places, model) in [(1, 1), (3, 2), (16, 5)] {
                let capacity = Capacity::new(places).with_resource("model", model);
                let analysis = Analysis::new(&plan, &known, FALLBACK, &capacity).unwrap();
                let [places, model] = [places, model].map(|it| i64::try_from(it).unwrap());
                let expected = lb2_by_definition(&analysis, places, has_model.then_some(model));
                assert_eq!(analysis.lb2_ns(), expected, "{} of seed {seed}", shape.name);
            }
        }
    }
}

#[test]
fn endless_estimates_and_places_are_taken_as_they_are() {
    let plan = diamond();
    let endless = Known(["a", "b", "c", "d", "e"].map(|it| (it.to_owned(), i64::MAX)).into());
    for places in [0, 1, usize::MAX] {
        let capacity = Capacity::new(places).within(places);
        let analysis = Analysis::new(&plan, &endless, FALLBACK, &capacity).unwrap();
        assert_eq!(analysis.work_ns(), i64::MAX);
        assert_eq!((analysis.lb1_ns(), analysis.lb2_ns()), (i64::MAX, i64::MAX));
        for strategy in Strategy::ALL {
            assert_eq!(analysis.predict(strategy).makespan_ns, i64::MAX);
        }
    }
    let nothing = known([("a", 0), ("b", 0), ("c", 0), ("d", 0), ("e", 0)]);
    let analysis = Analysis::new(&plan, &nothing, FALLBACK, &Capacity::new(2)).unwrap();
    for strategy in Strategy::ALL {
        let predicted = analysis.predict(strategy);
        assert_eq!((predicted.makespan_ns, predicted.speedup), (0, 1.0), "{strategy}");
    }
}

#[test]
fn the_largest_plans_are_analysed() {
    let name = |at: usize| format!("s{at}");
    let steps =
        (0..100_000).map(|at| step(&name(at), &at.checked_sub(1).map(name).unwrap_or_default()));
    let plan = Plan::new(steps.collect()).unwrap();
    let analysis = Analysis::new(&plan, &known([]), FALLBACK, &Capacity::new(8)).unwrap();
    assert_eq!(analysis.critical_path().len(), 100_000);
    assert_eq!(analysis.lb2_ns(), 700_000 * MS);
    assert_eq!(analysis.predict(Strategy::ReadyQueue).makespan_ns, 700_000 * MS);
    assert_eq!(analysis.tree().len(), 100_000 + 100_000 / 25 - 1, "a pointer where a tree ends");
}
