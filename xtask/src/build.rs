//! `cargo xtask build`: the unit's program for a board, from this computer.

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use boards::Board;
use models::build_id;
use models::manifest::hexadecimal;
use models::store::{Store, program_on_path};
use serde_json::json;

use crate::bundle::contents::check_program;
use crate::cargo::{cargo, has_camera, keep_framed, processor, released};
use crate::monitor::decode::PROGRAMS;
use crate::ui::Ui;

/// Run on another processor, a self-test takes minutes.
const EMULATED: Duration = Duration::from_secs(1800);
/// Where a program is told of ONNX Runtime's library; in the emulator it breaks down when it looks what processor it has,
/// because it is shown the files of the one that is really here (1.31.1, QEMU 7.2). There networks run on tract.
const RUNTIME: &str = "ORT_DYLIB_PATH";
const NO_RUNTIME: &str = "not-in-the-emulator";
/// The unit's package and program.
const UNIT: [&str; 2] = ["signpost-edge", "signpost"];
/// What films in the rig's machine.
const GUEST: [&str; 2] = ["signpost-rig-guest", "rig-guest"];
/// What a system needs to take whole-system images lies in a folder of this name beside the program.
const SYSTEM: &str = "rauc";
/// The compiler of the system, which may have libraries that the usual one lacks.
const SYSTEM_COMPILER: &str = "/usr/bin/rustc";
/// How often it is looked whether that is over.
const LOOK: Duration = Duration::from_millis(200);

/// Builds the unit's program for a board, released, on this computer.
#[derive(Debug, clap::Args)]
pub struct Build {
    /// The board
    #[arg(long)]
    board: String,
    /// Its log comes as frames of defmt, which `cargo xtask monitor` on this computer turns into words
    #[arg(long)]
    defmt: bool,
    /// Only prints the command
    #[arg(long)]
    dry_run: bool,
    /// Prints one JSON object
    #[arg(long)]
    json: bool,
}

impl Build {
    /// As `cargo xtask build --board NAME`, with a log in frames or without.
    pub fn of(board: &str, defmt: bool) -> Self {
        Self { board: board.into(), defmt, dry_run: false, json: false }
    }

    /// Runs the command where all is installed that it takes and lets the program test itself; else a line says what
    /// is not.
    ///
    /// # Errors
    /// As [`Build::run`], but for what is not installed.
    pub fn run_where_it_can(&self, ui: &Ui) -> anyhow::Result<()> {
        let board = Board::named(&self.board)?;
        let (target, bench) = (&board.target, Bench::here(&board.target));
        let missing = bench.missing(target).or_else(|| {
            let needs = bench.emulator.is_none() && !runs_here(target);
            needs.then(|| {
                format!("there is no emulator for {target} here; run `sudo apt install qemu-user-static`")
            })
        });
        let Some(missing) = missing else { return self.run_with(&board, &bench, ui).map(drop) };
        ui.step(&format!("not building for {}: {missing}", self.board));
        Ok(())
    }

    /// Runs the command.
    ///
    /// # Errors
    /// What is not installed, with the command that installs it; where the program does not build, or fails its
    /// self-test where this computer can run it.
    pub fn run(&self, ui: &Ui) -> anyhow::Result<()> {
        let board = Board::named(&self.board)?;
        self.run_with(&board, &Bench::here(&board.target), ui).map(drop)
    }

