//! What `run` and `replay` share: flags, and the store opened for writing.

use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::error::Result;
use crate::generate::TemplateGenerator;
use crate::journal::Durability;
use crate::pipeline::{NodeGeneration, OutputFolder, WriteOptions, template_library};
use crate::recorder::Recorder;
use crate::replay::Workshop;
use crate::store::{Store, StoreOptions};
use crate::workflow::Limits;

use super::Context;

/// How packages are made and where they go.
#[derive(Debug, clap::Args)]
pub(crate) struct WorkArgs {
    /// Folder for the generated packages [default: the setting pipeline.out, else generated]
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// Folder of one's own templates [default: the setting pipeline.templates]
    #[arg(long, value_name = "DIR")]
    templates: Option<PathBuf>,
    /// Steps that work at a time [default: the setting workflow.jobs, else the number of cores]
    #[arg(long, value_name = "N")]
    jobs: Option<NonZeroUsize>,
    /// Replace files that were edited after they were generated
    #[arg(long)]
    overwrite: bool,
    /// Sync the generated files to disk (the store is synced as --durability says)
    #[arg(long)]
    fsync: bool,
    /// When a run that is reported as done is safe
    /// [default: the setting store.durability, else run]
    #[arg(long, value_name = "WHEN", value_enum)]
    durability: Option<DurabilityArg>,
}

/// When a run that is reported as done is safe.
#[derive(Debug, Clone, Copy, clap::ValueEnum)]
enum DurabilityArg {
    /// At once: not even a power loss takes it away
    Run,
    /// A power loss may take away what was reported in the last second; a crash of genstore nothing
    Interval,
    /// A power loss may take away what was reported since the last flush, some seconds; a crash of
    /// genstore nothing
    None,
}

impl From<DurabilityArg> for Durability {
    fn from(arg: DurabilityArg) -> Self {
        match arg {
            DurabilityArg::Run => Self::Run,
            DurabilityArg::Interval => Self::Interval,
            DurabilityArg::None => Self::None,
        }
    }
}

impl WorkArgs {
    /// Folder for the generated packages, as the user named it.
    pub(crate) fn out<'a>(&'a self, context: &'a Context) -> &'a Path {
        self.out.as_deref().unwrap_or(&context.settings.pipeline.out)
    }

    /// Opens the store and the output folder.
    pub(crate) fn open(&self, context: &Context) -> Result<Arc<Workshop>> {
        let settings = &context.settings;
        let fsync = self.fsync || settings.pipeline.fsync;
        let options = WriteOptions { overwrite: self.overwrite, fsync };
        let output = Arc::new(OutputFolder::open(self.out(context), options)?);
        let durability = self.durability.map_or(settings.store.durability, Durability::from);
        let store = Store::open_at(
            &context.store,
            StoreOptions { durability, ..settings.store.clone() },
            Arc::clone(&context.clock),
            Arc::clone(&context.ids),
        )?;
        let workflow = settings.workflow.clone();
        let templates = self.templates.as_deref().or(settings.templates());
        let library = Arc::new(template_library(templates)?);
        let judging = settings.validate.clone();
        let generator = Arc::new(TemplateGenerator);
        let pipeline = NodeGeneration::new(library, generator, output, workflow, judging)?;
        let jobs = self.jobs.map_or_else(|| settings.workflow.jobs(), NonZeroUsize::get);
        Ok(Arc::new(Workshop {
            pipeline: Arc::new(pipeline),
            recorder: Recorder::new(Arc::new(store)),
            clock: Arc::clone(&context.clock),
            ids: Arc::clone(&context.ids),
            limits: Limits::new(jobs),
            jobs,
        }))
    }
}
