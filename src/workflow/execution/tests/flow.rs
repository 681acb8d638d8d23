//! What flows between steps: outputs, conditions, skips, rows, times.

use super::*;
use crate::event::{ArtifactRow, ContractRow, IssueRow, MetricRow, RunRow, ScoreRow, Watch};

#[tokio::test(start_paused = true)]
async fn steps_read_the_input_and_what_they_depend_on() {
    let bench = Bench::new();
    let steps = vec![
        step("parse", |ctx| Ok(Output::new(ctx.input::<String>()?.len()))),
        step("double", |ctx| Ok(Output::new(*ctx.output::<usize>("parse")? * 2))).after(["parse"]),
        step("wrong type", |ctx| ctx.output::<String>("parse").map(|_| Output::none()))
            .after(["parse"]),
        step("undeclared", |ctx| ctx.output::<usize>("parse").map(|_| Output::none())),
        step("wrong input", |ctx| ctx.input::<u8>().map(|_| Output::none())),
    ];
    let run = Run::new("run", "test").with_input("four".to_owned());
    let outcome = bench.run_as(steps, run).await;
    assert_eq!(outcome.output::<usize>("double").unwrap().as_deref(), Some(&8));
    let message = |name| outcome.step(name).unwrap().error_message.clone().unwrap().to_string();
    assert_eq!(
        message("wrong type"),
        "step `wrong type` wants a alloc::string::String of `parse`, which gave a usize"
    );
    assert_eq!(message("undeclared"), "step `undeclared` reads `parse` but does not depend on it");
    assert_eq!(message("wrong input"), "step `wrong input` wants a u8, but the input is none");
    assert!(outcome.output::<u8>("double").is_err());
    let unknown = outcome.output::<u8>("doubel").unwrap_err();
    assert_eq!(unknown.hint(), Some("Did you mean `double`?"));
}

#[tokio::test(start_paused = true)]
async fn failures_skip_what_needs_them_and_nothing_else() {
    let bench = Bench::new();
    let outcome = bench
        .run(vec![
            fails_until("a", 99, ErrorClass::Permanent),
            noop("b").after(["a"]),
            noop("c").after(["b"]),
            sleeper("x", 5),
            noop("y").after(["x"]),
            noop("any").after(["c", "y"]).when(RunWhen::AnySuccess),
            noop("all").after(["c", "y"]).when(RunWhen::AllDone),
        ])
        .await;
    assert_eq!(outcome.result, ResultKind::Error);
    let results: Vec<_> = outcome.steps.iter().map(|step| step.result.as_str()).collect();
    let expected = ["error", "skip", "skip", "success", "success", "success", "success"];
    assert_eq!(results, expected);
    let rows = bench.step_rows();
    let reason = |name: &str| {
        rows.iter().find(|row| &*row.step_name == name).and_then(|row| row.attributes.clone())
    };
    let because = r#"{"reason":"dependency `a` ended as error","cause":"failure"}"#;
    assert_eq!(reason("b").as_deref(), Some(because));
    let because = r#"{"reason":"dependency `b` was skipped after a failure","cause":"failure"}"#;
    assert_eq!(reason("c").as_deref(), Some(because));
    assert_eq!(outcome.step("b").unwrap().attempts, 0);
}

#[tokio::test(start_paused = true)]
async fn conditions_choose_a_branch() {
    let bench = Bench::new();
    let small = Condition::new("size < 10", |view| Ok(*view.output::<u64>("size")? < 10));
    let large = Condition::new("size >= 10", |view| Ok(*view.output::<u64>("size")? >= 10));
    let outcome = bench
        .run(vec![
            sleeper("size", 7),
            noop("short way").after(["size"]).only_if(small),
            noop("long way").after(["size"]).only_if(large),
            noop("join").after(["short way", "long way"]).when(RunWhen::AnySuccess),
            noop("after long").after(["long way"]),
        ])
        .await;
    assert_eq!(outcome.result, ResultKind::Success, "a skipped branch is no failure");
    let skipped: Vec<_> = outcome
        .steps
        .iter()
        .filter(|step| step.result == ResultKind::Skip)
        .map(|step| (&*step.name, step.error_message.as_deref().unwrap()))
        .collect();
    let unmet = "condition `size >= 10` does not hold";
    let behind = "dependency `long way` was skipped";
    assert_eq!(skipped, [("long way", unmet), ("after long", behind)]);
}

