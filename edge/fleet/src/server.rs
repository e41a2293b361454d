//! The server, asked with a deadline for everything.

use std::fs;
use std::future::Future;
use std::path::{Path, PathBuf};
use std::pin::pin;
use std::time::Duration;

use hawkbit::ddi::{self, Artifact, Chunk, Client, ClientAuthorization, Execution, Finished, Reply, Update};
use serde::Serialize;
use tokio::time::timeout;

use crate::{Config, Error};

/// The server answers, and goes on answering, within this time.
const ANSWER: Duration = Duration::from_secs(30);
/// The largest bundle comes over a slow line within this time.
const DOWNLOAD: Duration = Duration::from_secs(6 * 3600);

/// A hawkBit server, as one of its units sees it.
#[derive(Debug)]
pub struct Server(Client);

/// How many steps of an action are done.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct Progress {
    /// So many.
    pub cnt: u32,
    /// Of so many.
    pub of: u32,
}

impl Server {
    /// The server of a unit's settings; nothing is sent yet.
    ///
    /// # Errors
    /// [`Error::Address`].
    pub fn new(config: &Config) -> Result<Self, Error> {
        let way_in = match (&config.token, &config.gateway_token) {
            (Some(token), _) => ClientAuthorization::TargetToken(token.clone()),
            (None, Some(token)) => ClientAuthorization::GatewayToken(token.clone()),
            (None, None) => ClientAuthorization::None,
        };
        let (url, certificate) = (&config.server, config.certificate.as_deref());
        let client =
            Client::new(url, &config.tenant, &config.controller, way_in, certificate, None, Some(ANSWER));
        client.map(Self).map_err(|e| Error::Address { server: url.clone(), said: words(&e) })
    }

    /// Asks what there is to do.
    ///
    /// # Errors
    /// [`Error::Unreachable`], [`Error::Denied`], [`Error::Answer`].
    pub async fn poll(&self) -> Result<Reply, Error> {
        within("ask the server what there is to do", self.0.poll()).await
    }
}

/// Waits for an answer, but not for ever.
///
/// # Errors
/// [`Error::Unreachable`], [`Error::Denied`], [`Error::Answer`].
pub async fn within<T>(
    doing: &'static str,
    asked: impl Future<Output = Result<T, ddi::Error>>,
) -> Result<T, Error> {
    match timeout(2 * ANSWER, asked).await {
        Ok(answer) => answer.map_err(|e| told(doing, &e)),
        Err(_) => Err(late(doing, 2 * ANSWER)),
    }
}

fn late(doing: &'static str, patience: Duration) -> Error {
    Error::Unreachable { doing, said: format!("no answer within {} s", patience.as_secs()) }
}

fn told(doing: &'static str, error: &ddi::Error) -> Error {
    let ddi::Error::ReqwestError(http) = error else {
        return match error {
            ddi::Error::Io(e) => Error::Disk { doing, said: e.to_string() },
            other => Error::Answer { doing, said: words(other) },
        };
    };
    match http.status().map(|status| status.as_u16()) {
        Some(status @ (401 | 403 | 404)) => Error::Denied { status },
        Some(status) => Error::Answer { doing, said: format!("it answered HTTP {status}") },
        None if http.is_decode() => Error::Answer { doing, said: words(error) },
        None => Error::Unreachable { doing, said: words(error) },
    }
}

/// The same of a download: bytes that are missing are the line's fault, and not an answer.
fn broken(doing: &'static str, error: &ddi::Error) -> Error {
    match error {
        ddi::Error::ReqwestError(http) if http.status().is_none() => {
            Error::Unreachable { doing, said: words(error) }
        }
        other => told(doing, other),
    }
}

/// An error with its causes, of which the last says most, in one line.
fn words(error: &dyn std::error::Error) -> String {
    let mut last = error;
    while let Some(cause) = last.source() {
        last = cause;
    }
    last.to_string().replace('\n', " ")
}

/// Tells the server how far an action is, or how it ended.
///
/// # Errors
/// As for [`within`].
pub async fn tell(
    update: &Update,
    execution: Execution,
    finished: Finished,
    progress: Progress,
    said: &str,
) -> Result<(), Error> {
    let sent = update.send_feedback_with_progress(execution, finished, progress, vec![said]);
    within("tell the server how far this unit is", sent).await
}

/// A file of a rollout on this unit's storage.
///
/// What arrived of it before is not asked for again. The call comes back every `look`, so that whoever waits
/// can hear meanwhile that the action was cancelled: `goes_on` says whether it was not.
///
/// # Errors
/// [`Error::NoBundle`], [`Error::Name`], [`Error::Room`], [`Error::Spoiled`]; as for [`within`].
pub async fn download<G: Future<Output = bool>>(
    update: &Update,
    ending: &str,
    folder: &Path,
    free: u64,
    look: Duration,
    goes_on: impl Fn() -> G,
) -> Result<Option<PathBuf>, Error> {
    const DOING: &str = "download the rollout";
    let chunks: Vec<Chunk<'_>> = update.chunks().collect();
    let ours = |artifact: &Artifact<'_>| artifact.filename().ends_with(ending);
    let artifacts: Vec<Artifact<'_>> =
        chunks.iter().flat_map(|chunk| chunk.artifacts()).filter(ours).collect();
    let [artifact] = artifacts.as_slice() else {
        return Err(Error::NoBundle { found: artifacts.len(), wanted: ending.into() });
    };
    let name = artifact.filename();
    if name.contains('/') || name.starts_with('.') {
        return Err(Error::Name { name: name.into() });
    }
    let size = u64::from(artifact.size());
    let part = folder.join(format!("{name}.part"));
    let length = |path: &Path| fs::metadata(path).map_or(0, |meta| meta.len());
    if length(&part) >= size {
        // Nothing of it is left to ask for, and a server refuses to send nothing.
        let _ = fs::remove_file(&part);
    }
    let there = length(&part) + length(&folder.join(name));
    let needed = size.saturating_sub(there);
    if needed > free {
        return Err(Error::Room { needed, free });
    }
    let mut coming = pin!(timeout(DOWNLOAD, artifact.download(folder)));
    let came = loop {
        match timeout(look, &mut coming).await {
            Ok(Ok(came)) => break came.map_err(|e| broken(DOING, &e))?,
            Ok(Err(_)) => return Err(late(DOING, DOWNLOAD)),
            Err(_) if goes_on().await => {}
            Err(_) => return Ok(None),
        }
    };
    if came.check_sha256().await.is_err() {
        // What was put together of two files is thrown away as well.
        let _ = fs::remove_file(came.file());
        return Err(Error::Spoiled { name: name.into() });
    }
    Ok(Some(came.file().clone()))
}
