//! `cargo xtask monitor`: what a unit says of itself, as long as somebody watches.

pub mod decode;
mod report;

use std::path::PathBuf;
use std::time::{Duration, Instant};

use models::link::Error;
use models::link::message::{Health, Level, Logs};
use models::link::tool::News;
use serde_json::{Value, json};

use crate::doctor::world::Here;
use crate::ui::Ui;
use crate::unit::Cable;
use decode::Programs;
use report::Report;

/// The unit is asked how it is so often.
const HEALTH: Duration = Duration::from_secs(1);
/// A report is of so many seconds where nobody says otherwise.
const REPORT_S: u64 = 10;

/// Shows a unit's health every second, its log, and what it reads.
#[derive(Debug, clap::Args)]
pub struct Monitor {
    #[command(flatten)]
    cable: Cable,
    /// Ends after so many seconds; otherwise it goes on until it is stopped
    #[arg(long, value_name = "S")]
    seconds: Option<u64>,
    /// Keeps what support needs, of 10 seconds or of --seconds: never a picture, nor what anybody signed
    #[arg(long, value_name = "FILE.zip")]
    report: Option<PathBuf>,
    /// The unit's program as it was built, or a folder with some, where its log comes as frames; otherwise it is
    /// looked for where `cargo xtask build` puts it
    #[arg(long, value_name = "PATH")]
    program: Vec<PathBuf>,
    /// Prints one JSON event a line
    #[arg(long)]
    json: bool,
}

impl Monitor {
    /// Runs the command.
    ///
    /// # Errors
    /// Where there is no unit, or it goes away.
    pub fn run(&self, ui: &Ui) -> anyhow::Result<()> {
        if let Some(file) = &self.report {
            report::check(file)?;
        }
        let mut tool = self.cable.connect(ui)?;
        let unit = tool.unit().clone();
        self.say(
            ui,
            json!({ "event": "unit", "unit": unit.unit, "board": unit.board, "version": unit.product }),
            || format!("{}: a {} with version {}", unit.unit, unit.board, unit.product),
        );
        let mut report = Report::default();
        let mut programs = Programs::new(&self.program);
        let troubles = match tool.troubles() {
            Ok(troubles) => Some(troubles),
            Err(Error::UnitTooOld { .. }) => None,
            Err(error) => return Err(error.into()),
        };
        report.unit(&unit, troubles.as_deref());
        for trouble in troubles.iter().flatten() {
            let event = json!({ "event": "trouble", "kind": trouble.kind, "said": trouble.said });
            self.say(ui, event, || format!("trouble: {}", trouble.said));
        }
        let seconds = self.seconds.or(self.report.as_ref().map(|_| REPORT_S));
        let end = seconds.map(|seconds| Instant::now() + Duration::from_secs(seconds));
        while end.is_none_or(|end| Instant::now() < end) {
            let next = Instant::now() + HEALTH;
            let health = tool.health()?;
            report.health(&health)?;
            let mut event = json!({ "event": "health" });
            if let (Some(event), Value::Object(values)) =
                (event.as_object_mut(), serde_json::to_value(&health)?)
            {
                event.extend(values);
            }
            self.say(ui, event, || in_words(&health));
            self.say_lines(ui, &mut programs, false);
            while let Some(left) = next.checked_duration_since(Instant::now()).filter(|left| !left.is_zero())
            {
                if let Some(news) = tool.news(left)? {
                    report.news(&news);
                    for (event, words) in told(&news, &mut programs) {
                        self.say(ui, event, || words);
                    }
                }
            }
        }
        self.say_lines(ui, &mut programs, true);
        if let Some(file) = &self.report {
            report.write(file, &Here::default())?;
            let event = json!({ "event": "report", "file": file });
            self.say(ui, event, || format!("{}: send this file to whoever helps you", file.display()));
        }
        Ok(())
    }

