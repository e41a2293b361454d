//! Finds the format in which a camera serves best: asks for each that can be read, and looks at what comes back.

use std::cmp::Reverse;
use std::io;

use super::device::{Device, Granted, Wish};
use super::format::{Format, Packing, code_name};

/// A smaller size that is asked for too, where the wished one is too much for the cable: webcams give it in
/// full rate without packing, and for signing the rate counts more than the size.
const SMALL: [u32; 2] = [640, 480];
/// A rate of at least this part of the wished one is as good: 25 frames a second are no reason for a smaller
/// picture where 30 were wished.
const ENOUGH: f32 = 0.8;
/// The wished rate, in tenths of it.
const IN_FULL: u32 = 10;
/// No camera is faster: a driver that says so does not know. Frames a second.
const MOST_FPS: f32 = 1000.0;

/// What a camera was set to.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Chosen {
    /// What its pictures are.
    pub format: Format,
    /// Frames a second.
    pub fps: f32,
}

/// Why a camera could not be set and started.
#[derive(Debug)]
pub enum Refused {
    /// What was tried when the system said no.
    System(&'static str, io::Error),
    /// None of its formats can be read; it has these.
    Formats(String),
}

/// Sets a camera to the best that it has and starts it.
///
/// The best reaches the rate that `wanted` asks for, then comes nearest to its size, then costs least to
/// read; packings in `doubted` come last. Where the best will not start, for example because its pictures
/// are too much for the bus, the next is tried.
///
/// # Errors
/// Where none can be read or started.
pub fn start(
    device: &mut dyn Device,
    wanted: &boards::Camera,
    doubted: &[Packing],
) -> Result<Chosen, Refused> {
    let offers = device.offers().map_err(|e| Refused::System("asking what it offers", e))?;
    let readable = |packing: &Packing| offers.iter().any(|code| Packing::of(*code) == Some(*packing));
    let packings: Vec<Packing> = Packing::ALL.into_iter().filter(readable).collect();
    let mut refused = Refused::Formats(names(&offers));
    let mut choices: Vec<(Wish, Chosen)> = Vec::new();
    let wished = [wanted.width_px, wanted.height_px];
    let sizes = if wished[0] > SMALL[0] { vec![wished, SMALL] } else { vec![wished] };
    for [width, height] in sizes {
        for &packing in &packings {
            let wish = Wish { packing, width, height, rate_hz: wanted.rate_hz };
            match device.ask(wish).map(|granted| chosen(&granted, wanted)) {
                Ok(Ok(chosen)) if choices.iter().all(|(_, c)| *c != chosen) => choices.push((wish, chosen)),
                Ok(Ok(_)) => {}
                Ok(Err(format)) => refused = format,
                Err(error) => refused = Refused::System("setting its format", error),
            }
        }
    }
    choices.sort_by_key(|(_, c)| {
        let packing = c.format.packing;
        (doubted.contains(&packing), Reverse(reached(c, wanted)), away(c, wanted), packing as u8)
    });
    for (wish, _) in choices {
        let again = device.ask(wish).map_err(|e| Refused::System("setting its format", e));
        let started = again.and_then(|granted| {
            let chosen = chosen(&granted, wanted)?;
            device.start().map_err(|e| Refused::System("starting it", e))?;
            Ok(chosen)
        });
        match started {
            Ok(chosen) => return Ok(chosen),
            Err(why) => refused = why,
        }
    }
    Err(refused)
}

/// What was granted, where it can be read.
fn chosen(granted: &Granted, wanted: &boards::Camera) -> Result<Chosen, Refused> {
    let format = granted.format().filter(|f| f.check("camera").is_ok());
    let format = format.ok_or_else(|| Refused::Formats(names(&[granted.code])))?;
    let said = granted.fps.filter(|fps| (f32::MIN_POSITIVE..=MOST_FPS).contains(fps));
    Ok(Chosen { format, fps: said.unwrap_or(wanted.rate_hz as f32) })
}

/// How much of the wished rate is reached, in tenths.
fn reached(chosen: &Chosen, wanted: &boards::Camera) -> u32 {
    let part = chosen.fps / wanted.rate_hz as f32;
    if part >= ENOUGH { IN_FULL } else { (part * 10.0) as u32 }
}

/// How far the size is from the wished one, in pixels of both sides.
fn away(chosen: &Chosen, wanted: &boards::Camera) -> u32 {
    let Format { width, height, .. } = chosen.format;
    width.abs_diff(wanted.width_px).saturating_add(height.abs_diff(wanted.height_px))
}

fn names(codes: &[[u8; 4]]) -> String {
    let mut names: Vec<String> = codes.iter().map(|code| code_name(*code)).collect();
    names.dedup();
    if names.is_empty() { "no format".into() } else { names.join(", ") }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::super::device::Raw;
    use super::*;

    /// A camera that has, for each packing, some sizes with the highest rate of each.
    struct Sheet {
        lines: Vec<([u8; 4], [u32; 2], f32)>,
        /// Unpacked pictures beyond this are too much for the bus.
        most_pixels: u32,
        set: Option<Granted>,
    }

    impl Device for Sheet {
        fn offers(&mut self) -> io::Result<Vec<[u8; 4]>> {
            Ok(self.lines.iter().map(|line| line.0).collect())
        }

        fn ask(&mut self, wish: Wish) -> io::Result<Granted> {
            let away = |size: [u32; 2]| size[0].abs_diff(wish.width) + size[1].abs_diff(wish.height);
            let lines = self.lines.iter().filter(|line| line.0 == wish.packing.code());
            let &(code, [width, height], most) = lines.min_by_key(|line| away(line.1)).unwrap();
            let fps = Some(most.min(wish.rate_hz as f32));
            let granted = Granted { code, width, height, stride: 0, colours: [0; 3], fps };
            self.set = Some(granted);
            Ok(granted)
        }

        fn start(&mut self) -> io::Result<()> {
            let set = self.set.expect("a format was asked for");
            let too_much = set.code != *b"MJPG" && set.width * set.height > self.most_pixels;
            if too_much { Err(io::ErrorKind::StorageFull.into()) } else { Ok(()) }
        }

        fn next(&mut self, _: Duration) -> io::Result<Option<Raw<'_>>> {
            Ok(None)
        }
    }

