//! Splitting, by what a user may type.
use super::split_statements;

fn split(text: &str) -> Vec<(String, bool)> {
    split_statements(text).into_iter().map(|it| (it.text, it.complete)).collect()
}

#[track_caller]
fn check(text: &str, expected: &[(&str, bool)]) {
    let expected: Vec<_> = expected.iter().map(|(it, ok)| ((*it).to_owned(), *ok)).collect();
    assert_eq!(split(text), expected, "{text}");
}

#[test]
fn a_semicolon_ends_a_statement() {
    check("select 1; select 2;", &[("select 1", true), ("select 2", true)]);
    check("select 1", &[("select 1", false)]);
    check(" ; ;; \n", &[]);
    check("", &[]);
}

#[test]
fn quotes_and_comments_hide_semicolons() {
    check(
        "select ';' -- ; not here\n, \"a;b\"; x",
        &[("select ';' -- ; not here\n, \"a;b\"", true), ("x", false)],
    );
    check("select /* ; */ $$ ; $$;", &[("select /* ; */ $$ ; $$", true)]);
    check("-- nothing\n/* at all */;", &[]);
}

#[test]
fn what_is_open_is_incomplete() {
    check("select 'it;", &[("select 'it;", false)]);
    check("select 1; /* open ;", &[("select 1", true), ("/* open ;", false)]);
    check("select \"a;", &[("select \"a;", false)]);
    check("select $tag$ ; ", &[("select $tag$ ;", false)]);
}

#[test]
fn columns_count_characters() {
    check("select 'žluť;' as ů; select 2", &[("select 'žluť;' as ů", true), ("select 2", false)]);
    let statements = split_statements("select 1;\n\n  select\n2;");
    assert_eq!(statements.iter().map(|it| it.start_line).collect::<Vec<_>>(), [1, 3]);
    assert_eq!(statements.iter().map(|it| it.start_byte).collect::<Vec<_>>(), [0, 13]);
}
