//! The later steps of `node_generation`: select a template, render, inspect, validate, score,
//! write.

use std::fmt;
use std::sync::Arc;

use futures::future::BoxFuture;

use crate::event::Text;
use crate::finding::Finding;
use crate::generate::{Generated, Generator};
use crate::template::{Library, TemplateSet};
use crate::validate::{Limits, Subject, Validator, Verdict, Weights, quality_score, validators};
use crate::workflow::{Component, Lane, Output, StepContext, StepError};

use super::contract_steps::{Read, describe};
use super::rows;
use super::write::{OutputFolder, Written};

/// What `inspect` hands to the validators.
type Inspected = Subject;

/// A quality score, 0–100.
#[derive(Debug, Clone, Copy)]
pub(super) struct Quality(pub(super) f64);

pub(super) fn select_template(library: &Library, ctx: &StepContext) -> Result<Output, StepError> {
    let read = ctx.output::<Read>("parse")?;
    let set: Arc<TemplateSet> = library.select(read.contract()?);
    let digest = set.digest.clone();
    Ok(Output::shared(set).with_output_digest(digest))
}

/// Makes the package and records its files. What the generator has to say is passed on by the
/// validators, each finding by the one whose rule it names.
pub(super) struct Render {
    pub(super) generator: Arc<dyn Generator>,
}

impl fmt::Debug for Render {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Render").field("generator", &self.generator.name()).finish()
    }
}

impl Component for Render {
    fn name(&self) -> &str {
        "render"
    }

    fn version(&self) -> &str {
        env!("CARGO_PKG_VERSION")
    }

    fn run(&self, ctx: StepContext) -> BoxFuture<'_, Result<Output, StepError>> {
        Box::pin(async move {
            let read = ctx.output::<Read>("parse")?;
            let set = ctx.output::<TemplateSet>("select_template")?;
            let generated = self.generator.generate(read.contract()?, &set).await?;
            for file in &generated.package.files {
                ctx.emit(rows::artifact(file))?;
            }
            // its findings become rows with those of the validators, which pass them on
            let digest = package_digest(&generated);
            Ok(Output::new(generated).with_output_digest(digest))
        })
    }
}

/// Digest of a package: over paths and contents, in the order of the package.
pub(super) fn package_digest(generated: &Generated) -> Text {
    let mut hasher = blake3::Hasher::new();
    for file in &generated.package.files {
        hasher.update(file.path.as_bytes());
        hasher.update(&[0]);
        hasher.update(blake3::hash(file.content.as_bytes()).as_bytes());
    }
    hasher.finalize().to_hex().as_str().into()
}

/// Parses the generated Python once, for all six validators.
pub(super) fn inspect(limits: Limits, ctx: &StepContext) -> Result<Output, StepError> {
    let read = ctx.output::<Read>("parse")?;
    let generated = ctx.output::<Generated>("render")?;
    let package = Arc::new(generated.package.clone());
    let subject: Inspected =
        Subject::new(Arc::clone(read.contract()?), package, generated.findings.clone())
            .with_limits(limits);
    Ok(Output::new(subject))
}

/// One of the six, as a step. An error-level finding fails it.
pub(super) struct Judge(pub(super) &'static dyn Validator);

impl fmt::Debug for Judge {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Judge").field(&self.0.name()).finish()
    }
}

impl Component for Judge {
    fn name(&self) -> &str {
        self.0.name()
    }

    fn version(&self) -> &str {
        env!("CARGO_PKG_VERSION")
    }

    fn lane(&self) -> Lane {
        Lane::Task
    }

    fn run(&self, ctx: StepContext) -> BoxFuture<'_, Result<Output, StepError>> {
        Box::pin(async move {
            let read = ctx.output::<Read>("parse")?;
            let verdict = self.0.validate(&*ctx.output::<Inspected>("inspect")?);
            let (about, clock) = (read.about(), ctx.clock().as_ref());
            for finding in &verdict.findings {
                ctx.emit(rows::issue(finding, verdict.validator, &about, clock))?;
            }
            let explanation = &verdict.explanation;
            ctx.emit(rows::score(verdict.validator, verdict.score, explanation, clock))?;
            let no = first_error(&verdict.findings);
            let output = Output::new(verdict);
            Ok(match no {
                Some(no) => output.failing(no),
                None => output,
            })
        })
    }
}

fn first_error(findings: &[Finding]) -> Option<String> {
    let is_error = |it: &&Finding| it.level == crate::finding::Level::Error && !it.is_suppressed();
    findings.iter().find(is_error).map(describe)
}

/// The run's quality, from all verdicts.
pub(super) fn score(weights: &Weights, ctx: &StepContext) -> Result<Output, StepError> {
    let mut verdicts: Vec<Verdict> = Vec::new();
    for validator in validators() {
        if let Some(verdict) = ctx.output_if::<Verdict>(validator.name())? {
            verdicts.push(Verdict::clone(&verdict));
        }
    }
    let quality = quality_score(&verdicts, weights);
    let parts: Vec<String> =
        verdicts.iter().map(|it| format!("{} {:.1}", it.validator, it.score)).collect();
    let clock = ctx.clock().as_ref();
    ctx.emit(rows::score("overall", quality, &parts.join(", "), clock))?;
    Ok(Output::new(Quality(quality)))
}

/// Writes the package. Only runs when every validator agreed: a package that is known to be wrong
/// never replaces a good one; its content is in the `artifacts` table.
pub(super) fn write(folder: &OutputFolder, ctx: &StepContext) -> Result<Output, StepError> {
    let read = ctx.output::<Read>("parse")?;
    let generated = ctx.output::<Generated>("render")?;
    let written: Written =
        folder.write(&generated.package, &read.path, &read.digest, ctx.run_id())?;
    let shown = written.folder.display().to_string();
    Ok(Output::new(written).with_attribute("folder", shown))
}
