//! Strips the component: a package whose optimisation level is set apart in Cargo.toml loses the profile's `strip`.

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rustc-cdylib-link-arg=--strip-all");
}
