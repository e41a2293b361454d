//! `signpost enrol`: signs of an institution's own, from three to five clips each, without training.

mod add;
mod checks;
mod list;
mod remove;

use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use models::enrolment::Enrolled;
use models::store;

use crate::Fault;

/// Enrols signs of your own from a few clips, lists them, and takes them back.
#[derive(Debug, Subcommand)]
pub enum Enrol {
    /// Enrols a sign from three to five clips of it, each with the one sign.
    Add(add::Add),
    /// Lists what is enrolled.
    List(list::List),
    /// Takes a sign back.
    Remove(remove::Remove),
}

impl Enrol {
    /// Runs the command.
    ///
    /// # Errors
    /// What is wrong with the clips, the label or the file, in one sentence.
    pub fn run(self) -> anyhow::Result<()> {
        match self {
            Self::Add(add) => add.run(),
            Self::List(list) => list.run(),
            Self::Remove(remove) => remove.run(),
        }
    }
}

/// Where enrolled signs are kept.
#[derive(Debug, Clone, Args)]
pub(super) struct Signs {
    /// The file of enrolled signs; the user's own where not given
    #[arg(long = "signs", value_name = "FILE")]
    file: Option<PathBuf>,
}

impl Signs {
    /// The file that was named, or the user's own.
    ///
    /// # Errors
    /// [`Fault::NoState`] where neither is known.
    pub fn file(&self) -> Result<PathBuf, Fault> {
        self.file.clone().or_else(store::enrolled).ok_or(Fault::NoState)
    }

    /// What is enrolled, and where; `None` where nothing is. A file that was named must be there.
    ///
    /// # Errors
    /// Those of [`Signs::file`] and [`Enrolled::read`]; [`Fault::NoSigns`] where the file is not there
    /// that was named.
    pub fn read(&self) -> Result<Option<(PathBuf, Enrolled)>, Fault> {
        // Where no state folder is known nothing can have been enrolled.
        let Some(path) = self.file.clone().or_else(store::enrolled) else { return Ok(None) };
        match Enrolled::read(&path)? {
            Some(enrolled) => Ok(Some((path, enrolled))),
            None if self.file.is_some() => Err(Fault::NoSigns { path }),
            None => Ok(None),
        }
    }
}

/// Puts signs into their file, whose folder is made where it is the user's own.
///
/// # Errors
/// Those of the system.
fn write(path: &Path, enrolled: &Enrolled) -> Result<(), Fault> {
    if store::enrolled().as_deref() == Some(path)
        && let Some(folder) = path.parent()
    {
        std::fs::create_dir_all(folder).map_err(|source| Fault::file(folder, source))?;
    }
    Ok(enrolled.write(path)?)
}
