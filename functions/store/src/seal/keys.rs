//! Where the sealing keys come from: the variables `secret_key` and `secret_key_old`, else the key-value store, where
//! one is made at first use.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use base64::prelude::{BASE64_URL_SAFE_NO_PAD, Engine};
use kafka_grip::encoding::from_base64;
use spin_sdk::key_value::Store;
use spin_sdk::time;

use super::cipher::Key;
use super::{Binding, unreadable};
use crate::db::{self, Db};
use crate::error::{Error, Result};
use crate::variable::{entries, unusable, variable};

/// The entry of the key-value store that holds the key made at first use: 32 bytes.
const ENTRY: &str = "secret_key";

/// How often a key that was just set is looked for, and how long between.
const LOOKS: u32 = 40;
const BETWEEN_LOOKS: Duration = Duration::from_millis(50);

/// The sealing keys of this instance.
#[derive(Debug)]
pub struct Keys {
    /// Seals.
    current: Key,
    /// Open what they sealed before.
    old: Vec<Key>,
    /// The store's key, which sealed before `secret_key` was set; not set until the store has been read.
    stored: OnceLock<Option<Key>>,
}

impl Keys {
    /// The keys, found on first use.
    ///
    /// [`Error::Unavailable`] if a variable holds no key or the store can't be used; the log says which, and never
    /// what. It may take the database's write lock, so it is to be called before a transaction begins.
    pub async fn get() -> Result<&'static Self> {
        static KEYS: OnceLock<Keys> = OnceLock::new();
        if let Some(keys) = KEYS.get() {
            keys.look_into_store().await;
            return Ok(keys);
        }
        let current = variable("secret_key").await?;
        let old = variable("secret_key_old").await?;
        let configured = Self::parse(&current, &old).map_err(|name| unusable(&not_a_key(name)))?;
        let keys = match configured {
            (Some(current), old) => Self {
                current,
                old,
                stored: OnceLock::new(),
            },
            (None, old) => Self {
                current: made_at_first_use().await?,
                old,
                stored: OnceLock::from(None),
            },
        };
        let keys = KEYS.get_or_init(|| keys);
        keys.look_into_store().await;
        Ok(keys)
    }

    /// Finds the store's key. A store that fails is asked again at the next use; only the first failure is logged.
    async fn look_into_store(&self) {
        static HAS_FAILED: AtomicBool = AtomicBool::new(false);
        if self.is_complete() {
            return;
        }
        match stored().await {
            Ok(key) => drop(self.stored.set(key)),
            Err(fault) => {
                if !HAS_FAILED.swap(true, Ordering::Relaxed) {
                    tracing::error!("a key from before secret_key was set can't be used: {fault}");
                }
            }
        }
    }

    /// Whether the keys are all there are: the store has been read.
    pub fn is_complete(&self) -> bool {
        self.stored.get().is_some()
    }

    /// All keys, the current one first.
    fn all(&self) -> impl Iterator<Item = &Key> {
        let stored = self.stored.get().and_then(Option::as_ref);
        std::iter::once(&self.current)
            .chain(&self.old)
            .chain(stored)
    }

    /// Seals an API key for its binding.
    pub fn seal(&self, binding: Binding<'_>, plain: &str) -> Result<String> {
        let sealed = self.current.seal(binding, plain);
        sealed.ok_or_else(|| unusable("this machine gives no random numbers"))
    }

    /// Opens an API key that was sealed for the same binding. Errors: see [`super::open`].
    pub fn open(&self, binding: Binding<'_>, sealed: &str) -> Result<String> {
        let Some(key) = self.all().find(|key| sealed.starts_with(&key.prefix())) else {
            let reason = "neither secret_key nor secret_key_old nor the key-value store has the key that sealed it";
            return Err(unreadable(binding.row, reason));
        };
        let opened = key.open(binding, sealed);
        opened.ok_or_else(|| {
            let reason = "it was sealed for another owner, model or base URL, or was changed";
            unreadable(binding.row, reason)
        })
    }

    /// A hash of `text` for `purpose`, in base64: without the key no texts can be tried on it, however few there are.
    pub fn hash(&self, purpose: &str, text: &str) -> String {
        BASE64_URL_SAFE_NO_PAD.encode(self.current.hash(purpose, text))
    }

    /// [`Self::hash`], and what it was with each of the keys before.
    pub fn hashes(&self, purpose: &str, text: &str) -> Vec<String> {
        let keys = self.all();
        keys.map(|key| BASE64_URL_SAFE_NO_PAD.encode(key.hash(purpose, text)))
            .collect()
    }

    /// Whether there are keys that only open.
    pub fn has_older(&self) -> bool {
        self.all().nth(1).is_some()
    }

    /// What every text that the current key sealed begins with.
    pub fn current_prefix(&self) -> String {
        self.current.prefix()
    }

    /// The keys that the two variables hold; fails with the name of the one that doesn't hold any.
    fn parse(current: &str, old: &str) -> Result<(Option<Key>, Vec<Key>), &'static str> {
        let key = |text: &str| from_base64(text).and_then(|bytes| Key::new(&bytes));
        let current = match current.trim() {
            "" => None,
            text => Some(key(text).ok_or("secret_key")?),
        };
        let old: Option<Vec<Key>> = entries(old).map(key).collect();
        Ok((current, old.ok_or("secret_key_old")?))
    }
}

