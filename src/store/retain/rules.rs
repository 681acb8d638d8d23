//! The rules of retention as data: for how long runs are kept with all that belongs to them, and
//! which tables are kept shorter or longer. A store may hold rules of its own, in a file beside
//! `store.json`. Decides nothing about rows: `plan` does.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};

use super::plan::RUN_CHILDREN;
use crate::clock::{IdSource, duration_us};
use crate::error::{Error, Result};
use crate::event::Table;
use crate::store::files::Files;
use crate::store::layout::{Layout, RETENTION_NAME};

/// An age, as it was written: `90d`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Age {
    text: String,
    us: i64,
}

impl Age {
    /// Reads `12h`, `90d` or `8w`.
    ///
    /// # Errors
    /// `Usage` for what is no duration, and for one that keeps nothing.
    pub fn parse(text: &str) -> Result<Self> {
        const HINT: &str = "Write a number and a unit: 12h, 90d or 8w.";
        match duration_us(text) {
            Some(us) if us > 0 => Ok(Self { text: text.to_owned(), us }),
            Some(_) => {
                Err(Error::usage(format!("an age of {text} would keep nothing")).with_hint(HINT))
            }
            None => Err(Error::usage(format!("{text:?} is no age")).with_hint(HINT)),
        }
    }

    /// In microseconds.
    pub fn us(&self) -> i64 {
        self.us
    }
}

impl fmt::Display for Age {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl TryFrom<String> for Age {
    type Error = Error;

    fn try_from(text: String) -> Result<Self> {
        Self::parse(&text)
    }
}

impl From<Age> for String {
    fn from(age: Age) -> Self {
        age.text
    }
}

/// For how long rows are kept.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rules {
    /// Runs, with all that belongs to them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    keep: Option<Age>,
    /// Single tables, by their names.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    tables: BTreeMap<String, Age>,
}

impl Rules {
    /// Rules by tables; the one without a table is that of runs.
    ///
    /// # Errors
    /// `Usage`, naming the rule that makes no sense.
    pub fn new(rules: impl IntoIterator<Item = (Option<Table>, Age)>) -> Result<Self> {
        let mut made = Self::default();
        for (table, age) in rules {
            let before = match table {
                None => made.keep.replace(age),
                Some(table) => made.tables.insert(table.name().to_owned(), age),
            };
            if let Some(before) = before {
                let what = table.map_or("runs", Table::name);
                let message =
                    format!("two rules say for how long {what} are kept; one is {before}");
                return Err(Error::usage(message));
            }
        }
        made.validate()?;
        Ok(made)
    }

    fn validate(&self) -> Result<()> {
        for (name, age) in &self.tables {
            let table = Table::by_name(name)
                .ok_or_else(|| Error::usage(format!("there is no table {name:?}")))?;
            check_table(table)?;
            if let Some(keep) = self.keep.as_ref().filter(|_| RUN_CHILDREN.contains(&table))
                && age.us > keep.us
            {
                return Err(Error::usage(format!(
                    "{name} cannot be kept for {age}: they go with their runs, after {keep}"
                )));
            }
        }
        Ok(())
    }

    /// Whether there is no rule.
    pub fn is_empty(&self) -> bool {
        self.keep.is_none() && self.tables.is_empty()
    }

    pub(super) fn runs_us(&self) -> Option<i64> {
        self.keep.as_ref().map(Age::us)
    }

    pub(super) fn table_us(&self, table: Table) -> Option<i64> {
        self.tables.get(table.name()).map(Age::us)
    }
}

/// As the command line takes them.
impl fmt::Display for Rules {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let runs = self.keep.iter().map(|age| format!("--keep {age}"));
        let tables = self.tables.iter().map(|(table, age)| format!("--table {table} --keep {age}"));
        f.write_str(&runs.chain(tables).collect::<Vec<_>>().join(" "))
    }
}

