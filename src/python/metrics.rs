//! Measures of a whole file, by radon's formulas, so that the numbers can be compared.
//!
//! Cyclomatic complexity (McCabe 1976, radon 6.0): a function begins at 1; each `if`, `elif`,
//! conditional expression, `for`, `while`, their `else`, `except`, the `else` of `try`, `case`
//! (but one that takes everything), comprehension and its `if`, `assert`, and each `and` or `or`
//! adds 1. Inner functions count for themselves; function heads do not count.

use super::facts::{Class, Function};
use super::halstead::Halstead;
use super::lines::LineCounts;
use super::module::Module;

/// Measures of a file.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Metrics {
    /// Lines.
    pub lines: LineCounts,
    /// Operators and operands.
    pub halstead: Halstead,
    /// Complexity of the whole file: 1, plus the decisions of the module, of its functions and of
    /// its classes; each method adds 1 besides.
    pub complexity: u32,
}

impl Metrics {
    /// Maintainability index on the original scale, whose top is 171 (Oman and Hagemeister 1992;
    /// with Coleman's comment term): below 65 code is hard to maintain, above 85 easy.
    ///
    /// `171 − 5.2 ln V − 0.23 G − 16.2 ln L + 50 sin √(2.46 C)`, with Halstead volume V, complexity
    /// G, logical lines L and the share of comments C as radon takes it (percent as degrees, in
    /// radians). A file without operators has the top value.
    pub fn maintainability(&self) -> f64 {
        let volume = self.halstead.volume();
        if volume <= 0.0 || self.lines.logical == 0 {
            return 171.0;
        }
        let comments = 2.46 * self.comment_percent().to_radians();
        171.0
            - 5.2 * volume.ln()
            - 0.23 * f64::from(self.complexity)
            - 16.2 * f64::from(self.lines.logical).ln()
            + 50.0 * comments.sqrt().sin()
    }

    /// The same on radon's scale of 0 to 100.
    pub fn maintainability_percent(&self) -> f64 {
        (self.maintainability() * 100.0 / 171.0).clamp(0.0, 100.0)
    }

    /// Comments and lines of docstrings per hundred lines of code; 0 without code.
    pub fn comment_percent(&self) -> f64 {
        if self.lines.source == 0 {
            return 0.0;
        }
        let comments = f64::from(self.lines.comments + self.lines.multi);
        comments / f64::from(self.lines.source) * 100.0
    }
}

/// Sets the complexity of each class, which is that of radon: the mean of its methods, rounded
/// down, and 1 more where there are several; without methods, 1 plus the decisions of its body.
pub(super) fn set_class_complexity(module: &mut Module) {
    let mut methods = vec![(0, 0); module.classes.len()];
    for function in module.functions.iter().filter(|it| it.site.function.is_none()) {
        let class = function.site.class.and_then(|it| methods.get_mut(it as usize));
        if let Some((count, complexity)) = class {
            *count += 1;
            *complexity += function.complexity;
        }
    }
    for (class, (count, complexity)) in module.classes.iter_mut().zip(methods) {
        let whole = 1 + class.decisions + complexity;
        class.complexity = whole / count.max(1) + u32::from(count > 1);
    }
}

/// Complexity of the file: `decisions` are those of the module outside functions and classes.
pub(super) fn file_complexity(decisions: u32, functions: &[Function], classes: &[Class]) -> u32 {
    let outer = functions.iter().filter(|it| it.site == Default::default());
    let of_functions: u32 = outer.map(|it| it.complexity.saturating_sub(1)).sum();
    let of_classes: u32 = (0u32..)
        .zip(classes)
        .filter(|(_, class)| class.site.function.is_none() && class.site.class.is_none())
        .map(|(index, class)| class.decisions + class_methods(index, functions))
        .sum();
    1 + decisions + of_functions + of_classes
}

fn class_methods(class: u32, functions: &[Function]) -> u32 {
    let methods = functions.iter().filter(|it| it.site.class == Some(class));
    methods.filter(|it| it.site.function.is_none()).map(|it| it.complexity).sum()
}
