//! Which files SQL may touch: those below the working directory or a folder that was named, and
//! then only if somebody said so.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::Output;
use std::sync::Arc;

use genstore::clock::{ManualClock, SeededIds};
use genstore::event::{Event, RunRow};
use genstore::store::{Store, StoreOptions};

use crate::program::Place;

/// A store `store` with three runs, beside it a folder `work` to work in and one `outside`.
struct World {
    place: Place,
}

impl World {
    fn new() -> Self {
        let place = Place::new();
        let (clock, ids) = (ManualClock::at(0), Arc::new(SeededIds::new(1)));
        let store = Store::open_at(place.store(), StoreOptions::default(), clock, ids).unwrap();
        for n in 1..=3 {
            let run = RunRow {
                run_id: format!("run-{n}").into(),
                pipeline_name: "p".into(),
                result: "success".into(),
                duration_ns: n,
                ..RunRow::default()
            };
            store.commit_blocking(vec![Event::from(run)]).unwrap();
        }
        store.close().unwrap();
        let world = Self { place };
        for folder in ["work/sub", "work/.hidden", "outside"] {
            fs::create_dir_all(world.path(folder)).unwrap();
        }
        fs::write(world.path("outside/secret.csv"), "a\n1\n").unwrap();
        fs::write(world.path("work/own.csv"), "a,b\n1,x\n2,y\n").unwrap();
        fs::write(world.path("work/.hidden/h.csv"), "a\n1\n").unwrap();
        fs::write(world.path("work/.part.csv"), "a\n1\n").unwrap();
        world
    }

    fn path(&self, name: &str) -> std::path::PathBuf {
        self.place.root.path().join(name)
    }

    fn sql(&self, args: &[&str]) -> Output {
        let mut command = self.place.command(&["sql", "--format", "csv"]);
        command.args(args).current_dir(self.path("work")).output().unwrap()
    }

