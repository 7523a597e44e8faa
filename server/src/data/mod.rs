//! The data that a person owns: products, stock and wishes, as CSV files that any program reads.
//!
//! What follows from them (availability, versions, what the wishlist knows) is not in the files: it is worked out
//! again when they are taken in, so that the three services agree from the start.

mod files;
pub mod http;
pub mod offline;
mod replace;

pub use files::DataError;
pub use replace::{Begun, Reset, ResetError};

use catalog::products::ProductRecord;
use flow::{Availability, Sku, Style};
use serde::{Deserialize, Serialize};
use store::epoch::Floors;
use wishlist::wishes::WishRecord;

/// What inventory recorded of a SKU.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StockRecord {
    /// In which system.
    pub style: Style,
    /// The SKU.
    pub sku: Sku,
    /// Pieces in the warehouse.
    pub on_hand: u32,
    /// Pieces promised to somebody.
    pub reserved: u32,
    /// Pieces never to be sold.
    pub safety_stock: u32,
}

impl StockRecord {
    /// What is for sale of it, at that version.
    #[must_use]
    pub const fn availability(&self, version: u64) -> Availability {
        let quantity = self.on_hand.saturating_sub(self.reserved).saturating_sub(self.safety_stock);
        Availability { sku: self.sku, available: quantity > 0, quantity, version }
    }
}

/// Everything that a person owns here, of both systems.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Data {
    /// The products.
    pub products: Vec<ProductRecord>,
    /// The stock.
    pub stock: Vec<StockRecord>,
    /// The wishes.
    pub wishes: Vec<WishRecord>,
}

impl Data {
    /// What is for sale of each SKU, at the first version above the floors.
    #[must_use]
    pub fn for_sale(&self, floors: Floors) -> Vec<(Style, Availability)> {
        let at = |style| floors.of(style) + 1;
        self.stock.iter().map(|record| (record.style, record.availability(at(record.style)))).collect()
    }

    /// What a new system starts with.
    #[must_use]
    pub fn seed() -> Self {
        let now = base::clock::now_text();
        let mut data = Self::default();
        for &style in Style::ALL {
            for product in &seed::PRODUCTS {
                let (sku, name) = (product.sku(), product.name.to_owned());
                let &seed::Product { on_hand, reserved, safety_stock, .. } = product;
                data.products.push(ProductRecord { style, sku, name });
                data.stock.push(StockRecord { style, sku, on_hand, reserved, safety_stock });
            }
            data.wishes.extend(seed::wishes().map(|(email, sku)| WishRecord {
                style,
                email,
                name: None,
                sku,
                wished_at: now.clone(),
                notified_at: None,
            }));
        }
        data
    }
}
