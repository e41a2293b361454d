//! Films for the rig's camera: raw frames onto the output node of the kernel's test camera `vivid`, whose capture
//! node then shows them.
//!
//! `film OUTPUT CAPTURE FRAMES WIDTH HEIGHT FPS FROM TO` shows the frames FROM to TO (not itself) of a file of
//! RGB pictures once, at FPS frames a second of the machine's own time, and then the frame TO - 1 until it is ended.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::path::PathBuf;
use std::time::Instant;

use v4l::buffer::Type;
use v4l::control::{Control, Value};
use v4l::io::traits::OutputStream;
use v4l::prelude::{Device, MmapStream};
use v4l::video::Output;
use v4l::{Format, FourCC};

/// What `vivid` calls the switch that leads its output into its camera.
const LOOP: &str = "Loop Video";
/// What it calls the choice of what it writes over the picture, and the one that is nothing.
const TEXT: (&str, i64) = ("OSD Text Mode", 2);
/// Buffers that the driver shows in turn.
const BUFFERS: u32 = 4;

/// Films until the camera is gone.
pub fn run(args: Vec<String>) -> io::Result<()> {
    let [output, capture, frames, width, height, fps, from, to] =
        <[String; 8]>::try_from(args).map_err(|_| io::Error::other("eight arguments are needed"))?;
    let number = |text: &str| text.parse::<u32>().map_err(io::Error::other);
    let (width, height, from, to) = (number(&width)?, number(&height)?, number(&from)?, number(&to)?);
    let fps: f64 = fps.parse().map_err(io::Error::other)?;
    switch(&PathBuf::from(capture))?;
    let device = Device::with_path(output)?;
    let wanted = Format::new(width, height, FourCC::new(b"RGB3"));
    let granted = device.set_format(&wanted)?;
    if (granted.width, granted.height, granted.fourcc) != (width, height, wanted.fourcc) {
        return Err(io::Error::other(format!("the output node gave {granted} instead")));
    }
    let length = granted.size as usize;
    let frames = File::open(frames)?;
    let picture = 3 * width as usize * height as usize;
    let mut stream = MmapStream::with_buffers(&device, Type::VideoOutput, BUFFERS)?;
    // All but the first wait in the driver from the beginning, so that it always has one to show.
    for index in 1..BUFFERS as usize {
        OutputStream::queue(&mut stream, index)?;
    }
    let (mut shown, mut bytes) = (None, vec![0; picture]);
    let started = Instant::now();
    loop {
        let due = from + (started.elapsed().as_secs_f64() * fps) as u32;
        let due = due.min(to.saturating_sub(1));
        if shown != Some(due) {
            frames.read_exact_at(&mut bytes, u64::from(due) * picture as u64)?;
            shown = Some(due);
        }
        let (buffer, meta) = OutputStream::next(&mut stream)?;
        let used = length.min(buffer.len()).min(picture);
        buffer[..used].copy_from_slice(&bytes[..used]);
        meta.field = 0;
        meta.bytesused = used as u32;
    }
}

/// Leads what is filmed into the camera, and nothing else.
fn switch(capture: &PathBuf) -> io::Result<()> {
    let device = Device::with_path(capture)?;
    let controls = device.query_controls()?;
    for (name, value) in [(LOOP, Value::Boolean(true)), (TEXT.0, Value::Integer(TEXT.1))] {
        let id = controls.iter().find(|control| control.name == name).map(|control| control.id);
        let id = id.ok_or_else(|| io::Error::other(format!("{} has no `{name}`", capture.display())))?;
        device.set_control(Control { id, value })?;
    }
    Ok(())
}
