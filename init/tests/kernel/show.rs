//! `show`: the rules that are there, each with its reason.

use crate::pod::{BINARY, DEFAULT, Pod, may_run, on_each_backend};

#[test]
fn every_rule_is_shown_with_its_reason() {
    on_each_backend(|pod| {
        pod.apply(DEFAULT);
        pod.iptables("iptables", "-I OUTPUT 1 -p tcp -j ACCEPT");
        let text = pod.succeed(&[BINARY, "show"]);
        for rule in pod.all_rules().lines() {
            assert!(text.contains(&format!("  {rule}\n")), "{}: {rule} is missing in {text}", pod.backend);
        }
        for words in [
            format!("IPv4 nat ({})", pod.backend),
            format!("IPv6 nat ({})", pod.backend),
            "! not ours, and decides before ours".to_owned(),
            "no loop".to_owned(),
        ] {
            assert!(text.contains(&words), "{}: {words} is missing in {text}", pod.backend);
        }
    });
}

#[test]
fn the_routing_of_tproxy_mode_is_shown() {
    on_each_backend(|pod| {
        pod.apply("-b * -i * -m TPROXY");
        let text = pod.succeed(&[BINARY, "show"]);
        let routing = text.split_once("\nrouting\n").unwrap().1;
        for entry in [
            "ip -6 address ::6/128 dev lo",
            "ip -4 rule fwmark 0x539 lookup 133",
            "ip -6 rule fwmark 0x539 lookup 133",
            "ip -4 route local default dev lo table 133",
            "ip -6 route local default dev lo table 133",
        ] {
            assert!(routing.contains(&format!("  {entry}\n")), "{}: {entry} is missing in {text}", pod.backend);
        }
        assert!(!text.contains("not ours") && !text.contains("not a rule that"), "{}: {text}", pod.backend);
    });
}

#[test]
fn native_rules_are_shown_in_the_same_words() {
    if !may_run() {
        return;
    }
    for arguments in [DEFAULT, "-b * -i * -m TPROXY --redirect-dns --dns-servers 10.96.0.10 -c eth1 --drop-invalid"] {
        let [native, nft] = ["native", "nft"].map(|backend| {
            let pod = Pod::new("nft");
            let flag = if backend == "native" { "--native-nftables" } else { "--force-iptables-binary=nft" };
            let words: Vec<&str> = [BINARY, flag].into_iter().chain(arguments.split_whitespace()).collect();
            pod.succeed(&words);
            let text = pod.succeed(&[BINARY, "show"]);
            assert!(!text.contains("not ours") && !text.contains("not a rule that"), "{text}");
            let rules = text.lines().filter(|line| line.starts_with("  -A") && !line.contains("-j DROP"));
            let mut rules: Vec<String> = rules.map(str::to_owned).collect();
            rules.sort();
            rules
        });
        assert_eq!(native, nft, "{arguments}");
    }
}

#[test]
fn whoever_may_not_look_is_told_so() {
    on_each_backend(|pod| {
        pod.apply(DEFAULT);
        let powerless = ["setpriv", "--bounding-set=-all", "--inh-caps=-all", "--no-new-privs", BINARY, "show"];
        let output = pod.run(&powerless);
        assert_eq!((output.status.code(), &*output.stdout), (Some(1), ""), "{}", pod.backend);
        assert!(output.stderr.contains("NET_ADMIN"), "{}: {}", pod.backend, output.stderr);
    });
}

#[test]
fn looking_changes_nothing() {
    on_each_backend(|pod| {
        assert_eq!(pod.succeed(&[BINARY, "istio-iptables", "show"]), "There are no rules.\n");
        for tool in ["iptables-nft-save", "iptables-legacy-save", "ip6tables-nft-save", "ip6tables-legacy-save"] {
            assert_eq!(pod.succeed(&[tool]), "", "{tool}: looking made a table");
        }
    });
}

#[test]
fn programs_can_read_it() {
    on_each_backend(|pod| {
        pod.apply(DEFAULT);
        let text = pod.succeed(&[BINARY, "show", "--output", "json"]);
        let shown: serde_json::Value = serde_json::from_str(&text).unwrap();
        let tables = shown["tables"].as_array().unwrap();
        let names: Vec<_> = tables.iter().map(|table| (&table["backend"], &table["family"], &table["table"])).collect();
        let backend = serde_json::json!(pod.backend);
        assert_eq!(names, [(&backend, &"IPv4".into(), &"nat".into()), (&backend, &"IPv6".into(), &"nat".into())]);
        let rules = tables[0]["rules"].as_array().unwrap();
        assert_eq!(rules.len(), 18);
        assert!(rules.iter().all(|rule| rule["owner"] == "ours" && rule["reason"].as_str().unwrap().len() > 20));
    });
}

#[test]
fn a_wrong_word_after_show_is_a_mistake() {
    on_each_backend(|pod| {
        assert_eq!(pod.run(&[BINARY, "show", "--output", "yaml"]).status.code(), Some(255));
    });
}
