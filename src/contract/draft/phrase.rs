//! A task's text as words with the roles of their phrases. Knows nothing of contracts.

use super::vocabulary::{
    Role, Verb, hands_over, is_aspect, is_filler, joins, role, system, type_of, verb,
};
use crate::contract::model::FieldType;

/// Most words of a name.
const NAME_WORDS_MAX: usize = 3;

/// Most words of a name such as `number_of_working_days`.
const COUNTED_WORDS_MAX: usize = 5;

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
    /// What it is done to besides.
    pub(super) beside: Vec<Phrase>,
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
    let mut tokens = tokens(text).into_iter().peekable();
    let mut reader = Reader::default();
    reader.opening(&mut tokens);
    while let Some(token) = tokens.next() {
        match token {
            Token::Stop => {
                reader.end();
                reader.at = Some(Role::Neither);
            }
            Token::Quoted(name) => {
                reader.end();
                let role = reader.at.filter(|it| *it != Role::Neither).or(Some(Role::Input));
                place(&mut reader.reading, vec![name], role, true);
            }
            Token::Word(word) => reader.word(word, &mut tokens),
        }
    }
    reader.end();
    let mut reading = reader.reading;
    // `the lifecycle of an order`: it is about the order
    let aspect = reading.object.as_ref().is_some_and(|it| is_aspect(&it.name));
    if aspect && reader.of_object && !reading.phrases.is_empty() {
        reading.object = Some(reading.phrases.remove(0));
    }
    reading
}

/// A text on the way.
#[derive(Default)]
struct Reader {
    reading: Reading,
    words: Vec<String>,
    at: Option<Role>,
    /// Whether an article stood before the word in hand.
    article: bool,
    /// Whether the phrase on the way began with an article: then it is a thing.
    thing: bool,
    /// Whether the phrase on the way is a clause of its own: `store the file`, `store it`.
    clause: bool,
    /// Whether what comes out has been named by `return`.
    returns: bool,
    /// Whether `of` stood behind the object.
    of_object: bool,
}

impl Reader {
    /// The verb; before it may stand what is given.
    fn opening(&mut self, tokens: &mut Tokens) {
        while let Some(Token::Word(first)) = tokens.peek() {
            let first = first.clone();
            if ["given", "using", "for", "from", "with"].contains(&first.as_str()) {
                self.at = Some(Role::Input);
                tokens.next();
                return;
            }
            tokens.next();
            if !is_filler(&first) && !joins(&first) {
                self.reading.verb = first;
                return;
            }
        }
    }

    fn word(&mut self, word: String, tokens: &mut Tokens) {
        let article = std::mem::replace(&mut self.article, is_filler(&word));
        let last = self.words.last().map(String::as_str);
        match word.as_str() {
            "whether" => {
                self.end();
                let side = self.at.filter(|it| *it == Role::Input);
                self.at = self.at.filter(|it| *it == Role::Input).or(Some(Role::Neither));
                whether(&mut self.reading, tokens, side.unwrap_or(Role::Output));
                return;
            }
            "as" => {
                self.end();
                if !typed(&mut self.reading, tokens) {
                    self.at = Some(Role::Output);
                }
                return;
            }
            "of" if last.is_some_and(|it| ["list", "number", "count"].contains(&it)) => {
                self.words.push(word);
                return;
            }
            "of" if self.at.is_none() && self.reading.object.is_none() => self.of_object = true,
            // the verb of a text that begins with what is given
            "," if self.reading.verb.is_empty() => {
                let next = tokens.next_if(|it| matches!(it, Token::Word(it) if verb(it).is_some()));
                if let Some(Token::Word(found)) = next {
                    self.end();
                    self.at = None;
                    self.reading.verb = found;
                    return;
                }
            }
            _ => {}
        }
        let noun = article && ["output", "outputs", "return", "yield"].contains(&word.as_str());
        if noun || !self.turns(&word) {
            // `store the file` is no thing but what is done
            let alone = self.words.len() == 1;
            if alone && is_filler(&word) && self.words.iter().any(|it| verb(it).is_some()) {
                self.clause = true;
            }
            if noun || !is_filler(&word) {
                if self.words.is_empty() {
                    self.thing = article;
                }
                self.words.push(word);
            }
        }
    }

    /// Ends the phrase at a word that says what the next is for; says whether it is one.
    fn turns(&mut self, word: &str) -> bool {
        let mut next = role(word);
        if next.is_none() && !joins(word) && word != "then" {
            return false;
        }
        if ["it", "them"].contains(&word) && self.words.len() == 1 {
            self.clause = self.words.iter().any(|it| verb(it).is_some());
        }
        self.end();
        let handed = verb(&self.reading.verb).is_some_and(|it| hands_over(it.word));
        if word == "to" && handed {
            next = Some(Role::Input);
        }
        if word.starts_with("return") || word.starts_with("giv") || word.starts_with("produce") {
            self.returns = word != "given";
        }
        if word == "with" && self.at == Some(Role::Output) && self.returns {
            return true;
        }
        self.at = next.or(if word == "then" { Some(Role::Neither) } else { self.at });
        true
    }

