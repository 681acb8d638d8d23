//! What the surroundings say: environment, home, terminal and defaults. The only room, besides
//! `main`, that reads them; everyone else is handed an [`Environment`].

use std::io::IsTerminal;
use std::path::{Path, PathBuf};

/// Where a store is when nobody says so.
pub const DEFAULT_STORE: &str = "genstore.db";

/// Where packages are written when nobody says so.
pub const DEFAULT_OUT: &str = "generated";

/// The surroundings of the process, read once.
#[derive(Debug, Clone)]
pub struct Environment {
    /// `GENSTORE_STORE`, if set and not empty.
    pub store: Option<PathBuf>,
    /// Folder for state that is not the store's, such as the history of the REPL:
    /// `$XDG_STATE_HOME/genstore`, else `~/.local/state/genstore`. `None` without a home.
    pub state_dir: Option<PathBuf>,
    /// What is known of the terminal.
    pub terminal: Terminal,
}

/// What is known of the terminal.
#[derive(Debug, Clone, Copy)]
pub struct Terminal {
    /// Whether a person types into stdin.
    pub stdin: bool,
    /// Whether a person reads stdout.
    pub stdout: bool,
    /// Whether a person reads stderr.
    pub stderr: bool,
    /// Whether stdout takes colour: `NO_COLOR` and `CLICOLOR_FORCE` are honoured.
    pub color_stdout: bool,
    /// Whether stderr takes colour.
    pub color_stderr: bool,
}

impl Environment {
    /// Reads the process's environment.
    pub fn from_process() -> Self {
        let var = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty());
        let state_dir = var("XDG_STATE_HOME")
            .map(PathBuf::from)
            .or_else(|| var("HOME").map(|home| Path::new(&home).join(".local/state")))
            .map(|folder| folder.join("genstore"));
        let (stdout, stderr) = (std::io::stdout().is_terminal(), std::io::stderr().is_terminal());
        let forced = var("CLICOLOR_FORCE").is_some_and(|value| value != "0");
        let refused = var("NO_COLOR").is_some() || var("TERM").is_some_and(|it| it == "dumb");
        let color = |terminal: bool| forced || (terminal && !refused);
        Self {
            store: var("GENSTORE_STORE").map(PathBuf::from),
            state_dir,
            terminal: Terminal {
                stdin: std::io::stdin().is_terminal(),
                stdout,
                stderr,
                color_stdout: color(stdout),
                color_stderr: color(stderr),
            },
        }
    }

    /// The store to use: the flag, else `GENSTORE_STORE`, else `./genstore.db`.
    pub fn store_path(&self, flag: Option<&Path>) -> PathBuf {
        flag.map(Path::to_path_buf)
            .or_else(|| self.store.clone())
            .unwrap_or_else(|| PathBuf::from(DEFAULT_STORE))
    }
}
