//! What of Debian the machine boots: its generic kernel with all modules, and a static busybox.
//!
//! They are fetched by `apt-get download` and unpacked into the project's cache, once a version.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use models::store::program_on_path;

use super::{Held, Why, elf, fail};

/// The package that names the newest kernel. The one for clouds has no camera and no USB.
const KERNEL: &str = "linux-image-amd64";
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
    modules: PathBuf,
}

impl Debian {
    /// Fetches what is not in the cache yet.
    ///
    /// # Errors
    /// [`Why::Skip`] where this is no Debian, or nothing can be fetched.
    pub fn fetch(cache: &Path) -> Held<Self> {
        let newest = dependency(KERNEL);
        let kernel = match (newest, unpacked(cache, "linux-image-")) {
            // Without a connection apt still knows its lists; what was unpacked before is used where it knows nothing.
            (Some(package), _) => package,
            (None, Some(package)) => package,
            (None, None) => return skip("apt knows no Debian kernel here; run this on Debian with amd64"),
        };
        let image = fetch(&kernel, cache)?;
        let busybox = fetch(BUSYBOX, cache)?.join("bin/busybox");
        // Debian moved it to /usr/bin.
        let busybox = if busybox.is_file() { busybox } else { cache.join(BUSYBOX).join("usr/bin/busybox") };
        let version = kernel.trim_start_matches("linux-image-").to_owned();
        let kernel = plain(&image.join(format!("boot/vmlinuz-{version}")), &image.join("vmlinux"))?;
        let modules = [image.join("lib/modules"), image.join("usr/lib/modules")];
        let modules = modules.into_iter().map(|m| m.join(&version)).find(|m| m.is_dir());
        let Some(modules) = modules else { return fail("the kernel's package has no modules") };
        Ok(Self { kernel, busybox, modules })
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

/// The package that another one is only a name for.
fn dependency(package: &str) -> Option<String> {
    let output = Command::new("apt-cache").args(["depends", package]).stderr(Stdio::null()).output().ok()?;
    let said = String::from_utf8(output.stdout).ok()?;
    let mut names = said.lines().filter_map(|line| line.trim().strip_prefix("Depends: "));
    names.find(|name| name.starts_with("linux-image-")).map(str::to_owned)
}

/// The newest package of the cache whose name begins so.
fn unpacked(cache: &Path, begins: &str) -> Option<String> {
    let entries = fs::read_dir(cache).ok()?.flatten();
    let names = entries.filter_map(|entry| entry.file_name().into_string().ok());
    names.filter(|name| name.starts_with(begins) && !name.ends_with(".part")).max()
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
