//! What the end of a program means: its output as a value, a verdict, or an error of a class.

use std::os::unix::process::ExitStatusExt;

use nix::sys::signal::Signal;
use serde_json::{Value as Json, json};

use super::super::super::component::Output;
use super::super::super::failure::{ErrorClass, StepError};
use super::folder::Folder;
use super::order::{Form, Order};
use super::process::{End, Ended};

/// Signals by which a program ends that is itself at fault, and would be the next time.
const OWN_FAULT: [Signal; 7] = [
    Signal::SIGSEGV,
    Signal::SIGABRT,
    Signal::SIGILL,
    Signal::SIGFPE,
    Signal::SIGBUS,
    Signal::SIGSYS,
    Signal::SIGTRAP,
];

/// What the step hands on.
pub(super) fn answer(
    order: &Order,
    ended: Ended,
    folder: Option<&Folder>,
) -> Result<Output, StepError> {
    let name = &order.program;
    let Ended { end, stdout, stderr } = ended;
    let said = said(&stderr, &stdout);
    let (class, error_type, what) = match end {
        End::Exit(status) => match (status.code(), status.signal()) {
            (Some(code), _) if order.codes.ok.contains(&code) => {
                return output(order, code, stdout, folder);
            }
            (Some(code), _) if order.codes.reject.contains(&code) => {
                let message = said.lines().last().map(str::to_owned);
                let message = message.unwrap_or_else(|| exited(name, code));
                return Ok(output(order, code, stdout, folder)?.failing(message));
            }
            (Some(code), _) => {
                let is_passing = order.codes.retry.contains(&code);
                let class = if is_passing { ErrorClass::Transient } else { ErrorClass::Permanent };
                (class, "exit_code", exited(name, code))
            }
            (None, signal) => by_signal(name, signal),
        },
        End::TimedOut => {
            let limit = order.timeout.unwrap_or_default();
            let what = format!("`{name}` had no end within {limit:?} and was ended");
            (ErrorClass::Timeout, "timeout", what)
        }
        End::Cancelled => {
            let what = format!("`{name}` was ended by the wish to stop");
            (ErrorClass::Cancelled, "cancelled", what)
        }
        End::TooMuch => {
            let bytes_max = order.output_bytes_max;
            let message = format!(
                "`{name}` wrote more than {bytes_max} bytes to stdout and was ended; \
                 `output_bytes_max` sets the limit"
            );
            return Err(StepError::permanent("output_size", message));
        }
        End::Lost(error) => {
            (ErrorClass::Transient, "io", format!("`{name}` was lost sight of: {error}"))
        }
    };
    let message = if said.is_empty() { what } else { format!("{what}: {said}") };
    Err(StepError::new(class, error_type, message))
}

fn exited(name: &str, code: i32) -> String {
    format!("`{name}` ended with exit code {code}")
}

/// Whoever sent the signal may not do so again, unless the program did it to itself.
fn by_signal(name: &str, signal: Option<i32>) -> (ErrorClass, &'static str, String) {
    let signal = signal.and_then(|it| Signal::try_from(it).ok());
    let is_own_fault = signal.is_some_and(|it| OWN_FAULT.contains(&it));
    let class = if is_own_fault { ErrorClass::Permanent } else { ErrorClass::Transient };
    let signal = signal.map_or("a signal", Signal::as_str);
    (class, "signal", format!("`{name}` was ended by {signal}"))
}

/// The last words of a program: of stderr, or the last line of stdout if there are none.
fn said(stderr: &str, stdout: &[u8]) -> String {
    if !stderr.is_empty() {
        return stderr.to_owned();
    }
    let from = stdout.len().saturating_sub(1_024);
    let text = String::from_utf8_lossy(stdout.get(from..).unwrap_or_default());
    text.trim().lines().last().unwrap_or_default().trim().to_owned()
}

fn output(
    order: &Order,
    code: i32,
    stdout: Vec<u8>,
    folder: Option<&Folder>,
) -> Result<Output, StepError> {
    let stdout_bytes = stdout.len();
    let mut value = value(order, code, stdout)?;
    if let Some(folder) = folder.filter(|_| !order.read.is_empty()) {
        let files = folder.read(&order.read, order.output_bytes_max)?;
        value = json!({ "output": value, "files": files });
    }
    let output = Output::new(value).with_attribute("exit_code", code);
    Ok(match order.form {
        Form::None => output,
        _ => output.with_attribute("stdout_bytes", stdout_bytes),
    })
}

fn value(order: &Order, code: i32, stdout: Vec<u8>) -> Result<Json, StepError> {
    let name = &order.program;
    let unusable = |message| StepError::new(ErrorClass::InvalidOutput, "invalid_output", message);
    if order.form == Form::None {
        return Ok(Json::Null);
    }
    let text = String::from_utf8(stdout).map_err(|error| {
        let at = error.utf8_error().valid_up_to();
        unusable(format!("the output of `{name}` is no text: byte {at} is no UTF-8"))
    })?;
    match order.form {
        Form::Lines => Ok(text.lines().collect()),
        // whoever says no need not say more
        Form::Json if text.trim().is_empty() && order.codes.reject.contains(&code) => {
            Ok(Json::Null)
        }
        Form::Json => serde_json::from_str(&text)
            .map_err(|error| unusable(format!("the output of `{name}` is no JSON: {error}"))),
        Form::Text | Form::None => Ok(text.into()),
    }
}
