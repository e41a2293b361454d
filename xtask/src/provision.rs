//! `cargo xtask provision`: a system onto a new module, by NVIDIA's own flashing tool and never around it.
//!
//! The tool and what it is told stand in the board's file, after "Flashing Support" of the Jetson Linux
//! Developer Guide. What this command adds is the check before: that exactly one module lies in recovery mode,
//! and that it is the one of the board. NVIDIA's tool reports a wrong one as a USB time-out.

use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, bail};
use boards::{Board, Machine, Provision as Tool, UsbProduct};
use serde_json::{Value, json};

use crate::build::shown;
use crate::doctor::world::{Here, World};
use crate::ui::Ui;

/// Checks the module in recovery mode, then lets NVIDIA's own tool put a system onto it.
#[derive(Debug, clap::Args)]
pub struct Provision {
    /// The board that the module is for
    #[arg(long)]
    board: String,
    /// The folder Linux_for_Tegra of NVIDIA's driver package, with its root file system applied
    #[arg(long, value_name = "FOLDER")]
    l4t: PathBuf,
    /// The configuration of another carrier board, as NVIDIA's folder or its maker calls it
    #[arg(long, value_name = "NAME")]
    config: Option<String>,
    /// Everything on the module may be erased
    #[arg(long, required_unless_present = "dry_run")]
    erase: bool,
    /// Only checks the module, and prints the command
    #[arg(long)]
    dry_run: bool,
    /// Prints one JSON object
    #[arg(long)]
    json: bool,
}

impl Provision {
    /// Runs the command.
    ///
    /// # Errors
    /// Where the module or the folder is not the right one, or NVIDIA's tool fails.
    pub fn run(&self, ui: &Ui) -> anyhow::Result<()> {
        let said = self.onto(&Here::default(), is_root(), ui)?;
        let words = format!("{}: {}", text(&said["end"]), text(&said["command"]));
        ui.answer(&if self.json { said.to_string() } else { words });
        Ok(())
    }

    /// The same on a bench that may be a test's; gives what is to be told.
    fn onto(&self, world: &dyn World, is_root: bool, ui: &Ui) -> anyhow::Result<Value> {
        let board = Board::named(&self.board)?;
        let tool = board.provision.as_ref().with_context(|| {
            format!("{} has no flashing tool of its maker's; install its system by hand", board.title)
        })?;
        let config = self.config.as_deref().unwrap_or(&tool.config);
        check_folder(&self.l4t, tool, config)?;
        let module = module(&world.recovery(), &board)?;
        ui.step(&format!("in recovery mode: {module}"));
        let command = command(&self.l4t, tool, config, is_root);
        let shown = format!("cd {} && {}", self.l4t.display(), shown(&command));
        if !self.dry_run {
            ui.step(&format!("running NVIDIA's tool: {shown}"));
            run(command)?;
        }
        let end = if self.dry_run { "would run" } else { "done" };
        Ok(json!({ "board": board.name, "module": module, "command": shown, "end": end }))
    }
}

/// What the one module in recovery mode is, where it is one of the board's.
fn module(products: &[UsbProduct], board: &Board) -> anyhow::Result<String> {
    let product = match products {
        [product] => *product,
        [] => bail!(
            "no module lies in recovery mode; connect the pins FC REC and GND of its carrier board, or hold its recovery button, plug USB into its device port, and switch it on"
        ),
        all => bail!("{} modules lie in recovery mode; unplug all but one", all.len()),
    };
    let machines = Machine::in_recovery(product);
    let first = machines.first().with_context(|| Machine::unknown_in_recovery(product))?;
    first.is(board)?;
    // Those that USB does not tell from each other are all of one board.
    let own: Vec<String> = machines.iter().map(ToString::to_string).collect();
    Ok(own.join(" or "))
}

