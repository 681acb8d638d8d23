//! The six validators: tables of rules over one parsed package, and how findings become scores.
//! They read only; a run is one [`Subject`], shared by all six at once.
//!
//! A new rule is a new entry in the table of its validator; nothing else changes.

mod completeness;
mod compliance;
mod correctness;
mod fingerprint;
mod model_class;
mod performance;
mod quality;
mod rule;
mod security;
mod settings;
mod subject;
mod suppression;
mod verdict;

pub use fingerprint::fingerprint;
pub use rule::{Check, Rule, Sink};
pub use settings::{Limits, Profile, ValidateSettings, Weights};
pub use subject::{SourceFile, Subject};
pub use suppression::Suppression;
pub use verdict::{SYNTAX_RULE, Suite, Validator, Verdict, quality_score, score};

/// The six, in the order of reports.
pub fn validators() -> &'static [&'static dyn Validator] {
    &[
        &Suite { name: "completeness", rules: completeness::RULES },
        &Suite { name: "correctness", rules: correctness::RULES },
        &Suite { name: "compliance", rules: compliance::RULES },
        &Suite { name: "quality", rules: quality::RULES },
        &Suite { name: "performance", rules: performance::RULES },
        &Suite { name: "security", rules: security::RULES },
    ]
}
