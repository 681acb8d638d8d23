//! Dot commands: what can be typed besides SQL. Parses only; the shell does the work.

use clap::{CommandFactory, Parser, Subcommand};

use crate::error::{Error, Result, nearest};
use crate::output::Format;

/// A dot command.
#[derive(Debug, Clone, PartialEq, Subcommand)]
pub(super) enum Command {
    /// Run contracts, as `genstore run` does
    #[command(name = ".run", disable_help_flag = true)]
    Run {
        /// Contracts and flags
        #[arg(value_name = "CONTRACT", required = true)]
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        args: Vec<String>,
    },
    /// Run every contract of a folder or glob, as `genstore replay` does
    #[command(name = ".replay", disable_help_flag = true)]
    Replay {
        /// The set and flags
        #[arg(value_name = "SET", required = true)]
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        args: Vec<String>,
    },
    /// Run a pipeline, as `genstore pipeline run` does; without a name, list those of the program
    #[command(name = ".pipeline", disable_help_flag = true)]
    Pipeline {
        /// A file or a name, parameters as name=value, and flags
        #[arg(value_name = "PIPELINE")]
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        args: Vec<String>,
    },
    /// Run a canned query; without a name, list them
    #[command(name = ".q", visible_alias = ".query")]
    Query {
        /// Name of the query
        name: Option<String>,
        /// Parameters as name=value
        #[arg(value_name = "NAME=VALUE")]
        params: Vec<String>,
    },
    /// List the tables and how many rows they have, and the views
    #[command(name = ".tables")]
    Tables,
    /// List the functions that genstore adds to SQL
    #[command(name = ".functions")]
    Functions,
    /// Describe the columns of a table, a view or a table function, or of all
    #[command(name = ".schema")]
    Schema {
        /// Its name
        table: Option<String>,
    },
    /// Set the output format: table, json, ndjson, csv or markdown
    #[command(name = ".mode")]
    Mode {
        /// The format; without it, the one in use is shown
        #[arg(value_parser = parse_format)]
        format: Option<Format>,
    },
    /// Look at the store as it was at a time, or when a batch had ended; `now` returns
    #[command(name = ".as_of")]
    AsOf {
        /// 2026-11-22, 2026-11-22 10:00, 7d, or a batch; without it, the moment is shown
        #[arg(value_name = "TIME|BATCH|now", num_args = 0..=2)]
        moment: Vec<String>,
    },
    /// Show how long each query takes
    #[command(name = ".timer")]
    Timer {
        /// on or off
        #[arg(value_name = "on|off", value_parser = parse_switch, action = clap::ArgAction::Set)]
        on: bool,
    },
    /// Show this help
    #[command(name = ".help")]
    Help,
    /// Leave
    #[command(name = ".quit", visible_alias = ".exit")]
    Quit,
}

#[derive(Debug, Parser)]
#[command(multicall = true, disable_help_subcommand = true, disable_help_flag = true)]
struct Line {
    #[command(subcommand)]
    command: Command,
}

/// Parses a line that begins with a dot.
pub(super) fn parse(line: &str) -> Result<Command> {
    let words = words(line)?;
    let name = words.first().cloned().unwrap_or_default();
    if !is_command(&name) {
        let names = names();
        let hint = nearest(&name, names.iter().map(String::as_str))
            .map_or_else(|| ".help lists them.".to_owned(), |it| format!("Did you mean {it}?"));
        return Err(Error::usage(format!("there is no command {name}")).with_hint(hint));
    }
    Line::try_parse_from(words).map(|it| it.command).map_err(|error| {
        // Clap's text: the message, an empty line, the usage.
        let text = error.to_string();
        let mut parts = text.trim_start_matches("error: ").split("\n\n");
        let message = parts.next().unwrap_or_default().trim().replace('\n', " ");
        let usage = parts.find(|it| it.starts_with("Usage:")).unwrap_or_default();
        let error = Error::usage(message);
        if usage.is_empty() { error } else { error.with_hint(usage.trim()) }
    })
}

/// The words of the command line that does what `.pipeline` asks for: a parameter needs no `--set`.
pub(super) fn pipeline(args: Vec<String>) -> Vec<String> {
    if args.is_empty() {
        return vec!["pipeline".to_owned(), "list".to_owned()];
    }
    let mut words = vec!["pipeline".to_owned(), "run".to_owned()];
    for (at, word) in args.into_iter().enumerate() {
        let is_value = words.last().is_some_and(|it| it == "--set" || it == "--config");
        if at > 0 && !is_value && !word.starts_with('-') && word.contains('=') {
            words.push("--set".to_owned());
        }
        words.push(word);
    }
    words
}

/// Names of all dot commands, aliases included.
pub(super) fn names() -> Vec<String> {
    let line = Line::command();
    let commands = line.get_subcommands();
    commands
        .flat_map(|it| {
            let aliases = it.get_visible_aliases().map(str::to_owned);
            std::iter::once(it.get_name().to_owned()).chain(aliases).collect::<Vec<_>>()
        })
        .collect()
}

/// Whether a dot command has this name.
pub(super) fn is_command(name: &str) -> bool {
    names().iter().any(|it| it == name)
}

