//! Files for nobody's eyes but their owner's: databases, and what they are copied to.

use std::{
    fs::{self, File, OpenOptions, Permissions},
    io,
    os::unix::fs::{OpenOptionsExt, PermissionsExt},
    path::Path,
};

/// Makes a new file, which only its owner may read and write.
///
/// # Errors
/// When there is one of that name, or it can't be made.
pub fn create(path: &Path) -> io::Result<File> {
    OpenOptions::new()
        .read(true)
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path)
}

/// Takes from all others what they may do with a file that was made without this care. It stays as it is where that can't
/// be done, for instance because it is somebody else's, or missing.
pub fn keep(path: &Path) {
    let Ok(file) = fs::metadata(path) else {
        return;
    };
    let mode = file.permissions().mode();
    if mode & 0o077 != 0 {
        let _ = fs::set_permissions(path, Permissions::from_mode(mode & !0o077));
    }
}
