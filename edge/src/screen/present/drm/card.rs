//! A graphics card: which display is plugged in, and two buffers that are shown in turn.

use std::fs::File;
use std::io;
use std::os::fd::{AsFd, BorrowedFd};
use std::path::Path;

use drm::Device;
use drm::buffer::{Buffer as _, DrmFourcc};
use drm::control::dumbbuffer::DumbBuffer;
use drm::control::{Device as Control, Event, Mode, PageFlipFlags, connector, crtc, framebuffer};
use rustix::event::{PollFd, PollFlags, Timespec, poll};

use crate::Fault;

/// A display shows a buffer within one of its frames; one that needs longer than this has stopped.
const FLIP: Timespec = Timespec { tv_sec: 1, tv_nsec: 0 };
/// Bits of a pixel, and of those that are colour.
const BITS: [u32; 2] = [32, 24];

/// An open graphics card.
pub struct Card(File);

impl AsFd for Card {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}

impl Device for Card {}
impl Control for Card {}

/// A display that shows something.
pub struct Lit {
    connector: connector::Handle,
    crtc: crtc::Handle,
    mode: Mode,
    buffers: [Buffer; 2],
    /// The buffer that is seen.
    front: usize,
    /// Whether the display still has to change to it.
    changing: bool,
    /// Whether it was switched on.
    on: bool,
}

struct Buffer {
    memory: DumbBuffer,
    frame: framebuffer::Handle,
}

impl Card {
    /// The first card of a folder that can drive a display.
    ///
    /// # Errors
    /// [`Fault::NoScreen`] where there is none, with what the system said of the last.
    pub fn open(folder: &Path) -> Result<Self, Fault> {
        let mut why = format!("{} has no graphics card", folder.display());
        let mut cards: Vec<_> = std::fs::read_dir(folder)
            .into_iter()
            .flatten()
            .flatten()
            .map(|entry| entry.path())
            .filter(|path| path.file_name().is_some_and(|name| name.to_string_lossy().starts_with("card")))
            .collect();
        cards.sort();
        for path in cards {
            let opened = File::options().read(true).write(true).open(&path).map(Self);
            // One that only computes has no connectors.
            match opened.and_then(|card| card.resource_handles().map(|all| (card, all))) {
                Ok((card, all)) if !all.connectors().is_empty() => return Ok(card),
                Ok(_) => why = format!("{} drives no display", path.display()),
                Err(error) => why = format!("{} cannot be used: {error}", path.display()),
            }
        }
        Err(Fault::NoScreen { why })
    }

    /// Whether a display is still plugged in. The kernel keeps what it knows; nothing is measured anew.
    pub fn is_connected(&self, lit: &Lit) -> bool {
        self.get_connector(lit.connector, false).is_ok_and(|info| info.state() == connector::State::Connected)
    }

    /// Makes ready the first display that is plugged in: in the mode wanted, or in its own where it has no such.
    ///
    /// # Errors
    /// What the kernel refuses; above all, the card may be gone.
    pub fn light(&self, wanted: [u32; 2]) -> io::Result<Option<Lit>> {
        let all = self.resource_handles()?;
        for handle in all.connectors() {
            let info = self.get_connector(*handle, true)?;
            if info.state() != connector::State::Connected {
                continue;
            }
            let fits = |mode: &&Mode| sides(mode) == wanted;
            let Some(mode) = info.modes().iter().find(fits).or_else(|| info.modes().first()) else {
                continue;
            };
            let mut crtcs = info.encoders().iter().filter_map(|encoder| {
                let encoder = self.get_encoder(*encoder).ok()?;
                all.filter_crtcs(encoder.possible_crtcs()).first().copied()
            });
            let Some(crtc) = crtcs.next() else { continue };
            let first = self.buffer(mode)?;
            let second = self.buffer(mode).inspect_err(|_| self.free_frame(first.frame))?;
            let (connector, mode) = (*handle, *mode);
            let buffers = [first, second];
            return Ok(Some(Lit { connector, crtc, mode, buffers, front: 0, changing: false, on: false }));
        }
        Ok(None)
    }

    fn buffer(&self, mode: &Mode) -> io::Result<Buffer> {
        let [width, height] = sides(mode);
        let memory = self.create_dumb_buffer((width, height), DrmFourcc::Xrgb8888, BITS[0])?;
        let frame = self.add_framebuffer(&memory, BITS[1], BITS[0])?;
        Ok(Buffer { memory, frame })
    }

    /// Draws into the buffer that is not seen, and changes to it.
    ///
    /// `draw` is given the buffer's bytes (B, G, R, unused), its width and height, and the bytes of a row.
    ///
    /// # Errors
    /// Where the display does not change any more.
    pub fn flip(&self, lit: &mut Lit, draw: impl FnOnce(&mut [u8], [u32; 2], usize)) -> io::Result<()> {
        if lit.changing {
            self.changed()?;
            lit.changing = false;
        }
        let back = 1 - lit.front;
        let buffer = &mut lit.buffers[back];
        let (display, pitch) = (sides(&lit.mode), buffer.memory.pitch() as usize);
        let frame = buffer.frame;
        draw(&mut self.map_dumb_buffer(&mut buffer.memory)?, display, pitch);
        if lit.on {
            self.page_flip(lit.crtc, frame, PageFlipFlags::EVENT, None)?;
            lit.changing = true;
        } else {
            self.set_crtc(lit.crtc, Some(frame), (0, 0), &[lit.connector], Some(lit.mode))?;
            lit.on = true;
        }
        lit.front = back;
        Ok(())
    }

    /// Waits until the display shows what it was last told to.
    fn changed(&self) -> io::Result<()> {
        loop {
            let mut here = [PollFd::new(&self.0, PollFlags::IN)];
            if poll(&mut here, Some(&FLIP))? == 0 {
                return Err(io::ErrorKind::TimedOut.into());
            }
            if self.receive_events()?.any(|event| matches!(event, Event::PageFlip(_))) {
                return Ok(());
            }
        }
    }

    /// Switches a display off that may be gone, and gives its memory back: what fails is gone already.
    pub fn put_out(&self, lit: Lit) {
        if lit.changing {
            let _ = self.changed();
        }
        let _ = self.set_crtc(lit.crtc, None, (0, 0), &[], None);
        for buffer in lit.buffers {
            self.free_frame(buffer.frame);
            let _ = self.destroy_dumb_buffer(buffer.memory);
        }
    }

    fn free_frame(&self, frame: framebuffer::Handle) {
        // The card may be gone, and its memory with it.
        let _ = self.destroy_framebuffer(frame);
    }
}

/// Width and height. Pixels.
fn sides(mode: &Mode) -> [u32; 2] {
    let (width, height) = mode.size();
    [width.into(), height.into()]
}
