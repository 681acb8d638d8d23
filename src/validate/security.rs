//! Can the code be made to do harm, or does it reach for what a node must not touch.

use super::rule::{Check, Rule, Sink};
use super::subject::{SourceFile, Subject};
use crate::contract::model::{Contract, NodeType};
use crate::finding::Level;
use crate::python::Module;
use crate::python::facts::{Call, ValueKind};

mod literals;
mod loading;
mod paths;

/// Modules that talk to a network or a database and that upstream's purity check leaves out; those
/// that it knows are `compliance.purity`.
const NETWORK: [&str; 15] = [
    "boto3",
    "ftplib",
    "grpc",
    "http.client",
    "motor",
    "paramiko",
    "pymongo",
    "requests",
    "smtplib",
    "socket",
    "sqlalchemy",
    "sqlite3",
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
        codes: &["S102", "S307"],
        check: Check::File(exec),
    },
    Rule {
        id: "security.shell",
        level: Level::Error,
        summary: "a command goes through a shell",
        why: "A `;` in an argument is enough to run another command.",
        codes: &["S602", "S604", "S605"],
        check: Check::File(shell),
    },
    Rule {
        id: "security.deserialisation",
        level: Level::Error,
        summary: "data is loaded by a format that runs code",
        why: "`pickle`, `marshal` and `yaml.load` build whatever objects the data names.",
        codes: &["S301", "S302", "S506"],
        check: Check::File(loading::deserialisation),
    },
    Rule {
        id: "security.xml",
        level: Level::Warning,
        summary: "XML is read by a parser that expands everything",
        why: "A kilobyte of nested entities becomes gigabytes; outside entities read local files.",
        codes: &["S313", "S314", "S315", "S316", "S317", "S318", "S319"],
        check: Check::File(loading::xml),
    },
    Rule {
        id: "security.archive",
        level: Level::Error,
        summary: "a tar archive is unpacked with whatever paths it names",
        why: "A member called `../x` or a link lands outside of the folder.",
        codes: &["S202"],
        check: Check::File(loading::archive),
    },
    Rule {
        id: "security.url-scheme",
        level: Level::Warning,
        summary: "`urlopen` takes a URL that is not a literal",
        why: "`file:` is a URL, too: it reads files of this machine.",
        codes: &["S310"],
        check: Check::File(loading::url_scheme),
    },
    Rule {
        id: "security.path-traversal",
        level: Level::Warning,
        summary: "a parameter becomes part of a path that is opened",
        why: "`../` in it leads to any file of the machine.",
        codes: &[],
        check: Check::File(paths::traversal),
    },
    Rule {
        id: "security.absolute-path",
        level: Level::Warning,
        summary: "an absolute path is written in the code",
        why: "It says where one machine keeps things; in `/tmp`, others can be there first.",
        codes: &["S108"],
        check: Check::File(paths::absolute),
    },
    Rule {
        id: "security.permissions",
        level: Level::Warning,
        summary: "a file may be written by everybody, or run by its group",
        why: "Whoever can change a file can change what reads it.",
        codes: &["S103"],
        check: Check::File(paths::permissions),
    },
    Rule {
        id: "security.temporary-file",
        level: Level::Warning,
        summary: "`tempfile.mktemp` names a file that somebody else can create first",
        why: "Between the name and the file there is time for a link to another place.",
        codes: &["S306"],
        check: Check::File(paths::temporary),
    },
    Rule {
        id: "security.secret",
        level: Level::Error,
        summary: "a password, token or key is written in the code",
        why: "It ends in every copy of the package, and in the store.",
        codes: &["S105", "S106", "S107"],
        check: Check::File(literals::secrets),
    },
    Rule {
        id: "security.sql",
        level: Level::Error,
        summary: "an SQL text is put together from values",
        why: "A quote in a value is enough to make it another statement.",
        codes: &["S608"],
        check: Check::File(literals::sql),
    },
    Rule {
        id: "security.network",
        level: Level::Error,
        summary: "a COMPUTE node imports what talks to a network or a database",
        why: "It has to be a pure function of its input: cached, replayed and run anywhere.",
        codes: &[],
        check: Check::Contract(network),
    },
    Rule {
        id: "security.bind-all",
        level: Level::Warning,
        summary: "`0.0.0.0` is written in the code",
        why: "A server on it can be reached from every network of the machine.",
        codes: &["S104"],
        check: Check::File(literals::bind_all),
    },
    Rule {
        id: "security.weak-hash",
        level: Level::Warning,
        summary: "MD4, MD5 or SHA-1 is used",
        why: "Two texts with one digest can be made at will.",
        codes: &["S324"],
        check: Check::File(weak_hash),
    },
    Rule {
        id: "security.tls",
        level: Level::Error,
        summary: "the certificate of the other side is not checked",
        why: "Anyone between the two can read and change what is sent.",
        codes: &["S501", "S323"],
        check: Check::File(tls),
    },
    Rule {
        id: "security.autoescape",
        level: Level::Warning,
        summary: "Jinja fills in values without escaping them",
        why: "Where the result is HTML, a value can be a script.",
        codes: &["S701"],
        check: Check::File(autoescape),
    },
    Rule {
        id: "security.assert",
        level: Level::Warning,
        summary: "a check is an `assert`",
        why: "`python -O` leaves it out.",
        codes: &["S101"],
        check: Check::File(asserts),
    },
];