    #[track_caller]
    fn gives(&self, sql: &str) -> String {
        let output = self.sql(&["--files", sql]);
        assert!(output.status.success(), "{sql}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    }

    /// What is said of a statement that is refused.
    #[track_caller]
    fn refuses(&self, args: &[&str]) -> String {
        let output = self.sql(args);
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(1), "{args:?}: {said}");
        assert!(output.stdout.is_empty() && !said.contains("panicked"), "{args:?}: {said}");
        said
    }

    fn names(&self, folder: &str) -> Vec<String> {
        let entries = fs::read_dir(self.path(folder)).unwrap();
        let mut names: Vec<_> =
            entries.map(|it| it.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }
}

#[test]
fn what_is_copied_to_a_file_can_be_asked_for() {
    let world = World::new();
    for extension in ["parquet", "csv", "json", "ndjson"] {
        let said = world.gives(&format!(
            "COPY (SELECT run_id, duration_ns AS n FROM runs ORDER BY run_id) TO 'sub/r.{extension}'"
        ));
        assert!(said.starts_with("file,rows,bytes\n") && said.contains(",3,"), "{said}");
        let sql = format!("SELECT count(*) AS n, sum(n) AS s FROM 'sub/r.{extension}' f");
        assert_eq!(world.gives(&sql), "n,s\n3,6\n", "{extension}");
        let sql = format!(
            "SELECT r.duration_ns AS d FROM 'sub/r.{extension}' f JOIN runs r USING \
                           (run_id) WHERE f.n = 2"
        );
        assert_eq!(world.gives(&sql), "d\n2\n", "{extension}");
    }
    // over what is there; a table by its name; a format that the name does not say
    world.gives("COPY runs TO 'sub/r.csv'");
    world.gives("COPY runs TO 'sub/plain' STORED AS CSV");
    let text = fs::read_to_string(world.path("work/sub/plain")).unwrap();
    assert!(text.starts_with("run_id,") && text.lines().count() == 4, "{text}");
    assert_eq!(fs::read_to_string(world.path("work/sub/r.csv")).unwrap(), text);
    assert_eq!(world.names("work/sub"), ["plain", "r.csv", "r.json", "r.ndjson", "r.parquet"]);
    assert_eq!(world.gives("SELECT a, b FROM 'own.csv' WHERE a > 1"), "a,b\n2,y\n");
}

#[test]
fn a_pattern_is_one_table_and_files_can_have_a_name() {
    let world = World::new();
    fs::write(world.path("work/sub/1.csv"), "a\n1\n").unwrap();
    fs::write(world.path("work/sub/2.csv"), "a\n2\n").unwrap();
    fs::write(world.path("work/sub/.3.csv.tmp-1"), "a\n3\n").unwrap();
    assert_eq!(world.gives("SELECT sum(a) AS s FROM 'sub/*.csv'"), "s\n3\n");
    let said = world.gives(
        "CREATE EXTERNAL TABLE Old STORED AS CSV LOCATION 'sub/*.csv'; SELECT max(a) AS m FROM old",
    );
    assert!(said.contains("\na,Int64,") && said.ends_with("m\n2\n"), "{said}");
    let named = "CREATE EXTERNAL TABLE runs STORED AS CSV LOCATION 'sub/*.csv'";
    assert!(world.refuses(&["--files", named]).contains("the store has a table runs"));
    let options = "CREATE EXTERNAL TABLE x STORED AS CSV LOCATION 'own.csv' OPTIONS ('a.b' 'c')";
    assert!(world.refuses(&["--files", options]).contains("one location"));
    fs::write(world.path("work/bad.parquet"), "no rows here").unwrap();
    let said = world.refuses(&["--files", "SELECT * FROM 'bad.parquet'"]);
    assert!(said.contains("cannot read") && said.contains("bad.parquet as Parquet"), "{said}");
    assert!(world.refuses(&["--files", "SELECT * FROM 'nix*.csv'"]).contains("no file is called"));
    assert!(world.refuses(&["--files", "SELECT * FROM 'nix.csv'"]).contains("there is no file"));
}

#[test]
fn without_the_flag_no_file_is_touched() {
    let world = World::new();
    for sql in [
        "SELECT * FROM 'own.csv'",
        "COPY runs TO 'x.csv'",
        "CREATE EXTERNAL TABLE x STORED AS CSV LOCATION 'own.csv'",
    ] {
        let said = world.refuses(&[sql]);
        assert!(said.contains("--files"), "{sql}: {said}");
    }
    assert_eq!(world.names("work"), [".hidden", ".part.csv", "own.csv", "sub"]);
}

#[test]
fn nothing_outside_is_read_or_written() {
    let world = World::new();
    let secret = world.path("outside/secret.csv").display().to_string();
    symlink(world.path("outside"), world.path("work/link")).unwrap();
    symlink(world.path("outside/secret.csv"), world.path("work/link.csv")).unwrap();
    symlink(world.path("outside/none.csv"), world.path("work/broken.csv")).unwrap();
    let paths = [
        secret.as_str(),
        "../outside/secret.csv",
        "sub/../../outside/secret.csv",
        "link/secret.csv",
        "link.csv",
        "link/*.csv",
        "../outside/*.csv",
        "*/../../outside/*.csv",
        "/etc/passwd.csv",
        "../nothing/here.csv",
    ];
    for (path, n) in paths.iter().zip(0..) {
        let sql = match n % 3 {
            0 => format!("SELECT * FROM '{path}'"),
            1 => format!("SELECT * FROM \"{path}\""),
            _ => format!("CREATE EXTERNAL TABLE x STORED AS CSV LOCATION '{path}'"),
        };
        let said = world.refuses(&["--files", &sql]);
        assert!(said.contains("outside of the working directory"), "{sql}: {said}");
        assert!(said.contains("sql.file_dirs") && said.contains(path), "{sql}: {said}");
    }
    for path in [
        world.path("outside/new.csv").display().to_string().as_str(),
        "../outside/new.csv",
        "link/new.csv",
        "/tmp/genstore-copy.csv",
    ] {
        let said = world.refuses(&["--files", &format!("COPY runs TO '{path}'")]);
        assert!(said.contains("outside of the working directory"), "{path}: {said}");
    }
    for (path, why) in [
        ("link.csv", "no file"),
        ("broken.csv", "no file"),
        ("sub/", "says no format"),
        ("sub", "says no format"),
        ("nix/x.csv", "its folder cannot be opened"),
        ("x.xlsx", "no files of format \"xlsx\""),
        ("x", "says no format"),
        ("s3://bucket/x.csv", "it is an address"),
        ("file:///etc/x.csv", "it is an address"),
    ] {
        let said = world.refuses(&["--files", &format!("COPY runs TO '{path}'")]);
        assert!(said.contains(why), "{path}: {said}");
    }
    for path in ["file:///etc/passwd.csv", "https://example.org/x.csv", "s3://bucket/x.csv"] {
        let said = world.refuses(&["--files", &format!("SELECT * FROM '{path}'")]);
        assert!(said.contains("it is an address"), "{path}: {said}");
    }
    assert_eq!(world.names("outside"), ["secret.csv"]);
    assert!(!Path::new("/tmp/genstore-copy.csv").exists());
}

#[test]
fn neither_the_store_nor_hidden_files_are_touched() {
    let world = World::new();
    let root = format!("sql.file_dirs={}", world.place.root.path().display());
    let data = "../store/tables/runs/*.parquet";
    for sql in [
        format!("SELECT * FROM '{data}'"),
        "SELECT * FROM '../store/store.json'".to_owned(),
        "COPY runs TO '../store/tables/runs/x.parquet'".to_owned(),
        "COPY runs TO '../store/store.json'".to_owned(),
    ] {
        let said = world.refuses(&["--files", "--config", &root, &sql]);
        assert!(said.contains("it lies in a store"), "{sql}: {said}");
    }
    symlink(world.path("store/tables/runs"), world.path("work/runs")).unwrap();
    let said = world.refuses(&["--files", "--config", &root, "SELECT * FROM 'runs/*.parquet'"]);
    assert!(said.contains("it lies in a store"), "{said}");
    for path in [".part.csv", ".hidden/h.csv", "sub/../.part.csv"] {
        let said = world.refuses(&["--files", &format!("SELECT * FROM '{path}'")]);
        assert!(said.contains("it is hidden"), "{path}: {said}");
    }
    assert!(world.refuses(&["--files", "COPY runs TO '.x.csv'"]).contains("it is hidden"));
    // a folder that was named is open to it
    let sql = "SELECT a FROM '../outside/secret.csv'";
    let output = world.sql(&["--files", "--config", &root, sql]);
    assert_eq!(String::from_utf8_lossy(&output.stdout), "a\n1\n");
    let output = world.sql(&["--config", "sql.file_dirs=outside", "SELECT 1"]);
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.code() == Some(2) && said.contains("not a whole path"), "{said}");
}

/// A COPY that fails leaves what was there, and nothing of its own.
#[test]
fn a_copy_that_fails_leaves_nothing() {
    let world = World::new();
    fs::write(world.path("work/sub/x.csv"), "mine\n").unwrap();
    let fails =
        "COPY (SELECT 1 / (2 - duration_ns) AS x, repeat('x', 1000) FROM runs) TO 'sub/x.csv'";
    assert!(world.refuses(&["--files", fails]).contains("division by zero"));
    let endless = "COPY (SELECT value FROM generate_series(1, 100000000000)) TO 'sub/y.csv'";
    assert!(world.refuses(&["--files", "--timeout", "100ms", endless]).contains("100ms"));
    let wrong = "COPY (SELECT * FROM rusn) TO 'sub/z.csv'";
    let said = world.refuses(&["--files", wrong]);
    assert!(said.contains("runs?") && said.contains("^^^^"), "{said}");
    let options = "COPY runs TO 'sub/z.parquet' OPTIONS ('compression' 'snappy')";
    assert!(world.refuses(&["--files", options]).contains("takes no options"));
    assert_eq!(world.names("work/sub"), ["x.csv"]);
    assert_eq!(fs::read_to_string(world.path("work/sub/x.csv")).unwrap(), "mine\n");
    assert!(world.refuses(&["--files", "EXPLAIN COPY runs TO 'sub/z.csv'"]).contains("only reads"));
    assert!(
        world.refuses(&["--files", "INSERT INTO 'own.csv' SELECT 1, 'x'"]).contains("only reads")
    );
}
