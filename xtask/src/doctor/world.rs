//! What a bench shows without anybody touching it: ports, modules in recovery mode, who holds a port.
//!
//! [`World`] is what the doctor asks; [`Here`] answers from the kernel's folders, the tests answer as they like.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use boards::{NVIDIA, UsbProduct};
use models::link::message::{Health, Hello, Trouble};
use models::link::{Error, Tool, tty};

/// What Jetson Linux shows of itself over USB while it runs ("0955:7020 NVIDIA Corp. L4T running on Tegra").
const RUNNING: UsbProduct = UsbProduct(0x7020);
/// What a module in recovery mode calls itself over USB.
const BOOT_ROM: &str = "APX";
/// A serial adapter lies at most so many folders below its USB device.
const DEPTH: usize = 6;

/// A serial port of this computer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Port {
    /// Where it is opened.
    pub path: PathBuf,
    /// Maker and product of the USB device that it belongs to; `None` of a port of the computer's own.
    pub usb: Option<(u16, u16)>,
}

impl Port {
    /// Whether it is the USB device port of a Jetson that runs.
    pub fn is_jetson(&self) -> bool {
        self.usb == Some((NVIDIA, RUNNING.0))
    }
}

/// What a unit says when it is asked.
#[derive(Debug, Clone)]
pub struct Answers {
    /// Who it is.
    pub hello: Hello,
    /// How it is.
    pub health: Health,
    /// What is wrong with it; `None` where it is too old to know.
    pub troubles: Option<Vec<Trouble>>,
}

/// What can be known of a technician's bench.
pub trait World {
    /// The serial ports with something behind them, those of USB first.
    fn ports(&self) -> Vec<Port>;

    /// Modules that lie in recovery mode, by the product number that they show.
    fn recovery(&self) -> Vec<UsbProduct>;

    /// The group that may use a port.
    fn group_of(&self, port: &Path) -> Option<String>;

    /// A program that has a port open, as far as this user may see it.
    fn holder_of(&self, port: &Path) -> Option<String>;

    /// Whether both ends of a port must agree on a speed.
    fn has_speed(&self, port: &Path) -> bool;

    /// Greets whoever is at the other end at a speed, and asks how it is.
    ///
    /// # Errors
    /// What is there instead of a unit.
    fn ask(&self, port: &Path, baud: u32, patience: Duration) -> Result<Answers, Error>;
}

/// This computer.
#[derive(Debug, Clone)]
pub struct Here {
    root: PathBuf,
}

impl Default for Here {
    fn default() -> Self {
        Self { root: "/".into() }
    }
}

impl Here {
    /// A computer whose system lies below a folder.
    #[cfg(test)]
    pub(crate) fn below(root: &Path) -> Self {
        Self { root: root.into() }
    }

    fn text(path: &Path) -> Option<String> {
        Some(fs::read_to_string(path).ok()?.trim().to_owned())
    }

    fn names(&self, folder: &str) -> Vec<PathBuf> {
        let entries = fs::read_dir(self.root.join(folder)).into_iter().flatten();
        let mut names: Vec<PathBuf> = entries.filter_map(Result::ok).map(|entry| entry.path()).collect();
        names.sort();
        names
    }

    /// Maker and product of the USB device that a device belongs to.
    fn usb_of(device: &Path) -> Option<(u16, u16)> {
        let real = device.canonicalize().ok()?;
        real.ancestors().take(DEPTH).find_map(usb_ids)
    }
}

/// Maker and product, as a USB device's folder has them.
fn usb_ids(folder: &Path) -> Option<(u16, u16)> {
    let number = |name: &str| u16::from_str_radix(&Here::text(&folder.join(name))?, 16).ok();
    Some((number("idVendor")?, number("idProduct")?))
}

impl World for Here {
    fn ports(&self) -> Vec<Port> {
        let mut ports: Vec<Port> = (self.names("sys/class/tty").into_iter())
            .filter_map(|folder| {
                let device = folder.join("device");
                let name = folder.file_name()?;
                // A built-in port that was found empty has type 0; consoles have no device at all.
                let empty = Self::text(&folder.join("type")).is_some_and(|kind| kind == "0");
                let path = Path::new("/dev").join(name);
                (device.exists() && !empty).then(|| Port { path, usb: Self::usb_of(&device) })
            })
            .collect();
        ports.sort_by_key(|port| (!port.is_jetson(), port.usb.is_none()));
        ports
    }

    fn recovery(&self) -> Vec<UsbProduct> {
        let devices = self.names("sys/bus/usb/devices");
        let product = |folder: &PathBuf| {
            let (_, product) = usb_ids(folder).filter(|(maker, _)| *maker == NVIDIA)?;
            // NVIDIA makes network adapters and shields, too; a module's boot ROM has a name of its own.
            let product = UsbProduct(product);
            let named = Self::text(&folder.join("product")).is_some_and(|name| name == BOOT_ROM);
            (named || !boards::Machine::in_recovery(product).is_empty()).then_some(product)
        };
        devices.iter().filter_map(product).collect()
    }

    fn group_of(&self, port: &Path) -> Option<String> {
        let gid = fs::metadata(port).ok()?.gid().to_string();
        let groups = fs::read_to_string(self.root.join("etc/group")).ok()?;
        let mut lines = groups.lines().map(|line| line.split(':').collect::<Vec<_>>());
        lines.find(|fields| fields.get(2) == Some(&gid.as_str())).map(|fields| fields[0].to_owned())
    }