/// The calls of a file outside of tests, with the full path of what they call.
fn calls(file: &SourceFile) -> impl Iterator<Item = (&Call, &str)> {
    let calls = file.module.calls.iter().filter(|_| !file.is_test());
    calls.filter_map(|call| Some((call, call.path.as_deref()?)))
}

/// Whether a path is a builtin function that the file does not define itself.
fn is_builtin(module: &Module, path: &str, names: &[&str]) -> bool {
    let name = path.strip_prefix("builtins.").unwrap_or(path);
    names.contains(&name) && !module.functions.iter().any(|it| it.name == name)
}

fn exec(_: &Subject, file: &SourceFile, sink: &mut Sink<'_>) {
    for (call, path) in calls(file) {
        if is_builtin(&file.module, path, &["exec", "eval", "compile"]) {
            let message = format!("`{path}` runs a text as code");
            sink.at(file, call.place, message, "Write the code, or read data with a parser.");
        }
    }
}

fn shell(_: &Subject, file: &SourceFile, sink: &mut Sink<'_>) {
    let module = &file.module;
    let help = "Pass a list of arguments to `subprocess.run` without a shell.";
    for call in module.calls.iter().filter(|_| !file.is_test()) {
        let path = call.path.as_deref().unwrap_or_default();
        let is_shell = matches!(
            path,
            "os.system"
                | "os.popen"
                | "os.popen2"
                | "os.popen3"
                | "os.popen4"
                | "subprocess.getoutput"
                | "subprocess.getstatusoutput"
                | "asyncio.create_subprocess_shell"
        );
        let asks_for_one = matches!(module.keyword(call, "shell"), Some("True" | "1"));
        if is_shell || asks_for_one {
            let method = call.method.map_or("", |place| module.text(place));
            let shown = if path.is_empty() { method } else { path };
            let message = format!("`{shown}` runs a command through a shell");
            sink.at(file, call.place, message, help);
        }
    }
}

fn network(contract: &Contract, subject: &Subject, sink: &mut Sink<'_>) {
    if contract.node_type != NodeType::Compute {
        return;
    }
    let help = "Let an EFFECT node do it, and pass the result in.";
    for file in subject.production().filter(|it| it.module.is_valid()) {
        for import in file.module.imports.iter().filter(|it| it.level == 0) {
            let path = import.target();
            let reaches = NETWORK.iter().any(|it| {
                let rest = path.strip_prefix(it);
                rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
                    || import.module == *it
            });
            if reaches {
                let message = format!("a COMPUTE node imports `{}`", import.module);
                sink.at(file, import.place, message, help);
            }
        }
    }
}

fn weak_hash(_: &Subject, file: &SourceFile, sink: &mut Sink<'_>) {
    let is_weak_name = |it: &str| {
        matches!(it.to_lowercase().replace('-', "").as_str(), "md4" | "md5" | "sha" | "sha1")
    };
    for (call, path) in calls(file) {
        let Some(name) = path.strip_prefix("hashlib.") else { continue };
        let module = &file.module;
        let first = call.arguments.first().map(|it| module.text(it.value.place));
        let named = first.or_else(|| module.keyword(call, "name")).unwrap_or_default();
        let by_name = name == "new" && is_weak_name(named.trim_matches(['"', '\'']));
        let is_declared_harmless = module.keyword(call, "usedforsecurity") == Some("False");
        if (is_weak_name(name) || by_name) && !is_declared_harmless {
            let message = format!("`{path}` makes a digest that can be forged");
            let help = "Use `hashlib.sha256`, or say `usedforsecurity=False`.";
            sink.at(file, call.place, message, help);
        }
    }
}

fn autoescape(_: &Subject, file: &SourceFile, sink: &mut Sink<'_>) {
    for (call, path) in calls(file) {
        let is_environment =
            matches!(path, "jinja2.Environment" | "jinja2.environment.Environment");
        let asked = file.module.keyword(call, "autoescape");
        let is_on = asked.is_some_and(|it| it == "True" || it.contains("select_autoescape"));
        if is_environment && !is_on {
            let help = "Say `autoescape=select_autoescape()`, or suppress this where the result is \
                        no HTML.";
            sink.at(file, call.place, "the environment escapes nothing", help);
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
        let path = call.path.as_deref().unwrap_or_default();
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
