//! What a pipeline file may say, and every fault with its line and column.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test fails by panicking")]

use super::*;
use crate::error::Error;

fn findings(text: &str) -> Vec<String> {
    let library = crate::workflow::builtin(std::collections::BTreeMap::new());
    let others =
        |name: &str, _: &str| Err(Error::invalid(format!("there is no workflow `{name}`")));
    let found = PipelineFile::parse(text, "p.yaml").lower(&library, &others);
    let shown = |it: &Finding| {
        let place = it.span.map(|it| format!("{}:{} ", it.start_line, it.start_column));
        let help = it.help.as_ref().map(|it| format!(" ({it})")).unwrap_or_default();
        format!("{}{}{help}", place.unwrap_or_default(), it.message)
    };
    found.err().map(|all| all.iter().map(shown).collect()).unwrap_or_default()
}

#[test]
fn nothing_behind_a_key_is_as_if_it_were_not_there_and_texts_may_look_like_numbers() {
    let text = "
name: sound
version: 1
timeout:
steps:
  - name: a
    use: value
    with: {value: }
    needs:
  - conditional:
      if: steps.a.output
      then: [{name: b, use: noop}]
      else:
";
    assert_eq!(findings(text), [""; 0]);
}

#[test]
fn every_fault_of_the_form_is_found_at_its_place() {
    let text = "
name: wrong
stepz: []
concurrency: many
state: {x: {merge: add}}
steps:
  - name: a
    use: noop
    wehn: all_done
  - paralel: [{name: b, use: noop}]
  - parallel: {name: c, use: noop}
  - parallel: []
    name: d
  - just text
  - {name: e, use: noop, when: always, needs: a, on_failure: ignore}
  - for_each: {name: f, in: [1], do: [], partial: perhaps}
";
    let expected = [
        "3:1 the pipeline has no key `stepz` (did you mean `steps`?)",
        "4:14 `concurrency` is a text, not a whole number",
        "5:20 `merge` is `add`, none of `replace`, `sum`, `min`, `max`, `append`, `union`",
        "9:5 step `a` has no key `wehn` (did you mean `when`?)",
        "10:5 `paralel` is no kind of composition (did you mean `parallel`?)",
        "11:15 `parallel` is a mapping, not a list of steps and compositions",
        "13:5 `name` stands beside `parallel` (what belongs to it stands under `parallel`, indented)",
        "14:5 a part of a pipeline is a text, not a mapping (write a step with `name` and `use`, or a \
         composition such as `parallel`)",
        "15:32 `when` is `always`, none of `all_success`, `any_success`, `none_failed`, `all_done`",
        "15:47 `needs` is a text, not a list of names",
        "15:62 `on_failure` is `ignore`, none of `fail`, `degrade`",
        "16:51 `partial` is a text, not true or false",
    ];
    assert_eq!(findings(text), expected);
}

#[test]
fn faults_of_meaning_have_the_place_of_what_is_wrong() {
    let text = "
name: wrong
parameters:
  - {name: n, type: integr}
steps:
  - name: a
    use: valeu
  - parallel:
      - name: b
        use: value
        with:
          value: \"{{ steps.c.output }}\"
      - {name: c, use: sleep, with: {for: long}}
  - name: d
    use: sleep
";
    let expected = [
        "4:21 parameter `n` is of the unknown type `integr` (Did you mean `integer`?)",
        "7:10 there is no component `valeu` (Did you mean `value`?)",
        "13:43 `for` is \"long\", not a time span such as `250ms` or `2s`",
        "14:11 component `sleep` wants the input `for`",
    ];
    let found = findings(text);
    for it in expected {
        assert!(found.iter().any(|found| found.starts_with(it)), "{it} in {found:#?}");
    }
    assert_eq!(found.len(), expected.len(), "{found:#?}");
}

#[test]
fn what_is_no_yaml_and_no_mapping_is_told() {
    for (text, expected) in [
        ("name: [", "2:1 this is not YAML"),
        ("- a\n- b\n", "1:1 the pipeline is a list, not a mapping"),
        ("", "the file has no content"),
        (
            "name: a\nsteps: [{name: x, use: noop}]\n---\nname: b\n",
            "3:1 a second document begins here; a \
          file is one document (put each document in a file of its own)",
        ),
        ("name: a\nname: b\nsteps: [{name: x, use: noop}]\n", "name"),
    ] {
        let found = findings(text).join("; ");
        assert!(found.contains(expected), "{text}: {found}");
    }
}
