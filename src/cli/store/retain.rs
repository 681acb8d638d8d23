//! `genstore store retain`: removes rows that are older than rules say, or keeps the rules in the
//! store. Counts and removes nothing itself.

use std::sync::Arc;

use arrow::array::{ArrayRef, Int64Array, RecordBatch, StringArray};
use clap::{Arg, ArgAction, ArgMatches, Command, FromArgMatches};
use serde_json::{Value, json};

use super::super::ask::stdout;
use super::{Context, print, print_json};
use crate::error::{Error, Result};
use crate::output::Format;
use crate::repl::table_by_name;
use crate::store::{Age, Keeper, RetainOptions, Retained, RetainedTable, Rules};

/// Remove rows that are older than a rule says
///
/// `--keep 90d` removes runs that started more than 90 days ago, with their steps, issues, scores,
/// metrics, artifacts and model calls. `--table steps --keep 14d` removes older rows of that table
/// alone. Runs of pinned batches stay, whole, and so do runs that are being written. Contracts,
/// batches, baselines, alerts and the sketches of step_latency stay unless a rule names their
/// table; contracts and baselines always do.
///
/// Without a rule, those apply that the store holds (--set); writers apply these once a day. The
/// files that rows were removed from stay for readers of an older version until `store vacuum`.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    rules: RuleArgs,
    /// Only say what would be removed
    #[arg(long)]
    dry_run: bool,
    /// Also if no run remains
    #[arg(long)]
    all_of_it: bool,
    /// Let the store hold these rules, in place of those that it holds; removes nothing now
    #[arg(long, requires = "keep", conflicts_with_all = ["dry_run", "all_of_it"])]
    set: bool,
    /// Let the store hold no rules
    #[arg(long, conflicts_with_all = ["set", "keep", "table", "dry_run", "all_of_it"])]
    unset: bool,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

/// Pairs of a table, or none for runs, and an age, as they follow each other on the command line.
#[derive(Debug, Clone, Default)]
struct RuleArgs(Vec<(Option<String>, Option<String>)>);

impl clap::Args for RuleArgs {
    fn augment_args(command: Command) -> Command {
        let keep = Arg::new("keep")
            .long("keep")
            .value_name("AGE")
            .action(ArgAction::Append)
            .allow_hyphen_values(true)
            .help("Keep rows that are younger: 12h, 90d, 8w; without --table before it, runs");
        let table = Arg::new("table")
            .long("table")
            .value_name("TABLE")
            .action(ArgAction::Append)
            .help("The table that the next --keep is about");
        command.arg(keep).arg(table)
    }

    fn augment_args_for_update(command: Command) -> Command {
        Self::augment_args(command)
    }
}

impl FromArgMatches for RuleArgs {
    fn from_arg_matches(matches: &ArgMatches) -> std::result::Result<Self, clap::Error> {
        let of = |name: &str| -> Vec<(usize, String)> {
            let places = matches.indices_of(name).into_iter().flatten();
            places.zip(matches.get_many(name).into_iter().flatten().cloned()).collect()
        };
        let ages = of("keep").into_iter().map(|(at, age)| (at, true, age));
        let mut all: Vec<_> =
            of("table").into_iter().map(|(at, table)| (at, false, table)).chain(ages).collect();
        all.sort_unstable();
        let (mut rules, mut tables) = (Vec::new(), Vec::new());
        for (_, is_age, text) in all {
            match (is_age, tables.is_empty()) {
                (false, _) => tables.push(text),
                (true, true) => rules.push((None, Some(text))),
                (true, false) => {
                    rules.extend(tables.drain(..).map(|it| (Some(it), Some(text.clone()))));
                }
            }
        }
        // a table that nothing is said of is told by `rules`
        rules.extend(tables.into_iter().map(|it| (Some(it), None)));
        Ok(Self(rules))
    }

    fn update_from_arg_matches(
        &mut self,
        matches: &ArgMatches,
    ) -> std::result::Result<(), clap::Error> {
        *self = Self::from_arg_matches(matches)?;
        Ok(())
    }
}

