//! A camera of the machine, through Video4Linux: system calls only, what they mean stands elsewhere.
//!
//! Buffers are mapped and lent out, so that a picture is converted out of the driver's own memory. The crate
//! `v4l` gives the requests and their structures. Its own stream is not used: it panics where a camera that is
//! gone cannot be stopped, panics at formats that it does not know, hides how colours are coded, and its file
//! stays open in child processes, which would keep the camera's name taken after the camera was lost.
#![allow(unsafe_code, reason = "system calls and mapped memory")]

use std::fs::{File, OpenOptions};
use std::io;
use std::os::fd::AsRawFd;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::time::Duration;
use std::{mem, ptr, slice};

use v4l::v4l_sys::{
    V4L2_BUF_FLAG_ERROR, V4L2_CAP_DEVICE_CAPS, V4L2_CAP_STREAMING, V4L2_CAP_VIDEO_CAPTURE,
    V4L2_PIX_FMT_PRIV_MAGIC, v4l2_buf_type_V4L2_BUF_TYPE_VIDEO_CAPTURE as CAPTURE, v4l2_buffer,
    v4l2_capability, v4l2_fmtdesc, v4l2_format, v4l2_memory_V4L2_MEMORY_MMAP as MMAP, v4l2_requestbuffers,
    v4l2_streamparm,
};
use v4l::v4l2::vidioc::{
    _IOC_TYPE, VIDIOC_DQBUF, VIDIOC_ENUM_FMT, VIDIOC_G_PARM, VIDIOC_QBUF, VIDIOC_QUERYBUF, VIDIOC_QUERYCAP,
    VIDIOC_REQBUFS, VIDIOC_S_FMT, VIDIOC_S_PARM, VIDIOC_STREAMOFF, VIDIOC_STREAMON,
};

use super::device::{Device, Granted, Opener, Raw, Wish};

/// Buffers that the driver fills in turn: one is read while the others wait or are filled.
const BUFFERS: u32 = 4;
/// Formats that a driver is asked for at most; real ones have a dozen.
const MOST_FORMATS: u32 = 256;

/// The name of a camera, under which it comes back.
pub struct Node(PathBuf);

impl Node {
    /// The camera at a path such as `/dev/video0`.
    pub fn at(path: &Path) -> Self {
        Self(path.into())
    }
}

impl Opener for Node {
    fn open(&mut self) -> io::Result<Box<dyn Device>> {
        let file = OpenOptions::new().read(true).write(true).custom_flags(libc::O_NONBLOCK).open(&self.0)?;
        let mut can: v4l2_capability = zeroed();
        ioctl(&file, VIDIOC_QUERYCAP, &mut can)
            .map_err(|e| if e.raw_os_error() == Some(libc::ENOTTY) { no_camera() } else { e })?;
        // One driver may make several nodes, of which only some are cameras.
        let own =
            if can.capabilities & V4L2_CAP_DEVICE_CAPS == 0 { can.capabilities } else { can.device_caps };
        let needed = V4L2_CAP_VIDEO_CAPTURE | V4L2_CAP_STREAMING;
        if own & needed != needed {
            return Err(no_camera());
        }
        Ok(Box::new(Opened { file, buffers: Vec::new(), lent: None }))
    }
}

fn no_camera() -> io::Error {
    io::Error::other("it is no camera that streams; another /dev/video* may be")
}

/// An open camera.
struct Opened {
    file: File,
    buffers: Vec<Mapped>,
    /// The buffer that the reader has.
    lent: Option<u32>,
}

impl Opened {
    fn ioctl<T: Argument>(&self, request: _IOC_TYPE, argument: &mut T) -> io::Result<()> {
        ioctl(&self.file, request, argument)
    }