    /// The same with what is here; gives where the program was kept as it was built, if its log comes as frames.
    fn run_with(&self, board: &Board, bench: &Bench, ui: &Ui) -> anyhow::Result<Option<PathBuf>> {
        let store = Store::locate().context("neither HOME nor SIGNPOST_CACHE is set; set one of them")?;
        if let Some(missing) = bench.missing(&board.target) {
            bail!("{missing}");
        }
        let mut command = bench.release(&store, &board.target, UNIT);
        if self.defmt {
            // Every level, and what is needed to tell file and line; the unit gets the program without it.
            command.args(["--features", "signpost-edge/defmt"]).env("DEFMT_LOG", "trace");
            command.env("CARGO_PROFILE_RELEASE_DEBUG", "2").env("CARGO_PROFILE_RELEASE_STRIP", "none");
        }
        let program = released(&board.target);
        if self.dry_run {
            let shown = shown(&command);
            let said = json!({ "board": board.name, "program": program, "command": shown });
            ui.answer(&if self.json { said.to_string() } else { shown });
            return Ok(None);
        }
        ui.step(&format!("building for {} (some twenty minutes the first time)", board.title));
        // What the compiler says goes where it always goes; standard output is for the answer.
        let status = command.stdout(Stdio::null()).status();
        if !status.context("cargo could not be started; install Rust with rustup")?.success() {
            bail!("the build failed; the first error above says why");
        }
        check_program(board, &program)?;
        let service = program.with_file_name("signpost.service");
        let room = |path: &Path| format!("{} cannot be written; free some space there", path.display());
        std::fs::write(&service, boards::service(board)).with_context(|| room(&service))?;
        let system = program.with_file_name(SYSTEM);
        write_system(board, &system).with_context(|| room(&system))?;
        let kept = self.defmt.then(|| keep(&program, &board.target, bench)).transpose()?;
        if let Some(kept) = &kept {
            ui.step(&format!("keeping {} for `cargo xtask monitor`", kept.display()));
        }
        let tested = test(board, &program, bench, ui)?;
        let said = json!({ "board": board.name, "program": program, "service": service, "selftest": tested });
        ui.answer(&if self.json {
            said.to_string()
        } else {
            let tested = tested.map_or_else(String::new, |verdict| format!(" ({verdict})"));
            let service = service.display();
            format!("{}: for {}{tested}; systemd starts it by {service}", program.display(), board.title)
        });
        Ok(kept)
    }
}

/// Writes what a system needs to take whole-system images, as it lies below its root; of another board nothing is left.
fn write_system(board: &Board, folder: &Path) -> std::io::Result<()> {
    if folder.exists() {
        std::fs::remove_dir_all(folder)?;
    }
    for file in boards::system_files(board) {
        let path = folder.join(file.place);
        std::fs::create_dir_all(path.parent().unwrap_or(folder))?;
        std::fs::write(&path, &file.text)?;
        let mode = if file.executable { 0o755 } else { 0o644 };
        std::fs::set_permissions(&path, PermissionsExt::from_mode(mode))?;
    }
    Ok(())
}

/// Lets a program for another processor test itself, where this computer can pretend to be one.
fn test(board: &Board, program: &Path, bench: &Bench, ui: &Ui) -> anyhow::Result<Option<String>> {
    let Some(emulator) = bench.emulator.as_ref().filter(|_| !runs_here(&board.target)) else {
        return Ok(None);
    };
    ui.step("letting it test itself in the emulator, as board `qemu`");
    let root = std::env::temp_dir().join(format!("signpost-build-{}", std::process::id()));
    let mut command = Command::new(emulator);
    command.arg(program).args(["selftest", "--board", "qemu", "--root"]).arg(&root);
    command.env(RUNTIME, NO_RUNTIME);
    let child = command.stdin(Stdio::null()).stdout(Stdio::null()).spawn();
    let mut child = child.context("the emulator cannot be started; install it again")?;
    let until = Instant::now() + EMULATED;
    let status = loop {
        if let Some(status) = child.try_wait().context("the emulator was lost; run this again")? {
            break Some(status);
        }
        if Instant::now() >= until {
            // It may have ended just now.
            let _ = child.kill();
            let _ = child.wait();
            break None;
        }
        std::thread::sleep(LOOK);
    };
    // What the self-test leaves is an empty folder.
    let _ = std::fs::remove_dir_all(&root);
    match status {
        Some(status) if status.success() => Ok(Some("passed its self-test".into())),
        Some(_) => bail!(
            "{} fails its self-test in the emulator; run `{RUNTIME}={NO_RUNTIME} {} {} selftest --board qemu` to see where",
            program.display(),
            emulator.display(),
            program.display()
        ),
        None => {
            bail!("the self-test took longer than {} s; run this on a faster computer", EMULATED.as_secs())
        }
    }
}

