//! Topics a node listens to and publishes to, from the six places where they stand.

use crate::contract::document::Node;
use crate::contract::notes::Notes;
use std::collections::HashSet;

/// Topics by direction, each once, in the order of the places.
#[derive(Debug, Default)]
pub(super) struct Topics {
    pub(super) subscribe: Vec<String>,
    pub(super) publish: Vec<String>,
}

const SUBSCRIBE: [&[&str]; 10] = [
    &["event_bus", "subscribe_topics"],
    &["event_bus", "subscribe"],
    &["subscribe_topics"],
    &["consumed_events"],
    &["subscriptions", "topics"],
    &["subscriptions"],
    &["topics", "consumes"],
    &["topics", "subscribes"],
    &["input_subscriptions"],
    &["initial_command"],
];

const PUBLISH: [&[&str]; 9] = [
    &["event_bus", "publish_topics"],
    &["event_bus", "publish"],
    &["publish_topics"],
    &["published_events"],
    &["produced_events"],
    &["publications"],
    &["topics", "produces"],
    &["topics", "publishes"],
    &["terminal_event"],
];

/// Reads all topics.
pub(super) fn topics(document: &Node, notes: &mut Notes) -> Topics {
    Topics {
        subscribe: collect(document, &SUBSCRIBE, notes),
        publish: collect(document, &PUBLISH, notes),
    }
}

fn collect(document: &Node, places: &[&[&str]], notes: &mut Notes) -> Vec<String> {
    let mut found = Vec::new();
    let mut known = HashSet::new();
    for path in places {
        let Some(node) = document.at(path) else { continue };
        let before = found.len();
        let mut add = |text: &str| {
            let text = text.trim();
            if !text.is_empty() && known.insert(text.to_owned()) {
                found.push(text.to_owned());
            }
        };
        match node.as_str() {
            Some(text) => add(text),
            None if node.is_sequence() => node.items().iter().for_each(|item| {
                if let Some(text) = item.as_str().or_else(|| item.first_text(&["topic"])) {
                    add(text);
                }
            }),
            // `subscribe: {topic: …}` and `publish: {success_topic: …, failure_topic: …}`.
            None => node
                .entries()
                .filter(|(key, _)| *key == "topic" || key.ends_with("_topic"))
                .filter_map(|(_, value)| value.as_str())
                .for_each(add),
        }
        let own = places.first().is_some_and(|first| first == path);
        if found.len() > before && !own {
            let normal = places.first().map(|first| first.join(".")).unwrap_or_default();
            let message = format!("`{}` is read into `{normal}`", path.join("."));
            notes.note("contract.rewrite-topics", document.key_span(path), message);
        }
    }
    found
}
