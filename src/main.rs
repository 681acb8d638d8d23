//! The `genstore` program: hands its arguments and surroundings to the library, and exits with the
//! code that comes back.

use std::process::ExitCode;

/// Queries make and free many small values and some large ones, over and over. The system's
/// allocator gives the large ones back each time.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    let env = genstore::config::Environment::from_process();
    ExitCode::from(genstore::cli::run(std::env::args_os(), env))
}
