//! Can the code be made to do harm, or does it reach for what a node must not touch.

use super::rule::{Check, Rule, Sink};
use super::subject::{SourceFile, Subject};
use crate::contract::model::NodeType;
use crate::finding::Level;
use crate::python::Module;
use crate::python::facts::{Call, ValueKind};

mod literals;

/// Modules that talk to a network or a database (upstream's list, and `requests`, `urllib.request`
/// and others that upstream leaves out).
const NETWORK: [&str; 26] = [
    "aiohttp",
    "aiokafka",
    "aioredis",
    "asyncpg",
    "boto3",
    "confluent_kafka",
    "ftplib",
    "grpc",
    "http.client",
    "httpx",
    "kafka",
    "motor",
    "paramiko",
    "psycopg",
    "psycopg2",
    "pymongo",
    "redis",
    "requests",
    "smtplib",
    "socket",
    "sqlalchemy",
    "sqlite3",
    "telnetlib",
    "urllib.request",
    "urllib3",
    "websockets",
];

/// The rules.
pub(super) const RULES: &[Rule] = &[
    Rule {
        id: "security.exec",
        level: Level::Error,
        summary: "`exec`, `eval` or `compile` runs a text",
        why: "Whoever can write the text can do whatever the process can.",
        check: Check::File(exec),
    },
    Rule {
        id: "security.shell",
        level: Level::Error,
        summary: "a command goes through a shell",
        why: "A `;` in an argument is enough to run another command.",
        check: Check::File(shell),
    },
    Rule {
        id: "security.deserialisation",
        level: Level::Error,
        summary: "data is loaded by a format that runs code",
        why: "`pickle`, `marshal` and `yaml.load` build whatever objects the data names.",
        check: Check::File(deserialisation),
    },
    Rule {
        id: "security.secret",
        level: Level::Error,
        summary: "a password, token or key is written in the code",
        why: "It ends in every copy of the package, and in the store.",
        check: Check::File(literals::secrets),
    },
    Rule {
        id: "security.absolute-path",
        level: Level::Warning,
        summary: "an absolute path is written in the code",
        why: "It says where one machine keeps things, and others do not.",
        check: Check::File(literals::absolute_paths),
    },
    Rule {
        id: "security.purity",
        level: Level::Error,
        summary: "a COMPUTE node reaches for network, files or environment",
        why: "It has to be a pure function of its input: cached, replayed and run anywhere.",
        check: Check::File(purity),
    },
    Rule {
        id: "security.environment",
        level: Level::Warning,
        summary: "a node reads the environment",
        why: "Configuration comes from the container, where it can be seen and checked.",
        check: Check::File(environment),
    },
    Rule {
        id: "security.temporary-file",
        level: Level::Warning,
        summary: "`tempfile.mktemp` names a file that somebody else can create first",
        why: "Between the name and the file there is time for a link to another place.",
        check: Check::File(temporary_file),
    },
    Rule {
        id: "security.weak-hash",
        level: Level::Warning,
        summary: "MD5 or SHA-1 is used",
        why: "Two texts with one digest can be made at will.",
        check: Check::File(weak_hash),
    },
    Rule {
        id: "security.sql",
        level: Level::Error,
        summary: "an SQL text is put together from values",
        why: "A quote in a value is enough to make it another statement.",
        check: Check::File(literals::sql),
    },
    Rule {
        id: "security.assert",
        level: Level::Warning,
        summary: "a check is an `assert`",
        why: "`python -O` leaves it out.",
        check: Check::File(asserts),
    },
    Rule {
        id: "security.tls",
        level: Level::Error,
        summary: "the certificate of the other side is not checked",
        why: "Anyone between the two can read and change what is sent.",
        check: Check::File(tls),
    },
];

/// The calls of a file outside of tests, with the full path of what they call.
fn calls(file: &SourceFile) -> impl Iterator<Item = (&Call, String)> {
    let calls = file.module.calls.iter().filter(|_| !file.is_test());
    calls.filter_map(|call| Some((call, file.module.callee(call)?)))
}

/// Whether a path is a builtin function that the file does not define itself.
fn is_builtin(module: &Module, path: &str, names: &[&str]) -> bool {
    let name = path.strip_prefix("builtins.").unwrap_or(path);
    names.contains(&name) && !module.functions.iter().any(|it| it.name == name)
}

fn exec(_: &Subject, file: &SourceFile, sink: &mut Sink<'_>) {
    for (call, path) in calls(file) {
        if is_builtin(&file.module, &path, &["exec", "eval", "compile"]) {
            let message = format!("`{path}` runs a text as code");
            sink.at(file, call.place, message, "Write the code, or read data with a parser.");
        }
    }
}

fn shell(_: &Subject, file: &SourceFile, sink: &mut Sink<'_>) {
    let help = "Pass a list of arguments to `subprocess.run` without a shell.";
    for (call, path) in calls(file) {
        let is_shell = matches!(
            path.as_str(),
            "os.system"
                | "os.popen"
                | "subprocess.getoutput"
                | "subprocess.getstatusoutput"
                | "asyncio.create_subprocess_shell"
        );
        let asks_for_one =
            path.starts_with("subprocess.") && file.module.keyword(call, "shell") == Some("True");
        if is_shell || asks_for_one {
            sink.at(file, call.place, format!("`{path}` runs a command through a shell"), help);
        }
    }
}

