//! What models are sent of a picture: an image of bounded size, upright, without metadata.
//!
//! Of a picture that moves it is the first frame. What is opaque becomes JPEG, and PNG what can be seen through.

use std::io::Cursor;

use image::codecs::jpeg::JpegEncoder;
use image::codecs::png::{CompressionType, FilterType, PngEncoder};
use image::metadata::Orientation;
use image::{
    DynamicImage, ExtendedColorType, ImageDecoder, ImageEncoder, ImageError, ImageFormat,
    ImageReader, ImageResult, Limits, RgbImage, RgbaImage,
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

/// The picture, upright and not larger than an image may be.
fn unpack(bytes: &[u8], format: ImageFormat) -> ImageResult<DynamicImage> {
    let too_large = || {
        let kind = image::error::LimitErrorKind::DimensionError;
        ImageError::Limits(image::error::LimitError::from_kind(kind))
    };
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
    let mut picture = shrink(DynamicImage::from_decoder(decoder)?, MAX_IMAGE_SIDE);
    picture.apply_orientation(orientation);
    Ok(picture)
}

/// The picture with sides of at most so many pixels.
fn shrink(picture: DynamicImage, side: u32) -> DynamicImage {
    match picture.width().max(picture.height()) > side {
        // Its way takes no memory but for the result.
        true => picture.thumbnail(side, side),
        false => picture,
    }
}

fn pack(mut picture: DynamicImage) -> ImageResult<Image> {
    loop {
        let rgba = picture.color().has_alpha().then(|| picture.to_rgba8());
        let rgba = rgba.filter(|rgba| rgba.pixels().any(|pixel| pixel.0[3] < u8::MAX));
        let image = match rgba {
            Some(rgba) => png(&rgba)?,
            None => jpeg(&picture.to_rgb8())?,
        };
        if image.bytes.len() <= MAX_IMAGE_BYTES {
            return Ok(image);
        }
        let side = image.width.max(image.height) / 4 * 3;
        picture = shrink(picture, side.max(1));
    }
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
