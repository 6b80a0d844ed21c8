//! What a file may cost. All are constants: the same file has the same text everywhere.

/// The largest file that is looked into, in bytes.
pub const MAX_FILE_BYTES: usize = 64 * 1024 * 1024;

/// The longest text that is given back, in characters. Of a longer one it is the beginning.
pub const MAX_CHARACTERS: usize = 4 * 1024 * 1024;

/// What the parts of a zipped document may unpack to, in bytes, all that are read taken together.
///
/// Parts are read as streams, so that this bounds time more than memory: an ordinary document unpacks to ten times
/// its size, a bomb to a thousand times.
pub const MAX_UNPACKED_BYTES: u64 = 256 * 1024 * 1024;

/// What a part that must be in memory as a whole (a spreadsheet's shared texts, a chapter, a list of relations) may
/// unpack to, in bytes.
pub const MAX_PART_BYTES: u64 = 48 * 1024 * 1024;

/// How many entries a zipped document may have.
pub const MAX_PARTS: usize = 20_000;

/// How many pixels a picture may have of which an image is made.
pub const MAX_PIXELS: u64 = 40_000_000;

/// What such a picture may unpack to, in bytes.
pub const MAX_PICTURE_BYTES: u64 = 160 * 1024 * 1024;

/// The longest side of an image, in pixels.
pub const MAX_IMAGE_SIDE: u32 = 2_048;

/// The longest image, in bytes.
pub const MAX_IMAGE_BYTES: usize = 4_000_000;

/// How deeply the elements of an XML document may be nested.
pub const MAX_DEPTH: usize = 512;

/// How many cells of a spreadsheet are read, empty ones among them.
pub const MAX_CELLS: usize = 8 * 1024 * 1024;

/// What one stream of a PDF may unpack to, in bytes. Larger ones are left out.
pub const MAX_STREAM_BYTES: usize = 48 * 1024 * 1024;

/// What the streams of a PDF may unpack to, in bytes, counted as often as they are drawn. The rest is left out.
pub const MAX_STREAMS_BYTES: usize = 512 * 1024 * 1024;

/// How many instructions of a PDF are carried out. The rest is left out.
pub const MAX_INSTRUCTIONS: usize = 40_000_000;

/// How deeply drawings of a PDF may be nested (forms in forms).
pub const MAX_FORM_DEPTH: usize = 24;

/// How many fields and annotations of a PDF are read.
pub const MAX_FIELDS: usize = 20_000;
