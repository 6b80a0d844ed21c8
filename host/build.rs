//! Takes the migrations in, and generates the bindings of the `spin:*` interfaces from the WIT definitions that the
//! `spin-sdk` crate ships, so that host and components are always built from the same ones.

use std::{env, fs, path::PathBuf};

/// The interfaces the host implements, as folders below the SDK's `wit/deps`.
const INTERFACES: [&str; 3] = [
    "spin-sqlite@3.1.0",
    "spin-variables@3.0.0",
    "spin-key-value@3.0.0",
];

/// The schema's migrations, `NNNN_name.sql`.
const MIGRATIONS: &str = "../migrations";

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-changed=../Cargo.lock");
    println!("cargo::rerun-if-changed={MIGRATIONS}");
    let migrations = migrations();
    let newest = migrations.last().expect("there is a migration").0;
    println!("cargo::rustc-env=KAFKA_NEWEST_SCHEMA={newest}");
    let deps = kafka_build_tool::interfaces();
    let paths: Vec<String> = INTERFACES
        .iter()
        .map(|name| format!("{:?}", deps.join(name)))
        .collect();
    let code = format!(
        r##"wasmtime::component::bindgen!({{
    path: [{}],
    inline: r#"
        package kafka:host;
        world components {{
            import spin:sqlite/sqlite@3.1.0;
            import spin:variables/variables@3.0.0;
            import spin:key-value/key-value@3.0.0;
        }}
    "#,
    world: "kafka:host/components",
    imports: {{ default: trappable }},
    with: {{
        "spin:sqlite/sqlite.connection": crate::spin::sqlite::Connection,
        "spin:key-value/key-value.store": crate::spin::key_value::Store,
    }},
}});
"##,
        paths.join(", ")
    );
    let out =
        PathBuf::from(env::var_os("OUT_DIR").expect("cargo sets OUT_DIR")).join("spin_bindings.rs");
    fs::write(out, code).expect("OUT_DIR is writable");
    let out =
        PathBuf::from(env::var_os("OUT_DIR").expect("cargo sets OUT_DIR")).join("migrations.rs");
    fs::write(out, format!("{migrations:?}")).expect("OUT_DIR is writable");
}

/// The migrations with their numbers, oldest first: `kafka restore` refuses a database that has a newer one, or another
/// schema than they make.
fn migrations() -> Vec<(i64, String)> {
    let mut migrations: Vec<(i64, String)> = fs::read_dir(MIGRATIONS)
        .expect("the migrations are there")
        .filter_map(|entry| {
            let entry = entry.expect("an entry");
            let name = entry.file_name();
            let version = name.to_str()?.split('_').next()?.parse().ok()?;
            let sql = fs::read_to_string(entry.path()).expect("a migration is text");
            Some((version, sql))
        })
        .collect();
    migrations.sort();
    migrations
}