    /// What a board that wishes 1280×720 at 30 gets of a camera.
    #[track_caller]
    fn check(lines: &[(&[u8; 4], [u32; 2], f32)], most_pixels: u32, doubted: &[Packing], expect: &str) {
        let lines = lines.iter().map(|(code, size, fps)| (**code, *size, *fps)).collect();
        let wanted = boards::Camera { device: None, width_px: 1280, height_px: 720, rate_hz: 30 };
        let got = match start(&mut Sheet { lines, most_pixels, set: None }, &wanted, doubted) {
            Ok(Chosen { format: Format { packing, width, height, .. }, fps }) => {
                format!("{packing} {width}x{height} {fps}")
            }
            Err(Refused::Formats(codes)) => format!("none of {codes}"),
            Err(Refused::System(tried, error)) => format!("{tried}: {:?}", error.kind()),
        };
        assert_eq!(got, expect);
    }

    const HD: [u32; 2] = [1280, 720];
    const VGA: [u32; 2] = [640, 480];
    const ANY: u32 = u32::MAX;

    #[test]
    fn the_wished_rate_and_size_are_taken_in_the_cheapest_packing() {
        check(&[(b"MJPG", HD, 30.0), (b"YUYV", HD, 30.0)], ANY, &[], "YUYV 1280x720 30");
        check(&[(b"YUYV", HD, 30.0), (b"NV12", HD, 30.0)], ANY, &[], "NV12 1280x720 30");
        check(&[(b"YUYV", HD, 25.0), (b"MJPG", HD, 60.0)], ANY, &[], "YUYV 1280x720 25");
    }

    #[test]
    fn what_is_too_slow_gives_way_to_a_packed_or_a_smaller_picture() {
        check(&[(b"YUYV", HD, 10.0), (b"MJPG", HD, 30.0)], ANY, &[], "MJPG 1280x720 30");
        check(&[(b"YUYV", HD, 10.0), (b"YUYV", VGA, 30.0)], ANY, &[], "YUYV 640x480 30");
        check(&[(b"YUYV", HD, 10.0), (b"YUYV", VGA, 15.0)], ANY, &[], "YUYV 640x480 15");
        check(&[(b"YUYV", HD, 10.0)], ANY, &[], "YUYV 1280x720 10");
    }

    #[test]
    fn what_the_bus_cannot_carry_gives_way_to_the_next() {
        check(&[(b"YUYV", HD, 30.0), (b"MJPG", HD, 30.0)], 640 * 480, &[], "MJPG 1280x720 30");
        check(&[(b"YUYV", HD, 30.0), (b"YUYV", VGA, 30.0)], 640 * 480, &[], "YUYV 640x480 30");
        check(&[(b"YUYV", HD, 30.0)], 0, &[], "starting it: StorageFull");
    }

    #[test]
    fn a_packing_that_gave_torn_pictures_comes_last() {
        let camera = [(b"MJPG", HD, 30.0), (b"YUYV", HD, 10.0), (b"YUYV", VGA, 30.0)];
        check(&camera, ANY, &[], "MJPG 1280x720 30");
        check(&camera, ANY, &[Packing::Mjpeg], "YUYV 640x480 30");
        check(&camera[..1], ANY, &[Packing::Mjpeg], "MJPG 1280x720 30");
    }

    #[test]
    fn a_camera_of_other_formats_is_refused_by_their_names() {
        check(&[(b"H264", HD, 30.0), (b"GREY", VGA, 30.0)], ANY, &[], "none of H264, GREY");
        check(&[], ANY, &[], "none of no format");
        check(&[(b"YUYV", [9000, 9000], 30.0)], ANY, &[], "none of YUYV");
    }

    #[test]
    fn a_rate_that_is_nonsense_is_taken_for_the_wished_one() {
        check(&[(b"YUYV", HD, 0.0)], ANY, &[], "YUYV 1280x720 30");
        check(&[(b"YUYV", HD, f32::NAN)], ANY, &[], "YUYV 1280x720 30");
    }
}
