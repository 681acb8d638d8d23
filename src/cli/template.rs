//! `genstore template`: what packages are made of: which templates there are, what one says,
//! whether one's own are sound, and what a contract's package looks like. Needs no store and writes
//! nothing.

use std::path::PathBuf;

use clap::{Subcommand, ValueEnum};
use serde_json::json;

use super::{Context, print};
use crate::contract::{Contract, parse_bytes};
use crate::error::{Error, Result, nearest};
use crate::finding::Level;
use crate::generate::{Generated, Generator, TemplateGenerator};
use crate::output::diagnostic::render;
use crate::pipeline::source::{ContractFolder, read_contract};
use crate::pipeline::template_library;
use crate::template::{Library, Origin, Template, Variant};
use crate::validate::{Subject, validators};

mod probes;

/// Look at the templates that packages are made of, or try one's own
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(subcommand)]
    command: Command,
    /// Folder of one's own templates [default: the setting pipeline.templates]
    #[arg(long, global = true, value_name = "DIR")]
    templates: Option<PathBuf>,
}

#[derive(Debug, Subcommand)]
enum Command {
    List(List),
    Show(Show),
    Check(Check),
    Render(Render),
}

/// List the templates, and where each comes from
#[derive(Debug, clap::Args)]
struct List {
    /// Print one JSON object per line
    #[arg(long)]
    json: bool,
}

/// Print the text of a template, or the templates of a set
#[derive(Debug, clap::Args)]
struct Show {
    /// A template such as effect/handler.py, or a set such as effect/io_operations
    name: String,
}

/// Make packages of every kind and variant, and judge them; exit code 1 when a finding is an error
#[derive(Debug, clap::Args)]
struct Check {}

/// Print the package of a contract, or one file of it; nothing is written or recorded
#[derive(Debug, clap::Args)]
struct Render {
    /// The contract
    contract: PathBuf,
    /// Only this file of the package, such as node.py
    #[arg(long, value_name = "PATH")]
    file: Option<String>,
    /// What the node is built around [default: as the contract declares]
    #[arg(long, value_enum)]
    variant: Option<VariantArg>,
}

/// What a node is built around.
#[derive(Debug, Clone, Copy, ValueEnum)]
enum VariantArg {
    /// One function of its request
    Plain,
    /// A state machine
    Fsm,
    /// A graph of steps
    Workflow,
    /// IO operations, a method each
    #[value(name = "io_operations")]
    IoOperations,
    /// Events that it listens to, a method each
    #[value(name = "event_driven")]
    EventDriven,
}

impl From<VariantArg> for Variant {
    fn from(arg: VariantArg) -> Self {
        match arg {
            VariantArg::Plain => Self::Plain,
            VariantArg::Fsm => Self::Fsm,
            VariantArg::Workflow => Self::Workflow,
            VariantArg::IoOperations => Self::IoOperations,
            VariantArg::EventDriven => Self::EventDriven,
        }
    }
}

pub(crate) fn run(args: &Args, context: &Context) -> Result<u8> {
    let library = template_library(args.templates.as_deref().or(context.settings.templates()))?;
    match &args.command {
        Command::List(args) => list(args, &library),
        Command::Show(args) => show(args, &library),
        Command::Check(_) => check(&library, context),
        Command::Render(args) => render_package(args, &library),
    }
}

fn list(args: &List, library: &Library) -> Result<u8> {
    let width = library.templates().map(|(name, _)| name.len()).max().unwrap_or(0);
    for (name, template) in library.templates() {
        let (origin, lines) = (origin(template), template.source.lines().count());
        print(&if args.json {
            format!("{}\n", json!({ "template": name, "origin": origin, "lines": lines }))
        } else {
            format!("{name:width$}  {lines:>4} lines  {origin}\n")
        })?;
    }
    Ok(0)
}

fn origin(template: &Template) -> &str {
    match &template.origin {
        Origin::Builtin => "built in",
        Origin::File(file) => file,
    }
}

