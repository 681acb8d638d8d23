//! How complex a contract is, by the original system's formula. Pure arithmetic.

use super::model::Contract;

/// A score from 0 to 1 and the class it falls in.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Complexity {
    /// 0.05 per declared input and output field, 0.03 per error code, 0.1 when the node has a
    /// command line, 0.1 when it declares capabilities; at most 1.
    pub score: f64,
    /// `simple` below 0.3, `moderate` below 0.5, `complex` below 0.7, else `highly_complex`.
    pub class: &'static str,
}

/// Keys that give a node a command line.
const CLI_KEYS: [&str; 3] = ["cli", "cli_interface", "tool_specification"];

/// The complexity of a contract.
///
/// The formula is the original system's, whose score picks the template.
pub fn complexity(contract: &Contract) -> Complexity {
    let fields = contract.input.fields.len().saturating_add(contract.output.fields.len());
    let cli = CLI_KEYS.iter().any(|key| contract.document.get(key).is_some_and(|it| !it.is_null()));
    let has = |condition: bool| if condition { 10 } else { 0 };
    // In hundredths, so that six fields are exactly 0.30 and not a little more.
    let hundredths = fields
        .saturating_mul(5)
        .saturating_add(contract.error_codes.len().saturating_mul(3))
        .saturating_add(has(cli))
        .saturating_add(has(!contract.capabilities.is_empty()))
        .min(100);
    let class = match hundredths {
        0..30 => "simple",
        30..50 => "moderate",
        50..70 => "complex",
        _ => "highly_complex",
    };
    let score = u32::try_from(hundredths).map_or(1.0, |it| f64::from(it) / 100.0);
    Complexity { score, class }
}

#[cfg(test)]
mod tests;
