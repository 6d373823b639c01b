//! The commands and their arguments.

mod check;
mod endpoints;
mod explain;
mod keys;
mod preflight;
mod project;
mod store;
mod wrangler;

use clap::{Parser, Subcommand};
use std::process::ExitCode;

/// Meridian's command line.
#[derive(Parser)]
#[command(name = "meridian", version, about, arg_required_else_help = true)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Gateway keys: create, list, revoke.
    #[command(subcommand)]
    Keys(keys::Keys),
    /// The endpoints of the region map and the secrets they need.
    Endpoints {
        /// Print JSON.
        #[arg(long)]
        json: bool,
    },
    /// Reads all of the configuration and says what is wrong with it.
    Check(check::Check),
    /// What would happen to a request, and why, in words a lawyer can read.
    Explain(explain::Explain),
}

/// Runs the command that was asked for.
pub fn main() -> ExitCode {
    let done = match Cli::parse().command {
        Command::Keys(command) => keys::run(command),
        Command::Endpoints { json } => endpoints::run(json),
        Command::Check(options) => check::run(&options),
        Command::Explain(options) => explain::run(options),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            eprintln!("✗ {message}");
            ExitCode::FAILURE
        }
    }
}
