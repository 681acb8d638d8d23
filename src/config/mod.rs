//! What the surroundings say: environment, home, terminal and defaults. The only room, besides
//! `main`, that reads them; everyone else is handed an [`Environment`].

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::io::IsTerminal;
use std::path::{Path, PathBuf};

use crate::error::Result;
use crate::store::{Location, RemoteAccess, RemoteOptions};

/// Where a store is when nobody says so.
pub const DEFAULT_STORE: &str = "genstore.db";

/// Variables that say how an object store is reached begin with one of these.
const REMOTE_PREFIXES: [&str; 3] = ["AWS_", "GOOGLE_", "AZURE_"];

/// Where packages are written when nobody says so.
pub const DEFAULT_OUT: &str = "generated";

/// The surroundings of the process, read once.
#[derive(Debug, Clone)]
pub struct Environment {
    /// `GENSTORE_STORE`, if set and not empty: a folder or an address.
    pub store: Option<OsString>,
    /// How an object store is reached: every variable that begins with `AWS_`, `GOOGLE_` or
    /// `AZURE_`, credentials among them.
    pub remote: RemoteAccess,
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
            store: var("GENSTORE_STORE"),
            remote: RemoteAccess {
                settings: remote_settings(std::env::vars_os()),
                state_dir: state_dir.clone(),
                options: RemoteOptions::default(),
            },
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
    ///
    /// # Errors
    /// As [`Location::parse`].
    pub fn store_location(&self, flag: Option<&OsStr>) -> Result<Location> {
        let typed = flag.or(self.store.as_deref()).unwrap_or(OsStr::new(DEFAULT_STORE));
        Location::parse(typed, &self.remote)
    }
}

/// The variables that say how an object store is reached, by their names in lower case.
fn remote_settings(
    variables: impl Iterator<Item = (OsString, OsString)>,
) -> BTreeMap<String, String> {
    variables
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
        .filter(|(name, value)| {
            !value.is_empty() && REMOTE_PREFIXES.iter().any(|it| name.starts_with(it))
        })
        .map(|(name, value)| (name.to_ascii_lowercase(), value))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_said_of_object_stores_is_taken() {
        let said = [
            ("AWS_ACCESS_KEY_ID", "id"),
            ("AWS_SESSION_TOKEN", ""),
            ("HOME", "/home/ann"),
            ("GOOGLE_APPLICATION_CREDENTIALS", "/key.json"),
            ("MY_AWS_KEY", "x"),
        ];
        let said = said.map(|(name, value)| (OsString::from(name), OsString::from(value)));
        let taken = remote_settings(said.into_iter());
        let names: Vec<_> = taken.keys().map(String::as_str).collect();
        assert_eq!(names, ["aws_access_key_id", "google_application_credentials"]);
    }
}
