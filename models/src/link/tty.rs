//! A serial port, or anything that behaves like one: UART, USB adapter, USB gadget, pty.
//!
//! All its calls are `rustix`'s, and nothing waits but [`Wire::wait`].

use std::fs::File;
use std::io::{self, Read, Write};
use std::os::fd::AsFd;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::{FlockOperation, Mode, OFlags, flock, open};
use rustix::io::Errno;
use rustix::termios::{
    ControlModes, OptionalActions, QueueSelector, SpecialCodeIndex, Termios, ioctl_tiocexcl, tcflush,
    tcgetattr, tcsetattr,
};

use super::wire::{Wire, same_speed};
use super::{Closed, Error};

/// The speed that both ends begin with: what boot loaders and consoles use as well.
pub const BAUD: u32 = 115_200;

/// Kernel names of ports that take any speed and care for none.
const SPEEDLESS: [&str; 2] = ["ttyACM", "ttyGS"];

/// An open port.
#[derive(Debug)]
pub struct Port {
    file: File,
    path: PathBuf,
    speed: Option<u32>,
    opened: Instant,
}

impl Port {
    /// Opens a port for this program alone, raw, eight bits, no parity, no flow control. What had come
    /// before is thrown away.
    ///
    /// # Errors
    /// [`Error::Open`]: it is not there, taken, no serial port, or does not take the speed.
    pub fn open(path: &Path, baud: u32) -> Result<Self, Error> {
        let fail = |said: &dyn ToString, (why, next)| Error::Open {
            port: path.display().to_string(),
            why,
            said: said.to_string(),
            next,
        };
        let flags = OFlags::RDWR | OFlags::NOCTTY | OFlags::NONBLOCK | OFlags::CLOEXEC;
        let file = File::from(open(path, flags, Mode::empty()).map_err(|e| fail(&e, next(e)))?);
        let mut port = Self { file, path: path.into(), speed: None, opened: Instant::now() };
        let fd = port.file.as_fd();
        let mut termios = tcgetattr(fd).map_err(|e| fail(&e, next(e)))?;
        // The lock holds against other tools of ours even for root, whom the kernel's own does not stop.
        flock(fd, FlockOperation::NonBlockingLockExclusive).map_err(|e| fail(&e, (Closed::Taken, TAKEN)))?;
        // Not all drivers know it; the lock holds all the same.
        let _ = ioctl_tiocexcl(fd);
        raw(&mut termios);
        tcsetattr(fd, OptionalActions::Flush, &termios).map_err(|e| fail(&e, next(e)))?;
        tcflush(fd, QueueSelector::IOFlush).map_err(|e| fail(&e, next(e)))?;
        if has_speed(path) {
            let set = port.set_speed(baud).map_err(|e| fail(&e, (Closed::Speed, "choose another --baud")))?;
            if !same_speed(baud, set) {
                let said = format!("asked for {baud} bits a second, it was set to {set}");
                return Err(fail(&said, (Closed::Speed, "choose a --baud that it has")));
            }
        }
        Ok(port)
    }
}

const TAKEN: &str = "another program has it: stop that one, for example another `cargo xtask monitor`, a terminal program or a login console";

/// The next step after the system refused to open or set a port.
fn next(error: Errno) -> (Closed, &'static str) {
    match error {
        Errno::NOENT | Errno::NODEV | Errno::NXIO => {
            (Closed::Missing, "plug the cable in, or choose another --port")
        }
        Errno::BUSY | Errno::AGAIN => (Closed::Taken, TAKEN),
        Errno::ACCESS | Errno::PERM => {
            (Closed::Forbidden, "add this user to the group that owns it (on most systems `dialout`)")
        }
        Errno::NOTTY | Errno::ISDIR | Errno::INVAL => {
            (Closed::NoPort, "it is no serial port: choose another --port")
        }
        _ => (Closed::Other, "plug the cable out and in, and try again"),
    }
}

/// Bytes as they are, and a read that tells an empty line from one that hung up.
fn raw(termios: &mut Termios) {
    termios.make_raw();
    termios.control_modes |= ControlModes::CREAD | ControlModes::CLOCAL;
    termios.control_modes &= !(ControlModes::CRTSCTS | ControlModes::CSTOPB);
    termios.special_codes[SpecialCodeIndex::VMIN] = 1;
    termios.special_codes[SpecialCodeIndex::VTIME] = 0;
}

/// Whether a port sends bits at a speed that both ends must agree on.
pub fn has_speed(path: &Path) -> bool {
    // A name under /dev/serial/by-id is a link.
    let real = path.canonicalize().unwrap_or_else(|_| path.into());
    let name = real.file_name().unwrap_or_default().to_string_lossy().into_owned();
    !real.starts_with("/dev/pts") && !SPEEDLESS.iter().any(|kind| name.starts_with(kind))
}

impl Wire for Port {
    fn name(&self) -> String {
        self.path.display().to_string()
    }

    fn now(&self) -> Duration {
        self.opened.elapsed()
    }

    fn wait(&mut self, patience: Duration, room: bool) -> io::Result<()> {
        let wanted = if room { PollFlags::IN | PollFlags::OUT } else { PollFlags::IN };
        let mut fds = [PollFd::new(&self.file, wanted)];
        let patience = Timespec::try_from(patience).unwrap_or(Timespec { tv_sec: i64::MAX, tv_nsec: 0 });
        match poll(&mut fds, Some(&patience)) {
            Ok(_) | Err(Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
        let came = fds[0].revents();
        // What came before the line was cut is read first.
        if came.intersects(PollFlags::HUP | PollFlags::ERR | PollFlags::NVAL) && !came.contains(PollFlags::IN)
        {
            return Err(hung_up());
        }
        Ok(())
    }

    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        match nothing(self.file.read(into))? {
            Some(0) => Err(hung_up()),
            count => Ok(count.unwrap_or(0)),
        }
    }

    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        nothing(self.file.write(bytes)).map(|count| count.unwrap_or(0))
    }

    fn speed(&self) -> Option<u32> {
        self.speed
    }

    fn set_speed(&mut self, baud: u32) -> io::Result<u32> {
        let mut termios = tcgetattr(&self.file)?;
        termios.set_speed(baud)?;
        tcsetattr(&self.file, OptionalActions::Drain, &termios)?;
        let set = tcgetattr(&self.file)?.output_speed();
        self.speed = Some(set);
        Ok(set)
    }
}

/// `None` where the system says that the call would have had to wait.
fn nothing(done: io::Result<usize>) -> io::Result<Option<usize>> {
    match done {
        Ok(count) => Ok(Some(count)),
        Err(e) if matches!(e.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted) => Ok(None),
        Err(error) => Err(error),
    }
}

fn hung_up() -> io::Error {
    io::Error::new(io::ErrorKind::BrokenPipe, "the other end hung up")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(path: &str, expect: &str) {
        let error = Port::open(Path::new(path), BAUD).expect_err("nothing can be opened there").to_string();
        assert!(error.contains(path) && error.contains(expect), "{error}");
    }

    #[test]
    fn what_is_no_port_is_said_to_be_none() {
        check("/dev/ttyUSB4711", "plug the cable in");
        check("/dev/null", "no serial port");
        check("/", "no serial port");
    }

    #[test]
    fn ports_over_usb_have_no_speed() {
        let speed = |path| has_speed(Path::new(path));
        assert!(speed("/dev/ttyS0") && speed("/dev/ttyTHS1") && speed("/dev/ttyUSB0"));
        assert!(!speed("/dev/ttyACM0") && !speed("/dev/ttyGS0") && !speed("/dev/pts/3"));
    }
}
