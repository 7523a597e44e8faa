//! The embedded FTP server: it plays the warehouse's, so that there is a drop box out of the box.

use super::{
    FtpUrl, guard,
    storage::Storage,
    uploads::{Session, Uploads},
};
use async_trait::async_trait;
use base::accept::Acceptor;
use libunftp::ServerBuilder;
use std::{
    io,
    net::SocketAddr,
    path::Path,
    sync::{Arc, Mutex},
};
use tokio::net::TcpListener;
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use unftp_core::auth::{AuthenticationError, Authenticator, Credentials, Principal};
use unftp_sbe_fs::Filesystem;

/// User and password of the embedded server.
pub const USER: &str = "warehouse";

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
    pub addr: SocketAddr,
    listener: TcpListener,
    uploads: Uploads,
}

impl Embedded {
    /// Begins to listen.
    ///
    /// # Errors
    /// When the address cannot be had.
    pub async fn bind(listen: SocketAddr) -> io::Result<Self> {
        let listener = TcpListener::bind(listen).await?;
        Ok(Self { addr: listener.local_addr()?, listener, uploads: Uploads::default() })
    }

    /// What is on its way into it.
    #[must_use]
    pub fn uploads(&self) -> Uploads {
        self.uploads.clone()
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
        if let Err(error) = self.uploads.recover(folder) {
            tracing::warn!(%error, "what broke off earlier cannot be seen");
        }
        let clients = TaskTracker::new();
        let mut acceptor = Acceptor::new(self.listener, "the drop box");
        loop {
            let (stream, peer) = tokio::select! {
                () = stop.cancelled() => break,
                accepted = acceptor.accept() => accepted,
            };
            // Somebody may have taken the folder away; libunftp opens it for each client.
            let files = std::fs::create_dir_all(folder).and_then(|()| Filesystem::new(folder));
            let session = Arc::new(Session::new(self.uploads.clone(), folder.to_owned()));
            let files = match files {
                Ok(files) => Mutex::new(Some(Storage {
                    files,
                    root: folder.to_owned(),
                    uploads: self.uploads.clone(),
                    session: session.clone(),
                })),
                Err(error) => {
                    tracing::error!(%error, folder = %folder.display(), "the drop box has no folder");
                    continue;
                }
            };
            let files = Box::new(move || {
                let files = files.lock().expect("nothing panics while it holds the folder").take();
                files.expect("libunftp asks for the folder once for each client")
            });
            let mut builder = ServerBuilder::with_authenticator(files, Arc::new(OneUser))
                .greeting("Skuflow plays the warehouse; user and password are: warehouse");
            // libunftp sees the guard's end of the connection.
            if let Ok(SocketAddr::V4(here)) = stream.local_addr() {
                builder = builder.passive_host(*here.ip());
            }
            match builder.build() {
                Ok(server) => {
                    let stop = stop.clone();
                    clients.spawn(async move {
                        let serving = async {
                            let (to_server, from_client) = guard::pair().await?;
                            let (relayed, _) =
                                tokio::join!(guard::relay(stream, to_server, &session), server.service(from_client));
                            relayed
                        };
                        tokio::select! {
                            () = stop.cancelled() => {}
                            served = serving => if let Err(error) = served {
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
