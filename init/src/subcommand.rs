//! What is done instead of applying rules, where the first argument says so. The rest of the command line is that of
//! istio-iptables, which has flags only.

use std::ffi::OsString;

use sidecar_contract::container::INIT_FIRST_ARGUMENT;

/// Something else than applying rules.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Subcommand {
    /// Shows the rules that are there.
    Show,
    /// Sends probes as the user that it runs as: part of `--run-validation`, not for people.
    Probe,
}

/// Takes the subcommand out of the arguments of a process, the first of which is its own name.
pub fn take(arguments: &mut Vec<OsString>) -> Option<Subcommand> {
    let at = 1 + usize::from(arguments.get(1).is_some_and(|first| first == INIT_FIRST_ARGUMENT));
    let word = arguments.get(at)?;
    let subcommands = [("show", Subcommand::Show), (crate::probe::SUBCOMMAND, Subcommand::Probe)];
    let (_, subcommand) = subcommands.into_iter().find(|(name, _)| word == name)?;
    arguments.drain(1..=at);
    Some(subcommand)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_first_word_is_a_subcommand() {
        let taken = |words: &[&str]| {
            let mut arguments: Vec<OsString> = words.iter().map(Into::into).collect();
            let subcommand = take(&mut arguments);
            (subcommand, arguments.iter().map(|word| word.to_string_lossy().into_owned()).collect::<Vec<_>>().join(" "))
        };
        assert_eq!(taken(&["init", "show", "--output", "json"]), (Some(Subcommand::Show), "init --output json".into()));
        assert_eq!(taken(&["init", "istio-iptables", "show"]), (Some(Subcommand::Show), "init".into()));
        for words in [&["init"][..], &["init", "istio-iptables"], &["init", "-c", "show"], &["show"], &[]] {
            assert_eq!(taken(words), (None, words.join(" ")));
        }
    }
}
