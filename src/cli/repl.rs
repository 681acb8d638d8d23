//! `genstore repl`, and plain `genstore` at a terminal.

use std::io::{BufReader, stdin};
use std::ops::ControlFlow;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;

use super::Context;
use super::ask::{Bounds, LazyStore, Moment, MoreQueries, format_parser, stdout};
use crate::error::Result;
use crate::output::{Format, terminal_width};
use crate::repl::{Prompter, Settings, Surroundings, interact, script};
use crate::store::NameKind;

/// Names offered at a time.
const NAMES_MAX: usize = 200;

/// Open the shell: SQL, canned queries and runs, with history and completion
///
/// When stdin is not a terminal, it is read as a script of SQL and dot commands, which stops at
/// the first error.
#[derive(Debug, Default, clap::Args)]
pub(crate) struct Args {
    /// Format of the rows [default: the setting repl.format, else table]
    #[arg(long, value_name = "FORMAT")]
    #[arg(value_parser = format_parser::<Format>(Format::ALL.map(Format::as_str)))]
    format: Option<Format>,
    #[command(flatten)]
    more: MoreQueries,
    #[command(flatten)]
    bounds: Bounds,
    #[command(flatten)]
    moment: Moment,
}

pub(crate) fn run(args: &Args, context: &Context) -> Result<u8> {
    let terminal = context.env.terminal;
    let launched = context.clone();
    let launcher = Box::new(move |words: &[String]| super::launch(words, &launched));
    let store = Arc::new(LazyStore::new(&context.store));
    let chosen = &context.settings.repl;
    let settings = Settings {
        format: args.format.unwrap_or(chosen.format),
        look: context.look(),
        timer: chosen.timer,
        cancel: terminal.stdin,
    };
    let shell = context.shell_over(Arc::clone(&store), settings)?;
    let mut shell = shell.with_launcher(launcher).with_queries(args.more.all(context)?);
    for error in shell.queries().broken() {
        super::print_error(error, context.env.terminal.color_stderr);
    }
    args.bounds.at_terminal(terminal.stdin).set(shell.reader());
    args.moment.set(shell.reader())?;
    if !terminal.stdin {
        let done = script(&mut shell, &mut BufReader::new(stdin()), &mut stdout());
        return Ok(done.map_or_else(|it| context.print_failure(&it, Some("stdin")), |()| 0));
    }
    let helper = Arc::new(IndexHelper::new(store));
    let surroundings = Surroundings {
        prompter: helper,
        state_dir: context.env.state_dir.clone(),
        history_entries_max: chosen.history_entries_max,
        color: terminal.color_stdout,
        width: terminal_width,
    };
    interact(&mut shell, &surroundings).map(|()| 0)
}

/// Brings the index up to date behind the user's back, before every line that is typed, and asks it
/// for names. Without an index, for example while another shell has it, there are no names, and
/// nothing else is missed.
#[derive(Debug)]
struct IndexHelper {
    store: Arc<LazyStore>,
    ends: Arc<AtomicBool>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

impl IndexHelper {
    fn new(store: Arc<LazyStore>) -> Self {
        Self { store, ends: Arc::default(), thread: Mutex::default() }
    }

    /// Looks for new runs, unless that is being done.
    fn catch_up(&self) {
        let mut thread = self.thread.lock().unwrap_or_else(PoisonError::into_inner);
        if thread.as_ref().is_some_and(|it| !it.is_finished()) {
            return;
        }
        if let Some(finished) = thread.take() {
            drop(finished.join()); // a panic there has told its own message
        }
        let (store, ends) = (Arc::clone(&self.store), Arc::clone(&self.ends));
        let work = move || {
            let Ok(store) = store.get() else { return }; // there is no store yet
            let mut go_on = |_| match ends.load(Ordering::Relaxed) {
                true => ControlFlow::Break(()),
                false => ControlFlow::Continue(()),
            };
            // the index only makes things faster: `store index status` tells why there is none
            drop(store.catch_up_index(&mut go_on));
        };
        *thread = std::thread::Builder::new().name("genstore-index".to_owned()).spawn(work).ok();
    }
}

impl Prompter for IndexHelper {
    fn names(&self, kind: NameKind, prefix: &str) -> Vec<String> {
        self.store.opened().map_or_else(Vec::new, |it| it.names(kind, prefix, NAMES_MAX))
    }

    fn notice(&self) -> Option<String> {
        self.catch_up();
        self.store.opened()?.take_index_notice()
    }
}

impl Drop for IndexHelper {
    /// Lets the index come to rest, so that the next process finds it whole.
    fn drop(&mut self) {
        self.ends.store(true, Ordering::Relaxed);
        let thread = self.thread.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(thread) = thread {
            drop(thread.join()); // a panic there has told its own message
        }
    }
}
