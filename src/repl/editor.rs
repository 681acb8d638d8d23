//! The loop at a terminal: prompt, editing, history and completion by rustyline. Everything else is
//! the shell's.

use std::fmt;
use std::fs;
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustyline::completion::Completer;
use rustyline::config::{CompletionType, Config};
use rustyline::error::ReadlineError;
use rustyline::highlight::Highlighter;
use rustyline::hint::Hinter;
use rustyline::history::FileHistory;
use rustyline::validate::Validator;
use rustyline::{Context, Editor, Helper};

use super::complete::complete;
use super::{Shell, Step};
use crate::error::{Error, ErrorKind, IoContext, Result};
use crate::output::{Look, escape};
use crate::sql::Queries;
use crate::store::NameKind;

/// What the store tells whoever types.
pub trait Prompter: fmt::Debug {
    /// Names that begin with `prefix`, as far as they are known by now: no waiting.
    fn names(&self, kind: NameKind, prefix: &str) -> Vec<String>;
    /// Called before a line is read: may start to look for new names, and may have something to
    /// tell, once.
    fn notice(&self) -> Option<String>;
}

/// What the loop needs to know of its surroundings.
#[derive(Debug)]
pub struct Surroundings {
    /// Who helps to type.
    pub prompter: Arc<dyn Prompter>,
    /// Folder for the history; without one it is forgotten at the end.
    pub state_dir: Option<PathBuf>,
    /// Entries that the history keeps; at 0, the history of earlier shells stays as it is.
    pub history_entries_max: usize,
    /// Whether results are coloured.
    pub color: bool,
    /// Columns of the terminal, asked before every result, as windows change.
    pub width: fn() -> Option<usize>,
}

/// Reads lines from the terminal until the user leaves.
pub fn interact(shell: &mut Shell, surroundings: &Surroundings) -> Result<()> {
    let config = Config::builder()
        .completion_type(CompletionType::List)
        .history_ignore_space(true)
        .max_history_size(surroundings.history_entries_max)
        .and_then(|it| it.history_ignore_dups(true))
        .map_err(terminal)?
        .build();
    let mut editor: Editor<Words, FileHistory> = Editor::with_config(config).map_err(terminal)?;
    // Without a store there is nothing to call a function on.
    let session = shell.reader().session();
    let functions = session.map_or_else(|_| Vec::new(), |it| it.function_names().to_vec());
    let queries = Arc::clone(shell.queries());
    let prompter = Arc::clone(&surroundings.prompter);
    editor.set_helper(Some(Words { functions, queries, prompter, pending: String::new() }));
    let state_dir = surroundings.state_dir.as_deref();
    let history = history_file(state_dir.filter(|_| surroundings.history_entries_max > 0))?;
    if let Some(history) = &history
        && history.exists()
    {
        editor.load_history(history).map_err(terminal)?;
    }
    say("SQL ends with a semicolon; .help lists the commands, .tables the tables.");
    let mut entry = String::new();
    loop {
        if let Some(notice) = surroundings.prompter.notice() {
            say(&escape(&notice));
        }
        if let Some(words) = editor.helper_mut() {
            words.pending = shell.pending().to_owned();
        }
        let line = match editor.readline(&shell.prompt()) {
            Ok(line) => line,
            Err(ReadlineError::Interrupted) => {
                shell.clear();
                entry.clear();
                continue;
            }
            Err(ReadlineError::Eof) => break,
            Err(error) => return Err(terminal(error)),
        };
        shell.set_look(Look { width: (surroundings.width)(), color: surroundings.color });
        entry.push_str(&line);
        let mut out = BufWriter::new(io::stdout());
        let step = shell.feed_lines(&line, &mut out).unwrap_or_else(|failure| {
            let mut text = failure.render(None, surroundings.color);
            if failure.error.kind() == ErrorKind::Interrupted {
                // The terminal has written ^C where the cursor is.
                text.insert(0, '\n');
            }
            // If stderr is closed there is nobody to tell.
            drop(io::stderr().write_all(text.as_bytes()));
            Step::Done
        });
        if step == Step::More {
            entry.push('\n');
            continue;
        }
        editor.add_history_entry(entry.trim()).map_err(terminal)?;
        entry.clear();
        // At once, so that a closed window or another shell does not lose it.
        if let Some(history) = &history {
            editor.append_history(history).map_err(terminal)?;
        }
        if step == Step::Quit {
            break;
        }
    }
    Ok(())
}

/// A line beside the results.
fn say(text: &str) {
    // If stderr is closed there is nobody to tell.
    drop(io::stderr().write_all(format!("{text}\n").as_bytes()));
}

fn history_file(state_dir: Option<&Path>) -> Result<Option<PathBuf>> {
    let Some(folder) = state_dir else { return Ok(None) };
    fs::create_dir_all(folder).context("create the folder of the history", folder)?;
    Ok(Some(folder.join("history.txt")))
}

fn terminal(source: ReadlineError) -> Error {
    Error::failed("the terminal or the history failed").with_source(source)
}

/// What rustyline asks while a line is typed.
#[derive(Debug)]
struct Words {
    functions: Vec<String>,
    queries: Arc<Queries>,
    prompter: Arc<dyn Prompter>,
    pending: String,
}

impl Helper for Words {}
impl Highlighter for Words {}
impl Validator for Words {}

impl Hinter for Words {
    type Hint = String;
}

impl Completer for Words {
    type Candidate = String;

    fn complete(
        &self,
        line: &str,
        cursor: usize,
        _context: &Context<'_>,
    ) -> rustyline::Result<(usize, Vec<String>)> {
        let names = |kind, prefix: &str| self.prompter.names(kind, prefix);
        Ok(complete(&self.pending, line, cursor, (&self.functions, &self.queries), &names))
    }
}
