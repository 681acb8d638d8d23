//! What a draft can find: the rules, not the draft.

use crate::contract::lint::Rule;
use crate::finding::Level::{Error, Note};

pub(in super::super) const RULES: &[Rule] = &[
    Rule::told("contract.new-task", Error, "A task says in a sentence what the node does.")
        .why("A contract is made of its words.")
        .fix("Write a verb and what it is done to."),
    Rule::told("contract.new-kind", Note, "A new contract says its kind with `--type`.")
        .why("Words only suggest whether a node computes, reaches out, folds or coordinates.")
        .fix("Say it with `--type`."),
    Rule::told("contract.new-fields", Note, "A person has checked what goes in and comes out.")
        .why("Names and types are read out of the words of the task.")
        .fix("Correct `inputs` and `outputs`."),
    Rule::told("contract.new-errors", Note, "A person has checked the error codes.")
        .why("The drafted ones are those of any node of the kind.")
        .fix("Correct `error_codes`."),
    Rule::told("contract.new-behaviour", Note, "A person has checked what the node does.")
        .why("Operation, state machine and workflow are proposals.")
        .fix("Correct `io_operations`, `state_machine` or `workflow_coordination`."),
];
