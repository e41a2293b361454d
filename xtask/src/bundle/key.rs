//! The secret key that bundles are signed with: minisign's own file, so that its program can make and keep it.

use std::fs::{self, File};
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use anyhow::{Context, anyhow, bail};
use minisign::{KeyPair, SecretKeyBox};
use models::bundle::sign::SigningKey;

use crate::ui::Ui;

/// Where the password of a key may be, so that nobody has to be asked.
const PASSWORD: &str = "SIGNPOST_KEY_PASSWORD";

/// Makes a key and its public half in a folder; a key that is there is never written over.
pub fn make(folder: &Path, ui: &Ui) -> anyhow::Result<()> {
    let [secret, public] = ["signpost.key", "signpost.pub"].map(|name| folder.join(name));
    for path in [&secret, &public] {
        if path.exists() {
            bail!("{} is there already; name another folder with --new-key", path.display());
        }
    }
    let said = || format!("no key can be made in {}; name another folder", folder.display());
    fs::create_dir_all(folder).with_context(said)?;
    let pair = match std::env::var(PASSWORD) {
        Ok(password) if password.is_empty() => KeyPair::generate_unencrypted_keypair(),
        Ok(password) => KeyPair::generate_encrypted_keypair(Some(password)),
        Err(_) => KeyPair::generate_encrypted_keypair(None),
    };
    let pair = pair.map_err(|e| anyhow!("no key can be made ({e}); give its password in {PASSWORD}"))?;
    let write = |path: &Path, mode: u32, text: String| {
        let file = File::options().write(true).create_new(true).mode(mode).open(path);
        file.and_then(|mut file| file.write_all(text.as_bytes())).with_context(said)
    };
    let unwritten = |e: minisign::PError| anyhow!("the key cannot be written ({e}); try again");
    write(&secret, 0o600, pair.sk.to_box(Some("Signpost's bundles")).map_err(unwritten)?.into_string())?;
    write(&public, 0o644, pair.pk.to_box().map_err(unwritten)?.into_string())?;
    ui.answer(&format!("{}: keep it where nobody else can read it, and keep a copy", secret.display()));
    ui.answer(&format!("{}: for each unit, as trusted.pub in its root", public.display()));
    Ok(())
}

/// Reads a key, and decrypts it with its password.
pub fn read(path: &Path) -> anyhow::Result<SigningKey> {
    let text = fs::read_to_string(path)
        .with_context(|| format!("{} cannot be read; name the secret key with --key", path.display()))?;
    let held = || SecretKeyBox::from_string(&text);
    let wrong = |e: minisign::PError| {
        anyhow!(
            "{} is no key, or that is not its password ({e}); give the password in {PASSWORD}",
            path.display()
        )
    };
    let plain = held().and_then(SecretKeyBox::into_unencrypted_secret_key);
    let key = match plain {
        Ok(key) => key,
        Err(_) => {
            held().and_then(|held| held.into_secret_key(std::env::var(PASSWORD).ok())).map_err(wrong)?
        }
    };
    let key = SigningKey::of_minisign(&key.to_bytes());
    key.with_context(|| {
        format!("{} is no Ed25519 key of minisign's; name another with --key", path.display())
    })
}