/// Builds what the rig needs in a machine with a board's processor, where that is not this computer's: the unit, with
/// its log as frames, and what films for its camera.
///
/// # Errors
/// As [`Build::run`].
pub fn for_the_rig(board: &str, store: &Store, ui: &Ui) -> anyhow::Result<()> {
    let board = Board::named(board)?;
    if runs_here(&board.target) {
        return Ok(());
    }
    let bench = Bench::here(&board.target);
    if let Some(kept) = Build::of(&board.name, true).run_with(&board, &bench, ui)? {
        keep_framed(&kept, &released(&board.target))?;
    }
    ui.step("building what films for the rig's camera");
    let status = bench.release(store, &board.target, GUEST).stdout(Stdio::null()).status();
    if !status.context("cargo could not be started; install Rust with rustup")?.success() {
        bail!("the build failed; the first error above says why");
    }
    Ok(())
}

/// Keeps a program as it was built, under its build-id, and takes its symbols away in its place.
fn keep(program: &Path, target: &str, bench: &Bench) -> anyhow::Result<PathBuf> {
    let build = build_id::of_file(program).ok().flatten().with_context(|| {
        format!("{} has no build-id; use a linker that knows --build-id", program.display())
    })?;
    let folder = Path::new(PROGRAMS).join(hexadecimal(&build));
    let kept = folder.join("signpost");
    let copied = std::fs::create_dir_all(&folder).and_then(|()| std::fs::copy(program, &kept));
    copied.with_context(|| format!("{} cannot be written; make room there", kept.display()))?;
    // A cross linker's `strip` lies beside it under a name like its own.
    let strip = match bench.linker.as_ref().filter(|_| !runs_here(target)) {
        Some(linker) => PathBuf::from(linker.to_string_lossy().replace("gcc", "strip")),
        None => "strip".into(),
    };
    let status = Command::new(&strip).arg(program).status();
    if !status.is_ok_and(|status| status.success()) {
        bail!("{} did not strip the program; install binutils for {target}", strip.display());
    }
    Ok(kept)
}

/// What of a cross build is here.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Bench {
    /// A compiler that has Rust's libraries for the target.
    compiler: Option<PathBuf>,
    /// A linker for the target, where the system's own is none.
    linker: Option<PathBuf>,
    emulator: Option<PathBuf>,
}

impl Bench {
    fn here(target: &str) -> Self {
        let processor = processor(target);
        let named = std::env::var_os(linker_variable(target)).map(PathBuf::from);
        let gcc = program_on_path(&format!("{processor}-linux-gnu-gcc"));
        let emulators = ["", "-static"].map(|kind| program_on_path(&format!("qemu-{processor}{kind}")));
        Self {
            compiler: compilers().into_iter().find(|compiler| has_libraries(compiler, target)),
            linker: named.or(gcc).filter(|_| !runs_here(target)),
            emulator: emulators.into_iter().flatten().next(),
        }
    }

    /// What builds a program of the workspace, released, for a target; with its camera where that can be built.
    fn release(&self, store: &Store, target: &str, [package, program]: [&str; 2]) -> Command {
        let mut command = cargo(store);
        command.args(["build", "--release", "-p", package, "--bin", program, "--target", target]);
        if has_camera(store) {
            command.args(["--features", &format!("{package}/camera")]);
        }
        if let Some(linker) = &self.linker {
            command.env(linker_variable(target), linker);
        }
        if let Some(compiler) = self.compiler.as_deref().filter(|compiler| *compiler != usual_compiler()) {
            command.env("RUSTC", compiler);
        }
        command
    }

