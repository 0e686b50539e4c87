//! Requests and limits of the sidecar.

use serde_json::{Map, Value};
use sidecar_contract::annotation as name;

use super::AnnotationError;
use crate::quantity::Quantity;

/// Each request that is more than the limit beside it. Kubernetes would refuse the container.
pub(super) fn beyond_limits(annotations: &Map<String, Value>) -> impl Iterator<Item = AnnotationError> {
    let pairs = [(name::PROXY_CPU, name::PROXY_CPU_LIMIT), (name::PROXY_MEMORY, name::PROXY_MEMORY_LIMIT)];
    let text = |annotation: &str| annotations.get(annotation).and_then(Value::as_str);
    pairs.into_iter().filter_map(move |(request, limit)| {
        let (requested, allowed) = (text(request)?, text(limit)?);
        let is_within = Quantity::parse(requested)?.is_at_most(&Quantity::parse(allowed)?);
        let problem = || format!("is more than {limit}, which is {}", super::printable(allowed));
        (!is_within).then(|| AnnotationError::new(request, requested, problem()))
    })
}
