//! The program from its command line to its exit status.
//!
//! It is all in the library: what the binary calls by itself would be compiled a second time, for the binary alone.

use crate::{
    cli::{self, Command, Export, Import},
    data::offline,
    serve, simulate,
};
use std::{
    io::{IsTerminal, Write},
    process::ExitCode,
};

/// Enough for the ten thousand viewers and as many clients of the broker.
const DESCRIPTORS_WANTED: u64 = 65_536;

/// The exit status of a mistake in the settings.
const MISUSE: u8 = 2;

/// Does what the command line says, and says in one line what to mend when it cannot.
#[must_use]
pub fn run() -> ExitCode {
    let cli = match cli::parse(std::env::args()) {
        Ok(cli) => cli,
        Err(error) if error.use_stderr() => return fail(&cli::one_line(&error)),
        Err(help) => {
            // Nothing to do about a closed standard output.
            let _ = help.print();
            return ExitCode::SUCCESS;
        }
    };
    let filter = tracing_subscriber::EnvFilter::try_from_env("SKUFLOW_LOG")
        .unwrap_or_else(|_| tracing_subscriber::EnvFilter::new("warn,lapin=off,libunftp=error"));
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_ansi(std::io::stderr().is_terminal())
        .with_writer(std::io::stderr)
        .init();
    raise_descriptor_limit();
    let runtime = match tokio::runtime::Runtime::new() {
        Ok(runtime) => runtime,
        Err(error) => return fail(&format!("skuflow: no threads to work with: {error}")),
    };
    let ended = runtime.block_on(async {
        match cli.command {
            Command::Serve(settings) => serve::run(*settings).await.map_err(|error| error.to_string()),
            Command::Reset(owned) => offline::reset(&owned.data).await.map_err(|error| error.to_string()),
            Command::Export(Export { owned, to }) => {
                offline::export(&owned.data, &to).await.map_err(|error| error.to_string())
            }
            Command::Simulate(asked) => simulate::run(&asked),
            Command::Import(Import { owned, from }) => {
                offline::import(&owned.data, &from).await.map_err(|error| error.to_string())
            }
        }
    });
    match ended {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => fail(&format!("skuflow: {error}")),
    }
}

/// The usual soft limit is 1,024, for programs of another age; what may be had is much more. Where that fails, or is little,
/// whatever accepts connections waits until some are closed.
fn raise_descriptor_limit() {
    match rlimit::increase_nofile_limit(DESCRIPTORS_WANTED) {
        Ok(limit) => tracing::debug!(limit, "file descriptors"),
        Err(error) => tracing::warn!(%error, "the limit of file descriptors could not be raised"),
    }
}

fn fail(line: &str) -> ExitCode {
    let _ = writeln!(std::io::stderr(), "{line}");
    ExitCode::from(MISUSE)
}
