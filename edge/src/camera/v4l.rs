//! A camera of the machine, through Video4Linux.

use std::path::{Path, PathBuf};
use std::time::Duration;

use image::ImageFormat;
use v4l::buffer::Type;
use v4l::io::mmap::Stream;
use v4l::io::traits::CaptureStream;
use v4l::video::Capture;
use v4l::video::capture::Parameters;
use v4l::{Format, FourCC};

use super::{Camera, Frame, check_size, yuyv_to_rgb};
use crate::Fault;
use crate::stage::Stamp;

/// Buffers that the driver fills in turn.
const BUFFERS: u32 = 4;
/// A camera that gives no frame for so long has stalled.
const STALLED: Duration = Duration::from_secs(5);

/// Webcams begin with torn pictures, and a loose cable tears some: so many in a row are passed over.
const BAD_IN_A_ROW: u32 = 10;

const MJPEG: [u8; 4] = *b"MJPG";
const YUYV: [u8; 4] = *b"YUYV";

/// A camera that streams.
pub struct Device {
    path: PathBuf,
    stream: Stream<'static>,
    format: Format,
    fps: f32,
    /// The driver's time of the first frame, in microseconds.
    start: Option<i64>,
    /// Torn pictures that were passed over.
    torn: u64,
}

impl Device {
    /// Opens a camera, as MJPEG where it has it, otherwise as YUYV.
    ///
    /// It is asked for the size and rate in `wanted`; the driver may give others.
    ///
    /// # Errors
    /// [`Fault::Camera`]: what was tried, and what to do.
    pub fn open(path: &Path, wanted: &boards::Camera) -> Result<Self, Fault> {
        let fault =
            |tried: String, next: &str| Fault::Camera { device: path.into(), tried, next: next.into() };
        let system = |what: &str, e: std::io::Error| {
            fault(
                format!("{what}: {e}"),
                "see that it is plugged in, that no other program uses it and that this user is in the group `video`",
            )
        };
        let device = v4l::Device::with_path(path).map_err(|e| system("opening it", e))?;
        // Drivers grant a format that was not asked for: only what comes back counts.
        let mut seen = Vec::new();
        let mut granted = None;
        for code in [MJPEG, YUYV] {
            let format = Format::new(wanted.width_px, wanted.height_px, FourCC::new(&code));
            let got = device.set_format(&format).map_err(|e| system("setting its format", e))?;
            if [MJPEG, YUYV].contains(&got.fourcc.repr) {
                granted = Some(got);
                break;
            }
            seen.push(got.fourcc.to_string());
        }
        let Some(format) = granted else {
            let tried = format!("MJPG and YUYV were asked for, {} came back", seen.join(" and "));
            return Err(fault(tried, "use a camera that gives one of these"));
        };
        check_size(&path.display().to_string(), format.width, format.height)?;
        // Some cameras have one rate only and refuse to be asked.
        let interval = device
            .set_params(&Parameters::with_fps(wanted.rate_hz))
            .or_else(|_| device.params())
            .map(|params| params.interval)
            .map_err(|e| system("asking for its rate", e))?;
        let fps = if interval.numerator == 0 || interval.denominator == 0 {
            wanted.rate_hz as f32
        } else {
            interval.denominator as f32 / interval.numerator as f32
        };
        let mut stream = Stream::with_buffers(&device, Type::VideoCapture, BUFFERS)
            .map_err(|e| system("asking for its buffers", e))?;
        stream.set_timeout(STALLED);
        Ok(Self { path: path.into(), stream, format, fps, start: None, torn: 0 })
    }
}

impl Device {
    /// The next frame that the driver gives.
    fn grab(&mut self) -> Result<Frame, Fault> {
        let (width, height) = (self.format.width, self.format.height);
        let (bytes, meta) = self.stream.next().map_err(|e| Fault::Camera {
            device: self.path.clone(),
            tried: format!("reading a frame: {e}"),
            next: "plug it in again".into(),
        })?;
        let micros = meta.timestamp.sec * 1_000_000 + meta.timestamp.usec;
        let start = *self.start.get_or_insert(micros);
        let at = Stamp::from_micros(micros.saturating_sub(start).max(0) as u64);
        let used = &bytes[..bytes.len().min(meta.bytesused as usize)];
        let rgb = if self.format.fourcc.repr == YUYV {
            yuyv_to_rgb(used, width as usize, height as usize, self.format.stride as usize)
        } else {
            image::load_from_memory_with_format(used, ImageFormat::Jpeg)
                .ok()
                .filter(|picture| [picture.width(), picture.height()] == [width, height])
                .map(|picture| picture.into_rgb8().into_raw())
        };
        let rgb = rgb.ok_or_else(|| {
            let code = self.format.fourcc;
            let said = format!("{} bytes are no {code} picture of {width}×{height} px", used.len());
            Fault::Picture { from: self.path.display().to_string(), said }
        })?;
        Frame::new(at, width, height, rgb)
    }
}

impl Camera for Device {
    fn next(&mut self) -> Result<Option<Frame>, Fault> {
        let mut bad = 0;
        loop {
            match self.grab() {
                Err(Fault::Picture { .. }) if bad < BAD_IN_A_ROW => {
                    bad += 1;
                    self.torn += 1;
                }
                other => return other.map(Some),
            }
        }
    }

    fn fps(&self) -> f32 {
        self.fps
    }

    fn size(&self) -> [u32; 2] {
        [self.format.width, self.format.height]
    }

    fn frames(&self) -> Option<u64> {
        None
    }

    fn is_live(&self) -> bool {
        true
    }

    fn lost(&self) -> u64 {
        self.torn
    }
}
