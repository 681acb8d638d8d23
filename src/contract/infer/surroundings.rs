//! What surrounds a node's work: errors, dependencies by import, mixins, versions.

use std::collections::BTreeSet;

use serde_json::Map;

use super::files::{Found, Sources};
use crate::contract::expression::Expression;
use crate::contract::model::limits::number;
use crate::contract::model::mixins::{Mixin, MixinKind};
use crate::contract::model::{Dependency, ErrorCode, Version};
use crate::contract::words;
use crate::python::facts::Assignment;

/// Names that are no error of a node's own.
const NO_ERRORS: [&str; 6] = [
    "NotImplementedError",
    "AssertionError",
    "StopIteration",
    "StopAsyncIteration",
    "KeyboardInterrupt",
    "ModelOnexError",
];

/// Libraries that every node has, and the modules of Python itself; sorted.
pub(super) const NO_DEPENDENCIES: [&str; 201] = [
    "__future__",
    "abc",
    "aifc",
    "argparse",
    "array",
    "ast",
    "asynchat",
    "asyncio",
    "asyncore",
    "atexit",
    "audioop",
    "base64",
    "bdb",
    "binascii",
    "bisect",
    "builtins",
    "bz2",
    "cProfile",
    "calendar",
    "cgi",
    "cgitb",
    "chunk",
    "cmath",
    "cmd",
    "code",
    "codecs",
    "codeop",
    "collections",
    "colorsys",
    "compileall",
    "concurrent",
    "configparser",
    "contextlib",
    "contextvars",
    "copy",
    "copyreg",
    "crypt",
    "csv",
    "ctypes",
    "curses",
    "dataclasses",
    "datetime",
    "dbm",
    "decimal",
    "difflib",
    "dis",
    "distutils",
    "doctest",
    "email",
    "encodings",
    "ensurepip",
    "enum",
    "errno",
    "faulthandler",
    "fcntl",
    "filecmp",
    "fileinput",
    "fnmatch",
    "fractions",
    "ftplib",
    "functools",
    "gc",
    "getopt",
    "getpass",
    "gettext",
    "glob",
    "graphlib",
    "grp",
    "gzip",
    "hashlib",
    "heapq",
    "hmac",
    "html",
    "http",
    "imaplib",
    "imghdr",
    "imp",
    "importlib",
    "inspect",
    "io",
    "ipaddress",
    "itertools",
    "json",
    "keyword",
    "linecache",
    "locale",
    "logging",
    "lzma",
    "mailbox",
    "mailcap",
    "marshal",
    "math",
    "mimetypes",
    "mmap",
    "modulefinder",
    "multiprocessing",
    "netrc",
    "nis",
    "nntplib",
    "numbers",
    "omnibase_core",
    "operator",
    "optparse",
    "os",
    "ossaudiodev",
    "pathlib",
    "pdb",
    "pickle",
    "pickletools",
    "pipes",
    "pkgutil",
    "platform",
    "plistlib",
    "poplib",
    "posixpath",
    "pprint",
    "profile",
    "pstats",
    "pty",
    "pwd",
    "py_compile",
    "pyclbr",
    "pydantic",
    "pydoc",
    "queue",
    "quopri",
    "random",
    "re",
    "readline",
    "reprlib",
    "resource",
    "rlcompleter",
    "runpy",
    "sched",
    "secrets",
    "select",
    "selectors",
    "shelve",
    "shlex",
    "shutil",
    "signal",
    "site",
    "smtpd",
    "smtplib",
    "sndhdr",
    "socket",
    "socketserver",
    "spwd",
    "sqlite3",
    "ssl",
    "stat",
    "statistics",
    "string",
    "stringprep",
    "struct",
    "subprocess",
    "sunau",
    "symtable",
    "sys",
    "sysconfig",
    "syslog",
    "tabnanny",
    "tarfile",
    "telnetlib",
    "tempfile",
    "termios",
    "textwrap",
    "threading",
    "time",
    "timeit",
    "tkinter",
    "token",
    "tokenize",
    "tomllib",
    "trace",
    "traceback",
    "tracemalloc",
    "tty",
    "turtle",
    "types",
    "typing",
    "typing_extensions",
    "unicodedata",
    "unittest",
    "urllib",
    "uu",
    "uuid",
    "venv",
    "warnings",
    "wave",
    "weakref",
    "webbrowser",
    "wsgiref",
    "xdrlib",
    "xml",
    "xmlrpc",
    "zipapp",
    "zipfile",
    "zipimport",
    "zlib",
    "zoneinfo",
];

/// The codes of the package's error code enums, else the errors that it raises.
pub(super) fn error_codes(sources: &Sources) -> Vec<ErrorCode> {
    let codes = |it: &Found<'_>| {
        it.class.name.ends_with("ErrorCode") || it.class.name.ends_with("ErrorCodes")
    };
    let enums = sources.classes().filter(codes);
    let found: Vec<ErrorCode> = enums.flat_map(|it| members(sources, it)).collect();
    if found.is_empty() { raised(sources) } else { found }
}

