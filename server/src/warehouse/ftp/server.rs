//! The embedded FTP server: it plays the warehouse's, so that there is a drop box out of the box.

use super::FtpUrl;
use async_trait::async_trait;
use libunftp::ServerBuilder;
use std::{io, net::SocketAddr, path::Path, sync::Arc};
use tokio::net::TcpListener;
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use unftp_core::auth::{AuthenticationError, Authenticator, Credentials, Principal};
use unftp_sbe_fs::Filesystem;

/// User and password of the embedded server.
pub const USER: &str = "warehouse";

/// Knows one user.
#[derive(Debug)]
struct OneUser;

#[async_trait]
impl Authenticator for OneUser {
    async fn authenticate(&self, user: &str, with: &Credentials) -> Result<Principal, AuthenticationError> {
        match (user, with.password.as_deref()) {
            (USER, Some(USER)) => Ok(Principal { username: USER.to_owned() }),
            (USER, _) => Err(AuthenticationError::BadPassword),
            _ => Err(AuthenticationError::BadUser),
        }
    }
}

/// An embedded FTP server that listens.
#[derive(Debug)]
pub struct Embedded {
    /// Where it listens.
    pub addr: SocketAddr,
    listener: TcpListener,
}

impl Embedded {
    /// Begins to listen.
    ///
    /// # Errors
    /// When the address cannot be had.
    pub async fn bind(listen: SocketAddr) -> io::Result<Self> {
        let listener = TcpListener::bind(listen).await?;
        Ok(Self { addr: listener.local_addr()?, listener })
    }

    /// Its address with its user, as a client on this machine reaches it at `place`.
    #[must_use]
    pub fn url(place: SocketAddr) -> FtpUrl {
        FtpUrl {
            host: place.ip().to_string(),
            port: place.port(),
            tls: false,
            user: USER.to_owned(),
            password: USER.to_owned(),
            folder: String::new(),
        }
    }

    /// Serves `folder` until told to stop. Data connections use the address on which the client came.
    pub async fn serve(self, folder: &Path, stop: CancellationToken) {
        let clients = TaskTracker::new();
        loop {
            let accepted = tokio::select! {
                () = stop.cancelled() => break,
                accepted = self.listener.accept() => accepted,
            };
            let (stream, peer) = match accepted {
                Ok(accepted) => accepted,
                Err(error) => {
                    tracing::warn!(%error, "the drop box could not accept a connection");
                    continue;
                }
            };
            let root = folder.to_owned();
            // Somebody may have taken the folder away; libunftp opens it for each client.
            if let Err(error) = std::fs::create_dir_all(&root) {
                tracing::error!(%error, folder = %root.display(), "the drop box has no folder");
                continue;
            }
            let files = Box::new(move || {
                Filesystem::new(root.clone()).expect("the drop box's folder was there a moment ago")
            });
            let server = ServerBuilder::with_authenticator(files, Arc::new(OneUser))
                .greeting("Skuflow plays the warehouse; user and password are: warehouse")
                .build();
            match server {
                Ok(server) => {
                    let stop = stop.clone();
                    clients.spawn(async move {
                        tokio::select! {
                            () = stop.cancelled() => {}
                            served = server.service(stream) => if let Err(error) = served {
                                tracing::debug!(%error, %peer, "a client of the drop box left in an unkind way");
                            }
                        }
                    });
                }
                Err(error) => tracing::error!(%error, "the drop box cannot serve"),
            }
        }
        clients.close();
        clients.wait().await;
    }
}
