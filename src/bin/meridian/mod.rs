//! The commands and their arguments.

mod admins;
mod api;
mod approve;
mod budgets;
mod check;
mod endpoints;
mod evidence;
mod explain;
mod failover;
mod keys;
mod maps;
mod models;
mod preflight;
mod project;
mod retention;
mod store;
mod usage;
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
    /// What an edit of the region map changes, in words.
    Diff(maps::Diff),
    /// Prints the region map as the gateway reads it and as it is published.
    Map {
        /// A git revision instead of the files here.
        revision: Option<String>,
    },
    /// Prints all of the configuration as the gateway reads it: the build does.
    Config,
    /// The models of the map, its prices and aliases.
    #[command(subcommand)]
    Models(models::Models),
    /// Proposes the map here to a running gateway; somebody else approves it.
    Publish(maps::Publish),
    /// The maps that are proposed.
    Drafts(maps::Drafts),
    /// Puts a proposed map into force.
    Approve(approve::Approve),
    /// Gives a proposed map up.
    Withdraw(maps::Withdraw),
    /// Puts an earlier map into force again.
    Rollback(maps::Rollback),
    /// The maps that were in force.
    History(api::Gateway),
    /// The log of who changed what, when and why.
    #[command(subcommand)]
    Audit(evidence::Audit),
    /// Reports for auditors.
    #[command(subcommand)]
    Report(evidence::Reports),
    /// Limits: how they stand; set and remove them.
    #[command(subcommand)]
    Budget(budgets::Budgets),
    /// How long records are kept; `run` deletes now what no longer is.
    Retention(retention::Retention),
    /// What was spent, by team, feature, model and more.
    Usage(usage::Usage),
    /// Checks a receipt.
    Verify(evidence::Verify),
    /// Who may use the admin API.
    #[command(subcommand)]
    Admins(admins::Admins),
    /// The keys that receipts are signed with.
    #[command(subcommand)]
    Receipts(admins::Receipts),
    /// How endpoints fare: circuits, limits, speed.
    Status(failover::Status),
    /// Drills: treat an endpoint as failing, and watch the failover.
    #[command(subcommand)]
    Drill(failover::Drill),
    /// What would happen to a request, and why, in words a lawyer can read.
    Explain(explain::Explain),
}

/// Runs the command that was asked for.
pub fn main() -> ExitCode {
    // A reader that has seen enough, as `| head` has, is no failure.
    std::panic::set_hook(Box::new(|panic| {
        let text = panic.to_string();
        if text.contains("failed printing to stdout") {
            std::process::exit(0);
        }
        eprintln!("{text}");
    }));
    let done = match Cli::parse().command {
        Command::Keys(command) => keys::run(command),
        Command::Endpoints { json } => endpoints::run(json),
        Command::Check(options) => check::run(&options),
        Command::Diff(options) => maps::diff(&options),
        Command::Map { revision } => maps::print(revision.as_deref()),
        Command::Config => maps::config(),
        Command::Models(command) => models::run(&command),
        Command::Publish(options) => maps::publish(&options),
        Command::Drafts(options) => maps::drafts(&options),
        Command::Approve(options) => approve::approve(&options),
        Command::Withdraw(options) => maps::withdraw(&options),
        Command::Rollback(options) => maps::rollback(&options),
        Command::History(gateway) => maps::history(&gateway),
        Command::Audit(command) => evidence::audit(command),
        Command::Report(command) => evidence::report(command),
        Command::Budget(command) => budgets::run(command),
        Command::Retention(options) => retention::run(&options),
        Command::Usage(options) => usage::run(&options),
        Command::Verify(options) => evidence::verify(&options),
        Command::Admins(command) => admins::run(command),
        Command::Receipts(command) => admins::receipts(command),
        Command::Status(options) => failover::status(&options),
        Command::Drill(command) => failover::drill(command),
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
