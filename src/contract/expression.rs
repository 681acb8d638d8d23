//! Python expressions as far as declarations need them: literals, names, calls, subscripts, unions.
//! Evaluates nothing: what is anything else is [`Expression::Other`].

use serde_json::{Map, Number, Value as Json};

/// Deepest nesting that is taken apart.
const DEPTH_MAX: u32 = 48;

/// An expression.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Expression {
    /// A string, escapes resolved; several side by side are one.
    Text(String),
    /// A number.
    Number(Number),
    /// `True` or `False`.
    Flag(bool),
    /// `None`.
    Nothing,
    /// A dotted name.
    Name(String),
    /// A list, tuple or set.
    List(Vec<Self>),
    /// A dict display.
    Dictionary(Vec<(Self, Self)>),
    /// A call of a dotted name, with the names of arguments that have one.
    Call(String, Vec<(Option<String>, Self)>),
    /// `name[a, b]`.
    Index(String, Vec<Self>),
    /// `a | b`.
    Union(Vec<Self>),
    /// `lambda: value`.
    Lambda(Box<Self>),
    /// Anything else.
    Other,
}

impl Expression {
    /// Reads a text.
    pub(super) fn read(text: &str) -> Self {
        let mut reader = Reader { rest: text, depth: 0 };
        let found = reader.item();
        reader.skip();
        if reader.rest.is_empty() { found } else { Self::Other }
    }

    /// The text of a string.
    pub(super) fn text(&self) -> Option<&str> {
        if let Self::Text(text) = self { Some(text) } else { None }
    }

    /// The elements of a list, tuple or set; none of anything else.
    pub(super) fn items(&self) -> &[Self] {
        if let Self::List(items) = self { items } else { &[] }
    }

    /// The texts of a list.
    pub(super) fn texts(&self) -> Vec<String> {
        self.items().iter().filter_map(|it| it.text().map(str::to_owned)).collect()
    }

    /// The argument of a call by name.
    pub(super) fn argument(&self, name: &str) -> Option<&Self> {
        let Self::Call(_, arguments) = self else { return None };
        arguments.iter().find(|(it, _)| it.as_deref() == Some(name)).map(|(_, value)| value)
    }

    /// A number.
    pub(super) fn number(&self) -> Option<f64> {
        if let Self::Number(number) = self { number.as_f64() } else { None }
    }

    /// The value as data; `member` gives the value of an enum's member.
    pub(super) fn data(&self, member: &dyn Fn(&str) -> Option<String>) -> Option<Json> {
        match self {
            Self::Text(text) => Some(text.as_str().into()),
            Self::Number(number) => Some(Json::Number(number.clone())),
            Self::Flag(flag) => Some((*flag).into()),
            Self::Nothing => Some(Json::Null),
            Self::Name(name) => member(name.trim_end_matches(".value")).map(Json::from),
            Self::List(items) => {
                items.iter().map(|it| it.data(member)).collect::<Option<Vec<_>>>().map(Json::from)
            }
            Self::Dictionary(pairs) => {
                let pair = |(key, value): &(Self, Self)| {
                    Some((key.data(member)?.as_str()?.to_owned(), value.data(member)?))
                };
                pairs.iter().map(pair).collect::<Option<Map<_, _>>>().map(Json::Object)
            }
            Self::Lambda(value) => value.data(member),
            Self::Call(name, arguments) => {
                let last = name.rsplit('.').next().unwrap_or(name);
                match (last, arguments.as_slice()) {
                    ("UUID" | "fromisoformat" | "Decimal" | "Path", [(None, value)]) => {
                        value.data(member)
                    }
                    ("timedelta", [(Some(unit), value)]) if unit == "seconds" => value.data(member),
                    ("list", []) => Some(Json::Array(Vec::new())),
                    ("dict", []) => Some(Json::Object(Map::new())),
                    _ => None,
                }
            }
            _ => None,
        }
    }
}

struct Reader<'a> {
    rest: &'a str,
    depth: u32,
}

