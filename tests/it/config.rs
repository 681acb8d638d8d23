//! Settings from outside: which file, variable or flag wins, that they are heeded, and that every
//! mistake is told once, with its place.

use std::fs;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use genstore::config::{Assembly, Layer, Sources, template};
use serde_json::Value;
use tempfile::TempDir;

/// A working directory, a home and a store, each with a place for a `genstore.toml`.
struct World {
    folder: TempDir,
}

impl World {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        for name in ["work", "home/.config/genstore", "s.db"] {
            fs::create_dir_all(folder.path().join(name)).unwrap();
        }
        Self { folder }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn file(&self, layer: Layer) -> PathBuf {
        self.path(match layer {
            Layer::Store => "s.db/genstore.toml",
            Layer::User => "home/.config/genstore/genstore.toml",
            Layer::WorkingDirectory => "work/genstore.toml",
        })
    }

    fn write(&self, layer: Layer, text: &str) {
        fs::write(self.file(layer), text).unwrap();
    }

    fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_genstore"));
        command
            .args(args)
            .current_dir(self.path("work"))
            .env_clear()
            .env("HOME", self.path("home"))
            .env("GENSTORE_STORE", self.path("s.db"))
            .stdin(Stdio::null());
        command
    }

    fn run(&self, args: &[&str]) -> Output {
        self.command(args).output().unwrap()
    }

    /// Value and origin of a setting.
    fn setting(&self, name: &str, command: &mut Command) -> (String, String) {
        let shown: Value = serde_json::from_str(&answers(&command.output().unwrap())).unwrap();
        let settings = shown["settings"].as_array().unwrap();
        let it = settings.iter().find(|it| it["name"] == name).unwrap();
        let path =
            it["path"].as_str().map(|path| format!("{path}:{}:{}", it["line"], it["column"]));
        let value = it["value"].to_string();
        (
            value.trim_matches('"').to_owned(),
            path.unwrap_or(it["origin"].as_str().unwrap().to_owned()),
        )
    }

    fn samples(&self) {
        let samples = Path::new(env!("CARGO_MANIFEST_DIR")).join("data/contracts");
        fs::copy(samples.join("price_order_compute.yaml"), self.path("work/price.yaml")).unwrap();
    }
}

