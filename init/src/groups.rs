//! Groups by name, as `/etc/group` knows them. The kernel knows numbers alone.

use std::fmt;

use crate::rule::{Match, Owner, RuleSet};
use crate::value::Group;

/// Groups that are not in `/etc/group`.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub struct UnknownGroups {
    /// Each group's name, and the setting that names it.
    pub groups: Vec<(String, Option<&'static str>)>,
}

impl fmt::Display for UnknownGroups {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let each = self.groups.iter().map(|(name, setting)| match setting {
            Some(setting) => format!("group `{name}`, which {setting} asks for,"),
            None => format!("group `{name}`"),
        });
        let (is, ids) = if self.groups.len() == 1 { ("is", "its id") } else { ("are", "their ids") };
        let each = each.collect::<Vec<_>>().join(" and ");
        write!(f, "{each} {is} not in this container's /etc/group; use {ids}")
    }
}

/// The same rules with numbers for the names of groups; `file` is the text of `/etc/group`.
///
/// # Errors
/// Every name that is not in there.
pub fn resolve(rules: &RuleSet, file: &str) -> Result<RuleSet, UnknownGroups> {
    let mut resolved = rules.clone();
    let mut unknown = vec![];
    for rule in &mut resolved.rules {
        for condition in &mut rule.matches {
            let (Match::Owner(Owner::Group(group)) | Match::NotOwner(Owner::Group(group))) = condition else {
                continue;
            };
            let Group::Name(name) = group else { continue };
            match id(file, name) {
                Some(id) => *group = Group::Id(id),
                None => unknown.push((name.clone(), rule.setting)),
            }
        }
    }
    unknown.dedup();
    if unknown.is_empty() { Ok(resolved) } else { Err(UnknownGroups { groups: unknown }) }
}

/// The number of a group. Lines are `name:password:number:members`.
fn id(file: &str, name: &str) -> Option<u32> {
    file.lines().find_map(|line| {
        let mut fields = line.split(':');
        (fields.next()? == name).then(|| fields.nth(1)?.trim().parse().ok())?
    })
}

/// Whether any rule names a group, so that `/etc/group` has to be read.
pub fn are_named(rules: &RuleSet) -> bool {
    rules.rules.iter().flat_map(|rule| &rule.matches).any(|condition| {
        matches!(condition, Match::Owner(Owner::Group(Group::Name(_))) | Match::NotOwner(Owner::Group(Group::Name(_))))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rule::{Chain, Family, Position, Rule, Table, Target};

    fn rules(groups: &[Group]) -> RuleSet {
        let matches = groups.iter().map(|group| Match::NotOwner(Owner::Group(group.clone()))).collect();
        let setting = Some("ISTIO_OUTBOUND_OWNER_GROUPS");
        let rule = Rule { setting, chain: Chain::Outbound, position: Position::Last, matches, target: Target::Return };
        RuleSet { family: Family::V4, table: Table::Nat, rules: vec![rule] }
    }

    fn named(name: &str) -> Group {
        Group::Name(name.to_owned())
    }

    #[test]
    fn names_become_numbers() {
        let file = "root:x:0:\n# comment\n\nbroken\njava-x:x:no:\njava:x:202:a,b\njava:x:203:\n";
        let resolved = resolve(&rules(&[named("java"), Group::Id(7), named("root")]), file).unwrap();
        assert_eq!(resolved, rules(&[Group::Id(202), Group::Id(7), Group::Id(0)]));
        assert!(!are_named(&resolved));
    }

    #[test]
    fn every_unknown_name_is_told_with_its_setting() {
        let error = resolve(&rules(&[named("java"), named("root"), named("x")]), "root:x:0:\n").unwrap_err();
        let text = error.to_string();
        let asks = "which ISTIO_OUTBOUND_OWNER_GROUPS asks for";
        assert_eq!(
            text,
            format!(
                "group `java`, {asks}, and group `x`, {asks}, are not in this container's /etc/group; use their ids"
            )
        );
    }
}
