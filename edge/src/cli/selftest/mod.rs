//! `signpost selftest`: whether a unit is fit to be used, with a paper that says what was tried.
//!
//! Nothing is armed, installed or kept: the watchdog is only looked for, no picture of the camera is written,
//! and what is written to the storage is removed. Run twice it does the same.

mod camera;
mod engines;
mod link;
pub(super) mod machine;
mod paper;
mod screen;
pub(super) mod storage;
pub(super) mod watchdog;

use std::path::{Path, PathBuf};
use std::time::{Instant, SystemTime};

use anyhow::bail;
use boards::Board;
use clap::Args;
use models::bundle::Sum;
use models::utc;

use super::check_output;
use super::update::computer;
use crate::screen::present::write_whole;
use paper::{Check, Found, Outcome, Paper, line, rounded};

/// Tries everything that this unit is made of, and gives one verdict.
#[derive(Debug, Args)]
pub struct Selftest {
    /// The board that this is
    #[arg(long, default_value = "desk")]
    board: String,
    /// The folder of the two slots, where it is not the board's
    #[arg(long, value_name = "FOLDER")]
    root: Option<PathBuf>,
    /// The camera, where it is not the board's
    #[arg(long, value_name = "SOURCE")]
    source: Option<String>,
    /// What tells this unit from others; the computer's name where not given
    #[arg(long, value_name = "NAME")]
    unit: Option<String>,
    /// Keeps the paper: words in a .txt, or one JSON object in a .json
    #[arg(long, value_name = "FILE")]
    report: Option<PathBuf>,
    /// Prints one JSON object
    #[arg(long)]
    json: bool,
}

impl Selftest {
    /// Runs the command.
    ///
    /// # Errors
    /// Where a check failed, or the paper cannot be written.
    pub fn run(self) -> anyhow::Result<()> {
        let board = Board::named(&self.board)?;
        if let Some(file) = &self.report {
            check_output(file, &["txt", "json"])?;
        }
        let paper = self.test(&board)?;
        let text = serde_json::to_string(&paper)?;
        if self.json {
            println!("{text}");
        } else {
            println!("{}", paper.verdict());
        }
        if let Some(file) = &self.report {
            let is_json = super::ends_in(file, &["json"]);
            let bytes = if is_json { format!("{text}\n") } else { paper.words() };
            write_whole(file, bytes.as_bytes())?;
        }
        match paper.failures().as_slice() {
            [] => Ok(()),
            [one] => bail!("the self-test failed at {one}; its line above says what to do"),
            [first, ..] => bail!("the self-test failed; begin with what the line of {first} above says"),
        }
    }

    fn test(&self, board: &Board) -> anyhow::Result<Paper> {
        let system = Path::new("/");
        let root = self.root.clone().unwrap_or_else(|| PathBuf::from(&board.storage.root));
        let at = utc::text(SystemTime::now());
        // Those come first whose failure explains others.
        let all: [(&'static str, &dyn Fn() -> Found); 7] = [
            ("board", &|| machine::check(system, board)),
            ("storage", &|| storage::check(&root, board)),
            ("engines", &|| engines::check(board)),
            ("camera", &|| camera::check(self.source.as_deref(), board)),
            ("screen", &|| screen::check(board)),
            ("link", &|| link::check(system, board)),
            ("watchdog", &|| watchdog::check(system, board)),
        ];
        let mut checks = Vec::new();
        for (name, try_it) in all {
            let begun = Instant::now();
            let Found { outcome, said, figures } = try_it();
            let took_s = rounded(begun.elapsed().as_secs_f64());
            let check = Check { name, outcome, said, figures, took_s };
            if !self.json {
                println!("{}", line(&check));
            }
            checks.push(check);
        }
        let program = std::env::current_exe().and_then(std::fs::File::open);
        let program = program.and_then(|mut file| Sum::of_reader(&mut file)).map(|(sum, _)| sum.to_string());
        let passed = !checks.iter().any(|check| check.outcome == Outcome::Failed);
        Ok(Paper {
            at,
            unit: self.unit.clone().unwrap_or_else(computer),
            board: board.name.clone(),
            version: env!("CARGO_PKG_VERSION").into(),
            program: program.unwrap_or_else(|e| format!("not known ({e})")),
            system: system_name(),
            checks,
            passed,
        })
    }
}

/// The kernel, as it calls itself.
fn system_name() -> String {
    let read = |what: &str| {
        let text = std::fs::read_to_string(format!("/proc/sys/kernel/{what}")).unwrap_or_default();
        text.trim().to_owned()
    };
    format!("{} {} on {}", read("ostype"), read("osrelease"), std::env::consts::ARCH)
}