fn deserialisation(_: &Subject, file: &SourceFile, sink: &mut Sink<'_>) {
    for (call, path) in calls(file) {
        let loads = ["pickle.", "_pickle.", "cPickle.", "dill.", "marshal.", "shelve."];
        let is_code = loads.iter().any(|module| {
            path.strip_prefix(module)
                .is_some_and(|it| matches!(it, "load" | "loads" | "open" | "Unpickler"))
        });
        let is_unsafe_yaml = matches!(path.as_str(), "yaml.load" | "yaml.load_all")
            && !file.module.text(call.place).contains("SafeLoader");
        let is_named_unsafe = matches!(path.as_str(), "yaml.unsafe_load" | "yaml.full_load");
        if is_code || is_unsafe_yaml || is_named_unsafe {
            let message = format!("`{path}` runs what the data says");
            sink.at(file, call.place, message, "Use JSON, or `yaml.safe_load`.");
        }
    }
}

fn purity(subject: &Subject, file: &SourceFile, sink: &mut Sink<'_>) {
    if subject.contract().node_type != NodeType::Compute || file.is_test() {
        return;
    }
    let module = &file.module;
    let help = "Let an EFFECT node do it, and pass the result in.";
    for import in module.imports.iter().filter(|it| it.level == 0) {
        let path = import.target();
        let reaches = NETWORK.iter().any(|it| {
            path == *it
                || path.strip_prefix(it).is_some_and(|rest| rest.starts_with('.'))
                || import.module == *it
        });
        if reaches {
            let message = format!("a COMPUTE node imports `{}`", import.module);
            sink.at(file, import.place, message, help);
        }
    }
    for (call, path) in calls(file) {
        if is_builtin(module, &path, &["open", "input"]) || path == "io.open" {
            sink.at(file, call.place, format!("a COMPUTE node calls `{path}`"), help);
        }
    }
    for place in environment_places(module) {
        sink.at(file, place, "a COMPUTE node reads the environment", help);
    }
}

/// Where a file reads or changes the environment.
fn environment_places(module: &Module) -> Vec<crate::python::Place> {
    let is_environment = |path: &str| {
        matches!(path, "os.environ" | "os.environb" | "os.getenv" | "os.putenv" | "os.unsetenv")
    };
    let attributes = module.attributes.iter().map(|spot| spot.place);
    let attributes =
        attributes.filter(|place| is_environment(&module.resolve(module.text(*place))));
    let imported = module.imports.iter().filter(|it| it.level == 0);
    let imported = imported.filter(|it| it.member.is_some() && is_environment(&it.target()));
    attributes.chain(imported.map(|it| it.place)).collect()
}

fn environment(subject: &Subject, file: &SourceFile, sink: &mut Sink<'_>) {
    if subject.contract().node_type == NodeType::Compute || file.is_test() {
        return;
    }
    for place in environment_places(&file.module) {
        let help = "Take the value from the container or the request.";
        sink.at(file, place, "the node reads the environment", help);
    }
}

fn temporary_file(_: &Subject, file: &SourceFile, sink: &mut Sink<'_>) {
    for (call, _) in calls(file).filter(|(_, path)| path == "tempfile.mktemp") {
        let message = "`tempfile.mktemp` only names a file, it does not create it";
        sink.at(file, call.place, message, "Use `NamedTemporaryFile` or `mkstemp`.");
    }
}

fn weak_hash(_: &Subject, file: &SourceFile, sink: &mut Sink<'_>) {
    for (call, path) in calls(file) {
        let first = call.arguments.first().map(|it| file.module.text(it.value.place));
        let by_name = path == "hashlib.new"
            && first.is_some_and(|it| {
                matches!(it.trim_matches(['"', '\'']).to_lowercase().as_str(), "md5" | "sha1")
            });
        let is_weak = matches!(path.as_str(), "hashlib.md5" | "hashlib.sha1") || by_name;
        let is_declared_harmless = file.module.keyword(call, "usedforsecurity") == Some("False");
        if is_weak && !is_declared_harmless {
            let message = format!("`{path}` makes a digest that can be forged");
            let help = "Use `hashlib.sha256`, or say `usedforsecurity=False`.";
            sink.at(file, call.place, message, help);
        }
    }
}

fn asserts(_: &Subject, file: &SourceFile, sink: &mut Sink<'_>) {
    if file.is_test() {
        return;
    }
    for spot in &file.module.asserts {
        sink.at(file, spot.place, "the check is an `assert`", "Raise an error instead.");
    }
}

fn tls(_: &Subject, file: &SourceFile, sink: &mut Sink<'_>) {
    let module = &file.module;
    for call in module.calls.iter().filter(|_| !file.is_test()) {
        let method = call.method.map_or("", |place| module.text(place));
        let path = module.callee(call).unwrap_or_default();
        let is_request = matches!(
            method,
            "get"
                | "post"
                | "put"
                | "patch"
                | "delete"
                | "head"
                | "options"
                | "request"
                | "stream"
                | "Client"
                | "AsyncClient"
                | "Session"
                | "HTTPTransport"
        );
        let off = call.arguments.iter().any(|argument| {
            let name = argument.name.map_or("", |place| module.text(place));
            argument.value.kind == ValueKind::Boolean(false)
                && matches!(name, "verify" | "ssl")
                && is_request
        });
        if off || path == "ssl._create_unverified_context" {
            let message = format!("`{method}` does not check the certificate of the other side");
            sink.at(file, call.place, message, "Leave the check on; add the authority instead.");
        }
    }
}
