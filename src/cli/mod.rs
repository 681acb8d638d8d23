//! The command line: one file per command, and the one place where an error becomes text and an
//! exit code. Commands hold no logic of their own beyond arguments and printing.

mod ask;
mod config;
mod contract;
mod export;
mod findings;
mod import;
mod pipeline;
mod progress;
mod query;
mod repl;
mod replay;
mod run;
mod schema;
mod sql;
mod steer;
mod store;
mod template;
mod validate;
mod work;
mod yaml;

use std::ffi::OsString;
use std::io::Write;
use std::sync::Arc;

use clap::{Parser, Subcommand};

use crate::clock::{Clock, IdSource, SystemClock, SystemIds};
use crate::config::{Assembly, Environment, Settings};
use crate::error::{Error, Result};
use crate::output::failure;
use crate::store::Location;

/// Generate node packages from ONEX contracts, and ask in SQL how it went.
#[derive(Debug, Parser)]
#[command(name = "genstore", version, propagate_version = true, max_term_width = 100)]
struct Cli {
    #[command(flatten)]
    asked: Asked,
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Debug, Subcommand)]
enum Command {
    Run(run::Args),
    Replay(replay::Args),
    Pipeline(pipeline::Args),
    Sql(sql::Args),
    Query(query::Args),
    Repl(repl::Args),
    Export(export::Args),
    Import(import::Args),
    Contract(contract::Args),
    Template(template::Args),
    Validate(validate::Args),
    Store(store::Args),
    Schema(schema::Args),
    Config(config::Args),
}

/// What every command is given.
#[derive(Debug, Clone)]
pub(crate) struct Context {
    /// The surroundings.
    pub(crate) env: Environment,
    /// The store to use, by flag, environment or default.
    pub(crate) store: Location,
    /// The settings, but for the flags of the command.
    pub(crate) settings: Arc<Settings>,
    /// Where they came from.
    pub(crate) assembly: Arc<Assembly>,
    /// Time.
    pub(crate) clock: Arc<dyn Clock>,
    /// Ids.
    pub(crate) ids: Arc<dyn IdSource>,
    asked: Asked,
    /// Whether the shell asks: then leaving the work must not end the process.
    in_shell: bool,
}

/// The flags that all commands have.
#[derive(Debug, Clone, Default, clap::Args)]
struct Asked {
    /// Folder of the store, or an address of its tables: s3://BUCKET/PATH, gs://…, az://…
    /// [default: $GENSTORE_STORE, else ./genstore.db]
    #[arg(long, global = true, value_name = "PATH")]
    store: Option<OsString>,
    /// Set a setting for this call; `genstore config show` lists them
    #[arg(long, global = true, value_name = "SECTION.KEY=VALUE")]
    config: Vec<String>,
}

impl Context {
    /// What a command gets that was asked for with these flags.
    fn new(
        asked: Asked,
        mut env: Environment,
        settings: Settings,
        assembly: Assembly,
    ) -> Result<Self> {
        env.remote.options = settings.remote.clone();
        Ok(Self {
            store: env.store_location(asked.store.as_deref())?,
            settings: Arc::new(settings),
            assembly: Arc::new(assembly),
            env,
            clock: Arc::new(SystemClock::new()),
            ids: Arc::new(SystemIds),
            asked,
            in_shell: false,
        })
    }
}

/// Runs the command line `args` (program name first) and returns the exit code: 0 fine, 1 the work
/// failed, 2 usage, 3 a gate says no, 4 the store cannot be opened, 130 interrupted.
pub fn run(args: impl IntoIterator<Item = OsString>, env: Environment) -> u8 {
    let cli = match Cli::try_parse_from(args) {
        Ok(cli) => cli,
        Err(error) => {
            // A closed pipe is all that can go wrong here, and then nobody reads.
            drop(error.print());
            return u8::try_from(error.exit_code()).unwrap_or(2);
        }
    };
    let color = env.terminal.color_stderr;
    execute(cli, env, false).unwrap_or_else(|error| {
        print_error(&error, color);
        error.kind().exit_code()
    })
}

fn execute(cli: Cli, env: Environment, in_shell: bool) -> Result<u8> {
    let command = match cli.command {
        Some(command) => command,
        None if env.terminal.stdin && env.terminal.stdout => Command::Repl(repl::Args::default()),
        None => {
            let error = Error::usage("no command was given");
            return Err(error.with_hint("`genstore help` lists them."));
        }
    };
    let store = env.store_location(cli.asked.store.as_deref())?;
    let assembly = Assembly::read(&env.sources(&store, &cli.asked.config));
    let settings = match command {
        // it tells by itself what is wrong
        Command::Config(_) => Settings::default(),
        _ => assembly.settings()?.clone(),
    };
    let context = Context::new(cli.asked, env, settings, assembly)?;
    dispatch(command, &Context { in_shell, ..context })
}

fn dispatch(command: Command, context: &Context) -> Result<u8> {
    if context.store.path().to_str().is_none() {
        let path = context.store.path().display();
        return Err(Error::usage(format!("the path of the store, {path}, is not UTF-8"))
            .with_hint("Choose another with --store."));
    }
    match command {
        Command::Run(args) => run::run(&args, context),
        Command::Replay(args) => replay::run(&args, context),
        Command::Pipeline(args) => pipeline::run(&args, context),
        Command::Sql(args) => sql::run(&args, context),
        Command::Query(args) => query::run(&args, context),
        Command::Repl(args) => repl::run(&args, context),
        Command::Export(args) => export::run(&args, context),
        Command::Import(args) => import::run(&args, context),
        Command::Contract(args) => contract::run(&args, context),
        Command::Template(args) => template::run(&args, context),
        Command::Validate(args) => validate::run(&args, context),
        Command::Store(args) => store::run(&args, context),
        Command::Schema(args) => schema::run(&args, context),
        Command::Config(args) => config::run(&args, context),
    }
}

/// Does what the command line `genstore <words>` would do, with the surroundings and the flags at
/// hand; those in `words` win.
fn launch(words: &[String], context: &Context) -> Result<u8> {
    let words = std::iter::once("genstore").chain(words.iter().map(String::as_str));
    match Cli::try_parse_from(words) {
        Ok(cli) => {
            let mut asked = context.asked.clone();
            asked.store = cli.asked.store.or(asked.store);
            asked.config.extend(cli.asked.config);
            execute(Cli { asked, command: cli.command }, context.env.clone(), true)
        }
        Err(error) if error.exit_code() == 0 => print(&error.to_string()).map(|()| 0),
        Err(error) => {
            let text = error.to_string();
            Err(Error::usage(text.trim_start_matches("error: ").trim_end()))
        }
    }
}

/// Prints an error, its causes and its hint to stderr.
fn print_error(error: &Error, color: bool) {
    let text = failure::render(error, color);
    // If stderr is closed there is nobody to tell.
    drop(std::io::stderr().write_all(text.as_bytes()));
}

/// Writes what is not the result to stderr.
fn tell(text: &str) -> Result<()> {
    // If stderr is closed there is nobody to tell.
    drop(std::io::stderr().write_all(text.as_bytes()));
    Ok(())
}

/// Writes a command's result to stdout. A reader that has gone away (`| head`) is no error.
pub(crate) fn print(text: &str) -> Result<()> {
    let mut stdout = std::io::stdout().lock();
    match stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush()) {
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => {
            Err(Error::failed("cannot write to stdout").with_source(error))
        }
        _ => Ok(()),
    }
}
