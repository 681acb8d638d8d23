//! From text to tree: tree-sitter's parser, one per thread, and the tree's errors in words.

use std::cell::RefCell;

use tree_sitter::{Node, Parser, Tree};

use super::SIZE_BYTES_MAX;
use super::module::{Module, Problem};
use super::place::Place;
use super::walk;

/// How many syntax errors of a file are reported; the first is the one that counts.
const PROBLEMS_MAX: usize = 20;

thread_local! {
    static PARSER: RefCell<Parser> = RefCell::new(Parser::new());
}

/// Parses a Python file and collects its facts.
pub fn parse(source: &str) -> Module {
    let mut module = Module::empty(source);
    let tree = if source.len() > SIZE_BYTES_MAX { None } else { tree_of(source) };
    let Some(tree) = tree else {
        let message = format!("the file is larger than {SIZE_BYTES_MAX} bytes or cannot be parsed");
        module.problems.push(Problem { place: Place::default(), message });
        return module;
    };
    if tree.root_node().has_error() {
        module.problems = errors_of(&tree, source);
    } else {
        walk::collect(&tree, source, &mut module);
    }
    module
}

fn tree_of(source: &str) -> Option<Tree> {
    PARSER.with_borrow_mut(|parser| {
        if parser.language().is_none() {
            parser.set_language(&tree_sitter_python::LANGUAGE.into()).ok()?;
        }
        parser.parse(source, None)
    })
}

/// The error and missing nodes of a tree, in the order of the text.
fn errors_of(tree: &Tree, source: &str) -> Vec<Problem> {
    let mut problems = Vec::new();
    let mut cursor = tree.walk();
    loop {
        let node = cursor.node();
        if (node.is_error() || node.is_missing()) && problems.len() < PROBLEMS_MAX {
            problems.push(problem(node, source));
        }
        let inside = node.has_error() && !node.is_error();
        if inside && cursor.goto_first_child() {
            continue;
        }
        while !cursor.goto_next_sibling() {
            if !cursor.goto_parent() {
                return problems;
            }
        }
    }
}

fn problem(node: Node<'_>, source: &str) -> Problem {
    let place = Place::of(node);
    let message = if node.is_missing() {
        format!("`{}` is missing", node.kind())
    } else {
        let text = source.get(node.byte_range()).unwrap_or("").trim();
        let first_line = text.lines().next().unwrap_or("");
        let shown: String = first_line.chars().take(40).collect();
        match shown.as_str() {
            "" => "the text cannot be parsed".to_owned(),
            shown => format!("unexpected `{shown}`"),
        }
    };
    Problem { place, message }
}
