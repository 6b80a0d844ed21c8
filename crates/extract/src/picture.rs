//! What models are sent of a picture: an image of bounded size, upright, without metadata.
//!
//! Of a picture that moves it is the first frame. What is opaque becomes JPEG, and PNG what can be seen through.

use std::io::Cursor;

use image::codecs::jpeg::JpegEncoder;
use image::codecs::png::{CompressionType, FilterType, PngEncoder};
use image::error::{LimitError, LimitErrorKind, ParameterError, ParameterErrorKind};
use image::metadata::Orientation;
use image::{
    ColorType, ExtendedColorType, ImageBuffer, ImageDecoder, ImageEncoder, ImageError, ImageFormat,
    ImageReader, ImageResult, Limits, Pixel, Rgb, RgbImage, RgbaImage, imageops,
};

use crate::Failure;
use crate::limits::{MAX_IMAGE_BYTES, MAX_IMAGE_SIDE, MAX_PICTURE_BYTES, MAX_PIXELS};

/// The longest side of a picture that is unpacked, in pixels. A longer one has other dimensions than anybody sees.
const MAX_SIDE: u32 = 50_000;

/// The qualities of JPEG that are tried one after the other, until the image is short enough.
const QUALITIES: [u8; 3] = [87, 75, 60];

/// An image, as models take it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Image {
    /// `image/jpeg` or `image/png`.
    pub media_type: &'static str,
    /// In pixels, at most [`MAX_IMAGE_SIDE`].
    pub width: u32,
    /// In pixels, at most [`MAX_IMAGE_SIDE`].
    pub height: u32,
    /// At most [`MAX_IMAGE_BYTES`].
    pub bytes: Vec<u8>,
}

/// The image of a picture. `None`: the file is none in PNG, JPEG, GIF or WebP.
///
/// # Errors
/// When the picture is damaged, or larger than the limits allow.
pub fn image(bytes: &[u8]) -> Option<Result<Image, Failure>> {
    let format = image::guess_format(bytes).ok()?;
    let what = match format {
        ImageFormat::Png => "a picture (PNG)",
        ImageFormat::Jpeg => "a picture (JPEG)",
        ImageFormat::Gif => "a picture (GIF)",
        ImageFormat::WebP => "a picture (WebP)",
        _ => return None,
    };
    let image = unpack(bytes, format).and_then(pack);
    Some(image.map_err(|error| match error {
        ImageError::Limits(_) => Failure::LargePicture(what),
        _ => Failure::BrokenPicture(what),
    }))
}

/// A picture in memory. The crate's own type for all kinds of pixels, `DynamicImage`, brings conversions between all of
/// them, with colour management: half a megabyte of the component.
enum Picture {
    Opaque(RgbImage),
    Translucent(RgbaImage),
}

/// The picture, upright and not larger than an image may be.
fn unpack(bytes: &[u8], format: ImageFormat) -> ImageResult<Picture> {
    let mut limits = Limits::default();
    limits.max_image_width = Some(MAX_SIDE);
    limits.max_image_height = Some(MAX_SIDE);
    limits.max_alloc = Some(MAX_PICTURE_BYTES);
    let mut reader = ImageReader::with_format(Cursor::new(bytes), format);
    reader.limits(limits);
    let mut decoder = reader.into_decoder()?;
    let (width, height) = decoder.dimensions();
    let pixels = u64::from(width) * u64::from(height);
    if pixels > MAX_PIXELS || decoder.total_bytes() > MAX_PICTURE_BYTES {
        return Err(too_large());
    }
    // What is wrong with metadata is no reason to leave the picture out.
    let orientation = decoder.orientation().unwrap_or(Orientation::NoTransforms);
    let color = decoder.color_type();
    let total = usize::try_from(decoder.total_bytes()).map_err(|_| too_large())?;
    let mut raw = vec![0; total];
    decoder.read_image(&mut raw)?;
    let picture = Picture::new(width, height, color, raw)?.shrunk(MAX_IMAGE_SIDE);
    Ok(match picture {
        Picture::Opaque(image) => Picture::Opaque(upright(image, orientation)),
        Picture::Translucent(image) => Picture::Translucent(upright(image, orientation)),
    })
}

fn too_large() -> ImageError {
    let kind = LimitErrorKind::DimensionError;
    ImageError::Limits(LimitError::from_kind(kind))
}

