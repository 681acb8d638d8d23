//! `genstore validate`: the six validators over any Python code, and what their rules are. Needs
//! no store, runs nothing that it reads.

use std::collections::BTreeSet;
use std::num::NonZeroUsize;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

use clap::{Subcommand, ValueEnum};

use super::{Context, print};
use crate::error::{Error, Result, nearest};
use crate::finding::Level;
use crate::validate::{Profile, Rule, ValidateSettings, validators};

mod files;
mod judge;
mod report;
mod rules;

use judge::Judge;
use report::{Counts, Form};

/// Judge Python code by six validators; exit code 1 when a finding is an error
///
/// Files beside a `contract.yaml`, and those in folders below it, are judged as a package by that
/// contract, too; others, each by itself. Findings that a comment suppresses (`# noqa`, `# nosec`,
/// `# type: ignore`, `# node-purity-ok: …`, `# genstore: ignore[rule.id] reason`) do not count.
#[derive(Debug, clap::Args)]
#[command(args_conflicts_with_subcommands = true, subcommand_negates_reqs = true)]
pub(crate) struct Args {
    #[command(subcommand)]
    command: Option<Command>,
    /// Python files, folders or globs
    #[arg(required = true, value_name = "PATH")]
    paths: Vec<String>,
    /// Form of the findings
    #[arg(long, value_enum, default_value_t)]
    format: Form,
    /// Show findings of this level and above
    #[arg(long, value_enum, default_value_t)]
    level: LevelShown,
    /// Apply only these rules, or all of these validators
    #[arg(long, value_name = "RULE", value_delimiter = ',')]
    select: Vec<String>,
    /// Leave out these rules, or all of these validators
    #[arg(long, value_name = "RULE", value_delimiter = ',')]
    ignore: Vec<String>,
    /// Apply only this validator
    #[arg(long, value_name = "NAME")]
    validator: Vec<String>,
    /// Thresholds: `default`, calibrated on real code, or `original`, the first system's
    /// [default: the setting validate.profile, else default]
    #[arg(long, value_name = "NAME")]
    profile: Option<String>,
    /// Files that are judged at a time [default: the setting workflow.jobs, else the number of
    /// cores]
    #[arg(long, value_name = "N")]
    jobs: Option<NonZeroUsize>,
}

#[derive(Debug, Subcommand)]
enum Command {
    Rules(rules::Args),
}

#[derive(Debug, Clone, Copy, Default, ValueEnum)]
enum LevelShown {
    Note,
    #[default]
    Warning,
    Error,
}

impl LevelShown {
    fn level(self) -> Level {
        match self {
            Self::Note => Level::Note,
            Self::Warning => Level::Warning,
            Self::Error => Level::Error,
        }
    }
}

/// Units that are judged before the first of them is printed; bounds what waits for its turn.
const UNITS_AT_A_TIME: usize = 4_096;

pub(crate) fn run(args: &Args, context: &Context) -> Result<u8> {
    if let Some(Command::Rules(args)) = &args.command {
        return rules::run(args);
    }
    let judge = Judge {
        rules: args.rules()?,
        settings: args.settings(context)?,
        form: args.format,
        level: args.level.level(),
        color: context.env.terminal.color_stdout,
    };
    let units = files::units(&args.paths)?;
    let jobs = args.jobs.map_or(context.settings.workflow.jobs(), NonZeroUsize::get);
    let mut counts = Counts::default();
    let mut findings = Vec::new();
    for some in units.chunks(UNITS_AT_A_TIME) {
        for told in all(some, &judge, jobs).into_iter().flatten() {
            print(&told.text)?;
            findings.extend(told.findings);
            counts += told.counts;
        }
    }
    if args.format == Form::Sarif {
        print(&report::sarif(&findings, &judge.rules)?)?;
    }
    if args.format == Form::Human && context.env.terminal.stdout {
        print(&counts.summary())?;
    }
    Ok(u8::from(counts.errors > 0))
}

/// Judges units on several threads; the answers come in the order of the units.
fn all(units: &[files::Unit], judge: &Judge, jobs: usize) -> Vec<Option<report::Told>> {
    let next = AtomicUsize::new(0);
    let told: Vec<_> = units.iter().map(|_| Mutex::new(None)).collect();
    let work = || {
        loop {
            let at = next.fetch_add(1, Ordering::Relaxed);
            let (Some(unit), Some(slot)) = (units.get(at), told.get(at)) else { return };
            let answer = judge.unit(unit);
            *slot.lock().unwrap_or_else(PoisonError::into_inner) = Some(answer);
        }
    };
    std::thread::scope(|scope| {
        for _ in 1..jobs.min(units.len()) {
            scope.spawn(work);
        }
        work();
    });
    told.into_iter().map(|it| it.into_inner().unwrap_or_else(PoisonError::into_inner)).collect()
}

impl Args {
    /// The settings under the profile that is asked for.
    fn settings(&self, context: &Context) -> Result<ValidateSettings> {
        let mut settings = context.settings.validate.clone();
        if let Some(name) = &self.profile {
            settings.profile = name.parse::<Profile>().map_err(|error| {
                let hint = error.hint().unwrap_or_default().to_owned();
                Error::usage(error.message().to_owned()).with_hint(hint)
            })?;
        }
        Ok(settings)
    }

    /// The ids of the rules that are asked for.
    fn rules(&self) -> Result<BTreeSet<&'static str>> {
        let all = || validators().iter().flat_map(|it| it.rules());
        let mut chosen: BTreeSet<_> = match self.select.is_empty() {
            true => all().map(|it| it.id).collect(),
            false => BTreeSet::new(),
        };
        for name in &self.select {
            chosen.extend(named(name)?.iter().map(|it| it.id));
        }
        for name in &self.ignore {
            for rule in named(name)? {
                chosen.remove(rule.id);
            }
        }
        if !self.validator.is_empty() {
            let names: Vec<_> = validators().iter().map(|it| it.name()).collect();
            if let Some(wrong) = self.validator.iter().find(|it| !names.contains(&it.as_str())) {
                let error = Error::usage(format!("there is no validator {wrong:?}"));
                return Err(error.with_hint(match nearest(wrong, names.iter().copied()) {
                    Some(near) => format!("Did you mean {near}?"),
                    None => format!("There are {}.", names.join(", ")),
                }));
            }
            let is_asked = |id: &str| self.validator.iter().any(|it| validator_of(id) == it);
            chosen.retain(|id| is_asked(id));
        }
        match chosen.is_empty() {
            true => Err(Error::usage("no rule is left of those that are asked for")),
            false => Ok(chosen),
        }
    }
}

/// The validator that a rule belongs to.
fn validator_of(id: &str) -> &str {
    id.split('.').next().unwrap_or(id)
}

/// The rule of this id, or the rules of this validator.
fn named(name: &str) -> Result<Vec<&'static Rule>> {
    let all = || validators().iter().flat_map(|it| it.rules());
    let found: Vec<_> = all().filter(|it| it.id == name || validator_of(it.id) == name).collect();
    if found.is_empty() {
        let names = all().map(|it| it.id).chain(validators().iter().map(|it| it.name()));
        let error = Error::usage(format!("there is no rule {name:?}"));
        return Err(error.with_hint(match nearest(name, names) {
            Some(near) => format!("Did you mean {near}?"),
            None => "`genstore validate rules` lists them.".to_owned(),
        }));
    }
    Ok(found)
}
