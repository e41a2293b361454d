//! A shell inside the machine, through a port of its own.

use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::{Duration, Instant};

use super::{Held, Why, fail, qmp};

/// What the shell says after each command, before its exit status.
const DONE: &str = "@rig-done@";

/// A shell.
#[derive(Debug)]
pub struct Shell {
    socket: UnixStream,
    /// What it said after the last command's end.
    rest: Vec<u8>,
}

impl Shell {
    /// The shell behind a socket; it answers once the machine has started it.
    ///
    /// # Errors
    /// Where there is no socket.
    pub fn connect(path: &Path) -> Held<Self> {
        Ok(Self { socket: qmp::socket(path)?, rest: vec![] })
    }

    /// Runs a command line to its end and gives what it printed.
    ///
    /// # Errors
    /// Where it fails or needs longer than `most`.
    pub fn run(&mut self, line: &str, most: Duration) -> Held<String> {
        let (status, said) = self.try_run(line, most)?;
        if status != 0 {
            return fail(format!("`{line}` ended with {status} in the machine: {}", said.trim()));
        }
        Ok(said)
    }

    /// The same of a command that may fail; gives its exit status too.
    ///
    /// # Errors
    /// Where it needs longer than `most`.
    pub fn try_run(&mut self, line: &str, most: Duration) -> Held<(i32, String)> {
        // The mark is put together by the shell, so that the line itself never looks like its end.
        let (first, second) = DONE.split_at(4);
        writeln!(self.socket, "{{ {line}\n}} 2>&1; echo {first}\"\"{second} $?")?;
        let end = Instant::now() + most;
        let mut bytes = std::mem::take(&mut self.rest);
        loop {
            let text = String::from_utf8_lossy(&bytes);
            if let Some((said, after)) = text.split_once(DONE)
                && let Some((status, _)) = after.split_once('\n')
            {
                let status = status.trim().parse();
                let status = status.map_err(|_| Why::Fail(format!("the shell said {after:?}")))?;
                return Ok((status, said.to_owned()));
            }
            let left = end.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return fail(format!("`{line}` did not end in {} s in the machine", most.as_secs()));
            }
            self.socket.set_read_timeout(Some(left))?;
            let mut block = [0; 4096];
            match self.socket.read(&mut block) {
                Ok(0) => return fail("the machine is gone"),
                Ok(count) => bytes.extend(&block[..count]),
                Err(error)
                    if matches!(
                        error.kind(),
                        std::io::ErrorKind::WouldBlock | std::io::ErrorKind::TimedOut
                    ) => {}
                Err(error) => return Err(error.into()),
            }
        }
    }
}
