//! `cargo xtask image`: a whole system's root file system in one signed file, which RAUC on a unit takes.
//!
//! Debian's `rauc` packs and signs, and says whom the result is trusted by. What this command adds is what RAUC cannot
//! know: which boards have slots for whole systems, what starts from them, and that what was packed is what was given.

use std::fs::{self, File};
use std::io::{BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, bail};
use boards::{Board, System, slot_hook};
use models::bundle::{Sum, Version};
use models::store::program_on_path;
use serde_json::{Value, json};

use crate::ui::{Progress, Ui};

/// What this calls, and what Debian's packages with them are called.
const PROGRAMS: [&str; 3] = ["rauc", "mksquashfs", "unsquashfs"];
const PACKAGES: &str = "rauc squashfs-tools";
/// Where a file says what it is: an offset and bytes. ext4's superblock has its number in its 56th byte, tar its word
/// behind a file's name and rights.
const KINDS: [(usize, &[u8], Kind); 3] =
    [(1024 + 56, &[0x53, 0xef], Kind::Ext4), (257, b"ustar", Kind::Tar), (0, b"hsqs", Kind::Squashfs)];
/// All of that lies within so many bytes.
const HEAD: u64 = 2048;
/// The hook's name within an image.
const HOOK: &str = "slot-hook";

/// Puts the root file system of a whole system into one signed file for `rauc install`; only for units that were set up
/// with RAUC.
#[derive(Debug, clap::Args)]
pub struct Image {
    /// The board that it is for
    #[arg(long)]
    board: String,
    /// The root file system: an ext4 image, or a tar archive that is not packed
    #[arg(long, value_name = "FILE")]
    rootfs: PathBuf,
    /// The version of the system
    #[arg(long)]
    version: Version,
    /// The signer's certificate (PEM)
    #[arg(long, value_name = "FILE", required_unless_present = "dry_run")]
    cert: Option<PathBuf>,
    /// The signer's secret key (PEM); its password in RAUC_KEY_PASSPHRASE
    #[arg(long, value_name = "FILE", required_unless_present = "dry_run")]
    key: Option<PathBuf>,
    /// What units trust: the certificate of the authority that signed --cert; --cert itself where not given
    #[arg(long, value_name = "FILE")]
    keyring: Option<PathBuf>,
    /// Where to write, where it is not out/image/BOARD-VERSION.raucb
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// Only checks the root file system, and says what would be written
    #[arg(long)]
    dry_run: bool,
    /// Prints one JSON object
    #[arg(long)]
    json: bool,
}

impl Image {
    /// Runs the command.
    ///
    /// # Errors
    /// What is missing or wrong, with the next step; no half image is left.
    pub fn run(&self, ui: &Ui) -> anyhow::Result<()> {
        let board = Board::named(&self.board)?;
        let system = system(&board)?;
        let (kind, size) = kind(&self.rootfs)?;
        let default = || PathBuf::from(format!("out/image/{}-{}.raucb", board.name, self.version));
        let out = self.out.clone().unwrap_or_else(default);
        let (path, version) = (out.display(), self.version);
        let mut said = json!({ "image": out, "board": board.name, "version": version, "size": size });
        if self.dry_run {
            let words =
                format!("{path}: system {version} for {}, of {size} bytes, would be made", board.title);
            ui.answer(&if self.json { said.to_string() } else { words });
            return Ok(());
        }
        let cert = readable(self.cert.as_deref(), "--cert")?;
        let key = readable(self.key.as_deref(), "--key")?;
        let keyring = self.keyring.as_deref().map_or(Ok(cert), |path| readable(Some(path), "--keyring"))?;
        if let Some(missing) = PROGRAMS.iter().find(|name| program_on_path(name).is_none()) {
            bail!("{missing} is not installed; run `sudo apt install {PACKAGES}`");
        }
        let folder = Folder::beside(&out)?;
        let content = folder.0.join("content");
        let name = format!("rootfs.{}", kind.extension());
        lay_out(&content, &self.rootfs, &name, &self.manifest(&board, &name), system, ui)?;
        let progress = ui.progress("reading the root file system", size);
        let (given, _) = Sum::of_reader(&mut Watched::new(open(&self.rootfs)?, progress))?;

        ui.step("packing and signing");
        let made = folder.0.join("made.raucb");
        let option = |name: &str, path: &Path| format!("--{name}={}", path.display());
        let mut pack = Command::new("rauc");
        pack.args(["bundle", &option("cert", cert), &option("key", key)]).args([&content, &made]);
        called(&mut pack)
            .context("no image was made; see that --key is the key of --cert, and that the disk has room")?;
        ui.step("checking whom it is trusted by");
        let mut info = Command::new("rauc");
        info.args(["info", "--output-format=json", &option("keyring", keyring)]).arg(&made);
        let info = called(&mut info).with_context(|| {
            format!(
                "who trusts {} does not trust this signer; name the certificate of the authority that signed --cert with --keyring",
                keyring.display()
            )
        })?;
        // What was signed is the sum of what was given, and what is in it has that sum.
        let signed: Value = serde_json::from_slice(&info).unwrap_or_default();
        let signed = signed["images"][0]["rootfs"]["checksum"].as_str().unwrap_or_default().to_owned();
        let held = held(&made, &name, size, ui)?;
        if signed != given.to_string() || held != given {
            bail!(
                "{path} would not hold what {} holds; see that nobody changes that file, and run this again",
                self.rootfs.display()
            );
        }
        let place = || format!("{path} cannot be written; name another file with --out");
        let bytes = File::open(&made).and_then(|file| file.sync_all().and_then(|()| file.metadata()));
        let bytes = bytes.with_context(place)?.len();
        fs::rename(&made, &out).with_context(place)?;
        said["bytes"] = bytes.into();
        said["sha256"] = json!(given);
        let words = format!("{path}: system {version} for {}, {size} bytes in {bytes}", board.title);
        ui.answer(&if self.json { said.to_string() } else { words });
        Ok(())
    }

