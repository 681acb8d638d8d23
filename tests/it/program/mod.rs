//! The real program as child processes on a store of its own: started, asked in SQL, killed, and
//! what it printed as acknowledged compared with what is there. Tests and benches share it; it
//! knows nothing of the store's inside.
#![allow(dead_code, unused_imports, reason = "each test binary and bench uses a part")]

mod cloud;
pub(crate) mod crowd;
mod proxy;
mod python;
mod server;
mod victim;
mod writer;

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use genstore::store::{Location, RemoteAccess, RemoteOptions};
use serde_json::Value;
use tempfile::TempDir;

pub(crate) use cloud::Cloud;
pub(crate) use proxy::Faults;
pub(crate) use python::Python;
pub(crate) use victim::{Until, Victim};
pub(crate) use writer::{Pace, write};

/// Runs that were printed, by their id.
pub(crate) type Printed = BTreeMap<String, Value>;

/// A store and an output folder of a test's own.
#[derive(Debug)]
pub(crate) struct Place {
    pub(crate) root: TempDir,
    /// Where the store is if it is not in `root`, and the variables that say how to reach it.
    address: Option<(String, Vec<(&'static str, String)>)>,
}

impl Place {
    pub(crate) fn new() -> Self {
        Self { root: TempDir::new().unwrap(), address: None }
    }

    /// A store whose tables are elsewhere.
    pub(crate) fn remote(url: String, variables: Vec<(&'static str, String)>) -> Self {
        Self { address: Some((url, variables)), ..Self::new() }
    }

    pub(crate) fn store(&self) -> PathBuf {
        match &self.address {
            Some((url, _)) => PathBuf::from(url),
            None => self.root.path().join("store"),
        }
    }

    /// The same for the library.
    pub(crate) fn location(&self) -> Location {
        let Some((url, variables)) = &self.address else {
            return Location::from(self.store());
        };
        let settings = variables.iter().map(|(name, value)| (name.to_ascii_lowercase(), value));
        let settings = settings.map(|(name, value)| (name, value.clone())).collect();
        let home = variables.iter().find(|it| it.0 == "XDG_STATE_HOME");
        let state_dir = home.map(|(_, value)| Path::new(value).join("genstore"));
        let access = RemoteAccess { settings, state_dir, options: RemoteOptions::default() };
        Location::parse(OsStr::new(url), &access).unwrap()
    }

    pub(crate) fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_genstore"));
        command.current_dir(self.root.path()).arg("--store").arg(self.store()).args(args);
        command.env_remove("GENSTORE_STORE").stdin(Stdio::null());
        command.envs(self.variables());
        command
    }

    /// What a process needs to reach the store.
    pub(crate) fn variables(&self) -> Vec<(&'static str, String)> {
        self.address.as_ref().map(|it| it.1.clone()).unwrap_or_default()
    }

    pub(crate) fn run(&self, args: &[&str]) -> Output {
        self.command(args).output().unwrap()
    }

    pub(crate) fn sql(&self, query: &str) -> Vec<Value> {
        let output = self.run(&["sql", "--format", "ndjson", query]);
        assert!(output.status.success(), "{query}\n{}", String::from_utf8_lossy(&output.stderr));
        lines(&output)
    }

    pub(crate) fn count(&self, query: &str) -> i64 {
        self.sql(query).first().unwrap().get("n").unwrap().as_i64().unwrap()
    }

    /// `store check` finds nothing.
    pub(crate) fn assert_checked(&self) {
        let output = self.run(&["store", "check"]);
        let said = String::from_utf8_lossy(&output.stdout);
        assert!(output.status.success(), "{said}{}", String::from_utf8_lossy(&output.stderr));
    }

    /// Rows of every table, as the store says; none may be in the journal alone.
    pub(crate) fn flushed_counts(&self) -> BTreeMap<String, i64> {
        let output = self.run(&["store", "status", "--json"]);
        let status: Value = serde_json::from_slice(&output.stdout).unwrap();
        let tables = status["tables"].as_array().unwrap().iter().map(|it| {
            assert_eq!(it["journal_rows"], 0, "{it}");
            (text(it, "table").to_owned(), it["rows"].as_i64().unwrap())
        });
        tables.collect()
    }

    /// A folder `set` of contracts like the samples, so many of each and each with its own name.
    pub(crate) fn contracts(&self, count: usize) {
        self.copies(count);
        for entry in std::fs::read_dir(self.root.path().join("set")).unwrap() {
            let path = entry.unwrap().path();
            let Some(stem) = path.file_stem().filter(|_| path.is_file()) else { continue };
            let (copy, name) = stem.to_str().unwrap().split_once('_').unwrap();
            let (what, kind) = name.rsplit_once('_').unwrap();
            let text = std::fs::read_to_string(&path).unwrap();
            let own = text.replace(&format!("node_{name}"), &format!("node_{what}{copy}_{kind}"));
            assert_ne!(own, text);
            std::fs::write(&path, own).unwrap();
        }
    }

    /// A folder `set` of the sample contracts, each so many times.
    pub(crate) fn copies(&self, count: usize) {
        let set = self.root.path().join("set");
        std::fs::create_dir(&set).unwrap();
        copy_folder(&Path::new(&samples()).join("subcontracts"), &set.join("subcontracts"));
        for entry in std::fs::read_dir(samples()).unwrap() {
            let path = entry.unwrap().path();
            if path.extension().is_some_and(|it| it == "yaml") {
                let name = path.file_name().unwrap().to_string_lossy().into_owned();
                for copy in 0..count {
                    std::fs::copy(&path, set.join(format!("{copy}_{name}"))).unwrap();
                }
            }
        }
    }

    /// Every printed run is there once, with exactly the children that were counted when it ended;
    /// no row of any run is doubled, no run that succeeded lacks a step, sketches count what steps
    /// count.
    pub(crate) fn assert_whole(&self, printed: &Printed) {
        let counted = self.sql(
            "SELECT r.run_id, count(*) AS n, max(coalesce(s.n, 0)) AS steps,
                    max(coalesce(i.n, 0)) AS issues
             FROM runs r
             LEFT JOIN (SELECT run_id, count(*) n FROM steps GROUP BY 1) s ON s.run_id = r.run_id
             LEFT JOIN (SELECT run_id, count(*) n FROM issues GROUP BY 1) i ON i.run_id = r.run_id
             GROUP BY 1",
        );
        let found: BTreeMap<&str, &Value> =
            counted.iter().map(|it| (text(it, "run_id"), it)).collect();
        for (run_id, run) in printed {
            let row = found.get(run_id.as_str()).unwrap_or_else(|| panic!("{run_id} is lost"));
            assert_eq!(row.get("n"), Some(&Value::from(1)), "{run_id} is doubled");
            for children in ["steps", "issues"] {
                assert_eq!(row.get(children), run.get(children), "{children} of {run_id}");
            }
        }
        for table in ["runs", "steps"] {
            let key = if table == "runs" { "run_id" } else { "run_id || step_id" };
            let doubled = format!("SELECT count(*) - count(DISTINCT {key}) AS n FROM {table}");
            assert_eq!(self.count(&doubled), 0, "doubled rows in {table}");
        }
        // Of every run that ended by itself: what it says of itself is what its rows say.
        let said = "SELECT coalesce(sum(error_count + warning_count + note_count), 0) AS n
                    FROM runs WHERE error_type IS DISTINCT FROM 'abandoned'";
        let there = "SELECT count(*) AS n FROM issues WHERE run_id IN
                     (SELECT run_id FROM runs WHERE error_type IS DISTINCT FROM 'abandoned')";
        assert_eq!(self.count(said), self.count(there), "issues");
        // a retention leaves the sketches of the steps that it takes away
        let sketched = "SELECT coalesce(sum(count), 0) AS n FROM step_latency
                        WHERE hour > ago('100d')";
        let steps = "SELECT count(*) AS n FROM steps WHERE start_time > ago('100d')";
        assert_eq!(self.count(sketched), self.count(steps), "sketches");
    }
}

pub(crate) fn lines(output: &Output) -> Vec<Value> {
    let text = String::from_utf8(output.stdout.clone()).unwrap();
    text.lines().map(|it| serde_json::from_str(it).unwrap()).collect()
}

pub(crate) fn samples() -> String {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("data/contracts").display().to_string()
}

pub(crate) fn text<'a>(value: &'a Value, key: &str) -> &'a str {
    value.get(key).and_then(Value::as_str).unwrap_or_else(|| panic!("{key} in {value}"))
}

pub(crate) fn by_run(printed: Vec<Value>) -> Printed {
    printed.into_iter().map(|it| (text(&it, "run_id").to_owned(), it)).collect()
}

fn copy_folder(from: &Path, to: &Path) {
    std::fs::create_dir(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let path = entry.unwrap().path();
        let to = to.join(path.file_name().unwrap());
        if path.is_dir() {
            copy_folder(&path, &to);
        } else {
            std::fs::copy(path, to).unwrap();
        }
    }
}