fn stdout(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

fn stderr(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

#[track_caller]
fn answers(output: &Output) -> String {
    assert_eq!(output.status.code(), Some(0), "{}{}", stderr(output), stdout(output));
    assert_eq!(stderr(output), "");
    stdout(output)
}

/// Asserts the exit code and all of stderr.
#[track_caller]
fn fails(output: &Output, code: i32, text: &str) {
    assert_eq!((output.status.code(), stderr(output).as_str()), (Some(code), text));
    assert_eq!(stdout(output), "");
}

/// Every sample is wrong in one way. Its first two lines say what is told of it: `# LINE:COLUMN
/// message` and `# help: …`. Its name says the fault, and whose file it is if not the user's.
#[test]
fn each_invalid_sample_is_told_by_one_clear_error() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("data/config/invalid");
    let paths = fs::read_dir(folder).unwrap().map(|it| it.unwrap().path());
    let mut paths: Vec<_> = paths.collect();
    paths.sort();
    assert!(paths.len() >= 40, "{}", paths.len());
    for path in paths {
        let bytes = fs::read(&path).unwrap();
        let text = String::from_utf8_lossy(&bytes);
        let mut lines = text.lines();
        let says = lines.next().unwrap().strip_prefix("# ").unwrap();
        let help = lines.next().unwrap().strip_prefix("# help: ");
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        let layer = match &name {
            it if it.starts_with("working-directory-") => Layer::WorkingDirectory,
            it if it.starts_with("store-") => Layer::Store,
            _ => Layer::User,
        };
        let sources = Sources { files: vec![(layer, path.clone())], ..Sources::default() };
        let assembly = Assembly::read(&sources);
        let error = assembly.settings().unwrap_err();
        let (place, message) = says.split_once(' ').unwrap();
        let expected = format!("{}:{place}: {message}", path.display());
        assert_eq!((error.message(), error.hint()), (expected.as_str(), help), "{name}");
        assert_eq!(assembly.mistakes.len(), 1, "{name}");
        assert_eq!(error.kind().exit_code(), 1, "{name}");
    }
}

#[test]
fn later_ones_win_and_the_origin_is_told() {
    let world = World::new();
    let name = "store.flush_age";
    let json = ["config", "show", "--json"];
    let asked = || world.setting(name, &mut world.command(&json));
    assert_eq!(asked(), ("5s".to_owned(), "default".to_owned()));
    for (layer, text, place) in [
        (Layer::Store, "[store]\nflush_age = \"1s\"\n", ":2:1"),
        (Layer::User, "# mine\nstore = { flush_age = \"2s\" }\n", ":2:11"),
        (Layer::WorkingDirectory, "\n\nstore.flush_age = \"3s\"\n", ":3:7"),
    ] {
        world.write(layer, text);
        let (value, origin) = asked();
        assert_eq!(value, text.split('"').nth(1).unwrap());
        let shown = match layer {
            Layer::WorkingDirectory => PathBuf::from("genstore.toml"),
            layer => world.file(layer),
        };
        assert_eq!(origin, format!("{}{place}", shown.display()));
    }
    let with_variable = || {
        let mut command = world.command(&json);
        command.env("GENSTORE_STORE_FLUSH_AGE", "4s");
        command
    };
    let of = |value: &str, origin: &str| (value.to_owned(), origin.to_owned());
    assert_eq!(world.setting(name, &mut with_variable()), of("4s", "variable"));
    let mut flags = with_variable();
    flags.args(["--config", "store.flush_age=9s", "--config", "store.flush_age=6s"]);
    assert_eq!(world.setting(name, &mut flags), of("6s", "flag"));
    let mut empty = world.command(&json);
    empty.env("GENSTORE_STORE_FLUSH_AGE", "");
    assert_eq!(world.setting(name, &mut empty).0, "3s", "an empty variable says nothing");
    // what one file does not say, another may
    world.write(Layer::WorkingDirectory, "sql.threads = 3\n");
    assert_eq!(asked().0, "2s");
    let shown = answers(&world.run(&["config", "show", "--origin"]));
    assert!(
        shown.contains("threads = 3                              # genstore.toml:1:5\n"),
        "{shown}"
    );
    assert!(shown.contains("rows_max = 0                             # default\n"), "{shown}");
}

#[test]
fn what_is_shown_is_a_file_that_says_the_same() {
    let world = World::new();
    world.write(
        Layer::User,
        "store.flush_age = \"90s\"\nsql.spill_dir = 'C:\\\"x'\nrepl.timer = true\n",
    );
    let shown = answers(&world.run(&["config", "show"]));
    world.write(Layer::User, &shown);
    assert_eq!(answers(&world.run(&["config", "show"])), shown);
    assert!(shown.contains("flush_age = \"1m30s\"") || shown.contains("flush_age = \"90s\""));
}

#[test]
fn a_new_file_says_every_default_and_sets_none() {
    let world = World::new();
    let shown = answers(&world.run(&["config", "show"]));
    for (whose, layer) in
        [("here", Layer::WorkingDirectory), ("user", Layer::User), ("store", Layer::Store)]
    {
        answers(&world.run(&["config", "init", whose]));
        assert_eq!(fs::read_to_string(world.file(layer)).unwrap(), template(), "{whose}");
        let again = world.run(&["config", "init", whose]);
        assert_eq!(again.status.code(), Some(2), "{}", stderr(&again));
        assert!(stderr(&again).contains("genstore.toml is there already"), "{}", stderr(&again));
    }
    let check = answers(&world.run(&["config", "check"]));
    assert!(check.ends_with("genstore.toml: fine\n0 settings are not the default\n"), "{check}");
    assert_eq!(answers(&world.run(&["config", "show"])), shown);
    // with the signs taken away, everything is set to its default
    let set = |line: &str| match line.strip_prefix('#') {
        Some(line) if line.starts_with(|it: char| it.is_ascii_lowercase()) => format!("{line}\n"),
        _ => format!("{line}\n"),
    };
    world.write(Layer::User, &template().lines().map(set).collect::<String>());
    let all =
        template().lines().filter(|it| it.starts_with('#') && !it.starts_with("# ")).count() - 1;
    assert_eq!(answers(&world.run(&["config", "show"])), shown);
    let check = answers(&world.run(&["config", "check"]));
    assert!(check.ends_with(&format!("{all} settings are not the default\n")), "{all}: {check}");
    // a store can be made where its settings are already
    world.samples();
    answers(&world.run(&["run", "price.yaml"]));
    let mut no_home = world.command(&["config", "init", "user"]);
    let output = no_home.env_remove("HOME").output().unwrap();
    assert_eq!(output.status.code(), Some(2), "{}", stderr(&output));
}

#[test]
fn a_check_tells_every_mistake_and_nothing_else_works_until_they_are_mended() {
    let world = World::new();
    world.write(Layer::User, "[store]\nflsh_age = \"1s\"\n[sql]\nthreads = \"2\"\n");
    world.write(Layer::WorkingDirectory, "store.durability = \"none\"\n");
    let mine = world.file(Layer::User).display().to_string();
    let mut check = world.command(&["config", "check"]);
    let output = check.env("GENSTORE_SQL_ROWS_MAX", "many").output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    let text = stdout(&output);
    for part in [
        &format!("--> {mine}:2:1\n"),
        " 2 | flsh_age = \"1s\"\n   | ^^^^^^^^\n   = help: Did you mean store.flush_age?\n",
        &format!("--> {mine}:4:11\n"),
        "--> genstore.toml:1:7\n",
        "error[setting.type]: GENSTORE_SQL_ROWS_MAX: sql.rows_max is \"many\", but must be a whole number\n",
    ] {
        assert!(text.contains(part), "{part:?} is not in:\n{text}");
    }
    assert_eq!(text.matches("error[").count(), 4, "{text}");
    let told = format!(
        "error: {mine}:2:1: there is no setting store.flsh_age\n  hint: Did you mean \
         store.flush_age? `genstore config check` shows all 3 mistakes.\n"
    );
    for call in [&["sql", "SELECT 1"][..], &["run", "x.yaml"], &["config", "show"]] {
        fails(&world.run(call), 1, &told);
    }
    assert!(answers(&world.run(&["config", "--help"])).contains("init"));
    // one file by itself, whatever else is wrong, where it lies and as one's own
    fs::write(world.path("work/good.toml"), "store.durability = \"none\"\n").unwrap();
    assert_eq!(answers(&world.run(&["config", "check", "good.toml"])), "good.toml: fine\n");
    assert_eq!(world.run(&["config", "check", "genstore.toml"]).status.code(), Some(1));
    fails(&world.run(&["config", "check", "nix.toml"]), 1, "error: there is no file nix.toml\n");
}

#[test]
fn what_is_no_file_of_settings_is_told() {
    let world = World::new();
    let path = world.file(Layer::WorkingDirectory);
    let told =
        |what: &str| fails(&world.run(&["schema"]), 1, &format!("error: genstore.toml: {what}\n"));
    fs::create_dir(&path).unwrap();
    told("this is a folder, not a file of settings");
    fs::remove_dir(&path).unwrap();
    fs::write(&path, vec![b'#'; (1 << 20) + 1]).unwrap();
    told("this file has more than 1 MiB: no settings are that long");
    fs::remove_file(&path).unwrap();
    #[cfg(unix)]
    {
        let made = Command::new("mkfifo").arg(&path).status();
        if made.is_ok_and(|it| it.success()) {
            told("this is no regular file"); // and nobody waits for a writer
            fs::remove_file(&path).unwrap();
        }
    }
    fs::write(&path, "\u{feff}[sql]\r\nthreads = 2\r\n").unwrap();
    let json = &mut world.command(&["config", "show", "--json"]);
    let origin = "genstore.toml:2:1".to_owned();
    assert_eq!(world.setting("sql.threads", json), ("2".to_owned(), origin));
}

#[test]
fn variables_that_are_meant_for_settings_are_checked_and_others_are_not() {
    let world = World::new();
    let with = |variables: &[(&str, &str)]| {
        let mut command = world.command(&["schema"]);
        command.envs(variables.iter().copied()).output().unwrap()
    };
    answers(&with(&[
        ("GENSTORE_PYTHON", "x"),
        ("GENSTORE_CORPUS", "x"),
        ("GENSTORE_TEST_WRITER_FOLDER", "x"),
        ("GENSTORE_BENCH_RUNS", "x"),
        ("GENSTORE_ONEX_CHECK", "x"),
    ]));
    for (name, value, told) in [
        (
            "GENSTORE_SQL_ROW_MAX",
            "1",
            "GENSTORE_SQL_ROW_MAX: there is no such setting\n  hint: Did you mean GENSTORE_SQL_ROWS_MAX?",
        ),
        (
            "GENSTORE_STROE_FLUSH_AGE",
            "1s",
            "GENSTORE_STROE_FLUSH_AGE: there is no such setting\n  hint: Did you mean GENSTORE_STORE_FLUSH_AGE?",
        ),
        (
            "GENSTORE_STORE_FLUSH_AGE",
            "1",
            "GENSTORE_STORE_FLUSH_AGE: store.flush_age: \"1\" is no time: write a number and a unit, such as \"250ms\", \"30s\" or \"24h\"",
        ),
        (
            "GENSTORE_STORE_FLUSH_AGE",
            "0s",
            "GENSTORE_STORE_FLUSH_AGE: store.flush_age is 0s, but must be above 0",
        ),
        (
            "GENSTORE_STORE_COMPACTION_ENABLED",
            "no",
            "GENSTORE_STORE_COMPACTION_ENABLED: store.compaction.enabled is \"no\", but must be true or false",
        ),
    ] {
        fails(&with(&[(name, value)]), 1, &format!("error: {told}\n"));
    }
    #[cfg(unix)]
    {
        use std::os::unix::ffi::OsStrExt;
        let mut command = world.command(&["schema"]);
        let bytes = std::ffi::OsStr::from_bytes(b"\xff");
        let output = command.env("GENSTORE_PIPELINE_OUT", bytes).output().unwrap();
        fails(&output, 1, "error: GENSTORE_PIPELINE_OUT: pipeline.out is not UTF-8\n");
    }
    let flag = |flag: &str| world.run(&["schema", "--config", flag]);
    let told = "error: --config \"sql.threads\" says no value\n  hint: Write --config SECTION.KEY=VALUE.\n";
    fails(&flag("sql.threads"), 2, told);
    let told =
        "error: --config: there is no setting \"sql.thread\"\n  hint: Did you mean sql.threads?\n";
    fails(&flag("sql.thread=1"), 2, told);
    let told = "error: --config: sql.threads is 2000, but must be at most 1024\n";
    fails(&flag("sql.threads=2000"), 2, told);
    let told = "error: --config: sql.threads is 99999999999999999999, which is too large\n";
    fails(&flag("sql.threads=99999999999999999999"), 2, told);
}

/// Where two settings of different origins do not go together, the place is that of the later one.
#[test]
fn a_relation_is_told_where_the_last_word_was_said() {
    let world = World::new();
    world.write(Layer::Store, "store.hot_bytes_max = \"32 MiB\"\n");
    answers(&world.run(&["schema"]));
    world.write(Layer::WorkingDirectory, "store.journal_bytes_max = \"17 MiB\"\n");
    let wrong = "store.hot_bytes_max is 32 MiB, but must be at least twice store.journal_bytes_max, which is 17 MiB\n";
    fails(&world.run(&["schema"]), 1, &format!("error: genstore.toml:1:7: {wrong}"));
    answers(&world.run(&["schema", "--config", "store.hot_bytes_max=34 MiB"]));
}

/// In the folder of the store, or the user's, the file is theirs, not the working directory's.
#[test]
fn one_file_is_read_once() {
    let world = World::new();
    world.write(Layer::Store, "store.durability = \"none\"\n");
    world.write(Layer::User, "repl.history_entries_max = 1\n");
    for folder in ["s.db", "home/.config/genstore"] {
        let mut command = world.command(&["config", "check"]);
        answers(&command.current_dir(world.path(folder)).output().unwrap());
    }
    // what a relative folder of configuration holds may be anybody's
    let mut command = world.command(&["config", "check"]);
    fs::create_dir_all(world.path("work/genstore")).unwrap();
    fs::write(world.path("work/genstore/genstore.toml"), "nonsense = 1\n").unwrap();
    answers(&command.env("XDG_CONFIG_HOME", ".").output().unwrap());
}

#[test]
fn settings_are_heeded_and_flags_of_a_command_win() {
    let world = World::new();
    world.samples();
    world.write(Layer::WorkingDirectory, "pipeline.out = \"nodes\"\n");
    answers(&world.run(&["run", "price.yaml"]));
    assert!(world.path("work/nodes").is_dir() && !world.path("work/generated").exists());
    answers(&world.run(&["run", "price.yaml", "--config", "pipeline.out=other"]));
    assert!(world.path("work/other").is_dir());
    answers(&world.run(&[
        "run",
        "price.yaml",
        "--out",
        "third",
        "--config",
        "pipeline.out=fourth",
    ]));
    assert!(world.path("work/third").is_dir() && !world.path("work/fourth").exists());

    let sql = |setting: &str, query: &str| {
        world.run(&["sql", "--format", "csv", "--config", setting, query])
    };
    let numbers =
        "SELECT count(*) FROM generate_series(1, 100000000) a, generate_series(1, 100000) b";
    let output = sql("sql.query_time_max=100ms", numbers);
    assert_eq!(output.status.code(), Some(1));
    assert!(
        stderr(&output).contains("the query has taken longer than 100ms"),
        "{}",
        stderr(&output)
    );
    let three = "SELECT value FROM generate_series(1, 3)";
    assert_eq!(answers(&sql("sql.rows_max=3", three)), "value\n1\n2\n3\n");
    let output = sql("sql.rows_max=2", three);
    assert_eq!(output.status.code(), Some(1));
    assert!(stderr(&output).contains("the result has more than 2 rows"), "{}", stderr(&output));
    let output = sql(
        "sql.memory_bytes_max=1 MiB",
        "SELECT p50(sqrt(value)) FROM generate_series(1, 300000)",
    );
    assert_eq!(output.status.code(), Some(1));
    assert!(stderr(&output).contains("memory"), "{}", stderr(&output));

    let flags = ["--config", "workflow.step_timeout=0s", "--config", "workflow.run_timeout=1ms"];
    let output = world.run(&[&["run", "price.yaml"][..], &flags].concat());
    assert!(stdout(&output).starts_with("timeout"), "{}", stdout(&output));

    answers(&world.run(&["export", "runs", "--to", "all", "--config", "sql.rows_max=1"]));

    fs::write(
        world.path("work/x.csv"),
        format!("name,batch_id,pinned,time\n{},b,true,2026-01-01T00:00:00Z\n", "x".repeat(2_000)),
    )
    .unwrap();
    let output =
        world.run(&["import", "baselines", "x.csv", "--config", "import.value_bytes_max=1 KiB"]);
    assert_eq!(output.status.code(), Some(1), "{}", stdout(&output));
    assert!(stderr(&output).contains("x.csv"), "{}", stderr(&output));
    answers(&world.run(&["import", "baselines", "x.csv"]));
}

/// A server that ends every connection: how often the program came.
#[test]
fn an_object_store_is_tried_as_often_as_the_settings_say() {
    let world = World::new();
    let server = TcpListener::bind("127.0.0.1:0").unwrap();
    let endpoint = format!("http://{}", server.local_addr().unwrap());
    let came = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&came);
    std::thread::spawn(move || {
        for connection in server.incoming() {
            counter.fetch_add(1, Ordering::SeqCst);
            drop(connection);
        }
    });
    let tries = |retries_max: usize| {
        let before = came.load(Ordering::SeqCst);
        let retries_max = format!("remote.retries_max={retries_max}");
        let call = ["sql", "SELECT 1", "--store", "s3://bucket/history", "--config", &retries_max];
        let mut command = world.command(&call);
        let command = command.args(["--config", "remote.pause_time_max=100ms"]).envs([
            ("AWS_ENDPOINT_URL", endpoint.as_str()),
            ("AWS_ALLOW_HTTP", "true"),
            ("AWS_ACCESS_KEY_ID", "id"),
            ("AWS_SECRET_ACCESS_KEY", "key"),
        ]);
        assert_eq!(command.output().unwrap().status.code(), Some(4));
        came.load(Ordering::SeqCst) - before
    };
    let once = tries(0);
    assert!(once >= 1);
    assert_eq!(tries(2), once * 3);
}

