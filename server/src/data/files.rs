//! The three files: `products.csv`, `stock.csv` and `wishes.csv`.

use super::Data;
use inventory::stock::StockRecord;
use serde::{Serialize, de::DeserializeOwned};
use std::{
    collections::HashSet,
    fs::{self, File},
    hash::Hash,
    io::{self, Read, Seek},
    path::{Path, PathBuf},
};
use store::StoreError;
use warehouse::table::{self, Encoding};
use wishlist::address::MailAddress;

const PRODUCTS: &str = "products.csv";
const STOCK: &str = "stock.csv";
const WISHES: &str = "wishes.csv";
/// The most pieces that a row of stock may have.
const PIECES_MAX: u32 = i32::MAX as u32;

/// In so many bytes of its text a file has its header.
const START_BYTES: u64 = 4 * 1024;

/// Why data could not be written or taken in.
#[derive(Debug, thiserror::Error)]
pub enum DataError {
    /// The folder has an export already.
    #[error("{} is there already; choose another folder with --to", .0.display())]
    Exists(PathBuf),
    /// A file cannot be read or written.
    #[error("{}: {source}", path.display())]
    Io { path: PathBuf, source: io::Error },
    /// A file says what cannot be.
    #[error("{}: {reason}", path.display())]
    Content {
        path: PathBuf,
        /// What is wrong with it, and where.
        reason: String,
    },
    /// The folder is in use.
    #[error("cannot use the folder {}: {source}; stop the server first, or choose another with --data", path.display())]
    Folder { path: PathBuf, source: io::Error },
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Data {
    /// Writes the files into a folder that has none of them yet.
    pub(super) fn write(&self, folder: &Path) -> Result<(), DataError> {
        let io = |source| DataError::Io { path: folder.to_owned(), source };
        fs::create_dir_all(folder).map_err(io)?;
        for name in [PRODUCTS, STOCK, WISHES] {
            let path = folder.join(name);
            if path.exists() {
                return Err(DataError::Exists(path));
            }
        }
        write(&folder.join(PRODUCTS), &["style", "sku", "name"], &self.products)?;
        write(&folder.join(STOCK), &["style", "sku", "on_hand", "reserved", "safety_stock"], &self.stock)?;
        let wishes = ["style", "email", "name", "sku", "wished_at", "notified_at"];
        write(&folder.join(WISHES), &wishes, &self.wishes)
    }

    /// Reads the files, all of them or nothing.
    pub(super) fn read(folder: &Path) -> Result<Self, DataError> {
        let data = Self {
            products: read(&folder.join(PRODUCTS))?,
            stock: read(&folder.join(STOCK))?,
            wishes: read(&folder.join(WISHES))?,
        };
        let wrong = |name: &str, reason: String| DataError::Content { path: folder.join(name), reason };
        once(data.products.iter().map(|row| (row.system, row.sku))).map_err(|(system, sku)| {
            wrong(PRODUCTS, format!("{sku} is there twice in {}", system.as_str()))
        })?;
        once(data.stock.iter().map(|row| (row.system, row.sku)))
            .map_err(|(system, sku)| wrong(STOCK, format!("{sku} is there twice in {}", system.as_str())))?;
        for StockRecord { sku, on_hand, reserved, safety_stock, .. } in &data.stock {
            if [on_hand, reserved, safety_stock].into_iter().any(|&pieces| pieces > PIECES_MAX) {
                return Err(wrong(STOCK, format!("{sku} has more than {PIECES_MAX} pieces")));
            }
        }
        once(data.wishes.iter().map(|row| (row.system, row.sku, row.email.clone())))
            .map_err(|(_, sku, email)| wrong(WISHES, format!("{email} wishes for {sku} twice")))?;
        for wish in &data.wishes {
            if let Err(error) = wish.email.parse::<MailAddress>() {
                return Err(wrong(WISHES, error.to_string()));
            }
        }
        Ok(data)
    }
}

/// The first that comes a second time, if any.
fn once<T: Eq + Hash + Clone>(mut all: impl Iterator<Item = T>) -> Result<(), T> {
    let mut seen = HashSet::new();
    all.find(|one| !seen.insert(one.clone())).map_or(Ok(()), Err)
}

fn write<T: Serialize>(path: &Path, header: &[&str], rows: &[T]) -> Result<(), DataError> {
    let io = |source: io::Error| DataError::Io { path: path.to_owned(), source };
    let csv = |error: csv::Error| io(io::Error::other(error));
    let file = File::create_new(path).map_err(io)?;
    let mut writer = csv::WriterBuilder::new().has_headers(false).from_writer(file);
    // Also when there are no rows.
    writer.write_record(header).map_err(csv)?;
    for row in rows {
        writer.serialize(row).map_err(csv)?;
    }
    writer.into_inner().map_err(|error| io(io::Error::other(error.to_string())))?.sync_all().map_err(io)
}

/// Reads a file as a spreadsheet may have saved it: in the encodings and with the delimiters of all other files.
fn read<T: DeserializeOwned>(path: &Path) -> Result<Vec<T>, DataError> {
    let io = |source| DataError::Io { path: path.to_owned(), source };
    let mut file = File::open(path).map_err(io)?;
    let encoding = Encoding::detect(&mut file).map_err(io)?;
    file.rewind().map_err(io)?;
    let mut start = Vec::new();
    encoding.decode(&mut file).take(START_BYTES).read_to_end(&mut start).map_err(io)?;
    let delimiter = table::delimiter_of_header(&start);
    file.rewind().map_err(io)?;
    let text = encoding.decode(file);
    let mut reader = csv::ReaderBuilder::new().delimiter(delimiter).trim(csv::Trim::All).from_reader(text);
    reader
        .deserialize()
        .collect::<Result<_, _>>()
        .map_err(|error| DataError::Content { path: path.to_owned(), reason: error.to_string() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_reads_back_the_same() {
        let folder = tempfile::tempdir().unwrap();
        let mut data = Data::seed();
        data.wishes[0].name = Some("Zoë, \"the quick\"\nÅngström".into());
        data.wishes[1].notified_at = Some("2026-01-01T00:00:00.000Z".into());
        data.write(folder.path()).unwrap();
        assert_eq!(Data::read(folder.path()).unwrap(), data);
        assert!(matches!(data.write(folder.path()), Err(DataError::Exists(_))), "nothing is overwritten");
    }

    #[test]
    fn what_a_spreadsheet_saved_reads_back_the_same() {
        type Encode = fn(&str) -> Vec<u8>;
        let utf16: Encode =
            |text| std::iter::once(0xFEFF).chain(text.encode_utf16()).flat_map(u16::to_le_bytes).collect();
        let windows: Encode = |text| encoding_rs::WINDOWS_1252.encode(text).0.into_owned();
        let marked: Encode = |text| format!("\u{feff}{text}").into_bytes();
        for (delimiter, encode) in [(";", windows), ("\t", utf16), ("|", marked)] {
            let folder = tempfile::tempdir().unwrap();
            let mut data = Data::seed();
            data.wishes[0].name = Some("Zoë Ångström".into());
            data.write(folder.path()).unwrap();
            for name in [PRODUCTS, STOCK, WISHES] {
                let path = folder.path().join(name);
                let text = fs::read_to_string(&path).unwrap();
                assert!(!text.contains('"'), "no cell has a comma of its own");
                fs::write(&path, encode(&text.replace(',', delimiter).replace('\n', "\r\n"))).unwrap();
            }
            assert_eq!(Data::read(folder.path()).unwrap(), data, "{delimiter:?}");
        }
    }

    #[test]
    fn a_mistake_is_told_with_its_file_and_line() {
        for (name, row, says) in [
            ("stock.csv", "choreography,MUG-RED,many,0,0", "line: LAST"),
            ("stock.csv", "choreography,MUG-RED,1,0,0", "MUG-RED is there twice"),
            ("stock.csv", "choreography,NEW,4000000000,0,0", "more than 2147483647"),
            (
                "products.csv",
                "ballet,MUG-RED,Red mug",
                "\"ballet\" is not a style: use choreography or orchestration",
            ),
            (
                "wishes.csv",
                "choreography,nobody,,MUG-RED,2026-01-01T00:00:00Z,",
                "\"nobody\" is not an address",
            ),
        ] {
            let folder = tempfile::tempdir().unwrap();
            Data::seed().write(folder.path()).unwrap();
            let path = folder.path().join(name);
            let text = fs::read_to_string(&path).unwrap();
            let lines = text.lines().count();
            fs::write(&path, text + row + "\n").unwrap();
            let says = says.replace("LAST", &(lines + 1).to_string());
            let error = Data::read(folder.path()).unwrap_err().to_string();
            assert!(error.contains(name) && error.contains(&says), "{error}");
        }
    }
}
