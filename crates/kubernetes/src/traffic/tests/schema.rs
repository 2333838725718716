//! The schemas of published definitions, made strict: a field that they do not know is a fault.

use std::collections::BTreeMap;

use jsonschema::Validator;
use serde_json::{Value, json};

/// The schemas by `apiVersion` and kind.
pub(super) struct Schemas {
    validators: BTreeMap<(String, String), Validator>,
}

impl Schemas {
    /// Those of these definitions.
    pub(super) fn of(definitions: &[Value]) -> Self {
        let mut validators = BTreeMap::new();
        for definition in definitions {
            let spec = &definition["spec"];
            let (group, kind) = (spec["group"].as_str().unwrap(), spec["names"]["kind"].as_str().unwrap());
            for version in spec["versions"].as_array().unwrap() {
                let mut schema = version["schema"]["openAPIV3Schema"].clone();
                tighten(&mut schema);
                // What every object has is not in the definitions.
                schema["properties"]["apiVersion"] = json!({ "type": "string" });
                schema["properties"]["kind"] = json!({ "type": "string" });
                schema["properties"]["metadata"] = json!({ "type": "object" });
                let api = format!("{group}/{}", version["name"].as_str().unwrap());
                let validator = jsonschema::draft202012::new(&schema).unwrap();
                validators.insert((api, kind.to_owned()), validator);
            }
        }
        Self { validators }
    }

    /// What is wrong with an object; an object of an unknown kind is wrong.
    pub(super) fn faults(&self, object: &Value) -> Vec<String> {
        let key =
            (object["apiVersion"].as_str().unwrap().to_owned(), object["kind"].as_str().unwrap().to_owned());
        let Some(validator) = self.validators.get(&key) else {
            return vec![format!("no definition of {key:?}")];
        };
        let faults = validator.iter_errors(object);
        faults.map(|fault| format!("{}: {fault}", fault.instance_path())).collect()
    }
}

/// From the words of Kubernetes to those of JSON Schema.
fn tighten(schema: &mut Value) {
    match schema {
        Value::Array(schemas) => schemas.iter_mut().for_each(tighten),
        Value::Object(fields) => {
            fields.values_mut().for_each(tighten);
            let yes = |name: &str| fields.get(name) == Some(&json!(true));
            let (open, number_or_text) =
                (yes("x-kubernetes-preserve-unknown-fields"), yes("x-kubernetes-int-or-string"));
            if number_or_text {
                fields.insert("type".to_owned(), json!(["integer", "string"]));
            }
            let is_schema = fields.get("properties").is_some_and(Value::is_object)
                && fields.get("type") == Some(&json!("object"));
            if is_schema && !open && !fields.contains_key("additionalProperties") {
                fields.insert("additionalProperties".to_owned(), json!(false));
            }
        }
        _ => {}
    }
}