#[tokio::test(start_paused = true)]
async fn a_condition_stops_no_step_that_minds_only_failures() {
    let bench = Bench::new();
    let never = || Condition::new("never", |_| Ok(false));
    let minds =
        |name: &str, after: &[&str]| noop(name).after(after.to_vec()).when(RunWhen::NoneFailed);
    let outcome = bench
        .run(vec![
            noop("fine"),
            noop("unwanted").only_if(never()),
            noop("behind it").after(["unwanted"]),
            minds("join", &["fine", "behind it"]),
            fails_until("broken", 9, ErrorClass::Permanent),
            noop("behind").after(["broken"]),
            minds("stopped", &["fine", "behind"]),
            minds("further", &["stopped"]),
        ])
        .await;
    let results: Vec<_> = outcome.steps.iter().map(|step| step.result.as_str()).collect();
    let expected = ["success", "skip", "skip", "success", "error", "skip", "skip", "skip"];
    assert_eq!(results, expected);
    let rows = bench.step_rows();
    let skipped = rows.iter().filter(|row| &*row.result == "skip");
    let causes: Vec<_> = skipped
        .map(|row| (row.step_name.to_string(), facts(row)["cause"].as_str().unwrap().to_owned()))
        .collect();
    let expected = [
        ("unwanted", "condition"),
        ("behind it", "condition"),
        ("behind", "failure"),
        ("stopped", "failure"),
        ("further", "failure"),
    ];
    assert_eq!(causes, expected.map(|(name, cause)| (name.to_owned(), cause.to_owned())));
}

#[tokio::test(start_paused = true)]
async fn a_condition_that_breaks_is_an_error_of_its_step() {
    let bench = Bench::new();
    let wrong = Condition::new("wrong", |view| {
        Ok(view.output::<u64>("nowhere").is_ok_and(|_| true)
            || view.output::<u64>("nowhere").map(|_| true)?)
    });
    let panics = Condition::new("panics", |_| panic!("no idea"));
    let steps = vec![noop("a").only_if(wrong), noop("b").only_if(panics), noop("c")];
    let outcome = bench.run(steps).await;
    assert_eq!(outcome.result, ResultKind::Error);
    assert_eq!(outcome.error_type.as_deref(), Some("condition"));
    let message = |name| outcome.step(name).unwrap().error_message.clone().unwrap().to_string();
    assert_eq!(
        message("a"),
        "condition `wrong`: step `a` reads `nowhere` but does not depend on it"
    );
    assert_eq!(message("b"), "condition `panics`: the component panicked: no idea");
    assert_eq!(bench.story(), ["a#1=error", "b#1=error", "c#1=success"]);
}

#[tokio::test(start_paused = true)]
async fn a_run_without_work_is_skipped() {
    let bench = Bench::new();
    let never = Condition::new("false", |_| Ok(false));
    let outcome = bench.run(vec![noop("a").only_if(never), noop("b").after(["a"])]).await;
    assert_eq!(outcome.result, ResultKind::Skip);
}

#[tokio::test(start_paused = true)]
async fn rows_of_a_step_carry_its_ids_and_come_before_the_steps() {
    let bench = Bench::new();
    let talker = step("talker", |ctx| {
        assert_eq!((&**ctx.run_id(), &**ctx.step_id()), ("run-7", "0000000000000002"));
        ctx.set_node_type("COMPUTE");
        ctx.emit(IssueRow::default())?;
        ctx.emit(ScoreRow::default())?;
        ctx.emit(MetricRow::default())?;
        ctx.emit(ArtifactRow::default())?;
        ctx.emit(ContractRow::default())?;
        ctx.emit(RunRow::default()).map(|()| Output::none())
    });
    let run = Run { batch_id: Some("batch".into()), ..Run::new("run-7", "test") };
    let outcome = bench.run_as(vec![noop("first"), talker.after(["first"])], run).await;
    let message = "step `talker`: step `talker` may not write runs";
    assert_eq!(outcome.error_message.as_deref(), Some(message));
    assert_eq!(outcome.node_type.as_deref(), Some("COMPUTE"));

    let rows = bench.rows();
    let tables: Vec<_> = rows.iter().map(|row| row.table().name()).collect();
    let expected = ["issues", "scores", "metrics", "artifacts", "contracts", "steps", "steps"];
    assert_eq!(tables, expected);
    let Row::Issues(issue) = &rows[0] else { panic!("no issue") };
    assert_eq!((&*issue.run_id, issue.step_id.as_deref()), ("run-7", Some("0000000000000002")));
    for row in bench.step_rows() {
        assert_eq!(row.node_type.as_deref(), Some("COMPUTE"), "{}", row.step_name);
        assert_eq!(row.batch_id.as_deref(), Some("batch"));
        assert_eq!(&*row.pipeline_name, "test");
    }
}

