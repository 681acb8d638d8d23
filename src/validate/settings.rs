//! The settings of the validators: from where on something is too much, and what each validator
//! weighs. Data only.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::error::{Error, nearest};
use crate::setting::{Fault, count, names, within};

/// A set of thresholds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Profile {
    /// Calibrated on real code.
    #[default]
    Default,
    /// Those of the original system.
    Original,
}

impl Profile {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Default, Self::Original];

    /// The name in files and flags.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Default => "default",
            Self::Original => "original",
        }
    }

    /// Its thresholds.
    ///
    /// The default's complexity and maintainability index each name about the worst twentieth of
    /// omnibase-core 0.47.57 (13,369 functions, 4,533 files without `__init__.py`: 5.4 % and
    /// 4.8 %). An index of 70, as the original has it, would name a quarter of that code, and the
    /// `node.py` of faultless packages with it, which reach 61.
    pub fn limits(self) -> Limits {
        let default = Limits {
            complexity_max: 10,
            maintainability_min: 45,
            documented_percent_min: 80,
            typed_percent_min: 80,
        };
        match self {
            Self::Default => default,
            Self::Original => Limits { maintainability_min: 70, ..default },
        }
    }
}

impl fmt::Display for Profile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Profile {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        Self::ALL.into_iter().find(|it| it.as_str() == text).ok_or_else(|| {
            let names = Self::ALL.map(Self::as_str);
            let hint = match nearest(text, names) {
                Some(near) => format!("Did you mean {near}?"),
                None => format!("There are {}.", names.join(" and ")),
            };
            Error::invalid(format!("there is no profile {text:?}")).with_hint(hint)
        })
    }
}

/// From where on something is a finding.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Highest cyclomatic complexity of a function.
    pub complexity_max: u32,
    /// Lowest maintainability index of a file, on radon's scale of 0 to 100.
    pub maintainability_min: u32,
    /// Lowest share of public things with a docstring, in percent.
    pub documented_percent_min: u32,
    /// Lowest share of parameters and results with a type, in percent.
    pub typed_percent_min: u32,
}

/// What each validator weighs in the quality score; only their ratio matters.
///
/// Upstream's quality validator weighs syntax 0.30, compliance 0.40, contract conformance 0.20 and
/// code quality 0.10, and gives 0 for a syntax error. Here syntax is `correctness`, conformance to
/// the contract is `completeness`; `security` and `performance`, which upstream does not have,
/// take their shares from the two heaviest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[allow(missing_docs, reason = "one per validator, of its name")]
pub struct Weights {
    pub completeness: u32,
    pub correctness: u32,
    pub compliance: u32,
    pub quality: u32,
    pub performance: u32,
    pub security: u32,
}

impl Default for Weights {
    fn default() -> Self {
        Self {
            completeness: 20,
            correctness: 25,
            compliance: 25,
            quality: 10,
            performance: 5,
            security: 15,
        }
    }
}

impl Weights {
    /// The weight of a validator; 0 for a name that is none.
    pub fn of(&self, validator: &str) -> u32 {
        match validator {
            "completeness" => self.completeness,
            "correctness" => self.correctness,
            "compliance" => self.compliance,
            "quality" => self.quality,
            "performance" => self.performance,
            "security" => self.security,
            _ => 0,
        }
    }
}

/// How the validators judge.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ValidateSettings {
    /// The thresholds that are not set here.
    #[serde(with = "names")]
    pub profile: Profile,
    /// Highest cyclomatic complexity of a function; at 0, the profile's.
    pub complexity_max: u32,
    /// Lowest maintainability index of a file; at 0, the profile's.
    pub maintainability_min: u32,
    /// Lowest share of documented things; at 0, the profile's.
    pub documented_percent_min: u32,
    /// Lowest share of typed parameters and results; at 0, the profile's.
    pub typed_percent_min: u32,
    /// What each validator weighs.
    pub weights: Weights,
}

/// A weight is at most so large.
const WEIGHT_MAX: u64 = 1_000;

impl ValidateSettings {
    /// Checks each setting, and that something weighs something.
    ///
    /// # Errors
    /// A [`Fault`] that names the setting and the bound.
    pub fn validate(&self) -> Result<(), Fault> {
        let percent = |key, value: u32| within(key, u64::from(value), (0, 100), count);
        within("validate.complexity_max", u64::from(self.complexity_max), (0, 1_000), count)?;
        percent("validate.maintainability_min", self.maintainability_min)?;
        percent("validate.documented_percent_min", self.documented_percent_min)?;
        percent("validate.typed_percent_min", self.typed_percent_min)?;
        let mut sum = 0;
        for (key, weight) in [
            ("validate.weights.completeness", self.weights.completeness),
            ("validate.weights.correctness", self.weights.correctness),
            ("validate.weights.compliance", self.weights.compliance),
            ("validate.weights.quality", self.weights.quality),
            ("validate.weights.performance", self.weights.performance),
            ("validate.weights.security", self.weights.security),
        ] {
            within(key, u64::from(weight), (0, WEIGHT_MAX), count)?;
            sum += weight;
        }
        if sum == 0 {
            let message = "validate.weights are all 0, but one of them must be above 0";
            return Err(Fault::new(&["validate.weights.completeness"], message));
        }
        Ok(())
    }

    /// The thresholds: those that are set, else the profile's.
    pub fn limits(&self) -> Limits {
        let profile = self.profile.limits();
        let set = |own: u32, of_profile: u32| if own > 0 { own } else { of_profile };
        Limits {
            complexity_max: set(self.complexity_max, profile.complexity_max),
            maintainability_min: set(self.maintainability_min, profile.maintainability_min),
            documented_percent_min: set(
                self.documented_percent_min,
                profile.documented_percent_min,
            ),
            typed_percent_min: set(self.typed_percent_min, profile.typed_percent_min),
        }
    }
}
