//! The ways to write the rules of a configuration.

use std::error::Error;
use std::fmt;
use std::path::{Path, PathBuf};

use sidecar_test_support::namespace::Namespace;
use sidecar_test_support::program::Program;

/// What is redirected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Configuration {
    /// All, as the injector asks for.
    Default,
    /// All but so many ranges, in each family.
    Ranges(u32),
}

/// How the rules come into the kernel.
#[derive(Clone, Debug)]
pub(crate) enum Way {
    /// By this program with these flags.
    Ours(String, &'static [&'static str]),
    /// By iptables-restore of a kind, once a family, from the text that this program prints, kept in
    /// this folder.
    Restore(String, &'static str, PathBuf),
    /// By iptables of a kind, once a rule.
    EachRule(String, &'static str),
}

pub(crate) fn all(program: &str, folder: &Path) -> Vec<Way> {
    let program = || program.to_owned();
    vec![
        Way::Ours(program(), &["--force-iptables-binary", "nft"]),
        Way::Ours(program(), &["--native-nftables"]),
        Way::Ours(program(), &["--force-iptables-binary", "legacy"]),
        Way::Restore(program(), "nft", folder.to_owned()),
        Way::Restore(program(), "legacy", folder.to_owned()),
        Way::EachRule(program(), "nft"),
        Way::EachRule(program(), "legacy"),
    ]
}

impl Configuration {
    fn flags(self) -> Vec<String> {
        let mut flags = ["-b", "*", "-i", "*", "-d", "15090,15021,15020"].map(str::to_owned).to_vec();
        if let Self::Ranges(count) = self {
            let ranges = (0..count).map(|n| format!("10.{}.{}.0/24,fd00:{n:x}::/32", n / 250, n % 250));
            flags.extend(["-x".to_owned(), ranges.collect::<Vec<_>>().join(",")]);
        }
        flags
    }
}

impl Way {
    pub(crate) fn is_ours(&self) -> bool {
        matches!(self, Self::Ours(..))
    }

    pub(crate) fn is_slow(&self, configuration: Configuration) -> bool {
        matches!((self, configuration), (Self::EachRule(..), Configuration::Ranges(_)))
    }

    /// The commands to run one after another.
    pub(crate) fn commands(
        &self,
        configuration: Configuration,
        namespace: &Namespace,
    ) -> Result<Vec<Vec<String>>, Box<dyn Error>> {
        let tools = |kind: &str| [("v4", format!("iptables-{kind}")), ("v6", format!("ip6tables-{kind}"))];
        let mut commands = Vec::new();
        match self {
            Self::Ours(program, flags) => {
                let flags = flags.iter().map(ToString::to_string);
                commands.push([program.clone()].into_iter().chain(flags).chain(configuration.flags()).collect());
            }
            Self::Restore(program, kind, folder) => {
                for (family, tool) in tools(kind) {
                    let file = folder.join(format!("{}-{family}", namespace.name()));
                    std::fs::write(&file, text(program, configuration, family, namespace)?)?;
                    let words = [format!("{tool}-restore"), "--noflush".to_owned(), format!("<{}", file.display())];
                    commands.push(words.to_vec());
                }
            }
            Self::EachRule(program, kind) => {
                for (family, tool) in tools(kind) {
                    let text = text(program, configuration, family, namespace)?;
                    for line in text.lines().filter(|line| line.starts_with('-')) {
                        let words = [&*tool, "-t", "nat"].into_iter().chain(line.split_whitespace());
                        commands.push(words.map(str::to_owned).collect());
                    }
                }
            }
        }
        Ok(commands)
    }
}

/// The rules of the one table that these configurations use, as input of iptables-restore.
fn text(
    program: &str,
    configuration: Configuration,
    family: &str,
    namespace: &Namespace,
) -> Result<String, Box<dyn Error>> {
    let flags = ["--dry-run", "--ip-families", family].map(str::to_owned).into_iter().chain(configuration.flags());
    Ok(namespace.run(&Program::new(program).args(flags))?.stdout)
}

impl fmt::Display for Configuration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Default => f.write_str("default"),
            Self::Ranges(count) => write!(f, "{count} ranges"),
        }
    }
}

impl fmt::Display for Way {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ours(_, flags) => write!(f, "sidecar-init {}", flags.join(" ")),
            Self::Restore(_, kind, _) => write!(f, "iptables-{kind}-restore and ip6tables-{kind}-restore"),
            Self::EachRule(_, kind) => write!(f, "one iptables-{kind} a rule"),
        }
    }
}
