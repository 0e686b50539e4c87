//! What the data of all pods share.

use gotemplate::{Pointer, Value};
use serde_json::{Map, Value as Json};

use super::data;
use crate::mesh::MeshConfig;
use crate::yaml::YamlError;

/// Values and mesh config in the types that templates see.
#[derive(Clone, Debug)]
pub struct Settings {
    /// `map[string]interface {}`
    pub(crate) values: Value,
    /// `*v1alpha1.MeshConfig`
    pub(crate) mesh_config: Value,
}

impl Settings {
    /// Reads both. Fields that mesh config does not have are left out.
    ///
    /// # Errors
    /// When fields of mesh config are of another type.
    pub fn new(values: &Map<String, Json>, mesh: &MeshConfig) -> Result<Self, YamlError> {
        let mesh_config = data::read("v1alpha1.MeshConfig", &Json::Object(mesh.fields().clone()), "")
            .map_err(YamlError::of_fields)?;
        Ok(Self { values: Json::Object(values.clone()).into(), mesh_config: Pointer::new(mesh_config).into() })
    }
}
