//! Images of pictures: bounded, upright, without metadata.

use std::io::Cursor;

use image::codecs::gif::GifEncoder;
use image::{DynamicImage, Frame, ImageFormat, Rgb, RgbImage, Rgba, RgbaImage};
use kafka_extract::limits::{MAX_IMAGE_BYTES, MAX_IMAGE_SIDE};
use kafka_extract::{Failure, Image, image};

fn encoded(picture: &DynamicImage, format: ImageFormat) -> Vec<u8> {
    let mut bytes = Vec::new();
    picture
        .write_to(&mut Cursor::new(&mut bytes), format)
        .expect("a picture");
    bytes
}

fn made(bytes: &[u8]) -> Image {
    image(bytes).expect("a picture").expect("an image")
}

/// A picture whose left half is red, and the right one blue.
fn two_halves(width: u32, height: u32) -> DynamicImage {
    let color = |x, _| match x < width / 2 {
        true => Rgb([255, 0, 0]),
        false => Rgb([0, 0, 255]),
    };
    RgbImage::from_fn(width, height, color).into()
}

fn decoded(image: &Image) -> RgbImage {
    let picture = image::load_from_memory(&image.bytes).expect("it can be read");
    assert_eq!(
        (picture.width(), picture.height()),
        (image.width, image.height)
    );
    picture.into_rgb8()
}

fn is_red(pixel: &Rgb<u8>) -> bool {
    pixel.0[0] > 200 && pixel.0[2] < 60
}

/// A JPEG with the orientation 6 in its metadata: to be turned by a quarter to the right. There is a place in it, too.
fn turned(jpeg: &[u8]) -> Vec<u8> {
    let mut exif = b"Exif\0\0MM\0*\0\0\0\x08\0\x01".to_vec();
    // Tag 0x0112 of the type short, one value.
    exif.extend(b"\x01\x12\0\x03\0\0\0\x01\0\x06\0\0\0\0\0\0secret place");
    let length = u16::try_from(exif.len() + 2).expect("short").to_be_bytes();
    let segment = [&b"\xff\xe1"[..], &length, &exif].concat();
    [&jpeg[..2], &segment, &jpeg[2..]].concat()
}

#[test]
fn a_large_picture_becomes_smaller() {
    for format in [ImageFormat::Png, ImageFormat::Jpeg, ImageFormat::WebP] {
        let image = made(&encoded(&two_halves(3000, 1500), format));
        assert_eq!((image.width, image.height), (MAX_IMAGE_SIDE, 1024));
        assert_eq!(image.media_type, "image/jpeg", "{format:?}");
        let pixels = decoded(&image);
        assert!(is_red(pixels.get_pixel(10, 10)) && !is_red(pixels.get_pixel(2000, 10)));
    }
}

#[test]
fn it_stands_upright_and_has_no_metadata() {
    let jpeg = turned(&encoded(&two_halves(80, 40), ImageFormat::Jpeg));
    let image = made(&jpeg);
    assert_eq!((image.width, image.height), (40, 80));
    let pixels = decoded(&image);
    assert!(is_red(pixels.get_pixel(20, 5)) && !is_red(pixels.get_pixel(20, 75)));
    let has = |bytes: &[u8], text: &[u8]| bytes.windows(text.len()).any(|part| part == text);
    assert!(has(&jpeg, b"secret place"));
    assert!(!has(&image.bytes, b"secret place") && !has(&image.bytes, b"Exif"));
}

#[test]
fn what_can_be_seen_through_is_png() {
    let clear = RgbaImage::from_pixel(30, 20, Rgba([1, 2, 3, 128]));
    let image = made(&encoded(&clear.into(), ImageFormat::Png));
    assert_eq!(
        (image.media_type, image.width, image.height),
        ("image/png", 30, 20)
    );
    let opaque = RgbaImage::from_pixel(30, 20, Rgba([1, 2, 3, 255]));
    assert_eq!(
        made(&encoded(&opaque.into(), ImageFormat::Png)).media_type,
        "image/jpeg"
    );
}

#[test]
fn of_a_moving_picture_it_is_the_first_frame() {
    let mut gif = Vec::new();
    let mut encoder = GifEncoder::new(&mut gif);
    for color in [[255, 0, 0, 255], [0, 0, 255, 255]] {
        let frame = Frame::new(RgbaImage::from_pixel(16, 16, Rgba(color)));
        encoder.encode_frame(frame).expect("a frame");
    }
    drop(encoder);
    assert!(is_red(decoded(&made(&gif)).get_pixel(8, 8)));
}

#[test]
fn the_most_random_picture_is_short_enough() {
    let mut state = 1_u32;
    let mut random = move || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 24) as u8
    };
    let noise = RgbaImage::from_fn(2048, 1600, |_, _| {
        Rgba([random(), random(), random(), random()])
    });
    let image = made(&encoded(&noise.into(), ImageFormat::Png));
    assert_eq!(image.media_type, "image/png");
    assert!(image.bytes.len() <= MAX_IMAGE_BYTES);
}

#[test]
fn what_is_damaged_or_a_bomb_is_named() {
    let png = encoded(&two_halves(400, 400), ImageFormat::Png);
    for broken in [
        &png[..40],
        &png[..png.len() / 2],
        b"\xff\xd8\xff\xe0\0\x10JFIF\0",
        b"GIF89a",
    ] {
        let failure = image(broken)
            .expect("a picture")
            .expect_err("it is damaged");
        assert!(matches!(failure, Failure::BrokenPicture(_)), "{failure}");
    }
    // Its header claims 60,000 × 60,000 pixels; the checksum is right.
    let mut bomb =
        b"\x89PNG\r\n\x1a\n\0\0\0\x0dIHDR\0\0\xea\x60\0\0\xea\x60\x08\x06\0\0\0".to_vec();
    bomb.extend(crc(&bomb[12..]).to_be_bytes());
    bomb.extend(&png[33..]);
    let wide = encoded(&two_halves(8000, 6000), ImageFormat::Png);
    for large in [&bomb[..], &wide] {
        let failure = image(large)
            .expect("a picture")
            .expect_err("it is too large");
        assert!(matches!(failure, Failure::LargePicture(_)), "{failure}");
        assert!(
            failure.to_string().contains("40 million pixels"),
            "{failure}"
        );
    }
    for other in [&b"BM"[..], b"%PDF-1.7", b"hello", b""] {
        assert!(image(other).is_none());
    }
}

/// The checksum of PNG.
fn crc(bytes: &[u8]) -> u32 {
    let mut crc = u32::MAX;
    for byte in bytes {
        crc ^= u32::from(*byte);
        for _ in 0..8 {
            crc = (crc >> 1) ^ (0xedb8_8320 & (crc & 1).wrapping_neg());
        }
    }
    !crc
}