    fn holder_of(&self, port: &Path) -> Option<String> {
        let port = port.canonicalize().ok()?;
        let is_process = |path: &PathBuf| {
            path.file_name().and_then(|n| n.to_str()).is_some_and(|n| n.bytes().all(|b| b.is_ascii_digit()))
        };
        let mut processes = self.names("proc").into_iter().filter(is_process);
        processes.find_map(|process| {
            let number = process.file_name()?.to_str()?.to_owned();
            if number == std::process::id().to_string() {
                return None;
            }
            let mut open = fs::read_dir(process.join("fd")).ok()?.filter_map(Result::ok);
            let has_it = open.any(|fd| fs::read_link(fd.path()).is_ok_and(|target| target == port));
            has_it.then(|| {
                format!("{} (process {number})", Self::text(&process.join("comm")).unwrap_or_default())
            })
        })
    }

    fn has_speed(&self, port: &Path) -> bool {
        tty::has_speed(port)
    }

    fn ask(&self, port: &Path, baud: u32, patience: Duration) -> Result<Answers, Error> {
        let mut tool = Tool::connect(tty::Port::open(port, baud)?, env!("CARGO_PKG_VERSION"), patience)?;
        let hello = tool.unit().clone();
        let troubles = match tool.troubles() {
            Ok(troubles) => Some(troubles),
            Err(Error::UnitTooOld { .. }) => None,
            Err(error) => return Err(error),
        };
        // Asked last, so that it counts what was spoiled meanwhile.
        let health = tool.health()?;
        Ok(Answers { hello, health, troubles })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::symlink;

    /// A folder as the kernel shows an adapter, a Jetson that runs, one in recovery mode, and two built-in ports.
    fn bench() -> (tempfile::TempDir, Here) {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path();
        let usb = |name: &str, maker: &str, product: &str| {
            let device = root.join("sys/bus/usb/devices").join(name);
            fs::create_dir_all(&device).unwrap();
            fs::write(device.join("idVendor"), format!("{maker}\n")).unwrap();
            fs::write(device.join("idProduct"), format!("{product}\n")).unwrap();
            device
        };
        let tty = |name: &str, device: Option<&Path>, kind: Option<&str>| {
            let tty = root.join("sys/class/tty").join(name);
            fs::create_dir_all(&tty).unwrap();
            if let Some(device) = device {
                symlink(device, tty.join("device")).unwrap();
            }
            if let Some(kind) = kind {
                fs::write(tty.join("type"), format!("{kind}\n")).unwrap();
            }
        };
        let interface = |device: PathBuf, below: &str| {
            let interface = device.join(below);
            fs::create_dir_all(&interface).unwrap();
            interface
        };
        let adapter = interface(usb("1-1", "0403", "6001"), "1-1:1.0/ttyUSB0");
        let jetson = interface(usb("1-2", "0955", "7020"), "1-2:1.2");
        usb("1-3", "0955", "7523");
        usb("1-4", "0955", "7210");
        // One that no board file knows.
        fs::write(usb("1-5", "0955", "7019").join("product"), "APX\n").unwrap();
        let board = root.join("sys/devices/platform/serial8250");
        fs::create_dir_all(&board).unwrap();
        tty("tty1", None, None);
        tty("ttyS0", Some(&board), Some("4"));
        tty("ttyS1", Some(&board), Some("0"));
        tty("ttyUSB0", Some(&adapter), None);
        tty("ttyACM0", Some(&jetson), None);
        let here = Here::below(root);
        (folder, here)
    }

    #[test]
    fn ports_and_modules_are_found_where_the_kernel_shows_them() {
        let (_folder, here) = bench();
        let port = |name: &str, usb| Port { path: Path::new("/dev").join(name), usb };
        let expect = [
            port("ttyACM0", Some((0x0955, 0x7020))),
            port("ttyUSB0", Some((0x0403, 0x6001))),
            port("ttyS0", None),
        ];
        assert_eq!(here.ports(), expect);
        let modules = [UsbProduct(0x7523), UsbProduct(0x7019)];
        assert_eq!(here.recovery(), modules, "a network adapter of NVIDIA's is no module");
        let nothing = Here::below(&here.root.join("nothing"));
        assert_eq!((nothing.ports(), nothing.recovery()), (vec![], vec![]));
    }

    #[test]
    fn who_may_use_a_port_and_who_has_it_is_found() {
        let (folder, here) = bench();
        let file = folder.path().join("ttyX");
        fs::write(&file, "").unwrap();
        let gid = fs::metadata(&file).unwrap().gid();
        fs::create_dir(folder.path().join("etc")).unwrap();
        fs::write(folder.path().join("etc/group"), format!("other:x:4711:\nlines:x:{gid}:me\n")).unwrap();
        assert_eq!(here.group_of(&file), Some("lines".into()));
        assert_eq!(here.holder_of(&file), None);
        let fds = folder.path().join("proc/42/fd");
        fs::create_dir_all(&fds).unwrap();
        fs::create_dir_all(folder.path().join("proc/sys")).unwrap();
        fs::write(folder.path().join("proc/42/comm"), "minicom\n").unwrap();
        symlink(file.canonicalize().unwrap(), fds.join("3")).unwrap();
        assert_eq!(here.holder_of(&file), Some("minicom (process 42)".into()));
    }
}
