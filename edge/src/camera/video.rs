//! Video files, decoded by the `ffmpeg` program.
//!
//! It is asked for frames at the file's own constant rate, turned upright: a pose
//! track has a constant rate, so a file whose rate varies is resampled here, once,
//! by its true time stamps, and frame `i` stands at `i / fps` seconds.

use std::io::{BufRead, BufReader, ErrorKind, Read};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::time::Duration;

use super::{Camera, Frame, ROUNDED_S, check_size};
use crate::stage::Stamp;
use crate::{Fault, ffmpeg};

/// How long `ffmpeg` may take to say what is in a file.
const PATIENCE: Duration = Duration::from_secs(60);
/// A line of `ffmpeg`'s report is read no further than this.
const LINE_BYTES: u64 = 4096;
/// A file that gives less than this part of its stated length was cut short, where `ffmpeg` complained too:
/// the length is that of the whole file, and its sound may be longer than its pictures.
const CUT_SHORT: f64 = 0.9;
/// A part is decoded from so long before its first frame. Where a search ends at a picture that others before
/// it in time lean on (an open group of pictures), those are lost: they must not be in the part. Seconds.
const SEEK_BEFORE_S: f64 = 5.0;
/// Containers that are opened: each holds its pictures itself. A playlist names other files, and is not among them.
const CONTAINERS: &str =
    "mov,matroska,avi,mpegts,mpeg,mpegvideo,flv,ogg,asf,gif,mjpeg,m4v,h264,hevc,ivf,dv,mxf";

/// A video file.
pub struct Video {
    path: PathBuf,
    child: Child,
    pixels: ChildStdout,
    /// What `ffmpeg` said, once it has ended.
    said: Receiver<Said>,
    header: Header,
    /// Seconds of the file before the first frame.
    from_s: f64,
    index: u64,
    done: bool,
}

/// What is kept of `ffmpeg`'s report.
#[derive(Debug, Clone, Default, PartialEq)]
struct Said {
    /// Its last line.
    last: String,
    /// Whether any line told of an error.
    complained: bool,
}

/// What `ffmpeg` says about the frames that it will give.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Header {
    size: [u32; 2],
    fps: f32,
    duration_s: Option<f64>,
}

impl Video {
    /// Starts decoding a file.
    ///
    /// # Errors
    /// [`Fault::NoFfmpeg`], or [`Fault::Ffmpeg`] where the file is no video.
    pub fn open(path: &Path) -> Result<Self, Fault> {
        Self::open_from(path, 0.0)
    }

    /// Starts decoding a file at its first frame at or after a time; that frame's stamp is 0.
    ///
    /// # Errors
    /// As [`Video::open`].
    pub fn open_from(path: &Path, from_s: f64) -> Result<Self, Fault> {
        let mut child =
            command(&ffmpeg::program()?, path, from_s).spawn().map_err(|source| Fault::file(path, source))?;
        let pixels = child.stdout.take().expect("its output is piped");
        let report = BufReader::new(child.stderr.take().expect("its report is piped"));
        let (headers, header) = sync_channel(1);
        let (report_end, said) = sync_channel(1);
        // The report must be drained, or ffmpeg waits for ever; this thread ends with it.
        std::thread::spawn(move || drain(report, &headers, &report_end));

        let mut video = Self {
            path: path.into(),
            child,
            pixels,
            said,
            header: Header { size: [0; 2], fps: 0.0, duration_s: None },
            from_s,
            index: 0,
            done: false,
        };
        video.header = header.recv_timeout(PATIENCE).map_err(|_| video.fault())?;
        check_size(&video.path.display().to_string(), video.header.size[0], video.header.size[1])?;
        Ok(video)
    }

    /// Stops `ffmpeg`, and tells what it said last.
    fn fault(&mut self) -> Fault {
        let _ = self.child.kill();
        let said = self.said.recv_timeout(PATIENCE).unwrap_or_default().last;
        let said = if said.is_empty() { "it said nothing".into() } else { said };
        Fault::Ffmpeg { path: self.path.clone(), said }
    }

