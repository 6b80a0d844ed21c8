//! Files that only their owner may read: databases, and what they are copied to. Their owner is that of the folder
//! they are in.

use anyhow::{Context, bail};
use rustix::process::geteuid;
use std::{
    fs::{self, DirBuilder, File, OpenOptions, Permissions},
    io,
    os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt, PermissionsExt, lchown},
    path::Path,
};

/// Makes a new file, which only its owner may read and write.
///
/// # Errors
/// When there is one of that name, or it can't be made.
pub fn create(path: &Path) -> io::Result<File> {
    let file = OpenOptions::new()
        .read(true)
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path)?;
    give_to_owner(path);
    Ok(file)
}

/// Makes sure that what another file is to replace is a file, or nothing: no device, no link.
///
/// # Errors
/// When it is something else.
pub fn check_place(path: &Path) -> anyhow::Result<()> {
    match path.symlink_metadata() {
        Ok(there) if !there.is_file() => bail!("{} is there, and is no file", path.display()),
        _ => Ok(()),
    }
}

/// Makes a folder that only its owner may use, unless it is there, and those that it is in.
pub fn create_folder(path: &Path) -> anyhow::Result<()> {
    DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(path)
        .with_context(|| format!("can't create the folder {}", path.display()))
}

/// Gives a file that root made to the owner of its folder, as SQLite does with its files. Where root may not do that,
/// in some containers for instance, it stays with root, and the server runs as root too.
pub fn give_to_owner(made: &Path) {
    if !geteuid().is_root() {
        return;
    }
    if let Ok(owner) = fs::metadata(folder_of(made)) {
        // Of the thing itself: the owner may have put a link there meanwhile.
        let _ = lchown(made, Some(owner.uid()), Some(owner.gid()));
    }
}

/// The folder that something is in.
#[must_use]
pub fn folder_of(path: &Path) -> &Path {
    match path.parent() {
        Some(folder) if folder != Path::new("") => folder,
        _ => Path::new("."),
    }
}

/// Takes from all others what they may do with a file that was made without this care. It stays as it is where that
/// can't be done, for instance because it is another user's, or missing.
pub fn keep(path: &Path) {
    let Ok(file) = fs::symlink_metadata(path) else {
        return;
    };
    let mode = file.permissions().mode();
    // Not what a link leads to: root must not be led to a file that is none of ours.
    if file.is_file() && mode & 0o077 != 0 {
        let _ = fs::set_permissions(path, Permissions::from_mode(mode & !0o077));
    }
}
