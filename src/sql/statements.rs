//! Where one SQL statement ends and the next begins. Uses the engine's own tokenizer, so comments,
//! quotes and dollar quotes mean here what they mean when the statement runs; parses nothing.

use datafusion::sql::sqlparser::dialect::GenericDialect;
use datafusion::sql::sqlparser::tokenizer::{Token, Tokenizer};

use super::position::offset;

/// One statement of a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Statement {
    /// The statement without its semicolon, comments before it included.
    pub text: String,
    /// Byte offset of `text` in the whole.
    pub start_byte: usize,
    /// Line of the whole, from 1, in which `text` begins.
    pub start_line: usize,
    /// Whether it ends: with a semicolon, and not inside a quote or comment. A shell reads on
    /// while the last statement is incomplete; a file's last statement may go without semicolon.
    pub complete: bool,
}

/// Splits a text at its semicolons. Parts with nothing but spaces and comments are left out,
/// unless the comment is still open.
pub fn split_statements(text: &str) -> Vec<Statement> {
    let mut tokens = Vec::new();
    let error =
        Tokenizer::new(&GenericDialect {}, text).tokenize_with_location_into_buf(&mut tokens).err();
    let mut statements = Vec::new();
    let mut start = 0;
    let mut says_something = false;
    for token in &tokens {
        match &token.token {
            Token::SemiColon => {
                let at = token.span.start;
                let end = offset(text, (at.line, at.column)).unwrap_or(text.len());
                if says_something {
                    statements.extend(statement(text, start, end, true));
                }
                start = end + 1;
                says_something = false;
            }
            Token::Whitespace(_) | Token::EOF => {}
            _ => says_something = true,
        }
    }
    // A text that the tokenizer refuses for another reason than its end is complete: it is the
    // parser that says what is wrong with it.
    let refused = error.as_ref().is_some_and(|it| !is_open(&it.message));
    if says_something || error.is_some() {
        let ended = refused && text.trim_end().ends_with(';');
        let end = if ended { text.trim_end().len() - 1 } else { text.len() };
        statements.extend(statement(text, start, end, ended));
    }
    statements
}

/// Whether a tokenizer's complaint is that the text ends inside a quote or comment.
fn is_open(message: &str) -> bool {
    ["Unterminated", "EOF"].iter().any(|it| message.contains(it))
}

fn statement(text: &str, start: usize, end: usize, complete: bool) -> Option<Statement> {
    let part = text.get(start..end)?;
    let skipped = part.len() - part.trim_start().len();
    let start_byte = start + skipped;
    let start_line = text.get(..start_byte)?.matches('\n').count() + 1;
    Some(Statement { text: part.trim().to_owned(), start_byte, start_line, complete })
}

#[cfg(test)]
mod tests;
