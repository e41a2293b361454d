//! What the machine needs beside a program: the libraries that it is linked to, and the modules below a module.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::{Held, Processor, Why, fail};

/// The libraries of a program, with those that they need: name and file.
///
/// # Errors
/// Where one is missing, or what tells of them is.
pub fn libraries(program: &Path, processor: &Processor) -> Held<BTreeMap<String, PathBuf>> {
    if processor.is_here() { own_libraries(program) } else { foreign_libraries(program, processor) }
}

/// As the dynamic linker of this computer finds them.
fn own_libraries(program: &Path) -> Held<BTreeMap<String, PathBuf>> {
    let output = Command::new("ldd").arg(program).output();
    let output = output.map_err(|e| Why::Skip(format!("ldd cannot be run ({e}); install libc-bin")))?;
    parse_ldd(&String::from_utf8_lossy(&output.stdout))
        .or_else(|name| fail(format!("{} needs {name}, which is not installed", program.display())))
}

/// In the folders of another processor.
fn foreign_libraries(program: &Path, processor: &Processor) -> Held<BTreeMap<String, PathBuf>> {
    let (mut found, mut left) = (BTreeMap::new(), vec![program.to_owned()]);
    while let Some(file) = left.pop() {
        let output =
            Command::new("readelf").args(["--wide", "--dynamic", "--program-headers"]).arg(&file).output();
        let output =
            output.map_err(|e| Why::Skip(format!("readelf cannot be run ({e}); install binutils")))?;
        for name in parse_readelf(&String::from_utf8_lossy(&output.stdout)) {
            if found.contains_key(&name) {
                continue;
            }
            let plain = Path::new(&name).file_name().unwrap_or_default();
            let places = processor.libraries().map(|folder| folder.join(plain));
            let Some(place) = places.into_iter().find(|place| place.is_file()) else {
                let debian = processor.debian;
                return Err(Why::Skip(format!(
                    "{name} for {} is not installed; install libc6:{debian} and libstdc++6:{debian}",
                    processor.name
                )));
            };
            left.push(place.clone());
            found.insert(name, place);
        }
    }
    Ok(found)
}

/// `(NEEDED) Shared library: [libc.so.6]`, and the linker by its path: `[Requesting program interpreter: /lib/ld.so]`.
fn parse_readelf(said: &str) -> Vec<String> {
    let value = |line: &str| {
        let (_, rest) = match line.contains("(NEEDED)") {
            true => line.split_once('[')?,
            false => line.split_once("program interpreter: ")?,
        };
        rest.split(']').next().map(str::to_owned)
    };
    said.lines().filter_map(value).collect()
}

/// `libc.so.6 => /lib/x86_64-linux-gnu/libc.so.6 (0x…)`, or the linker alone by its path; the name that is missing.
fn parse_ldd(said: &str) -> Result<BTreeMap<String, PathBuf>, String> {
    let mut found = BTreeMap::new();
    for line in said.lines().map(str::trim) {
        let before = line.split(" (0x").next().unwrap_or_default();
        match before.split_once(" => ") {
            Some((name, "not found")) => return Err(name.into()),
            Some((name, path)) => drop(found.insert(name.to_owned(), PathBuf::from(path))),
            // The linker, which stands in the program by its whole path.
            None if before.starts_with('/') => drop(found.insert(before.into(), PathBuf::from(before))),
            // What the kernel itself maps.
            None => {}
        }
    }
    Ok(found)
}

/// Modules in an order in which each comes after those that it needs.
///
/// `known` is each module's file by its name; what is built in is no file and needs none.
///
/// # Errors
/// Where a module that was asked for is no file and not built in, or a file cannot be read.
pub fn order(wanted: &[&str], known: &BTreeMap<String, PathBuf>, built_in: &str) -> Held<Vec<PathBuf>> {
    fn add(
        name: &str,
        known: &BTreeMap<String, PathBuf>,
        built_in: &str,
        order: &mut Vec<PathBuf>,
    ) -> Held<()> {
        let Some(path) = known.get(name) else {
            let is_built_in = built_in.lines().any(|line| module_name(Path::new(line)) == name);
            return if is_built_in { Ok(()) } else { fail(format!("the kernel has no module {name}")) };
        };
        if order.contains(path) {
            return Ok(());
        }
        for below in needs(&std::fs::read(path)?) {
            add(&below, known, built_in, order)?;
        }
        order.push(path.clone());
        Ok(())
    }
    let mut all = Vec::new();
    for name in wanted {
        add(name, known, built_in, &mut all)?;
    }
    Ok(all)
}

/// The name by which a module's file is needed: without folder and ending, and with `_` for `-`.
pub fn module_name(file: &Path) -> String {
    let name = file.file_name().unwrap_or_default().to_string_lossy();
    name.split(".ko").next().unwrap_or_default().replace('-', "_")
}

/// What a module says that it needs: `depends=a,b` in its section `.modinfo`, between zeros.
fn needs(module: &[u8]) -> Vec<String> {
    const KEY: &[u8] = b"\0depends=";
    let Some(at) = module.windows(KEY.len()).position(|window| window == KEY) else { return vec![] };
    let value = module[at + KEY.len()..].split(|byte| *byte == 0).next().unwrap_or_default();
    let names = String::from_utf8_lossy(value);
    names.split(',').filter(|name| !name.is_empty()).map(|name| name.replace('-', "_")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn libraries_are_found_as_ldd_says() {
        let said = "\tlinux-vdso.so.1 (0x00007ffd)\n\tlibm.so.6 => /lib/x/libm.so.6 (0x00007f1)\n\t/lib64/ld.so.2 (0x0)\n";
        let found = parse_ldd(said).unwrap();
        let expect = [("/lib64/ld.so.2", "/lib64/ld.so.2"), ("libm.so.6", "/lib/x/libm.so.6")];
        assert_eq!(found, expect.map(|(name, path)| (name.to_owned(), PathBuf::from(path))).into());
        assert_eq!(parse_ldd("\tliba.so => not found\n"), Err("liba.so".into()));
    }

    #[test]
    fn libraries_of_other_processors_are_found_as_readelf_says() {
        let said = "      [Requesting program interpreter: /lib/ld-linux.so.1]\n \
                    0x01 (NEEDED)  Shared library: [libm.so.6]\n 0x0e (SONAME) Library soname: [me.so]\n";
        assert_eq!(parse_readelf(said), ["/lib/ld-linux.so.1", "libm.so.6"]);
        assert!(parse_readelf("readelf: Error: not an ELF file").is_empty());
    }

    #[test]
    fn a_module_comes_after_what_it_needs() {
        let folder = tempfile::tempdir().unwrap();
        let module = |name: &str, depends: &str| {
            let path = folder.path().join(format!("{name}.ko"));
            std::fs::write(&path, format!("\x7fELF\0license=GPL\0depends={depends}\0name={name}\0")).unwrap();
            (module_name(&path), path)
        };
        let known =
            BTreeMap::from([module("virtio-gpu", "drm,virtio"), module("drm", ""), module("virtio", "core")]);
        let built_in = "kernel/drivers/core/core.ko\n";
        let names = |wanted: &[&str]| {
            let files = order(wanted, &known, built_in);
            files.map(|files| files.iter().map(|f| module_name(f)).collect::<Vec<_>>())
        };
        assert_eq!(names(&["virtio_gpu", "drm"]).unwrap(), ["drm", "virtio", "virtio_gpu"]);
        let said = names(&["vivid"]).unwrap_err().to_string();
        assert!(said.contains("no module vivid"), "{said}");
    }
}
