//! Where pipelines are found: those that come with the program, and files. The only place that
//! reads a pipeline file.

use std::path::{Path, PathBuf};

use super::file::PipelineFile;
use crate::error::{Error, Result, nearest};
use crate::finding::Finding;
use crate::workflow::{Called, Library, Workflow};

/// Most bytes of a pipeline file.
const SIZE_BYTES_MAX: u64 = 8 << 20;

macro_rules! builtin {
    ($($name:literal),*) => {
        [$(($name, include_str!(concat!("../../data/pipelines/", $name, ".yaml")))),*]
    };
}

/// Examples of everything that a pipeline can say, by name.
const BUILTIN: [(&str, &str); 14] = builtin![
    "call",
    "conditional",
    "fan_out",
    "feed",
    "graph",
    "parallel",
    "program",
    "recovery",
    "resources",
    "sequence",
    "state",
    "template",
    "tree",
    "undo"
];

/// A pipeline's text, and where it was found.
#[derive(Debug)]
pub struct Found {
    /// The file, or the name of one that comes with the program.
    pub uri: String,
    /// The text.
    pub text: String,
}

/// Names of the pipelines that come with the program.
pub fn builtin_names() -> impl Iterator<Item = &'static str> {
    BUILTIN.iter().map(|it| it.0)
}

/// Finds a pipeline by the name of one that comes with the program, or by its file.
///
/// # Errors
/// Invalid, when there is none, or the file is not to be read.
pub fn find(wanted: &str) -> Result<Found> {
    match builtin(wanted) {
        Some(found) if !Path::new(wanted).is_file() => Ok(found),
        _ => read(Path::new(wanted)),
    }
}

/// A pipeline that comes with the program.
pub fn builtin(name: &str) -> Option<Found> {
    let (name, text) = BUILTIN.iter().find(|it| it.0 == name)?;
    Some(Found { uri: (*name).to_owned(), text: (*text).to_owned() })
}

/// Names of the parameters of a pipeline; none where it cannot be read or is not sound.
pub fn parameters(wanted: &str) -> Vec<String> {
    let Ok(found) = find(wanted) else { return Vec::new() };
    let file = PipelineFile::parse(&found.text, &found.uri);
    let parameters = file.definition().map(|it| it.parameters.iter());
    parameters.into_iter().flatten().map(|it| it.name.clone()).collect()
}

/// The pipelines of a folder by name: its YAML files that can be read and have steps. What is in
/// folders inside of it is not looked at.
///
/// # Errors
/// Invalid, when it is no folder that can be read.
pub fn in_folder(folder: &Path) -> Result<Vec<Found>> {
    let paths = yaml_files(folder).map_err(|source| {
        let error = Error::invalid(format!("cannot list the folder {}", folder.display()));
        error.with_source(source)
    })?;
    let found = paths.iter().filter_map(|it| read(it).ok());
    Ok(found.filter(|it| PipelineFile::parse(&it.text, &it.uri).has_steps()).collect())
}

/// The YAML files of a folder, by name.
fn yaml_files(folder: &Path) -> std::io::Result<Vec<PathBuf>> {
    let mut paths = Vec::new();
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        let is_yaml = path.extension().is_some_and(|it| it == "yaml" || it == "yml");
        paths.extend((is_yaml && path.is_file()).then_some(path));
    }
    paths.sort();
    Ok(paths)
}

fn read(path: &Path) -> Result<Found> {
    let failed = |what: &str| Error::invalid(format!("cannot read {}: {what}", path.display()));
    let metadata = std::fs::metadata(path).map_err(|source| {
        let missing = source.kind() == std::io::ErrorKind::NotFound;
        let error = Error::invalid(format!("there is no pipeline {}", path.display()));
        match near(path, path.parent()).filter(|_| missing) {
            Some(near) => error.with_hint(format!("Did you mean `{near}`?")),
            None if missing => error.with_hint("`genstore pipeline list` lists those with names."),
            None => failed("it cannot be looked at").with_source(source),
        }
    })?;
    if metadata.is_dir() {
        let list = format!("`genstore pipeline list {}` lists those in it.", path.display());
        return Err(failed("it is a folder, not a pipeline").with_hint(list));
    }
    if !metadata.is_file() {
        return Err(failed("it is no file"));
    }
    if metadata.len() > SIZE_BYTES_MAX {
        return Err(failed(&format!("it has more than {SIZE_BYTES_MAX} bytes")));
    }
    let bytes = std::fs::read(path).map_err(|it| failed("the system says no").with_source(it))?;
    let text = String::from_utf8(bytes).map_err(|error| {
        failed(&format!("it is not UTF-8 at byte {}", error.utf8_error().valid_up_to()))
    })?;
    Ok(Found { uri: path.display().to_string(), text })
}

/// The name near one that is not there: of a file in a folder, or of a pipeline that comes with the
/// program.
fn near(wanted: &Path, folder: Option<&Path>) -> Option<String> {
    let here = |it| if it == Path::new("") { Path::new(".") } else { it };
    let files = folder.and_then(|it| yaml_files(here(it)).ok()).unwrap_or_default();
    let mut names: Vec<&str> = builtin_names().collect();
    names.extend(files.iter().filter_map(|it| it.file_name()?.to_str()));
    let near = nearest(wanted.file_name()?.to_str()?, names)?;
    Some(match builtin(near) {
        Some(found) => found.uri,
        None => wanted.with_file_name(near).display().to_string(),
    })
}

impl Found {
    /// Checks the pipeline and makes a plan of it. Workflows that it calls are those that come with
    /// the program, or files beside its own.
    ///
    /// # Errors
    /// Every fault, in the order of the lines.
    pub fn lower(&self, library: &Library) -> Result<Workflow, Vec<Finding>> {
        PipelineFile::parse(&self.text, &self.uri).lower(library, &called)
    }
}

/// The workflow that another one calls: a file beside it, or one that comes with the program. Never
/// one of the folder that somebody happens to work in.
fn called(name: &str, from: &str) -> Result<Called> {
    let folder = Path::new(from).parent().filter(|_| Path::new(from).is_file());
    let found = match folder.map(|it| it.join(name)).filter(|it| it.is_file()) {
        Some(path) => read(&path.canonicalize().unwrap_or(path))?,
        None => builtin(name).ok_or_else(|| {
            let error = Error::invalid(format!("there is no pipeline {name} beside {from}"));
            match near(Path::new(name), folder) {
                Some(near) => error.with_hint(format!("Did you mean `{near}`?")),
                None => error.with_hint("A called pipeline is a file beside the one that calls."),
            }
        })?,
    };
    let file = PipelineFile::parse(&found.text, &found.uri);
    match file.definition() {
        Some(definition) => Ok(Called { uri: found.uri, definition: definition.clone() }),
        None => {
            let message = format!("{} is no sound pipeline", found.uri);
            let hint = format!("`genstore pipeline check {}` says why.", found.uri);
            Err(Error::invalid(message).with_hint(hint))
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use super::*;

    #[test]
    fn every_pipeline_that_comes_with_the_program_is_sound_and_bears_its_name() {
        let library = crate::workflow::builtin(std::collections::BTreeMap::new());
        for name in builtin_names() {
            let workflow = find(name).unwrap().lower(&library);
            let workflow = workflow.unwrap_or_else(|findings| panic!("{name}: {findings:#?}"));
            assert_eq!(workflow.name, name);
            assert!(!workflow.description.is_empty(), "{name}");
        }
    }
}
