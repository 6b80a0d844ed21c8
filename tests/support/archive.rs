//! ZIP archives.

use std::io::{Cursor, Read, Write};

use zip::write::SimpleFileOptions;
use zip::{ZipArchive, ZipWriter};

/// The files of an archive: their paths and bytes.
pub type Files = Vec<(String, Vec<u8>)>;

/// The files of an archive, in their order.
pub fn files(archive: Vec<u8>) -> Files {
    let mut archive = ZipArchive::new(Cursor::new(archive)).expect("a ZIP archive");
    let count = archive.len();
    let file = |at| {
        let mut file = archive.by_index(at).expect("a file");
        let mut bytes = Vec::new();
        // Its checksum is compared.
        file.read_to_end(&mut bytes).expect("an undamaged file");
        let name = file.name().expect("a name in Unicode").into_owned();
        (name, bytes)
    };
    (0..count).map(file).collect()
}

/// An archive of these files, with the lengths before them.
pub fn archive(files: &[(impl AsRef<str>, impl AsRef<[u8]>)]) -> Vec<u8> {
    let mut archive = ZipWriter::new(Cursor::new(Vec::new()));
    for (path, bytes) in files {
        let options = SimpleFileOptions::default();
        archive
            .start_file(path.as_ref(), options)
            .expect("it has room");
        archive.write_all(bytes.as_ref()).expect("it has room");
    }
    archive.finish().expect("it has room").into_inner()
}
