//! Istio's function for the annotation of Multus, `k8s.v1.cni.cncf.io/networks`.

use gotemplate::{Functions, Str};
use serde_json::{Map, Value as Json};

pub(super) fn add(functions: &mut Functions) {
    functions.add("appendMultusNetwork", |networks: Str, network: Str| append(&networks.to_text(), &network.to_text()));
}

/// The networks and one more, unless it is among them. They are names, comma separated, or a list in JSON, which keeps
/// its form; what is not JSON after all stays as it is.
fn append(networks: &str, network: &str) -> String {
    if networks.is_empty() {
        return network.to_owned();
    }
    let Some(end) = networks.rfind(']') else {
        let is_there = networks.split(',').any(|known| known.trim() == network);
        return if is_there { networks.to_owned() } else { format!("{networks}, {network}") };
    };
    let Ok(known) = serde_json::from_str::<Vec<Map<String, Json>>>(networks) else { return networks.to_owned() };
    let (namespace, name) = match network.split_once('/') {
        Some((namespace, name)) => (Some(namespace), name),
        None => (None, network),
    };
    let text = |known: &Map<String, Json>, key: &str| known.get(key).and_then(Json::as_str).map(str::to_owned);
    if known
        .iter()
        .any(|one| text(one, "name").as_deref() == Some(name) && text(one, "namespace").as_deref() == namespace)
    {
        return networks.to_owned();
    }
    let (before, after) = networks.split_at(end);
    let comma = if known.is_empty() { "" } else { ", " };
    let namespace =
        namespace.map(|namespace| format!(", \"namespace\": {}", Json::from(namespace))).unwrap_or_default();
    format!("{before}{comma}{{\"name\": {}{namespace}}}{after}", Json::from(name))
}

#[cfg(test)]
mod tests {
    use super::append;

    #[test]
    fn a_network_is_added_once_in_the_form_of_the_others() {
        let added = r#", {"name": "mesh", "namespace": "default"}]"#;
        for (networks, expected) in [
            ("", "default/mesh".to_owned()),
            ("a", "a, default/mesh".to_owned()),
            ("a,default/mesh ", "a,default/mesh ".to_owned()),
            ("[]", format!("[{}", &added[2..])),
            (r#"[ {"name": "a"}]"#, format!(r#"[ {{"name": "a"}}{added}"#)),
            (r#"[{"name": "mesh"}]"#, format!(r#"[{{"name": "mesh"}}{added}"#)),
            (r#"[{"namespace":"default","name":"mesh"}]"#, r#"[{"namespace":"default","name":"mesh"}]"#.to_owned()),
            ("[broken]", "[broken]".to_owned()),
        ] {
            assert_eq!(append(networks, "default/mesh"), expected);
        }
        assert_eq!(append("[{\"name\": \"a\"}\n]", "mesh"), "[{\"name\": \"a\"}\n, {\"name\": \"mesh\"}]");
    }
}