#[test]
fn the_shell_begins_as_its_settings_say_and_hands_them_on() {
    let world = World::new();
    world.samples();
    world.write(Layer::User, "repl.format = \"csv\"\n");
    let shell = |args: &[&str], script: &str| {
        fs::write(world.path("script"), script).unwrap();
        let mut command = world.command(&[&["repl"][..], args].concat());
        command.stdin(fs::File::open(world.path("script")).unwrap()).output().unwrap()
    };
    let run = shell(&["--config", "pipeline.out=from_shell"], ".run price.yaml\n");
    answers(&run);
    assert!(world.path("work/from_shell").is_dir());
    assert_eq!(answers(&shell(&[], "SELECT 1 AS a;\n")), "a\n1\n");
    assert_eq!(answers(&shell(&["--format", "ndjson"], "SELECT 1 AS a;\n")), "{\"a\":1}\n");
    let timed = answers(&shell(&["--config", "repl.timer=true"], "SELECT 1 AS a;\n"));
    assert!(timed.starts_with("a\n1\ntime: "), "{timed}");
    // another store has settings of its own
    fs::create_dir(world.path("other.db")).unwrap();
    fs::write(world.path("other.db/genstore.toml"), "nix = 1\n").unwrap();
    let other = world.path("other.db").display().to_string();
    let output = shell(&[], &format!(".run --store {other} price.yaml\n"));
    assert_eq!(output.status.code(), Some(1));
    let told = format!("{other}/genstore.toml:1:1: there is no setting nix");
    assert!(stderr(&output).contains(&told), "{}", stderr(&output));
}

