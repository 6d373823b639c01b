//! Fits a JSON schema to a provider that supports only some keywords. Other keywords go
//! into the description, where the model reads them.

use super::json::{Json, Object};
use std::borrow::Cow;

/// Keywords that limit a value and that Claude's structured outputs refuse.
const LIMITS: [&str; 13] = [
    "exclusiveMaximum",
    "exclusiveMinimum",
    "maxItems",
    "maxLength",
    "maxProperties",
    "maximum",
    "minItems",
    "minLength",
    "minProperties",
    "minimum",
    "multipleOf",
    "patternProperties",
    "uniqueItems",
];

/// Fields of a schema that hold schemas by name.
const BY_NAME: [&str; 4] = ["properties", "$defs", "definitions", "dependentSchemas"];

/// A schema that was made to fit.
pub struct Fit {
    /// The schema.
    pub schema: Json<'static>,
    /// Whether a keyword went into a description.
    pub moved: bool,
}

/// The longest schema that is fitted.
const LONGEST: usize = 128 * 1024;

/// Makes a schema fit Claude's structured outputs; nothing where it is too long for
/// that, and goes as it is.
pub fn fit(schema: &Json<'_>) -> Option<Fit> {
    let mut schema = match schema.plain() {
        Json::Raw(raw) if raw.get().len() <= LONGEST => {
            Json::parse_part(raw.get()).ok()?.into_owned()
        }
        Json::Raw(_) => return None,
        json => json.clone().into_owned(),
    };
    let mut moved = false;
    visit(&mut schema, &mut moved);
    Some(Fit { schema, moved })
}

fn visit(schema: &mut Json<'static>, moved: &mut bool) {
    match schema {
        Json::List(entries) => entries.iter_mut().for_each(|entry| visit(entry, moved)),
        Json::Object(object) => {
            close(object);
            *moved |= move_limits(object);
            for (name, value) in &mut object.0 {
                match value {
                    Json::Object(inner) if BY_NAME.contains(&name.as_ref()) => {
                        let inner = inner.0.iter_mut();
                        inner.for_each(|(_, schema)| visit(schema, moved));
                    }
                    // Allowed values are not schemas.
                    _ if matches!(name.as_ref(), "enum" | "const" | "default" | "examples") => {}
                    _ => visit(value, moved),
                }
            }
        }
        _ => {}
    }
}

/// Says that an object has no fields but its own, where the schema does not say. An
/// explicit value stays, since changing it would change the response.
fn close(object: &mut Object<'static>) {
    if object.get("additionalProperties").is_some() {
        return;
    }
    let is_object = object.get("type").and_then(Json::as_text) == Some("object");
    if is_object || matches!(object.get("properties"), Some(Json::Object(_))) {
        object.push("additionalProperties", false);
    }
}

/// Whether there were any.
fn move_limits(object: &mut Object<'static>) -> bool {
    // `minItems` of 0 or 1 is known.
    let known = |name: &str, value: &Json<'_>| {
        let few = matches!(value, Json::Number(number) if number.as_u64().is_some_and(|n| n <= 1));
        name == "minItems" && few
    };
    let mut told = Vec::new();
    object.0.retain(|(name, value)| {
        let limit = LIMITS.contains(&name.as_ref()) && !known(name, value);
        if limit {
            told.push(format!("{name}: {}", value.to_text()));
        }
        !limit
    });
    if told.is_empty() {
        return false;
    }
    let told = told.join(", ");
    let description = match object.get("description").and_then(Json::as_text) {
        Some(text) => format!("{text} ({told})"),
        None => told,
    };
    object.set(Cow::Borrowed("description"), description);
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fitted(schema: &str) -> (String, bool) {
        let fit = fit(&Json::parse(schema).unwrap()).unwrap();
        (fit.schema.to_text(), fit.moved)
    }

    #[test]
    fn limits_go_into_the_description() {
        let (schema, moved) = fitted(
            r#"{"type":"object","properties":{"minimum":{"type":"integer","minimum":1,"maximum":5,"description":"stars"},
                "tags":{"type":"array","items":{"type":"string","minLength":2},"minItems":1}},"required":["minimum"]}"#,
        );
        assert!(moved);
        assert_eq!(
            schema,
            r#"{"type":"object","properties":{"minimum":{"type":"integer","description":"stars (minimum: 1, maximum: 5)"},"tags":{"type":"array","items":{"type":"string","description":"minLength: 2"},"minItems":1}},"required":["minimum"],"additionalProperties":false}"#
        );
    }

    #[test]
    fn guard_a_schema_of_any_length_takes_little_room() {
        let long = format!(r#"{{"enum":[{}0]}}"#, "0,".repeat(LONGEST));
        assert!(fit(&Json::raw(&long).unwrap()).is_none());
        // A property of any name is looked into.
        let named = r#"{"properties":{"input":{"type":"string","minLength":1},"schema":{"type":"object"}}}"#;
        let fit = fit(&Json::raw(named).unwrap()).unwrap();
        assert!(fit.moved && !fit.schema.to_text().contains(r#""minLength""#));
    }

    #[test]
    fn what_fits_stays_as_it_is() {
        let schema = r#"{"type":"object","properties":{"a":{"enum":[{"minimum":1}]}},"additionalProperties":false}"#;
        assert_eq!(fitted(schema), (schema.to_owned(), false));
        let map = r#"{"type":"object","additionalProperties":{"type":"string"}}"#;
        assert_eq!(fitted(map), (map.to_owned(), false));
        let nested = r#"{"$defs":{"p":{"type":"object","properties":{}}},"anyOf":[{"$ref":"x"}]}"#;
        let closed = nested.replace(
            r#""properties":{}}"#,
            r#""properties":{},"additionalProperties":false}"#,
        );
        assert_eq!(fitted(nested), (closed, false));
    }
}
