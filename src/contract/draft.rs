//! A first contract from the words of a task: deterministic, without a model. What it cannot take
//! from the words is neutral, and said in a finding. Does no IO.

use serde_json::Map;

use super::infer::{FIRST, Made, node_name, nothing, reread};
use super::model::limits::Limits;
use super::model::sections::Sections;
use super::model::{Contract, Dependency, ErrorCode, Field, FieldType, Model, NodeType};
use super::write::{self, Form};
use crate::finding::{Finding, Level};
use phrase::{Phrase, Reading};
use vocabulary::{Role, Verb};

mod behaviour;
mod phrase;
mod rules;
mod vocabulary;

pub(super) use rules::RULES;

/// Most characters of a task that are read, and that its description has.
const TASK_CHARS_MAX: usize = 2000;
const DESCRIPTION_CHARS_MAX: usize = 600;

/// What a draft is told besides the task.
#[derive(Debug, Clone, Copy, Default)]
pub struct Wish<'a> {
    /// The kind of the node; else it is proposed from the words.
    pub node_type: Option<NodeType>,
    /// The name of the node; else it is made of the words.
    pub name: Option<&'a str>,
    /// The form of the contract.
    pub form: Form,
}

/// The contract that a task asks for.
///
/// # Errors
/// The finding says why there is none: the task says nothing.
pub fn draft(task: &str, wish: &Wish<'_>) -> Result<Made, Box<Finding>> {
    let mut findings = Vec::new();
    let whole = task.split_whitespace();
    let mut text = String::new();
    let mut cut = false;
    for word in whole {
        let word: String = word.chars().filter(|it| !it.is_control()).take(200).collect();
        if text.chars().count() + word.chars().count() >= TASK_CHARS_MAX {
            cut = true;
            break;
        }
        if !text.is_empty() && !word.is_empty() {
            text.push(' ');
        }
        text.push_str(&word);
    }
    if !text.chars().any(char::is_alphanumeric) {
        let finding = Finding::new("contract.new-task", Level::Error, "the task says nothing");
        let help = "say in a sentence what the node does: \"Fetch exchange rates for a currency\"";
        return Err(Box::new(finding.with_help(help)));
    }
    if cut {
        let message = format!("only the first {TASK_CHARS_MAX} characters of the task are read");
        let help = "say in a sentence or two what the node does";
        findings.push(note("contract.new-task", message).with_help(help));
    }
    let reading = phrase::read(&text);
    let verb = vocabulary::verb(&reading.verb);
    let node_type =
        wish.node_type.unwrap_or_else(|| proposed(&text, &reading, verb, &mut findings));
    let name = match wish.name {
        Some(name) => node_name(name, node_type, None),
        None => named(&reading, &text, node_type),
    };
    let mut contract = Contract {
        version: FIRST,
        node_version: Some(FIRST),
        description: description(&text, node_type),
        input: Model::default(),
        output: Model::default(),
        definitions: Vec::new(),
        actions: Vec::new(),
        io_operations: Vec::new(),
        dependencies: Vec::new(),
        error_codes: error_codes(node_type, verb),
        state_machine: None,
        workflow: None,
        subscribe_topics: Vec::new(),
        publish_topics: Vec::new(),
        capabilities: Vec::new(),
        fingerprint: None,
        sections: sections(node_type),
        document: nothing(),
        node_type,
        name,
    };
    sides(&mut contract, &text, &reading, verb);
    contract.dependencies = dependencies(&text, &reading, node_type);
    behaviour::add(&mut contract, &text, &reading, verb);
    open_points(&contract, &mut findings);
    let text = write::text(&contract, &Map::new(), wish.form);
    Ok(Made { contract: reread(contract, &text), text, findings })
}

