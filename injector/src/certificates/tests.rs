//! Plans one by one, and replicas over years: late, crashing, with a Secret that people damage.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use super::material::authorities;
use super::*;

mod years;

const NAME: &str = "injector.demo.svc";
const DAY: Duration = Duration::from_secs(24 * 3600);

fn start() -> SystemTime {
    UNIX_EPOCH + Duration::from_secs(1_790_000_000)
}

fn settings() -> Settings {
    Settings::new(vec![NAME.to_owned()])
}

fn situation(now: SystemTime, bundle_age: Duration, last: Option<&Material>) -> Situation<'_> {
    Situation { now, bundle_age, published: None, last }
}

fn first() -> Plan {
    plan(None, &settings(), situation(start(), Duration::ZERO, None)).unwrap()
}

fn next(present: Option<&Data>, now: SystemTime, age: Duration, last: Option<&Material>) -> Plan {
    plan(present, &settings(), situation(now, age, last)).unwrap()
}

fn verifies(plan: &Plan, now: SystemTime) -> bool {
    let pair = plan.material.serving.as_ref().unwrap();
    pair.verifies(&authorities(&plan.material.bundle(), &mut Vec::new()), &[NAME.to_owned()], now)
}

#[test]
fn the_first_is_made_at_once_and_then_left_alone() {
    let first = first();
    assert_eq!(first.changes, [Change::FirstAuthority, Change::Issued]);
    assert!(first.is_changed && verifies(&first, start()));
    let data = first.material.to_data();
    assert!(!next(Some(&data), start() + DAY / 2, DAY / 2, None).is_changed);
    let renewed = next(Some(&data), start() + DAY * 2 / 3, DAY, None);
    assert_eq!(renewed.changes, [Change::Issued]);
    assert_eq!(renewed.material.authorities, first.material.authorities);
}

#[test]
fn an_authority_is_published_then_signs_and_the_former_leaves_when_it_expired() {
    let data = first().material.to_data();
    let late = start() + DAY * 60;
    let published = next(Some(&data), late, DAY, None);
    assert_eq!(published.changes, [Change::NextAuthority, Change::Issued]);
    let data = published.material.to_data();
    let old_bundle = first().material.bundle();
    let held = |bundle: &str, age| {
        let situation = Situation { published: Some(bundle), ..situation(late, age, None) };
        plan(Some(&data), &settings(), situation).unwrap()
    };
    assert!(!held(&old_bundle, DAY).is_changed, "the webhook configuration is behind");
    let new_bundle = published.material.bundle();
    assert!(!held(&new_bundle, Duration::from_secs(599)).is_changed, "not every API server has it");
    let switched = held(&new_bundle, Duration::from_secs(600));
    assert_eq!(switched.changes, [Change::Switched, Change::Issued]);
    assert_eq!(switched.material.authorities.len(), 2);
    assert!(switched.material.next.is_none());
    assert_ne!(switched.material.to_data().get(AUTHORITY_KEY), data.get(AUTHORITY_KEY));
    let dropped = next(Some(&switched.material.to_data()), start() + DAY * 91, DAY, None);
    assert!(dropped.changes.contains(&Change::Dropped));
    assert_eq!(dropped.material.authorities.len(), 1);
}

#[test]
fn an_authority_that_nobody_is_known_to_hold_signs_when_the_former_is_about_to_end() {
    let first = first();
    let end = first.material.authorities[0].validity.until;
    let published = next(Some(&first.material.to_data()), start() + DAY * 60, DAY, None);
    assert!(published.changes.contains(&Change::NextAuthority));
    let late = end - settings().lifetime;
    let renewed = next(Some(&published.material.to_data()), late - DAY / 2, Duration::ZERO, None);
    assert_eq!(renewed.changes, [Change::Issued]);
    let data = renewed.material.to_data();
    assert!(!next(Some(&data), late - Duration::from_secs(60), DAY * 28, None).is_changed);
    let switched = next(Some(&data), late, DAY * 29, None);
    assert_eq!(switched.changes, [Change::Switched, Change::Issued]);
    assert_eq!(settings().time_to_publish(), DAY * 29);
}

