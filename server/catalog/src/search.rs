//! Products by the words that somebody looks for: a few suggestions of one catalog, or a page of the store, which lays
//! both catalogs side by side.

use flow::{
    System,
    api::{Product, Shelf, Shelves, Show},
};
use rusqlite::{Transaction, params_from_iter};
use store::StoreError;

/// How many products stand on one page of the store.
pub const PAGE: u32 = 48;
/// The most words in one search.
const WORDS_MAX: usize = 8;
/// The most bytes in one search.
const SEARCH_MAX_BYTES: usize = 200;

/// A search that is too long.
#[derive(Debug, thiserror::Error)]
#[error("search: at most {WORDS_MAX} words and {SEARCH_MAX_BYTES} bytes; send fewer")]
pub struct TooLong;

/// What somebody looks for: words which the SKU and the name together contain, in any case.
#[derive(Debug, Clone, Default)]
pub struct Search {
    text: String,
}

impl Search {
    /// Reads it as it was typed.
    ///
    /// # Errors
    /// When it is too long.
    pub fn parse(text: &str) -> Result<Self, TooLong> {
        if text.len() > SEARCH_MAX_BYTES || text.split_whitespace().count() > WORDS_MAX {
            return Err(TooLong);
        }
        Ok(Self { text: text.to_lowercase().trim().to_owned() })
    }

    /// The condition on the columns `sku` and `name`, with a `?` for each of [`Search::patterns`].
    fn condition(&self) -> String {
        let word = |_| "lower(sku || ' ' || name) LIKE ? ESCAPE '\\'";
        let words: Vec<_> = self.text.split_whitespace().map(word).collect();
        if words.is_empty() { "1 = 1".to_owned() } else { words.join(" AND ") }
    }

    fn patterns(&self) -> impl Iterator<Item = String> {
        self.text.split_whitespace().map(|word| format!("%{}%", escaped(word)))
    }
}

/// The text as a LIKE pattern that matches itself.
fn escaped(text: &str) -> String {
    text.replace('\\', "\\\\").replace('%', "\\%").replace('_', "\\_")
}

