//! What support needs to know about a unit, in one file: never a picture, and nothing that anybody signed.

use std::fs::File;
use std::io::{Cursor, Write};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use anyhow::{Context, bail};
use models::link::message::{Health, Hello, Logs, Trouble};
use models::link::tool::News;
use models::utc;
use serde_json::{Value, json};
use zip::ZipWriter;
use zip::write::SimpleFileOptions;

use crate::doctor::world::{Port, World};

/// What was gathered so far.
#[derive(Debug, Default)]
pub struct Report {
    unit: Value,
    troubles: Value,
    health: Vec<String>,
    log: Vec<String>,
}

/// Lines of each kind; of more the oldest are left out.
const MOST_LINES: usize = 10_000;

impl Report {
    /// Who the unit is, and what it says is wrong with it.
    pub fn unit(&mut self, unit: &Hello, troubles: Option<&[Trouble]>) {
        self.unit = json!({
            "unit": unit.unit, "board": unit.board, "version": unit.product,
            "link": [unit.oldest, unit.newest],
        });
        self.troubles = troubles.map_or(Value::Null, |troubles| json!(troubles));
    }

    /// How it is at a moment.
    pub fn health(&mut self, health: &Health) -> anyhow::Result<()> {
        let text = serde_json::to_string(health)?;
        keep(&mut self.health, text);
        Ok(())
    }

    /// What it told. Captions are somebody's words and stay out.
    pub fn news(&mut self, news: &News) {
        match news {
            News::Log(Logs::Line { at_ms, level, text, dropped }) => {
                keep(&mut self.log, format!("{at_ms} {level:?} {text} ({dropped} dropped before)"));
            }
            News::Log(Logs::Defmt { bytes, .. }) => {
                keep(&mut self.log, format!("{} bytes that only the program itself decodes", bytes.len()));
            }
            News::Caption(_) => {}
        }
    }

    /// Writes all of it beside its place, and puts it there when it is whole.
    ///
    /// # Errors
    /// Where it cannot be written.
    pub fn write(&self, file: &Path, world: &dyn World) -> anyhow::Result<()> {
        let failed = || format!("{} cannot be written; name another file with --report", file.display());
        let bytes = self.zip(world).with_context(failed)?;
        let part = file.with_extension("zip.part");
        let written = File::create(&part).and_then(|mut out| {
            out.write_all(&bytes)?;
            out.sync_all()
        });
        written.and_then(|()| std::fs::rename(&part, file)).with_context(|| {
            // Half a report helps nobody.
            let _ = std::fs::remove_file(&part);
            failed()
        })
    }

    fn zip(&self, world: &dyn World) -> anyhow::Result<Vec<u8>> {
        let ports = world.ports().into_iter().map(|Port { path, usb }| {
            json!({ "port": path, "usb": usb.map(|(maker, product)| format!("{maker:04x}:{product:04x}")) })
        });
        let recovery: Vec<String> = world.recovery().iter().map(ToString::to_string).collect();
        let tool = json!({
            "at": utc::text(SystemTime::now()), "version": env!("CARGO_PKG_VERSION"),
            "system": std::env::consts::OS, "processor": std::env::consts::ARCH,
            "ports": ports.collect::<Vec<_>>(), "recovery": recovery,
        });
        let files = [
            ("tool.json", format!("{tool}\n")),
            ("unit.json", format!("{}\n", self.unit)),
            ("troubles.json", format!("{}\n", self.troubles)),
            ("health.jsonl", lines(&self.health)),
            ("log.txt", lines(&self.log)),
        ];
        let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
        for (name, text) in files {
            zip.start_file(name, SimpleFileOptions::default())?;
            zip.write_all(text.as_bytes())?;
        }
        Ok(zip.finish()?.into_inner())
    }
}

fn keep(lines: &mut Vec<String>, line: String) {
    if lines.len() == MOST_LINES {
        lines.remove(0);
    }
    lines.push(line);
}

fn lines(lines: &[String]) -> String {
    lines.iter().map(|line| format!("{line}\n")).collect()
}

/// That a report can be put where it is wanted, before anybody waits for it.
///
/// # Errors
/// Where it has another ending, or its folder is not there.
pub fn check(file: &Path) -> anyhow::Result<()> {
    if file.extension().is_none_or(|ending| ending != "zip") {
        bail!("{} is no name of a report; choose one that ends in .zip", file.display());
    }
    let folder =
        file.parent().filter(|f| !f.as_os_str().is_empty()).map_or_else(|| PathBuf::from("."), Into::into);
    if !folder.is_dir() {
        bail!("{} is not there; make that folder, or choose another", folder.display());
    }
    Ok(())
}