    fn map(&mut self) -> io::Result<()> {
        let mut wanted = v4l2_requestbuffers { count: BUFFERS, type_: CAPTURE, memory: MMAP, ..zeroed() };
        self.ioctl(VIDIOC_REQBUFS, &mut wanted)?;
        for index in 0..wanted.count {
            let mut buffer = v4l2_buffer { index, ..buffer() };
            self.ioctl(VIDIOC_QUERYBUF, &mut buffer)?;
            self.buffers.push(Mapped::of(&self.file, &buffer)?);
            self.ioctl(VIDIOC_QBUF, &mut buffer)?;
        }
        Ok(())
    }

    /// Stops streaming and gives the buffers back; whether the camera is still there or not.
    fn release(&mut self) {
        let _ = self.ioctl(VIDIOC_STREAMOFF, &mut (CAPTURE as libc::c_int));
        self.buffers.clear();
        self.lent = None;
        let mut none = v4l2_requestbuffers { count: 0, type_: CAPTURE, memory: MMAP, ..zeroed() };
        let _ = self.ioctl(VIDIOC_REQBUFS, &mut none);
    }
}

impl Device for Opened {
    fn offers(&mut self) -> io::Result<Vec<[u8; 4]>> {
        let mut codes = Vec::new();
        for index in 0..MOST_FORMATS {
            let mut format = v4l2_fmtdesc { index, type_: CAPTURE, ..zeroed() };
            match self.ioctl(VIDIOC_ENUM_FMT, &mut format) {
                Ok(()) => codes.push(format.pixelformat.to_le_bytes()),
                // That is how the list ends.
                Err(e) if e.kind() == io::ErrorKind::InvalidInput => break,
                Err(e) => return Err(e),
            }
        }
        Ok(codes)
    }

    fn ask(&mut self, wish: Wish) -> io::Result<Granted> {
        let mut format = v4l2_format { type_: CAPTURE, ..zeroed() };
        // SAFETY: the union was zeroed whole, and of numbers any bits are a value.
        let pix = unsafe { &mut format.fmt.pix };
        pix.width = wish.width;
        pix.height = wish.height;
        pix.pixelformat = u32::from_le_bytes(wish.packing.code());
        pix.priv_ = V4L2_PIX_FMT_PRIV_MAGIC;
        self.ioctl(VIDIOC_S_FMT, &mut format)?;
        // SAFETY: the driver filled in this part of the union, which `type_` names.
        let pix = unsafe { format.fmt.pix };
        // Without this mark, what stands behind it was not filled in.
        let colours = if pix.priv_ == V4L2_PIX_FMT_PRIV_MAGIC {
            // SAFETY: both parts of the union are the same number.
            [pix.colorspace, unsafe { pix.__bindgen_anon_1.ycbcr_enc }, pix.quantization]
        } else {
            [pix.colorspace, 0, 0]
        };
        Ok(Granted {
            code: pix.pixelformat.to_le_bytes(),
            width: pix.width,
            height: pix.height,
            stride: pix.bytesperline,
            colours,
            fps: self.rate(wish.rate_hz),
        })
    }

    fn start(&mut self) -> io::Result<()> {
        let streaming = self.map().and_then(|()| self.ioctl(VIDIOC_STREAMON, &mut (CAPTURE as libc::c_int)));
        if streaming.is_err() {
            // Another format can only be asked for without buffers.
            self.release();
        }
        streaming
    }

    fn next(&mut self, patience: Duration) -> io::Result<Option<Raw<'_>>> {
        if let Some(index) = self.lent.take() {
            self.ioctl(VIDIOC_QBUF, &mut v4l2_buffer { index, ..buffer() })?;
        }
        let mut wait = libc::pollfd { fd: self.file.as_raw_fd(), events: libc::POLLIN, revents: 0 };
        // SAFETY: one structure, which lives until the call returns.
        match unsafe { libc::poll(&raw mut wait, 1, patience.as_millis() as libc::c_int) } {
            -1 => return Err(io::Error::last_os_error()),
            0 => return Ok(None),
            _ => {}
        }
        let mut filled = buffer();
        match self.ioctl(VIDIOC_DQBUF, &mut filled) {
            // Ready, and nothing there: the camera is gone, or its stream is broken.
            Err(e) if e.kind() == io::ErrorKind::WouldBlock && wait.revents & libc::POLLIN == 0 => {
                return Err(io::Error::from_raw_os_error(libc::EIO));
            }
            dequeued => dequeued?,
        }
        let Some(mapped) = self.buffers.get(filled.index as usize) else {
            return Err(io::Error::other("the driver gave a buffer that was never its own"));
        };
        self.lent = Some(filled.index);
        let bytes = mapped.bytes();
        let used = bytes.len().min(filled.bytesused as usize);
        Ok(Some(Raw {
            bytes: &bytes[..used],
            stamp_us: filled
                .timestamp
                .tv_sec
                .saturating_mul(1_000_000)
                .saturating_add(filled.timestamp.tv_usec),
            sequence: filled.sequence,
            damaged: filled.flags & V4L2_BUF_FLAG_ERROR != 0,
        }))
    }
}

