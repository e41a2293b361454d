//! A simulated disk: it counts what is asked of it, and the power can be cut at each.
//!
//! What was not synced may be there after a cut or not, each piece for itself: of a write any of its sectors,
//! of a folder's changes any of them, in whatever order they were made. That is more than most file systems
//! do to anybody, and no less than any of them may.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::io::{self, Cursor, Read};

use models::update::Disk;

use crate::fuzz::Random;

/// What a disk writes at once or not at all. Bytes.
const SECTOR: usize = 512;

/// What becomes of all that was not synced when the power is cut.
#[derive(Debug, Clone, Copy)]
pub enum Loss {
    /// It is lost.
    All,
    /// It is kept.
    None,
    /// Some of it is lost, down to single sectors.
    Some(u64),
    /// As well, and what is kept has flipped bits.
    Flipped(u64),
}

/// A simulated disk.
#[derive(Debug, Default)]
pub struct SimDisk(RefCell<State>);

#[derive(Debug, Clone, Default)]
struct State {
    nodes: Vec<Node>,
    /// What was asked so far: writes, syncs, renames and the like.
    asked: u64,
    /// At this one the power is cut.
    cut_at: Option<u64>,
    /// This write flips a bit and says nothing.
    lies_at: Option<u64>,
    /// It says that it synced, and did not.
    never_syncs: bool,
    is_off: bool,
    capacity: Option<u64>,
}

#[derive(Debug, Clone)]
enum Node {
    File { safe: Vec<u8>, now: Vec<u8>, writes: Vec<Write>, executable: bool },
    Folder { safe: BTreeMap<String, usize>, now: BTreeMap<String, usize>, changes: Vec<Change> },
}

#[derive(Debug, Clone)]
enum Write {
    Empty,
    Bytes { at: usize, bytes: Vec<u8> },
}

#[derive(Debug, Clone)]
enum Change {
    Add(String, usize),
    Remove(String),
    Rename(String, String),
}

impl SimDisk {
    /// An empty disk.
    pub fn new() -> Self {
        let root = Node::Folder { safe: BTreeMap::new(), now: BTreeMap::new(), changes: Vec::new() };
        Self(RefCell::new(State { nodes: vec![root], ..State::default() }))
    }

    /// Another disk with the same on it, on which nothing was asked yet.
    pub fn fork(&self) -> Self {
        let state = State { asked: 0, cut_at: None, lies_at: None, ..self.0.borrow().clone() };
        Self(RefCell::new(state))
    }

    /// What was asked so far.
    pub fn asked(&self) -> u64 {
        self.0.borrow().asked
    }

    /// Cuts the power while so many things have been asked, the last of them not answered any more.
    pub fn cut_at(&self, asked: u64) {
        self.0.borrow_mut().cut_at = Some(asked);
    }

    /// Flips a bit of what is written then.
    pub fn lie_at(&self, asked: u64) {
        self.0.borrow_mut().lies_at = Some(asked);
    }

    /// From now on it says that it syncs, and does not.
    pub fn never_sync(&self) {
        self.0.borrow_mut().never_syncs = true;
    }

    /// Holds so many bytes from now on; no limit with `None`.
    pub fn hold(&self, bytes: Option<u64>) {
        self.0.borrow_mut().capacity = bytes;
    }

    /// Bytes of all files.
    pub fn used(&self) -> u64 {
        self.0.borrow().used()
    }

    /// Whether the power was cut.
    pub fn is_off(&self) -> bool {
        self.0.borrow().is_off
    }

    /// Cuts the power, unless it is off, and switches it on again.
    pub fn power_cycle(&self, loss: Loss) {
        let state = &mut *self.0.borrow_mut();
        (state.is_off, state.cut_at, state.lies_at) = (false, None, None);
        let (keeps, flips, seed) = match loss {
            Loss::All => (Some(false), false, 0),
            Loss::None => (Some(true), false, 0),
            Loss::Some(seed) => (None, false, seed),
            Loss::Flipped(seed) => (None, true, seed),
        };
        let mut random = Random(seed);
        for node in &mut state.nodes {
            node.lose(keeps, flips, &mut random);
        }
    }

    /// Flips one bit of a file, for good.
    ///
    /// # Panics
    /// Where there is no such file, or no such bit.
    pub fn rot(&self, name: &str, bit: usize) {
        let state = &mut *self.0.borrow_mut();
        let node = state.find(name).expect("the test names a file");
        let Node::File { safe, now, .. } = &mut state.nodes[node] else { panic!("{name} is a folder") };
        safe[bit / 8] ^= 1 << (bit % 8);
        now[bit / 8] ^= 1 << (bit % 8);
    }