impl Picture {
    /// Of pixels as a decoder gives them: 8 bits for each value, or 16 of the machine's order, whose upper half is taken.
    fn new(width: u32, height: u32, color: ColorType, mut raw: Vec<u8>) -> ImageResult<Self> {
        let values = match color {
            ColorType::L8 | ColorType::La8 | ColorType::Rgb8 | ColorType::Rgba8 => raw,
            ColorType::L16 | ColorType::La16 | ColorType::Rgb16 | ColorType::Rgba16 => {
                let count = raw.len() / 2;
                for at in 0..count {
                    raw[at] = (u16::from_ne_bytes([raw[2 * at], raw[2 * at + 1]]) >> 8) as u8;
                }
                raw.truncate(count);
                raw
            }
            _ => return Err(unknown()),
        };
        let picture = match color.channel_count() {
            1 => {
                let rgb = values.iter().flat_map(|grey| [*grey; 3]).collect();
                RgbImage::from_raw(width, height, rgb).map(Self::Opaque)
            }
            2 => {
                let pairs = values.as_chunks::<2>().0.iter();
                let rgba = pairs.flat_map(|[grey, alpha]| [*grey, *grey, *grey, *alpha]);
                RgbaImage::from_raw(width, height, rgba.collect()).map(Self::Translucent)
            }
            3 => RgbImage::from_raw(width, height, values).map(Self::Opaque),
            _ => RgbaImage::from_raw(width, height, values).map(Self::Translucent),
        };
        picture.ok_or_else(unknown)
    }

    fn dimensions(&self) -> (u32, u32) {
        match self {
            Self::Opaque(image) => image.dimensions(),
            Self::Translucent(image) => image.dimensions(),
        }
    }

    /// The picture with sides of at most so many pixels. The way takes no memory but for the result.
    fn shrunk(self, side: u32) -> Self {
        let (width, height) = self.dimensions();
        let longest = width.max(height);
        if longest <= side {
            return self;
        }
        let scaled = |length: u32| {
            let scaled = f64::from(length) * f64::from(side) / f64::from(longest);
            (scaled.round() as u32).max(1)
        };
        let (width, height) = (scaled(width), scaled(height));
        match self {
            Self::Opaque(image) => Self::Opaque(imageops::thumbnail(&image, width, height)),
            Self::Translucent(image) => {
                Self::Translucent(imageops::thumbnail(&image, width, height))
            }
        }
    }
}

/// A kind of pixels that none of the formats has.
fn unknown() -> ImageError {
    let kind = ParameterErrorKind::DimensionMismatch;
    ImageError::Parameter(ParameterError::from_kind(kind))
}

/// The image as its metadata says that it is looked at.
fn upright<P: Pixel + 'static>(
    image: ImageBuffer<P, Vec<P::Subpixel>>,
    orientation: Orientation,
) -> ImageBuffer<P, Vec<P::Subpixel>> {
    match orientation {
        Orientation::NoTransforms => image,
        Orientation::Rotate90 => imageops::rotate90(&image),
        Orientation::Rotate180 => imageops::rotate180(&image),
        Orientation::Rotate270 => imageops::rotate270(&image),
        Orientation::FlipHorizontal => imageops::flip_horizontal(&image),
        Orientation::FlipVertical => imageops::flip_vertical(&image),
        Orientation::Rotate90FlipH => imageops::flip_horizontal(&imageops::rotate90(&image)),
        Orientation::Rotate270FlipH => imageops::flip_horizontal(&imageops::rotate270(&image)),
    }
}

fn pack(mut picture: Picture) -> ImageResult<Image> {
    loop {
        let image = match &picture {
            Picture::Opaque(image) => jpeg(image)?,
            Picture::Translucent(image) if image.pixels().any(|pixel| pixel.0[3] < u8::MAX) => {
                png(image)?
            }
            Picture::Translucent(image) => jpeg(&without_alpha(image))?,
        };
        if image.bytes.len() <= MAX_IMAGE_BYTES {
            return Ok(image);
        }
        let side = image.width.max(image.height) / 4 * 3;
        picture = picture.shrunk(side.max(1));
    }
}

fn without_alpha(image: &RgbaImage) -> RgbImage {
    RgbImage::from_fn(image.width(), image.height(), |x, y| {
        let [red, green, blue, _] = image.get_pixel(x, y).0;
        Rgb([red, green, blue])
    })
}

fn png(picture: &RgbaImage) -> ImageResult<Image> {
    let (width, height) = picture.dimensions();
    let mut bytes = Vec::new();
    let encoder =
        PngEncoder::new_with_quality(&mut bytes, CompressionType::Default, FilterType::Adaptive);
    encoder.write_image(picture, width, height, ExtendedColorType::Rgba8)?;
    let media_type = "image/png";
    Ok(Image {
        media_type,
        width,
        height,
        bytes,
    })
}

fn jpeg(picture: &RgbImage) -> ImageResult<Image> {
    let (width, height) = picture.dimensions();
    let mut bytes = Vec::new();
    for quality in QUALITIES {
        bytes.clear();
        let encoder = JpegEncoder::new_with_quality(&mut bytes, quality);
        encoder.write_image(picture, width, height, ExtendedColorType::Rgb8)?;
        if bytes.len() <= MAX_IMAGE_BYTES {
            break;
        }
    }
    let media_type = "image/jpeg";
    Ok(Image {
        media_type,
        width,
        height,
        bytes,
    })
}
