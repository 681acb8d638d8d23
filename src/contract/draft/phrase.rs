//! A task's text as words with the roles of their phrases. Knows nothing of contracts.

use super::vocabulary::{Role, is_filler, joins, role, type_of, verb};
use crate::contract::model::FieldType;

/// Most words of a name.
const NAME_WORDS_MAX: usize = 3;

/// Words that are the name of a type and of nothing else.
const TYPES: [&str; 9] =
    ["float", "int", "integer", "bool", "boolean", "text", "string", "number", "uuid"];

/// Most phrases of a text.
const PHRASES_MAX: usize = 40;

/// A noun with its attributes, and what it seems to be for.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Phrase {
    /// In snake case.
    pub(super) name: String,
    /// As words.
    pub(super) words: String,
    pub(super) field_type: FieldType,
    pub(super) role: Role,
    /// Whether it was written in quotes: then it is meant.
    pub(super) quoted: bool,
}

/// What a text says.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Reading {
    /// What is done, as written.
    pub(super) verb: String,
    /// What it is done to.
    pub(super) object: Option<Phrase>,
    /// The other phrases.
    pub(super) phrases: Vec<Phrase>,
}

/// A word, a comma, or a quoted name.
#[derive(Debug, Clone, PartialEq)]
enum Token {
    Word(String),
    Quoted(String),
    Stop,
}

/// The words of a text in lower case; everything else that is no comma ends a phrase.
fn tokens(text: &str) -> Vec<Token> {
    let mut found = Vec::new();
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let after = rest.get(first.len_utf8()..).unwrap_or("");
        if matches!(first, '"' | '`' | '“')
            && let Some((inside, behind)) =
                after.split_once(if first == '“' { '”' } else { first })
            && inside.chars().count() <= 60
        {
            found.push(Token::Quoted(inside.trim().to_owned()));
            rest = behind;
        } else if first.is_alphanumeric() {
            let end = after.find(|c: char| !c.is_alphanumeric() && !"_'’".contains(c));
            let end = end.unwrap_or(after.len()) + first.len_utf8();
            let word = rest.get(..end).unwrap_or("").to_lowercase();
            let word = word.split(['\'', '’']).next().unwrap_or_default();
            found.push(Token::Word(word.to_owned()));
            rest = rest.get(end..).unwrap_or("");
        } else {
            match first {
                ',' => found.push(Token::Word(",".to_owned())),
                ' ' | '\n' | '\t' | '-' | '/' => {}
                _ => found.push(Token::Stop),
            }
            rest = after;
        }
    }
    found
}

/// Reads a text.
pub(super) fn read(text: &str) -> Reading {
    let mut reading = Reading::default();
    let mut words: Vec<String> = Vec::new();
    let mut at: Option<Role> = None;
    let mut tokens = tokens(text).into_iter().peekable();
    while let Some(Token::Word(first)) = tokens.peek() {
        let first = first.clone();
        tokens.next();
        if !is_filler(&first) && !joins(&first) {
            reading.verb = first;
            break;
        }
    }
    while let Some(token) = tokens.next() {
        match token {
            Token::Stop => {
                end(&mut reading, &mut words, at);
                at = Some(Role::Neither);
            }
            Token::Quoted(name) => {
                end(&mut reading, &mut words, at);
                let role = at.filter(|it| *it != Role::Neither).or(Some(Role::Input));
                place(&mut reading, vec![name], role, true);
            }
            Token::Word(word) if word == "whether" => {
                end(&mut reading, &mut words, at);
                at = Some(Role::Neither);
                whether(&mut reading, &mut tokens);
            }
            Token::Word(word) if word == "as" => {
                end(&mut reading, &mut words, at);
                at = if typed(&mut reading, &mut tokens) { at } else { Some(Role::Output) };
            }
            Token::Word(word) if word == "of" && words.last().is_some_and(|it| it == "list") => {
                words.push(word);
            }
            Token::Word(word) => {
                let next = role(&word);
                if next.is_some() || joins(&word) || word == "then" {
                    end(&mut reading, &mut words, at);
                    at = next.or(if word == "then" { Some(Role::Neither) } else { at });
                } else if !is_filler(&word) {
                    words.push(word);
                }
            }
        }
    }
    end(&mut reading, &mut words, at);
    reading
}

/// What comes of a text, token by token.
type Tokens = std::iter::Peekable<std::vec::IntoIter<Token>>;

/// `as a float` says the type of what stands before it; says whether it does.
fn typed(reading: &mut Reading, tokens: &mut Tokens) -> bool {
    let is = |it: &Token, wanted: fn(&str) -> bool| matches!(it, Token::Word(word) if wanted(word));
    while tokens.next_if(|it| is(it, is_filler)).is_some() {}
    let Some(Token::Word(word)) = tokens.next_if(|it| is(it, |it| TYPES.contains(&it))) else {
        return false;
    };
    if let Some(before) = reading.phrases.last_mut().or(reading.object.as_mut()) {
        before.field_type = type_of(&[&word]);
    }
    true
}