    /// All files below a folder, and whether they are programs.
    pub fn tree(&self, folder: &str) -> BTreeMap<String, (Vec<u8>, bool)> {
        let state = self.0.borrow();
        let mut files = BTreeMap::new();
        if let Ok(node) = state.find(folder) {
            state.collect(node, "", &mut files);
        }
        files
    }
}

impl Node {
    /// Leaves what a power cut leaves; `keeps` says of everything the same.
    fn lose(&mut self, keeps: Option<bool>, flips: bool, random: &mut Random) {
        let kept = |random: &mut Random| keeps.unwrap_or_else(|| random.below(2) == 0);
        match self {
            Self::File { safe, now, writes, .. } => {
                for write in writes.drain(..) {
                    match write {
                        Write::Empty => {
                            if kept(random) {
                                safe.clear();
                            }
                        }
                        Write::Bytes { mut at, bytes } => {
                            let mut rest = bytes.as_slice();
                            while !rest.is_empty() {
                                // Sectors are where the file is, not where the write begins.
                                let length = (SECTOR - at % SECTOR).min(rest.len());
                                let (sector, after) = rest.split_at(length);
                                if kept(random) {
                                    safe.resize(safe.len().max(at + length), 0);
                                    safe[at..at + length].copy_from_slice(sector);
                                    if flips && random.below(4) == 0 {
                                        safe[at + random.below(length)] ^= 1 << random.below(8);
                                    }
                                }
                                (at, rest) = (at + length, after);
                            }
                        }
                    }
                }
                now.clone_from(safe);
            }
            Self::Folder { safe, now, changes } => {
                for change in changes.drain(..) {
                    if kept(random) {
                        change.make(safe);
                    }
                }
                now.clone_from(safe);
            }
        }
    }
}

impl Change {
    fn make(self, names: &mut BTreeMap<String, usize>) {
        match self {
            Self::Add(name, node) => drop(names.insert(name, node)),
            Self::Remove(name) => drop(names.remove(&name)),
            // What has the old name may have been lost before.
            Self::Rename(from, to) => {
                if let Some(node) = names.remove(&from) {
                    names.insert(to, node);
                }
            }
        }
    }
}

fn missing() -> io::Error {
    io::ErrorKind::NotFound.into()
}

impl State {
    /// Counts what is asked, and says whether the power goes before it is answered.
    fn ask(&mut self) -> io::Result<bool> {
        if self.is_off {
            return Err(io::Error::other("the power is off"));
        }
        self.asked += 1;
        self.is_off = self.cut_at == Some(self.asked);
        Ok(self.is_off)
    }

    fn done(&self) -> io::Result<()> {
        if self.is_off { Err(io::Error::other("the power was cut")) } else { Ok(()) }
    }

    fn find(&self, name: &str) -> io::Result<usize> {
        name.split('/').filter(|part| !part.is_empty()).try_fold(0, |node, part| match &self.nodes[node] {
            Node::Folder { now, .. } => now.get(part).copied().ok_or_else(missing),
            Node::File { .. } => Err(missing()),
        })
    }

    /// The folder of a name, and its last part.
    fn place<'a>(&self, name: &'a str) -> io::Result<(usize, &'a str)> {
        let (folder, last) = name.rsplit_once('/').unwrap_or(("", name));
        Ok((self.find(folder)?, last))
    }

    fn change(&mut self, folder: usize, change: Change) {
        let Node::Folder { now, changes, .. } = &mut self.nodes[folder] else { panic!("it is a folder") };
        change.clone().make(now);
        changes.push(change);
    }

    fn used(&self) -> u64 {
        let mut files = BTreeMap::new();
        self.collect(0, "", &mut files);
        files.values().map(|(bytes, _)| bytes.len() as u64).sum()
    }

    fn free(&self) -> u64 {
        self.capacity.map_or(u64::MAX / 2, |capacity| capacity.saturating_sub(self.used()))
    }

    fn collect(&self, node: usize, name: &str, files: &mut BTreeMap<String, (Vec<u8>, bool)>) {
        match &self.nodes[node] {
            Node::File { now, executable, .. } => {
                files.insert(name.into(), (now.clone(), *executable));
            }
            Node::Folder { now, .. } => {
                for (part, node) in now {
                    let name = if name.is_empty() { part.clone() } else { format!("{name}/{part}") };
                    self.collect(*node, &name, files);
                }
            }
        }
    }

    fn write(&mut self, name: &str, at: Option<usize>, bytes: &[u8]) -> io::Result<()> {
        self.ask()?;
        let lies = self.lies_at == Some(self.asked);
        let free = usize::try_from(self.free()).unwrap_or(usize::MAX);
        let node = self.find(name)?;
        let Node::File { now, writes, .. } = &mut self.nodes[node] else { return Err(missing()) };
        let at = at.unwrap_or(now.len());
        // What is there already takes no new space.
        let room = (now.len() - at).saturating_add(free).min(bytes.len());
        let mut written = bytes[..room].to_vec();
        if lies && let Some(byte) = written.get_mut(room / 2) {
            *byte ^= 4;
        }
        now.resize(now.len().max(at + room), 0);
        now[at..at + room].copy_from_slice(&written);
        writes.push(Write::Bytes { at, bytes: written });
        if room < bytes.len() {
            return Err(io::ErrorKind::StorageFull.into());
        }
        self.done()
    }
}

