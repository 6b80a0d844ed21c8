//! Space on the disk: a full disk is noticed, and a reserve is kept for statements that free space.
//!
//! A file in the state folder is that reserve. When the disk is full it is removed; when there is space again, it is
//! made again. The space that it leaves is for deleting, which SQLite does by writing to its log, and for moving the
//! log into the databases. So while the disk counts as full, no database grows by more than a little (`pool`): what
//! needs more is refused at once, whatever has room in pages that were freed is not.

use super::error::is_full;
use crate::{private, thread::Caretaker};
use rustix::fs::{FallocateFlags, StatVfs, fallocate, statvfs};
use std::{
    fs::{self, File},
    io::{self, Write},
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering::Relaxed},
    },
    time::Duration,
};

/// The file that keeps room.
const RESERVE: &str = "reserve";
/// Its bytes: several parts of a deletion, and the log of a busy database until it is moved.
const RESERVE_BYTES: u64 = 16 * 1024 * 1024;
/// With less room than this, beside the reserve, the disk counts as full.
const LOW: u64 = 4 * 1024 * 1024;
/// With less, the reserve is needed.
const NOTHING: u64 = 1024 * 1024;
/// With so much room the disk is not full any more: enough for the reserve, and as much again.
const ENOUGH: u64 = 2 * RESERVE_BYTES;
/// How often to look.
const LOOK: Duration = Duration::from_secs(1);

/// The room in a folder, looked at until this is dropped.
#[derive(Debug)]
pub struct Space {
    shared: Arc<Shared>,
    _thread: Caretaker,
}

#[derive(Debug)]
struct Shared {
    folder: PathBuf,
    full: AtomicBool,
}

impl Space {
    /// Looks after the folder. If there is not enough room for the reserve, its disk counts as full from the start.
    pub fn watch(folder: &Path) -> io::Result<Arc<Self>> {
        let shared = Arc::new(Shared {
            folder: folder.to_owned(),
            full: AtomicBool::new(false),
        });
        private::keep(&folder.join(RESERVE));
        shared.look();
        let thread = Caretaker::start("disk-space", {
            let shared = shared.clone();
            move |pauses| {
                while pauses.wait(LOOK) {
                    shared.look();
                }
            }
        })?;
        Ok(Arc::new(Self {
            shared,
            _thread: thread,
        }))
    }

    /// Whether the disk counts as full.
    #[must_use]
    pub fn is_full(&self) -> bool {
        self.shared.full.load(Relaxed)
    }

    /// To be called when something could not be written for want of room: from now on the disk counts as full, and
    /// there is the room that was kept.
    pub fn ran_out(&self) {
        self.shared.is_full_now();
        self.shared.release();
    }
}

impl Shared {
    /// Sees how much room there is, and keeps the reserve or gives it up.
    fn look(&self) {
        // Where it is not known how much there is, writing shows whether there is enough.
        let free = statvfs(&self.folder).map_or(u64::MAX, |disk| free(&disk));
        if self.has_reserve() {
            if free < NOTHING {
                self.release();
            }
            match free {
                ..LOW => self.is_full_now(),
                RESERVE_BYTES.. => self.is_full_no_more(),
                _ => {}
            }
        } else if free < ENOUGH {
            self.is_full_now();
        } else {
            match self.reserve() {
                Ok(()) => self.is_full_no_more(),
                Err(error) if is_full(&error) => self.is_full_now(),
                // For instance because it must not be made: no reason to refuse what can be written.
                Err(error) => {
                    if self.full.load(Relaxed) {
                        tracing::warn!("can't keep room in {}: {error}", self.folder.display());
                    }
                    self.is_full_no_more();
                }
            }
        }
    }

    fn is_full_now(&self) {
        if !self.full.swap(true, Relaxed) {
            tracing::error!(
                "the disk of {} is full: what needs room is refused until there is some. Reading and deleting go on",
                self.folder.display()
            );
        }
    }

    fn is_full_no_more(&self) {
        if self.full.swap(false, Relaxed) {
            tracing::info!(
                "there is room on the disk of {} again",
                self.folder.display()
            );
        }
    }

    /// Whether the reserve is there, and all of it takes room.
    fn has_reserve(&self) -> bool {
        let file = fs::symlink_metadata(self.folder.join(RESERVE));
        // A block of these is 512 bytes, whatever the disk's are.
        file.is_ok_and(|file| file.len() >= RESERVE_BYTES && file.blocks() * 512 >= RESERVE_BYTES)
    }

    fn release(&self) {
        // There may be none, as after the first time.
        let _ = fs::remove_file(self.folder.join(RESERVE));
    }

    fn reserve(&self) -> io::Result<()> {
        let path = self.folder.join(RESERVE);
        self.release();
        let file = private::create(&path)?;
        let made = fill(&file);
        if made.is_err() {
            self.release();
        }
        made
    }
}

/// Bytes that this process may still write.
fn free(disk: &StatVfs) -> u64 {
    disk.f_bavail.saturating_mul(disk.f_frsize)
}

/// Takes the room: by asking for it, or, where a file system does not know that, by writing.
fn fill(mut file: &File) -> io::Result<()> {
    match fallocate(file, FallocateFlags::empty(), 0, RESERVE_BYTES) {
        Err(rustix::io::Errno::OPNOTSUPP | rustix::io::Errno::NOSYS) => {
            let zeros = [0; 64 * 1024];
            for _ in 0..RESERVE_BYTES / zeros.len() as u64 {
                file.write_all(&zeros)?;
            }
            file.sync_data()
        }
        taken => Ok(taken?),
    }
}
