//! What a self-test leaves behind: each check with its figures, and one verdict.

use std::fmt::Write;

use serde::Serialize;
use serde_json::{Map, Value};

/// How one check ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// It works.
    Passed,
    /// This board has no such thing, or nobody said which one it is.
    NotPresent,
    /// It does not work.
    Failed,
}

/// What a check found.
#[derive(Debug, Clone, PartialEq)]
pub struct Found {
    /// How it ended.
    pub outcome: Outcome,
    /// One sentence; of a failure it ends with the next step.
    pub said: String,
    /// What was measured, each with its unit in its name.
    pub figures: Map<String, Value>,
}

impl Found {
    /// It works.
    pub fn passed(said: impl Into<String>) -> Self {
        Self { outcome: Outcome::Passed, said: said.into(), figures: Map::new() }
    }

    /// It is not there, and need not be.
    pub fn not_present(said: impl Into<String>) -> Self {
        Self { outcome: Outcome::NotPresent, ..Self::passed(said) }
    }

    /// It does not work.
    pub fn failed(said: impl Into<String>) -> Self {
        Self { outcome: Outcome::Failed, ..Self::passed(said) }
    }

    /// The same with one more figure.
    pub fn with(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.figures.insert(name.into(), value.into());
        self
    }
}

/// A number that a person can read: three digits behind the point.
pub fn rounded(value: f64) -> f64 {
    (value * 1000.0).round() / 1000.0
}

/// One check on the paper.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Check {
    /// What was checked.
    pub name: &'static str,
    /// How it ended.
    pub outcome: Outcome,
    /// In one sentence.
    pub said: String,
    /// What was measured.
    pub figures: Map<String, Value>,
    /// How long it took. Seconds.
    pub took_s: f64,
}

/// The paper.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Paper {
    /// When the test began, in UTC.
    pub at: String,
    /// What tells this unit from others.
    pub unit: String,
    /// Its board.
    pub board: String,
    /// The program's version.
    pub version: String,
    /// The program's SHA-256.
    pub program: String,
    /// The system that it runs on.
    pub system: String,
    /// All checks, in order.
    pub checks: Vec<Check>,
    /// Whether none of them failed.
    pub passed: bool,
}

impl Paper {
    /// The names of what failed.
    pub fn failures(&self) -> Vec<&'static str> {
        self.checks.iter().filter(|c| c.outcome == Outcome::Failed).map(|c| c.name).collect()
    }

    /// The verdict, in one line.
    pub fn verdict(&self) -> String {
        match self.failures().as_slice() {
            [] => "verdict: passed".into(),
            failed => format!("verdict: failed ({})", failed.join(", ")),
        }
    }

    /// As a person reads it.
    pub fn words(&self) -> String {
        let mut text = format!("self-test of {} ({}), {}\n", self.unit, self.board, self.at);
        let program = format!("program {}, SHA-256 {}", self.version, self.program);
        let _ = writeln!(text, "{program}\n{}", self.system);
        for check in &self.checks {
            let _ = writeln!(text, "{}", line(check));
            let figures: Vec<_> =
                check.figures.iter().map(|(name, value)| format!("{name} {value}")).collect();
            if !figures.is_empty() {
                let _ = writeln!(text, "{:22}{}", "", figures.join(", "));
            }
        }
        let _ = writeln!(text, "{}", self.verdict());
        text
    }
}

/// One line about one check.
pub fn line(check: &Check) -> String {
    let outcome = match check.outcome {
        Outcome::Passed => "passed",
        Outcome::NotPresent => "not present",
        Outcome::Failed => "FAILED",
    };
    format!("{:9} {outcome:11} {}", check.name, check.said)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_failure_is_the_verdict_and_what_is_not_there_is_none() {
        let check = |name, found: Found| {
            let Found { outcome, said, figures } = found;
            Check { name, outcome, said, figures, took_s: 0.5 }
        };
        let mut paper = Paper {
            at: "2026-11-21T09:05:00Z".into(),
            unit: "7".into(),
            board: "desk".into(),
            version: "0.1.0".into(),
            program: "ab12".into(),
            system: "Linux 6.1".into(),
            checks: vec![
                check("camera", Found::not_present("this board names no camera")),
                check("storage", Found::passed("16 MB were read back").with("write_mb_s", 120.5)),
            ],
            passed: true,
        };
        assert_eq!(paper.verdict(), "verdict: passed");
        paper.checks.push(check("link", Found::failed("no frame came back; see the log")));
        let expect = "\
self-test of 7 (desk), 2026-11-21T09:05:00Z
program 0.1.0, SHA-256 ab12
Linux 6.1
camera    not present this board names no camera
storage   passed      16 MB were read back
                      write_mb_s 120.5
link      FAILED      no frame came back; see the log
verdict: failed (link)
";
        assert_eq!(paper.words(), expect);
    }
}