fn show(args: &Show, library: &Library) -> Result<u8> {
    if let Some((node_type, variant)) = set(&args.name) {
        let set = library.set(node_type, variant);
        print(&format!("{}, digest {}\n", set.name, set.digest))?;
        for (role, name) in set.templates() {
            let origin = origin(library.template(name)?);
            print(&format!("{role:28} {name:36} {origin}\n"))?;
        }
        return Ok(0);
    }
    print(&library.template(&args.name)?.source)?;
    Ok(0)
}

/// The set of a name, such as `effect/io_operations`.
fn set(name: &str) -> Option<(crate::contract::NodeType, Variant)> {
    let mut all = crate::contract::NodeType::ALL.into_iter().flat_map(|node_type| {
        Variant::of_kind(node_type).iter().map(move |variant| (node_type, *variant))
    });
    all.find(|(node_type, variant)| name == format!("{}/{}", node_type.suffix(), variant.as_str()))
}

/// Makes the package of each probe and judges it.
fn check(library: &Library, context: &Context) -> Result<u8> {
    let (mut errors, mut sets) = (0_usize, 0_usize);
    for (node_type, variant, text) in probes::all() {
        let parsed = parse_bytes(text.as_bytes(), "probe", &crate::contract::NoIncludes);
        let contract = parsed.contract.ok_or_else(|| Error::internal("a probe is no contract"))?;
        let set = library.set(node_type, variant);
        sets += 1;
        let made = generate(&contract, &set)?;
        for finding in judged(contract, &made).into_iter().filter(|it| it.level > Level::Note) {
            errors += usize::from(finding.level == Level::Error);
            let file = made.package.files.iter().find(|it| Some(&it.path) == finding.uri.as_ref());
            let source = file.map(|it| it.content.as_str());
            print(&format!("{} (package of a probe)\n", set.name))?;
            print(&render(&finding, source, context.env.terminal.color_stdout))?;
        }
    }
    if context.env.terminal.stdout {
        print(&format!("{sets} sets: {errors} errors\n"))?;
    }
    Ok(u8::from(errors > 0))
}

/// All that the generator and the six validators have to say.
fn judged(contract: Contract, made: &Generated) -> Vec<crate::finding::Finding> {
    let package = std::sync::Arc::new(made.package.clone());
    let subject = Subject::new(std::sync::Arc::new(contract), package, made.findings.clone());
    validators().iter().flat_map(|it| it.validate(&subject).findings).collect()
}

fn generate(contract: &Contract, set: &crate::template::TemplateSet) -> Result<Generated> {
    // the template generator waits for nothing
    futures::executor::block_on(TemplateGenerator.generate(contract, set))
}

fn render_package(args: &Render, library: &Library) -> Result<u8> {
    let uri = args.contract.display().to_string();
    let bytes = read_contract(&args.contract)?;
    let parsed = parse_bytes(&bytes, &uri, &ContractFolder::of(&args.contract));
    let Some(contract) = parsed.contract else {
        return Err(Error::invalid(format!("{uri} is no contract"))
            .with_hint("`genstore contract lint` says why."));
    };
    let variant = args.variant.map_or_else(|| Variant::of(&contract), Variant::from);
    if !Variant::of_kind(contract.node_type).contains(&variant) {
        let names: Vec<&str> =
            Variant::of_kind(contract.node_type).iter().map(|it| it.as_str()).collect();
        let kind = contract.node_type.as_str();
        return Err(Error::usage(format!("there is no {} {kind} node", variant.as_str()))
            .with_hint(format!("It can be built around: {}.", names.join(", "))));
    }
    let made = generate(&contract, &library.set(contract.node_type, variant))?;
    let files = &made.package.files;
    if let Some(path) = &args.file {
        let Some(file) = files.iter().find(|it| it.path == *path) else {
            let error = Error::usage(format!("the package has no file {path}"));
            return Err(match nearest(path, files.iter().map(|it| it.path.as_str())) {
                Some(near) => error.with_hint(format!("Did you mean {near}?")),
                None => error,
            });
        };
        print(&file.content)?;
        return Ok(0);
    }
    for file in files {
        print(&format!("==> {}/{} <==\n{}\n", made.package.name, file.path, file.content))?;
    }
    Ok(0)
}
