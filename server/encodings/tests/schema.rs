//! The schema and the messages that were written by hand agree: what we write, a reader that knows only the schema reads by
//! its names, and the other way round.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on says where")]

use encodings::proto::{Arrival, Arrivals, AvailabilityMessage, SCHEMA, UnsubscriptionMessage};
use prost::Message;
use prost_reflect::{DescriptorPool, DynamicMessage, Value};
use protox::{
    Compiler,
    file::{File, FileResolver},
};
use serde_json::{Value as Json, json};

struct Served;

impl FileResolver for Served {
    fn open_file(&self, name: &str) -> Result<File, protox::Error> {
        File::from_source(name, SCHEMA)
    }
}

fn schema() -> DescriptorPool {
    let mut compiler = Compiler::with_file_resolver(Served);
    compiler.open_file("skuflow.proto").unwrap();
    compiler.descriptor_pool()
}

/// Compares a message of ours with what the schema says it is: by name and type, in both directions.
fn agrees<M: Message + Default + PartialEq + std::fmt::Debug>(name: &str, message: &M, expected: Json) {
    let descriptor = schema().get_message_by_name(&format!("skuflow.{name}")).unwrap();
    // A field that is missing here would not be compared.
    let fields = expected.as_object().unwrap();
    let mut names: Vec<_> = descriptor.fields().map(|field| field.name().to_owned()).collect();
    names.sort_unstable();
    assert_eq!(fields.keys().cloned().collect::<Vec<_>>(), names, "{name}");
    let bytes = message.encode_to_vec();
    let read = DynamicMessage::decode(descriptor.clone(), &bytes[..]).unwrap();
    assert_eq!(read.unknown_fields().count(), 0, "{name}");
    let options = prost_reflect::SerializeOptions::new().stringify_64_bit_integers(false);
    assert_eq!(
        read.serialize_with_options(serde_json::value::Serializer, &options).unwrap(),
        expected,
        "{name}"
    );
    let written = DynamicMessage::deserialize(descriptor, expected).unwrap();
    assert_eq!(&M::decode(&written.encode_to_vec()[..]).unwrap(), message, "{name}");
    assert_eq!(written.encode_to_vec(), bytes, "{name}");
}

#[test]
fn the_messages_have_the_numbers_names_and_types_of_the_schema() {
    let availability =
        AvailabilityMessage { sku: "MUG-RED".into(), available: true, quantity: u32::MAX, version: u64::MAX };
    let as_json = json!({ "sku": "MUG-RED", "available": true, "quantity": u32::MAX, "version": u64::MAX });
    agrees("Availability", &availability, as_json);
    let told = UnsubscriptionMessage { email: "ada@example.com".into(), sku: "MUG-RED".into() };
    agrees("Unsubscription", &told, json!({ "email": "ada@example.com", "sku": "MUG-RED" }));
    let arrival = Arrival {
        sku: "MUG-RED".into(),
        quantity: -12,
        style: "both".into(),
        transport: Some("redis".into()),
        dispatch: Some(String::new()),
    };
    let as_json =
        json!({ "sku": "MUG-RED", "quantity": -12, "style": "both", "transport": "redis", "dispatch": "" });
    agrees("Arrival", &arrival, as_json.clone());
    agrees("Arrivals", &Arrivals { arrivals: vec![arrival] }, json!({ "arrivals": [as_json] }));
}

#[test]
fn the_schema_has_no_message_that_is_not_compared() {
    let names: Vec<_> = schema().all_messages().map(|message| message.name().to_owned()).collect();
    assert_eq!(names, ["Availability", "Unsubscription", "Arrival", "Arrivals"]);
}

#[test]
fn what_is_not_sent_is_told_apart_from_what_is_empty() {
    let descriptor = schema().get_message_by_name("skuflow.Arrival").unwrap();
    let bytes =
        Arrival { sku: "A".into(), transport: Some(String::new()), ..Arrival::default() }.encode_to_vec();
    let read = DynamicMessage::decode(descriptor, &bytes[..]).unwrap();
    assert!(read.has_field_by_name("transport") && !read.has_field_by_name("dispatch"));
    assert_eq!(read.get_field_by_name("quantity").as_deref(), Some(&Value::I64(0)));
}
