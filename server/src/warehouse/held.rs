//! An answer that waits on disk until it is complete.

use axum::body::Body;
use futures::StreamExt;
use std::{io, path::PathBuf};
use tokio::{
    fs::File,
    io::{AsyncSeekExt, AsyncWriteExt},
    task::spawn_blocking,
};
use tokio_util::io::ReaderStream;

/// Keeps all of `answer` in a file of `folder` that has no name, and goes with the last one who reads it; memory would
/// not do for answers to a million lines.
///
/// # Errors
/// When the file cannot be made or written.
pub async fn until_its_end(answer: Body, folder: PathBuf) -> io::Result<Body> {
    let file = spawn_blocking(move || tempfile::tempfile_in(folder)).await.map_err(io::Error::other)??;
    let mut file = File::from_std(file);
    let mut pieces = answer.into_data_stream();
    while let Some(piece) = pieces.next().await {
        file.write_all(&piece.map_err(io::Error::other)?).await?;
    }
    file.flush().await?;
    file.rewind().await?;
    Ok(Body::from_stream(ReaderStream::new(file)))
}
