//! What the machine starts with: its first file system, its disk, and the film for its camera.

use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use models::store::{RECORD, Store, program_on_path};

use super::archive::Archive;
use super::debian::Debian;
use super::{Held, Processor, Why, elf, fail};

/// The language of what is signed and spelled.
const LANGUAGE: &str = "ase";
/// The language pairs of a lexicon's index stand in its third column.
const SIGNED_COLUMN: usize = 2;
/// The disk. MB.
const DISK_MB: u32 = 1600;

/// What the kernel needs for camera, screen, keys, cable, disk and watchdog; others come with them.
const MODULES: [&str; 13] = [
    "virtio_pci",
    "virtio_blk",
    "virtio_console",
    "crc32c_generic",
    "ext4",
    "virtio_gpu",
    "virtio_input",
    "evdev",
    "vivid",
    "dummy_hcd",
    "usb_f_acm",
    "g_serial",
    "cdc_acm",
];
/// One that not every kernel has under this name, for what QEMU gives as a watchdog.
const WATCHDOG: &str = "i6300esb";
/// One camera and one output, both S-Video: 25 frames a second, where HDMI has 60 larger ones, of which an emulated
/// machine would do nothing but copy. Neither crops nor scales: what is filmed is what is seen.
const VIVID: &str = "n_devs=1 node_types=0x101 num_inputs=1 num_outputs=1 input_types=0x2 output_types=0x0 \
                     ccs_cap_mode=0 ccs_out_mode=0";

/// What is filmed for the camera: RGB pictures in a file, one behind the other. The first is an empty room.
#[derive(Debug, Clone)]
pub struct Film {
    /// The file.
    pub path: PathBuf,
    /// Pictures a second.
    pub fps: f32,
    /// How many.
    pub frames: u32,
    /// Who is seen.
    pub who: &'static str,
    /// The letters of which at least one is read, whoever reads.
    pub letters: &'static str,
}

/// Width and height of the film and the camera. Pixels.
pub const PICTURE: [u32; 2] = [720, 576];

/// The workspace's programs, run from their folder; and those that the machine runs.
#[derive(Debug, Clone)]
pub struct Programs {
    folder: PathBuf,
    /// The machine's.
    pub processor: &'static Processor,
    store: PathBuf,
    work: PathBuf,
}

