//! Generates the bindings of the interface that the component exports, from the WIT definition that components import it
//! by: that of the `spin-sdk` crate.

use std::{env, fs, path::PathBuf};

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-changed=../../Cargo.lock");
    let interface = kafka_build_tool::interfaces().join("spin-sqlite@3.1.0");
    let code = format!(
        r##"spin_sdk::wit_bindgen::generate!({{
    path: {interface:?},
    inline: r#"
        package kafka:sqlite-http;
        world provider {{
            export spin:sqlite/sqlite@3.1.0;
        }}
    "#,
    world: "kafka:sqlite-http/provider",
    runtime_path: "spin_sdk::wit_bindgen::rt",
}});
"##
    );
    let out = PathBuf::from(env::var_os("OUT_DIR").expect("cargo sets OUT_DIR"));
    fs::write(out.join("bindings.rs"), code).expect("OUT_DIR is writable");
}