    /// Ends a phrase. What comes behind a clause of its own belongs to it.
    fn end(&mut self) {
        let taken = std::mem::take(&mut self.words);
        let clause = std::mem::take(&mut self.clause);
        // without an article a verb that is no noun says so as well
        let begins = !self.thing
            && taken.len() > 1
            && taken.first().and_then(|it| verb(it)).is_some_and(|it| !it.is_noun())
            && self.reading.object.is_some();
        if clause || begins {
            self.at = Some(Role::Neither);
        } else if !taken.is_empty() {
            place(&mut self.reading, taken, self.at, false);
        }
    }
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

/// `whether the address is deliverable`: a flag, and what it is about.
fn whether(reading: &mut Reading, tokens: &mut Tokens, side: Role) {
    let (mut subject, mut rest): (Vec<String>, Vec<String>) = (Vec::new(), Vec::new());
    let mut says: Option<&str> = None;
    let ends = |it: &str| joins(it) || (role(it).is_some() && !["is", "are", "it"].contains(&it));
    while let Some(Token::Word(word)) =
        tokens.next_if(|it| matches!(it, Token::Word(word) if !ends(word)))
    {
        match word.as_str() {
            "is" | "are" | "was" | "were" => says = Some("is"),
            "has" | "have" => says = Some("has"),
            _ if is_filler(&word) || word == "it" => {}
            _ if says.is_some() => rest.push(word),
            _ => subject.push(word),
        }
    }
    let about = [&subject[..], &rest[..]].concat().join(" ");
    let name = match says.filter(|_| !rest.is_empty()) {
        Some(says) => format!("{says} {}", rest.join(" ")),
        None => about.clone(),
    };
    let name = snake(&name);
    if reading.object.is_none() && !subject.is_empty() {
        place(reading, subject, None, false);
    }
    let known = reading.phrases.iter().any(|it| it.name == name);
    if !name.is_empty() && !known && reading.phrases.len() < PHRASES_MAX {
        let words = format!("whether {about}");
        let (field_type, role) = (FieldType::Bool, side);
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
    if !quoted && at == Some(Role::Neither) && reading.object.is_some() {
        return;
    }
    let counted = plain.contains(&"of") && !plain.contains(&"list");
    let most = if counted { COUNTED_WORDS_MAX } else { NAME_WORDS_MAX };
    let drop = if counted { &[][..] } else { &["list", "of"] };
    let kept: Vec<&str> = plain.iter().copied().filter(|it| !drop.contains(it)).collect();
    let kept = kept.get(kept.len().saturating_sub(most)..).unwrap_or(&kept);
    let name = snake(&kept.join(" "));
    if name.is_empty() || reading.phrases.len() >= PHRASES_MAX {
        return;
    }
    let parts: Vec<&str> = name.split('_').collect();
    let field_type = type_of(if quoted { &parts } else { &plain });
    // what a system is called is no field
    if !quoted && plain.last().is_some_and(|it| system(it).is_some()) && at.is_some() {
        return;
    }
    let (words, role) = (kept.join(" "), at.unwrap_or(Role::Neither));
    let phrase = Phrase { words, field_type, role, name, quoted };
    if at.is_none() && reading.object.is_none() && !quoted {
        reading.object = Some(phrase);
    } else if at.is_none() && !quoted {
        let verbs = plain.first().and_then(|it| verb(it)).is_some_and(|it| !it.is_noun());
        let known = reading.object.iter().chain(&reading.beside).any(|it| it.name == phrase.name);
        if !verbs && !known {
            reading.beside.push(phrase);
        }
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

/// The systems that a text names, in order.
pub(super) fn systems(text: &str) -> Vec<&'static str> {
    let mut found = Vec::new();
    for token in tokens(text) {
        if let Token::Word(word) = token
            && let Some(name) = system(&word)
            && !found.contains(&name)
        {
            found.push(name);
        }
    }
    found
}

/// The clauses of a text that begin with a verb that is known, as words. Where a text has a
/// heading, they are those behind the colon.
pub(super) fn clauses(text: &str) -> Vec<(Verb, String)> {
    let behind = text.split_once(':').map(|(_, behind)| clauses_of(behind));
    behind.filter(|it| it.len() > 1).unwrap_or_else(|| clauses_of(text))
}

fn clauses_of(text: &str) -> Vec<(Verb, String)> {
    const NEXT: [&str; 6] = ["then", "after", "finally", "afterwards", "first", "next"];
    let mut found: Vec<(Verb, Vec<String>)> = Vec::new();
    let mut begins = true;
    let mut open: Option<(Verb, Vec<String>)> = None;
    let mut tokens = tokens(text).into_iter().peekable();
    while let Some(token) = tokens.next() {
        let word = match token {
            Token::Word(word) => word,
            Token::Quoted(name) => name,
            Token::Stop => "then".to_owned(),
        };
        if joins(&word) || NEXT.contains(&word.as_str()) {
            begins = true;
            continue;
        }
        let behind = match tokens.peek() {
            Some(Token::Word(it)) => it.as_str(),
            _ => "",
        };
        let pronoun = ["it", "them"].contains(&behind);
        // `name, email and country` are things
        let done = |it: &Verb| !it.is_noun() || open.is_none() || pronoun || is_filler(behind);
        if begins && let Some(verb) = verb(&word).filter(done) {
            let before = open.take();
            let same = before
                .as_ref()
                .and_then(|(_, words)| words.iter().rev().find(|it| !it.is_empty()).cloned());
            found.extend(before);
            open = Some((verb, if pronoun { same.into_iter().collect() } else { Vec::new() }));
        } else if let Some((_, words)) = &mut open {
            let stops = begins || role(&word).is_some();
            if words.len() < NAME_WORDS_MAX && !is_filler(&word) && !stops {
                words.push(word);
            } else if stops {
                // the rest of the clause is no part of its name
                words.retain(|it| !it.is_empty());
                let own = words.len();
                words.resize(NAME_WORDS_MAX.max(own), String::new());
            }
        }
        begins = false;
    }
    found.extend(open);
    let named = |(verb, words): (Verb, Vec<String>)| {
        let words: Vec<String> = words.into_iter().filter(|it| !it.is_empty()).collect();
        (verb, words.join(" "))
    };
    found.into_iter().map(named).collect()
}
