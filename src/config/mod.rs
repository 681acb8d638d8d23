//! What the surroundings say: environment, home, terminal, and the settings of files, variables and
//! flags. The only room, besides `main`, that reads them; everyone else is handed an
//! [`Environment`] and [`Settings`].
//!
//! ```text
//! defaults < <store>/genstore.toml < <user>/genstore.toml < ./genstore.toml
//!          < GENSTORE_<SECTION>_<KEY> < --config SECTION.KEY=VALUE < flags of a command
//! ```
//!
//! - `settings` puts together the sections, each of which is the type of its room: defaults and
//!   bounds are the room's. `keys` says what each means to a user, and which files may set it.
//! - `document` reads a file, `words` variables and flags, `value` one value; `assembly` lays them
//!   over one another and remembers where each came from; `text` writes them.
//! - Times and sizes are texts with units, see [`crate::setting`].
//!
//! What is not here: endpoints, credentials and the place of the store, which no file may name (see
//! `keys`), and the rules of retention, which are part of a store and not of whoever opens it
//! (`retention.json`, written by `genstore store retain --set`). The settings of the log say how
//! far back a store can be looked at, the rules what remains in it. A store at an address has no
//! file of its own: reading it would need the network before anything is asked for.

mod assembly;
mod document;
mod keys;
mod settings;
mod text;
mod value;
mod words;

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::io::IsTerminal;
use std::path::{Path, PathBuf};

use crate::error::Result;
use crate::store::{Location, RemoteAccess, RemoteOptions, SETTINGS_NAME};

pub use assembly::{Assembly, LookedAt, Mistake, Origin, Sources};
pub use document::Layer;
pub use keys::{KEYS, Key, Reach};
pub use settings::Settings;
pub use text::template;

/// Where a store is when nobody says so.
pub const DEFAULT_STORE: &str = "genstore.db";

/// Variables that say how an object store is reached begin with one of these.
const REMOTE_PREFIXES: [&str; 3] = ["AWS_", "GOOGLE_", "AZURE_"];

/// The surroundings of the process, read once.
#[derive(Debug, Clone)]
pub struct Environment {
    /// `GENSTORE_STORE`, if set and not empty: a folder or an address.
    pub store: Option<OsString>,
    /// All variables whose names begin with `GENSTORE_`.
    pub variables: Vec<(String, OsString)>,
    /// How an object store is reached: every variable that begins with `AWS_`, `GOOGLE_` or
    /// `AZURE_`, credentials among them.
    pub remote: RemoteAccess,
    /// Folder of the user's own settings: `$XDG_CONFIG_HOME/genstore`, else `~/.config/genstore`.
    /// `None` without a home, and never relative: what lies in the working directory is not the
    /// user's own.
    pub config_dir: Option<PathBuf>,
    /// Folder for state that is not the store's, such as the history of the REPL:
    /// `$XDG_STATE_HOME/genstore`, else `~/.local/state/genstore`. `None` without a home.
    pub state_dir: Option<PathBuf>,
    /// What is known of the terminal.
    pub terminal: Terminal,
    /// Every variable, for the programs that run as steps; they are handed those that they may see.
    pub for_programs: Surroundings,
}

/// Environment variables; some of them are secrets, so none is shown.
#[derive(Clone, Default)]
pub struct Surroundings(pub BTreeMap<OsString, OsString>);

impl std::fmt::Debug for Surroundings {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} variables", self.0.len())
    }
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
        let absolute = |it: OsString| Some(PathBuf::from(it)).filter(|it| it.is_absolute());
        let config_dir = var("XDG_CONFIG_HOME")
            .and_then(absolute)
            .or_else(|| var("HOME").and_then(absolute).map(|home| home.join(".config")))
            .map(|folder| folder.join("genstore"));
        let (stdout, stderr) = (std::io::stdout().is_terminal(), std::io::stderr().is_terminal());
        let forced = var("CLICOLOR_FORCE").is_some_and(|value| value != "0");
        let refused = var("NO_COLOR").is_some() || var("TERM").is_some_and(|it| it == "dumb");
        let color = |terminal: bool| forced || (terminal && !refused);
        Self {
            store: var("GENSTORE_STORE"),
            variables: own_variables(std::env::vars_os()),
            remote: RemoteAccess {
                settings: remote_settings(std::env::vars_os()),
                state_dir: state_dir.clone(),
                options: RemoteOptions::default(),
            },
            config_dir,
            state_dir,
            for_programs: Surroundings(std::env::vars_os().collect()),
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

    /// The file of settings of a layer, whether or not it is there; `None` where there can be none.
    pub fn settings_file(&self, layer: Layer, store: &Location) -> Option<PathBuf> {
        match layer {
            Layer::Store if store.is_remote() => None,
            Layer::Store => Some(store.path().join(SETTINGS_NAME)),
            Layer::User => self.config_dir.as_ref().map(|it| it.join(SETTINGS_NAME)),
            Layer::WorkingDirectory => Some(PathBuf::from(SETTINGS_NAME)),
        }
    }

    /// Where the settings of a call come from; `flags` are those of `--config`.
    pub fn sources(&self, store: &Location, flags: &[String]) -> Sources {
        let layers = [Layer::Store, Layer::User, Layer::WorkingDirectory];
        let file = |layer| self.settings_file(layer, store).map(|path| (layer, path));
        Sources {
            files: layers.into_iter().filter_map(file).collect(),
            variables: self.variables.clone(),
            flags: flags.to_vec(),
        }
    }
}

/// The variables of genstore.
fn own_variables(variables: impl Iterator<Item = (OsString, OsString)>) -> Vec<(String, OsString)> {
    let own = variables
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value)))
        .filter(|(name, _)| name.starts_with(keys::VARIABLE_PREFIX));
    let mut own: Vec<_> = own.collect();
    own.sort(); // whatever the order of the environment, the first mistake is the same
    own
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
