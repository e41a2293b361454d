//! What stands between a unit and its fleet, and the next step.

use std::path::PathBuf;

use models::bundle;
use models::update;

/// Why something was not done. Whatever the reason, the unit goes on as it was.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The settings are none.
    #[error("{} cannot be used ({said}); write it as the README's technician page shows", path.display())]
    Config {
        /// Which file.
        path: PathBuf,
        /// What is wrong.
        said: String,
    },
    /// Others can read the settings, and in them the token.
    #[error("{} can be read by others, and a token stands in it; run `chmod 600 {}`", path.display(), path.display())]
    Open {
        /// Which file.
        path: PathBuf,
    },
    /// The server's address, certificate or token is none.
    #[error(
        "the server {server} cannot be used ({said}); correct the address, token and certificate in fleet.toml"
    )]
    Address {
        /// Its address.
        server: String,
        /// What is wrong.
        said: String,
    },
    /// The server did not answer in time, or there is no way to it.
    #[error("cannot {doing} ({said}); see whether this unit's network leads to the server")]
    Unreachable {
        /// What was being done.
        doing: &'static str,
        /// What the system said.
        said: String,
    },
    /// The server does not take the token.
    #[error(
        "the server does not let this unit in (HTTP {status}); compare controller and token in fleet.toml with the server's"
    )]
    Denied {
        /// What it answered.
        status: u16,
    },
    /// The server answered something else.
    #[error("cannot {doing} ({said}); see the log of the server")]
    Answer {
        /// What was being done.
        doing: &'static str,
        /// What came.
        said: String,
    },
    /// What was downloaded is not what the server says.
    #[error("{name} has another SHA-256 than the server says; upload it to the server again")]
    Spoiled {
        /// Which file.
        name: String,
    },
    /// The rollout has nothing for this unit.
    #[error(
        "the rollout has {found} files that end in {wanted}, and one is wanted; put that one into its software module"
    )]
    NoBundle {
        /// How many.
        found: usize,
        /// How their names end.
        wanted: String,
    },
    /// A file's name is not one.
    #[error("the rollout names a file {name:?}; give it a plain name")]
    Name {
        /// The name.
        name: String,
    },
    /// There is no room for the download.
    #[error(
        "the download needs {needed} bytes, and {free} are free; free some space on the unit, for example old recordings"
    )]
    Room {
        /// What it needs.
        needed: u64,
        /// What there is.
        free: u64,
    },
    /// The bundle is refused.
    #[error(transparent)]
    Bundle(#[from] bundle::Error),
    /// It was not installed.
    #[error(transparent)]
    Update(#[from] update::Error),
    /// A file of the unit could not be read or written.
    #[error("cannot {doing} ({said}); see whether the unit's storage can be written")]
    Disk {
        /// What was being done.
        doing: &'static str,
        /// What the system said.
        said: String,
    },
    /// It is not known which version runs.
    #[error(
        "process {process} belongs to somebody else, so it is not known which version runs; start signpost-fleet as the user of the unit's service"
    )]
    Stranger {
        /// The process that could not be looked at.
        process: u32,
    },
    /// Both versions run.
    #[error("versions of both slots run at once; restart the unit first")]
    Both,
    /// The unit could not be restarted.
    #[error(
        "`{command}` did not restart the unit ({said}); restart it by hand, and correct `restart` in fleet.toml"
    )]
    Restart {
        /// What was run.
        command: String,
        /// What became of it.
        said: String,
    },
    /// The broker does not answer.
    #[error("the MQTT broker {broker} cannot be reached ({said}); see whether it runs and takes this user")]
    Broker {
        /// Its address.
        broker: String,
        /// What was said.
        said: String,
    },
    /// The line to the broker cannot be encrypted, or leads to somebody else.
    #[error(
        "the MQTT broker {broker} is not trusted ({said}); put the certificate of the authority that signed the broker's into [health] of fleet.toml, and compare its host"
    )]
    Untrusted {
        /// Its address.
        broker: String,
        /// What was said.
        said: String,
    },
}

impl Error {
    /// Whether the same would be said of the next try: the action has failed then, and the server hears it.
    pub fn is_final(&self) -> bool {
        match self {
            Self::Bundle(_) | Self::NoBundle { .. } | Self::Name { .. } | Self::Room { .. } => true,
            // Somebody else's version is on trial, or waits for its restart.
            Self::Update(error) => !matches!(error, update::Error::OnTrial | update::Error::Restart),
            _ => false,
        }
    }

    /// Whether a download failed on its way; that is tried again, but not for ever.
    pub fn is_of_the_way(&self) -> bool {
        matches!(self, Self::Unreachable { .. } | Self::Answer { .. } | Self::Spoiled { .. })
    }
}
