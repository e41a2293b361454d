//! What goes into a bundle: the program, the models that ship, and of the store what a unit needs.

use std::fs;
use std::path::Path;

use anyhow::{Context, bail};
use boards::{Board, Glibc};
use models::bundle::write::Source;
use models::bundle::{PROGRAM, STORE};
use models::store::{self, RECORD, SHIPPED, Store};

use crate::cargo::processor;

/// Where ELF says for which processor a program is.
const ELF_MACHINE: std::ops::Range<usize> = 18..20;
/// Processors, as ELF numbers them and as targets begin.
const PROCESSORS: [(u16, &str); 2] = [(62, "x86_64"), (183, "aarch64")];

/// All files of a bundle for a board.
pub fn of(board: &Board, program: &Path, store: &Store) -> anyhow::Result<Vec<Source>> {
    check_program(board, program)?;
    let mut sources = vec![Source { name: PROGRAM.into(), executable: true, path: program.into() }];
    for model in SHIPPED {
        let folder = store::weights(model)
            .with_context(|| format!("the model {model} is not there; run this in the checkout"))?;
        add(&folder, &format!("weights/{model}"), &mut sources)?;
    }
    let record = store.root().join(RECORD);
    if !record.is_file() {
        bail!("{} is missing; run `cargo xtask setup` first", record.display());
    }
    sources.push(Source { name: format!("{STORE}/{RECORD}"), executable: false, path: record });
    for folder in ["networks", "lexicon"] {
        add(&store.root().join(folder), &format!("{STORE}/{folder}"), &mut sources)?;
    }
    let processor = processor(&board.target);
    let library = store.onnxruntime_for(processor);
    if library.is_file() {
        let name = format!("{STORE}/lib/{processor}/libonnxruntime.so");
        sources.push(Source { name, executable: false, path: library });
    }
    Ok(sources)
}

/// What a unit goes without, and the next step: where the store lacks its processor's ONNX Runtime it reads with tract,
/// which needs no library and is slower.
pub fn lacking(board: &Board, store: &Store) -> Option<String> {
    let processor = processor(&board.target);
    (!store.onnxruntime_for(processor).is_file()).then(|| {
        format!(
            "there is no ONNX Runtime for {processor} in {}: {} will read with tract, which is slower; run `cargo xtask setup`, and this again",
            store.root().display(),
            board.title
        )
    })
}

/// A program for another processor, or for a newer system, would be found out on the unit only.
pub(crate) fn check_program(board: &Board, program: &Path) -> anyhow::Result<()> {
    let build = format!("build it with `cargo xtask build --board {}`", board.name);
    let bytes = fs::read(program).with_context(|| {
        format!("{} cannot be read; {build}, or name it with --program", program.display())
    })?;
    let machine = bytes.get(ELF_MACHINE).filter(|_| bytes.starts_with(b"\x7fELF"));
    let machine = machine.and_then(|machine| Some(u16::from_le_bytes(machine.try_into().ok()?)));
    let processor = PROCESSORS.iter().find(|(number, _)| Some(*number) == machine).map(|(_, name)| *name);
    match processor {
        Some(processor) if board.target.starts_with(processor) => {}
        Some(processor) => bail!(
            "{} is a program for {processor}, and {} needs one for {}; {build}",
            program.display(),
            board.title,
            board.target
        ),
        None => bail!("{} is no program that Signpost knows; {build}", program.display()),
    }
    let needed = board.glibc.zip(Glibc::needed(&bytes)).filter(|(has, needed)| needed > has);
    if let Some((has, needed)) = needed {
        bail!(
            "{} needs glibc {needed}, and the system of {} has {has}; build it on a computer with a system as old as that",
            program.display(),
            board.title
        );
    }
    Ok(())
}

/// All files below a folder.
fn add(folder: &Path, name: &str, sources: &mut Vec<Source>) -> anyhow::Result<()> {
    let said = || format!("{} cannot be read; run `cargo xtask setup`", folder.display());
    for entry in fs::read_dir(folder).with_context(said)? {
        let path = entry.with_context(said)?.path();
        let own = path.file_name().and_then(|own| own.to_str());
        let own = own.with_context(|| format!("{} has a name that is no text; rename it", path.display()))?;
        let name = format!("{name}/{own}");
        if path.is_dir() {
            add(&path, &name, sources)?;
        } else {
            sources.push(Source { name, executable: false, path });
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(board: &str, program: &[u8], expect: &str) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("signpost");
        fs::write(&path, program).unwrap();
        let board = Board::named(board).unwrap();
        let said = check_program(&board, &path).map_or_else(|e| format!("{e:#}"), |()| "fits".into());
        assert!(said.contains(expect), "{said}");
    }

    #[test]
    fn it_is_said_that_a_unit_goes_without_its_fast_engine() {
        let folder = tempfile::tempdir().unwrap();
        let (store, board) = (Store::at(folder.path()), Board::named("jetson-orin-nano").unwrap());
        let said = lacking(&board, &store).unwrap();
        assert!(said.contains("no ONNX Runtime for aarch64") && said.contains("cargo xtask setup"), "{said}");
        let library = store.onnxruntime_for("aarch64");
        fs::create_dir_all(library.parent().unwrap()).unwrap();
        fs::write(&library, "a library").unwrap();
        assert_eq!(lacking(&board, &store), None);
        let desk = Board::named("desk").unwrap();
        assert!(lacking(&desk, &store).unwrap().contains("x86_64"), "another processor's is no help");
    }

    #[test]
    fn a_program_for_another_processor_is_refused() {
        let elf = |machine: u8| [&b"\x7fELF"[..], &[0; 14], &[machine, 0]].concat();
        check("desk", &elf(62), "fits");
        check("jetson-orin-nano", &elf(183), "fits");
        check(
            "jetson-orin-nano",
            &elf(62),
            "is a program for x86_64, and Jetson Orin Nano needs one for aarch64",
        );
        let linked = |machine, version: &str| [elf(machine), format!("\0GLIBC_{version}\0").into()].concat();
        check("jetson-orin-nano", &linked(183, "2.35"), "fits");
        check(
            "jetson-orin-nano",
            &linked(183, "2.36"),
            "needs glibc 2.36, and the system of Jetson Orin Nano has 2.35",
        );
        check("jetson-xavier-nx", &linked(183, "2.34"), "the system of Jetson Xavier NX has 2.31");
        check("desk", &linked(62, "2.41"), "fits");
        check("desk", &elf(3), "is no program that Signpost knows");
        check("desk", b"#!/bin/sh\nexec something", "is no program that Signpost knows");
        check(
            "desk",
            b"",
            "is no program that Signpost knows; build it with `cargo xtask build --board desk`",
        );
    }
}
