//! Data from outside that does more than it should when it is read.

use super::calls;
use crate::python::facts::ValueKind;
use crate::validate::rule::Sink;
use crate::validate::subject::{SourceFile, Subject};

/// Functions that build whatever objects the data names.
pub(super) fn deserialisation(_: &Subject, file: &SourceFile, sink: &mut Sink<'_>) {
    const LOADERS: [&str; 7] =
        ["pickle.", "_pickle.", "cPickle.", "dill.", "marshal.", "shelve.", "cloudpickle."];
    let module = &file.module;
    for (call, path) in calls(file) {
        let is_loader = LOADERS.iter().any(|it| {
            path.strip_prefix(it)
                .is_some_and(|it| matches!(it, "load" | "loads" | "open" | "Unpickler"))
        });
        let is_other = matches!(
            path,
            "jsonpickle.decode"
                | "pandas.read_pickle"
                | "shelve.DbfilenameShelf"
                | "yaml.unsafe_load"
                | "yaml.unsafe_load_all"
                | "yaml.full_load"
                | "yaml.full_load_all"
        );
        let takes_loader = matches!(path, "yaml.load" | "yaml.load_all");
        let loader = module.keyword(call, "Loader");
        let loader = loader.or_else(|| call.arguments.get(1).map(|it| module.text(it.value.place)));
        let is_safe = loader.is_some_and(|it| {
            let name = module.resolve(it);
            matches!(name.rsplit('.').next(), Some("SafeLoader" | "CSafeLoader" | "BaseLoader"))
        });
        if is_loader || is_other || (takes_loader && !is_safe) {
            let message = format!("`{path}` runs what the data says");
            sink.at(file, call.place, message, "Use JSON, or `yaml.safe_load`.");
        }
    }
}

/// XML parsers of the standard library, which expand entities.
pub(super) fn xml(_: &Subject, file: &SourceFile, sink: &mut Sink<'_>) {
    const TREE: [&str; 4] = ["parse", "iterparse", "fromstring", "XMLParser"];
    const DOCUMENT: [&str; 2] = ["parse", "parseString"];
    const READERS: [(&str, &[&str]); 7] = [
        ("xml.etree.ElementTree.", &TREE),
        ("xml.etree.cElementTree.", &TREE),
        ("xml.sax.", &["parse", "parseString", "make_parser"]),
        ("xml.sax.expatreader.", &["create_parser"]),
        ("xml.dom.minidom.", &DOCUMENT),
        ("xml.dom.pulldom.", &DOCUMENT),
        ("xml.dom.expatbuilder.", &DOCUMENT),
    ];
    for (call, path) in calls(file) {
        let reads = READERS.iter().any(|(module, functions)| {
            path.strip_prefix(module).is_some_and(|it| functions.contains(&it))
        });
        if reads {
            let message = format!("`{path}` expands every entity that the text declares");
            sink.at(file, call.place, message, "Use `defusedxml`, or JSON.");
        }
    }
}

/// Tar archives unpacked as they are.
pub(super) fn archive(_: &Subject, file: &SourceFile, sink: &mut Sink<'_>) {
    let module = &file.module;
    let knows_tar = module.imports.iter().any(|it| it.module == "tarfile");
    for call in module.calls.iter().filter(|_| knows_tar && !file.is_test()) {
        let method = call.method.map_or("", |place| module.text(place));
        let members = call.arguments.iter().find(|it| {
            it.value.kind == ValueKind::Call
                && it.name.is_some_and(|place| module.text(place) == "members")
        });
        let filter = module.keyword(call, "filter").map(|it| it.trim_matches(['"', '\'']));
        let is_checked = members.is_some() || matches!(filter, Some("data" | "tar"));
        if method == "extractall" && !is_checked {
            let message = "`extractall` writes wherever the archive says";
            sink.at(file, call.place, message, "Say `filter=\"data\"`.");
        }
    }
}

/// URLs that are opened whatever they begin with.
pub(super) fn url_scheme(_: &Subject, file: &SourceFile, sink: &mut Sink<'_>) {
    for (call, path) in calls(file) {
        let opens = matches!(
            path,
            "urllib.request.urlopen"
                | "urllib.request.urlretrieve"
                | "urllib.request.URLopener"
                | "urllib.request.FancyURLopener"
        );
        let is_literal = call.arguments.first().is_some_and(|it| {
            it.value.kind == ValueKind::Text
                && file.module.text(it.value.place).trim_matches(['"', '\'']).starts_with("http")
        });
        if opens && !is_literal {
            let message = format!("`{path}` opens a URL of any scheme");
            sink.at(file, call.place, message, "Check that it begins with `https://`.");
        }
    }
}