/// Refuses a rule for a table whose rows must not go, or not alone.
fn check_table(table: Table) -> Result<()> {
    let (why, hint) = match table {
        Table::Runs => ("runs go with all that belongs to them", "Write --keep without --table."),
        Table::Contracts => (
            "contracts are kept: a writer that has seen one does not record it again",
            "Each is recorded once, so they take little room.",
        ),
        Table::Baselines => (
            "baselines are kept: they say which batches are pinned",
            "`genstore store unpin` ends a pin.",
        ),
        _ => return Ok(()),
    };
    Err(Error::usage(why).with_hint(hint))
}

/// The rules that a store holds; none if it has no file of them.
///
/// # Errors
/// `Invalid`, naming the file, for what are no rules.
pub(in crate::store) fn read(files: &dyn Files, layout: &Layout) -> Result<Rules> {
    let path = layout.retention();
    let Some(bytes) = files.read(&path)? else { return Ok(Rules::default()) };
    let wrong = |why: String| {
        Error::invalid(format!("{} holds no rules of retention: {why}", path.display()))
            .with_hint("Write it anew with `genstore store retain --set --keep …`.")
    };
    let rules: Rules = serde_json::from_slice(&bytes).map_err(|it| wrong(it.to_string()))?;
    rules.validate().map_err(|it| wrong(it.to_string()))?;
    Ok(rules)
}

/// Makes these the rules of a store; no rule at all takes them away.
pub(in crate::store) fn write(
    files: &dyn Files,
    layout: &Layout,
    ids: &dyn IdSource,
    rules: &Rules,
) -> Result<()> {
    if rules.is_empty() {
        files.remove(&layout.retention())?;
        return files.sync_folder(layout.root());
    }
    let mut bytes = serde_json::to_vec_pretty(rules)
        .map_err(|source| Error::internal("cannot encode rules").with_source(source))?;
    bytes.push(b'\n');
    let temporary = format!("{RETENTION_NAME}.{}.tmp", ids.next_id());
    files.replace(layout.root(), RETENTION_NAME, &temporary, &bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn age(text: &str) -> Age {
        Age::parse(text).unwrap()
    }

    #[test]
    fn ages_are_durations_above_nothing() {
        assert_eq!(age("90d").us(), 90 * 86_400_000_000);
        for (text, why) in [
            ("0d", "an age of 0d would keep nothing"),
            ("-7d", "\"-7d\" is no age"),
            ("90", "\"90\" is no age"),
            ("", "\"\" is no age"),
            ("ever", "\"ever\" is no age"),
        ] {
            assert_eq!(Age::parse(text).unwrap_err().message(), why);
        }
    }

    #[test]
    fn rules_that_make_no_sense_are_refused() {
        let of = |rules: &[(Option<Table>, &str)]| {
            Rules::new(rules.iter().map(|(table, text)| (*table, age(text))))
        };
        let rules = of(&[(None, "90d"), (Some(Table::Steps), "14d")]).unwrap();
        assert_eq!(rules.to_string(), "--keep 90d --table steps --keep 14d");
        let json = serde_json::to_string(&rules).unwrap();
        assert_eq!(json, r#"{"keep":"90d","tables":{"steps":"14d"}}"#);
        assert_eq!(serde_json::from_str::<Rules>(&json).unwrap(), rules);
        assert!(serde_json::from_str::<Rules>(r#"{"keep":"soon"}"#).is_err());
        let refused = [
            (vec![(None, "9d"), (None, "8d")], "two rules say for how long runs are kept"),
            (vec![(Some(Table::Runs), "9d")], "runs go with all that belongs to them"),
            (vec![(Some(Table::Contracts), "9d")], "contracts are kept"),
            (vec![(Some(Table::Baselines), "9d")], "baselines are kept"),
            (
                vec![(None, "14d"), (Some(Table::Steps), "90d")],
                "steps cannot be kept for 90d: they go with their runs, after 14d",
            ),
        ];
        for (rules, why) in refused {
            let error = of(&rules).unwrap_err();
            assert!(error.message().starts_with(why), "{error}");
        }
        of(&[(None, "14d"), (Some(Table::StepLatency), "900d")]).unwrap();
    }
}
