//! The machine: QEMU with a unit in it.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use models::store::program_on_path;
use serde_json::json;

use super::guest::Shell;
use super::picture::Picture;
use super::qmp::Qmp;
use super::{Held, Processor, Why, fail};

const IMAGER: &str = "qemu-img";

/// What the machine is made of, whenever it is switched on.
#[derive(Debug, Clone)]
pub struct Parts {
    /// What it is built around.
    pub processor: &'static Processor,
    /// The kernel.
    pub kernel: PathBuf,
    /// The first file system.
    pub initramfs: PathBuf,
    /// The disk as it was delivered.
    pub disk: PathBuf,
    /// What is filmed for the camera.
    pub film: PathBuf,
    /// Where its sockets lie, and what was written to the disk since.
    pub work: PathBuf,
    /// Where the kernel and the unit's service print.
    pub log: PathBuf,
}

/// Whether QEMU is here.
///
/// # Errors
/// [`Why::Skip`] where it is not.
pub fn check(processor: &Processor) -> Held<()> {
    let [qemu, package] = processor.qemu;
    for (program, package) in [(qemu, package), (IMAGER, "qemu-utils"), ("setpriv", "util-linux")] {
        if program_on_path(program).is_none() {
            return Err(Why::Skip(format!("{program} is not installed; install {package}")));
        }
    }
    Ok(())
}

/// Whether this computer's processor itself runs the machine. A KVM by other means emulates the kernel's instructions
/// one by one, and is slower than QEMU.
pub fn has_kvm(processor: &Processor) -> bool {
    let modules = ["/sys/module/kvm_intel", "/sys/module/kvm_amd"];
    processor.is_here()
        && modules.iter().any(|module| Path::new(module).is_dir())
        && fs::File::options().read(true).write(true).open("/dev/kvm").is_ok()
}

impl Parts {
    /// What changes on the disk goes into a file of its own. QEMU holds the map of that file in its memory until the
    /// machine says `flush`: what the unit did not sync is lost when QEMU is killed, as in a disk that loses power.
    ///
    /// # Errors
    /// Where it cannot be made.
    pub fn fresh_disk(&self) -> Held<()> {
        let mut make = Command::new(IMAGER);
        make.args(["create", "-q", "-f", "qcow2", "-F", "raw", "-b"]).arg(&self.disk).arg(self.written());
        if make.status()?.success() { Ok(()) } else { fail("qemu-img could not make the disk") }
    }

    fn written(&self) -> PathBuf {
        self.work.join("disk.qcow2")
    }

    /// Switches the machine on.
    ///
    /// # Errors
    /// Where QEMU does not start.
    pub fn switch_on(&self) -> Held<Machine> {
        let socket = |name: &str| self.work.join(format!("{name}.socket"));
        for name in ["qmp", "shell"] {
            // What a killed machine left.
            let _ = fs::remove_file(socket(name));
        }
        let path = |path: &Path| path.display().to_string();
        let mut args: Vec<String> =
            ["-nodefaults", "-no-user-config", "-display", "none", "-machine", self.processor.machine]
                .map(String::from)
                .to_vec();
        let mut add = |more: &[&str]| args.extend(more.iter().map(|arg| (*arg).to_owned()));
        if has_kvm(self.processor) {
            add(&["-accel", "kvm", "-cpu", "host", "-smp", "2"]);
        } else {
            // One nanosecond an instruction, whatever this computer does beside it.
            let cpu = self.processor.emulated;
            add(&["-accel", "tcg", "-icount", "shift=0", "-cpu", cpu, "-smp", "1"]);
        }
        add(&["-m", "2048", "-kernel", &path(&self.kernel), "-initrd", &path(&self.initramfs)]);
        add(&["-append", &format!("console={} quiet panic=5", self.processor.console)]);
        add(&[
            "-chardev",
            &format!("file,id=log,path={},append=on", path(&self.log)),
            "-serial",
            "chardev:log",
        ]);
        add(&["-device", "virtio-gpu-pci,xres=1280,yres=800"]);
        add(&["-device", "virtio-keyboard-pci", "-device", "virtio-serial-pci"]);
        add(&["-chardev", &format!("socket,id=shell,path={},server=on,wait=off", path(&socket("shell")))]);
        add(&["-device", "virtserialport,chardev=shell,name=rig.shell"]);
        add(&["-chardev", "pty,id=cable", "-device", "virtserialport,chardev=cable,name=rig.cable"]);
        add(&["-drive", &format!("file={},if=virtio,format=qcow2,cache=writeback", path(&self.written()))]);
        add(&["-drive", &format!("file={},if=virtio,format=raw,readonly=on", path(&self.film))]);
        add(&["-device", "i6300esb", "-action", "watchdog=reset"]);
        add(&["-qmp", &format!("unix:{},server=on,wait=off", path(&socket("qmp")))]);
        // Whatever ends the rig ends the machine with it.
        let mut qemu = Command::new("setpriv");
        qemu.args(["--pdeathsig", "KILL", self.processor.qemu[0]])
            .args(args)
            .stdin(Stdio::null())
            .stdout(Stdio::null());
        let process = Process(qemu.spawn()?);
        let mut qmp = Qmp::connect(&socket("qmp"))?;
        let cable = cable(&mut qmp)?;
        let shell = Shell::connect(&socket("shell"))?;
        Ok(Machine { process, qmp, shell, cable, screenshot: self.work.join("screen.ppm") })
    }
}

/// The end of the technician's cable outside: a pty that QEMU made.
fn cable(qmp: &mut Qmp) -> Held<PathBuf> {
    let all = qmp.ask("query-chardev", json!({}))?;
    let all = all.as_array().into_iter().flatten();
    let cable = all.filter(|one| one["label"] == "cable").find_map(|one| one["filename"].as_str());
    match cable.and_then(|name| name.strip_prefix("pty:")) {
        Some(path) => Ok(path.into()),
        None => fail("QEMU made no pty for the cable"),
    }
}

/// A running QEMU, killed when it is dropped.
#[derive(Debug)]
struct Process(Child);

impl Drop for Process {
    fn drop(&mut self) {
        // SIGKILL: nothing is written any more, and nothing said goodbye to.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// A machine that is switched on.
#[derive(Debug)]
pub struct Machine {
    process: Process,
    qmp: Qmp,
    /// The technician's hands inside.
    pub shell: Shell,
    /// The serial port that leads to the unit, through the emulated USB cable.
    pub cable: PathBuf,
    screenshot: PathBuf,
}

impl Machine {
    /// What the display shows; none where it is switched off, or QEMU shows a text of its own.
    ///
    /// # Errors
    /// Where QEMU cannot say.
    pub fn screen(&mut self) -> Held<Picture> {
        self.qmp.ask("screendump", json!({ "filename": self.screenshot }))?;
        Picture::read_ppm(&self.screenshot)
    }

    /// Presses and releases a key, by QEMU's name.
    ///
    /// # Errors
    /// Where QEMU knows no such key.
    pub fn press(&mut self, key: &str) -> Held<()> {
        let key = json!({ "type": "qcode", "data": key });
        self.qmp.ask("send-key", json!({ "keys": [key], "hold-time": 80 }))?;
        Ok(())
    }

    /// Takes the power away.
    pub fn cut_power(self) {
        drop(self.process);
    }
}