/// That the folder is NVIDIA's, and ready.
fn check_folder(folder: &Path, tool: &Tool, config: &str) -> anyhow::Result<()> {
    let shown = folder.display();
    if !folder.join(&tool.command).is_file() {
        bail!(
            "{shown} has no {}; name the folder Linux_for_Tegra of NVIDIA's driver package with --l4t",
            tool.command
        );
    }
    if !folder.join(format!("{config}.conf")).is_file() {
        bail!(
            "{shown} has no {config}.conf; take the driver package that knows this board, or name another configuration with --config"
        );
    }
    if !folder.join("rootfs/etc").is_dir() {
        bail!(
            "{shown}/rootfs is empty; unpack NVIDIA's sample root file system there and run `sudo ./apply_binaries.sh`"
        );
    }
    Ok(())
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

/// Whether this program runs as root: who owns a process owns its folder.
fn is_root() -> bool {
    std::fs::metadata("/proc/self").is_ok_and(|meta| meta.uid() == 0)
}

/// NVIDIA's tool with what it is told; it needs root.
fn command(folder: &Path, tool: &Tool, config: &str, is_root: bool) -> Command {
    let own = format!("./{}", tool.command);
    let mut command = if is_root { Command::new(own) } else { Command::new("sudo") };
    if !is_root {
        command.arg(format!("./{}", tool.command));
    }
    command.args(&tool.args).args([config, &tool.target]).current_dir(folder);
    command
}

fn run(mut command: Command) -> anyhow::Result<()> {
    let status =
        command.status().context("NVIDIA's tool cannot be started; unpack the driver package again")?;
    if !status.success() {
        bail!(
            "NVIDIA's tool failed; its lines above say why: put the module into recovery mode anew before another try"
        );
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    fn board(name: &str) -> Board {
        Board::named(name).unwrap()
    }

    #[track_caller]
    fn check(products: &[u16], name: &str, expect: &str) {
        let products: Vec<UsbProduct> = products.iter().copied().map(UsbProduct).collect();
        let said = module(&products, &board(name)).unwrap_or_else(|error| error.to_string());
        assert!(said.contains(expect), "{said}");
    }

    #[test]
    fn only_the_one_right_module_is_flashed() {
        check(&[0x7323], "jetson-orin-nx", "Jetson Orin NX 16GB (p3767-0000)");
        check(&[], "jetson-orin-nx", "no module lies in recovery mode");
        check(&[0x7323, 0x7523], "jetson-orin-nx", "2 modules lie in recovery mode; unplug all but one");
        let other =
            "is a Jetson Orin NX 16GB (p3767-0000), and not a Jetson Orin Nano; use board `jetson-orin-nx`";
        check(&[0x7323], "jetson-orin-nano", other);
        check(&[0x7e19], "jetson-agx-orin", "use board `jetson-xavier-nx`");
        check(&[0x7019], "jetson-agx-orin", "(USB 0955:7019) that Signpost does not know");
    }

    /// As public flashing guides write them, which agree with each other.
    #[test]
    fn nvidias_tool_is_told_what_flashing_guides_say() {
        let shown_for = |name: &str| {
            let board = board(name);
            let tool = board.provision.as_ref().unwrap();
            shown(&command(Path::new("/"), tool, &tool.config, false))
        };
        let expect = "sudo ./tools/kernel_flash/l4t_initrd_flash.sh --external-device nvme0n1p1 -c tools/kernel_flash/flash_l4t_t234_nvme.xml -p '-c bootloader/generic/cfg/flash_t234_qspi.xml' --showlogs --network usb0 jetson-orin-nano-devkit internal";
        assert_eq!(
            (shown_for("jetson-orin-nano"), shown_for("jetson-orin-nx")),
            (expect.into(), expect.into())
        );
        assert_eq!(shown_for("jetson-agx-orin"), "sudo ./flash.sh jetson-agx-orin-devkit internal");
        assert_eq!(shown_for("jetson-xavier-nx"), "sudo ./flash.sh jetson-xavier-nx-devkit-emmc mmcblk0p1");
        assert!(board("desk").provision.is_none() && board("qemu").provision.is_none());
    }

    #[test]
    fn a_folder_that_is_not_ready_says_what_is_missing() {
        let folder = tempfile::tempdir().unwrap();
        let tool = board("jetson-agx-orin").provision.unwrap();
        let said = || check_folder(folder.path(), &tool, &tool.config).map_err(|e| e.to_string());
        assert!(said().unwrap_err().contains("has no flash.sh"));
        std::fs::write(folder.path().join("flash.sh"), "").unwrap();
        assert!(said().unwrap_err().contains("has no jetson-agx-orin-devkit.conf"));
        std::fs::write(folder.path().join("jetson-agx-orin-devkit.conf"), "").unwrap();
        assert!(said().unwrap_err().contains("run `sudo ./apply_binaries.sh`"));
        std::fs::create_dir_all(folder.path().join("rootfs/etc")).unwrap();
        said().unwrap();
    }

    /// A tool of our own in the place of NVIDIA's: it is run with what the dry run shows, and only for the right
    /// module.
    #[test]
    fn the_tool_runs_with_what_the_dry_run_shows() {
        let bench = tempfile::tempdir().unwrap();
        let (l4t, usb) = (bench.path().join("l4t"), bench.path().join("sys/bus/usb/devices/1-1"));
        for folder in [&l4t.join("rootfs/etc"), &usb] {
            std::fs::create_dir_all(folder).unwrap();
        }
        std::fs::write(usb.join("idVendor"), "0955\n").unwrap();
        std::fs::write(usb.join("idProduct"), "7023\n").unwrap();
        std::fs::write(l4t.join("jetson-agx-orin-devkit.conf"), "").unwrap();
        std::fs::write(l4t.join("flash.sh"), "#!/bin/sh\necho $# $* >> ran\n").unwrap();
        std::fs::set_permissions(l4t.join("flash.sh"), PermissionsExt::from_mode(0o755)).unwrap();
        let world = Here::below(bench.path());
        let provision = |board: &str, dry_run: bool| {
            let (board, config) = (board.into(), None);
            let asked = Provision { board, l4t: l4t.clone(), config, erase: !dry_run, dry_run, json: true };
            asked.onto(&world, true, &Ui::new())
        };
        let would = provision("jetson-agx-orin", true).unwrap();
        assert!(!l4t.join("ran").exists(), "a dry run runs nothing");
        assert!(
            text(&would["command"]).ends_with("/l4t && ./flash.sh jetson-agx-orin-devkit internal"),
            "{would}"
        );
        let did = provision("jetson-agx-orin", false).unwrap();
        assert_eq!((&did["command"], &did["end"]), (&would["command"], &"done".into()));
        assert_eq!(std::fs::read_to_string(l4t.join("ran")).unwrap(), "2 jetson-agx-orin-devkit internal\n");
        std::fs::write(usb.join("idProduct"), "7223\n").unwrap();
        let did = provision("jetson-agx-orin", true).unwrap();
        assert_eq!(did["module"], "Jetson AGX Orin 32GB (p3701-0004)");
        std::fs::write(usb.join("idProduct"), "7323\n").unwrap();
        assert!(provision("jetson-agx-orin", false).is_err());
        assert_eq!(std::fs::read_to_string(l4t.join("ran")).unwrap().lines().count(), 1);
    }

    #[test]
    fn a_tool_that_fails_is_said_to_have_failed() {
        run(Command::new("true")).unwrap();
        assert!(run(Command::new("false")).unwrap_err().to_string().contains("its lines above say why"));
        assert!(run(Command::new("/no/such/tool")).unwrap_err().to_string().contains("cannot be started"));
    }
}
