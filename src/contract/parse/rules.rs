//! What reading a contract can find: the rules, not the reading.

use crate::contract::lint::Rule;
use crate::finding::Level::{Error, Note, Warning};

pub(in super::super) const RULES: &[Rule] = &[
    Rule::told("contract.yaml", Error, "The file is YAML.")
        .why("Nothing can be said of a text that cannot be read.")
        .fix("Check indentation, quotes and brackets at the place."),
    Rule::told(
        "contract.indent",
        Warning,
        "Lines of a list or map in brackets stand right of what they belong to.",
    )
    .why("YAML 1.2 readers refuse the file; upstream's reads YAML 1.1 and does not mind.")
    .fix("Indent the line, closing bracket included."),
    Rule::told("contract.encoding", Error, "The file is a text in UTF-8.")
        .why("Other encodings cannot be told apart for certain.")
        .fix("Save it as UTF-8."),
    Rule::told("contract.empty", Error, "The file says something.")
        .why("An empty contract describes no node.")
        .fix("Write the contract, or remove the file."),
    Rule::told(
        "contract.too-large",
        Error,
        "A contract has at most 50 MB, a million values and 128 levels.",
    )
    .why("Larger ones are bombs or data.")
    .fix("Split it, or remove the aliases that multiply."),
    Rule::told("contract.multi-document", Error, "A file holds one contract.")
        .why("Which of several documents is meant is not said.")
        .fix("Put each in a file of its own."),
    Rule::told("contract.duplicate-key", Warning, "A key stands once in its mapping.")
        .why("Of two only the last counts, and readers miss it.")
        .fix("Merge the two, or remove one."),
    Rule::told("contract.unknown-tag", Warning, "The only tag is `!include`.")
        .why("What another tag means is not known, so the value is taken as it is.")
        .fix("Remove the tag."),
    Rule::told(
        "contract.include",
        Error,
        "`!include` names a file below the contract's folder, without a circle.",
    )
    .why("A contract must not reach files that are none of its business.")
    .fix("Name a file in the contract's own folder."),
    Rule::told("contract.unreadable", Error, "The file can be read.")
        .why("What cannot be opened cannot be checked.")
        .fix("See to the path and its permissions."),
    Rule::told("contract.too-many-findings", Warning, "A contract has at most 500 findings.")
        .why("A file with more is broken beyond listing.")
        .fix("Mend the first ones and look again."),
    Rule::told("contract.not-a-mapping", Error, "A contract is a mapping of keys to values.")
        .why("A list or a text has no place for a name and a kind.")
        .fix("Begin with `name:`."),
    Rule::told(
        "contract.not-a-node",
        Error,
        "A contract says what kind of node it is or what goes in and out.",
    )
    .why("Parts of contracts and other YAML are no nodes.")
    .fix("Include the part from a contract, or add `node_type`."),
    Rule::told("contract.name", Error, "A contract has a name, and it is a text.")
        .why("The package, its classes and every row about it are named by it.")
        .fix("Add `name: node_<what>_<kind>`."),
    Rule::told("contract.node-type", Error, "The kind of node is one that is known.")
        .why("The kind decides the base class and all code.")
        .fix("Write COMPUTE_GENERIC, EFFECT_GENERIC, REDUCER_GENERIC or ORCHESTRATOR_GENERIC."),
    Rule::told("contract.node-type-assumed", Warning, "The kind of node is said.")
        .why("It was guessed: an output made from an input is a COMPUTE.")
        .fix("Add `node_type`."),
    Rule::told(
        "contract.version",
        Error,
        "A version is a map of whole numbers, or a text such as 1.0.0.",
    )
    .why("What is not comparable is no version.")
    .fix("Write {major: 1, minor: 0, patch: 0}."),
    Rule::told(
        "contract.unknown-key",
        Warning,
        "A key at the top is not one letter off a known one.",
    )
    .why("A misspelt key is silently ignored by every reader.")
    .fix("Correct the spelling."),
    Rule::told("contract.nameless", Warning, "Every entry of a list of named things has a name.")
        .why("An entry without one cannot be generated; it is left out.")
        .fix("Give it a `name`."),
    Rule::told("contract.model-reference", Warning, "A model is named by a map or a dotted text.")
        .why("Anything else names no class.")
        .fix("Write {name: ModelSomething, module: package.models}."),
    Rule::told("contract.reference", Warning, "A `$ref` names a definition of the same contract.")
        .why("A type that is not there cannot be generated.")
        .fix("Declare it under `definitions`, or correct the name."),
    Rule::told("contract.type", Warning, "The type of a field is one that is known.")
        .why("The next name was taken instead.")
        .fix("Write the type that is meant."),
    Rule::told(
        "contract.unknown-type",
        Note,
        "The type of a field is said, and one that the contract knows.",
    )
    .why("Nothing is invented: a text stands in, and no value is refused.")
    .fix("Write a type such as `str`, `list[int]` or `uuid`, or declare it under `definitions`."),
    Rule::told(
        "contract.constraint",
        Warning,
        "A limit of a type is one that a model can check, and means something for the type.",
    )
    .why("A limit that nobody checks is taken for one that holds.")
    .fix("Say it with a type, a bound, a length or a pattern; the finding says what is wrong."),
    Rule::told("contract.format", Note, "The format of a text is one that has a type of its own.")
        .why("A name of a format alone refuses nothing.")
        .fix("Add a `pattern`, if it must be checked."),
    Rule::told("contract.fsm-states", Warning, "A state machine has states.")
        .why("Without any there is nothing to be in; the machine is left out.")
        .fix("Declare `states`."),
    Rule::told("contract.fsm-transition", Warning, "A transition says from which state to which.")
        .why("Half a transition leads nowhere; it is left out.")
        .fix("Add `from_state` and `to_state`."),
    Rule::told("contract.rewrite-name", Note, "The name is taken from another key than `name`.")
        .why("Upstream's typed models ask for `name`.")
        .fix("Add `name`."),
    Rule::told(
        "contract.rewrite-node-type",
        Note,
        "The kind is read from another spelling or place.",
    )
    .why("Upstream's typed models take the four *_GENERIC kinds.")
    .fix("Write the kind as the finding names it; `--fix` does it where one meaning is possible."),
    Rule::told("contract.rewrite-version", Note, "A version given as a text is read as a map.")
        .why("Upstream's models take the map alone.")
        .fix("Write the map; `--fix` does it."),
    Rule::told("contract.rewrite-version-key", Note, "`version` is read as `contract_version`.")
        .why("The key was renamed.")
        .fix("Write `contract_version`; `--fix` does it."),
    Rule::told(
        "contract.rewrite-description",
        Note,
        "`contract_description` is read as `description`.",
    )
    .why("Upstream's models know the second alone.")
    .fix("Write `description`; `--fix` does it."),
    Rule::told(
        "contract.rewrite-fields",
        Note,
        "Fields are read from another key than `inputs` and `outputs`.",
    )
    .why("There is one place for them in the normal form.")
    .fix("Nothing needs to be done."),
    Rule::told(
        "contract.rewrite-inline-type",
        Note,
        "An object type declared in place gets a name.",
    )
    .why("Python needs a class for it.")
    .fix("Declare it under `definitions` if you want another name."),
    Rule::told("contract.rewrite-io-operations", Note, "IO operations are read from another key.")
        .why("There is one place for them in the normal form.")
        .fix("Nothing needs to be done."),
    Rule::told("contract.rewrite-map", Note, "A map is read as a list of named entries.")
        .why("The order of the map is kept.")
        .fix("Nothing needs to be done."),
    Rule::told("contract.rewrite-model", Note, "A model is read from another form or place.")
        .why("There is one form in the normal form: class and module.")
        .fix("Nothing needs to be done."),
    Rule::told("contract.rewrite-error-codes", Note, "Error codes are read from another place.")
        .why("There is one place for them in the normal form.")
        .fix("Nothing needs to be done."),
    Rule::told(
        "contract.rewrite-section",
        Note,
        "A section is read from another key or an older form.",
    )
    .why("There is one place for it in the normal form.")
    .fix("Nothing needs to be done."),
    Rule::told(
        "contract.rewrite-state-machine",
        Note,
        "The state machine is read from another form.",
    )
    .why("There is one form in the normal form.")
    .fix("Nothing needs to be done."),
    Rule::told("contract.rewrite-topics", Note, "Topics are read from another place.")
        .why("There is one place for them in the normal form.")
        .fix("Nothing needs to be done."),
    Rule::told("contract.rewrite-workflow", Note, "The workflow is read from another form.")
        .why("There is one form in the normal form.")
        .fix("Nothing needs to be done."),
];