    /// What RAUC reads first, and what its signature vouches for.
    fn manifest(&self, board: &Board, rootfs: &str) -> String {
        format!(
            "[update]\ncompatible={}\nversion={}\n\n[bundle]\nformat=verity\n\n[hooks]\nfilename={HOOK}\n\n[image.rootfs]\nfilename={rootfs}\nhooks=post-install\n",
            board.name, self.version
        )
    }
}

/// What a root file system may come in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Ext4,
    Tar,
    Squashfs,
}

impl Kind {
    /// By which RAUC knows it.
    fn extension(self) -> &'static str {
        match self {
            Self::Ext4 => "ext4",
            Self::Tar => "tar",
            Self::Squashfs => "squashfs",
        }
    }
}

/// Where a board's systems lie.
fn system(board: &Board) -> anyhow::Result<&System> {
    board.system.as_ref().with_context(|| {
        let with = Board::shipped().filter(|board| board.system.is_some()).map(|board| board.name);
        format!(
            "{} has no slots for whole systems; choose one of: {}",
            board.title,
            with.collect::<Vec<_>>().join(", ")
        )
    })
}

/// What a root file system comes in, and how large it is.
fn kind(path: &Path) -> anyhow::Result<(Kind, u64)> {
    let shown = path.display();
    let unread = || format!("{shown} cannot be read; name the root file system with --rootfs");
    let mut head = Vec::new();
    let file = File::open(path).with_context(unread)?;
    let size = file.metadata().with_context(unread)?.len();
    file.take(HEAD).read_to_end(&mut head).with_context(unread)?;
    let kind =
        KINDS.iter().find(|(at, magic, _)| head.get(*at..).is_some_and(|rest| rest.starts_with(magic)));
    match kind {
        Some((_, _, Kind::Squashfs)) => bail!(
            "{shown} is a squashfs image, and the slots are ext4; make an ext4 image or a tar archive of the system"
        ),
        Some((_, _, kind)) => Ok((*kind, size)),
        None => bail!(
            "{shown} is neither an ext4 image nor a tar archive; make one of the system, and unpack it where it is packed"
        ),
    }
}

fn readable<'a>(path: Option<&'a Path>, option: &str) -> anyhow::Result<&'a Path> {
    let path = path.with_context(|| format!("a file is missing; name it with {option}"))?;
    let opened = File::open(path);
    opened.with_context(|| format!("{} cannot be read; name another file with {option}", path.display()))?;
    Ok(path)
}

fn open(path: &Path) -> anyhow::Result<BufReader<File>> {
    let file = File::open(path).with_context(|| format!("{} cannot be read; try again", path.display()))?;
    Ok(BufReader::with_capacity(1 << 20, file))
}

