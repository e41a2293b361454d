//! A unit among many: see `signpost-fleet --help`.

use std::path::PathBuf;
use std::process::ExitCode;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::Context;
use boards::Board;
use clap::Parser;
use fleet::health::{self, Report};
use fleet::{Agent, Config, Machine, Service, config, mqtt};
use models::bundle::Keys;
use models::update::disk::Folder;

/// After something went wrong it is tried again this soon, then twice as late each time.
const AGAIN: [Duration; 2] = [Duration::from_secs(30), Duration::from_secs(3600)];

/// Takes part in the rollouts of a hawkBit server, and tells an MQTT broker how the unit is.
#[derive(Debug, Parser)]
#[command(name = "signpost-fleet", version)]
struct Command {
    /// The board that this is
    #[arg(long, default_value = "desk")]
    board: String,
    /// The folder of the two slots, where it is not the board's
    #[arg(long, value_name = "FOLDER")]
    root: Option<PathBuf>,
    /// The settings, where they are not `fleet.toml` in that folder
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Asks the server once, does what it wants, and ends
    #[arg(long)]
    once: bool,
    /// Only checks the settings
    #[arg(long)]
    dry_run: bool,
}

fn main() -> ExitCode {
    match run(&Command::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("signpost-fleet: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(command: &Command) -> anyhow::Result<()> {
    let board = Board::named(&command.board)?;
    let root = config::root(&board, command.root.as_deref());
    let path = command.config.clone().unwrap_or_else(|| root.join(config::FILE));
    let config = Config::read(&path)?;
    let keys = Keys::trusted_in(&root)?;
    let disk = Folder::open(&root)
        .with_context(|| format!("{} cannot be used; name another folder with --root", root.display()))?;
    let service = Service { root: root.clone(), restart: config.restart.clone() };
    let name = board.name.clone();
    let mut agent = Agent::new(&config, board, keys, disk.clone(), root.join("fleet"), service)?;
    if command.dry_run {
        println!("{} is well: {} asks {}", path.display(), config.controller, config.server);
        return Ok(());
    }
    if let Some(health) = config.health.clone().filter(|_| !command.once) {
        let config = config.clone();
        // An installation takes minutes; meanwhile the broker must not take the unit for dead.
        let tell = move || {
            let report = || Report::of(&name, &disk, health::read(&health.file).as_ref());
            mqtt::tell_for_ever(&config, &health, &report, &|line| eprintln!("signpost-fleet: {line}"));
        };
        thread::Builder::new().name("health".into()).spawn(tell).context("no thread; restart the unit")?;
    }
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.context("the system gives no timers and sockets; restart the unit")?;
    let begun = Instant::now();
    let mut again = AGAIN[0];
    loop {
        let done = runtime.block_on(agent.round(begun.elapsed()));
        if command.once {
            return Ok(done.map(|_| ())?);
        }
        let wait = match done {
            Ok(wait) => {
                again = AGAIN[0];
                wait
            }
            Err(error) => {
                agent.machine().say(&error.to_string());
                let wait = again;
                again = (2 * again).min(AGAIN[1]);
                wait
            }
        };
        thread::sleep(wait);
    }
}