impl Disk for SimDisk {
    fn list(&self, folder: &str) -> io::Result<Vec<(String, bool)>> {
        let state = self.0.borrow();
        state.done()?;
        let Node::Folder { now, .. } = &state.nodes[state.find(folder)?] else { return Err(missing()) };
        let is_folder = |node: usize| matches!(state.nodes[node], Node::Folder { .. });
        Ok(now.iter().map(|(name, node)| (name.clone(), is_folder(*node))).collect())
    }

    fn open(&self, file: &str) -> io::Result<Box<dyn Read + '_>> {
        let state = self.0.borrow();
        state.done()?;
        match &state.nodes[state.find(file)?] {
            Node::File { now, .. } => Ok(Box::new(Cursor::new(now.clone()))),
            Node::Folder { .. } => Err(io::ErrorKind::IsADirectory.into()),
        }
    }

    fn create(&self, file: &str, executable: bool) -> io::Result<()> {
        let state = &mut *self.0.borrow_mut();
        state.ask()?;
        if let Ok(node) = state.find(file) {
            let Node::File { now, writes, .. } = &mut state.nodes[node] else { return Err(missing()) };
            now.clear();
            writes.push(Write::Empty);
            return state.done();
        }
        if state.free() == 0 {
            return Err(io::ErrorKind::StorageFull.into());
        }
        let (folder, name) = state.place(file)?;
        state.nodes.push(Node::File { safe: Vec::new(), now: Vec::new(), writes: Vec::new(), executable });
        state.change(folder, Change::Add(name.into(), state.nodes.len() - 1));
        state.done()
    }

    fn append(&self, file: &str, bytes: &[u8]) -> io::Result<()> {
        self.0.borrow_mut().write(file, None, bytes)
    }

    fn overwrite(&self, file: &str, bytes: &[u8]) -> io::Result<()> {
        self.0.borrow_mut().write(file, Some(0), bytes)
    }

    fn sync(&self, name: &str) -> io::Result<()> {
        let state = &mut *self.0.borrow_mut();
        let node = state.find(name)?;
        // A sync that was cut off has brought to the disk whatever it had come to.
        if state.ask()? || state.never_syncs {
            return state.done();
        }
        match &mut state.nodes[node] {
            Node::File { safe, now, writes, .. } => {
                safe.clone_from(now);
                writes.clear();
            }
            Node::Folder { safe, now, changes } => {
                safe.clone_from(now);
                changes.clear();
            }
        }
        Ok(())
    }

    fn make_folder(&self, folder: &str) -> io::Result<()> {
        let state = &mut *self.0.borrow_mut();
        state.ask()?;
        if state.find(folder).is_ok() {
            return Err(io::ErrorKind::AlreadyExists.into());
        }
        let (above, name) = state.place(folder)?;
        let empty = Node::Folder { safe: BTreeMap::new(), now: BTreeMap::new(), changes: Vec::new() };
        state.nodes.push(empty);
        state.change(above, Change::Add(name.into(), state.nodes.len() - 1));
        state.done()
    }

    fn remove(&self, name: &str, is_folder: bool) -> io::Result<()> {
        let state = &mut *self.0.borrow_mut();
        state.ask()?;
        match &state.nodes[state.find(name)?] {
            Node::Folder { now, .. } if is_folder && now.is_empty() => {}
            Node::Folder { .. } => return Err(io::ErrorKind::DirectoryNotEmpty.into()),
            Node::File { .. } if is_folder => return Err(io::ErrorKind::NotADirectory.into()),
            Node::File { .. } => {}
        }
        let (folder, name) = state.place(name)?;
        state.change(folder, Change::Remove(name.into()));
        state.done()
    }

    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        let state = &mut *self.0.borrow_mut();
        state.ask()?;
        state.find(from)?;
        if let Ok(there) = state.find(to)
            && matches!(&state.nodes[there], Node::Folder { now, .. } if !now.is_empty())
        {
            return Err(io::ErrorKind::DirectoryNotEmpty.into());
        }
        let ((folder, old), (same, new)) = (state.place(from)?, state.place(to)?);
        assert_eq!(folder, same, "names are changed within a folder");
        state.change(folder, Change::Rename(old.into(), new.into()));
        state.done()
    }

    fn free(&self) -> io::Result<u64> {
        let state = self.0.borrow();
        state.done()?;
        Ok(state.free())
    }
}
