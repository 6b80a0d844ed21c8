//! Packages of other Debian suites than the installed one, fetched and unpacked without installing anything.
//!
//! `apt-get` does the fetching, with folders and a source list of its own below a scratch folder: so it goes
//! through the proxy and the mirror the machine is set up for, checks Debian's signature on the suite, and the
//! SHA-256 of every index and package against it. The system's apt sees none of it.

use super::step::{self, say};
use anyhow::{Context, anyhow, bail};
use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

/// Debian's own mirror network, for machines whose apt names no mirror of Debian.
const DEFAULT_MIRROR: &str = "https://deb.debian.org/debian";

/// Debian's keys, where its package `debian-archive-keyring` puts them.
const KEYRING: &str = "/usr/share/keyrings/debian-archive-keyring.gpg";

/// One suite of one mirror, with its index read.
#[derive(Debug)]
pub struct Suite {
    folder: PathBuf,
    config: PathBuf,
}

impl Suite {
    /// Fetches the index of a suite such as `sid`, with `folder` (which must exist) for all its files.
    ///
    /// # Errors
    /// When there is no apt here, the mirror can't be reached or lacks the suite, or the signature is wrong.
    pub fn fetch(folder: &Path, mirror: &str, suite: &str) -> anyhow::Result<Self> {
        let folder = folder.to_owned();
        for part in ["lists/partial", "archives/partial"] {
            fs::create_dir_all(folder.join(part)).context("can't make a folder for apt")?;
        }
        let keys = if Path::new(KEYRING).is_file() {
            format!(" signed-by={KEYRING}")
        } else {
            String::new()
        };
        let sources = format!("deb [target=Packages{keys}] {mirror} {suite} main\n");
        let write = |name: &str, text: &str| {
            fs::write(folder.join(name), text).context("can't write apt's setup")
        };
        write("sources.list", &sources)?;
        write("status", "")?;
        write("apt.conf", &config(&folder, &system_config()?))?;
        let suite = Self {
            config: folder.join("apt.conf"),
            folder,
        };
        step::output_of(suite.apt("apt-get").args(["update", "--error-on=any"]))?;
        Ok(suite)
    }

    /// The versions of a package here, newest first.
    ///
    /// # Errors
    /// When apt can't read its own index.
    pub fn versions(&self, package: &str) -> anyhow::Result<Vec<String>> {
        let table = step::output_of(self.apt("apt-cache").args(["madison", package]))?;
        Ok(table
            .lines()
            .filter_map(|line| line.split('|').nth(1))
            .map(|version| version.trim().to_owned())
            .collect())
    }

    /// Downloads a package and unpacks the folders of it that are asked for (absolute, without the leading `/`)
    /// below `into`.
    ///
    /// # Errors
    /// When the download fails, doesn't have the SHA-256 of the index, or has no such folder.
    pub fn unpack(
        &self,
        package: &str,
        version: &str,
        folders: &[&str],
        into: &Path,
    ) -> anyhow::Result<()> {
        say(&format!("fetching Debian's package {package} {version}"));
        let wanted = format!("{package}={version}");
        step::output_of(self.apt("apt-get").args(["download", &wanted]))?;
        let archive = fs::read_dir(&self.folder)
            .context("can't list what apt fetched")?
            .flatten()
            .map(|entry| entry.path())
            .find(|path| {
                path.extension().is_some_and(|extension| extension == "deb")
                    && path.file_name().is_some_and(|name| {
                        name.to_string_lossy().starts_with(&format!("{package}_"))
                    })
            })
            .ok_or_else(|| anyhow!("apt-get fetched no file for {wanted}"))?;
        extract(&archive, folders, into).with_context(|| format!("can't unpack {wanted}"))
    }

    fn apt(&self, program: &str) -> Command {
        let mut command = Command::new(program);
        command
            .env("APT_CONFIG", &self.config)
            .env("LC_ALL", "C")
            .current_dir(&self.folder);
        command
    }
}

