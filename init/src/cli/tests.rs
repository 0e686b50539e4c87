//! The command line as users and Istio's templates write it.

use std::os::unix::ffi::OsStringExt;

use super::*;

fn parse(arguments: &[&str]) -> Result<Cli, clap::Error> {
    Cli::from_arguments(["sidecar-init"].iter().chain(arguments).map(Into::into))
}

fn settings(arguments: &[&str]) -> Settings {
    parse(arguments).unwrap().settings_with(&|_| None).unwrap()
}

#[test]
fn the_definition_is_sound() {
    Cli::command().debug_assert();
}

#[test]
fn the_name_of_istios_tool_is_dropped_once_and_only_in_front() {
    assert_eq!(settings(&["istio-iptables", "-p", "1"]), settings(&["-p", "1"]));
    assert!(parse(&["-p", "1", "istio-iptables"]).is_err());
    assert!(parse(&["istio-iptables", "istio-iptables"]).is_err());
}

#[test]
fn values_are_written_in_all_ways_that_istio_knows() {
    for arguments in [&["-p", "7"][..], &["-p7"], &["-p=7"], &["--envoy-port", "7"], &["--envoy-port=7"]] {
        assert_eq!(settings(arguments).capture.outbound_port, 7, "{arguments:?}");
    }
    assert_eq!(settings(&["-p", "1", "-p", "7"]).capture.outbound_port, 7);
    assert_eq!(settings(&["-x", "", "-b", "*"]), settings(&["-b", "*"]));
}

#[test]
fn what_follows_a_flag_is_its_value_even_with_a_minus() {
    let mistakes = |arguments: &[&str]| parse(arguments).unwrap().settings_with(&|_| None).unwrap_err().to_string();
    assert!(mistakes(&["-g", "-1"]).starts_with("--proxy-gid: `-1` is not an id"), "{}", mistakes(&["-g", "-1"]));
    assert!(mistakes(&["--istio-service-cidr", "-x"]).starts_with("--istio-service-cidr: `-x`"));
    let switch = parse(&["-n", "-g", "5"]).unwrap().settings_with(&|_| None).unwrap();
    assert!(switch.dry_run && switch.capture.proxy_gids == [5]);
}

#[test]
fn a_value_that_is_no_text_is_told_with_its_flag() {
    let bad = || OsString::from_vec(b"-p=\xff".to_vec());
    for (arguments, flag) in [
        (vec![bad()], "-p"),
        (vec!["--envoy-port".into(), OsString::from_vec(vec![0xff])], "--envoy-port"),
        (vec!["-n".into(), OsString::from_vec(b"--envoy-port=\xff".to_vec())], "--envoy-port"),
        (vec!["x".into(), OsString::from_vec(vec![0xff])], "argument 2"),
    ] {
        let error = Cli::from_arguments([OsString::from("init")].into_iter().chain(arguments)).unwrap_err();
        assert_eq!(first_line(&error), format!("the value of {flag} is not UTF-8"));
        assert!(error.use_stderr());
    }
}

#[test]
fn a_report_for_programs_is_found_among_mistakes() {
    let asks = |words: &str| asks_for_json(&words.split(' ').map(Into::into).collect::<Vec<_>>());
    for words in ["init --output json --nonsense", "init --output=json -p x", "init --output text --output json"] {
        assert!(asks(words), "{words}");
    }
    for words in ["init --nonsense", "init --output text", "init --output", "init --output json --output=text"] {
        assert!(!asks(words), "{words}");
    }
}

#[test]
fn switches_take_their_value_after_an_equals_sign_only() {
    for arguments in [&["-n"][..], &["-n=true"], &["--dry-run"], &["--dry-run=T"], &["--dry-run=false", "--dry-run"]] {
        assert!(settings(arguments).dry_run, "{arguments:?}");
    }
    assert!(!settings(&["--dry-run=0"]).dry_run);
    assert!(parse(&["--dry-run", "false"]).is_err());
}

#[test]
fn logging_flags_of_istio_are_understood() {
    let log =
        parse(&["--log_output_level=default:debug,ads:error", "--log_as_json", "--log_caller=all"]).unwrap().log();
    assert_eq!((log.log_format, log.log_level), (LogFormat::Json, "debug".parse().unwrap()));
    let log = parse(&["--log_output_level", "none", "--vklog=3", "--log_target=stdout", "--log_stacktrace_level=x:y"]);
    assert_eq!(log.unwrap().log().log_level, "off".parse().unwrap());
    let log = parse(&["--log-level=warning", "--log-format=json", "--log_as_json=false"]).unwrap().log();
    assert_eq!((log.log_format, log.log_level), (LogFormat::Json, "warning".parse().unwrap()));
    assert!(parse(&["--log_output_level=loud"]).is_err());
    for flag in ["--log_rotate=/x", "--log_rotate_max_age=1", "--log_rotate_max_backups=1", "--log_rotate_max_size=1"] {
        assert!(parse(&[flag]).is_ok(), "{flag}");
    }
}

#[test]
fn help_names_the_exit_codes_and_every_variable_without_a_flag() {
    let help = Cli::command().render_long_help().to_string();
    for text in ["Exit codes:", "255", "ISTIO_OUTBOUND_OWNER_GROUPS_EXCLUDE", "ISTIO_OUTBOUND_IPV4_LOOPBACK_CIDR"] {
        assert!(help.contains(text), "{text}");
    }
}
