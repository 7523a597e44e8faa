//! `skuflow reset`, `export` and `import`: on a data folder that no server uses.

use super::{Data, DataError};
use crate::serve::lock;
use catalog::{product_store::ProductStore as _, sqlite::SqliteProducts};
use inventory::{sqlite::SqliteStock, stock_store::StockStore as _};
use loyalty::{point_store::PointStore as _, sqlite::SqlitePoints};
use std::{fs, io, path::Path};
use store::epoch::Floors;
use wishlist::{sqlite::SqliteWishes, wish_store::WishStore as _};

/// The stores of a folder, kept from servers as long as this lives.
struct Folder {
    inventory: SqliteStock,
    catalog: SqliteProducts,
    wishlist: SqliteWishes,
    loyalty: SqlitePoints,
    _lock: fs::File,
}

impl Folder {
    async fn open(path: &Path) -> Result<Self, DataError> {
        let folder = |source| DataError::Folder { path: path.to_owned(), source };
        if !path.is_dir() {
            return Err(folder(io::Error::new(io::ErrorKind::NotFound, "there is no such folder")));
        }
        let lock = lock(path).map_err(folder)?;
        Ok(Self {
            inventory: SqliteStock::open(path).await?,
            catalog: SqliteProducts::open(path).await?,
            wishlist: SqliteWishes::open(path).await?,
            loyalty: SqlitePoints::open(path).await?,
            _lock: lock,
        })
    }

    async fn read(&self) -> Result<Data, DataError> {
        Ok(Data {
            products: self.catalog.export().await?,
            stock: self.inventory.export().await?,
            wishes: self.wishlist.export().await?,
        })
    }

    /// Answers up to which version all is old news now.
    async fn replace(&self, path: &Path, data: Data) -> Result<Floors, DataError> {
        let stock = data.stock.clone();
        let told = self.catalog.highest().await?;
        let told = told.max(self.wishlist.highest().await?).max(self.loyalty.highest().await?);
        // Nobody is told: no server runs.
        let floors = self.inventory.replace(stock, told, Box::new(|_| {})).await?.floors;
        let for_sale = data.for_sale(floors);
        self.catalog.replace(data.products, for_sale.clone(), floors, Box::new(|_| {})).await?;
        self.wishlist.replace(data.wishes, for_sale, floors, Box::new(|_| {})).await?;
        // What is in the embedded broker's queues tells of a life that is over.
        match fs::remove_dir_all(path.join("broker")) {
            Err(source) if source.kind() != io::ErrorKind::NotFound => {
                Err(DataError::Folder { path: path.to_owned(), source })
            }
            _ => Ok(floors),
        }
    }
}

/// Takes both systems back to the seed.
///
/// # Errors
/// When a server uses the folder, or a store fails.
pub async fn reset(data: &Path) -> Result<(), DataError> {
    let folder = Folder::open(data).await?;
    let floors = folder.replace(data, Data::seed()).await?;
    folder.loyalty.reset(floors).await?;
    Ok(())
}

/// Writes products, stock and wishes into `to`.
///
/// # Errors
/// When a server uses the folder, `to` has an export already, or something cannot be read or written.
pub async fn export(data: &Path, to: &Path) -> Result<(), DataError> {
    Folder::open(data).await?.read().await?.write(to)
}

/// Takes in what an export wrote, in place of what is there.
///
/// # Errors
/// When a server uses the folder, or `from` has something that cannot be; nothing is changed then.
pub async fn import(data: &Path, from: &Path) -> Result<(), DataError> {
    let new = Data::read(from)?;
    let folder = Folder::open(data).await?;
    let floors = folder.replace(data, new).await?;
    // Points are not in the files, and who takes part is not, either: both stay.
    Ok(folder.loyalty.begin_anew(floors).await?)
}
