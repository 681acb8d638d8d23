//! Tests of what is known of components before they run.

use serde_json::json;

use super::*;

#[test]
fn kinds_have_names_and_say_what_they_admit() {
    for kind in Kind::ALL {
        assert_eq!(Kind::by_name(kind.as_str()), Some(kind));
    }
    assert_eq!(Kind::by_name("number of things"), None);
    assert!(Kind::Integer.admits(&json!(-3)) && !Kind::Integer.admits(&json!(3.5)));
    assert!(Kind::Duration.admits(&json!("250ms")) && Kind::Duration.admits(&json!(0.5)));
    assert!(!Kind::Duration.admits(&json!(-1)) && !Kind::Duration.admits(&json!("soon")));
}

#[test]
fn a_wrong_value_is_named_with_its_input() {
    let count = Input::required("count", Kind::Integer, "how many");
    assert_eq!(count.problem(&json!(3)), None);
    assert_eq!(count.problem(&json!("3")).as_deref(), Some("`count` is \"3\", not a whole number"));
    let long = count.problem(&json!("x".repeat(100)));
    let expected = format!("`count` is \"{}…, not a whole number", "x".repeat(59));
    assert_eq!(long.as_deref(), Some(&*expected));

    let form = Input::required("form", Kind::Text, "how").one_of(&["json", "text"]);
    assert_eq!(form.problem(&json!("text")), None);
    let near = "`form` is \"jsn\"; did you mean `json`? It may be `json`, `text`";
    assert_eq!(form.problem(&json!("jsn")).as_deref(), Some(near));
    let far = "`form` is \"yaml\"; it may be `json`, `text`";
    assert_eq!(form.problem(&json!("yaml")).as_deref(), Some(far));
}

#[test]
fn inputs_are_listed_in_words() {
    let about = About {
        name: "count".to_owned(),
        version: "2".to_owned(),
        inputs: vec![
            Input::required("of", Kind::List, "what to count"),
            Input::optional("above", Kind::Number, "only those"),
            Input::optional("as", Kind::Text, "how").or("number"),
            Input::optional("also", Kind::List, "more").or(json!([1])),
        ],
        open: true,
        ..About::default()
    };
    let expected = "of: list, above?: number, as: text = number, also: list = [1], any other";
    assert_eq!(about.listed().inputs, expected);
}