impl Programs {
    /// Those of a folder, with a store of the rig's own and a folder to work in.
    ///
    /// # Errors
    /// Where one was not built.
    pub fn new(folder: &Path, work: &Path, processor: &'static Processor) -> Held<Self> {
        let new = Self { folder: folder.into(), processor, store: work.join("store"), work: work.into() };
        for program in [new.path("signpost"), new.path("xtask"), new.inside("signpost")] {
            if !program.is_file() {
                let (program, board) = (program.display(), processor.board);
                return fail(format!("{program} is not built; run `cargo xtask rig --board {board}`"));
            }
        }
        if !new.inside("rig-guest").is_file() {
            let why = "what films for the camera was not built: it needs libclang; run `cargo xtask setup`";
            return Err(Why::Skip(why.into()));
        }
        Ok(new)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    /// A program that the machine runs.
    fn inside(&self, name: &str) -> PathBuf {
        self.processor.programs(&self.folder).join(name)
    }

    /// The unit's program whose log comes as frames of defmt, where it was built.
    pub fn framed(&self) -> Option<PathBuf> {
        Some(self.inside("framed/signpost")).filter(|program| program.is_file())
    }

    /// What is put into the machine as the unit's program.
    fn unit(&self) -> PathBuf {
        self.framed().unwrap_or_else(|| self.inside("signpost"))
    }

    /// A program with the rig's own store and key.
    pub fn command(&self, name: &str) -> Command {
        let mut command = Command::new(self.path(name));
        command.current_dir(&self.work).env("SIGNPOST_CACHE", &self.store).env("SIGNPOST_KEY_PASSWORD", "");
        command.env("SIGNPOST_STATE", self.work.join("no-state")).stdin(Stdio::null());
        // The decoder of frames is built where all is built.
        command.envs(self.folder.parent().map(|target| ("CARGO_TARGET_DIR", target)));
        command
    }

    /// ONNX Runtime for the machine, where the store has it.
    pub fn runtime(&self) -> PathBuf {
        Store::at(&self.store).onnxruntime_for(self.processor.name)
    }

    fn run(&self, name: &str, args: &[&str]) -> Held<Output> {
        let output = self.command(name).args(args).output()?;
        if !output.status.success() {
            let said = String::from_utf8_lossy(&output.stderr);
            return fail(format!("`{name} {}` failed: {}", args.join(" "), said.trim()));
        }
        Ok(output)
    }

    /// A program without what only a debugger reads, where `strip` is installed.
    fn stripped(&self, program: &Path) -> Held<PathBuf> {
        let to = self.work.join(program.file_name().unwrap_or_default());
        let stripped = program_on_path(self.processor.strip)
            .is_some_and(|strip| Command::new(strip).arg("-o").arg(&to).arg(program).status().is_ok());
        if !stripped || !to.is_file() {
            fs::copy(program, &to)?;
        }
        Ok(to)
    }
}

/// A store of what the unit needs and no more: a machine that is emulated takes its time over each byte.
pub fn small_store(from: &Store, programs: &Programs) -> Held<()> {
    let to = Store::at(&programs.store);
    fs::create_dir_all(to.root())?;
    for folder in ["networks", "lexicon/fingerspelling"] {
        fs::create_dir_all(to.root().join(folder))?;
    }
    fs::copy(from.root().join(RECORD), to.root().join(RECORD))?;
    for name in edge::vision::NETWORKS {
        fs::copy(from.network(name), to.network(name))?;
    }
    let (source, copy) = (from.onnxruntime_for(programs.processor.name), programs.runtime());
    if source.is_file() {
        fs::create_dir_all(copy.parent().unwrap_or(to.root()))?;
        fs::copy(source, copy)?;
    }
    let index = fs::read_to_string(from.lexicon().join("index.csv"))?;
    let mut kept = File::create(to.lexicon().join("index.csv"))?;
    for (line, row) in index.lines().enumerate() {
        let columns: Vec<&str> = row.split(',').collect();
        if line > 0 && columns.get(SIGNED_COLUMN) != Some(&LANGUAGE) {
            continue;
        }
        writeln!(kept, "{row}")?;
        if line > 0 {
            let [source, copy] = [from, &to].map(|store| store.lexicon().join(columns[0]));
            fs::create_dir_all(copy.parent().unwrap_or(to.root()))?;
            fs::copy(source, copy)?;
        }
    }
    Ok(())
}

/// Two signed bundles whose programs differ: the first version, and the next with only what is new.
pub struct Bundles {
    /// What the unit is delivered with.
    pub first: PathBuf,
    /// What is flashed.
    pub next: PathBuf,
}

/// The versions of the two bundles.
pub const VERSIONS: [&str; 2] = ["0.1.0", "0.2.0"];

/// Makes a key and the bundles.
pub fn bundles(programs: &Programs) -> Held<Bundles> {
    let text = |path: &Path| path.display().to_string();
    let key = programs.work.join("key");
    programs.run("xtask", &["bundle", "--new-key", &text(&key)])?;
    let key = text(&key.join("signpost.key"));
    let program = programs.stripped(&programs.unit())?;
    let next_program = programs.work.join("signpost-next");
    fs::copy(&program, &next_program)?;
    // Behind its end a program may have anything; it is another file all the same.
    File::options().append(true).open(&next_program)?.write_all(b"the next version")?;
    let [first, next] = VERSIONS.map(|version| programs.work.join(format!("{version}.bundle")));
    let fixed = ["bundle", "--board", programs.processor.board, "--key", &key, "--level", "1"];
    let own = ["--version", VERSIONS[0], "--program", &text(&program), "--out", &text(&first)];
    programs.run("xtask", &[&fixed[..], &own].concat())?;
    let own = ["--version", VERSIONS[1], "--program", &text(&next_program), "--out", &text(&next)];
    programs.run("xtask", &[&fixed[..], &own, &["--against", &text(&first)]].concat())?;
    Ok(Bundles { first, next })
}

/// The unit's disk, with its first version installed as a technician does, and the key that it trusts.
pub fn disk(programs: &Programs, bundles: &Bundles) -> Held<PathBuf> {
    let (root, image) = (programs.work.join("root"), programs.work.join("disk.raw"));
    fs::create_dir_all(&root)?;
    fs::copy(programs.work.join("key/signpost.pub"), root.join("trusted.pub"))?;
    let (file, folder) = (bundles.first.display().to_string(), root.display().to_string());
    programs.run("signpost", &["install", &file, "--board", programs.processor.board, "--root", &folder])?;
    let Some(mkfs) = program_on_path("mkfs.ext4")
        .or_else(|| Some("/usr/sbin/mkfs.ext4".into()).filter(|p: &PathBuf| p.is_file()))
    else {
        return Err(Why::Skip("mkfs.ext4 is not installed; install e2fsprogs".into()));
    };
    let mut make = Command::new(mkfs);
    make.args(["-q", "-F", "-d"]).arg(&root).arg(&image).arg(format!("{DISK_MB}M")).stdout(Stdio::null());
    if !make.status()?.success() {
        return fail("the disk could not be made; the line above says why");
    }
    fs::remove_dir_all(root)?;
    Ok(image)
}

/// The first file system: a shell, the modules, what the rig needs inside, and the program that starts a slot.
///
/// # Errors
/// Where something of it is missing.
pub fn initramfs(debian: &Debian, programs: &Programs, unit: &str) -> Held<PathBuf> {
    let mut archive = Archive::default();
    archive.file("init", include_bytes!("init.sh"));
    archive.file("etc/unit", unit.as_bytes());
    archive.file("bin/busybox", &fs::read(&debian.busybox)?);
    archive.file("etc/board", programs.processor.board.as_bytes());
    for name in debian.tools.iter().filter(|name| *name != "busybox") {
        archive.link(&format!("bin/{name}"), "busybox");
    }
    for folder in ["dev", "proc", "sys", "tmp", "var/lib"] {
        archive.folder(folder);
    }
    let mut order = String::new();
    let watchdog = debian.modules(&[WATCHDOG]).unwrap_or_default();
    let mut modules = debian.modules(&MODULES)?;
    modules.extend(watchdog);
    for module in modules {
        let name = module.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let options = if elf::module_name(&module) == "vivid" { VIVID } else { "" };
        archive.file(&format!("modules/{name}"), &fs::read(&module)?);
        order.push_str(&format!("{name} {options}\n"));
    }
    archive.file("modules/order", order.as_bytes());
    let inside = [programs.stripped(&programs.unit())?, programs.stripped(&programs.inside("rig-guest"))?];
    let runtime = programs.runtime();
    for program in &inside {
        let name = program.file_name().unwrap_or_default().to_string_lossy();
        archive.file(&format!("bin/{name}"), &fs::read(program)?);
    }
    let mut libraries = std::collections::BTreeMap::new();
    for file in inside.iter().chain(Some(&runtime).filter(|path| path.is_file())) {
        libraries.extend(elf::libraries(file, programs.processor)?);
    }
    for (name, file) in libraries {
        // The linker stands in programs by its path; it looks for the others in /lib.
        let place = name.strip_prefix('/').map_or_else(|| format!("lib/{name}"), str::to_owned);
        archive.file(&place, &fs::read(&file)?);
    }
    let to = programs.work.join("initramfs.cpio");
    fs::write(&to, archive.finish())?;
    Ok(to)
}

/// The film: a real person where recordings are at hand, and otherwise the signer that the unit draws, who spells.
pub fn film(programs: &Programs, store: &Store) -> Held<Film> {
    const DRAWN: &str = "IN";
    let ffmpeg = edge::ffmpeg::program().map_err(|fault| Why::Skip(fault.to_string()))?;
    let recorded = crate::data("the rig's film of a real person")
        .map(|data| data.join("oracle/tfjs/asl_hand.25fps.mp4"));
    let (source, who, letters) = match recorded.filter(|clip| clip.is_file()) {
        Some(clip) => (clip, "a person", "KINDNESS"),
        None => {
            let own = programs.work.join("drawn.mp4");
            let mut sign = programs.command("signpost");
            sign.args(["sign", DRAWN, "--language", LANGUAGE, "--out"]).arg(&own);
            // The whole store: what is drawn is the same on every computer.
            let done = sign.env("SIGNPOST_CACHE", store.root()).output()?;
            if !done.status.success() {
                return fail(String::from_utf8_lossy(&done.stderr).trim().to_owned());
            }
            (own, "the drawn signer", DRAWN)
        }
    };
    const FPS: f32 = 12.5;
    let [w, h] = PICTURE;
    let path = programs.work.join("film.rgb");
    let fit = format!("fps={FPS},scale={w}:{h}:force_original_aspect_ratio=decrease,pad={w}:{h}:-1:-1:gray");
    // The first frame is an empty room.
    let mut film = File::create(&path)?;
    film.write_all(&vec![0x80; 3 * (w * h) as usize])?;
    let mut decode = Command::new(ffmpeg);
    decode.args(["-v", "error", "-i"]).arg(source).args(["-vf", &fit, "-pix_fmt", "rgb24"]);
    decode.args(["-f", "rawvideo", "-"]).stdin(Stdio::null()).stdout(film);
    if !decode.status()?.success() {
        return fail("the film could not be decoded; the line above says why");
    }
    let frames = fs::metadata(&path)?.len() / (3 * u64::from(w) * u64::from(h));
    Ok(Film { path, fps: FPS, frames: frames as u32, who, letters })
}
