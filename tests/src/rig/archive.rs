//! Archives that a kernel unpacks as its first file system: cpio in the form `newc`
//! (`Documentation/driver-api/early-userspace/buffer-format.rst`).

/// Kinds of files, as `st_mode` has them.
const FOLDER: u32 = 0o040_755;
const PROGRAM: u32 = 0o100_755;
const LINK: u32 = 0o120_777;
/// What stands at the end.
const TRAILER: &str = "TRAILER!!!";

/// An archive in the making.
#[derive(Debug, Default)]
pub struct Archive {
    bytes: Vec<u8>,
    folders: Vec<String>,
    next: u32,
}

impl Archive {
    /// Adds a folder, and those above it.
    pub fn folder(&mut self, path: &str) {
        let ends = path.match_indices('/').map(|(at, _)| at).chain([path.len()]);
        for part in ends.map(|end| &path[..end]) {
            if !part.is_empty() && !self.folders.iter().any(|known| known == part) {
                self.folders.push(part.into());
                self.entry(part, FOLDER, &[]);
            }
        }
    }

    /// Adds a file that may be executed, and the folders above it.
    pub fn file(&mut self, path: &str, bytes: &[u8]) {
        self.above(path);
        self.entry(path, PROGRAM, bytes);
    }

    /// Adds a link to somewhere, and the folders above it.
    pub fn link(&mut self, path: &str, to: &str) {
        self.above(path);
        self.entry(path, LINK, to.as_bytes());
    }

    fn above(&mut self, path: &str) {
        if let Some((folder, _)) = path.rsplit_once('/') {
            self.folder(folder);
        }
    }

    fn entry(&mut self, name: &str, mode: u32, bytes: &[u8]) {
        self.next += 1;
        let size = u32::try_from(bytes.len()).expect("no file of the rig has 4 GB");
        let name_size = name.len() as u32 + 1;
        // Number, mode, owner, group, links, time, size, device, its own device, name, and no checksum.
        let fields = [self.next, mode, 0, 0, 1, 0, size, 0, 0, 0, 0, name_size, 0];
        self.bytes.extend(b"070701");
        self.bytes.extend(fields.iter().flat_map(|field| format!("{field:08X}").into_bytes()));
        self.bytes.extend(name.bytes().chain([0]));
        self.pad();
        self.bytes.extend(bytes);
        self.pad();
    }

    fn pad(&mut self) {
        self.bytes.resize(self.bytes.len().next_multiple_of(4), 0);
    }

    /// The whole archive.
    pub fn finish(mut self) -> Vec<u8> {
        self.entry(TRAILER, 0, &[]);
        self.bytes
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;
    use std::process::{Command, Stdio};

    use super::*;

    /// Names, kinds and contents are those that another program finds in it.
    #[test]
    fn an_archive_is_read_by_another_program() {
        let reader =
            ["busybox", "cpio"].into_iter().find(|name| models::store::program_on_path(name).is_some());
        let Some(reader) = reader else {
            crate::skip("an_archive_is_read_by_another_program", "neither busybox nor cpio is installed");
            return;
        };
        let mut archive = Archive::default();
        archive.file("a/b/hello", b"hello");
        archive.file("init", b"#!/bin/sh\n");
        archive.link("a/sh", "b/hello");
        archive.folder("proc");
        let bytes = archive.finish();
        let folder = tempfile::tempdir().unwrap();
        let mut unpack = Command::new(reader);
        if reader == "busybox" {
            unpack.arg("cpio");
        }
        unpack.args(["-i", "-d"]).current_dir(folder.path()).stdin(Stdio::piped()).stderr(Stdio::null());
        let mut child = unpack.spawn().unwrap();
        child.stdin.take().unwrap().write_all(&bytes).unwrap();
        assert!(child.wait().unwrap().success());
        let read = |name: &str| std::fs::read_to_string(folder.path().join(name)).unwrap();
        assert_eq!((read("a/b/hello"), read("init")), ("hello".into(), "#!/bin/sh\n".into()));
        assert_eq!(read("a/sh"), "hello", "through the link");
        assert!(folder.path().join("proc").is_dir());
    }
}
