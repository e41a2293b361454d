//! An authority that signs certificates, for tests of who trusts whom; by the `openssl` program.

#![allow(clippy::unwrap_used, reason = "the helpers of tests are tests")]

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use models::store::program_on_path;

use crate::text;

/// Both halves of what somebody proves who they are with; of an authority, or of whom it vouches for.
#[derive(Debug)]
pub struct Identity {
    /// The certificate (PEM).
    pub cert: PathBuf,
    /// The secret key (PEM).
    pub key: PathBuf,
}

impl Identity {
    /// An authority; its files lie in a folder. None where `openssl` is not installed.
    ///
    /// # Panics
    /// Where it fails.
    pub fn authority(folder: &Path, name: &str) -> Option<Self> {
        program_on_path("openssl")?;
        let own = Self::within(folder, name);
        let asked = ["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", &subject(name)];
        openssl(&[&asked[..], &["-keyout", text(&own.key), "-out", text(&own.cert)]].concat());
        Some(own)
    }

    /// Somebody whom this authority vouches for, beside it, at this computer's own address.
    ///
    /// # Panics
    /// Where `openssl` fails.
    pub fn sign(&self, name: &str) -> Self {
        let folder = self.cert.parent().unwrap();
        let own = Self::within(folder, name);
        let [request, more] = ["csr", "ext"].map(|kind| folder.join(format!("{name}.{kind}")));
        let asked = ["req", "-newkey", "rsa:2048", "-nodes", "-subj", &subject(name)];
        openssl(&[&asked[..], &["-keyout", text(&own.key), "-out", text(&request)]].concat());
        std::fs::write(&more, "basicConstraints=CA:FALSE\nsubjectAltName=IP:127.0.0.1\n").unwrap();
        let signed = ["x509", "-req", "-days", "2", "-CAcreateserial", "-extfile", text(&more)];
        let by = ["-CA", text(&self.cert), "-CAkey", text(&self.key)];
        openssl(&[&signed[..], &by, &["-in", text(&request), "-out", text(&own.cert)]].concat());
        own
    }

    fn within(folder: &Path, name: &str) -> Self {
        let [cert, key] = ["pem", "key"].map(|kind| folder.join(format!("{name}.{kind}")));
        Self { cert, key }
    }
}

fn subject(name: &str) -> String {
    format!("/CN={name}")
}

fn openssl(args: &[&str]) {
    let output = Command::new("openssl").args(args).stdin(Stdio::null()).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}
