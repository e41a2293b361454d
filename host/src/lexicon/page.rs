//! Pages of pictures to look through a lexicon: a wrong recording is seen in a moment and found in no table.

use std::fmt::Write;
use std::path::{Path, PathBuf};

use models::lexicon::Lexicon;
use models::playback::{Frame, Point};

use crate::Error;

/// Signs of a page.
const OF_PAGE: usize = 200;
/// Pictures of a sign, evenly over its time.
const PICTURES: usize = 6;
/// Each finger from the wrist.
const FINGERS: [[usize; 5]; 5] =
    [[0, 1, 2, 3, 4], [0, 5, 6, 7, 8], [0, 9, 10, 11, 12], [0, 13, 14, 15, 16], [0, 17, 18, 19, 20]];
/// Colours that are told apart by everybody (Okabe and Ito 2008): the signer's left and right hand.
const COLOURS: [&str; 2] = ["#0072b2", "#d55e00"];

/// Writes pages with all signs whose words or gloss contain `like`, and gives their paths.
///
/// # Errors
/// Where the lexicon or the folder cannot be used, or no sign is like that.
pub fn show(lexicon: &Path, like: &str, folder: &Path) -> Result<Vec<PathBuf>, Error> {
    let lexicon = Lexicon::open(lexicon)?;
    let like = like.to_lowercase();
    let is_like = |text: &str| text.to_lowercase().contains(&like);
    let all = lexicon.all().iter().enumerate();
    let chosen: Vec<usize> =
        all.filter(|(_, e)| is_like(&e.words) || is_like(&e.glosses)).map(|(number, _)| number).collect();
    if chosen.is_empty() {
        let why = format!("it has no sign like {like:?}");
        return Err(Error::Lexicon { path: lexicon.folder().into(), why });
    }
    std::fs::create_dir_all(folder).map_err(Error::io("make the folder", folder))?;
    let pages = chosen.len().div_ceil(OF_PAGE);
    let mut written = vec![];
    for (page, numbers) in chosen.chunks(OF_PAGE).enumerate() {
        let path = folder.join(format!("page-{}.html", page + 1));
        let mut html = format!(
            "<!doctype html>\n<meta charset=\"utf-8\">\n<title>Lexicon, page {} of {pages}</title>\n<style>\
             body {{ font-family: sans-serif }} section {{ display: inline-block; margin: 0.5em }} \
             svg {{ width: 9em; background: #f4f4f4; margin: 1px }} h2 {{ font-size: 1em; margin: 0 }}</style>\n",
            page + 1
        );
        for &number in numbers {
            let _ = writeln!(html, "{}", sign(&lexicon, number));
        }
        models::whole::write(&path, html).map_err(Error::io("write", &path))?;
        written.push(path);
    }
    Ok(written)
}

/// A sign with its pictures.
fn sign(lexicon: &Lexicon, number: usize) -> String {
    let entry = &lexicon.all()[number];
    let name = [&entry.glosses, &entry.words].map(|t| escaped(t)).join(" ");
    let of = format!("{}, line {}", escaped(&entry.path.display().to_string()), entry.line);
    let (seconds, pictures) = match lexicon.frames(number) {
        Ok(Some((frames, fps))) => {
            let at = |i: usize| &frames[(2 * i + 1) * frames.len() / (2 * PICTURES)];
            let pictures: Vec<String> = (0..PICTURES).map(|i| picture(at(i))).collect();
            (format!("{:.1} s", frames.len() as f32 / fps), pictures.concat())
        }
        Ok(None) => ("no hand is seen".into(), String::new()),
        Err(error) => (escaped(&error.to_string()), String::new()),
    };
    format!("<section title=\"{of}\"><h2>{number}: {name} ({seconds})</h2>{pictures}</section>")
}

/// A frame as the viewer sees it, in hundredths of a shoulder width.
fn picture(frame: &Frame) -> String {
    let mut svg = "<svg viewBox=\"-130 -110 260 260\">".to_owned();
    let mut line = |points: &[Point], colour: &str, width: f32| {
        let points: Vec<String> =
            points.iter().map(|p| format!("{:.0},{:.0}", p[0] * 100.0, p[1] * 100.0)).collect();
        let _ = write!(
            svg,
            "<polyline points=\"{}\" fill=\"none\" stroke=\"{colour}\" stroke-width=\"{width}\"/>",
            points.join(" ")
        );
    };
    let [nose, ..] = frame.head;
    line(
        &[[-0.5, 0.0, 0.0], [0.5, 0.0, 0.0], [0.31, 1.4, 0.0], [-0.31, 1.4, 0.0], [-0.5, 0.0, 0.0]],
        "#999",
        2.0,
    );
    line(&[[0.0, 0.0, 0.0], nose], "#999", 2.0);
    // Ears, eyes and mouth, in the order of the body's landmarks.
    line(&[frame.head[8], frame.head[5], frame.head[2], frame.head[7]], "#999", 2.0);
    line(&[frame.head[9], frame.head[10]], "#999", 2.0);
    for (side, colour) in COLOURS.into_iter().enumerate() {
        let half = if side == 0 { 0.5 } else { -0.5 };
        line(&[[half, 0.0, 0.0], frame.elbows[side], frame.wrists[side]], "#555", 3.0);
        for finger in frame.hands[side].iter().flat_map(|hand| FINGERS.map(|f| f.map(|k| hand[k]))) {
            line(&finger, colour, 2.0);
        }
    }
    svg + "</svg>"
}

/// A text that is no markup.
fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
