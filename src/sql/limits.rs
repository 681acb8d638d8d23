//! Bounds on the shape of a statement. The engine handles expressions by recursion, and a chain of
//! operators nests as deeply as it is long: without a bound, a text could end the process.

use std::ops::ControlFlow;

use datafusion::sql::sqlparser::ast::{Query, Select, Statement, Visit, Visitor};
use datafusion::sql::sqlparser::dialect::GenericDialect;
use datafusion::sql::sqlparser::keywords::Keyword;
use datafusion::sql::sqlparser::tokenizer::{Token, Tokenizer};

use crate::error::{Error, Result};

/// Operators in one chain, such as `a OR b OR c`. Lists (`IN (…)`, `VALUES`) have no bound.
const CHAIN_MAX: usize = 1_000;

/// Tables in one FROM, joined ones included, and queries in one WITH.
const TABLES_MAX: usize = 100;

/// Operators seen at one depth of parentheses since the last comma.
#[derive(Debug, Default, Clone, Copy)]
struct Chain {
    /// Of those that bind least: AND, OR, JOIN, UNION.
    loose: usize,
    /// All others since the last loose one.
    tight: usize,
}

/// Refuses a text whose operators nest too deeply. A text that is no SQL passes: the parser says
/// what is wrong with it.
pub(super) fn check_text(sql: &str) -> Result<()> {
    let mut tokens = Vec::new();
    if Tokenizer::new(&GenericDialect {}, sql).tokenize_with_location_into_buf(&mut tokens).is_err()
    {
        return Ok(());
    }
    let mut outer = Vec::new();
    let mut chain = Chain::default();
    for token in &tokens {
        match &token.token {
            Token::LParen => outer.push(std::mem::take(&mut chain)),
            Token::RParen => chain = outer.pop().unwrap_or_default(),
            Token::Comma | Token::SemiColon => chain = Chain::default(),
            Token::Word(word) => match word.keyword {
                Keyword::AND
                | Keyword::OR
                | Keyword::XOR
                | Keyword::JOIN
                | Keyword::UNION
                | Keyword::INTERSECT
                | Keyword::EXCEPT => chain = Chain { loose: chain.loose + 1, tight: 0 },
                _ => {}
            },
            Token::Number(..)
            | Token::SingleQuotedString(_)
            | Token::Whitespace(_)
            | Token::Placeholder(_)
            | Token::Period
            | Token::EOF => {}
            _ => chain.tight += 1,
        }
        if chain.loose + chain.tight > CHAIN_MAX {
            return Err(Error::invalid(format!(
                "the statement chains more than {CHAIN_MAX} operators"
            ))
            .with_hint("write a list: column IN (…)"));
        }
    }
    Ok(())
}

/// Refuses a statement that joins too many tables or stacks too many queries.
pub(super) fn check_tables(statement: &Statement) -> Result<()> {
    match statement.visit(&mut Tables) {
        ControlFlow::Continue(()) => Ok(()),
        ControlFlow::Break(message) => Err(Error::invalid(message)),
    }
}

fn within(what: &str, count: usize) -> ControlFlow<String> {
    if count <= TABLES_MAX {
        return ControlFlow::Continue(());
    }
    ControlFlow::Break(format!("{count} {what} are too many: at most {TABLES_MAX} are allowed"))
}

struct Tables;

impl Visitor for Tables {
    type Break = String;

    fn pre_visit_select(&mut self, select: &Select) -> ControlFlow<String> {
        within("tables in one FROM", select.from.iter().map(|it| 1 + it.joins.len()).sum())
    }

    fn pre_visit_query(&mut self, query: &Query) -> ControlFlow<String> {
        within("queries in one WITH", query.with.as_ref().map_or(0, |it| it.cte_tables.len()))
    }
}