fn not_a_key(variable: &str) -> String {
    format!("{variable}: not 32 bytes in base64, as `openssl rand -base64 32` prints them")
}

/// Why the store has no key to use.
#[derive(Debug, thiserror::Error)]
enum Fault {
    #[error("the key-value store \"default\": {0}")]
    Store(#[from] spin_sdk::key_value::Error),
    #[error("the entry {ENTRY:?} of the key-value store is no key")]
    NoKey,
}

impl From<Fault> for Error {
    fn from(fault: Fault) -> Self {
        let problem = fault.to_string();
        if problem.contains("database or disk is full") {
            return db::Error::Full(problem).into();
        }
        unusable(&problem)
    }
}

/// The key in the store. Through a handle of its own each time: a host may keep what was set through one handle to
/// itself for a while.
async fn stored() -> Result<Option<Key>, Fault> {
    let store = Store::open_default().await?;
    let bytes = store.get(ENTRY).await?;
    bytes
        .map(|bytes| Key::new(&bytes).ok_or(Fault::NoKey))
        .transpose()
}

/// The store's key, made if there is none. The store can't compare and set, so the request that makes it holds the database's
/// write lock: of several first uses the second finds what the first made.
async fn made_at_first_use() -> Result<Key> {
    if let Some(key) = stored().await? {
        return Ok(key);
    }
    let mut db = Db::open().await?;
    let lock = db.begin().await?;
    let key = match stored().await? {
        Some(key) => key,
        None => make().await?,
    };
    lock.commit().await?;
    Ok(key)
}

/// Makes the store's key, and returns once others can see it.
async fn make() -> Result<Key> {
    let bytes = Key::random().ok_or_else(|| unusable("this machine gives no random numbers"))?;
    let store = Store::open_default().await.map_err(Fault::from)?;
    store.set(ENTRY, bytes).await.map_err(Fault::from)?;
    for _ in 0..LOOKS {
        if let Some(key) = stored().await? {
            return Ok(key);
        }
        time::sleep(BETWEEN_LOOKS).await;
    }
    Err(unusable(
        "the key-value store does not keep what it is given",
    ))
}

#[cfg(test)]
mod tests {
    use std::sync::OnceLock;

    use super::{Binding, Keys};

    const ONE: &str = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";
    const TWO: &str = "//////////////////////////////////////////8=";
    const BINDING: Binding<'_> = Binding {
        owner: "o",
        row: "r",
        base_url: "u",
    };

    fn keys(current: &str, old: &str) -> Keys {
        let (current, old) = Keys::parse(current, old).unwrap();
        Keys {
            current: current.unwrap(),
            old,
            stored: OnceLock::from(None),
        }
    }

    #[test]
    fn an_old_key_opens_and_the_current_one_seals() {
        let before = keys(ONE, "").seal(BINDING, "secret").unwrap();
        let rotated = keys(TWO, ONE);
        assert_eq!(rotated.open(BINDING, &before).unwrap(), "secret");
        let after = rotated.seal(BINDING, "secret").unwrap();
        assert!(after.starts_with(&rotated.current_prefix()));
        assert!(!before.starts_with(&rotated.current_prefix()));
        assert_eq!(keys(TWO, "").open(BINDING, &after).unwrap(), "secret");
        assert!(keys(TWO, "").open(BINDING, &before).is_err());
        assert!(keys(ONE, "").open(BINDING, &after).is_err());
    }

    #[test]
    fn what_an_old_key_hashed_is_found_again() {
        let before = keys(ONE, "").hash("p", "text");
        let rotated = keys(TWO, ONE);
        assert_eq!(
            rotated.hashes("p", "text"),
            [rotated.hash("p", "text"), before]
        );
    }

    #[test]
    fn variables_hold_keys_or_nothing() {
        assert!(Keys::parse("", "").unwrap().0.is_none());
        assert!(Keys::parse(" \n", "").unwrap().0.is_none());
        assert!(Keys::parse(&format!(" {ONE}\n"), "").unwrap().0.is_some());
        assert_eq!(
            Keys::parse(ONE, &format!("{ONE}, {TWO}")).unwrap().1.len(),
            2
        );
        assert_eq!(Keys::parse("hunter2", "").unwrap_err(), "secret_key");
        assert_eq!(Keys::parse(&ONE[4..], "").unwrap_err(), "secret_key");
        assert_eq!(Keys::parse(ONE, "hunter2").unwrap_err(), "secret_key_old");
    }
}
