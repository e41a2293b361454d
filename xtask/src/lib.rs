//! Set-up, demo, tests, and the technician's commands: one file a command, one struct with `run`.

pub mod bench;
pub mod bundle;
pub mod cargo;
pub mod demo;
pub mod monitor;
pub mod push;
pub mod setup;
pub mod test;
pub mod ui;
pub mod unit;

use clap::{Parser, Subcommand};

use ui::Ui;

/// Signpost's tasks: `cargo xtask COMMAND`.
#[derive(Debug, Parser)]
#[command(name = "xtask", bin_name = "cargo xtask", version, about, arg_required_else_help = true)]
pub struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Bench(bench::Bench),
    Bundle(bundle::Bundle),
    Demo(demo::Demo),
    Monitor(monitor::Monitor),
    Push(push::Push),
    Setup(setup::Setup),
    Test(test::Test),
}

impl Cli {
    /// Runs the command asked for.
    ///
    /// # Errors
    /// What the command could not do, as one sentence with the next step.
    pub fn run(self, ui: &Ui) -> anyhow::Result<()> {
        match self.command {
            Command::Bench(bench) => bench.run(ui),
            Command::Bundle(bundle) => bundle.run(ui),
            Command::Demo(demo) => demo.run(ui),
            Command::Monitor(monitor) => monitor.run(ui),
            Command::Push(push) => push.run(ui),
            Command::Test(test) => test.run(ui),
            Command::Setup(setup) => setup.run(ui),
        }
    }
}
