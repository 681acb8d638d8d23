//! Reading a contract of 150 lines: the bare YAML events, the normal form, the lint, the verdicts.
//! Compare within one run: the machine's speed is part of every figure.
#![allow(clippy::unwrap_used, reason = "a bench has nobody to report to")]
#![allow(missing_docs, reason = "criterion's macros make public items")]

use std::hint::black_box;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use genstore::contract::{NoIncludes, judge, lint, parse};
use saphyr_parser::Parser;

/// An EFFECT of 150 lines, in the forms of real contracts.
fn text() -> String {
    let mut text = String::from(
        "# An effect as they come.\nname: node_store_effect\nnode_type: EFFECT_GENERIC\n\
         contract_version: {major: 1, minor: 2, patch: 0}\nnode_version: \"1.2.0\"\n\
         description: |\n  Stores what it is given, and says so.\ninput_model:\n  \
         name: ModelStoreInput\n  module: shop.models\noutput_model:\n  name: ModelStoreOutput\n  \
         module: shop.models\n",
    );
    text.push_str("inputs:\n");
    for n in 0..12 {
        text.push_str(&format!("  field_{n}:\n    type: string\n    description: Field {n}.\n"));
    }
    text.push_str("io_operations:\n");
    for n in 0..10 {
        text.push_str(&format!(
            "  - operation: put_{n}\n    description: Puts {n}.\n    input_fields: \
             [field_{n}]\n    \
             output_fields: [stored]\n    idempotent: true\n"
        ));
    }
    text.push_str("dependencies:\n");
    for n in 0..9 {
        text.push_str(&format!(
            "  - name: protocol_{n}\n    type: protocol\n    description: Needed.\n"
        ));
    }
    let lines = text.lines().count();
    (lines..150).for_each(|n| text.push_str(&format!("own_key_{n}: kept as it is\n")));
    text
}

fn contract(criterion: &mut Criterion) {
    let text = text();
    assert_eq!(text.lines().count(), 150);
    let parsed = parse(&text, "c.yaml", &NoIncludes);
    let read = parsed.contract.clone().unwrap();
    let mut group = criterion.benchmark_group("contract");
    group.throughput(Throughput::Bytes(text.len() as u64));
    group.bench_function("yaml_events", |bencher| {
        bencher.iter(|| Parser::new_from_str(&text).filter(|it| black_box(it).is_ok()).count());
    });
    group.bench_function("parse", |bencher| {
        bencher.iter(|| black_box(parse(&text, "c.yaml", &NoIncludes)));
    });
    group.bench_function("lint", |bencher| bencher.iter(|| black_box(lint(&read, "c.yaml"))));
    group.bench_function("parse_and_lint", |bencher| {
        bencher.iter(|| {
            let parsed = parse(&text, "c.yaml", &NoIncludes);
            black_box(parsed.contract.map(|it| lint(&it, "c.yaml")))
        });
    });
    group.bench_function("verdicts", |bencher| {
        bencher.iter(|| black_box(judge(text.as_bytes(), &parsed, "c.yaml")));
    });
    group.finish();
}

criterion_group!(benches, contract);
criterion_main!(benches);