/// The text of `.help`.
pub(super) fn help() -> String {
    let mut text = String::from("SQL ends with a semicolon. Besides SQL there are:\n");
    for command in Line::command().get_subcommands() {
        let mut usage = command.get_name().to_owned();
        for argument in command.get_positionals() {
            let name = argument.get_id().as_str().to_uppercase();
            let names = argument.get_value_names().unwrap_or_default();
            let name = names.first().map_or(name, |it| it.to_string());
            let many = if argument.get_num_args().is_some_and(|it| it.max_values() > 1) {
                "…"
            } else {
                ""
            };
            if argument.is_required_set() {
                usage.push_str(&format!(" {name}{many}"));
            } else {
                usage.push_str(&format!(" [{name}{many}]"));
            }
        }
        let about = command.get_about().map(ToString::to_string).unwrap_or_default();
        text.push_str(&format!("  {usage:<28} {about}\n"));
    }
    text.push_str("Ctrl-C cancels a query or clears the line, Ctrl-D leaves.\n");
    text
}

/// Clap shows the message of an error only, so the hint goes into it.
fn parse_format(text: &str) -> Result<Format, String> {
    text.parse().map_err(|error: Error| match error.hint() {
        Some(hint) => format!("{}. {hint}", error.message()),
        None => error.message().to_owned(),
    })
}

fn parse_switch(text: &str) -> Result<bool, String> {
    match text {
        "on" => Ok(true),
        "off" => Ok(false),
        _ => Err("say on or off".to_owned()),
    }
}

/// Splits at spaces; `'…'` and `"…"` keep theirs.
fn words(line: &str) -> Result<Vec<String>> {
    let mut words = Vec::new();
    let mut word: Option<String> = None;
    let mut quote = None;
    for c in line.chars() {
        match (quote, c) {
            (Some(open), c) if c == open => quote = None,
            (None, '\'' | '"') => {
                quote = Some(c);
                word.get_or_insert_default();
            }
            (None, c) if c.is_whitespace() => words.extend(word.take()),
            (_, c) => word.get_or_insert_default().push(c),
        }
    }
    if let Some(quote) = quote {
        return Err(Error::usage(format!("a {quote} is not closed")));
    }
    words.extend(word);
    Ok(words)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test")]
    use super::*;

    #[test]
    fn commands_parse() {
        assert_eq!(parse(".tables").unwrap(), Command::Tables);
        assert_eq!(parse(".timer on").unwrap(), Command::Timer { on: true });
        assert_eq!(parse(".mode ndjson").unwrap(), Command::Mode { format: Some(Format::Ndjson) });
        assert_eq!(parse(".exit").unwrap(), Command::Quit);
        let moment = vec!["2026-11-22".to_owned(), "10:00".to_owned()];
        assert_eq!(parse(".as_of 2026-11-22 10:00").unwrap(), Command::AsOf { moment });
        let params = vec!["since=7 days".to_owned(), "step=x".to_owned()];
        let run = Command::Run { args: vec!["a b.yaml".to_owned(), "--fsync".to_owned()] };
        assert_eq!(parse(".run 'a b.yaml' --fsync").unwrap(), run);
        let query = Command::Query { name: Some("latency".to_owned()), params };
        assert_eq!(parse(".q latency since='7 days' step=\"x\"").unwrap(), query);
    }

    #[test]
    fn parameters_of_a_pipeline_need_no_flag() {
        for (line, expected) in [
            (".pipeline", "pipeline list"),
            (".pipeline sequence", "pipeline run sequence"),
            (
                ".pipeline feed text='one two' --fresh",
                "pipeline run feed --set text=one two --fresh",
            ),
            (".pipeline a=b.yaml n=1", "pipeline run a=b.yaml --set n=1"),
            (".pipeline x --set n=1 --jobs 2 m=3", "pipeline run x --set n=1 --jobs 2 --set m=3"),
        ] {
            let Command::Pipeline { args } = parse(line).unwrap() else { panic!("{line}") };
            assert_eq!(pipeline(args).join(" "), expected);
        }
    }

    #[test]
    fn mistakes_name_the_next_step() {
        let hint = |line: &str| parse(line).unwrap_err().hint().map(str::to_owned);
        assert_eq!(hint(".tabels").as_deref(), Some("Did you mean .tables?"));
        assert_eq!(hint(".xyzzy").as_deref(), Some(".help lists them."));
        let error = parse(".mode tabel").unwrap_err();
        assert!(error.message().contains("Did you mean table?"), "{error}");
        assert!(hint(".timer").unwrap().contains("Usage: .timer"), "{:?}", hint(".timer"));
        assert!(parse(".q 'open").unwrap_err().message().contains("not closed"));
        assert!(parse(".timer maybe").unwrap_err().message().contains("on or off"));
    }

    #[test]
    fn help_names_every_command() {
        for name in [
            ".run CONTRACT…",
            ".pipeline [PIPELINE…]",
            ".q [NAME] [NAME=VALUE…]",
            ".schema [TABLE]",
            ".timer on|off",
            ".quit",
        ] {
            assert!(help().contains(name), "{name}: {}", help());
        }
    }
}
