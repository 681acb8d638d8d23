//! The `genstore` program: hands its arguments and surroundings to the library, and exits with the
//! code that comes back.

use std::process::ExitCode;

fn main() -> ExitCode {
    let env = genstore::config::Environment::from_process();
    ExitCode::from(genstore::cli::run(std::env::args_os(), env))
}