/// The members of an enum of error codes, each with the docstring under it.
fn members(sources: &Sources, of: Found<'_>) -> Vec<ErrorCode> {
    let Some(members) = sources.members(of) else { return Vec::new() };
    let places: Vec<_> = of.assignments().map(|it| (it.target, it.place)).collect();
    let code = |(name, value): (String, Expression)| {
        let code = value.text()?.to_owned();
        let module = &of.source.module;
        let at = places.iter().position(|(target, _)| module.text(*target) == name)?;
        let (_, place) = places.get(at)?;
        let next = places.get(at + 1).map_or(of.class.place.end, |(target, _)| target.start);
        let about = module.texts.iter().find(|it| {
            it.standalone
                && it.site.class == Some(of.at)
                && (place.end..next).contains(&it.place.start)
        });
        let text = of.source.docstring(about.map(|it| it.place)).unwrap_or_default();
        let (text, recoverable) = if let Some(text) = text.strip_suffix("Not recoverable.") {
            (text, Some(false))
        } else if let Some(text) = text.strip_suffix("Recoverable.") {
            (text, Some(true))
        } else {
            (text.as_str(), None)
        };
        let description = Some(text.trim().to_owned()).filter(|it| !it.is_empty());
        Some(ErrorCode { code, description, recoverable, span: None })
    };
    members.into_iter().filter_map(code).collect()
}

/// Errors that the node's files raise, each once.
fn raised(sources: &Sources) -> Vec<ErrorCode> {
    let mut known = BTreeSet::new();
    let mut found = Vec::new();
    for source in sources.behaviour() {
        for spot in &source.module.raises {
            let text = source.module.text(spot.place).trim_start_matches("raise").trim();
            let text = text.split_once(" from ").map_or(text, |(raised, _)| raised);
            let name = match Expression::read(text) {
                Expression::Name(name) | Expression::Call(name, _) => name,
                _ => continue,
            };
            let name = name.rsplit('.').next().unwrap_or(&name).to_owned();
            let error = name.ends_with("Error") || name.ends_with("Exception");
            if !error || NO_ERRORS.contains(&name.as_str()) || !known.insert(name.clone()) {
                continue;
            }
            let about = sources.class(&name, source).and_then(|it| it.docstring());
            found.push(ErrorCode {
                code: words(&name).join("_").to_ascii_uppercase(),
                description: about,
                recoverable: None,
                span: None,
            });
        }
    }
    found.retain(|it| !it.code.is_empty());
    found
}

/// Protocols and libraries that the node's files import.
pub(super) fn imported(sources: &Sources) -> Vec<Dependency> {
    let mut known = BTreeSet::new();
    let mut found = Vec::new();
    for import in sources.behaviour().flat_map(|it| &it.module.imports).filter(|it| it.level == 0) {
        let top = import.module.split('.').next().unwrap_or_default();
        let protocol = import.member.as_deref().filter(|it| it.starts_with("Protocol"));
        let protocol = protocol.filter(|it| it.len() > "Protocol".len());
        let (name, kind) = match protocol {
            Some(member) => (words(member).join("_"), "protocol"),
            None if top.is_empty() || NO_DEPENDENCIES.binary_search(&top).is_ok() => continue,
            None => (top.to_owned(), "library"),
        };
        if known.insert(name.clone()) {
            found.push(Dependency {
                name,
                kind: Some(kind.to_owned()),
                module: Some(import.module.clone()).filter(|it| !it.is_empty()),
                class_name: protocol.map(str::to_owned),
                required: true,
                span: None,
            });
        }
    }
    found
}

/// The mixins that the node's class has, with the numbers that it sets.
pub(super) fn mixins(of: Found<'_>) -> Vec<Mixin> {
    let bases: Vec<String> = of.bases().collect();
    let has = |it: &MixinKind| bases.iter().any(|base| base == it.class_name());
    let mixin = |kind: MixinKind| {
        let mut settings = Map::new();
        for value in kind.values() {
            let named = |it: &&Assignment| of.source.module.text(it.target) == value.attribute;
            let given = of.assignments().find(named).and_then(|it| it.value);
            let given = given.and_then(|it| of.source.expression(it.place).number());
            if let Some(given) = given {
                settings.insert(value.attribute.to_owned(), number(given));
            }
        }
        Mixin { kind, settings, span: None }
    };
    MixinKind::ALL.into_iter().filter(has).map(mixin).collect()
}

/// A version in a constant.
pub(super) fn version(sources: &Sources, name: &str) -> Option<Version> {
    let text = sources.constant(name)?;
    let mut parts = text.text()?.split('.').map(str::parse);
    let mut part = || parts.next()?.ok();
    Some(Version { major: part()?, minor: part()?, patch: part()? })
}
