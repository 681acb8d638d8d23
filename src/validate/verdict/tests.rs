//! Scores: what they cost, and that nothing found ever raises them.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use proptest::prelude::*;

use super::{Verdict, quality_score, score};
use crate::finding::{Finding, Level};
use crate::validate::{Weights, validators};

fn finding(rule: usize, level: usize, suppressed: bool) -> Finding {
    let rules: Vec<_> = validators().iter().flat_map(|it| it.rules()).collect();
    let rule = rules.get(rule % rules.len()).unwrap();
    let level = *[Level::Note, Level::Warning, Level::Error].get(level % 3).unwrap();
    let mut finding = Finding::new(rule.id, level, "x");
    finding.suppression = suppressed.then(|| "noqa".to_owned());
    finding
}

fn verdicts(findings: &[Finding]) -> Vec<Verdict> {
    let own = |name: &str| {
        let own = findings.iter().filter(|it| it.rule_id.split('.').next() == Some(name));
        own.cloned().collect()
    };
    validators().iter().map(|it| Verdict::new(it.name(), own(it.name()))).collect()
}

fn weights(of: [u32; 6]) -> Weights {
    let [completeness, correctness, compliance, quality, performance, security] = of;
    Weights { completeness, correctness, compliance, quality, performance, security }
}

proptest! {
    #[test]
    fn a_further_finding_never_raises_a_score(
        some in prop::collection::vec((0_usize..200, 0_usize..3, any::<bool>()), 0..40),
        one in (0_usize..200, 0_usize..3, any::<bool>()),
        of in prop::array::uniform6(0_u32..1_000),
    ) {
        let before: Vec<Finding> = some.iter().map(|it| finding(it.0, it.1, it.2)).collect();
        let mut after = before.clone();
        after.push(finding(one.0, one.1, one.2));
        let weights = weights(of);
        for (a, b) in verdicts(&before).iter().zip(verdicts(&after)) {
            prop_assert!((0.0..=100.0).contains(&b.score));
            prop_assert!(b.score <= a.score, "{} after {}", b.score, a.score);
        }
        let (a, b) = (verdicts(&before), verdicts(&after));
        let (a, b) = (quality_score(&a, &weights), quality_score(&b, &weights));
        prop_assert!((0.0..=100.0).contains(&b) && b <= a, "{b} after {a}");
        if one.2 {
            prop_assert_eq!(a, b, "what is suppressed costs nothing");
        }
    }
}

#[test]
fn the_cost_grows_with_the_logarithm_and_says_so() {
    let twice = [finding(0, 1, false), finding(0, 1, false)];
    let (value, explanation) = score(&twice);
    assert!((value - (100.0 - 8.0 * (1.0 + 2.0_f64.ln()))).abs() < 1e-9);
    assert!(explanation.ends_with("×2 = 86.5"), "{explanation}");
    assert_eq!(score(&[]), (100.0, "100".to_owned()));
    assert_eq!(score(&[finding(0, 2, true)]).0, 100.0);
}
