//! QEMU's own protocol (QMP): one JSON object a line, over a socket.

use std::io::{BufRead, BufReader, Write};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::Duration;

use serde_json::{Value, json};

use super::{Held, fail, until};

/// A screenshot is written within this; everything else is quicker.
const PATIENCE: Duration = Duration::from_secs(60);
/// QEMU makes its sockets at once.
const START: Duration = Duration::from_secs(20);

/// A connection to a machine's QEMU.
#[derive(Debug)]
pub struct Qmp {
    lines: BufReader<UnixStream>,
}

/// Opens a socket as soon as it is there.
pub fn socket(path: &Path) -> Held<UnixStream> {
    let socket = until("QEMU's socket", START, || Ok(UnixStream::connect(path).ok()))?;
    socket.set_read_timeout(Some(PATIENCE))?;
    Ok(socket)
}

impl Qmp {
    /// Greets QEMU.
    ///
    /// # Errors
    /// Where it does not answer.
    pub fn connect(path: &Path) -> Held<Self> {
        let mut qmp = Self { lines: BufReader::new(socket(path)?) };
        qmp.line()?;
        qmp.ask("qmp_capabilities", json!({}))?;
        Ok(qmp)
    }

    fn line(&mut self) -> Held<Value> {
        let mut line = String::new();
        self.lines.read_line(&mut line)?;
        serde_json::from_str(&line).or_else(|_| fail(format!("QEMU said {line:?}")))
    }

    /// Tells QEMU to do something, and gives what it says; what happened meanwhile is passed over.
    ///
    /// # Errors
    /// Where it refuses.
    pub fn ask(&mut self, what: &str, with: Value) -> Held<Value> {
        writeln!(self.lines.get_mut(), "{}", json!({ "execute": what, "arguments": with }))?;
        loop {
            let answer = self.line()?;
            if let Some(error) = answer.get("error") {
                return fail(format!("QEMU refuses {what}: {error}"));
            }
            if let Some(done) = answer.get("return") {
                return Ok(done.clone());
            }
        }
    }
}
