//! The embedded server's folder. What is being uploaded lies apart until it is whole, and can be resumed.

use super::{
    names::{is_takeable, is_uploading},
    uploads::{FOLDER, Part, Session, Uploads},
};
use async_trait::async_trait;

use std::{
    fmt::Debug,
    path::{Component, Path, PathBuf},
    sync::Arc,
};
use tokio::io::AsyncRead;
use unftp_core::auth::UserDetail;
use unftp_core::storage::{ErrorKind, Fileinfo, Metadata, Result, StorageBackend};
use unftp_sbe_fs::{Filesystem, Meta};

/// A folder as one client sees it: an upload that is not whole stands under its name, with the size that it has.
#[derive(Debug)]
pub struct Storage {
    pub files: Filesystem,
    pub root: PathBuf,
    /// What is on its way.
    pub uploads: Uploads,
    pub session: Arc<Session>,
}

/// A path below the folder. Nobody gets to where the uploads lie.
fn inside(path: &Path) -> Result<PathBuf> {
    let mut inside = PathBuf::new();
    for part in path.components() {
        match part {
            Component::Normal(name) => inside.push(name),
            Component::ParentDir => return Err(ErrorKind::PermanentFileNotAvailable.into()),
            _ => {}
        }
    }
    if inside.starts_with(FOLDER) {
        return Err(ErrorKind::PermanentFileNotAvailable.into());
    }
    Ok(inside)
}

fn part_of(path: &Path) -> PathBuf {
    Path::new(FOLDER).join(path)
}

fn or_root(path: &Path) -> &Path {
    if path.as_os_str().is_empty() { Path::new("/") } else { path }
}

#[async_trait]
impl<User: UserDetail> StorageBackend<User> for Storage {
    type Metadata = Meta;

    fn supported_features(&self) -> u32 {
        StorageBackend::<User>::supported_features(&self.files)
    }

    async fn metadata<P: AsRef<Path> + Send + Debug>(&self, user: &User, path: P) -> Result<Meta> {
        let path = inside(path.as_ref())?;
        match self.files.metadata(user, or_root(&path)).await {
            Err(_) if self.uploads.part(&path).is_some() => self.files.metadata(user, part_of(&path)).await,
            other => other,
        }
    }

    async fn list<P>(&self, user: &User, path: P) -> Result<Vec<Fileinfo<PathBuf, Meta>>>
    where
        P: AsRef<Path> + Send + Debug,
        Meta: Metadata,
    {
        let folder = inside(path.as_ref())?;
        let mut listed = Vec::new();
        let mut entries = tokio::fs::read_dir(self.root.join(&folder)).await?;
        while let Some(entry) = entries.next_entry().await? {
            let name = PathBuf::from(entry.file_name());
            if folder.as_os_str().is_empty() && name == Path::new(FOLDER) {
                continue;
            }
            // What was taken away since then is not there.
            if let Ok(metadata) = self.files.metadata(user, folder.join(&name)).await {
                listed.push(Fileinfo { path: name, metadata });
            }
        }
        for path in self.uploads.names_in(&folder) {
            let Some(name) = path.file_name().map(PathBuf::from) else { continue };
            if listed.iter().any(|entry| entry.path == name) {
                continue;
            }
            // It may have become whole meanwhile.
            if let Ok(metadata) = self.files.metadata(user, part_of(&path)).await {
                listed.push(Fileinfo { path: name, metadata });
            }
        }
        Ok(listed)
    }

    async fn get<P: AsRef<Path> + Send + Debug>(
        &self,
        user: &User,
        path: P,
        start_pos: u64,
    ) -> Result<Box<dyn AsyncRead + Send + Sync + Unpin>> {
        self.files.get(user, inside(path.as_ref())?, start_pos).await
    }

    async fn put<P, R>(&self, user: &User, bytes: R, path: P, start_pos: u64) -> Result<u64>
    where
        P: AsRef<Path> + Send + Debug,
        R: AsyncRead + Send + Sync + Unpin + 'static,
    {
        let path = inside(path.as_ref())?;
        let name = path.file_name().and_then(|name| name.to_str());
        if !name.is_some_and(|name| is_takeable(name) || is_uploading(name)) {
            // Whoever hears nothing would believe that it counts.
            return Err(ErrorKind::FileNameNotAllowedError.into());
        }
        let part = part_of(&path);
        let was_part = self.uploads.part(&path).is_some();
        // Its folder must be there at the end.
        if !self.root.join(&path).parent().is_some_and(Path::is_dir) || self.root.join(&path).is_dir() {
            return Err(ErrorKind::PermanentFileNotAvailable.into());
        }
        let Some(open) = self.uploads.begin(&path) else {
            return Err(ErrorKind::TransientFileNotAvailable.into());
        };
        if let Some(folder) = self.root.join(&part).parent() {
            tokio::fs::create_dir_all(folder).await?;
        }
        if start_pos > 0 {
            if !was_part {
                // Somebody adds to a file that was whole, and is not taken in yet.
                if let Err(error) = self.files.rename(user, path.clone(), part.clone()).await {
                    self.uploads.forget(&path);
                    return Err(error);
                }
            }
            // Behind the end there would be a gap.
            if self.files.metadata(user, part.clone()).await?.len() < start_pos {
                return Err(ErrorKind::PermanentFileNotAvailable.into());
            }
        }
        let size = self.files.put(user, bytes, part, start_pos).await?;
        if self.session.end(open) { Ok(size) } else { Err(ErrorKind::ConnectionClosed.into()) }
    }

    async fn del<P: AsRef<Path> + Send + Debug>(&self, user: &User, path: P) -> Result<()> {
        let path = inside(path.as_ref())?;
        if self.is_only_part(user, &path).await? {
            self.files.del(user, part_of(&path)).await?;
            self.uploads.forget(&path);
            return Ok(());
        }
        self.files.del(user, path).await
    }

    async fn mkd<P: AsRef<Path> + Send + Debug>(&self, user: &User, path: P) -> Result<()> {
        self.files.mkd(user, inside(path.as_ref())?).await
    }

    async fn rename<P: AsRef<Path> + Send + Debug>(&self, user: &User, from: P, to: P) -> Result<()> {
        let (from, to) = (inside(from.as_ref())?, inside(to.as_ref())?);
        if self.is_only_part(user, &from).await? {
            self.files.rename(user, part_of(&from), part_of(&to)).await?;
            self.uploads.moved(&from, &to);
            return Ok(());
        }
        self.files.rename(user, from, to).await
    }

    async fn rmd<P: AsRef<Path> + Send + Debug>(&self, user: &User, path: P) -> Result<()> {
        self.files.rmd(user, inside(path.as_ref())?).await
    }

    async fn cwd<P: AsRef<Path> + Send + Debug>(&self, user: &User, path: P) -> Result<()> {
        self.files.cwd(user, or_root(&inside(path.as_ref())?).to_owned()).await
    }
}

impl Storage {
    /// Whether a path is an upload that is not whole and nothing else.
    ///
    /// # Errors
    /// When somebody is sending it.
    async fn is_only_part<User: UserDetail>(&self, user: &User, path: &Path) -> Result<bool> {
        match self.uploads.part(path) {
            None => Ok(false),
            Some(_) if self.files.metadata(user, path).await.is_ok() => Ok(false),
            Some(Part::Open) => Err(ErrorKind::TransientFileNotAvailable.into()),
            Some(Part::Ended | Part::BrokeOff) => Ok(true),
        }
    }
}
