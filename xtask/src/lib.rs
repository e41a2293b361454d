//! Set-up, demo, tests, and the technician's commands: one file a command, one struct with `run`.

pub mod bench;
pub mod build;
pub mod bundle;
pub mod cargo;
pub mod completions;
pub mod demo;
pub mod doctor;
pub mod flash;
pub mod image;
pub mod monitor;
pub mod provision;
pub mod rig;
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
    Build(build::Build),
    Bundle(bundle::Bundle),
    Completions(completions::Completions),
    Demo(demo::Demo),
    Doctor(doctor::Doctor),
    #[command(alias = "push")]
    Flash(flash::Flash),
    Image(image::Image),
    Monitor(monitor::Monitor),
    Provision(provision::Provision),
    Rig(rig::Rig),
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
            Command::Build(build) => build.run(ui),
            Command::Bundle(bundle) => bundle.run(ui),
            Command::Completions(completions) => completions.run(ui),
            Command::Demo(demo) => demo.run(ui),
            Command::Doctor(doctor) => doctor.run(ui),
            Command::Flash(flash) => flash.run(ui),
            Command::Image(image) => image.run(ui),
            Command::Monitor(monitor) => monitor.run(ui),
            Command::Provision(provision) => provision.run(ui),
            Command::Rig(rig) => rig.run(ui),
            Command::Test(test) => test.run(ui),
            Command::Setup(setup) => setup.run(ui),
        }
    }
}