#[test]
fn what_people_do_to_the_secret_is_repaired_and_a_usable_authority_stays() {
    let (one, other) = (first(), first());
    let data = one.material.to_data();
    let with = |key: &str, text: &[u8]| {
        let mut data = data.clone();
        data.insert(key.to_owned(), text.to_vec());
        data
    };
    let others = other.material.to_data();
    for (what, damaged) in [
        ("no PEM", with(CERTIFICATE_KEY, b"nonsense")),
        ("no text", with(CERTIFICATE_KEY, b"\xff\xfe")),
        ("another's key", with(PRIVATE_KEY_KEY, &others[PRIVATE_KEY_KEY])),
        ("a broken section", with(CERTIFICATE_KEY, b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n")),
        ("empty", with(PRIVATE_KEY_KEY, b"")),
    ] {
        let repaired = next(Some(&damaged), start(), DAY, None);
        assert!(!repaired.problems.is_empty(), "{what}");
        assert_eq!(repaired.changes, [Change::Issued], "{what}");
        assert_eq!(repaired.material.authorities, one.material.authorities, "{what}");
        let restored = next(Some(&damaged), start(), DAY, Some(&one.material));
        assert_eq!(restored.changes, [Change::Restored], "{what}");
        assert_eq!(restored.material.to_data(), data, "{what}");
    }
    for damaged in [with(BUNDLE_KEY, b"nonsense"), with(BUNDLE_KEY, &others[BUNDLE_KEY]), with(AUTHORITY_KEY, b"")] {
        assert!(verifies(&next(Some(&damaged), start(), DAY, None), start()));
        assert!(verifies(&next(Some(&damaged), start(), DAY, Some(&one.material)), start()));
    }
}

#[test]
fn other_names_are_another_certificate() {
    let data = first().material.to_data();
    let settings = Settings::new(vec![NAME.to_owned(), "other.demo.svc".to_owned()]);
    let plan = plan(Some(&data), &settings, situation(start(), DAY, None)).unwrap();
    assert!(plan.material.serving.unwrap().verifies(&plan.material.authorities, &settings.names, start()));
}

#[test]
fn a_deleted_secret_means_a_new_authority_beside_the_old_one() {
    let one = first();
    let restored = next(None, start(), DAY, Some(&one.material));
    assert_eq!(restored.changes, [Change::Restored, Change::NextAuthority]);
    assert_eq!(restored.material.serving, one.material.serving);
    let data = restored.material.to_data();
    let switched = next(Some(&data), start(), Duration::from_secs(600), Some(&one.material));
    assert_eq!(switched.changes, [Change::Switched, Change::Issued]);
}

#[test]
fn an_authority_near_its_end_does_not_sign_again_and_again() {
    let data = first().material.to_data();
    let near = start() + DAY * 90 - DAY / 24;
    let settings = Settings { overlap: DAY, ..settings() };
    let at = |data: &Data, now| plan(Some(data), &settings, situation(now, Duration::ZERO, None)).unwrap();
    let one = at(&data, near);
    assert!(one.is_changed && verifies(&one, near));
    assert!(!at(&one.material.to_data(), near + Duration::from_secs(60)).is_changed);
}

#[test]
fn keys_are_not_shown() {
    let shown = format!("{:?}", first());
    assert!(!shown.contains("PRIVATE KEY"), "{shown}");
}

#[test]
fn lifetimes_that_do_not_go_together_are_refused_all_at_once() {
    let seconds = Duration::from_secs;
    let settings = |lifetime, ca_lifetime, overlap| Settings { lifetime, ca_lifetime, overlap, ..settings() };
    let problems = |settings: Settings| settings.check().err().unwrap_or_default();
    assert_eq!(super::tests::settings().check(), Ok(()));
    assert_eq!(settings(seconds(12), seconds(30), seconds(3)).check(), Ok(()));
    assert_eq!(problems(settings(seconds(0), DAY * 90, seconds(600))).len(), 1);
    assert_eq!(problems(settings(DAY, Duration::MAX, seconds(600))).len(), 1);
    assert_eq!(problems(settings(Duration::MAX, Duration::MAX, Duration::MAX)).len(), 3);
    assert_eq!(problems(settings(seconds(0), seconds(0), seconds(0))).len(), 3);
    let long = problems(settings(DAY, DAY * 90, DAY * 30));
    assert_eq!(long, ["the overlap is 30days; give 15days at most, a sixth of the lifetime of authorities"]);
}
