//! The same answer of inventory's in each encoding: how many bytes it has, and what it takes to write and to read it.

use encodings::{decode, encode};
use flow::{Availability, Encoding, Sku, api::EncodingRow};
use std::{hint::black_box, time::Instant};

/// How often each is written and read.
const TIMES: u32 = 2_001;
/// What is measured at once: a clock is slower than one of them.
const TOGETHER: u32 = 16;

/// Measures them all. It takes some milliseconds, on the calling thread.
pub fn all() -> Vec<EncodingRow> {
    // As it is asked for: a SKU of usual length, and a version after some days.
    let Ok(sku) = Sku::parse("MEASURE-001") else { return Vec::new() };
    let known = Availability { sku, available: true, quantity: 120, version: 4_711 };
    Encoding::ALL.iter().map(|&encoding| measured(&known, encoding)).collect()
}

fn measured(known: &Availability, encoding: Encoding) -> EncodingRow {
    let bytes = encode(known, encoding);
    EncodingRow {
        encoding,
        bytes: u32::try_from(bytes.len()).unwrap_or(u32::MAX),
        write_ns: median_ns(|| drop(black_box(encode(black_box(known), encoding)))),
        read_ns: median_ns(|| drop(black_box(decode::<Availability>(black_box(&bytes), encoding)))),
        n: TIMES * TOGETHER,
    }
}

/// Half of the times took no longer.
fn median_ns(work: impl Fn()) -> u64 {
    let once = || {
        let began = Instant::now();
        (0..TOGETHER).for_each(|_| work());
        u64::try_from(began.elapsed().as_nanos()).unwrap_or(u64::MAX) / u64::from(TOGETHER)
    };
    let mut took: Vec<u64> = (0..TIMES).map(|_| once()).collect();
    took.sort_unstable();
    took[took.len() / 2]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_encoding_is_measured_by_the_bytes_that_inventory_answers() {
        let rows = all();
        assert_eq!(rows.iter().map(|row| row.encoding).collect::<Vec<_>>(), Encoding::ALL);
        let bytes = |encoding| rows.iter().find(|row| row.encoding == encoding).unwrap().bytes;
        let json = r#"{"sku":"MEASURE-001","available":true,"quantity":120,"version":4711}"#;
        assert_eq!(bytes(Encoding::Json) as usize, json.len());
        assert!(bytes(Encoding::Protobuf) < bytes(Encoding::MsgPack));
        assert!(bytes(Encoding::MsgPack) < bytes(Encoding::Json));
        assert!(rows.iter().all(|row| row.write_ns > 0 && row.read_ns > 0), "{rows:?}");
    }
}