    /// The one line that says what is not installed.
    fn missing(&self, target: &str) -> Option<String> {
        let processor = processor(target);
        if self.compiler.is_none() {
            return Some(format!(
                "Rust has no libraries for {target} here; run `rustup target add {target}`, or install Debian's rustc-web with libstd-rust-web-dev of that processor"
            ));
        }
        (self.linker.is_none() && !runs_here(target)).then(|| {
            format!(
                "there is no linker for {target} here; run `sudo apt install gcc-{processor}-linux-gnu libc6-dev-arm64-cross`, or name a linker in {}",
                linker_variable(target)
            )
        })
    }
}

fn runs_here(target: &str) -> bool {
    processor(target) == std::env::consts::ARCH
}

/// Where cargo looks for the linker of a target.
fn linker_variable(target: &str) -> String {
    format!("CARGO_TARGET_{}_LINKER", target.replace('-', "_").to_uppercase())
}

/// The compiler that cargo calls.
fn usual_compiler() -> PathBuf {
    std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into()).into()
}

/// The compilers that may be taken: who names one means that one.
fn compilers() -> Vec<PathBuf> {
    let named = std::env::var_os("RUSTC").is_some();
    [usual_compiler(), SYSTEM_COMPILER.into()].into_iter().take(if named { 1 } else { 2 }).collect()
}

/// Whether a compiler has its libraries for a target, however they came there.
fn has_libraries(compiler: &Path, target: &str) -> bool {
    let asked = Command::new(compiler).args(["--print", "target-libdir", "--target", target]).output();
    asked.is_ok_and(|said| {
        let folder = PathBuf::from(String::from_utf8_lossy(&said.stdout).trim());
        let names = std::fs::read_dir(folder).into_iter().flatten().filter_map(Result::ok);
        said.status.success()
            && names.into_iter().any(|n| n.file_name().to_string_lossy().starts_with("libstd-"))
    })
}

/// A command as a shell takes it.
pub(crate) fn shown(command: &Command) -> String {
    let quoted = |text: &std::ffi::OsStr| {
        let text = text.to_string_lossy();
        let plain = |c: char| c.is_ascii_alphanumeric() || "-_./=:+@%,".contains(c);
        if !text.is_empty() && text.chars().all(plain) { text.into_owned() } else { format!("'{text}'") }
    };
    let variables = command
        .get_envs()
        .filter_map(|(name, value)| Some(format!("{}={}", name.to_string_lossy(), quoted(value?))));
    let program = Path::new(command.get_program()).file_name().filter(|name| *name == "cargo");
    let words = std::iter::once(program.unwrap_or(command.get_program())).chain(command.get_args());
    variables.chain(words.map(quoted)).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    const TARGET: &str = "aarch64-unknown-linux-gnu";

    #[test]
    fn one_line_says_what_is_not_installed() {
        let mut bench = Bench::default();
        if runs_here(TARGET) {
            return;
        }
        let said = bench.missing(TARGET).unwrap();
        assert!(said.contains("; run `rustup target add aarch64-unknown-linux-gnu`, or"), "{said}");
        bench.compiler = Some("rustc".into());
        let said = bench.missing(TARGET).unwrap();
        assert!(said.contains("gcc-aarch64-linux-gnu libc6-dev-arm64-cross`"), "{said}");
        assert!(said.ends_with("in CARGO_TARGET_AARCH64_UNKNOWN_LINUX_GNU_LINKER"), "{said}");
        bench.linker = Some("/usr/bin/aarch64-linux-gnu-gcc".into());
        assert_eq!(bench.missing(TARGET), None);
    }

    #[test]
    fn this_computers_own_libraries_are_found_and_others_are_not() {
        let own = format!("{}-unknown-linux-gnu", std::env::consts::ARCH);
        let rustc = usual_compiler();
        assert!(has_libraries(&rustc, &own) && !has_libraries(&rustc, "no-such-target"));
        assert!(!has_libraries(Path::new("no-such-compiler"), &own));
    }

    #[test]
    fn a_command_is_shown_as_a_shell_takes_it() {
        let mut command = Command::new("sudo");
        command.args(["./flash.sh", "-p", "-c a.xml", ""]).env("A_B", "c d");
        assert_eq!(shown(&command), "A_B='c d' sudo ./flash.sh -p '-c a.xml' ''");
    }
}
