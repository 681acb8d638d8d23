//! What templates cost. A cached render: the set has been chosen and its templates are compiled;
//! what is measured is the text of one file, from a view that is there already (as one view
//! serves several files of a package) and with the view made each time. Then the choice of a set
//! from the library, found and made; and a package of each kind from its contract, with all its
//! files in memory: plan, views, renders, normal form. `validated` adds what the pipeline does with
//! it: every file parsed, and judged by the six validators. Nothing is read or written.
#![allow(clippy::print_stdout, clippy::unwrap_used, reason = "a bench prints and stops on errors")]
#![allow(missing_docs, reason = "criterion's macros make public items")]

use std::hint::black_box;
use std::sync::Arc;

use criterion::{Criterion, criterion_group, criterion_main};
use futures::FutureExt;
use genstore::contract::{Contract, NoIncludes, NodeType, parse};
use genstore::generate::{Generated, Generator, TemplateGenerator};
use genstore::template::{Library, TemplateSet, Variant, View};
use genstore::validate::{Subject, validators};
use serde_json::{Value, json};

/// One contract of each kind.
const CONTRACTS: [(&str, &str); 4] = [
    ("compute", include_str!("../data/contracts/price_order_compute.yaml")),
    ("effect", include_str!("../data/contracts/charge_card_effect.yaml")),
    ("reducer", include_str!("../data/contracts/order_status_reducer.yaml")),
    ("orchestrator", include_str!("../data/contracts/fulfil_order_orchestrator.yaml")),
];

fn contract(text: &str) -> Contract {
    let parsed = parse(text, "contract.yaml", &NoIncludes);
    assert!(!parsed.has_errors(), "{:?}", parsed.findings);
    parsed.contract.unwrap()
}

/// A model of twelve fields.
fn model() -> Value {
    let field =
        |n| format!("field_{n}: str | None = Field(default=None, description=\"No. {n}.\")");
    json!({
        "title": "What is asked of the node.",
        "imports": "from uuid import UUID\n\nfrom pydantic import BaseModel, ConfigDict, Field",
        "class_name": "ModelStoreInput",
        "docstring": "    \"\"\"What is asked of the node.\"\"\"",
        "aliased": false,
        "fields": (0..12).map(field).collect::<Vec<_>>(),
    })
}

/// The node of an EFFECT with two mixins.
fn node() -> Value {
    let mixin = |name: &str| {
        let wrapper = name.to_lowercase();
        let module = format!("mixin_{wrapper}");
        let class_name = format!("Mixin{name}");
        json!({"module": module, "class_name": class_name, "wrapper": wrapper, "keyed": false})
    };
    json!({
        "title": "EFFECT node: stores what it is given.",
        "handler_module": "handler_store",
        "handler_class": "HandlerStore",
        "input_module": "model_store_input",
        "input_class": "ModelStoreInput",
        "output_module": "model_store_output",
        "output_class": "ModelStoreOutput",
        "class_line": "class NodeStoreEffect(MixinRetry, MixinMetrics, NodeEffect):",
        "class_doc": "    \"\"\"Stores what it is given.\"\"\"",
        "execute_doc": "Answer a request.",
        "settings": ["retries_max = 3"],
        "caching": false,
        "mixins": [mixin("Retry"), mixin("Metrics")],
    })
}

fn render(criterion: &mut Criterion) {
    let library = Library::builtin().unwrap();
    let set = library.set(NodeType::Effect, Variant::Plain);
    let mut group = criterion.benchmark_group("render");
    for (role, fields) in [("model.py", model()), ("node.py", node())] {
        let view = View::new(&fields);
        println!("{role} has {} bytes", set.render(role, &view).unwrap().len());
        group.bench_function(role, |bencher| bencher.iter(|| set.render(role, black_box(&view))));
        group.bench_function(format!("{role} and its view"), |bencher| {
            bencher.iter(|| set.render(role, &View::new(black_box(&fields))));
        });
    }
    group.finish();
}

fn choice(criterion: &mut Criterion) {
    let library = Library::builtin().unwrap();
    let contracts: Vec<Contract> = CONTRACTS.iter().map(|(_, text)| contract(text)).collect();
    let mut group = criterion.benchmark_group("choice");
    group.bench_function("found", |bencher| {
        bencher.iter(|| contracts.iter().for_each(|it| drop(black_box(library.select(it)))));
    });
    group.bench_function("library of all templates", |bencher| bencher.iter(Library::builtin));
    group.finish();
}

fn generated(contract: &Contract, set: &TemplateSet) -> Generated {
    TemplateGenerator.generate(contract, set).now_or_never().unwrap().unwrap()
}

fn package(criterion: &mut Criterion) {
    let library = Library::builtin().unwrap();
    let mut group = criterion.benchmark_group("package");
    for (kind, text) in CONTRACTS {
        let contract = Arc::new(contract(text));
        let set = library.select(&contract);
        let files = generated(&contract, &set).package.files;
        let lines: usize = files.iter().map(|it| it.content.lines().count()).sum();
        println!("{kind}: {} files, {lines} lines", files.len());
        group.bench_function(kind, |bencher| {
            bencher.iter(|| black_box(generated(&contract, &set)));
        });
        group.bench_function(format!("{kind}, validated"), |bencher| {
            bencher.iter(|| {
                let Generated { package, findings } = generated(&contract, &set);
                let subject = Subject::new(Arc::clone(&contract), Arc::new(package), findings);
                for validator in validators() {
                    black_box(validator.validate(&subject));
                }
            });
        });
    }
    group.finish();
}

criterion_group!(benches, render, choice, package);
criterion_main!(benches);