    /// Says what waited for its decoder.
    fn say_lines(&self, ui: &Ui, programs: &mut Programs, to_the_end: bool) {
        let dropped = programs.dropped();
        for (event, words) in programs.waiting(to_the_end).into_iter().map(|line| line.told(dropped)) {
            self.say(ui, event, || words);
        }
    }

    fn say(&self, ui: &Ui, event: Value, words: impl FnOnce() -> String) {
        ui.answer(&if self.json { event.to_string() } else { words() });
    }
}

/// One line about how a unit is.
fn in_words(health: &Health) -> String {
    let hottest = health.temperatures.iter().max_by_key(|t| t.milli_celsius);
    let hottest = hottest.map(|t| format!(", {} {:.0} °C", t.name, f64::from(t.milli_celsius) / 1000.0));
    let stages =
        health.stages.iter().map(|s| format!(", {} {:.1} ms", s.name, f64::from(s.mean_us) / 1000.0));
    format!(
        "{} for {} s: {:.1} frames a second, {} read, {} lost{}{}",
        health.state,
        health.uptime_s,
        health.fps,
        health.frames,
        health.lost,
        hottest.unwrap_or_default(),
        stages.collect::<String>()
    )
}

/// Events, and one line each, about what a unit told.
fn told(news: &News, programs: &mut Programs) -> Vec<(Value, String)> {
    match news {
        News::Caption(caption) => vec![(
            json!({ "event": "caption", "at_ms": caption.at_ms, "text": caption.text, "confidence": caption.confidence }),
            format!("caption: {}", caption.text),
        )],
        News::Log(Logs::Line { at_ms, level, text, dropped }) => {
            let level = match level {
                Level::Error => "error",
                Level::Warn => "warn",
                Level::Info => "info",
            };
            vec![(
                json!({ "event": "log", "at_ms": at_ms, "level": level, "text": text, "dropped": dropped }),
                format!("{level}: {text}"),
            )]
        }
        News::Log(Logs::Defmt { build, bytes, dropped }) => {
            let lost = programs.lost(*dropped).map(|count| {
                (
                    json!({ "event": "log", "level": "warn", "text": format!("{count} lines found no room"), "dropped": dropped }),
                    format!("warn: {count} lines of the log found no room"),
                )
            });
            lost.into_iter()
                .chain(programs.words(build, bytes).into_iter().map(|line| line.told(*dropped)))
                .collect()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use models::link::message::{Caption, CaptionKind, StageTime, Temperature};

    #[test]
    fn a_unit_is_told_of_in_one_line() {
        let temperature = |name: &str, milli_celsius| Temperature { name: name.into(), milli_celsius };
        let health = Health {
            uptime_s: 90,
            state: "ready".into(),
            fps: 29.97,
            frames: 2700,
            lost: 3,
            temperatures: vec![temperature("cpu", 41_500), temperature("gpu", 48_400)],
            stages: vec![StageTime { name: "vision".into(), mean_us: 21_400, most_us: 30_000 }],
            logs_dropped: 0,
            spoiled: 0,
        };
        let expect = "ready for 90 s: 30.0 frames a second, 2700 read, 3 lost, gpu 48 °C, vision 21.4 ms";
        assert_eq!(in_words(&health), expect);
        let caption = Caption { at_ms: 5, kind: CaptionKind::Sign, text: "HELLO".into(), confidence: 0.5 };
        let mut programs = Programs::new(&[]);
        assert_eq!(told(&News::Caption(caption), &mut programs)[0].1, "caption: HELLO");
        let log = Logs::Line { at_ms: 6, level: Level::Warn, text: "hot".into(), dropped: 0 };
        assert_eq!(told(&News::Log(log), &mut programs)[0].1, "warn: hot");
        let log = Logs::Defmt { build: vec![0xab; 20], bytes: vec![1, 0], dropped: 4 };
        let told = told(&News::Log(log), &mut programs);
        assert_eq!(told[0].1, "warn: 4 lines of the log found no room");
        assert!(told[1].1.contains("name the unit's program with --program"), "{}", told[1].1);
    }
}