/// Unpacks some folders of a package: Rust's whole source is seven times the part that is needed.
fn extract(archive: &Path, folders: &[&str], into: &Path) -> anyhow::Result<()> {
    let tar = into.join("package.tar");
    let output = fs::File::create(&tar).context("can't make a file")?;
    let status = Command::new("dpkg-deb")
        .arg("--fsys-tarfile")
        .arg(archive)
        .stdout(output)
        .status();
    if !status.context("can't start dpkg-deb")?.success() {
        bail!("dpkg-deb failed");
    }
    let members = folders.iter().map(|folder| format!("./{folder}"));
    step::output_of(
        Command::new("tar")
            .arg("-xf")
            .arg(&tar)
            .arg("-C")
            .arg(into)
            .args(members),
    )?;
    fs::remove_file(&tar).context("can't remove a file")
}

/// Mirrors of Debian's main archive in the order to try them: the ones this machine's apt uses, then Debian's own.
///
/// # Errors
/// When there is no working apt on this machine.
pub fn mirrors() -> anyhow::Result<Vec<String>> {
    let configured = step::output_of(Command::new("apt-get").args([
        "indextargets",
        "--format",
        "$(REPO_URI)",
        "Created-By: Packages",
    ]))?;
    Ok(choose_mirrors(&configured))
}

/// Chooses among the addresses of all configured archives, one per line.
fn choose_mirrors(configured: &str) -> Vec<String> {
    let mut mirrors: Vec<String> = Vec::new();
    let ours = configured
        .lines()
        .map(|line| line.trim().trim_end_matches('/'))
        .filter(|address| address.starts_with("http://") || address.starts_with("https://"))
        // By its last segment, which mirrors keep: security updates and vendors' archives are elsewhere.
        .filter(|address| address.ends_with("/debian"));
    for address in ours.chain([DEFAULT_MIRROR]) {
        let known = |mirror: &String| host_and_path(mirror) == host_and_path(address);
        if !mirrors.iter().any(known) {
            mirrors.push(address.to_owned());
        }
    }
    mirrors
}

/// An address without its scheme.
fn host_and_path(address: &str) -> &str {
    address.split_once("://").map_or(address, |(_, rest)| rest)
}

/// How this machine's apt reaches the network: these lines of its configuration, in its own syntax.
fn system_config() -> anyhow::Result<String> {
    let all = step::output_of(Command::new("apt-config").arg("dump"))?;
    let network = [
        "Acquire::http::",
        "Acquire::https::",
        "Acquire::ForceIPv",
        "Acquire::Retries",
    ];
    Ok(all
        .lines()
        .filter(|line| network.iter().any(|prefix| line.starts_with(prefix)))
        .map(|line| format!("{line}\n"))
        .collect())
}

/// apt's configuration for one suite: everything below `folder`, nothing of the system's but its network settings.
/// The index may be old (a frozen mirror) or look it (a wrong clock): an exact version is asked for, and an old one
/// has the right signature too.
fn config(folder: &Path, network: &str) -> String {
    let folder = folder.display();
    format!(
        r#"{network}Acquire::Check-Date "false";
Acquire::Check-Valid-Until "false";
Acquire::Languages "none";
APT::Sandbox::User "root";
Dir::Etc::Main "/dev/null";
Dir::Etc::Parts "/dev/null";
Dir::Etc::Preferences "/dev/null";
Dir::Etc::PreferencesParts "/dev/null";
Dir::Etc::SourceList "{folder}/sources.list";
Dir::Etc::SourceParts "/dev/null";
Dir::State "{folder}";
Dir::State::Lists "{folder}/lists";
Dir::State::Status "{folder}/status";
Dir::Cache "{folder}";
"#
    )
}

#[cfg(test)]
mod tests {
    use super::{DEFAULT_MIRROR, choose_mirrors};

    #[test]
    fn the_machines_own_mirror_comes_first() {
        let configured = "http://mirror.example/debian/\nhttp://mirror.example/debian/\n\
                          http://mirror.example/debian-security/\ncdrom://disc/debian\n";
        assert_eq!(
            choose_mirrors(configured),
            ["http://mirror.example/debian", DEFAULT_MIRROR]
        );
    }

    #[test]
    fn without_a_mirror_of_debian_its_own_is_used() {
        assert_eq!(choose_mirrors(""), [DEFAULT_MIRROR]);
        assert_eq!(
            choose_mirrors("http://archive.ubuntu.com/ubuntu/\n"),
            [DEFAULT_MIRROR]
        );
    }

    #[test]
    fn debians_own_mirror_is_tried_once() {
        assert_eq!(
            choose_mirrors("http://deb.debian.org/debian/\n"),
            ["http://deb.debian.org/debian"]
        );
    }
}
