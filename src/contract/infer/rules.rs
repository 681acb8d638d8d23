//! What an inference can find: the rules, not the inference.

use crate::contract::lint::Rule;
use crate::finding::Level::{Error, Note, Warning};

pub(in super::super) const RULES: &[Rule] = &[
    Rule::told("contract.infer-file", Error, "A node is read from a Python 3 file in UTF-8.")
        .why("Facts of a text that does not parse would be guesses.")
        .fix("Mend the place; files of 4 MiB and more are not read."),
    Rule::told("contract.infer-files", Warning, "A package has a bounded number of files.")
        .why("A node is read from its own package, not from a whole code base.")
        .fix("Name the node's own file or folder."),
    Rule::told("contract.infer-class", Error, "A file has one class that is the node.")
        .why("A contract is of one node.")
        .fix("Name the class with `--class`."),
    Rule::told("contract.infer-kind", Note, "The kind of a node follows from its base class.")
        .why("Without one it is taken from the name, or from what the code does.")
        .fix("Derive the class from NodeCompute, NodeEffect, NodeReducer or NodeOrchestrator."),
    Rule::told("contract.infer-model", Warning, "Signatures say what goes in and what comes out.")
        .why("A contract whose models are not known cannot be checked against code.")
        .fix("Annotate `execute`, or keep the models in the package."),
    Rule::told("contract.infer-type", Warning, "Every field is of a type that contracts know.")
        .why("A type that has no place in a contract is left open, not guessed.")
        .fix("Declare the type in the contract."),
    Rule::told("contract.infer-description", Note, "A docstring says what the node does.")
        .why("Nothing else in the code says it in words.")
        .fix("Give the class a docstring."),
    Rule::told("contract.infer-version", Note, "`CONTRACT_VERSION` says which version it is.")
        .why("Code carries no other trace of the version of its contract.")
        .fix("Correct `contract_version` in the contract."),
    Rule::told("contract.infer-topics", Note, "Topics stand in the contract alone.")
        .why("Upstream forbids topics in code, so none can be read from it.")
        .fix("Declare them under `event_bus`."),
    Rule::told("contract.infer-operations", Note, "A table OPERATIONS names the operations.")
        .why("What a method does to the world cannot be seen from its signature.")
        .fix("Declare them under `io_operations`."),
    Rule::told("contract.infer-behaviour", Note, "Tables say what drives a node.")
        .why("States and steps that are spread over code cannot be collected for certain.")
        .fix("Declare `state_machine` or `workflow_coordination`."),
];