/// The kind that the words say, with a finding that says which words.
fn proposed(
    text: &str,
    reading: &Reading,
    verb: Option<Verb>,
    findings: &mut Vec<Finding>,
) -> NodeType {
    let lower = text.to_lowercase();
    let says = |words: &[&'static str]| words.iter().copied().find(|it| lower.contains(it));
    let steps = phrase::clauses(text).len();
    let (kind, why) = if let Some(word) = says(&["state machine", "lifecycle", "life cycle"]) {
        (NodeType::Reducer, format!("it speaks of a {word}"))
    } else if let Some(word) = says(&[" then ", "workflow", "step by step", "orchestrat"])
        && (steps > 1 || word != " then ")
    {
        (NodeType::Orchestrator, format!("it says `{}`", word.trim()))
    } else if let Some(verb) = verb {
        (verb.kind, format!("that is what `{}` asks for", reading.verb))
    } else {
        (NodeType::Compute, "no word of it says more than that something is made".to_owned())
    };
    let message = format!("the task is taken for {}: {why}", kind.as_str());
    findings.push(note("contract.new-kind", message).with_help("say it with --type"));
    kind
}

/// `node_<verb>_<noun>_<kind>`.
fn named(reading: &Reading, text: &str, node_type: NodeType) -> String {
    let known = vocabulary::verb(&reading.verb).map_or(reading.verb.as_str(), |it| it.word);
    let noun = reading.object.as_ref().or(reading.phrases.first());
    let words = format!("{known} {}", noun.map_or("", |it| it.words.as_str()));
    let plain = words.trim();
    let own = if plain.is_empty() { text } else { plain };
    node_name(own, node_type, None)
}

/// The task as a sentence of ten characters at least.
fn description(text: &str, node_type: NodeType) -> String {
    let mut text: String = text.chars().take(DESCRIPTION_CHARS_MAX).collect();
    if text.chars().count() < 10 {
        text = format!("{} node: {text}", node_type.as_str());
    }
    let mut letters = text.chars();
    let first = letters.next().map(|it| it.to_uppercase().to_string()).unwrap_or_default();
    let stop = if text.ends_with(['.', '!', '?', ':']) { "" } else { "." };
    format!("{first}{}{stop}", letters.as_str())
}

fn sections(node_type: NodeType) -> Sections {
    let markers = ["contract_driven", "strong_typing", "zero_any_types", "protocol_based"];
    let most = match node_type {
        NodeType::Compute => Some(1000),
        NodeType::Orchestrator => Some(5000),
        NodeType::Effect | NodeType::Reducer => None,
    };
    Sections {
        markers: markers.map(str::to_owned).into(),
        single_operation_max_ms: most,
        ..Sections::default()
    }
}

/// The systems that the words name, and the API or service that is asked.
fn dependencies(text: &str, reading: &Reading, node_type: NodeType) -> Vec<Dependency> {
    if !matches!(node_type, NodeType::Effect | NodeType::Orchestrator) {
        return Vec::new();
    }
    let asked = reading.object.as_ref().map(|it| it.name.as_str());
    let asked = asked.filter(|it| it.ends_with("_api") || it.ends_with("_service"));
    let names = phrase::systems(text).into_iter().chain(asked);
    let dependency = |name: &str| Dependency {
        name: name.to_owned(),
        kind: Some("external".to_owned()),
        module: None,
        class_name: None,
        required: true,
        span: None,
    };
    names.map(dependency).collect()
}

fn error_codes(node_type: NodeType, verb: Option<Verb>) -> Vec<ErrorCode> {
    let refused = ("INVALID_INPUT", "The request does not hold together.", false);
    let late = ("TIMEOUT", "The work was not done in time.", true);
    let own: &[(&str, &str, bool)] = match node_type {
        NodeType::Compute => {
            &[refused, ("NO_RESULT", "No result follows from the request.", false)]
        }
        NodeType::Effect => {
            &[refused, ("UNAVAILABLE", "The other side did not answer.", true), late]
        }
        NodeType::Reducer => &[("INVALID_TRANSITION", "The state does not know the event.", false)],
        NodeType::Orchestrator => {
            &[refused, ("STEP_FAILED", "A step of the workflow failed.", true), late]
        }
    };
    let code = |(code, description, recoverable): &(&str, &str, bool)| ErrorCode {
        code: (*code).to_owned(),
        description: Some((*description).to_owned()),
        recoverable: Some(*recoverable),
        span: None,
    };
    let mut codes: Vec<ErrorCode> = own.iter().map(code).collect();
    let makes = ["book", "create", "insert", "register", "reserve"];
    let more = match verb {
        _ if node_type != NodeType::Effect => None,
        Some(verb) if verb.brings() => {
            Some(("NOT_FOUND", "What was asked for is not there.", false))
        }
        Some(verb) if makes.contains(&verb.word) => {
            Some(("ALREADY_EXISTS", "What was to be made is there already.", false))
        }
        _ => None,
    };
    codes.splice(1..1, more.iter().map(code));
    codes
}

/// What goes in and comes out, by the roles of the phrases.
fn sides(contract: &mut Contract, text: &str, reading: &Reading, verb: Option<Verb>) {
    let mut inputs: Vec<Field> = Vec::new();
    let mut outputs: Vec<Field> = Vec::new();
    for phrase in &reading.phrases {
        match phrase.role {
            Role::Input => add(&mut inputs, of_phrase(phrase)),
            Role::Output => add(&mut outputs, of_phrase(phrase)),
            Role::Neither => {}
        }
    }
    let brings = verb.is_some_and(Verb::brings);
    if let Some(object) = &reading.object {
        let object_comes_out = match contract.node_type {
            NodeType::Compute => !inputs.is_empty() && outputs.is_empty(),
            NodeType::Effect => brings && outputs.is_empty(),
            NodeType::Reducer | NodeType::Orchestrator => false,
        };
        match contract.node_type {
            NodeType::Reducer | NodeType::Orchestrator => {
                // what it goes through is no data
                let states = behaviour::states(text);
                inputs.retain(|it| !states.contains(&it.name));
                outputs.retain(|it| !states.contains(&it.name));
                let told = inputs.iter().any(|it| it.name.ends_with("_id"));
                let is_reducer = contract.node_type == NodeType::Reducer;
                if !told && (is_reducer || inputs.is_empty()) {
                    let stem = object.name.trim_end_matches("_id");
                    let (before, last) = stem.rsplit_once('_').unwrap_or(("", stem));
                    let name = format!("{before}_{}_id", vocabulary::singular(last));
                    let about = format!("Which {} it is about.", object.words);
                    let name = name.trim_start_matches('_');
                    inputs.insert(0, field(name, FieldType::Uuid, &about));
                }
            }
            _ if object_comes_out => {
                let all = std::iter::once(object).chain(&reading.beside);
                all.for_each(|it| add(&mut outputs, of_phrase(it)));
            }
            // what is brought in comes out in the words of the task
            NodeType::Effect if brings && !inputs.is_empty() => {}
            _ if !inputs.iter().chain(&outputs).any(|it| it.name == object.name) => {
                inputs.insert(0, of_phrase(object));
                reading.beside.iter().for_each(|it| add(&mut inputs, of_phrase(it)));
            }
            _ => {}
        }
    }
    if inputs.is_empty() {
        add(&mut inputs, field("request_id", FieldType::Uuid, "Which request it is about."));
    }
    let done = field("succeeded", FieldType::Bool, "Whether it was done.");
    match contract.node_type {
        NodeType::Compute if outputs.is_empty() => {
            add(&mut outputs, field("result", FieldType::Text, "What was made of the request."));
        }
        NodeType::Effect if outputs.is_empty() => add(&mut outputs, done),
        NodeType::Orchestrator => add(&mut outputs, done),
        _ => {}
    }
    contract.input = model(contract, "Input", inputs);
    contract.output = model(contract, "Output", outputs);
}

fn model(contract: &Contract, role: &str, fields: Vec<Field>) -> Model {
    let ending = format!("_{}", contract.node_type.suffix());
    let what = contract.name.trim_start_matches("node_").trim_end_matches(&ending);
    let capital = |word: &str| {
        let mut letters = word.chars();
        let first = letters.next().map(|it| it.to_ascii_uppercase()).into_iter();
        first.chain(letters).collect::<String>()
    };
    let stem: String = what.split('_').map(capital).collect();
    Model { class_name: Some(format!("Model{stem}{role}")), fields, ..Model::default() }
}

fn of_phrase(phrase: &Phrase) -> Field {
    let mut letters = phrase.words.chars();
    let first = letters.next().map(|it| it.to_uppercase().to_string()).unwrap_or_default();
    field(&phrase.name, phrase.field_type.clone(), &format!("{first}{}.", letters.as_str()))
}

fn field(name: &str, field_type: FieldType, description: &str) -> Field {
    Field {
        name: name.to_owned(),
        field_type,
        required: true,
        description: Some(description.to_owned()),
        default: None,
        limits: Limits::default(),
        span: None,
    }
}

/// Adds a field unless one of its name, signs and case aside, is there.
fn add(fields: &mut Vec<Field>, field: Field) {
    let plain = |name: &str| name.replace('_', "").to_lowercase();
    if !fields.iter().any(|it| plain(&it.name) == plain(&field.name)) {
        fields.push(field);
    }
}

/// What the words only suggest.
fn open_points(contract: &Contract, findings: &mut Vec<Finding>) {
    let fields = [("input", &contract.input), ("output", &contract.output)];
    for (role, model) in fields {
        let names: Vec<String> = model.fields.iter().map(|it| format!("`{}`", it.name)).collect();
        let message = format!("the {role} is read out of the words: {}", names.join(", "));
        let help = format!("check names and types under `{role}s`");
        findings.push(note("contract.new-fields", message).with_help(help));
    }
    let codes: Vec<&str> = contract.error_codes.iter().map(|it| it.code.as_str()).collect();
    let message = format!(
        "the error codes are those of any {}: {}",
        contract.node_type.as_str(),
        codes.join(", ")
    );
    findings.push(note("contract.new-errors", message).with_help("name what can really go wrong"));
    let (what, help) = match contract.node_type {
        NodeType::Compute => return,
        NodeType::Effect => {
            ("the operation", "say under `io_operations` what is done to the world")
        }
        NodeType::Reducer => {
            ("the state machine", "check states and triggers under `state_machine`")
        }
        NodeType::Orchestrator => ("the workflow", "check the steps and what each waits for"),
    };
    let message = format!("{what} is a proposal");
    findings.push(note("contract.new-behaviour", message).with_help(help));
}

fn note(rule_id: &'static str, message: impl Into<String>) -> Finding {
    Finding::new(rule_id, Level::Note, message)
}

#[cfg(test)]
mod tests;
