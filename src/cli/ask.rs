//! What the commands that only read have in common: the store opened for reading, a shell without a
//! terminal, formats, and stdout.

use std::io::{BufWriter, Stdout, Write};
use std::path::PathBuf;
use std::str::FromStr;
use std::sync::{Arc, Mutex, PoisonError};

use clap::builder::{PossibleValuesParser, TypedValueParser};

use super::Context;
use crate::error::{Error, Result};
use crate::output::{Format, Look, terminal_width};
use crate::repl::{Failure, Reader, Settings, Shell, Source};
use crate::setting::time_ms;
use crate::sql::{Queries, SessionSettings};
use crate::store::snapshot::Snapshot;
use crate::store::{Location, Store};

/// How rows are printed.
#[derive(Debug, Clone, Copy, Default, clap::Args)]
pub(crate) struct RowFormat {
    /// Format of the rows
    #[arg(long, value_name = "FORMAT", default_value_t)]
    #[arg(value_parser = format_parser::<Format>(Format::ALL.map(Format::as_str)))]
    pub(crate) format: Format,
}

/// The moment that is looked at.
#[derive(Debug, Clone, Default, clap::Args)]
pub(crate) struct Moment {
    /// Look at the store as it was at a time (2026-11-22, 2026-11-22T10:00:00Z, or 7d for a week
    /// ago), or when a batch had ended; rows that were not flushed by then are not shown
    #[arg(long, value_name = "TIME|BATCH")]
    as_of: Option<String>,
}

impl Moment {
    /// Has a reader look at it.
    pub(super) fn set(&self, reader: &mut Reader) -> Result<()> {
        self.as_of.as_deref().map_or(Ok(()), |it| reader.look_back(it))
    }
}

/// Canned queries beside those of the project.
#[derive(Debug, Clone, Default, clap::Args)]
pub(crate) struct MoreQueries {
    /// A folder of queries of your own, beside the `queries` folder of the store; again for more
    #[arg(long, value_name = "DIR")]
    queries: Vec<PathBuf>,
}

impl MoreQueries {
    /// The queries of the project, of the store, and of the folders; a later one goes before an
    /// earlier of its name. A store on a bucket keeps no folder of queries.
    pub(super) fn all(&self, context: &Context) -> Result<Queries> {
        let mut all = Queries::builtin().clone();
        let own = context.store.path().join("queries");
        if !context.store.is_remote() && own.is_dir() {
            all.add_folder(&own)?;
        }
        for folder in &self.queries {
            all.add_folder(folder)?;
        }
        Ok(all)
    }
}

/// What a query may take, and touch.
#[derive(Debug, Clone, Copy, Default, clap::Args)]
pub(crate) struct Bounds {
    /// The longest time of a query: 250ms, 30s, 5m; at 0s, any
    /// [default: the setting sql.query_time_max]
    #[arg(long, value_name = "TIME", value_parser = milliseconds)]
    timeout: Option<u64>,
    /// The most rows of a query, which fails when it comes to more; at 0, any
    /// [default: the setting sql.rows_max]
    #[arg(long, value_name = "N")]
    max_rows: Option<u64>,
    /// Let SQL read files (FROM 'x.parquet') and write them (COPY … TO 'x.csv') below the working
    /// directory and the setting sql.file_dirs; the shell at a terminal does so anyway
    #[arg(long)]
    files: bool,
}

impl Bounds {
    /// Whether somebody at a terminal asks, who may touch files.
    pub(super) fn at_terminal(self, is: bool) -> Self {
        Self { files: self.files || is, ..self }
    }

    /// Has a reader keep to them.
    pub(super) fn set(self, reader: &mut Reader) {
        reader.bound(|settings| {
            if self.files {
                settings.allow_files();
            }
            settings.query_ms_max = self.timeout.unwrap_or(settings.query_ms_max);
            settings.rows_max = self.max_rows.unwrap_or(settings.rows_max);
        });
    }
}

fn milliseconds(text: &str) -> Result<u64, String> {
    time_ms(text).ok_or_else(|| "write a number and a unit, such as 250ms, 30s or 5m".to_owned())
}

