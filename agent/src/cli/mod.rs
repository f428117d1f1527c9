//! The command line: one file for each command. Figures go to stdout, talk to stderr.

mod batch;
mod check;
pub(crate) mod client;
#[cfg(feature = "demo")]
mod demo;
mod profiles;
mod run;
#[cfg(feature = "demo")]
mod simulate;
mod site_file;
mod status;
mod table;

use std::io::IsTerminal;
use std::process::ExitCode;

use clap::{Parser, Subcommand};
use tracing_subscriber::EnvFilter;

/// Everything is as it should be.
const SUCCESS: u8 = 0;
/// Something failed while it ran, or the demo's verdict is negative.
const FAILED: u8 = 1;
/// A file has faults. (2 is clap's: the command line itself was wrong.)
const FAULTY_FILE: u8 = 3;

/// Meters energy and mass per production batch, for footprints that can be signed.
#[derive(Debug, Parser)]
#[command(name = "weighbridge", version, about, after_help = EXIT_CODES)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

const EXIT_CODES: &str = "\
Exit codes: 0 done; 1 failed, or the demo's verdict is negative; 2 wrong command line; 3 a site or profile file has faults.
Messages go to stderr; WEIGHBRIDGE_LOG=debug shows more of them.";

#[derive(Debug, Subcommand)]
enum Command {
    /// The whole thing with nothing else installed: simulated plant, lines, broker, agent and page
    #[cfg(feature = "demo")]
    Demo(demo::Demo),
    /// The daemon
    Run(run::Run),
    /// Validates a site file and shows what it asks of each wire
    Check(check::Check),
    /// Simulates the other end of every serial line of a site
    #[cfg(feature = "demo")]
    Simulate(simulate::Simulate),
    /// Opens, closes and lists production batches of a running daemon
    Batch(batch::Batch),
    /// What a running daemon is doing
    Status(status::Status),
    /// The library of device profiles
    Profiles(profiles::Profiles),
}

/// Runs the program.
pub fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let done = match arguments.command {
        #[cfg(feature = "demo")]
        Command::Demo(command) => command.run(),
        Command::Run(command) => command.run(),
        Command::Check(command) => command.run(),
        #[cfg(feature = "demo")]
        Command::Simulate(command) => command.run(),
        Command::Batch(command) => command.run(),
        Command::Status(command) => command.run(),
        Command::Profiles(command) => command.run(),
    };
    match done {
        Ok(code) => ExitCode::from(code),
        Err(why) => {
            complain(&why);
            ExitCode::from(FAILED)
        }
    }
}

/// `error:` what happened, `caused by:` why.
fn complain(why: &anyhow::Error) {
    eprintln!("error: {why}");
    for cause in why.chain().skip(1) {
        eprintln!("  caused by: {cause}");
    }
}

/// Log lines to stderr: `default` unless WEIGHBRIDGE_LOG says otherwise.
fn log(default: &str) {
    let filter = EnvFilter::try_from_env("WEIGHBRIDGE_LOG").unwrap_or_else(|_| EnvFilter::new(default));
    let colored = std::io::stderr().is_terminal();
    // A second call within one process (tests) keeps the first subscriber.
    let _ = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_ansi(colored)
        .try_init();
}

/// The runtime of the commands that run for long. Two workers: a gateway has few cores, and the tasks wait most of the time.
fn runtime() -> std::io::Result<tokio::runtime::Runtime> {
    tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()
}

/// Waits for Ctrl-C or the service manager's request to stop.
async fn interrupted() -> std::io::Result<()> {
    let mut terminate = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate())?;
    tokio::select! {
        pressed = tokio::signal::ctrl_c() => pressed,
        _ = terminate.recv() => Ok(()),
    }
}

/// Writes a figure to stdout. A reader that has gone away (`| head`) is no fault.
fn print(text: &str) {
    use std::io::Write as _;
    let mut stdout = std::io::stdout().lock();
    let _ = stdout.write_all(text.as_bytes()).and_then(|()| stdout.write_all(b"\n"));
}

/// Writes a value as indented JSON to stdout.
fn print_json(value: &impl serde::Serialize) -> anyhow::Result<()> {
    print(&serde_json::to_string_pretty(value)?);
    Ok(())
}
