//! Tables, keys and properties as they lie in the file: the way they travel.

use crate::{
    core::{Name, Properties},
    raw,
};
use amq_protocol::{
    frame::WriteContext,
    types::{
        AMQPValue, FieldArray, FieldTable,
        generation::{gen_field_array, gen_field_table},
        parsing::{parse_field_array, parse_field_table},
    },
};
use rusqlite::types::{Type, ValueRef};

/// A value in the file that cannot be read.
pub(crate) fn malformed(column: usize, what: &str) -> rusqlite::Error {
    rusqlite::Error::FromSqlConversionFailure(column, Type::Blob, format!("this is not {what}").into())
}

fn blob<'a>(column: usize, value: ValueRef<'a>) -> rusqlite::Result<&'a [u8]> {
    value.as_blob().map_err(|_| malformed(column, "a blob"))
}

pub(crate) fn encode_table(table: &FieldTable) -> Vec<u8> {
    gen_field_table(table)(WriteContext::from(Vec::new()))
        .expect("writing to memory does not fail")
        .into_inner()
        .0
}

pub(crate) fn decode_table(column: usize, value: ValueRef<'_>) -> rusqlite::Result<FieldTable> {
    match parse_field_table(blob(column, value)?) {
        Ok(([], table)) => Ok(table),
        _ => Err(malformed(column, "a table")),
    }
}

pub(crate) fn encode_keys(keys: &[Name]) -> Vec<u8> {
    let keys =
        keys.iter().map(|key| AMQPValue::LongString(raw::unescape(key).to_vec().into())).collect::<Vec<_>>();
    let keys = FieldArray::from(keys);
    gen_field_array(&keys)(WriteContext::from(Vec::new()))
        .expect("writing to memory does not fail")
        .into_inner()
        .0
}

pub(crate) fn decode_keys(column: usize, value: ValueRef<'_>) -> rusqlite::Result<Vec<Name>> {
    let Ok(([], keys)) = parse_field_array(blob(column, value)?) else {
        return Err(malformed(column, "a list of keys"));
    };
    let keys: Vec<Name> = keys
        .as_slice()
        .iter()
        .filter_map(|key| key.as_long_string().map(|key| Name::from(&*raw::escape(key.as_bytes()))))
        .collect();
    if keys.is_empty() { Err(malformed(column, "a list of keys")) } else { Ok(keys) }
}

pub(crate) fn decode_properties(column: usize, value: ValueRef<'_>) -> rusqlite::Result<Properties> {
    Properties::decode(blob(column, value)?).ok_or_else(|| malformed(column, "the properties of a message"))
}