impl Opened {
    /// Asks for a rate; the one that it is set to then, where the driver says.
    fn rate(&self, wished_hz: u32) -> Option<f32> {
        let mut set = v4l2_streamparm { type_: CAPTURE, ..zeroed() };
        set.parm.capture.timeperframe.numerator = 1;
        set.parm.capture.timeperframe.denominator = wished_hz;
        // Some cameras have one rate only and refuse to be asked.
        if self.ioctl(VIDIOC_S_PARM, &mut set).is_err() {
            set = v4l2_streamparm { type_: CAPTURE, ..zeroed() };
            self.ioctl(VIDIOC_G_PARM, &mut set).ok()?;
        }
        // SAFETY: the driver filled in this part of the union, which `type_` names.
        let time = unsafe { set.parm.capture.timeperframe };
        (time.numerator > 0 && time.denominator > 0).then(|| time.denominator as f32 / time.numerator as f32)
    }
}

impl Drop for Opened {
    fn drop(&mut self) {
        self.release();
    }
}

/// A buffer of the driver in this program's memory.
struct Mapped {
    start: *mut libc::c_void,
    length: usize,
}

// SAFETY: the memory belongs to the process, not to a thread, and this is its only owner.
unsafe impl Send for Mapped {}

impl Mapped {
    fn of(file: &File, buffer: &v4l2_buffer) -> io::Result<Self> {
        let length = buffer.length as usize;
        // SAFETY: the driver filled in this part of the union, since the buffer is one to be mapped; the
        // kernel chooses the place and checks that offset and length are such a buffer's.
        let start = unsafe {
            let offset = libc::off_t::from(buffer.m.offset);
            libc::mmap(ptr::null_mut(), length, libc::PROT_READ, libc::MAP_SHARED, file.as_raw_fd(), offset)
        };
        if start == libc::MAP_FAILED { Err(io::Error::last_os_error()) } else { Ok(Self { start, length }) }
    }

    fn bytes(&self) -> &[u8] {
        // SAFETY: so many bytes are mapped until this is dropped, and the driver writes none of them before
        // the buffer is queued again, which `next` does only when the loan has ended.
        unsafe { slice::from_raw_parts(self.start.cast(), self.length) }
    }
}

impl Drop for Mapped {
    fn drop(&mut self) {
        // SAFETY: it was mapped at this place in this length, and nothing refers to it any more.
        unsafe { libc::munmap(self.start, self.length) };
    }
}

/// A structure of the kernel's: numbers, for which any bits are a value, and no address that it would follow
/// for the requests made here.
trait Argument: Copy {}
impl Argument for v4l2_capability {}
impl Argument for v4l2_fmtdesc {}
impl Argument for v4l2_format {}
impl Argument for v4l2_streamparm {}
impl Argument for v4l2_requestbuffers {}
impl Argument for v4l2_buffer {}
impl Argument for libc::c_int {}

fn zeroed<T: Argument>() -> T {
    // SAFETY: any bits are a value of it.
    unsafe { mem::zeroed() }
}

fn buffer() -> v4l2_buffer {
    v4l2_buffer { type_: CAPTURE, memory: MMAP, ..zeroed() }
}

