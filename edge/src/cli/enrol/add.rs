//! `signpost enrol add`: clips of one sign to an enrolled sign.

use std::io::{self, Write};
use std::path::{Path, PathBuf};

use boards::Board;
use clap::Args;
use models::enrolment::{EXAMPLES, Enrolled, Example, Sign, no_label};
use models::features::{Picker, Sight};

use super::{Signs, checks, write};
use crate::Fault;
use crate::cli::input::{Event, Input, Seen};
use crate::language::{Embedder, Stretches};
use crate::vision::Options;

/// Enrols a sign from three to five clips of it, each with the one sign.
#[derive(Debug, Args)]
pub struct Add {
    /// What a caption says when the sign is read
    label: String,
    /// Videos or `.pose` files, each of the one sign: hands down, the sign, hands down
    #[arg(value_name = "CLIP", required = true)]
    clips: Vec<PathBuf>,
    #[command(flatten)]
    signs: Signs,
    /// Checks everything and keeps nothing
    #[arg(long)]
    dry_run: bool,
    /// The board whose engines are used
    #[arg(long, default_value = "desk")]
    board: String,
}

impl Add {
    /// Runs the command.
    ///
    /// # Errors
    /// What is wrong with the label, the clips, or the file; nothing is kept then.
    pub fn run(self) -> anyhow::Result<()> {
        let board = Board::named(&self.board)?;
        let path = self.signs.file()?;
        self.check()?;
        let backends = Options::of(&board).backends;
        let mut embedder = Embedder::open(&backends)?;
        let mut enrolled = match Enrolled::read(&path)? {
            Some(enrolled) if enrolled.signs.is_empty() => Enrolled::none_of(embedder.network()),
            Some(enrolled) => enrolled,
            None => Enrolled::none_of(embedder.network()),
        };
        checks::file(&enrolled, &embedder, &self.label)?;

        let stretches =
            self.clips.iter().map(|clip| self.stretch(clip, &board)).collect::<Result<Vec<_>, _>>()?;
        let mut examples = vec![];
        for (clip, stretch) in self.clips.iter().zip(&stretches) {
            examples.push(self.example(clip, &mut embedder, stretch)?);
        }
        checks::same_sign(&examples, &self.clips)?;
        let mut warnings = checks::like_enrolled(&examples, &enrolled, embedder.alike());
        warnings.extend(checks::like_shipped(&stretches, &backends)?);

        let count = examples.len();
        enrolled.signs.push(Sign { label: self.label.clone(), examples });
        if !self.dry_run {
            write(&path, &enrolled)?;
        }
        for warning in warnings {
            writeln!(io::stderr(), "signpost: {warning}")?;
        }
        let done = if self.dry_run { "could be enrolled" } else { "is enrolled" };
        writeln!(io::stdout(), "{} {done} from {count} clips: {}", self.label, path.display())?;
        Ok(())
    }

    /// What cannot work is said before the first clip is looked at.
    fn check(&self) -> Result<(), Fault> {
        if let Some(why) = no_label(&self.label) {
            return Err(Fault::NoLabel { label: self.label.clone(), why });
        }
        if !EXAMPLES.contains(&self.clips.len()) {
            return Err(Fault::Examples { given: self.clips.len() });
        }
        for (i, clip) in self.clips.iter().enumerate() {
            if clip.starts_with("/dev") {
                return Err(Fault::Live { source_name: clip.display().to_string() });
            }
            if self.clips[..i].contains(clip) {
                return Err(Fault::SameClip { clip: clip.clone() });
            }
        }
        Ok(())
    }

    /// The frames of a clip's one sign.
    fn stretch(&self, clip: &Path, board: &Board) -> Result<Vec<Sight>, Fault> {
        let mut input = Input::open(&clip.display().to_string(), board)?;
        let [width, height, _] = input.about.size;
        let picker = Picker::new(&input.about.layout).ok_or(Fault::NoHands)?.in_picture([width, height]);
        let mut stretches = Stretches::new(picker);
        while let Some(event) = input.next()? {
            if let Event::Seen(Seen { at, pose, .. }) = event {
                stretches.push(at.seconds(), &pose);
            }
        }
        stretches.one_sign().map_err(|why| Fault::NoExample { clip: clip.into(), why })
    }

    fn example(&self, clip: &Path, embedder: &mut Embedder, stretch: &[Sight]) -> Result<Example, Fault> {
        embedder.example(stretch)?.ok_or_else(|| {
            let why = "shows no shoulders while the hands are up".into();
            Fault::NoExample { clip: clip.into(), why }
        })
    }
}
