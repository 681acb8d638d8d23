//! Halstead's counts by radon's definitions: operators are arithmetic, boolean, comparison and
//! augmented ones; operands are what they apply to. Function heads are not counted.
//!
//! Source: radon 6.0, "Halstead Metrics"; Halstead, Elements of Software Science, 1977.

use std::borrow::Cow;
use std::collections::HashSet;

use tree_sitter::Node;

use super::kind::{Field, Kind};

/// The four counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Halstead {
    /// h1.
    pub distinct_operators: u32,
    /// h2.
    pub distinct_operands: u32,
    /// N1.
    pub operators: u32,
    /// N2.
    pub operands: u32,
}

impl Halstead {
    /// `(N1 + N2) · log2(h1 + h2)`; 0 without operators.
    pub fn volume(&self) -> f64 {
        let vocabulary = self.distinct_operators + self.distinct_operands;
        if vocabulary == 0 {
            return 0.0;
        }
        f64::from(self.operators + self.operands) * f64::from(vocabulary).log2()
    }
}

/// What two operands have in common to count as one.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum Operand<'s> {
    /// A name, an attribute or a string: radon does not tell them apart.
    Word(Cow<'s, str>),
    /// A number by its value's bits; `True` is 1.
    Number(u64),
    /// `None` or `...`.
    Constant(Kind),
    /// Any other expression, by its place: never equal to another.
    Expression(usize),
}

/// Counts operators while the tree is walked.
#[derive(Debug)]
pub(super) struct HalsteadCounter<'s> {
    source: &'s str,
    counts: Halstead,
    operators: HashSet<&'s str>,
    operands: HashSet<(&'s str, Operand<'s>)>,
}

impl<'s> HalsteadCounter<'s> {
    pub(super) fn new(source: &'s str) -> Self {
        Self {
            source,
            counts: Halstead::default(),
            operators: HashSet::new(),
            operands: HashSet::new(),
        }
    }

    /// Takes a node that may be an operator. `context` is the name of the function around it;
    /// `parent` and `field` say whether a boolean operator continues one that was counted.
    pub(super) fn node(&mut self, kind: Kind, node: Node<'_>, context: &'s str, continues: bool) {
        match kind {
            Kind::BinaryOperator => {
                self.operator(node, Field::Operator, 1);
                self.fields(node, &[Field::Left, Field::Right], context);
            }
            Kind::AugmentedAssignment => {
                self.operator(node, Field::Operator, 1);
                self.fields(node, &[Field::Left, Field::Right], context);
            }
            Kind::UnaryOperator => {
                let operator = Field::Operator.child(node).map_or("", |it| self.text(it));
                let operator = match operator {
                    "-" => "unary -",
                    "+" => "unary +",
                    _ => "~",
                };
                self.counts.operators += 1;
                self.operators.insert(operator);
                self.arguments(node, context);
            }
            Kind::NotOperator => {
                self.counts.operators += 1;
                self.operators.insert("not");
                self.arguments(node, context);
            }
            Kind::BooleanOperator if !continues => self.boolean(node, context),
            Kind::ComparisonOperator => self.comparison(node, context),
            Kind::UnionType => {
                self.counts.operators += 1;
                self.operators.insert("|");
                self.arguments(node, context);
            }
            _ => {}
        }
    }

