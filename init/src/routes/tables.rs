//! Which tables of routing hold our route, and in which it would be of no use.

use std::collections::BTreeMap;

use netlink_packet_route::route::{RouteAttribute, RouteMessage, RouteType};

use super::{LOOPBACK_INDEX, address_family};
use crate::rule::Family;

/// The tables of one family.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Tables {
    /// Those in which there is our route.
    pub(super) ours: Vec<u32>,
    /// Those with a default route of somebody else which ours would stand in the way of, or which is before ours.
    pub(super) taken: Vec<u32>,
}

/// The metrics of the default routes of a table: the smallest is the one that counts.
#[derive(Default)]
struct Defaults {
    ours: Option<u32>,
    others: Option<u32>,
}

impl Tables {
    /// The tables in which these routes are.
    pub(super) fn of(family: Family, routes: &[RouteMessage]) -> Self {
        let mut tables: BTreeMap<u32, Defaults> = BTreeMap::new();
        let is_default = |route: &&RouteMessage| {
            route.header.address_family == address_family(family) && route.header.destination_prefix_length == 0
        };
        for route in routes.iter().filter(is_default) {
            let (table, metric, is_ours) = described(route);
            let defaults = tables.entry(table).or_default();
            let known = if is_ours { &mut defaults.ours } else { &mut defaults.others };
            *known = Some(known.map_or(metric, |known| known.min(metric)));
        }
        let ours = tables.iter().filter(|(_, of)| of.ours.is_some()).map(|(table, _)| *table).collect();
        let is_taken = |of: &Defaults| of.others.is_some_and(|others| of.ours.is_none_or(|ours| others < ours));
        let taken = tables.iter().filter(|(_, of)| is_taken(of)).map(|(table, _)| *table).collect();
        Self { ours, taken }
    }
}

/// The table that a default route is in, its metric, and whether it is `local default dev lo`.
fn described(route: &RouteMessage) -> (u32, u32, bool) {
    let (mut table, mut metric) = (u32::from(route.header.table), 0);
    let (mut is_on_loopback, mut has_way) = (false, false);
    for attribute in &route.attributes {
        match attribute {
            RouteAttribute::Table(value) => table = *value,
            RouteAttribute::Priority(value) => metric = *value,
            RouteAttribute::Oif(index) => is_on_loopback = *index == LOOPBACK_INDEX,
            RouteAttribute::Gateway(_) | RouteAttribute::Via(_) | RouteAttribute::MultiPath(_) => has_way = true,
            _ => {}
        }
    }
    (table, metric, route.header.kind == RouteType::Local && is_on_loopback && !has_way)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn route(table: u32, kind: RouteType, prefix: u8, metric: u32) -> RouteMessage {
        let mut route = super::super::route_message(Family::V6, table);
        route.header.kind = kind;
        route.header.destination_prefix_length = prefix;
        route.attributes.push(RouteAttribute::Priority(metric));
        route
    }

    fn sorted(routes: &[RouteMessage]) -> (Vec<u32>, Vec<u32>) {
        let Tables { ours, taken } = Tables::of(Family::V6, routes);
        (ours, taken)
    }

    #[test]
    fn our_route_is_found_beside_others() {
        let ours = route(133, RouteType::Local, 0, 1024);
        let narrow = route(133, RouteType::Unicast, 64, 1024);
        let behind = route(133, RouteType::Unreachable, 0, 2048);
        assert_eq!(sorted(&[narrow.clone(), ours.clone(), behind]), (vec![133], vec![]));
        assert_eq!(sorted(&[narrow, route(134, RouteType::Local, 128, 0)]), (vec![], vec![]));
        assert_eq!(Tables::of(Family::V4, &[ours]), Tables::default());
    }

    #[test]
    fn a_table_is_taken_where_another_default_route_is_alone_or_first() {
        let others = |metric| route(1000, RouteType::Unicast, 0, metric);
        assert_eq!(sorted(&[others(1024)]), (vec![], vec![1000]));
        let ours = route(1000, RouteType::Local, 0, 1024);
        assert_eq!(sorted(&[ours, others(4096), others(100)]), (vec![1000], vec![1000]));
    }
}
