//! Settings as text: all of them as a `genstore.toml` would have them, with their origins, and the
//! file that `config init` writes. Prints nothing.

use super::assembly::{Assembly, Origin};
use super::keys::{KEYS, Key, Reach};
use crate::output::escape;

/// Columns of the comments of a new file.
const COMMENT_CHARS_MAX: usize = 96;
/// Column in which origins stand.
const ORIGIN_COLUMN: usize = 40;

/// What a new file begins with.
const HEADING: &str = "\
Settings of genstore. Every line that begins with a # and a name is a setting with its default: \
take the # away to change it. Later ones win: the genstore.toml in the folder of the store, the \
one in your folder of configuration, the one in the working directory, variables such as \
GENSTORE_STORE_FLUSH_AGE=1s, `--config store.flush_age=1s`, and the flags of a command. \
`genstore config show --origin` says what holds, and why.

Times are texts such as \"250ms\", \"30s\" or \"24h\", sizes such as \"64 MiB\" or \"2 GB\".";

impl Origin {
    /// In a few words: `default`, `genstore.toml:3:1`, `GENSTORE_SQL_THREADS`, `--config`.
    pub fn describe(&self) -> String {
        match self {
            Self::Default => "default".to_owned(),
            Self::File { path, span, .. } => {
                let path = path.display().to_string();
                format!("{}:{}:{}", escape(&path), span.start_line, span.start_column)
            }
            Self::Variable(name) => name.clone(),
            Self::Flag => "--config".to_owned(),
        }
    }
}

impl Assembly {
    /// All settings as a file that says the same; with `origins`, where each came from.
    pub fn text(&self, origins: bool) -> String {
        let mut text = String::new();
        let mut section = "";
        for (key, value, origin) in self.values() {
            begin_section(key, &mut section, &mut text);
            let line = format!("{} = {}", key.parts().1, value);
            if origins {
                text.push_str(&format!("{line:<ORIGIN_COLUMN$} # {}\n", origin.describe()));
            } else {
                text.push_str(&format!("{line}\n"));
            }
        }
        text
    }
}

/// A file with every setting, its meaning and its default, of which none is set.
pub fn template() -> String {
    let mut text = String::new();
    for paragraph in HEADING.split("\n\n") {
        comment(paragraph, &mut text);
        text.push_str("#\n");
    }
    text.truncate(text.len() - "#\n".len());
    let mut section = "";
    for key in KEYS {
        begin_section(key, &mut section, &mut text);
        comment(key.about, &mut text);
        match key.reach {
            Reach::Anybody => {}
            Reach::Store => comment("Not in the working directory's file.", &mut text),
            Reach::Person => comment("Only in your own file.", &mut text),
            Reach::Inside => comment(
                "In the file of a store or a working directory, only below the working directory.",
                &mut text,
            ),
        }
        text.push_str(&format!("#{} = {}\n", key.parts().1, key.default_value()));
    }
    text
}

/// Writes the heading of a setting's section where another one ends.
fn begin_section(key: &Key, section: &mut &'static str, text: &mut String) {
    if key.parts().0 != *section {
        *section = key.parts().0;
        let space = if text.is_empty() { "" } else { "\n" };
        text.push_str(&format!("{space}[{section}]\n"));
    }
}

fn comment(words: &str, text: &mut String) {
    let mut line = String::from("#");
    for word in words.split_whitespace() {
        if line.chars().count() + 1 + word.chars().count() > COMMENT_CHARS_MAX {
            text.push_str(&format!("{line}\n"));
            line = String::from("#");
        }
        line.push(' ');
        line.push_str(word);
    }
    text.push_str(&format!("{line}\n"));
}
