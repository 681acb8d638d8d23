//! What functions give back: coroutines that are dropped, results that are none.

use super::{decorated, is_declaration};
use crate::python::annotation;
use crate::python::facts::{Body, Call, Function, LoopKind, ValueKind};
use crate::python::{Module, Place};
use crate::validate::rule::Sink;
use crate::validate::subject::{SourceFile, Subject};

/// Coroutines of the standard library that do nothing unless they are awaited.
const COROUTINES: [&str; 4] =
    ["asyncio.sleep", "asyncio.wait_for", "asyncio.to_thread", "asyncio.wait"];

/// Calls of coroutine functions whose result is dropped.
pub(super) fn missing_await(_: &Subject, file: &SourceFile, sink: &mut Sink<'_>) {
    let module = &file.module;
    for call in module.calls.iter().filter(|it| it.standalone && !it.awaited) {
        let path = call.path.as_deref().unwrap_or_default();
        if !COROUTINES.contains(&path) && !calls_coroutine(module, call) {
            continue;
        }
        let name = call.callee.map_or("", |it| module.text(it));
        let message = format!("the coroutine of `{name}` is not awaited");
        let start = Place { start: call.place.start, end: call.place.start };
        match module.function(call.site.function).is_some_and(|it| it.is_async) {
            true => {
                let said = (message, "Write `await` before it.");
                sink.mend(file, call.place, said, (start, "await "));
            }
            false => {
                let help = "Make the function `async`, and write `await` before the call.";
                sink.at(file, call.place, message, help);
            }
        }
    }
}

/// Whether a call is of an `async def` of the file: by its plain name, or as `self.name` of the
/// class at hand.
fn calls_coroutine(module: &Module, call: &Call) -> bool {
    let Some(callee) = call.callee.map(|it| module.text(it)) else { return false };
    let around = module.function(call.site.function);
    let own = callee.strip_prefix("self.").or_else(|| callee.strip_prefix("cls."));
    let name = own.unwrap_or(callee);
    let class = around.and_then(|it| it.site.class).filter(|_| own.is_some());
    let is_meant = |it: &&Function| {
        let is_near = match own {
            Some(_) => class.is_some() && it.site.class == class,
            None => {
                it.site.class.is_none()
                    && (it.site.function.is_none() || it.site.function == call.site.function)
            }
        };
        it.name == name && is_near
    };
    let mut meant = module.functions.iter().filter(is_meant).peekable();
    meant.peek().is_some() && meant.all(|it| it.is_async && !it.is_generator)
}

/// Functions whose head and body say different things.
pub(super) fn return_type(_: &Subject, file: &SourceFile, sink: &mut Sink<'_>) {
    let module = &file.module;
    for (index, function) in (0u32..).zip(&module.functions) {
        let Some(place) = function.returns else { continue };
        let text = module.text(place);
        if text == "None" {
            let own = module.returns.iter().filter(|it| it.site.function == Some(index));
            for given in own {
                let is_value = given.value.is_some_and(|it| {
                    !matches!(it.kind, ValueKind::Nothing | ValueKind::Call | ValueKind::Other)
                });
                if is_value {
                    let message = format!("`{}` returns a value, and says `None`", function.name);
                    sink.at(file, given.place, message, "Say what it returns.");
                }
            }
        } else if promises(text) && is_procedure(file, index) && !leaves_otherwise(module, index) {
            let message = format!("`{}` says `{text}`, and returns nothing", function.name);
            sink.at(file, place, message, "Return a value, or say `-> None`.");
        }
    }
}

/// Whether an annotation rules `None` out.
fn promises(text: &str) -> bool {
    const OPEN: [&str; 6] = ["None", "Any", "object", "NoReturn", "Never", "Awaitable"];
    let members = annotation::members(text);
    // a lone capital is a type variable
    let is_open = |name: &str| OPEN.contains(&name) || name.len() <= 1;
    !members.iter().any(|it| is_open(&it.name))
}

/// Whether a function runs to its end without a value: it does something, and neither returns a
/// value nor yields.
pub(super) fn is_procedure(file: &SourceFile, index: u32) -> bool {
    let module = &file.module;
    let Some(function) = module.function(Some(index)) else { return false };
    let returns = module.returns.iter().filter(|it| it.site.function == Some(index));
    let has_value =
        returns.clone().any(|it| it.value.is_some_and(|it| it.kind != ValueKind::Nothing));
    function.body == Body::Code
        && !function.is_generator
        && !has_value
        && !is_declaration(file, function)
        && !decorated(file, function, "property")
}

/// Whether a function may end by an error, or never.
fn leaves_otherwise(module: &Module, index: u32) -> bool {
    let own = Some(index);
    let ends = ["sys.exit", "exit", "quit", "os._exit", "os.abort", "typing.assert_never"];
    module.raises.iter().any(|it| it.site.function == own)
        || module.loops.iter().any(|it| it.site.function == own && it.kind == LoopKind::Endless)
        || module.calls.iter().any(|it| {
            it.site.function == own
                && (it.path.as_deref().is_some_and(|path| ends.contains(&path))
                    || it.method.is_some_and(|it| never_returns(module, module.text(it))))
        })
}

/// Whether what is called so ends the function: `fail` and `skip` of test tools, and functions of
/// the file that say so.
fn never_returns(module: &Module, name: &str) -> bool {
    let says_so = |it: &Function| {
        it.name == name
            && it.returns.is_some_and(|it| {
                let text = module.text(it);
                text.ends_with("NoReturn") || text.ends_with("Never")
            })
    };
    matches!(name, "fail" | "skip") || module.functions.iter().any(says_so)
}

/// The place before the colon of a function's head, where that is easy to tell.
pub(super) fn end_of_head(file: &SourceFile, function: &Function) -> Option<Place> {
    let module = &file.module;
    let after = module.line_place(module.line(function.name_place));
    let line = module.text(after).trim_end();
    let is_simple = line.ends_with("):") && !line.contains('#');
    let end = after.start + u32::try_from(line.len()).ok()?.checked_sub(1)?;
    (is_simple && function.returns.is_none()).then_some(Place { start: end, end })
}
