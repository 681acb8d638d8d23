//! `genstore config`: what the settings are and why, whether the files are right, and a file to
//! begin with. Decides nothing: `crate::config` does.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use clap::{Subcommand, ValueEnum};
use serde_json::{Value, json};

use super::{Context, print};
use crate::config::{Assembly, Layer, Mistake, Origin, Sources, template};
use crate::error::{Error, IoContext, Result};
use crate::output::diagnostic::render;
use crate::output::escape;

/// Show, check and begin the settings
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Show(Show),
    Check(Check),
    Init(Init),
}

/// Show every setting as it holds here
///
/// The output is a genstore.toml that says the same. Flags of other commands are not known here.
#[derive(Debug, clap::Args)]
struct Show {
    /// Say where each value came from, too: default, file with line and column, variable, --config
    #[arg(long)]
    origin: bool,
    /// Print one JSON object, with the origins and the files that were looked for
    #[arg(long)]
    json: bool,
}

/// Check files of settings; exit code 1 when something is wrong
///
/// Without a FILE: the files that hold here, the GENSTORE_ variables, and how they go together.
#[derive(Debug, clap::Args)]
struct Check {
    /// Files to check, each by itself
    #[arg(value_name = "FILE")]
    files: Vec<PathBuf>,
}

/// Write a genstore.toml with every setting, its meaning and its default, all commented out
///
/// A file that is there is never replaced.
#[derive(Debug, clap::Args)]
struct Init {
    /// Whose file
    #[arg(value_enum, default_value_t)]
    of: Place,
}

#[derive(Debug, Clone, Copy, Default, ValueEnum)]
enum Place {
    /// The one in the working directory
    #[default]
    Here,
    /// Your own, in your folder of configuration
    User,
    /// The one in the folder of the store
    Store,
}

pub(crate) fn run(args: &Args, context: &Context) -> Result<u8> {
    match &args.command {
        Command::Show(args) => show(args, &context.assembly),
        Command::Check(args) if args.files.is_empty() => check(&context.assembly, context),
        Command::Check(args) => check_files(&args.files, context),
        Command::Init(args) => init(args, context),
    }
}

fn show(args: &Show, assembly: &Assembly) -> Result<u8> {
    assembly.settings()?;
    if args.json {
        return print(&format!("{:#}\n", object(assembly)?)).map(|()| 0);
    }
    print(&assembly.text(args.origin)).map(|()| 0)
}

fn object(assembly: &Assembly) -> Result<Value> {
    let files = assembly.files.iter().map(|it| {
        json!({
            "layer": name(it.layer), "path": it.path.display().to_string(), "found": it.found,
        })
    });
    let mut settings = Vec::new();
    for (key, value, origin) in assembly.values() {
        let value = serde_json::to_value(value)
            .map_err(|source| Error::internal("cannot show a setting").with_source(source))?;
        let (kind, path, span) = match origin {
            Origin::Default => ("default", None, None),
            Origin::File { path, span, .. } => ("file", Some(path), Some(span)),
            Origin::Variable(_) => ("variable", None, None),
            Origin::Flag => ("flag", None, None),
        };
        let variable = key.variable();
        settings.push(json!({
            "name": key.name, "value": value, "origin": kind,
            "path": path.map(|it| it.display().to_string()),
            "line": span.map(|it| it.start_line), "column": span.map(|it| it.start_column),
            "variable": variable, "about": key.about,
        }));
    }
    Ok(json!({ "files": files.collect::<Vec<_>>(), "settings": settings }))
}

fn name(layer: Layer) -> &'static str {
    match layer {
        Layer::Store => "store",
        Layer::User => "user",
        Layer::WorkingDirectory => "working_directory",
    }
}

/// Checks what holds here.
fn check(assembly: &Assembly, context: &Context) -> Result<u8> {
    print(&drawn(&assembly.mistakes, context))?;
    if !assembly.mistakes.is_empty() {
        return Ok(1);
    }
    let mut text = String::new();
    for it in &assembly.files {
        let found = if it.found { "fine" } else { "not there" };
        text.push_str(&format!("{}: {found}\n", escape(&it.path.display().to_string())));
    }
    let set = assembly.values().filter(|(_, _, origin)| **origin != Origin::Default).count();
    print(&format!("{text}{set} settings are not the default\n")).map(|()| 0)
}

/// Checks each file by itself, as if no other said anything.
fn check_files(files: &[PathBuf], context: &Context) -> Result<u8> {
    let mut code = 0;
    for path in files {
        let sources =
            Sources { files: vec![(layer_of(path, context), path.clone())], ..Sources::default() };
        let assembly = Assembly::read(&sources);
        if assembly.files.iter().any(|it| !it.found) {
            return Err(Error::failed(format!("there is no file {}", path.display())));
        }
        print(&drawn(&assembly.mistakes, context))?;
        if assembly.mistakes.is_empty() {
            print(&format!("{}: fine\n", escape(&path.display().to_string())))?;
        } else {
            code = 1;
        }
    }
    Ok(code)
}

/// Whose file it is where it lies; that of nobody in particular is checked as one's own.
fn layer_of(path: &Path, context: &Context) -> Layer {
    let real = |path: &Path| fs::canonicalize(path).ok();
    let is_at = |layer: &Layer| {
        let file = context.env.settings_file(*layer, &context.store);
        file.and_then(|it| real(&it)).is_some_and(|it| Some(it) == real(path))
    };
    let layers = [Layer::Store, Layer::User, Layer::WorkingDirectory];
    layers.into_iter().find(is_at).unwrap_or(Layer::User)
}

fn drawn(mistakes: &[Mistake], context: &Context) -> String {
    let color = context.env.terminal.color_stdout;
    mistakes.iter().map(|it| render(&it.finding, it.text.as_deref(), color)).collect()
}

fn init(args: &Init, context: &Context) -> Result<u8> {
    let layer = match args.of {
        Place::Here => Layer::WorkingDirectory,
        Place::User => Layer::User,
        Place::Store => Layer::Store,
    };
    let Some(path) = context.env.settings_file(layer, &context.store) else {
        let error = match layer {
            Layer::Store => Error::usage(format!(
                "{} is at an address, where no file of settings is read",
                context.store.path().display()
            )),
            _ => Error::usage("there is no folder of configuration")
                .with_hint("Set HOME or XDG_CONFIG_HOME to an absolute path."),
        };
        return Err(error);
    };
    if let Some(folder) = path.parent().filter(|it| !it.as_os_str().is_empty()) {
        fs::create_dir_all(folder).context("create the folder", folder)?;
    }
    let mut file = match fs::File::create_new(&path) {
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {
            let message = format!("{} is there already", path.display());
            return Err(Error::usage(message)
                .with_hint("Edit it, or move it away; `genstore config check` checks it."));
        }
        made => made.context("create", &path)?,
    };
    file.write_all(template().as_bytes()).context("write", &path)?;
    print(&format!("{} is written\n", escape(&path.display().to_string()))).map(|()| 0)
}
