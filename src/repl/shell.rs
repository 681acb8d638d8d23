//! The shell without a terminal: lines in, results out. Reads no terminal, sets no exit code.

use std::io::{BufRead, Read, Write};
use std::sync::Arc;

use arrow::array::RecordBatch;
use futures::StreamExt;

use super::command::{self, Command};
use super::{Reader, listing};
use crate::clock::{Clock, rfc3339_short};
use crate::error::{Error, ErrorKind, Result};
use crate::export::copy;
use crate::output::failure::{Place, render, render_at};
use crate::output::{Format, Look, RowWriter};
use crate::sql::{Params, Queries, Session, split_statements};

/// Longest text that is read before its statement ends, and longest script.
const TEXT_BYTES_MAX: usize = 16 << 20;

/// What some editors put before a text.
pub const BYTE_ORDER_MARK: char = '\u{feff}';

/// How a shell begins; `.mode` and `.timer` change it.
#[derive(Debug, Clone, Copy, Default)]
pub struct Settings {
    /// How rows are written.
    pub format: Format,
    /// For whom.
    pub look: Look,
    /// Whether to say how long a query took.
    pub timer: bool,
    /// Whether Ctrl-C cancels the query, which then is an error, instead of ending the process.
    pub cancel: bool,
}

/// What a line led to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// Everything so far was done.
    Done,
    /// The statement goes on in the next line.
    More,
    /// The user, or the reader of the output, wants no more.
    Quit,
}

/// An error and the text that it is about.
#[derive(Debug)]
pub struct Failure {
    /// What went wrong.
    pub error: Error,
    about: Option<Box<About>>,
}

#[derive(Debug)]
struct About {
    text: String,
    start_byte: usize,
    /// The file that the text is of, where the caller does not name it.
    uri: Option<String>,
}

impl Failure {
    fn about(error: Error, text: &str, start_byte: usize, uri: Option<String>) -> Self {
        let about = About { text: text.to_owned(), start_byte, uri };
        Self { error, about: Some(Box::new(about)) }
    }

    /// The error as lines, with a caret under its place where that is known.
    pub fn render(&self, uri: Option<&str>, color: bool) -> String {
        match &self.about {
            Some(it) => {
                let (text, start_byte) = (it.text.as_str(), it.start_byte);
                let uri = it.uri.as_deref().or(uri);
                render_at(&self.error, Place { uri, text, start_byte }, color)
            }
            None => render(&self.error, color),
        }
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self { error, about: None }
    }
}

/// Does what `genstore` does with these arguments, and returns its exit code. It prints by itself.
pub type Launcher = Box<dyn FnMut(&[String]) -> Result<u8> + Send>;

/// SQL and dot commands over one store.
pub struct Shell {
    reader: Reader,
    launcher: Option<Launcher>,
    settings: Settings,
    queries: Arc<Queries>,
    clock: Arc<dyn Clock>,
    runtime: tokio::runtime::Runtime,
    /// Lines of a statement that has not ended.
    pending: String,
}

impl std::fmt::Debug for Shell {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Shell").field("settings", &self.settings).finish_non_exhaustive()
    }
}

impl Shell {
    /// A shell over what `reader` reads.
    pub fn new(reader: Reader, settings: Settings, clock: Arc<dyn Clock>) -> Result<Self> {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(|source| Error::failed("cannot start a runtime").with_source(source))?;
        let pending = String::new();
        let queries = Arc::new(Queries::builtin().clone());
        Ok(Self { reader, launcher: None, settings, queries, clock, runtime, pending })
    }

    /// Knows these canned queries instead of those of the project.
    #[must_use]
    pub fn with_queries(mut self, queries: Queries) -> Self {
        self.queries = Arc::new(queries);
        self
    }

    /// The canned queries that can be asked.
    pub fn queries(&self) -> &Arc<Queries> {
        &self.queries
    }

    /// Lets `.run`, `.replay` and `.pipeline` do their work.
    #[must_use]
    pub fn with_launcher(mut self, launcher: Launcher) -> Self {
        self.launcher = Some(launcher);
        self
    }

    /// Takes one line. A dot command is done at once, also amid a statement, which then goes on;
    /// SQL when a semicolon ends it. After an error the rest of the text is forgotten.
    pub fn feed(&mut self, line: &str, out: &mut dyn Write) -> Result<Step, Failure> {
        let first = line.split_whitespace().next().unwrap_or_default();
        if first.starts_with('.') && (self.pending.is_empty() || command::is_command(first)) {
            return self.command(command::parse(line.trim())?, out);
        }
        if self.pending.is_empty() {
            let line = line.trim();
            if matches!(line.trim_end_matches(';'), "quit" | "exit") {
                return Ok(Step::Quit);
            }
            if matches!(line.trim_end_matches(';'), "help" | "?") {
                return self.command(Command::Help, out);
            }
            if line.starts_with('\\') {
                let error = Error::usage(format!("there is no command {line}"));
                return Err(error.with_hint("Commands begin with a dot: .help").into());
            }
        }
        if self.pending.len() + line.len() > TEXT_BYTES_MAX {
            self.clear();
            return Err(too_long().into());
        }
        self.pending.push_str(line);
        self.pending.push('\n');
        let statements = split_statements(&self.pending);
        match statements.last() {
            None => {
                self.pending.clear();
                Ok(Step::Done)
            }
            Some(last) if !last.complete => Ok(Step::More),
            Some(_) => {
                let text = std::mem::take(&mut self.pending);
                self.run_script(&text, out)
            }
        }
    }