/// A parser of one of `names`: clap lists them, and offers the nearest to a typo.
pub(super) fn format_parser<T>(
    names: impl IntoIterator<Item = &'static str>,
) -> impl TypedValueParser<Value = T>
where
    T: FromStr<Err = Error> + Clone + Send + Sync + 'static,
{
    PossibleValuesParser::new(names).try_map(|it| it.parse::<T>())
}

/// Stdout with a buffer: the bare one is flushed at every line.
pub(super) fn stdout() -> BufWriter<Stdout> {
    BufWriter::with_capacity(64 * 1024, std::io::stdout())
}

/// The store, opened for reading when it is first asked; again, if it was not there yet.
#[derive(Debug)]
pub(super) struct LazyStore {
    location: Location,
    opened: Mutex<Option<Arc<Store>>>,
}

impl LazyStore {
    pub(super) fn new(location: &Location) -> Self {
        Self { location: location.clone(), opened: Mutex::default() }
    }

    pub(super) fn get(&self) -> Result<Arc<Store>> {
        let mut opened = self.opened.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(store) = &*opened {
            return Ok(Arc::clone(store));
        }
        Ok(Arc::clone(opened.insert(Arc::new(Store::open_at_read_only(&self.location)?))))
    }

    /// The store, if it is open.
    pub(super) fn opened(&self) -> Option<Arc<Store>> {
        self.opened.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// The store's snapshots.
struct Snapshots(Arc<LazyStore>);

impl Source for Snapshots {
    fn now(&mut self) -> Result<Snapshot> {
        self.0.get()?.snapshot()
    }

    fn as_of(&mut self, moment_us: i64) -> Result<Snapshot> {
        self.0.get()?.snapshot_as_of(moment_us)
    }

    fn moment(&mut self, text: &str, now_us: i64) -> Result<i64> {
        self.0.get()?.moment(text, now_us)
    }
}

impl Context {
    /// A shell over the store. With `cancel`, Ctrl-C ends a query instead of the process.
    pub(super) fn shell(&self, format: Format, cancel: bool) -> Result<Shell> {
        let settings = Settings { format, look: self.look(), timer: false, cancel };
        self.shell_over(Arc::new(LazyStore::new(&self.store)), settings)
    }

    /// A shell over a store that is opened when it is first asked.
    pub(super) fn shell_over(&self, store: Arc<LazyStore>, settings: Settings) -> Result<Shell> {
        Shell::new(self.reader(store), settings, Arc::clone(&self.clock))
    }

    /// A reader of a store that is opened when it is first asked.
    pub(super) fn reader(&self, store: Arc<LazyStore>) -> Reader {
        let settings = self.settings.sql.clone();
        Reader::new(Box::new(Snapshots(store)), settings, Arc::clone(&self.clock))
    }

    /// The same for whoever reads whole tables, however many rows they have.
    pub(super) fn reader_of_all(&self, store: Arc<LazyStore>) -> Reader {
        let settings = self.settings.sql.clone().unbounded();
        Reader::new(Box::new(Snapshots(store)), settings, Arc::clone(&self.clock))
    }

    /// The same, and the rows of a table come in the order in which it has them.
    pub(super) fn reader_in_order(&self, store: Arc<LazyStore>) -> Reader {
        let settings = SessionSettings { threads: 1, ..self.settings.sql.clone() }.unbounded();
        Reader::new(Box::new(Snapshots(store)), settings, Arc::clone(&self.clock))
    }

    /// For whom results are written.
    pub(super) fn look(&self) -> Look {
        let terminal = self.env.terminal;
        let width = if terminal.stdout { terminal_width() } else { None };
        Look { width, color: terminal.color_stdout }
    }

    /// Prints why a statement failed and returns the exit code for it.
    pub(super) fn print_failure(&self, failure: &Failure, uri: Option<&str>) -> u8 {
        let text = failure.render(uri, self.env.terminal.color_stderr);
        // If stderr is closed there is nobody to tell.
        drop(std::io::stderr().write_all(text.as_bytes()));
        failure.error.kind().exit_code()
    }
}
