//! Annotations of every notation come apart into the same members.

use super::{Term, members};

fn shown(terms: &[Term]) -> String {
    let term = |it: &Term| {
        let arguments: Vec<String> = it.arguments.iter().map(|terms| shown(terms)).collect();
        match arguments.is_empty() {
            true => it.name.clone(),
            false => format!("{}[{}]", it.name, arguments.join(", ")),
        }
    };
    terms.iter().map(term).collect::<Vec<_>>().join(" | ")
}

#[test]
fn unions_of_every_notation_are_flat() {
    let cases = [
        ("int", "int"),
        ("typing.Optional[str]", "str | None"),
        ("Union[int, 'Model | None']", "int | Model | None"),
        ("dict[str, list[int | None]] | None", "dict[str, list[int | None]] | None"),
        ("Annotated[float, Field(ge=0)]", "float"),
        ("\"datetime.datetime\"", "datetime"),
        ("Literal['a|b', \"c,d\"]", "Literal[a | b, c,d]"),
        ("", ""),
    ];
    for (text, expected) in cases {
        assert_eq!(shown(&members(text)), expected, "{text}");
    }
    let deep = "list[".repeat(10_000);
    assert_eq!(members(&deep).len(), 1);
}
