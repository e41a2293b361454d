//! The settings of a unit that is one of many: one TOML file beside its slots.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use boards::Board;
use serde::Deserialize;

use crate::Error;

/// Within the unit's root, where no other file is named.
pub const FILE: &str = "fleet.toml";
/// A file of settings has a few lines. Bytes.
const LIMIT: u64 = 64 << 10;

/// What `fleet.toml` says. A key that this program does not know is an error.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// The server's address, for example `https://updates.example.org`.
    pub server: String,
    /// The tenant on the server.
    #[serde(default = "tenant")]
    pub tenant: String,
    /// What the server calls this unit.
    pub controller: String,
    /// The secret that lets this unit in; or [`Config::gateway_token`].
    pub token: Option<String>,
    /// The secret that all units of the tenant share.
    pub gateway_token: Option<String>,
    /// The certificate (PEM) that the server must have, where it is not one that the system trusts.
    pub certificate: Option<String>,
    /// Rollouts that want to be confirmed are confirmed by the unit itself; otherwise somebody does it on the server.
    #[serde(default)]
    pub confirm: bool,
    /// What starts the unit's program anew.
    #[serde(default = "restart")]
    pub restart: Vec<String>,
    /// Whom the unit tells how it is; nobody where it is not there.
    pub health: Option<Health>,
}

/// An MQTT broker.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Health {
    /// Its computer.
    pub host: String,
    /// Its port: 1883 by custom, 8883 with TLS.
    #[serde(default = "port")]
    pub port: u16,
    /// Whether the line is encrypted.
    #[serde(default)]
    pub tls: bool,
    /// The certificate (PEM) of the authority that signed the broker's, where it is not one that the system trusts.
    pub certificate: Option<String>,
    /// Where health is published; `signpost/<controller>/health` where not given.
    pub topic: Option<String>,
    /// How often. Seconds.
    #[serde(default = "every_s")]
    pub every_s: u32,
    /// The user, where the broker asks for one.
    pub user: Option<String>,
    /// Their password.
    pub password: Option<String>,
    /// The file that the unit's program writes its health into: its `--health`.
    #[serde(default = "file")]
    pub file: PathBuf,
}

fn tenant() -> String {
    "DEFAULT".into()
}

fn restart() -> Vec<String> {
    ["systemctl", "restart", "signpost.service"].map(String::from).into()
}

fn port() -> u16 {
    1883
}

fn every_s() -> u32 {
    60
}

fn file() -> PathBuf {
    "/run/signpost/health.json".into()
}

impl Config {
    /// Reads a file that nobody else can read.
    ///
    /// # Errors
    /// [`Error::Config`], [`Error::Open`].
    pub fn read(path: &Path) -> Result<Self, Error> {
        let wrong = |said: String| Error::Config { path: path.into(), said };
        let meta = fs::metadata(path).map_err(|e| wrong(e.to_string()))?;
        if meta.len() > LIMIT {
            return Err(wrong("it is too large to be a file of settings".into()));
        }
        if meta.permissions().mode() & 0o077 != 0 {
            return Err(Error::Open { path: path.into() });
        }
        let text = fs::read_to_string(path).map_err(|e| wrong(e.to_string()))?;
        Self::parse(&text).map_err(wrong)
    }

    /// Reads settings out of text.
    ///
    /// # Errors
    /// What is wrong, in one line.
    pub fn parse(text: &str) -> Result<Self, String> {
        let config: Self = toml::from_str(text).map_err(|e| e.message().replace('\n', " "))?;
        let plain = |text: &str| {
            !text.is_empty() && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.:".contains(&b))
        };
        for (name, value) in [("tenant", &config.tenant), ("controller", &config.controller)] {
            if !plain(value) {
                return Err(format!("`{name}` has letters, digits and -_.: only"));
            }
        }
        if config.token.is_some() == config.gateway_token.is_some() {
            return Err("either `token` or `gateway_token` is wanted".into());
        }
        // Without it a token would be sent in clear text to whoever answers.
        let here = ["http://127.0.0.1", "http://localhost"].iter().any(|h| config.server.starts_with(h));
        if !config.server.starts_with("https://") && !here {
            return Err("`server` begins with https://".into());
        }
        if config.restart.is_empty() {
            return Err("`restart` names a command".into());
        }
        if let Some(health) = &config.health {
            if health.every_s == 0 {
                return Err("`every_s` is at least 1".into());
            }
            // Who names one means that the line is encrypted.
            if health.certificate.is_some() && !health.tls {
                return Err("`certificate` of [health] wants `tls = true`".into());
            }
        }
        Ok(config)
    }

    /// Where health is published.
    pub fn topic(&self) -> String {
        let named = self.health.as_ref().and_then(|health| health.topic.clone());
        named.unwrap_or_else(|| format!("signpost/{}/health", self.controller))
    }
}

/// The unit's root: the board's, where no other is named.
pub fn root(board: &Board, named: Option<&Path>) -> PathBuf {
    named.map_or_else(|| PathBuf::from(&board.storage.root), Into::into)
}

#[cfg(test)]
mod tests {
    use super::*;

    const LEAST: &str =
        "server = \"https://updates.example.org\"\ncontroller = \"counter-7\"\ntoken = \"secret\"\n";

    #[track_caller]
    fn check(more: &str, expect: &str) {
        let said = Config::parse(&format!("{LEAST}{more}")).unwrap_err();
        assert!(said.contains(expect), "{said}");
    }

    #[test]
    fn settings_are_whole_or_refused() {
        let least = Config::parse(LEAST).unwrap();
        assert_eq!((least.tenant.as_str(), least.confirm, least.restart.len()), ("DEFAULT", false, 3));
        assert_eq!(least.topic(), "signpost/counter-7/health");
        let whole = Config::parse(&format!("{LEAST}[health]\nhost = \"b\"\ntopic = \"a/b\"\n")).unwrap();
        assert_eq!((whole.topic().as_str(), whole.health.unwrap().every_s), ("a/b", 60));
        check("colour = 1\n", "unknown field `colour`");
        check("[health]\nhost = \"b\"\ncolour = 1\n", "unknown field `colour`");
        check("gateway_token = \"x\"\n", "either `token` or `gateway_token`");
        check("tenant = \"a/../b\"\n", "`tenant` has letters");
        check("restart = []\n", "`restart` names a command");
        check("[health]\nhost = \"b\"\nevery_s = 0\n", "at least 1");
        check("[health]\nhost = \"b\"\ncertificate = \"x\"\n", "wants `tls = true`");
        let clear = LEAST.replace("https", "http");
        assert!(Config::parse(&clear).unwrap_err().contains("begins with https://"));
    }

    #[test]
    fn a_token_that_others_can_read_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(FILE);
        fs::write(&path, LEAST).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
        let said = Config::read(&path).unwrap_err().to_string();
        assert!(said.contains("can be read by others") && said.contains("chmod 600"), "{said}");
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
        assert_eq!(Config::read(&path).unwrap().controller, "counter-7");
    }
}
