//! Contracts drafted from tasks, sensible and not.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test may fail loudly")]

use super::*;
use crate::contract::{Layer, NoIncludes, judge, lint, parse};

fn made(task: &str, node_type: Option<NodeType>, form: Form) -> Made {
    draft(task, &Wish { node_type, form, name: None }).unwrap()
}

fn words(task: &str) -> (String, Vec<String>, Vec<String>) {
    let made = made(task, None, Form::Current);
    let spelled = |it: &Field| format!("{}: {:?}", it.name, it.field_type);
    let side = |it: &Model| it.fields.iter().map(spelled).collect();
    let contract = made.contract;
    (contract.name, side(&contract.input), side(&contract.output))
}

#[test]
fn names_and_types_are_read_out_of_the_words() {
    let (name, inputs, outputs) = words(
        "Fetch the exchange rates for a currency by customer id, and return a list of rates, the \
         fetch time and `page count`.",
    );
    assert_eq!(name, "node_fetch_exchange_rates_effect");
    assert_eq!(inputs, ["currency: Text", "customer_id: Uuid"]);
    assert_eq!(outputs, ["rates: List(Float)", "fetch_time: DateTime", "page_count: Int"]);
    let (name, inputs, outputs) =
        words("Calculate the gross price from the net amount as float, tax rates and a due date");
    assert_eq!(name, "node_calculate_gross_price_compute");
    assert_eq!(inputs, ["net_amount: Float", "tax_rates: List(Float)", "due_date: Date"]);
    assert_eq!(outputs, ["gross_price: Float"]);
    let (_, inputs, outputs) = words(
        "Extract all email addresses and phone numbers from a text with a limit and whether it \
         has a header",
    );
    assert_eq!(inputs, ["text: Text", "limit: Text", "has_header: Bool"]);
    assert_eq!(outputs, ["email_addresses: List(Text)", "phone_numbers: List(Text)"]);
    let (name, inputs, outputs) =
        words("Validates whether an email address is deliverable by its domain");
    assert_eq!(name, "node_validate_email_address_compute");
    assert_eq!(inputs, ["email_address: Text", "domain: Text"]);
    assert_eq!(outputs, ["is_deliverable: Bool"]);
}

#[test]
fn states_and_steps_are_those_of_the_text() {
    let track =
        made("Track a parcel from posted through in transit to delivered", None, Form::Current);
    let machine = track.contract.state_machine.unwrap();
    let states: Vec<_> = machine.states.iter().map(|it| (it.name.as_str(), it.terminal)).collect();
    assert_eq!(states, [("posted", false), ("in_transit", false), ("delivered", true)]);
    let task = "Onboard a merchant: check the register, then score the risk, then open an account";
    let flow = made(task, None, Form::Current).contract.workflow.unwrap();
    let steps: Vec<_> = flow
        .steps
        .iter()
        .map(|it| (it.name.as_str(), it.node_type.as_deref().unwrap(), it.depends_on.as_slice()))
        .collect();
    let (check, score) = (["check_register".to_owned()], ["score_risk".to_owned()]);
    assert_eq!(
        steps,
        [
            ("check_register", "COMPUTE", &[][..]),
            ("score_risk", "COMPUTE", &check),
            ("open_account", "EFFECT", &score),
        ]
    );
}

#[test]
fn reducers_and_orchestrators_keep_what_the_task_names() {
    let spelled = |it: &Field| match &it.field_type {
        FieldType::Enum(values) => format!("{}: {}", it.name, values.join(" ")),
        of => format!("{}: {of:?}", it.name),
    };
    let of = |task: &str, kind| {
        let contract = made(task, Some(kind), Form::Current).contract;
        let side = |it: &Model| it.fields.iter().map(spelled).collect::<Vec<_>>();
        (contract.name.clone(), side(&contract.input), side(&contract.output), contract)
    };
    let (name, inputs, outputs, contract) = of(
        "Track the lifecycle of a claim by claim id and amount: open, paid, closed, rejected",
        NodeType::Reducer,
    );
    assert_eq!(name, "node_track_claim_reducer");
    assert_eq!(inputs, ["claim_id: Uuid", "amount: Int", "event: to_paid to_closed to_rejected"]);
    assert_eq!(outputs, ["state: open paid closed rejected", "complete: Bool"]);
    let machine = contract.state_machine.unwrap();
    let ends: Vec<_> = machine
        .states
        .iter()
        .filter(|it| it.terminal)
        .map(|it| (it.name.as_str(), it.error))
        .collect();
    assert_eq!(ends, [("closed", false), ("rejected", true)]);
    let (_, inputs, outputs, contract) = of(
        "Given a list of file paths and an output folder, validate each file, convert it to PDF \
         and upload the results to S3, and return the number of pages",
        NodeType::Orchestrator,
    );
    assert_eq!(inputs, ["file_paths: List(Text)", "output_folder: Text"]);
    assert_eq!(outputs, ["number_of_pages: Int", "succeeded: Bool"]);
    let steps: Vec<_> =
        contract.workflow.iter().flat_map(|it| &it.steps).map(|it| it.name.as_str()).collect();
    assert_eq!(steps, ["validate_file", "convert_file", "upload_results"]);
    assert_eq!(contract.dependencies[0].name, "s3");
}

