//! The data that a person owns: products, stock and wishes, as CSV files that any program reads.
//!
//! What follows from them (availability, versions, what the wishlist knows) is not in the files: it is worked out
//! again when they are taken in, so that the three services agree from the start.

mod files;
pub mod http;
pub mod offline;
mod replace;

pub use files::DataError;
pub use replace::{Reset, ResetError, ResetMarker};

use catalog::products::ProductRecord;
use flow::{Availability, System};
use inventory::stock::StockRecord;
use store::epoch::Floors;
use wishlist::wishes::WishRecord;

/// Everything that a person owns here, of both systems.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Data {
    pub products: Vec<ProductRecord>,
    pub stock: Vec<StockRecord>,
    pub wishes: Vec<WishRecord>,
}

impl Data {
    /// What is for sale of each SKU, at the first version above the floors.
    #[must_use]
    pub fn for_sale(&self, floors: Floors) -> Vec<(System, Availability)> {
        let at = |system| floors.of(system) + 1;
        self.stock.iter().map(|record| (record.system, record.availability(at(record.system)))).collect()
    }

    /// What a new system starts with.
    #[must_use]
    pub fn seed() -> Self {
        let now = base::clock::now_text();
        let mut data = Self::default();
        for system in System::ALL {
            for product in &seed::PRODUCTS {
                let (sku, name) = (product.sku(), product.name.to_owned());
                let &seed::Product { on_hand, reserved, safety_stock, .. } = product;
                data.products.push(ProductRecord { system, sku, name });
                data.stock.push(StockRecord { system, sku, on_hand, reserved, safety_stock });
            }
            data.wishes.extend(seed::wishes().map(|(email, sku)| WishRecord {
                system,
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