    fn text(&self, node: Node<'_>) -> &'s str {
        self.source.get(node.byte_range()).unwrap_or("")
    }

    fn operator(&mut self, node: Node<'_>, field: Field, count: u32) {
        let Some(operator) = field.child(node) else { return };
        self.counts.operators += count;
        let text = self.text(operator);
        self.operators.insert(text.strip_suffix('=').unwrap_or(text));
    }

    fn fields(&mut self, node: Node<'_>, fields: &[Field], context: &'s str) {
        for operand in fields.iter().filter_map(|field| field.child(node)) {
            self.operand(operand, context);
        }
    }

    fn arguments(&mut self, node: Node<'_>, context: &'s str) {
        let mut cursor = node.walk();
        for child in node.named_children(&mut cursor).filter(|it| !it.is_extra()) {
            self.operand(child, context);
        }
    }

    /// `a and b and c` is one operator with three operands, as in Python's own tree.
    fn boolean(&mut self, node: Node<'_>, context: &'s str) {
        self.operator(node, Field::Operator, 1);
        let mut at = node;
        loop {
            if let Some(right) = Field::Right.child(at) {
                self.operand(right, context);
            }
            match Field::Left.child(at) {
                Some(left) if continues(at, left) => at = left,
                Some(left) => return self.operand(left, context),
                None => return,
            }
        }
    }

    fn comparison(&mut self, node: Node<'_>, context: &'s str) {
        let mut cursor = node.walk();
        if !cursor.goto_first_child() {
            return;
        }
        loop {
            let child = cursor.node();
            if Field::of(cursor.field_id()) == Field::Operators {
                self.counts.operators += 1;
                let text = self.text(child);
                // `is not` written over two lines is still `is not`
                let known = ["not in", "is not"].iter().find(|it| child.kind() == **it);
                self.operators.insert(known.copied().unwrap_or(text));
            } else if child.is_named() && !child.is_extra() {
                self.operand(child, context);
            }
            if !cursor.goto_next_sibling() {
                return;
            }
        }
    }

    fn operand(&mut self, node: Node<'_>, context: &'s str) {
        self.counts.operands += 1;
        let operand = self.value(node);
        self.operands.insert((context, operand));
    }

    fn value(&self, node: Node<'_>) -> Operand<'s> {
        let mut node = node;
        loop {
            match Kind::of(node) {
                Kind::ParenthesizedExpression | Kind::Type => match node.named_child(0) {
                    Some(inner) => node = inner,
                    None => return Operand::Expression(node.id()),
                },
                Kind::Identifier => return Operand::Word(self.text(node).into()),
                Kind::Attribute => {
                    let name = Field::Attribute.child(node);
                    return Operand::Word(name.map_or("", |it| self.text(it)).into());
                }
                Kind::String => return self.string(node),
                Kind::ConcatenatedString => return self.strings(node),
                Kind::Integer | Kind::Float => return number(self.text(node)),
                Kind::True => return Operand::Number(1.0_f64.to_bits()),
                Kind::False => return Operand::Number(0.0_f64.to_bits()),
                kind @ (Kind::None | Kind::Ellipsis) => return Operand::Constant(kind),
                _ => return Operand::Expression(node.id()),
            }
        }
    }

    fn string(&self, node: Node<'_>) -> Operand<'s> {
        let plain = self.plain(node).map(Cow::Borrowed);
        plain.map_or(Operand::Expression(node.id()), Operand::Word)
    }

    /// Texts side by side are one text.
    fn strings(&self, node: Node<'_>) -> Operand<'s> {
        let mut cursor = node.walk();
        let parts = node.named_children(&mut cursor).filter(|it| !it.is_extra());
        let joined: Option<String> = parts.map(|it| self.plain(it)).collect();
        joined.map_or(Operand::Expression(node.id()), |it| Operand::Word(it.into()))
    }

    /// What is between the quotes of a plain string; `None` of bytes and f-strings.
    fn plain(&self, node: Node<'_>) -> Option<&'s str> {
        let text = self.text(node);
        let start = text.find(['"', '\''])?;
        if text.get(..start)?.contains(['f', 'F', 'b', 'B']) {
            return None;
        }
        let quoted = text.get(start..)?;
        let quotes = if quoted.starts_with("\"\"\"") || quoted.starts_with("'''") { 3 } else { 1 };
        quoted.get(quotes..quoted.len().saturating_sub(quotes))
    }

    /// The counts.
    pub(super) fn finish(self) -> Halstead {
        Halstead {
            distinct_operators: super::place::offset(self.operators.len()),
            distinct_operands: super::place::offset(self.operands.len()),
            ..self.counts
        }
    }
}

/// Whether `left` is the same boolean operator without parentheses.
fn continues(node: Node<'_>, left: Node<'_>) -> bool {
    let operator = |it: Node<'_>| Field::Operator.child(it).map(|operator| operator.kind_id());
    Kind::of(left) == Kind::BooleanOperator && operator(node) == operator(left)
}

fn number(text: &str) -> Operand<'_> {
    let digits = text.replace('_', "").to_lowercase();
    let radix = |prefix: &str, radix: u32| {
        let digits = digits.strip_prefix(prefix)?;
        u64::from_str_radix(digits, radix).ok()
    };
    let whole = radix("0x", 16).or_else(|| radix("0o", 8)).or_else(|| radix("0b", 2));
    let value = match whole {
        #[expect(clippy::cast_precision_loss, reason = "equality of literals, not arithmetic")]
        Some(whole) => Some(whole as f64),
        None => digits.parse::<f64>().ok(),
    };
    value.map_or(Operand::Word(text.into()), |value| Operand::Number(value.to_bits()))
}
