//! The index of a data set: which frames are which clip.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use super::FRAMES_LIMIT;
use crate::Error;

/// The longest index that is read, in bytes.
const LIMIT: u64 = 64 << 20;

/// A line of the index.
pub(super) struct Entry {
    pub offset: usize,
    pub frames: usize,
    pub label: String,
    pub group: String,
    pub seq: u32,
    pub split: String,
    pub tier: Option<u32>,
}

/// Reads the index: tab-separated, the first line names the columns.
///
/// `offset_frames`, `n_frames` and `label` (or `gloss`) must be there. `group` (or `signer_id`, or `split`),
/// `seq`, `split` and `tier` may be absent, as columns or at the end of a line.
pub(super) fn read(path: &Path) -> Result<Vec<Entry>, Error> {
    let mut bytes = Vec::new();
    let file = File::open(path).map_err(Error::io("read", path))?;
    file.take(LIMIT + 1).read_to_end(&mut bytes).map_err(Error::io("read", path))?;
    if bytes.len() as u64 > LIMIT {
        return Err(models::Error::TooLarge { path: path.to_owned(), limit: LIMIT }.into());
    }
    let wrong = |line: usize, why: String| Error::Index { path: path.to_owned(), line, why };
    let text = std::str::from_utf8(&bytes).map_err(|e| {
        let line = 1 + bytes[..e.valid_up_to()].iter().filter(|b| **b == b'\n').count();
        wrong(line, "the text is not UTF-8".into())
    })?;
    // Spreadsheets begin their files with a byte order mark.
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut lines = text.lines().enumerate().map(|(i, line)| (i + 1, line));
    let (_, header) = lines.next().ok_or_else(|| wrong(1, "the file is empty".into()))?;
    let names: Vec<_> = header.split('\t').map(str::trim).collect();
    let column = |name: &str| names.iter().position(|n| *n == name);
    let need = |name: &str| column(name).ok_or_else(|| wrong(1, format!("there is no column {name:?}")));
    let (offset, frames) = (need("offset_frames")?, need("n_frames")?);
    let label = column("label")
        .map_or_else(|| need("gloss"), Ok)
        .map_err(|_| wrong(1, "there is neither a column \"label\" nor a column \"gloss\"".into()))?;
    let group = column("group").or(column("signer_id")).or(column("split"));
    let (seq, split, tier) = (column("seq"), column("split"), column("tier"));

    let (mut entries, mut sum) = (Vec::new(), 0);
    for (line, text) in lines.filter(|(_, text)| !text.trim().is_empty()) {
        let cells: Vec<_> = text.split('\t').map(str::trim).collect();
        let cell = |at: usize| {
            let cell = cells.get(at).copied();
            cell.ok_or_else(|| wrong(line, format!("column {:?} is missing", names[at])))
        };
        let optional = |at: Option<usize>| at.and_then(|at| cells.get(at).copied()).unwrap_or("");
        let number = |at: usize| {
            let text = cell(at)?;
            let number: Option<usize> = text.parse().ok().filter(|n| *n <= FRAMES_LIMIT);
            number.ok_or_else(|| {
                wrong(line, format!("{} is {text:?}, not a number up to {FRAMES_LIMIT}", names[at]))
            })
        };
        let entry = Entry {
            offset: number(offset)?,
            frames: number(frames)?,
            label: cell(label)?.to_owned(),
            group: optional(group).to_owned(),
            seq: optional(seq).parse().unwrap_or(0),
            split: optional(split).to_owned(),
            tier: optional(tier).parse().ok(),
        };
        if entry.offset + entry.frames > FRAMES_LIMIT {
            let why = format!("the clip ends after frame {FRAMES_LIMIT}, the most that is read");
            return Err(wrong(line, why));
        }
        // Clips may overlap, so their sum is bounded too; one without frames takes room as well.
        sum += entry.frames.max(1);
        if sum > FRAMES_LIMIT {
            let why =
                format!("the clips up to here have more than {FRAMES_LIMIT} frames, the most that is read");
            return Err(wrong(line, why));
        }
        entries.push(entry);
    }
    if entries.is_empty() {
        return Err(wrong(2, "there is no clip".into()));
    }
    Ok(entries)
}
