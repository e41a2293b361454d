//! Texts that come one after the other: lines of a stream, or of a file that somebody writes on.
//!
//! A [`Backlog`] stands between those who write and the screen, which signs slower than people type: what is newest
//! wins, and what had to go is counted.

use std::collections::VecDeque;
use std::fs::File;
use std::io::{self, BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// How often a file is looked at for more.
const LOOK_EVERY: Duration = Duration::from_millis(200);
/// Bytes of a line that are kept: many times what can be signed at once.
const LONGEST: usize = 1 << 16;

/// Lines with something in them, in order.
pub struct Lines {
    source: Source,
    /// What is there of the next line; no more than is kept.
    line: Vec<u8>,
}

enum Source {
    Stream(Box<dyn BufRead + Send>),
    /// Whoever follows a file waits for more at its end.
    File {
        path: PathBuf,
        file: BufReader<File>,
        read: u64,
        follow: bool,
    },
}

impl Lines {
    /// Of a stream, until it ends.
    pub fn of(stream: impl BufRead + Send + 'static) -> Self {
        Self { source: Source::Stream(Box::new(stream)), line: vec![] }
    }

    /// Of a file: what stands in it, and where it is followed what is written to it later, without an end. A file that
    /// became shorter is begun again.
    ///
    /// # Errors
    /// The file cannot be opened.
    pub fn of_file(path: &Path, follow: bool) -> io::Result<Self> {
        let file = BufReader::new(File::open(path)?);
        let source = Source::File { path: path.into(), file, read: 0, follow };
        Ok(Self { source, line: vec![] })
    }

    /// The next line, without its end and without blanks around it; `None` at the end. It waits for one.
    ///
    /// # Errors
    /// Where the source cannot be read.
    pub fn next_line(&mut self) -> io::Result<Option<String>> {
        loop {
            let ended = match self.more()? {
                More::Line => false,
                More::End => true,
                More::Later => {
                    std::thread::sleep(LOOK_EVERY);
                    continue;
                }
            };
            let line = String::from_utf8_lossy(&std::mem::take(&mut self.line)).trim().to_owned();
            if !line.is_empty() {
                return Ok(Some(line));
            }
            if ended {
                return Ok(None);
            }
        }
    }

    /// Reads on until a line is whole.
    fn more(&mut self) -> io::Result<More> {
        loop {
            let reader: &mut dyn BufRead = match &mut self.source {
                Source::Stream(stream) => stream,
                Source::File { file, .. } => file,
            };
            let bytes = match reader.fill_buf() {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                bytes => bytes?,
            };
            let end = bytes.iter().position(|b| *b == b'\n');
            let part = &bytes[..end.unwrap_or(bytes.len())];
            let room = LONGEST - self.line.len();
            self.line.extend_from_slice(&part[..part.len().min(room)]);
            let used = part.len() + usize::from(end.is_some());
            reader.consume(used);
            if let Source::File { read, .. } = &mut self.source {
                *read += used as u64;
            }
            if end.is_some() {
                return Ok(More::Line);
            }
            if used == 0 {
                return self.at_end();
            }
        }
    }

    /// Nothing more is there by now.
    fn at_end(&mut self) -> io::Result<More> {
        let Source::File { path, file, read, follow: true } = &mut self.source else { return Ok(More::End) };
        // A file that was put in the place of another has its name; that which is open need not be it any more.
        let length = std::fs::metadata(&*path)?.len();
        if length < *read {
            *file = BufReader::new(File::open(path)?);
            (*read, self.line) = (0, vec![]);
        }
        Ok(More::Later)
    }
}

enum More {
    Line,
    Later,
    End,
}

/// Lines that wait, no more than so many: where one more comes, the oldest goes and is counted.
#[derive(Debug)]
pub struct Backlog {
    most: usize,
    waiting: VecDeque<String>,
    left_out: usize,
    ended: Option<io::Result<()>>,
}

impl Backlog {
    /// With room for `most` lines.
    pub fn new(most: usize) -> Self {
        Self { most, waiting: VecDeque::new(), left_out: 0, ended: None }
    }

    /// Reads lines on a thread of its own until they end or the last one who looks at the backlog is gone.
    pub fn fill(mut lines: Lines, most: usize) -> Arc<Mutex<Self>> {
        let backlog = Arc::new(Mutex::new(Self::new(most)));
        let to = Arc::downgrade(&backlog);
        std::thread::spawn(move || {
            loop {
                let next = lines.next_line();
                let Some(backlog) = to.upgrade() else { return };
                let mut backlog = backlog.lock().unwrap_or_else(PoisonError::into_inner);
                match next {
                    Ok(Some(line)) => backlog.push(line),
                    Ok(None) => return backlog.end(Ok(())),
                    Err(error) => return backlog.end(Err(error)),
                }
            }
        });
        backlog
    }

    /// One more line.
    pub fn push(&mut self, line: String) {
        if self.waiting.len() >= self.most {
            self.waiting.pop_front();
            self.left_out += 1;
        }
        self.waiting.push_back(line);
    }

    /// No more lines come, for this reason.
    pub fn end(&mut self, reason: io::Result<()>) {
        self.ended = Some(reason);
    }

    /// The line that waits longest.
    pub fn take(&mut self) -> Option<String> {
        self.waiting.pop_front()
    }

    /// How many lines had to go.
    pub fn left_out(&self) -> usize {
        self.left_out
    }

    /// Whether no more lines come, and why; told once.
    pub fn ended(&mut self) -> Option<io::Result<()>> {
        self.ended.take()
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;
    use std::time::Instant;

    use super::*;

    fn all(mut lines: Lines) -> Vec<String> {
        std::iter::from_fn(|| lines.next_line().unwrap()).collect()
    }

    #[test]
    fn lines_come_without_blanks_and_none_is_empty() {
        let lines = Lines::of(&b"\n  eins \r\n\n\xffzwei\ndrei"[..]);
        assert_eq!(all(lines), ["eins", "\u{fffd}zwei", "drei"]);
        assert!(all(Lines::of(&b" \n\n"[..])).is_empty());
        let long = [&[b'a'; 3 * LONGEST][..], b"\nb\n"].concat();
        let lines = all(Lines::of(io::Cursor::new(long)));
        assert_eq!([lines[0].len(), lines[1].len()], [LONGEST, 1]);
    }

    #[test]
    fn a_file_is_followed_while_it_grows_and_when_it_is_begun_again() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("feed.txt");
        std::fs::write(&path, "eins\nzw").unwrap();
        assert_eq!(all(Lines::of_file(&path, false).unwrap()), ["eins", "zw"]);
        let mut lines = Lines::of_file(&path, true).unwrap();
        assert_eq!(lines.next_line().unwrap().unwrap(), "eins");
        let writer = std::thread::spawn({
            let path = path.clone();
            move || {
                std::thread::sleep(2 * LOOK_EVERY);
                let mut file = File::options().append(true).open(&path).unwrap();
                file.write_all(b"ei\ndrei\n").unwrap();
            }
        });
        assert_eq!(lines.next_line().unwrap().unwrap(), "zwei", "a line is whole when its end is there");
        assert_eq!(lines.next_line().unwrap().unwrap(), "drei");
        writer.join().unwrap();
        std::fs::write(&path, "neu\n").unwrap();
        assert_eq!(lines.next_line().unwrap().unwrap(), "neu");
        std::fs::remove_file(&path).unwrap();
        assert!(lines.next_line().is_err());
    }

    #[test]
    fn who_is_too_slow_gets_what_is_newest_and_a_count() {
        let mut backlog = Backlog::new(2);
        ["a", "b", "c", "d"].into_iter().for_each(|line| backlog.push(line.into()));
        assert_eq!(backlog.left_out(), 2);
        assert_eq!(
            [backlog.take(), backlog.take(), backlog.take()],
            [Some("c".into()), Some("d".into()), None]
        );
    }

    #[test]
    fn a_backlog_says_when_its_lines_end() {
        let backlog = Backlog::fill(Lines::of(&b"a\nb\nc\n"[..]), 2);
        let begun = Instant::now();
        let ended = loop {
            if let Some(ended) = backlog.lock().unwrap().ended() {
                break ended;
            }
            assert!(begun.elapsed() < Duration::from_secs(20), "it never ends");
            std::thread::sleep(Duration::from_millis(5));
        };
        ended.unwrap();
        let mut backlog = backlog.lock().unwrap();
        assert_eq!((backlog.left_out(), backlog.take()), (1, Some("b".into())));
    }
}
