//! `genstore contract show`: one contract in normal form.

use std::path::Path;

use clap::ValueEnum;

use super::located::locate;
use super::{Context, print};
use crate::contract::schema::normal_form;
use crate::contract::{Contract, parse_bytes};
use crate::error::{Error, Result};
use crate::finding::Level;
use crate::pipeline::source::{ContractFolder, read_contract};

/// Show the normal form of a contract: one shape, in whatever form it was written
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The contract
    path: std::path::PathBuf,
    /// Form of the output
    #[arg(long, value_enum, default_value_t)]
    format: DocumentFormat,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
enum DocumentFormat {
    #[default]
    Yaml,
    Json,
}

pub(super) fn run(args: &Args, context: &Context) -> Result<u8> {
    let value = normal_form(&normal(&args.path, context)?)
        .map_err(|source| Error::internal("cannot show the contract").with_source(source))?;
    print(&match args.format {
        DocumentFormat::Json => format!("{value:#}\n"),
        DocumentFormat::Yaml => crate::cli::yaml::document(&value),
    })?;
    Ok(0)
}

/// The normal form of a contract; what is wrong with a file that is none is drawn.
pub(super) fn normal(path: &Path, context: &Context) -> Result<Contract> {
    let uri = path.display().to_string();
    let bytes = read_contract(path)?;
    let parsed = parse_bytes(&bytes, &uri, &ContractFolder::of(path));
    if let Some(contract) = parsed.contract {
        return Ok(contract);
    }
    let errors = parsed.findings.into_iter().filter(|it| it.level == Level::Error).collect();
    for it in locate(errors, path, &bytes) {
        let drawn = it.drawn(context.env.terminal.color_stderr);
        // If stderr is closed there is nobody to tell.
        drop(std::io::Write::write_all(&mut std::io::stderr(), drawn.as_bytes()));
    }
    Err(Error::invalid(format!("{uri} is no contract")))
}
