//! URLs taken apart and put together.

use crate::sprig::check::{read, shown, written};

#[test]
fn urls_are_taken_apart() {
    for (url, expected) in [
        (
            "HTTP://u%40:p@Host:80/a%20b?q=%20#f%21",
            r#"{"fragment":"f!","host":"Host:80","hostname":"Host","opaque":"","path":"/a b","query":"q=%20","scheme":"http","userinfo":"u%40:p"}"#,
        ),
        (
            "mailto:a@b?c",
            r#"{"fragment":"","host":"","hostname":"","opaque":"a@b","path":"","query":"c","scheme":"mailto","userinfo":""}"#,
        ),
        (
            "//[fe80::1%25en0]:8080",
            r#"{"fragment":"","host":"[fe80::1%en0]:8080","hostname":"fe80::1%en0","opaque":"","path":"","query":"","scheme":"","userinfo":""}"#,
        ),
        ("*", r#"{"fragment":"","host":"","hostname":"","opaque":"","path":"*","query":"","scheme":"","userinfo":""}"#),
    ] {
        assert_eq!(shown("urlParse", &[url.into()]), expected, "{url}");
    }
}

#[test]
fn what_is_no_url_is_refused() {
    for (url, expected) in [
        (":a", "missing protocol scheme"),
        ("a:b/c\u{1}", "net/url: invalid control character in URL"),
        ("a b:c", "first path segment in URL cannot contain colon"),
        ("/%zz", r#"invalid URL escape "%zz""#),
        ("/%2", r#"invalid URL escape "%2""#),
        ("/#%", r#"invalid URL escape "%""#),
        ("http://a b/", r#"invalid character " " in host name"#),
        ("http://%41/", r#"invalid URL escape "%41""#),
        ("http://h:x/", r#"invalid port ":x" after host"#),
        ("http://h:1:2/", r#"invalid port ":1:2" after host"#),
        ("http://é@h/", "net/url: invalid userinfo"),
        ("http://[::1/", "missing ']' in host"),
        ("http://a[::1]/", "invalid IP-literal"),
        ("http://[1.2.3.4]/", "invalid IP-literal"),
        ("http://[::1::]/", r#"invalid host: ParseAddr("::1::"): multiple :: in address (at ":")"#),
        ("http://[1:2]/", r#"invalid host: ParseAddr("1:2"): address string too short"#),
        ("http://[::12345]/", r#"ParseAddr("::12345"): each group must have 4 or less digits (at "12345")"#),
        ("http://[::1.2.3]/", r#"ParseAddr("::1.2.3"): IPv4 address too short"#),
        ("http://[x]/", r#"ParseAddr("x"): unable to parse IP"#),
    ] {
        let error = shown("urlParse", &[url.into()]);
        assert!(error.starts_with("unable to parse url: parse \""), "{error}");
        assert!(error.ends_with(expected), "{error}");
    }
}

#[test]
fn urls_are_put_together() {
    for (parts, expected) in [
        (
            r#"{"scheme": "http", "host": "h:80", "path": "a b", "query": "q", "fragment": "f g"}"#,
            "http://h:80/a%20b?q#f%20g",
        ),
        (r#"{"scheme": "http", "host": "h", "userinfo": "u:p@"}"#, "http://u:p%40@h"),
        (r#"{"scheme": "mailto", "opaque": "a@b", "host": "ignored"}"#, "mailto:a@b"),
        (r#"{"path": "a:b/c"}"#, "./a:b/c"),
        (r#"{"path": "*"}"#, "*"),
        (r#"{"scheme": "x", "path": "/a"}"#, "x:///a"),
        ("{}", ""),
    ] {
        assert_eq!(shown("urlJoin", &[read(parts)]), written(&expected.into()), "{parts}");
    }
}

#[test]
fn parts_must_be_texts() {
    for (parts, expected) in [
        (r#"{"host": 1}"#, "unable to parse host key, must be of type string, but float64 found"),
        (r#"{"path": null}"#, "runtime error: invalid memory address or nil pointer dereference"),
        (
            r#"{"userinfo": "a b"}"#,
            r#"unable to parse userinfo in dict: parse "proto://a b@host": net/url: invalid userinfo"#,
        ),
    ] {
        assert_eq!(shown("urlJoin", &[read(parts)]), expected, "{parts}");
    }
}
