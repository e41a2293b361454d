//! The header of a `.pose` file: version, picture size and layout.

use super::Version;
use crate::error::Error;
use crate::pose::{Component, Layout};

/// Values per landmark past which nothing is kept: x, y, z and the confidence.
const KEPT_FORMAT: &str = "XYZC";

/// What the header says.
pub(super) struct Header {
    pub version: Version,
    pub size: [u32; 3],
    pub layout: Layout,
    /// Stored coordinates of each landmark, without the confidence, for each component.
    pub dims: Vec<usize>,
}

/// Bytes that are read from front to back, and never past their end.
pub(super) struct Bytes<'a> {
    all: &'a [u8],
    /// How many bytes were read.
    pub at: usize,
}

impl<'a> Bytes<'a> {
    pub(super) fn new(all: &'a [u8]) -> Self {
        Self { all, at: 0 }
    }

    /// How many bytes are left.
    pub(super) fn left(&self) -> usize {
        self.all.len() - self.at
    }

    /// The next `needed` bytes, where they are there.
    pub(super) fn take(&mut self, needed: u128, what: &'static str) -> Result<&'a [u8], Error> {
        let (offset, left) = (self.at, self.left());
        let short = Error::PoseTruncated { offset, what, needed, left };
        let needed = usize::try_from(needed).ok().filter(|&n| n <= left).ok_or(short)?;
        self.at += needed;
        Ok(&self.all[offset..self.at])
    }

    pub(super) fn u16(&mut self, what: &'static str) -> Result<u16, Error> {
        self.array(what).map(u16::from_le_bytes)
    }

    pub(super) fn u32(&mut self, what: &'static str) -> Result<u32, Error> {
        self.array(what).map(u32::from_le_bytes)
    }

    pub(super) fn f32(&mut self, what: &'static str) -> Result<f32, Error> {
        self.array(what).map(f32::from_le_bytes)
    }

    fn array<const N: usize>(&mut self, what: &'static str) -> Result<[u8; N], Error> {
        let bytes = self.take(N as u128, what)?;
        Ok(bytes.try_into().expect("exactly N bytes were taken"))
    }

    fn text(&mut self, what: &'static str) -> Result<String, Error> {
        let length = self.u16(what)?;
        let offset = self.at;
        let bytes = self.take(length.into(), what)?;
        let text = std::str::from_utf8(bytes).map_err(|_| Error::PoseText { offset, what })?;
        Ok(text.to_owned())
    }

    /// Refuses to go on where so many things of at least so many bytes cannot follow.
    fn room_for(&self, count: usize, least: usize, what: &'static str) -> Result<(), Error> {
        let needed = count as u128 * least as u128;
        if needed > self.left() as u128 {
            return Err(Error::PoseTruncated { offset: self.at, what, needed, left: self.left() });
        }
        Ok(())
    }
}

impl Header {
    /// Reads the header, and leaves the bytes at the body.
    pub(super) fn read(bytes: &mut Bytes) -> Result<Self, Error> {
        let version = version(bytes.f32("the version")?)?;
        let mut size = [0; 3];
        for (side, what) in size.iter_mut().zip(["the width", "the height", "the depth"]) {
            *side = bytes.u16(what)?.into();
        }
        let count = usize::from(bytes.u16("the number of components")?);
        bytes.room_for(count, 10, "the components")?;
        let mut header = Self { version, size, layout: Layout::default(), dims: Vec::with_capacity(count) };
        for _ in 0..count {
            let (component, dims) = component(bytes)?;
            header.layout.components.push(component);
            header.dims.push(dims);
        }
        if header.layout.is_empty() {
            let (offset, what) = (bytes.at, "the number of landmarks");
            return Err(Error::PoseHeader { offset, what, found: "0".into(), expected: "at least one" });
        }
        Ok(header)
    }
}

fn version(found: f32) -> Result<Version, Error> {
    let near = |version: f32| (found - version).abs() < 0.0005;
    match found {
        0.0 => Ok(Version::V0_0),
        _ if near(0.1) => Ok(Version::V0_1),
        _ if near(0.2) => Ok(Version::V0_2),
        _ => Err(Error::PoseVersion { found }),
    }
}

/// One component, and how many coordinates each of its landmarks has.
///
/// A limb to a landmark that the component does not have is left out: viewers
/// index poses by limbs.
fn component(bytes: &mut Bytes) -> Result<(Component, usize), Error> {
    let name = bytes.text("a component's name")?;
    let offset = bytes.at;
    let format = bytes.text("a component's format")?;
    let letters = format.chars().count();
    if letters < 3 {
        let expected = "at least two coordinates and the confidence, as in XYC";
        let found = format!("{format:?}");
        return Err(Error::PoseHeader { offset, what: "a component's format", found, expected });
    }
    let points = usize::from(bytes.u16("the number of landmarks")?);
    let limbs = usize::from(bytes.u16("the number of limbs")?);
    let colors = usize::from(bytes.u16("the number of colours")?);
    bytes.room_for(points, 2, "the landmarks' names")?;
    let points = (0..points).map(|_| bytes.text("a landmark's name")).collect::<Result<Vec<_>, _>>()?;
    let pair = |b: &[u8]| (u16::from_le_bytes([b[0], b[1]]), u16::from_le_bytes([b[2], b[3]]));
    let limbs = bytes.take(limbs as u128 * 4, "the limbs")?.chunks_exact(4).map(pair);
    let limbs = limbs.filter(|&(a, b)| usize::from(a.max(b)) < points.len()).collect();
    let color = |b: &[u8]| [0, 2, 4].map(|i| u16::from_le_bytes([b[i], b[i + 1]]));
    let colors = bytes.take(colors as u128 * 6, "the colours")?.chunks_exact(6).map(color).collect();
    let format = if letters > KEPT_FORMAT.len() { KEPT_FORMAT.into() } else { format };
    Ok((Component { name, points, limbs, colors, format }, letters - 1))
}