    /// After the last frame: was it the last?
    fn end(&mut self) -> Result<Option<Frame>, Fault> {
        self.done = true;
        let status = self.child.wait().map_err(|source| Fault::file(&self.path, source))?;
        if !status.success() {
            return Err(self.fault());
        }
        let complained = self.said.recv_timeout(PATIENCE).unwrap_or_default().complained;
        let reached_s = self.from_s + self.index as f64 / f64::from(self.header.fps);
        let short = self.header.duration_s.is_some_and(|s| reached_s < CUT_SHORT * s);
        match self.frames() {
            Some(promised) if complained && short => {
                Err(Fault::CutShort { path: self.path.clone(), got: self.index, promised })
            }
            _ => Ok(None),
        }
    }
}

impl Camera for Video {
    fn next(&mut self) -> Result<Option<Frame>, Fault> {
        if self.done {
            return Ok(None);
        }
        let [width, height] = self.header.size;
        let mut rgb = vec![0; width as usize * height as usize * 3];
        match self.pixels.read_exact(&mut rgb) {
            Ok(()) => {}
            Err(e) if e.kind() == ErrorKind::UnexpectedEof => return self.end(),
            Err(source) => return Err(Fault::file(&self.path, source)),
        }
        let at = Stamp::of_frame(self.index, self.header.fps);
        self.index += 1;
        Ok(Some(Frame { at, width, height, rgb }))
    }

    fn fps(&self) -> f32 {
        self.header.fps
    }

    fn size(&self) -> [u32; 2] {
        self.header.size
    }

    fn frames(&self) -> Option<u64> {
        let left_s = self.header.duration_s.map(|s| (s - self.from_s).max(0.0));
        left_s.map(|s| (s * f64::from(self.header.fps)).round() as u64)
    }
}

