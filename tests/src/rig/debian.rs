//! What of Debian the machine boots: its generic kernel with all modules, and a static busybox.
//!
//! They are fetched by `apt-get download` and unpacked into the project's cache, once a version.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use models::store::program_on_path;

use super::{Held, Processor, Why, elf, fail};

/// What kernels' packages begin with; `linux-image-amd64` names the newest. Those for clouds have no camera and no USB.
const KERNEL: &str = "linux-image-";
const BUSYBOX: &str = "busybox-static";
/// Where a compressed kernel holds its XZ stream, and what stands in there.
const XZ: &[u8] = b"\xfd7zXZ\0";
const ELF: &[u8] = b"\x7fELF";

/// A kernel and a shell, unpacked.
#[derive(Debug)]
pub struct Debian {
    /// The kernel, where it can be without its own decompressor: emulated, that one takes half a minute.
    pub kernel: PathBuf,
    /// The shell and its tools.
    pub busybox: PathBuf,
    /// The names of these tools.
    pub tools: Vec<String>,
    modules: PathBuf,
}

impl Debian {
    /// Fetches what is not in the cache yet.
    ///
    /// # Errors
    /// [`Why::Skip`] where this is no Debian, or nothing can be fetched.
    pub fn fetch(cache: &Path, processor: &Processor) -> Held<Self> {
        let debian = processor.debian;
        let newest = dependency(&processor.package(&format!("{KERNEL}{debian}")));
        let kernel = match (newest, unpacked(cache, processor)) {
            // Without a connection apt still knows its lists; what was unpacked before is used where it knows nothing.
            (Some(package), _) => package,
            (None, Some(package)) => package,
            (None, None) => {
                return skip(format!(
                    "apt knows no Debian kernel for {debian} here; run this on Debian, after `dpkg --add-architecture {debian}` and `apt-get update`"
                ));
            }
        };
        let image = fetch(&processor.package(&kernel), cache)?;
        let shell = |package: &str| -> Held<PathBuf> {
            let folder = fetch(package, cache)?;
            // Debian moved it to /usr/bin.
            Ok(["bin/busybox", "usr/bin/busybox"]
                .map(|at| folder.join(at))
                .into_iter()
                .find(|p| p.is_file())
                .unwrap_or(folder))
        };
        let busybox = shell(&processor.package(BUSYBOX))?;
        // Of one version for all processors: this computer's says what is in it.
        let said = Command::new(shell(BUSYBOX)?).arg("--list").output()?;
        let tools = String::from_utf8_lossy(&said.stdout).lines().map(str::to_owned).collect();
        let version = kernel.trim_start_matches(KERNEL).to_owned();
        let kernel = plain(&image.join(format!("boot/vmlinuz-{version}")), &image.join("vmlinux"))?;
        let modules = [image.join("lib/modules"), image.join("usr/lib/modules")];
        let modules = modules.into_iter().map(|m| m.join(&version)).find(|m| m.is_dir());
        let Some(modules) = modules else { return fail("the kernel's package has no modules") };
        Ok(Self { kernel, busybox, tools, modules })
    }

    /// The files of modules, each after those that it needs.
    ///
    /// # Errors
    /// Where the kernel has no such module.
    pub fn modules(&self, wanted: &[&str]) -> Held<Vec<PathBuf>> {
        let files = crate::files(&self.modules.join("kernel"), "ko");
        let known: BTreeMap<_, _> = files.into_iter().map(|file| (elf::module_name(&file), file)).collect();
        let built_in = fs::read_to_string(self.modules.join("modules.builtin"))?;
        elf::order(wanted, &known, &built_in)
    }
}

fn skip<T>(said: impl Into<String>) -> Held<T> {
    Err(Why::Skip(said.into()))
}

/// The kernel's package that another one is only a name for, without its processor.
fn dependency(package: &str) -> Option<String> {
    let output = Command::new("apt-cache").args(["depends", package]).stderr(Stdio::null()).output().ok()?;
    let said = String::from_utf8(output.stdout).ok()?;
    let mut names = said.lines().filter_map(|line| line.trim().strip_prefix("Depends: "));
    let name = names.find(|name| name.starts_with(KERNEL))?;
    name.split(':').next().map(str::to_owned)
}

/// The newest kernel's package of the cache, without its processor.
fn unpacked(cache: &Path, processor: &Processor) -> Option<String> {
    let entries = fs::read_dir(cache).ok()?.flatten();
    let names = entries.filter_map(|entry| entry.file_name().into_string().ok());
    let names = names.filter_map(|name| name.split(':').next().map(str::to_owned));
    names.filter(|name| name.starts_with(KERNEL) && name.ends_with(processor.debian)).max()
}

/// The folder that a package is unpacked in; it is fetched first where there is none.
fn fetch(package: &str, cache: &Path) -> Held<PathBuf> {
    let whole = cache.join(package);
    if whole.is_dir() {
        return Ok(whole);
    }
    for program in ["apt-get", "dpkg-deb"] {
        if program_on_path(program).is_none() {
            return skip(format!("{program} is not installed; run this on Debian"));
        }
    }
    // A folder that is complete has its own name: what was cut is begun anew.
    let part = cache.join(format!("{package}.part"));
    let _ = fs::remove_dir_all(&part);
    fs::create_dir_all(&part)?;
    let mut download = Command::new("apt-get");
    download.args(["download", "-q", package]).current_dir(&part).stdin(Stdio::null());
    let output = download.output()?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        let said = said.lines().find(|line| line.starts_with("E: ")).unwrap_or("apt says no more").to_owned();
        return skip(format!(
            "{package} could not be fetched ({said}); run `apt-get update`, with a connection"
        ));
    }
    let archive = crate::files(&part, "deb").into_iter().next();
    let Some(archive) = archive else { return fail(format!("apt fetched no file for {package}")) };
    let status = Command::new("dpkg-deb").arg("-x").arg(&archive).arg(&part).status()?;
    if !status.success() {
        return fail(format!("{} cannot be unpacked", archive.display()));
    }
    fs::remove_file(archive)?;
    fs::rename(&part, &whole)?;
    Ok(whole)
}

/// Takes the kernel out of the file that decompresses itself; that file where there is no `xz`.
fn plain(compressed: &Path, to: &Path) -> Held<PathBuf> {
    if to.is_file() {
        return Ok(to.to_owned());
    }
    if program_on_path("xz").is_none() {
        return Ok(compressed.to_owned());
    }
    let bytes = fs::read(compressed)?;
    let Some(at) = bytes.windows(XZ.len()).position(|window| window == XZ) else {
        return Ok(compressed.to_owned());
    };
    let (part, stream) = (to.with_extension("part"), to.with_extension("xz"));
    fs::write(&stream, &bytes[at..])?;
    // Behind the stream stands something else: it is not looked at.
    let mut unpack = Command::new("xz");
    unpack.args(["--decompress", "--stdout", "--single-stream"]).stdin(File::open(&stream)?);
    let done = unpack.stdout(File::create(&part)?).stderr(Stdio::null()).status()?;
    fs::remove_file(stream)?;
    if !done.success() || !fs::read(&part)?.starts_with(ELF) {
        return Ok(compressed.to_owned());
    }
    fs::rename(part, to)?;
    Ok(to.to_owned())
}
