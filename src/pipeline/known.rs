//! What a run is known by before it is done: digests of all that decides its result. Runs nothing.

use super::contract_steps::Task;
use super::node_generation::NodeGeneration;
use super::source::{ContractFolder, read_contract};
use crate::contract;
use crate::event::{RunRow, Text};

/// What a run over a contract is known by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Known {
    /// Digest of the contract.
    pub contract_digest: Text,
    /// Of a run that gets as far as the templates, and of one that does not.
    input_digests: Vec<Text>,
}

impl Known {
    /// Whether a run was one over the same contract, by the same pipeline and templates, made by
    /// the same genstore: then its result is this one's.
    pub fn is_of(&self, run: &RunRow) -> bool {
        run.input_digest.as_ref().is_some_and(|it| self.input_digests.contains(it))
    }
}

impl NodeGeneration {
    /// What a run of the task will be known by; `None` where the contract cannot be read.
    pub fn known(&self, task: &Task) -> Option<Known> {
        let bytes = read_contract(&task.path).ok()?;
        let folder = ContractFolder::of(&task.path);
        let parsed = contract::parse_bytes(&bytes, &task.uri(), &folder);
        let set = parsed.contract.as_ref().map(|it| self.library.select(it));
        let templates = set.iter().map(|it| Some(&*it.digest)).chain([None]);
        let input_digests = templates.map(|it| self.input_digest(&parsed.digest, it)).collect();
        Some(Known { contract_digest: parsed.digest.into(), input_digests })
    }
}
