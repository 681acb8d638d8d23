//! Generation: a contract and a template set in, a Python package in memory out.
//!
//! A backend is a [`Generator`]; the built-in one renders templates. Nothing here writes files,
//! asks a network or reads a clock.

mod behaviour;
mod case;
mod example;
mod graph;
mod machine;
mod mixin;
mod normal_form;
mod readme;
mod shape;
mod tables;
mod template_backend;
mod types;
mod value;
mod views;

use async_trait::async_trait;

use crate::contract::Contract;
use crate::error::Result;
use crate::finding::{Finding, Level};
use crate::template::{Package, TemplateSet};

pub use template_backend::TemplateGenerator;

/// What a backend made of a contract.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Generated {
    /// The package, its files in the order of their paths.
    pub package: Package,
    /// What the backend had to decide, repair or leave open, with places in the package's files.
    pub findings: Vec<Finding>,
}

/// A backend that makes a package from a contract.
#[async_trait]
pub trait Generator: Send + Sync {
    /// The name in `runs.generator`.
    fn name(&self) -> &str;

    /// Makes the package. Contracts from the wild are repaired with findings; an error means that
    /// no package can be made at all.
    async fn generate(&self, contract: &Contract, set: &TemplateSet) -> Result<Generated>;
}

/// A finding about something that was changed so that the package can work.
fn repair(rule_id: &'static str, message: String) -> Finding {
    Finding::new(rule_id, Level::Warning, message)
}

/// A finding about something that was decided or left open.
fn remark(rule_id: &'static str, message: String) -> Finding {
    Finding::new(rule_id, Level::Note, message)
}