impl Reader<'_> {
    /// Skips white space, comments and joined lines.
    fn skip(&mut self) {
        loop {
            let before = self.rest.len();
            self.rest = self.rest.trim_start_matches(|c: char| c.is_whitespace() || c == '\\');
            if self.rest.starts_with('#') {
                self.rest = self.rest.split_once('\n').map_or("", |(_, rest)| rest);
            }
            if self.rest.len() == before {
                return;
            }
        }
    }

    fn take(&mut self, sign: &str) -> bool {
        self.skip();
        match self.rest.strip_prefix(sign) {
            Some(rest) => {
                self.rest = rest;
                true
            }
            None => false,
        }
    }

    fn ends(&mut self) -> bool {
        self.skip();
        self.rest.is_empty() || self.rest.starts_with([',', ')', ']', '}', ':', '='])
    }

    /// One element, up to what ends it: what it cannot take apart is skipped.
    fn item(&mut self) -> Expression {
        if self.depth >= DEPTH_MAX {
            self.skip_item();
            return Expression::Other;
        }
        self.depth += 1;
        let mut found = self.single();
        while found != Expression::Other && self.take("|") {
            let next = self.single();
            found = match (found, next) {
                (_, Expression::Other) => Expression::Other,
                (Expression::Union(mut all), next) => {
                    all.push(next);
                    Expression::Union(all)
                }
                (found, next) => Expression::Union(vec![found, next]),
            };
        }
        self.depth -= 1;
        if self.ends() && !self.rest.starts_with("==") {
            return found;
        }
        self.skip_item();
        Expression::Other
    }

    /// Skips to what ends an element, over brackets and strings.
    fn skip_item(&mut self) {
        let mut open = 0_usize;
        while let Some(first) = self.rest.chars().next() {
            match first {
                '"' | '\'' => {
                    if self.string(first, false).is_none() {
                        self.rest = "";
                    }
                    continue;
                }
                '(' | '[' | '{' => open += 1,
                ')' | ']' | '}' if open == 0 => return,
                ')' | ']' | '}' => open -= 1,
                ',' if open == 0 => return,
                '#' => {
                    self.skip();
                    continue;
                }
                _ => {}
            }
            self.rest = self.rest.get(first.len_utf8()..).unwrap_or("");
        }
    }

    fn single(&mut self) -> Expression {
        self.skip();
        let Some(first) = self.rest.chars().next() else { return Expression::Other };
        match first {
            '"' | '\'' => self.strings(),
            '(' | '[' => self.list(first),
            '{' => self.braces(),
            '.' if self.take("...") => Expression::Name("...".to_owned()),
            '-' => {
                self.take("-");
                match self.single() {
                    Expression::Number(it) => negative(&it),
                    _ => Expression::Other,
                }
            }
            _ if first.is_ascii_digit() || first == '.' => self.number(),
            _ if first.is_alphabetic() || first == '_' => self.word(),
            _ => Expression::Other,
        }
    }

    fn number(&mut self) -> Expression {
        let is_part = |c: char| c.is_ascii_alphanumeric() || c == '.' || c == '_';
        let mut end = self.rest.find(|c| !is_part(c)).unwrap_or(self.rest.len());
        let head = self.rest.get(..end).unwrap_or("");
        if head.ends_with(['e', 'E']) && !head.starts_with("0x") {
            let more = self.rest.get(end..).unwrap_or("");
            let sign = usize::from(more.starts_with(['+', '-']));
            let digits = more.get(sign..).unwrap_or("");
            end += sign + digits.find(|c: char| !c.is_ascii_digit()).unwrap_or(digits.len());
        }
        let text = self.rest.get(..end).unwrap_or("").replace('_', "");
        self.rest = self.rest.get(end..).unwrap_or("");
        let whole = text.parse::<i64>().map(Number::from);
        let whole = whole.or_else(|_| text.parse::<u64>().map(Number::from)).ok();
        let found = whole.or_else(|| text.parse().ok().and_then(Number::from_f64));
        found.map_or(Expression::Other, Expression::Number)
    }

    /// Strings side by side.
    fn strings(&mut self) -> Expression {
        let mut text = String::new();
        let mut known = true;
        loop {
            self.skip();
            let letters = self.rest.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(0);
            let prefix = self.rest.get(..letters).unwrap_or("").to_ascii_lowercase();
            let quote = self.rest.get(letters..).and_then(|it| it.chars().next());
            let Some(quote) = quote.filter(|it| matches!(it, '"' | '\'') && letters <= 2) else {
                break;
            };
            self.rest = self.rest.get(letters..).unwrap_or("");
            known &= !prefix.contains(['f', 'b', 't']);
            match self.string(quote, prefix.contains('r')) {
                Some(part) => text.push_str(&part),
                None => return Expression::Other,
            }
        }
        if known { Expression::Text(text) } else { Expression::Other }
    }

    /// One string, from its quote.
    fn string(&mut self, quote: char, raw: bool) -> Option<String> {
        let triple: String = [quote; 3].iter().collect();
        let close = if self.rest.starts_with(&triple) { triple } else { quote.to_string() };
        self.rest = self.rest.get(close.len()..)?;
        let mut text = String::new();
        loop {
            if let Some(rest) = self.rest.strip_prefix(close.as_str()) {
                self.rest = rest;
                return Some(text);
            }
            let first = self.rest.chars().next()?;
            self.rest = self.rest.get(first.len_utf8()..)?;
            if first != '\\' {
                text.push(first);
                continue;
            }
            let escaped = self.rest.chars().next()?;
            self.rest = self.rest.get(escaped.len_utf8()..)?;
            if raw {
                text.push('\\');
                text.push(escaped);
            } else {
                self.escape(escaped, &mut text);
            }
        }
    }

    fn escape(&mut self, escaped: char, text: &mut String) {
        let digits = match escaped {
            'x' => 2,
            'u' => 4,
            'U' => 8,
            _ => 0,
        };
        let code = self.rest.get(..digits).and_then(|it| u32::from_str_radix(it, 16).ok());
        match escaped {
            '\n' => {}
            'n' => text.push('\n'),
            't' => text.push('\t'),
            'r' => text.push('\r'),
            '0' => text.push('\0'),
            '\\' | '"' | '\'' => text.push(escaped),
            _ => match code.and_then(char::from_u32).filter(|_| digits > 0) {
                Some(char) => {
                    text.push(char);
                    self.rest = self.rest.get(digits..).unwrap_or("");
                }
                None => text.extend(['\\', escaped]),
            },
        }
    }

    /// Elements up to a closing bracket.
    fn elements(&mut self, close: &str) -> (Vec<Expression>, bool) {
        let mut items = Vec::new();
        let mut commas = false;
        while !self.take(close) {
            if self.rest.is_empty() {
                items.push(Expression::Other);
                break;
            }
            items.push(self.item());
            if self.take(",") {
                commas = true;
            } else if !self.rest.starts_with(close) {
                self.skip_item();
                items.push(Expression::Other);
                if !self.take(",") && !self.rest.starts_with(close) {
                    self.rest = "";
                }
            }
        }
        (items, commas)
    }

    fn list(&mut self, open: char) -> Expression {
        let (sign, close) = if open == '(' { ("(", ")") } else { ("[", "]") };
        self.take(sign);
        let (mut items, commas) = self.elements(close);
        if open == '(' && items.len() == 1 && !commas {
            return items.pop().unwrap_or(Expression::Other);
        }
        Expression::List(items)
    }

    fn braces(&mut self) -> Expression {
        self.take("{");
        let mut pairs = Vec::new();
        let mut items = Vec::new();
        while !self.take("}") {
            if self.rest.is_empty() {
                return Expression::Other;
            }
            let key = self.item();
            if self.take(":") {
                pairs.push((key, self.item()));
            } else {
                items.push(key);
            }
            if !self.take(",") && !self.rest.starts_with('}') {
                self.rest = self.rest.get(1..).unwrap_or("");
                items.push(Expression::Other);
            }
        }
        match (pairs.is_empty(), items.is_empty()) {
            (_, true) => Expression::Dictionary(pairs),
            (true, false) => Expression::List(items),
            _ => Expression::Other,
        }
    }

    /// A name and what follows it, or a string with a prefix.
    fn word(&mut self) -> Expression {
        let is_part = |c: char| c.is_alphanumeric() || c == '_';
        let end = self.rest.find(|c| !is_part(c)).unwrap_or(self.rest.len());
        let follows = self.rest.get(end..).unwrap_or("");
        if end <= 2 && follows.starts_with(['"', '\'']) {
            return self.strings();
        }
        let word = self.rest.get(..end).unwrap_or("").to_owned();
        self.rest = follows;
        match word.as_str() {
            "True" => return Expression::Flag(true),
            "False" => return Expression::Flag(false),
            "None" => return Expression::Nothing,
            "lambda" => {
                return if self.take(":") {
                    Expression::Lambda(Box::new(self.item()))
                } else {
                    Expression::Other
                };
            }
            "not" | "await" | "yield" => return Expression::Other,
            _ => {}
        }
        self.trailers(word)
    }

    fn trailers(&mut self, mut name: String) -> Expression {
        while self.rest.starts_with('.') {
            let after = self.rest.get(1..).unwrap_or("");
            let end = after.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(after.len());
            name.push('.');
            name.push_str(after.get(..end).unwrap_or(""));
            self.rest = after.get(end..).unwrap_or("");
        }
        if self.take("[") {
            return Expression::Index(name, self.elements("]").0);
        }
        if !self.take("(") {
            return Expression::Name(name);
        }
        let mut arguments = Vec::new();
        while !self.take(")") {
            if self.rest.is_empty() {
                return Expression::Other;
            }
            let before = self.rest.len();
            let value = self.item();
            match value {
                Expression::Name(key) if self.rest.starts_with('=') => {
                    self.take("=");
                    arguments.push((Some(key), self.item()));
                }
                value => arguments.push((None, value)),
            }
            if !self.take(",") && !self.rest.starts_with(')') {
                self.skip_item();
                if self.rest.len() == before {
                    self.rest = "";
                }
            }
        }
        Expression::Call(name, arguments)
    }
}

fn negative(of: &Number) -> Expression {
    let whole = of.as_i64().and_then(i64::checked_neg).map(Number::from);
    let found = whole.or_else(|| of.as_f64().and_then(|it| Number::from_f64(-it)));
    found.map_or(Expression::Other, Expression::Number)
}