/// Ends a phrase.
fn end(reading: &mut Reading, words: &mut Vec<String>, at: Option<Role>) {
    let taken = std::mem::take(words);
    if !taken.is_empty() {
        place(reading, taken, at, false);
    }
}

/// `whether the address is deliverable`: a flag that comes out, and what it is about.
fn whether(reading: &mut Reading, tokens: &mut Tokens) {
    let (mut subject, mut rest): (Vec<String>, Vec<String>) = (Vec::new(), Vec::new());
    let mut says = false;
    let ends = |it: &str| joins(it) || (role(it).is_some() && !["is", "are", "it"].contains(&it));
    while let Some(Token::Word(word)) =
        tokens.next_if(|it| matches!(it, Token::Word(word) if !ends(word)))
    {
        if ["is", "are", "has", "was", "were"].contains(&word.as_str()) {
            says = true;
        } else if !is_filler(&word) && word != "it" {
            if says { rest.push(word) } else { subject.push(word) }
        }
    }
    let about = [&subject[..], &rest[..]].concat().join(" ");
    let name =
        if says && !rest.is_empty() { format!("is {}", rest.join(" ")) } else { about.clone() };
    let name = snake(&name);
    if reading.object.is_none() && !subject.is_empty() {
        place(reading, subject, None, false);
    }
    let known = reading.phrases.iter().any(|it| it.name == name);
    if !name.is_empty() && !known && reading.phrases.len() < PHRASES_MAX {
        let words = format!("whether {about}");
        let (field_type, role) = (FieldType::Bool, Role::Output);
        reading.phrases.push(Phrase { name, words, field_type, role, quoted: false });
    }
}

/// Puts a phrase where it belongs: the object, or a type of the phrase before, or a phrase.
fn place(reading: &mut Reading, words: Vec<String>, at: Option<Role>, quoted: bool) {
    let plain: Vec<&str> = words.iter().map(String::as_str).collect();
    // `and sends the receipt` is a clause of its own
    if let [first, _, ..] = plain.as_slice()
        && !quoted
        && first.ends_with('s')
        && verb(first).is_some_and(|it| it.word != *first)
    {
        return;
    }
    let starts_clause = !quoted && at.is_none_or(|it| it == Role::Neither);
    if starts_clause && reading.object.is_some() {
        return;
    }
    let kept: Vec<&str> = plain.iter().copied().filter(|it| !["list", "of"].contains(it)).collect();
    let kept = kept.get(kept.len().saturating_sub(NAME_WORDS_MAX)..).unwrap_or(&kept);
    let name = snake(&kept.join(" "));
    if name.is_empty() || reading.phrases.len() >= PHRASES_MAX {
        return;
    }
    let parts: Vec<&str> = name.split('_').collect();
    let field_type = type_of(if quoted { &parts } else { &plain });
    let (words, role) = (kept.join(" "), at.unwrap_or(Role::Neither));
    let phrase = Phrase { words, field_type, role, name, quoted };
    if at.is_none() && reading.object.is_none() && !quoted {
        reading.object = Some(phrase);
    } else if !reading.phrases.iter().any(|it| it.name == phrase.name) {
        reading.phrases.push(phrase);
    }
}

/// A text in snake case, ASCII letters and digits alone.
pub(super) fn snake(text: &str) -> String {
    let found = crate::contract::words(text).join("_");
    let found =
        if found.starts_with(|it: char| it.is_ascii_digit()) { format!("n{found}") } else { found };
    found.chars().take(60).collect::<String>().trim_end_matches('_').to_owned()
}

/// The clauses of a text that begin with a verb that is known, as words.
pub(super) fn clauses(text: &str) -> Vec<(super::vocabulary::Verb, String)> {
    let mut found = Vec::new();
    let mut begins = true;
    let mut open: Option<(super::vocabulary::Verb, Vec<String>)> = None;
    for token in tokens(text) {
        let word = match token {
            Token::Word(word) => word,
            Token::Quoted(name) => name,
            Token::Stop => "then".to_owned(),
        };
        if joins(&word)
            || ["then", "after", "finally", "afterwards", "first", "next"].contains(&word.as_str())
        {
            begins = true;
            continue;
        }
        if begins && let Some(verb) = verb(&word) {
            found.extend(open.take());
            open = Some((verb, Vec::new()));
        } else if let Some((_, words)) = &mut open {
            let stops = begins || role(&word).is_some();
            if words.len() < NAME_WORDS_MAX && !is_filler(&word) && !stops {
                words.push(word);
            } else if stops {
                // the rest of the clause is no part of its name
                words.resize(NAME_WORDS_MAX.max(words.len()), String::new());
            }
        }
        begins = false;
    }
    found.extend(open);
    let named = |(verb, words): (super::vocabulary::Verb, Vec<String>)| {
        let words: Vec<String> = words.into_iter().filter(|it| !it.is_empty()).collect();
        (verb, words.join(" "))
    };
    found.into_iter().map(named).collect()
}