/// Puts into a folder what goes into an image. RAUC writes the sums into the manifest by itself.
fn lay_out(
    content: &Path,
    rootfs: &Path,
    name: &str,
    manifest: &str,
    system: &System,
    ui: &Ui,
) -> anyhow::Result<()> {
    let said =
        || format!("{} cannot be filled; free some space there, or name another --out", content.display());
    fs::create_dir(content).with_context(said)?;
    fs::write(content.join("manifest.raucm"), manifest).with_context(said)?;
    let hook = content.join(HOOK);
    fs::write(&hook, slot_hook(system)).with_context(said)?;
    fs::set_permissions(&hook, std::os::unix::fs::PermissionsExt::from_mode(0o755)).with_context(said)?;
    // Some gigabytes need not lie there twice; a link to a link would be packed as such.
    let rootfs = rootfs.canonicalize().with_context(said)?;
    if fs::hard_link(&rootfs, content.join(name)).is_err() {
        ui.step("copying the root file system");
        fs::copy(&rootfs, content.join(name)).with_context(said)?;
    }
    Ok(())
}

/// The sum of what an image holds as its root file system, read back out of it.
fn held(made: &Path, name: &str, size: u64, ui: &Ui) -> anyhow::Result<Sum> {
    let again = "it cannot be read back; see that squashfs-tools are of version 4.5 or newer";
    let mut command = Command::new("unsquashfs");
    command.arg("-cat").arg(made).arg(name).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
    let mut child = command.spawn().context(again)?;
    let progress = ui.progress("reading back what was written", size);
    let out = child.stdout.take().expect("it was piped a moment ago");
    let (sum, _) = Sum::of_reader(&mut Watched::new(out, progress)).context(again)?;
    if !child.wait().context(again)?.success() {
        bail!(again);
    }
    Ok(sum)
}

/// Runs a program to its end, and gives what it printed; the last that it said is why it failed.
fn called(command: &mut Command) -> anyhow::Result<Vec<u8>> {
    let done = command.env("LC_ALL", "C").stdin(Stdio::null()).output()?;
    if done.status.success() {
        return Ok(done.stdout);
    }
    let said = String::from_utf8_lossy(&done.stderr).into_owned();
    let last = said.lines().map(str::trim).rfind(|line| !line.is_empty()).unwrap_or("it says nothing");
    bail!("{last}")
}

/// A reader that shows how far it is.
struct Watched<R> {
    reader: R,
    progress: Progress,
    done: u64,
}

impl<R> Watched<R> {
    fn new(reader: R, progress: Progress) -> Self {
        Self { reader, progress, done: 0 }
    }
}

impl<R: Read> Read for Watched<R> {
    fn read(&mut self, bytes: &mut [u8]) -> std::io::Result<usize> {
        let read = self.reader.read(bytes)?;
        self.done += read as u64;
        self.progress.at(self.done);
        Ok(read)
    }
}

/// A folder for what is not whole yet; it is not left behind.
struct Folder(PathBuf);

impl Folder {
    /// Beside the place, so that what is whole is only renamed. What a run that was killed left there goes.
    fn beside(out: &Path) -> anyhow::Result<Self> {
        let said = || format!("{} cannot be written; name another file with --out", out.display());
        let folder = Self(out.with_extension("raucb.part"));
        if folder.0.exists() {
            fs::remove_dir_all(&folder.0).with_context(said)?;
        }
        fs::create_dir_all(&folder.0).with_context(said)?;
        Ok(folder)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        // Whatever could not be removed goes at the next run.
        let _ = fs::remove_dir_all(&self.0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(at: usize, magic: &[u8], expect: &str) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("rootfs");
        let mut bytes = vec![0; at];
        bytes.extend(magic);
        fs::write(&path, bytes).unwrap();
        let said =
            kind(&path).map_or_else(|e| e.to_string(), |(kind, size)| format!("{} {size}", kind.extension()));
        assert!(said.contains(expect), "{said}");
    }

    #[test]
    fn a_root_file_system_is_known_by_what_is_in_it() {
        check(1080, b"\x53\xef", "ext4 1082");
        check(257, b"ustar\x0000", "tar 265");
        check(0, b"hsqs", "is a squashfs image, and the slots are ext4");
        check(0, b"\x1f\x8b", "neither an ext4 image nor a tar archive");
        check(0, b"", "neither an ext4 image nor a tar archive");
        check(1080, b"\x53", "neither an ext4 image nor a tar archive");
        let said = format!("{:#}", kind(Path::new("/no/such/rootfs")).unwrap_err());
        assert!(said.contains("name the root file system with --rootfs"), "{said}");
    }
}