impl Drop for Video {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn command(program: &Path, path: &Path, from_s: f64) -> Command {
    let mut input = std::ffi::OsString::from("file:");
    input.push(path);
    let mut command = Command::new(program);
    let from_s = from_s - ROUNDED_S;
    let seek_s = (from_s - SEEK_BEFORE_S).max(0.0);
    let (mut seek, mut cut) = (vec![], vec![]);
    if seek_s > 0.0 {
        seek = vec!["-ss".into(), format!("{seek_s:.6}")];
    }
    if from_s > 0.0 {
        // The first frame then stands at 0: what passes before it is not filled with copies of it.
        cut = vec!["-vf".into(), format!("trim=start={:.6},setpts=PTS-STARTPTS", from_s - seek_s)];
    }
    command
        // `level` puts `[error]` before the lines that tell of one.
        .args(["-nostdin", "-hide_banner", "-nostats", "-loglevel", "level+info"])
        // Whatever a file says, neither other files nor the network are opened.
        .args(["-protocol_whitelist", "file", "-format_whitelist", CONTAINERS])
        .args(seek)
        .arg("-i")
        .arg(input)
        .args(cut)
        .args(["-an", "-sn", "-dn", "-pix_fmt", "rgb24", "-f", "rawvideo", "pipe:1"])
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    command
}

/// Reads `ffmpeg`'s report to its end: sends the header when it is known, and at the end what it said.
fn drain(mut report: impl BufRead, headers: &SyncSender<Header>, end: &SyncSender<Said>) {
    let (mut duration_s, mut in_output, mut sent) = (None, false, false);
    let mut said = Said::default();
    let mut line = Vec::new();
    loop {
        line.clear();
        // An endless line comes in pieces; none of them is kept.
        match report.by_ref().take(LINE_BYTES).read_until(b'\n', &mut line) {
            Ok(0) | Err(_) => break,
            Ok(_) => {}
        }
        let text = String::from_utf8_lossy(&line);
        let (text, error) = message(&text);
        said.complained |= error;
        if let Some(rest) = text.strip_prefix("Duration: ") {
            duration_s = duration(rest);
        }
        in_output |= text.starts_with("Output #0");
        if in_output
            && !sent
            && text.contains(": Video: rawvideo")
            && let Some((size, fps)) = size_and_rate(text)
        {
            sent = headers.send(Header { size, fps, duration_s }).is_ok();
        }
        // This one comes after the reason and says nothing.
        if !text.is_empty() && text != "Conversion failed!" {
            said.last = text.into();
        }
    }
    let _ = end.send(said);
}

/// A line of the report without the `[…]` in front, which say its source and its level; true where it tells
/// of an error.
fn message(line: &str) -> (&str, bool) {
    let (mut text, mut error) = (line.trim(), false);
    while let Some((front, rest)) = text.strip_prefix('[').and_then(|t| t.split_once(']')) {
        error |= ["error", "fatal", "panic"].contains(&front);
        text = rest.trim_start();
    }
    (text, error)
}

/// `00:00:13.00, start: …` in seconds; `None` for `N/A`.
fn duration(text: &str) -> Option<f64> {
    let mut parts = text.split(',').next()?.trim().splitn(3, ':');
    let mut part = || parts.next()?.parse::<f64>().ok();
    Some(part()? * 3600.0 + part()? * 60.0 + part()?)
}

/// The size and rate in `… Video: rawvideo …, 620x1080 [SAR 1:1 DAR 31:54], …, 25 fps, …`.
fn size_and_rate(text: &str) -> Option<([u32; 2], f32)> {
    let fields = || text.split(", ").map(str::trim);
    let size = fields().find_map(|field| {
        let (width, height) = field.split(' ').next()?.split_once('x')?;
        Some([width.parse().ok()?, height.parse().ok()?])
    })?;
    let fps = fields().find_map(|field| {
        let number = field.strip_suffix(" fps")?;
        match number.strip_suffix('k') {
            Some(thousands) => thousands.parse::<f32>().ok().map(|v| v * 1000.0),
            None => number.parse::<f32>().ok(),
        }
    })?;
    (fps > 0.0).then(|| (size, exact(fps)))
}

/// The rate that `ffmpeg` rounded to two places, where it is one of television's.
fn exact(fps: f32) -> f32 {
    let television = [24.0, 30.0, 48.0, 60.0, 120.0].map(|whole: f32| whole * 1000.0 / 1001.0);
    television.into_iter().find(|t| (t - fps).abs() < 0.006).unwrap_or(fps)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::camera::first_frame;

    #[track_caller]
    fn check(text: &str, expect: Option<([u32; 2], f32)>) {
        assert_eq!(size_and_rate(text), expect, "{text}");
    }

    #[test]
    fn the_report_says_size_and_rate() {
        check(
            "Stream #0:0(und): Video: rawvideo (RGB[24] / 0x18424752), rgb24(pc, gbr/unknown/unknown, \
             progressive), 620x1080 [SAR 1:1 DAR 31:54], q=2-31, 401760 kb/s, 25 fps, 25 tbn (default)",
            Some(([620, 1080], 25.0)),
        );
        let ntsc = "Stream #0:0: Video: rawvideo (RGB[24] / 0x18424752), rgb24, 1280x720, 29.97 fps";
        check(ntsc, Some(([1280, 720], 30_000.0 / 1001.0)));
        check("Stream #0:0: Video: rawvideo, rgb24, 8x8, 1k fps", Some(([8, 8], 1000.0)));
        check("Stream #0:0: Video: rawvideo, rgb24, 0 fps, 8x8", None);
        check("Stream #0:0: Video: rawvideo, rgb24, 99999999999x8, 25 fps", None);
        assert_eq!(duration("00:01:13.50, start: 0.0"), Some(73.5));
        assert_eq!(duration("N/A, bitrate: N/A"), None);
    }

    #[test]
    fn only_the_output_counts_and_the_last_line_is_kept() {
        let report = "[info]   Duration: 00:00:02.00, start\n[info] Stream #0:0: Video: rawvideo, 9x9, 1 fps\n\
                      [info] Output #0, rawvideo\n[info]   Stream #0:0: Video: rawvideo, rgb24, 4x2, 5 fps\n";
        for (more, last, complained) in [
            ("[info] the end\n\n", "the end", false),
            ("[mov,mp4 @ 0x5] [error] partial file\n[warning] done\n", "done", true),
            ("[aac @ 0x5] [warning] an error, they say\n", "an error, they say", false),
            ("[fatal] [[ odd\n[error] Conversion failed!\n", "[[ odd", true),
        ] {
            let (headers, header) = sync_channel(1);
            let (end, said) = sync_channel(1);
            drain(format!("{report}{more}").as_bytes(), &headers, &end);
            assert_eq!(header.recv().unwrap(), Header { size: [4, 2], fps: 5.0, duration_s: Some(2.0) });
            assert_eq!(said.recv().unwrap(), Said { last: last.into(), complained });
        }
    }

    /// A clip of 10 frames, 5 a second: grey of the frame's number times 20, with some noise, and silent sound.
    fn clip(dir: &Path, noise: u8, sound_s: u32, more: &[&str]) -> Option<PathBuf> {
        let Ok(program) = ffmpeg::program() else {
            eprintln!("a test of video files skips: no ffmpeg (cargo xtask setup)");
            return None;
        };
        let path = dir.join("clip.mp4");
        let mut seed = 1u32;
        let mut noisy = move |grey: u8| {
            seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            grey + ((seed >> 16) % (u32::from(noise) + 1)) as u8
        };
        let pixels: Vec<u8> = (0..10u8).flat_map(|i| vec![i * 20; 64 * 48 * 3]).map(&mut noisy).collect();
        let raw = dir.join("clip.rgb");
        std::fs::write(&raw, pixels).unwrap();
        let status = Command::new(program)
            .args(["-nostdin", "-loglevel", "error", "-f", "rawvideo", "-pix_fmt", "rgb24", "-s", "64x48"])
            .args(["-r", "5", "-i"])
            .arg(&raw)
            .args(["-f", "lavfi", "-t", &sound_s.to_string(), "-i", "anullsrc=r=48000:cl=mono"])
            .args(["-c:v", "mpeg4", "-q:v", "1", "-c:a", "aac"])
            .args(more)
            .arg(&path)
            .status()
            .unwrap();
        assert!(status.success());
        Some(path)
    }

    #[test]
    fn every_frame_comes_once_in_order() {
        let dir = tempfile::tempdir().unwrap();
        let Some(path) = clip(dir.path(), 0, 2, &[]) else { return };
        let mut video = Video::open(&path).unwrap();
        assert_eq!((video.size(), video.fps(), video.frames()), ([64, 48], 5.0, Some(10)));
        for i in 0..10u64 {
            let frame = video.next().unwrap().expect("ten frames");
            assert_eq!(frame.at, Stamp::of_frame(i, 5.0));
            assert!((i32::from(frame.rgb[3000]) - 20 * i as i32).abs() < 6, "frame {i}: {}", frame.rgb[3000]);
        }
        assert!(video.next().unwrap().is_none());
        assert!(video.next().unwrap().is_none());
    }

    #[test]
    fn a_part_begins_with_its_first_frame() {
        let dir = tempfile::tempdir().unwrap();
        let Ok(program) = ffmpeg::program() else {
            return eprintln!("a_part_begins_with_its_first_frame skips: no ffmpeg (cargo xtask setup)");
        };
        // Fifteen seconds, with pictures that lean on later ones.
        let path = dir.path().join("clip.mp4");
        let status = Command::new(program)
            .args(["-v", "error", "-f", "lavfi", "-i", "testsrc2=size=64x48:rate=5:duration=15"])
            .args(["-c:v", "mpeg4", "-g", "4", "-bf", "2"])
            .arg(&path)
            .status();
        assert!(status.unwrap().success());
        let from = |from_s| {
            let mut video = Video::open_from(&path, from_s).unwrap();
            let promised = video.frames().unwrap();
            let frames: Vec<Frame> = std::iter::from_fn(|| video.next().unwrap()).collect();
            assert!(frames.iter().enumerate().all(|(i, f)| f.at == Stamp::of_frame(i as u64, 5.0)));
            (frames.into_iter().map(|f| f.rgb).collect::<Vec<_>>(), promised)
        };
        let (whole, _) = from(0.0);
        assert_eq!(whole.len(), 75);
        // At each frame, a little after it as times that were rounded are, and between it and the next.
        let times = (0..75)
            .step_by(3)
            .flat_map(|i| [0.0, 0.0004, 0.03, 0.11, 0.1985].map(|s| f64::from(i) * 0.2 + s));
        for from_s in times {
            let first = first_frame(from_s, 5.0) as usize;
            let (part, promised) = from(from_s);
            assert!(part == whole[first..], "from {from_s} s: {} frames, not those from {first}", part.len());
            assert!(promised.abs_diff(part.len() as u64) <= 1, "from {from_s} s: {promised} promised");
        }
        let (none, promised) = from(20.0);
        assert_eq!((none.len(), promised), (0, 0), "after the end there is nothing");
    }

    #[test]
    fn a_file_that_is_cut_short_gives_what_it_has_and_then_says_so() {
        let dir = tempfile::tempdir().unwrap();
        // With its index in front, the first half of a file can still be read.
        let Some(path) = clip(dir.path(), 50, 1, &["-g", "1", "-movflags", "+faststart"]) else { return };
        let whole = std::fs::read(&path).unwrap();
        let half = dir.path().join("half.mp4");
        std::fs::write(&half, &whole[..whole.len() * 6 / 10]).unwrap();
        let mut video = Video::open(&half).unwrap();
        let mut frames = 0;
        let said = loop {
            match video.next() {
                Ok(Some(_)) => frames += 1,
                Ok(None) => panic!("a cut file ended as if it were whole, after {frames} frames"),
                Err(fault) => break fault.to_string(),
            }
        };
        assert!((1..10).contains(&frames), "{frames} frames");
        assert!(said.contains("half.mp4"), "{said}");
        // Without any index there is nothing to read.
        std::fs::write(&half, &whole[..20]).unwrap();
        assert!(Video::open(&half).err().unwrap().to_string().contains("half.mp4"));
    }

    #[test]
    fn sound_that_lasts_longer_than_the_pictures_is_no_cut() {
        let dir = tempfile::tempdir().unwrap();
        let Some(path) = clip(dir.path(), 0, 8, &[]) else { return };
        let mut video = Video::open(&path).unwrap();
        assert_eq!(video.frames(), Some(40), "the length is that of the sound");
        for _ in 0..10 {
            assert!(video.next().unwrap().is_some());
        }
        assert!(video.next().unwrap().is_none());
    }

    #[test]
    fn a_playlist_opens_no_other_file() {
        let dir = tempfile::tempdir().unwrap();
        let Some(path) = clip(dir.path(), 0, 1, &[]) else { return };
        let list = dir.path().join("list.mp4");
        std::fs::write(&list, "ffconcat version 1.0\nfile clip.mp4\n").unwrap();
        assert!(Video::open(&list).err().unwrap().to_string().contains("list.mp4"));
        assert!(Video::open(&path).is_ok(), "the file that it names is a video");
    }

    #[test]
    fn a_text_named_mp4_is_refused_in_one_sentence() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("text.mp4");
        std::fs::write(&path, "this is no video\n").unwrap();
        if ffmpeg::program().is_err() {
            eprintln!("a_text_named_mp4_is_refused_in_one_sentence skips: no ffmpeg (cargo xtask setup)");
            return;
        }
        let said = Video::open(&path).err().unwrap().to_string();
        assert!(said.contains("text.mp4") && !said.contains('\n'), "{said}");
    }
}