fn ioctl<T: Argument>(file: &File, request: _IOC_TYPE, argument: &mut T) -> io::Result<()> {
    const SIZE_BITS: u32 = 14;
    let size = (request >> 16) as usize & ((1 << SIZE_BITS) - 1);
    assert_eq!(size, size_of::<T>(), "each request has its own structure");
    // SAFETY: the kernel reads and writes no more than the size in the request, which is that of the argument.
    unsafe { v4l::v4l2::ioctl(file.as_raw_fd(), request, ptr::from_mut(argument).cast()) }
}

#[cfg(test)]
mod tests {
    use super::super::format::Packing;
    use super::super::{Camera, Frame, Steadfast};
    use super::*;

    /// Frames read in each packing.
    const FRAMES: usize = 30;

    /// A camera that offers one packing only.
    struct Only(Node, Packing);

    struct OnlyOpened(Box<dyn Device>, Packing);

    impl Opener for Only {
        fn open(&mut self) -> io::Result<Box<dyn Device>> {
            Ok(Box::new(OnlyOpened(self.0.open()?, self.1)))
        }
    }

    impl Device for OnlyOpened {
        fn offers(&mut self) -> io::Result<Vec<[u8; 4]>> {
            let offers = self.0.offers()?;
            Ok(offers.into_iter().filter(|code| Packing::of(*code) == Some(self.1)).collect())
        }
        fn ask(&mut self, wish: Wish) -> io::Result<Granted> {
            self.0.ask(wish)
        }
        fn start(&mut self) -> io::Result<()> {
            self.0.start()
        }
        fn next(&mut self, patience: Duration) -> io::Result<Option<Raw<'_>>> {
            self.0.next(patience)
        }
    }

    /// The mean colours of four by four parts of a picture.
    fn parts(frame: &Frame) -> Vec<[f64; 3]> {
        let (width, height) = (frame.width as usize, frame.height as usize);
        let mut parts = vec![[0.0; 3]; 16];
        for (i, pixel) in frame.rgb.chunks_exact(3).enumerate() {
            let part = &mut parts[i / width * 4 / height * 4 + i % width * 4 / width];
            (0..3).for_each(|c| part[c] += f64::from(pixel[c]) / (width * height / 16) as f64);
        }
        parts
    }

    /// `SIGNPOST_CAMERA=/dev/video0` names a camera that looks at something that does not change.
    #[test]
    fn a_real_camera_gives_the_same_picture_in_every_packing() {
        let test = "a_real_camera_gives_the_same_picture_in_every_packing";
        let Some(path) = std::env::var_os("SIGNPOST_CAMERA").map(PathBuf::from) else {
            eprintln!("{test} skips: no camera is named (set SIGNPOST_CAMERA to its device)");
            return;
        };
        let wanted = boards::Board::named("desk").unwrap().camera;
        let mut first: Option<Vec<[f64; 3]>> = None;
        for packing in Packing::ALL {
            let Ok(mut camera) = Steadfast::open(&path, Only(Node::at(&path), packing), &wanted) else {
                eprintln!("{packing}: the camera does not have it");
                continue;
            };
            let frames: Vec<Frame> = (0..FRAMES).map(|_| camera.next().unwrap().unwrap()).collect();
            assert!(frames.is_sorted_by(|a, b| a.at < b.at));
            let passed_s = frames[FRAMES - 1].at.since(frames[0].at).as_secs_f64();
            let said = camera.format().unwrap();
            eprintln!(
                "{said}: {:.2} frames a second, {} lost",
                (FRAMES - 1) as f64 / passed_s,
                camera.lost()
            );
            let seen = parts(&frames[FRAMES - 1]);
            let first = first.get_or_insert_with(|| seen.clone());
            let far = seen.iter().flatten().zip(first.iter().flatten()).map(|(a, b)| (a - b).abs());
            let far = far.fold(0.0, f64::max);
            assert!(far < 16.0, "{said} is {far:.1} levels from the first packing");
        }
        assert!(first.is_some(), "{} gives no picture", path.display());
    }
}
