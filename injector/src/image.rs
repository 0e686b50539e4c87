//! Which images the sidecar and the init container run.

use gotemplate::{Budget, Limits, Value as Data};
use serde_json::{Map, Value};

const DEFAULT_NAME: &str = "proxyv2";
/// The image type that names no variant.
const DEFAULT_TYPE: &str = "default";
/// Variants that a tag may name at its end.
const VARIANTS: [&str; 2] = ["-distroless", "-debug"];

/// The sidecar's image, `<global.hub>/<global.proxy.image>:<global.tag>`, in the variant that is asked for.
///
/// `image_type` is `image.imageType` of the pod's ProxyConfig, and wins over `global.variant`; `annotation` is the
/// value of `sidecar.istio.io/proxyImageType`, and wins over both.
pub fn proxy_image(values: &Map<String, Value>, image_type: Option<&str>, annotation: Option<&str>) -> String {
    image(values, "proxy", annotation.or(image_type.filter(|image_type| !image_type.is_empty())))
}

/// The init container's image, as [`proxy_image`] with `global.proxy_init.image`. ProxyConfig has no say in it.
pub fn init_image(values: &Map<String, Value>, annotation: Option<&str>) -> String {
    image(values, "proxy_init", annotation)
}

/// Hub and tag are left out with their separators when the values have none.
fn image(values: &Map<String, Value>, section: &str, image_type: Option<&str>) -> String {
    let global = values.get("global").unwrap_or(&Value::Null);
    let hub = scalar(global.get("hub"));
    let name = Some(scalar(global.get(section).and_then(|section| section.get("image"))))
        .filter(|name| !name.is_empty())
        .unwrap_or_else(|| DEFAULT_NAME.to_owned());
    let image_type = image_type.map_or_else(|| scalar(global.get("variant")), str::to_owned);
    let tag = tag(scalar(global.get("tag")), &image_type);
    let hub_end = if hub.is_empty() { "" } else { "/" };
    let tag_start = if tag.is_empty() { "" } else { ":" };
    format!("{hub}{hub_end}{name}{tag_start}{tag}")
}

/// The tag of a variant: the one that it names itself is replaced.
fn tag(tag: String, image_type: &str) -> String {
    if tag.is_empty() || image_type.is_empty() {
        return tag;
    }
    let plain = VARIANTS.iter().find_map(|variant| tag.strip_suffix(variant)).unwrap_or(&tag);
    if image_type == DEFAULT_TYPE { plain.to_owned() } else { format!("{plain}-{image_type}") }
}

/// A text of the values, or a number where its writer left out the quotes; empty for anything else.
fn scalar(value: Option<&Value>) -> String {
    match value {
        Some(Value::String(text)) => text.clone(),
        Some(Value::Bool(value)) => value.to_string(),
        Some(Value::Number(number)) if number.is_i64() || number.is_u64() => number.to_string(),
        Some(Value::Number(number)) => printed(number.as_f64().unwrap_or_default()),
        _ => String::new(),
    }
}

/// A float as Go prints it: as short as can be, with an exponent where it is large.
fn printed(number: f64) -> String {
    let budget = Budget::new(Limits::default());
    Data::float(number).to_text(&budget).map_or_else(|_| number.to_string(), |text| text.to_text().into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn values(global: Value) -> Map<String, Value> {
        Map::from_iter([("global".to_owned(), global)])
    }

    fn check(global: Value, image_type: Option<&str>, annotation: Option<&str>, expected: &str) {
        assert_eq!(proxy_image(&values(global.clone()), image_type, annotation), expected, "{global}");
    }

    #[test]
    fn hub_name_and_tag_make_an_image() {
        check(json!({"hub": "h.io/a", "tag": "1.2"}), None, None, "h.io/a/proxyv2:1.2");
        check(json!({"hub": "h", "tag": 11}), None, None, "h/proxyv2:11");
        check(json!({"hub": "h", "tag": 1.12}), None, None, "h/proxyv2:1.12");
        check(json!({"hub": "h", "tag": 11.0}), None, None, "h/proxyv2:11");
        check(json!({"hub": "h", "tag": "t", "proxy": {"image": "mine"}}), None, None, "h/mine:t");
        check(json!({"tag": "t"}), None, None, "proxyv2:t");
        check(json!({"hub": "h", "tag": [1], "proxy": {"image": ""}}), Some("debug"), None, "h/proxyv2");
        assert_eq!(proxy_image(&Map::new(), None, None), "proxyv2");
    }

    #[test]
    fn the_type_comes_from_the_values_the_proxy_config_or_the_annotation() {
        let global = || json!({"hub": "h", "tag": "t", "variant": "distroless", "proxy_init": {"image": "init"}});
        check(global(), None, None, "h/proxyv2:t-distroless");
        check(global(), Some(""), None, "h/proxyv2:t-distroless");
        check(global(), Some("debug"), None, "h/proxyv2:t-debug");
        check(global(), Some("debug"), Some("default"), "h/proxyv2:t");
        check(global(), Some("debug"), Some("fips"), "h/proxyv2:t-fips");
        assert_eq!(init_image(&values(global()), None), "h/init:t-distroless");
        assert_eq!(init_image(&values(global()), Some("debug")), "h/init:t-debug");
    }

    #[test]
    fn a_variant_in_the_tag_gives_way_to_the_type() {
        for tag in ["t", "t-debug", "t-distroless"] {
            let global = json!({"hub": "h", "tag": tag});
            check(global.clone(), Some("debug"), None, "h/proxyv2:t-debug");
            check(global.clone(), Some("distroless"), None, "h/proxyv2:t-distroless");
            check(global.clone(), Some("default"), None, "h/proxyv2:t");
            check(global, None, None, &format!("h/proxyv2:{tag}"));
        }
    }
}
