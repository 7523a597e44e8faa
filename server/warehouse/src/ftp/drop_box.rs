//! The drop box as the others see it: what is in it, and a way to put something into it.

use super::{
    FtpUrl, PART,
    client::{Client, ClientError},
    names::is_takeable,
    uploads::Uploads,
};
use axum::body::Bytes;
use flow::api::WarehouseFiles;
use futures::{Stream, StreamExt};
use inventory::{Inventory, files::FileBook};
use std::{
    collections::HashSet,
    sync::{Arc, Mutex, MutexGuard},
};
use store::StoreError;
use tokio::sync::watch;

/// The largest file that is taken by HTTP, in bytes. By FTP it may be of any size.
pub const UPLOAD_MAX_BYTES: u64 = 128 * 1024 * 1024;

/// A handle on the drop box; clones share it.
#[derive(Debug, Clone)]
pub struct DropBox(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    url: FtpUrl,
    book: Arc<dyn FileBook>,
    trouble: watch::Sender<Option<String>>,
    /// What is on its way into it through our own server, and what is known to be whole.
    uploads: Uploads,
    /// Names of files that are being written through us.
    uploading: Mutex<HashSet<String>>,
}

/// Why a file was not put into the drop box.
#[derive(Debug, thiserror::Error)]
pub enum UploadError {
    /// A name that the drop box cannot have.
    #[error(
        "{0:?} cannot be a file's name here: use 1 to 200 bytes without slashes, and no name that programs use while they upload (no dot or ~ in front, no .part, .tmp, .filepart …)"
    )]
    Name(String),
    /// The name is in use.
    #[error("{0:?} is still there and not taken in yet; wait a moment, or use another name")]
    Taken(String),
    #[error("a file may have at most {UPLOAD_MAX_BYTES} bytes here; send it by FTP, or in several files")]
    TooLarge,
    /// The sender went away.
    #[error("the file broke off: {0}")]
    BrokeOff(String),
    /// The FTP server is away or refuses.
    #[error("the FTP server did not take the file: {0}")]
    Server(#[from] ClientError),
}

impl DropBox {
    /// The drop box on that server. `uploads` is what our own server knows of; of another one there is nothing.
    #[must_use]
    pub fn new(url: FtpUrl, inventory: &Inventory, uploads: Uploads) -> Self {
        Self(Arc::new(Shared {
            url,
            book: inventory.files(),
            trouble: watch::Sender::new(None),
            uploads,
            uploading: Mutex::default(),
        }))
    }

    #[must_use]
    pub fn url(&self) -> &FtpUrl {
        &self.0.url
    }

    /// What is known of its files.
    #[must_use]
    pub fn book(&self) -> &Arc<dyn FileBook> {
        &self.0.book
    }

    /// The files and how the server is.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn files(&self) -> Result<WarehouseFiles, StoreError> {
        Ok(WarehouseFiles {
            files: self.0.book.list().await?,
            server: self.0.url.to_string(),
            trouble: self.0.trouble.borrow().clone(),
        })
    }

    /// Writes a file by FTP: under another name until it is complete.
    ///
    /// # Errors
    /// When it cannot be had whole; nothing is left of it on the server then, if the server can be reached.
    pub async fn upload<E: std::fmt::Display>(
        &self,
        name: &str,
        body: impl Stream<Item = Result<Bytes, E>>,
    ) -> Result<u64, UploadError> {
        if !is_takeable(name) || name.contains('\\') {
            return Err(UploadError::Name(name.to_owned()));
        }
        let Some(_alone) = Uploading::begin(&self.0, name) else {
            return Err(UploadError::Taken(name.to_owned()));
        };
        let mut client = Client::connect(&self.0.url).await?;
        if client.size(name).await?.is_some() {
            client.quit().await;
            return Err(UploadError::Taken(name.to_owned()));
        }
        let part = format!("{name}{PART}");
        match write(&mut client, &part, body).await {
            Ok(size) => {
                client.rename(&part, name).await?;
                self.0.uploads.completed(name);
                client.quit().await;
                Ok(size)
            }
            Err(error) => {
                // The half of a file is worth nothing; that it is gone matters less than why.
                let _ = client.remove(&part).await;
                client.quit().await;
                Err(error)
            }
        }
    }

    /// What is on its way into it.
    pub(super) fn uploads(&self) -> &Uploads {
        &self.0.uploads
    }

    /// Tells how the server is.
    pub(super) fn set_trouble(&self, trouble: Option<String>) {
        self.0.trouble.send_if_modified(|told| {
            let is_new = *told != trouble;
            *told = trouble;
            is_new
        });
    }
}

async fn write<E: std::fmt::Display>(
    client: &mut Client,
    part: &str,
    body: impl Stream<Item = Result<Bytes, E>>,
) -> Result<u64, UploadError> {
    let mut body = std::pin::pin!(body);
    let mut transfer = client.store(part).await?;
    let mut size = 0;
    let mut failure = None;
    while let Some(bytes) = body.next().await {
        match bytes {
            Ok(bytes) => {
                size += bytes.len() as u64;
                if size > UPLOAD_MAX_BYTES {
                    failure = Some(UploadError::TooLarge);
                    break;
                }
                transfer.write(&bytes).await?;
            }
            Err(error) => {
                failure = Some(UploadError::BrokeOff(error.to_string()));
                break;
            }
        }
    }
    transfer.finish().await?;
    failure.map_or(Ok(size), Err)
}

/// One upload under a name at a time.
struct Uploading<'a>(&'a Shared, String);

impl<'a> Uploading<'a> {
    fn begin(shared: &'a Shared, name: &str) -> Option<Self> {
        lock(&shared.uploading).insert(name.to_owned()).then(|| Self(shared, name.to_owned()))
    }
}

impl Drop for Uploading<'_> {
    fn drop(&mut self) {
        lock(&self.0.uploading).remove(&self.1);
    }
}

fn lock(names: &Mutex<HashSet<String>>) -> MutexGuard<'_, HashSet<String>> {
    names.lock().expect("nothing panics while it holds the names")
}