#[tokio::test(start_paused = true)]
async fn facts_of_an_output_stand_in_its_row() {
    let bench = Bench::new();
    let digest = step("digest", |_| {
        let output = Output::new(1_u8).with_input_digest("in").with_output_digest("out");
        Ok(output.with_attribute("hits", 3).with_attribute("kind", "x"))
    });
    bench.run(vec![digest]).await;
    let row = bench.step_rows().remove(0);
    assert_eq!(
        (row.input_digest.as_deref(), row.output_digest.as_deref()),
        (Some("in"), Some("out"))
    );
    assert_eq!(row.attributes.as_deref(), Some(r#"{"hits":3,"kind":"x"}"#));
}

#[tokio::test(start_paused = true)]
async fn times_and_the_critical_path_are_exact() {
    let bench = Bench::new();
    tokio::time::advance(ms(1_000)).await;
    let outcome = bench
        .run_as(
            vec![
                sleeper("a", 10),
                sleeper("b", 20).after(["a"]),
                sleeper("c", 50).after(["a"]),
                sleeper("d", 5).after(["b", "c"]),
                sleeper("e", 30),
            ],
            Run { concurrency_max: 2, ..Run::new("run", "test") },
        )
        .await;
    // `a` and `e` start; `b` (25 left) and `c` (55 left by hops equal, so plan order) queue
    assert_eq!(outcome.duration_ns, 85 * MS);
    assert_eq!(outcome.work_ns, 115 * MS);
    assert_eq!(outcome.critical_path_ns, 65 * MS);
    assert_eq!(outcome.end_time.0 - outcome.start_time.0, 85_000);
    let rows = bench.step_rows();
    let start = outcome.start_time.0;
    let seen: Vec<_> = rows
        .iter()
        .map(|row| {
            let at_ms = (row.start_time.0 - start) / 1_000;
            (&*row.step_name, at_ms, row.queue_ns / MS, row.on_critical_path, row.stage)
        })
        .collect();
    let expected = [
        ("a", 0, 0, true, 0),
        ("e", 0, 0, false, 0),
        ("b", 10, 0, false, 1),
        ("c", 30, 20, true, 1),
        ("d", 80, 0, true, 2),
    ];
    assert_eq!(seen, expected);
    assert_eq!(outcome.queue_ns, 20 * MS);
    assert_eq!(&*rows[4].depends_on, "b,c");
    assert_eq!(&*rows[4].step_id, "0000000000000005");
}

#[tokio::test(start_paused = true)]
async fn of_equal_chains_the_first_in_the_plan_is_critical() {
    let bench = Bench::new();
    let steps = vec![sleeper("a", 10), sleeper("b", 10), sleeper("c", 5).after(["a", "b"])];
    let outcome = bench.run(steps).await;
    assert_eq!(outcome.critical_path_ns, 15 * MS);
    let critical = outcome.steps.iter().filter(|step| step.on_critical_path);
    assert_eq!(critical.map(|step| &*step.name).collect::<Vec<_>>(), ["a", "c"]);
}

#[derive(Debug)]
struct Known;

impl crate::event::Estimates for Known {
    fn estimate_ns(&self, step_name: &str) -> Option<i64> {
        Some(if step_name == "c" { 50 } else { 20 })
    }
}

#[tokio::test(start_paused = true)]
async fn estimates_put_the_longest_chain_first() {
    let steps = vec![sleeper("b", 20), sleeper("c", 50), sleeper("d", 20)];
    let bench = Bench::new();
    let plan = Arc::new(Plan::new(steps).unwrap().with_estimates(&Known));
    let run = Run { concurrency_max: 2, ..Run::new("run", "test") };
    let outcome = bench.engine.execute(&plan, run, &Cancel::new()).await.unwrap();
    assert_eq!(bench.story(), ["c#1=success", "b#1=success", "d#1=success"]);
    assert_eq!(outcome.duration_ns, 50 * MS, "in the order of the plan it would be 70");
}

#[tokio::test(start_paused = true)]
async fn a_hundred_thousand_skips_in_a_chain_need_no_stack() {
    let bench = Bench::new();
    let never = Condition::new("false", |_| Ok(false));
    let work: Arc<dyn Component> = Arc::new(FnComponent::new("noop", "1", |_| Ok(Output::none())));
    let steps = (0..STEPS_MAX).map(|n| {
        let step = Step::shared(format!("s{n}"), Arc::clone(&work));
        if n == 0 { step.only_if(never.clone()) } else { step.after([format!("s{}", n - 1)]) }
    });
    let outcome = bench.run(steps.collect()).await;
    assert_eq!(outcome.result, ResultKind::Skip);
    assert_eq!(bench.step_rows().len(), STEPS_MAX);
}

/// Notes what it is told.
#[derive(Debug, Default)]
struct Told(Mutex<Vec<String>>);

impl Watch for Told {
    fn working(&self, step_name: &str) {
        self.0.lock().unwrap().push(format!("{step_name} works"));
    }

    fn ended(&self, step_name: &str, result: &str) {
        self.0.lock().unwrap().push(format!("{step_name} {result}"));
    }
}

#[tokio::test(start_paused = true)]
async fn who_watches_is_told_of_each_step_while_the_run_lasts() {
    let told = Arc::new(Told::default());
    let watch = Arc::<Told>::clone(&told);
    let run = Run { watch: Some(watch), ..Run::new("run", "test") };
    let steps = vec![
        sleeper("a", 5),
        noop("b").after(["a"]),
        fails_until("c", 99, ErrorClass::Permanent).after(["b"]),
        noop("d").after(["c"]),
    ];
    Bench::new().run_as(steps, run).await;
    let told = told.0.lock().unwrap();
    assert_eq!(*told, ["a works", "a success", "b success", "c error", "d skip"]);
}