/// A step of a compaction is that of the settings, and the logs are kept as they say by whoever
/// writes: a short log of one command would be the loss of another.
#[test]
fn looking_after_a_store_heeds_its_settings() {
    let world = World::new();
    world.samples();
    world.write(Layer::Store, "[store]\ncheckpoint_commits = 2\nlog_commits_kept = 1\nlog_kept = \"0s\"\ncompaction.enabled = false\n");
    for _ in 0..4 {
        answers(&world.run(&["run", "price.yaml"]));
    }
    let log = world.path("s.db/tables/runs/_delta_log");
    let names = || {
        let names = fs::read_dir(&log).unwrap().map(|it| it.unwrap().file_name());
        names.map(|it| it.to_string_lossy().into_owned()).collect::<Vec<_>>()
    };
    assert!(names().iter().any(|it| it.ends_with(".checkpoint.parquet")), "{:?}", names());
    assert!(!names().contains(&"00000000000000000000.json".to_owned()), "{:?}", names());
    let merged = |args: &[&str]| {
        let call =
            [&["store", "compact", "runs", "--step", "--dry-run", "--json"][..], args].concat();
        let told: Value = serde_json::from_str(&answers(&world.run(&call))).unwrap();
        told["tables"][0]["merges"].as_array().unwrap().len()
    };
    assert_eq!(merged(&[]), 0, "four files are not eight");
    assert_eq!(merged(&["--config", "store.compaction.files_min=2"]), 1);
}