    /// Takes what may be several lines, such as a pasted script. Stops at the first error.
    pub fn feed_lines(&mut self, text: &str, out: &mut dyn Write) -> Result<Step, Failure> {
        let mut step = Step::Done;
        for line in text.split('\n') {
            step = self.feed(line.trim_end_matches('\r'), out)?;
            if step == Step::Quit {
                break;
            }
        }
        Ok(step)
    }

    /// Forgets a statement that has not ended.
    pub fn clear(&mut self) {
        self.pending.clear();
    }

    /// What stands before the next line: whether a statement goes on, and whether the past is
    /// looked at.
    pub fn prompt(&self) -> String {
        let prompt = match self.reader.as_of_us() {
            Some(as_of_us) => format!("genstore @{}> ", rfc3339_short(as_of_us)),
            None => "genstore> ".to_owned(),
        };
        match self.pending.is_empty() {
            true => prompt,
            false => format!("{:>width$}", "...> ", width = prompt.len()),
        }
    }

    /// What was typed of a statement that has not ended.
    pub fn pending(&self) -> &str {
        &self.pending
    }

    /// Runs every statement of `text` in order; the last may go without semicolon. Stops at the
    /// first error, and when nobody reads `out` any more.
    pub fn run_script(&mut self, text: &str, out: &mut dyn Write) -> Result<Step, Failure> {
        for statement in split_statements(text) {
            let done = self.run(&statement.text, &Params::new(), out);
            let located = |error| Failure::about(error, text, statement.start_byte, None);
            if done.map_err(located)? == Step::Quit {
                return Ok(Step::Quit);
            }
        }
        Ok(Step::Done)
    }

    /// Runs the rest of a text whose last statement has no semicolon.
    pub fn finish(&mut self, out: &mut dyn Write) -> Result<Step, Failure> {
        let text = std::mem::take(&mut self.pending);
        self.run_script(&text, out)
    }

    /// Runs a canned query; `params` are `name=value`.
    pub fn run_query(
        &mut self,
        name: &str,
        params: &[String],
        out: &mut dyn Write,
    ) -> Result<Step, Failure> {
        let queries = Arc::clone(&self.queries);
        let query = queries.find(name)?;
        let pairs = params.iter().map(|it| pair(it)).collect::<Result<Vec<_>>>()?;
        let params = query.bind(&pairs)?;
        self.run(&query.sql, &params, out).map_err(|error| match &query.uri {
            Some(uri) => Failure::about(error, &query.sql, 0, Some(uri.clone())),
            None => error.into(), // the text is none of the user's
        })
    }

    /// Writes rows that no query made.
    pub fn write(&mut self, batch: &RecordBatch, out: &mut dyn Write) -> Result<Step> {
        let Settings { format, look, .. } = self.settings;
        let mut writer = RowWriter::new(out, format, look, &batch.schema())?;
        writer.write(batch)?;
        let gone = writer.reader_gone();
        writer.finish()?;
        Ok(if gone { Step::Quit } else { Step::Done })
    }

    /// For whom results are written from now on.
    pub fn set_look(&mut self, look: Look) {
        self.settings.look = look;
    }

    /// The store.
    pub fn reader(&mut self) -> &mut Reader {
        &mut self.reader
    }

    fn run(&mut self, sql: &str, params: &Params, out: &mut dyn Write) -> Result<Step> {
        let session = self.reader.session()?;
        let Settings { format, look, timer, cancel } = self.settings;
        let start_ns = self.clock.monotonic_ns();
        let work = answer(&session, (sql, params), (format, look), &mut *out);
        let step = self.runtime.block_on(async {
            if !cancel {
                return work.await;
            }
            tokio::select! {
                step = work => step,
                _ = tokio::signal::ctrl_c() => {
                    self.reader.abandon();
                    Err(Error::new(ErrorKind::Interrupted, "the query was cancelled"))
                }
            }
        })?;
        if timer {
            let ms = (self.clock.monotonic_ns() - start_ns) as f64 / 1e6;
            return say(out, &format!("time: {ms:.1} ms\n")).map(|()| step);
        }
        Ok(step)
    }