/// Tasks from the plain to the hostile.
fn tasks() -> Vec<String> {
    let mut all: Vec<String> = [
        "Fetch exchange rates for a currency and return the rate as float",
        "Track an order from open through paid to closed",
        "x",
        "Étudier 価格 данные",
        "class class class of class for import, yes and null",
        "\"; DROP TABLE x; -- `' \" : {[ # & *anchor !tag",
        "of for by with returns as whether",
        "Send status, type, id, model_config, self, 2nd, __init__ and schema by name",
        "then then then, then; then. Then",
        "whether whether it is is",
        "Read from from from a to to b",
        "1 2 3 of 4 by 5",
    ]
    .map(str::to_owned)
    .into();
    all.push("price the amount of ".repeat(50_000));
    all.push("a".repeat(1 << 20));
    all
}

#[test]
fn every_draft_lints_clean_in_every_kind_and_form() {
    for task in tasks() {
        for kind in NodeType::ALL {
            for (form, layer) in [(Form::Current, Layer::Minimal), (Form::Original, Layer::V2)] {
                let made = made(&task, Some(kind), form);
                let head: String = task.chars().take(60).collect();
                let parsed = parse(&made.text, "c.yaml", &NoIncludes);
                let judgement = judge(made.text.as_bytes(), &parsed, "c.yaml");
                assert!(judgement.verdicts.of(layer), "{head} {kind:?}: {judgement:?}");
                let mut found = lint(parsed.contract.as_ref().unwrap(), "c.yaml");
                found.extend(parsed.findings);
                found.retain(|it| it.level > Level::Note);
                assert!(found.is_empty(), "{head} {kind:?}: {found:?}\n{}", made.text);
                assert_eq!(made.contract.node_type, kind);
                assert_eq!(
                    made.text,
                    draft(&task, &Wish { node_type: Some(kind), form, name: None }).unwrap().text
                );
            }
        }
    }
}

#[test]
fn a_task_that_says_nothing_is_refused_and_a_long_one_is_cut() {
    for task in ["", " \n\t", "…!?", "\u{0}\u{1}"] {
        let finding = draft(task, &Wish::default()).unwrap_err();
        assert_eq!(finding.rule_id, "contract.new-task", "{task:?}");
        assert!(finding.help.is_some());
    }
    let made = made(&"price an order ".repeat(80_000), None, Form::Current);
    assert_eq!(made.findings[0].rule_id, "contract.new-task");
    assert!(made.text.len() < 10_000, "{}", made.text.len());
}

#[test]
fn the_kind_is_proposed_and_said() {
    let table = [
        ("Convert a currency", NodeType::Compute),
        ("Uploads a file", NodeType::Effect),
        ("Tracking an order", NodeType::Reducer),
        ("Ship an order, then notify the customer", NodeType::Orchestrator),
        ("Something", NodeType::Compute),
    ];
    for (task, kind) in table {
        let made = made(task, None, Form::Current);
        assert_eq!(made.contract.node_type, kind, "{task}");
        assert!(made.findings.iter().any(|it| it.rule_id == "contract.new-kind"), "{task}");
    }
    let wish = Wish { name: Some("Größe Näme!"), ..Wish::default() };
    let made = draft("Convert a currency", &wish).unwrap();
    assert!(made.contract.name.starts_with("node_"), "{}", made.contract.name);
}