impl RuleArgs {
    fn rules(&self) -> Result<Rules> {
        let rule = |(table, age): &(Option<String>, Option<String>)| {
            let table = table.as_deref().map(table_by_name).transpose()?;
            let age = age.as_deref().ok_or_else(|| {
                let name = table.map_or("runs", |it| it.name());
                Error::usage(format!("--table {name} has no --keep after it"))
                    .with_hint(format!("Write `--table {name} --keep 14d`."))
            })?;
            Ok((table, Age::parse(age)?))
        };
        Rules::new(self.0.iter().map(rule).collect::<Result<Vec<_>>>()?)
    }
}

pub(crate) fn run(args: &Args, context: &Context) -> Result<u8> {
    let mut rules = args.rules.rules()?;
    let (clock, ids) = (Arc::clone(&context.clock), Arc::clone(&context.ids));
    let keeper = Keeper::open_at(&context.store, clock, ids)?;
    let keeper = keeper.with_options(&context.settings.store);
    if args.set || args.unset {
        keeper.set_rules(&rules)?;
        return told(&rules, args.json);
    }
    let mut reason = "asked for";
    if rules.is_empty() {
        rules = keeper.rules()?;
        reason = "the rules of the store";
    }
    let options = RetainOptions {
        rules,
        dry_run: args.dry_run,
        all_of_it: args.all_of_it,
        reason: reason.to_owned(),
    };
    let retained = keeper.retain(&options)?;
    if args.json {
        return print_json(&object(&retained, &options));
    }
    context.shell(Format::Table, false)?.write(&table(&retained)?, &mut stdout())?;
    print(&notes(&retained, &options)).map(|()| 0)
}

fn told(rules: &Rules, json: bool) -> Result<u8> {
    if json {
        return print_json(&json!({ "rules": rules_text(rules) }));
    }
    let text = match rules_text(rules) {
        Some(rules) => format!(
            "the store holds the rules {rules}; `genstore store retain` applies them now, writers \
             once a day\n"
        ),
        None => "the store holds no rules\n".to_owned(),
    };
    print(&text).map(|()| 0)
}

fn rules_text(rules: &Rules) -> Option<String> {
    (!rules.is_empty()).then(|| rules.to_string())
}

fn object(retained: &Retained, options: &RetainOptions) -> Value {
    let table = |it: &RetainedTable| {
        json!({
            "table": it.table.name(), "rows_removed": it.rows_removed, "files": it.files,
            "files_removed": it.files_removed, "files_rewritten": it.files_rewritten,
            "bytes_removed": it.bytes_removed,
        })
    };
    json!({
        "dry_run": options.dry_run,
        "rules": options.rules.to_string(),
        "tables": retained.tables.iter().map(table).collect::<Vec<_>>(),
    })
}

fn table(retained: &Retained) -> Result<RecordBatch> {
    let tables = &retained.tables;
    let ints = |value: fn(&RetainedTable) -> u64| -> ArrayRef {
        let value = |it| i64::try_from(value(it)).unwrap_or(i64::MAX);
        Arc::new(Int64Array::from_iter_values(tables.iter().map(value)))
    };
    let names = StringArray::from_iter_values(tables.iter().map(|it| it.table.name()));
    RecordBatch::try_from_iter([
        ("table", Arc::new(names) as ArrayRef),
        ("rows_removed", ints(|it| it.rows_removed)),
        ("files", ints(|it| it.files)),
        ("files_removed", ints(|it| it.files_removed)),
        ("files_rewritten", ints(|it| it.files_rewritten)),
        ("bytes_removed", ints(|it| it.bytes_removed)),
    ])
    .map_err(|source| Error::internal("cannot build a summary").with_source(source))
}

fn notes(retained: &Retained, options: &RetainOptions) -> String {
    let rows: u64 = retained.tables.iter().map(|it| it.rows_removed).sum();
    let bytes: u64 = retained.tables.iter().map(|it| it.bytes_removed).sum();
    let rules = &options.rules;
    match (options.dry_run, rows) {
        (_, 0) => format!("{rules}: nothing is older\n"),
        (true, _) => format!("{rules} would remove {rows} rows, about {bytes} bytes\n"),
        (false, _) => format!(
            "{rules} removed {rows} rows, {bytes} bytes; `genstore store vacuum` deletes the \
             files, 24 hours from now\n"
        ),
    }
}