    /// Looks at another moment, if it can be shown.
    fn look_back(&mut self, moment: &str, out: &mut dyn Write) -> Result<Step> {
        let before = self.reader.as_of_us();
        match moment {
            "" => {
                let shown = before.map_or_else(|| "now".to_owned(), rfc3339_short);
                return say(out, &format!("{shown}\n")).map(|()| Step::Done);
            }
            "now" => self.reader.look_at(None),
            moment => {
                self.reader.look_back(moment)?;
                if let Err(error) = self.reader.snapshot() {
                    self.reader.look_at(before);
                    return Err(error);
                }
            }
        }
        Ok(Step::Done)
    }

    fn launch(&mut self, words: Vec<String>, out: &mut dyn Write) -> Result<Step> {
        let Some(launcher) = &mut self.launcher else {
            let verb = words.first().map_or("", String::as_str);
            return Err(Error::usage(format!(".{verb} is not available here")));
        };
        // What was asked before stands before what the run prints.
        say(out, "")?;
        match launcher(&words)? {
            0 => Ok(Step::Done),
            _ => Err(Error::failed("not every run succeeded").with_hint("`.q failures` says why.")),
        }
    }

    fn command(&mut self, command: Command, out: &mut dyn Write) -> Result<Step, Failure> {
        match command {
            Command::Query { name: Some(name), params } => self.run_query(&name, &params, out),
            other => Ok(self.other_command(other, out)?),
        }
    }

    fn other_command(&mut self, command: Command, out: &mut dyn Write) -> Result<Step> {
        match command {
            Command::Run { args } => self.launch(with("run", args), out),
            Command::Replay { args } => self.launch(with("replay", args), out),
            Command::Pipeline { args } => self.launch(command::pipeline(args), out),
            Command::Query { .. } => self.write(&listing::queries(&self.queries)?, out),
            Command::Functions => self.write(&listing::functions()?, out),
            Command::Tables => {
                let snapshot = self.reader.snapshot()?;
                self.write(&listing::tables(&snapshot)?, out)
            }
            Command::Schema { table } => self.write(&listing::columns(table.as_deref())?, out),
            Command::Mode { format: Some(format) } => {
                self.settings.format = format;
                Ok(Step::Done)
            }
            Command::Mode { format: None } => {
                say(out, &format!("{}\n", self.settings.format)).map(|()| Step::Done)
            }
            Command::AsOf { moment } => self.look_back(&moment.join(" "), out),
            Command::Timer { on } => {
                self.settings.timer = on;
                Ok(Step::Done)
            }
            Command::Help => say(out, &command::help()).map(|()| Step::Done),
            Command::Quit => Ok(Step::Quit),
        }
    }
}

/// Runs one statement and writes its rows: to `out`, or to the file that it names.
async fn answer(
    session: &Session,
    (sql, params): (&str, &Params),
    (format, look): (Format, Look),
    out: &mut dyn Write,
) -> Result<Step> {
    if let Some((to, rows)) = session.copy(sql, params).await? {
        let copied = copy(rows, &to).await?;
        let summary = listing::copied(&to.path, &copied)?;
        let mut writer = RowWriter::new(out, format, look, &summary.schema())?;
        writer.write(&summary)?;
        return writer.finish().map(|_| Step::Done);
    }
    let mut stream = session.query_stream(sql, params).await?;
    let mut writer = RowWriter::new(out, format, look, &stream.schema())?;
    while let Some(batch) = stream.next().await {
        writer.write(&batch?)?;
        if writer.reader_gone() {
            return Ok(Step::Quit);
        }
    }
    writer.finish()?;
    Ok(Step::Done)
}

/// Runs a script of SQL and dot commands, line by line. Stops at the first error.
pub fn script(
    shell: &mut Shell,
    input: &mut dyn BufRead,
    out: &mut dyn Write,
) -> Result<(), Failure> {
    loop {
        let mut line = String::new();
        let read = input.take(TEXT_BYTES_MAX as u64).read_line(&mut line);
        match read.map_err(|it| Error::invalid("the script is not UTF-8").with_source(it))? {
            0 => break,
            TEXT_BYTES_MAX => return Err(too_long().into()),
            _ => {}
        }
        let line = line.strip_prefix(BYTE_ORDER_MARK).unwrap_or(&line);
        if shell.feed(line.trim_end_matches(['\n', '\r']), out)? == Step::Quit {
            return Ok(());
        }
    }
    shell.finish(out).map(|_| ())
}

fn with(verb: &str, args: Vec<String>) -> Vec<String> {
    std::iter::once(verb.to_owned()).chain(args).collect()
}

fn too_long() -> Error {
    Error::invalid(format!("the statement is longer than {} MiB", TEXT_BYTES_MAX >> 20))
}

fn pair(text: &str) -> Result<(&str, &str)> {
    text.split_once('=').ok_or_else(|| {
        Error::usage(format!("the parameter {text:?} has no value"))
            .with_hint(format!("Write it as {text}=VALUE."))
    })
}

fn say(out: &mut dyn Write, text: &str) -> Result<()> {
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => {
            Err(Error::failed("cannot write the result").with_source(error))
        }
        _ => Ok(()),
    }
}