/// At most `limit` products of a system that fit: first those whose SKU begins with the text, then by name.
///
/// # Errors
/// When the store fails.
pub fn products(
    tx: &Transaction<'_>,
    system: System,
    search: &Search,
    limit: u32,
) -> Result<Vec<Product>, StoreError> {
    let sql = format!(
        "SELECT sku, name, available, quantity, version, updated_at FROM products
         WHERE style = ? AND {}
         ORDER BY CASE WHEN lower(sku) LIKE ? ESCAPE '\\' THEN 0 ELSE 1 END, name, sku LIMIT ?",
        search.condition()
    );
    let beginning = format!("{}%", escaped(&search.text));
    let values = std::iter::once(system.as_str().to_owned()).chain(search.patterns()).chain([beginning]);
    let values = values.map(rusqlite::types::Value::from).chain([i64::from(limit).into()]);
    let mut select = tx.prepare_cached(&sql)?;
    let rows = select.query_map(params_from_iter(values), |row| {
        Ok(Product {
            sku: store::sku(row, 0)?,
            name: row.get(1)?,
            available: row.get(2)?,
            quantity: row.get(3)?,
            version: row.get(4)?,
            updated_at: row.get(5)?,
        })
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// Both catalogs side by side. A product that only one of them lists is there, too.
const SHELVES: &str = "
WITH shelves AS (
    SELECT l.sku, l.name, CASE WHEN l.available <> 0 THEN l.quantity ELSE 0 END AS choreography,
        CASE WHEN r.available <> 0 THEN r.quantity WHEN r.available = 0 THEN 0 END AS orchestration
    FROM products l LEFT JOIN products r ON r.style = 'orchestration' AND r.sku = l.sku
    WHERE l.style = 'choreography'
    UNION ALL
    SELECT r.sku, r.name, NULL, CASE WHEN r.available <> 0 THEN r.quantity ELSE 0 END
    FROM products r WHERE r.style = 'orchestration'
        AND NOT EXISTS (SELECT 1 FROM products l WHERE l.style = 'choreography' AND l.sku = r.sku)
)";

const fn shown(show: Show) -> &'static str {
    match show {
        Show::All => "1 = 1",
        Show::Available => "(choreography > 0 OR orchestration > 0)",
        Show::SoldOut => "(choreography = 0 OR orchestration = 0)",
    }
}

/// A page of the store, by name; `page` counts from 1, and behind the last comes the last.
///
/// # Errors
/// When the store fails.
pub fn shelves(tx: &Transaction<'_>, search: &Search, show: Show, page: u32) -> Result<Shelves, StoreError> {
    let condition = format!("{} AND {}", search.condition(), shown(show));
    let counts = format!(
        "{SHELVES} SELECT count(*), coalesce(sum(CASE WHEN choreography > 0 THEN 1 ELSE 0 END), 0),
             coalesce(sum(CASE WHEN orchestration > 0 THEN 1 ELSE 0 END), 0),
             coalesce(sum(CASE WHEN {condition} THEN 1 ELSE 0 END), 0)
         FROM shelves"
    );
    let (products, available, found): (u32, [u32; 2], u32) =
        tx.prepare_cached(&counts)?.query_row(params_from_iter(search.patterns()), |row| {
            Ok((row.get(0)?, [row.get(1)?, row.get(2)?], row.get(3)?))
        })?;
    let pages = found.div_ceil(PAGE).max(1);
    let page = page.clamp(1, pages);
    let first = u64::from(page - 1) * u64::from(PAGE);
    let list = format!(
        "{SHELVES} SELECT sku, name, choreography, orchestration FROM shelves
         WHERE {condition} ORDER BY name, sku LIMIT {PAGE} OFFSET {first}"
    );
    let mut select = tx.prepare(&list)?;
    let rows = select.query_map(params_from_iter(search.patterns()), |row| {
        Ok(Shelf {
            sku: store::sku(row, 0)?,
            name: row.get(1)?,
            choreography: row.get(2)?,
            orchestration: row.get(3)?,
        })
    })?;
    Ok(Shelves { shelves: rows.collect::<Result<_, _>>()?, page, pages, found, products, available })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::products::SCHEMA;
    use rusqlite::{Connection, params};

    /// SKU, name, and quantities in choreography's and orchestration's shop.
    type Row<'a> = (&'a str, &'a str, Option<u32>, Option<u32>);

    fn store(rows: &[Row<'_>]) -> Connection {
        let connection = Connection::open_in_memory().unwrap();
        connection.execute_batch(SCHEMA).unwrap();
        for (sku, name, choreography, orchestration) in rows {
            for (system, quantity) in System::ALL.iter().zip([choreography, orchestration]) {
                let Some(quantity) = quantity else { continue };
                connection
                    .execute(
                        "INSERT INTO products VALUES (?1, ?2, ?3, ?4, ?5, 1, '')",
                        params![system.as_str(), sku, name, *quantity > 0, quantity],
                    )
                    .unwrap();
            }
        }
        connection
    }

    fn shelves_of(connection: &mut Connection, search: &str, show: Show, page: u32) -> Shelves {
        let search = Search::parse(search).unwrap();
        shelves(&connection.transaction().unwrap(), &search, show, page).unwrap()
    }

    fn skus(page: &Shelves) -> Vec<&str> {
        page.shelves.iter().map(|shelf| shelf.sku.as_str()).collect()
    }

    const FEW: [Row<'static>; 4] = [
        ("MUG-RED", "Red mug", Some(0), Some(2)),
        ("TEA", "100% tea", Some(3), Some(3)),
        ("ONLY-C", "Clock", Some(0), None),
        ("ONLY-O", "Oak_table", None, Some(7)),
    ];

    #[test]
    fn the_two_catalogs_meet_by_sku_and_are_ordered_by_name() {
        let page = shelves_of(&mut store(&FEW), "", Show::All, 1);
        assert_eq!(skus(&page), ["TEA", "ONLY-C", "ONLY-O", "MUG-RED"]);
        let quantities: Vec<_> =
            page.shelves.iter().map(|shelf| (shelf.choreography, shelf.orchestration)).collect();
        assert_eq!(quantities, [(Some(3), Some(3)), (Some(0), None), (None, Some(7)), (Some(0), Some(2))]);
        assert_eq!((page.products, page.found, page.available, page.pages), (4, 4, [1, 3], 1));
    }

    #[test]
    fn the_search_finds_by_words_and_by_what_is_sold_out_in_either_shop() {
        let mut store = store(&FEW);
        let mut found = |text: &str, show| {
            let page = shelves_of(&mut store, text, show, 1);
            assert_eq!(page.found as usize, page.shelves.len());
            assert_eq!(page.products, 4, "the numbers of the shop do not depend on what is looked for");
            skus(&page).join(" ")
        };
        assert_eq!(found("mug-r RED", Show::Available), "MUG-RED");
        assert_eq!(found("red", Show::SoldOut), "MUG-RED");
        assert_eq!(found("blue", Show::All), "");
        assert_eq!(found("", Show::SoldOut), "ONLY-C MUG-RED");
        assert_eq!(found("", Show::Available), "TEA ONLY-O MUG-RED");
        assert_eq!(found("%", Show::All), "TEA", "signs that SQL knows stand for themselves");
        assert_eq!(found("_", Show::All), "ONLY-O");
        assert_eq!(found("\\ ' \"", Show::All), "");
    }

    #[test]
    fn behind_the_last_page_comes_the_last_page() {
        let names: Vec<_> = (0..PAGE + 2).map(|at| (format!("S-{at:03}"), format!("N-{at:03}"))).collect();
        let rows: Vec<Row<'_>> =
            names.iter().map(|(sku, name)| (sku.as_str(), name.as_str(), Some(1), Some(1))).collect();
        let mut store = store(&rows);
        for (asked, page, first, length) in
            [(0, 1, "S-000", 48), (1, 1, "S-000", 48), (2, 2, "S-048", 2), (u32::MAX, 2, "S-048", 2)]
        {
            let told = shelves_of(&mut store, "", Show::All, asked);
            assert_eq!((told.page, told.pages, told.found), (page, 2, PAGE + 2));
            assert_eq!((skus(&told)[0], told.shelves.len()), (first, length));
        }
    }

    #[test]
    fn suggestions_begin_with_the_skus_that_begin_like_the_text() {
        let mut store = store(&[
            ("TEA-MUG", "A tea set", Some(0), None),
            ("MUG-RED", "Red mug", Some(3), None),
            ("MUG-BLUE", "Blue mug", Some(0), None),
        ]);
        let mut found = |text: &str, limit| {
            let tx = store.transaction().unwrap();
            let found = products(&tx, flow::Style::Choreography.into(), &Search::parse(text).unwrap(), limit)
                .unwrap();
            found.iter().map(|product| product.sku.to_string()).collect::<Vec<_>>().join(" ")
        };
        assert_eq!(found("mug", 8), "MUG-BLUE MUG-RED TEA-MUG");
        assert_eq!(found("mug", 1), "MUG-BLUE");
        assert_eq!(found("red mug", 8), "MUG-RED");
        assert_eq!(found("cup", 8), "");
        assert!(Search::parse(&"a ".repeat(9)).is_err() && Search::parse(&"a".repeat(201)).is_err());
    }
}
