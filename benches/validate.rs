//! What judging costs beside parsing: one file of about 160 lines, read by tree-sitter alone,
//! parsed (names, lines and numbers included), judged by each of the six validators and by all, and
//! all of it together. `GENSTORE_BENCH_CODE=DIR` also judges every file below a folder.
#![allow(clippy::print_stdout, clippy::unwrap_used, reason = "a bench prints and stops on errors")]

use std::hint::black_box;
use std::path::PathBuf;

use criterion::{Criterion, criterion_group, criterion_main};
use genstore::clock::{Clock, SystemClock};
use genstore::python;
use genstore::validate::{Subject, validators};

/// Two cases of the validators' tests: code of every kind, with and without faults.
const SAMPLE: &str = concat!(
    include_str!("../tests/it/validate/cases/fine.py"),
    include_str!("../tests/it/validate/order/node.py"),
);

fn one_file(criterion: &mut Criterion) {
    println!("the file has {} lines", SAMPLE.lines().count());
    let mut group = criterion.benchmark_group("one file");
    let mut parser = tree_sitter::Parser::new();
    parser.set_language(&tree_sitter_python::LANGUAGE.into()).unwrap();
    group.bench_function("tree-sitter alone", |bencher| {
        bencher.iter(|| parser.parse(black_box(SAMPLE), None));
    });
    group.bench_function("parse", |bencher| bencher.iter(|| python::parse(black_box(SAMPLE))));
    let subject = Subject::file("sample.py", SAMPLE.to_owned());
    for validator in validators() {
        group.bench_function(validator.name(), |bencher| {
            bencher.iter(|| validator.validate(black_box(&subject)));
        });
    }
    group.bench_function("all six", |bencher| {
        bencher.iter(|| {
            for validator in validators() {
                black_box(validator.validate(black_box(&subject)));
            }
        });
    });
    group.bench_function("parse and all six", |bencher| {
        bencher.iter(|| {
            let subject = Subject::file("sample.py", black_box(SAMPLE).to_owned());
            for validator in validators() {
                black_box(validator.validate(&subject));
            }
        });
    });
    group.finish();
}

fn files(folder: PathBuf) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![folder];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|it| it == "py") {
                found.push(path);
            }
        }
    }
    found
}

/// One thread, reading included.
fn whole_tree(_: &mut Criterion) {
    let Some(folder) = std::env::var_os("GENSTORE_BENCH_CODE") else { return };
    let clock = SystemClock::new();
    let start = clock.monotonic_ns();
    let (mut count, mut lines, mut found) = (0, 0, 0);
    for path in files(folder.into()) {
        let Ok(text) = std::fs::read_to_string(&path) else { continue };
        count += 1;
        lines += text.lines().count();
        let subject = Subject::file(&path.display().to_string(), text);
        found += validators().iter().map(|it| it.validate(&subject).findings.len()).sum::<usize>();
    }
    let seconds = (clock.monotonic_ns() - start) as f64 / 1e9;
    println!("{count} files, {lines} lines, {found} findings in {seconds:.2} s on one thread");
}

criterion_group!(benches, one_file, whole_tree);
criterion_main!(benches);
