//! Our side of FTP (RFC 959): passive mode, binary type, and a deadline for everything.

use super::{
    FtpUrl,
    exact::Exact,
    listing::{self, Shown},
};
use rustls_platform_verifier::BuilderVerifierExt;
use std::{
    future::Future,
    io,
    sync::Arc,
    time::{Duration, SystemTime},
};
use suppaftp::{
    FtpError, FtpResult, Mode, Status,
    tokio::{AsyncRustlsConnector, AsyncRustlsStream, ImplAsyncFtpStream, TransferStream},
    tokio_rustls::{
        TlsConnector,
        rustls::{ClientConfig, crypto::ring},
    },
    types::FileType,
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::timeout,
};

const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// How long the server may take to answer a command, or to send or take some bytes.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(30);

/// Why something did not work.
#[derive(Debug, Clone, thiserror::Error)]
pub enum ClientError {
    /// The server said no; the connection still works.
    #[error("{0}")]
    Refused(String),
    /// There is no connection (any more).
    #[error("{0}")]
    Lost(String),
    /// What is on this machine failed.
    #[error("{0}")]
    Here(String),
}

impl From<FtpError> for ClientError {
    fn from(error: FtpError) -> Self {
        match &error {
            // 421 announces that the server hangs up (RFC 959, section 4.2.1).
            FtpError::UnexpectedResponse(response) if response.status != Status::NotAvailable => {
                Self::Refused(response.as_string().unwrap_or_else(|_| error.to_string()))
            }
            _ => Self::Lost(error.to_string()),
        }
    }
}

impl From<io::Error> for ClientError {
    fn from(error: io::Error) -> Self {
        Self::Here(error.to_string())
    }
}

/// A file in the watched folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    pub name: String,
    /// Its size, in bytes.
    pub size: u64,
    /// When it was changed last, as exactly as the server tells.
    pub modified: SystemTime,
}

/// A connection that is logged in and in the watched folder.
pub struct Client {
    ftp: ImplAsyncFtpStream<AsyncRustlsStream>,
    knows_mlsd: bool,
    tells_sizes: bool,
}

async fn answered<T>(asked: impl Future<Output = FtpResult<T>>) -> Result<T, ClientError> {
    match timeout(ANSWER_TIMEOUT, asked).await {
        Ok(answer) => Ok(answer?),
        Err(_) => Err(ClientError::Lost(format!("no answer within {} s", ANSWER_TIMEOUT.as_secs()))),
    }
}

impl Client {
    /// Connects, logs in and enters the folder.
    ///
    /// # Errors
    /// When any of that fails.
    pub async fn connect(url: &FtpUrl) -> Result<Self, ClientError> {
        let connecting = TcpStream::connect((url.host.as_str(), url.port));
        let stream = match timeout(CONNECT_TIMEOUT, connecting).await {
            Ok(Ok(stream)) => stream,
            Ok(Err(error)) => return Err(ClientError::Lost(error.to_string())),
            Err(_) => {
                return Err(ClientError::Lost(format!(
                    "no connection within {} s",
                    CONNECT_TIMEOUT.as_secs()
                )));
            }
        };
        // Short commands that are waited for.
        stream.set_nodelay(true)?;
        let is_ipv6 = stream.peer_addr()?.is_ipv6();
        let mut ftp = answered(ImplAsyncFtpStream::connect_with_stream(stream)).await?;
        if url.tls {
            ftp = answered(ftp.into_secure(tls()?, &url.host)).await?;
        }
        // Data connections go to the host that we named, whatever address the server tells.
        ftp.set_passive_nat_workaround(true);
        ftp.set_mode(if is_ipv6 { Mode::ExtendedPassive } else { Mode::Passive });
        answered(ftp.login(&url.user, &url.password)).await?;
        answered(ftp.transfer_type(FileType::Binary)).await?;
        if !url.folder.is_empty() {
            answered(ftp.cwd(&url.folder)).await?;
        }
        // Only names are to be exact: a password may have a backslash in it.
        ftp.set_encoding(Exact).await;
        Ok(Self { ftp, knows_mlsd: true, tells_sizes: false })
    }

    /// The files in the folder.
    ///
    /// # Errors
    /// When the server does not tell.
    pub async fn list(&mut self) -> Result<Vec<Entry>, ClientError> {
        if self.knows_mlsd {
            match answered(self.ftp.mlsd(None)).await {
                Ok(lines) => {
                    return Ok(lines.iter().filter_map(|line| listing::machine_readable(line)).collect());
                }
                // RFC 3659 is younger than many a server.
                Err(ClientError::Refused(_)) => self.knows_mlsd = false,
                Err(error) => return Err(error),
            }
        }
        let shown: Vec<Shown> =
            answered(self.ftp.list(None)).await?.into_iter().filter_map(Shown::new).collect();
        let names = if shown.iter().any(Shown::is_doubtful) {
            match answered(self.ftp.nlst(None)).await {
                Ok(names) => names,
                Err(ClientError::Refused(_)) => Vec::new(),
                Err(error) => return Err(error),
            }
        } else {
            Vec::new()
        };
        Ok(shown.into_iter().map(|shown| shown.exact(&names)).collect())
    }

    /// A file's size; `None` when there is no such file, or the server does not tell.
    ///
    /// # Errors
    /// When the connection fails.
    pub async fn size(&mut self, name: &str) -> Result<Option<u64>, ClientError> {
        match answered(self.ftp.size(name)).await {
            Ok(size) => {
                self.tells_sizes = true;
                Ok(Some(size as u64))
            }
            Err(ClientError::Refused(_)) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Whether the server has told a size so far: then a file of which it tells none is not there.
    pub const fn tells_sizes(&self) -> bool {
        self.tells_sizes
    }

    /// Begins to fetch a file.
    ///
    /// # Errors
    /// When the server does not send it.
    pub async fn fetch(&mut self, name: &str) -> Result<Transfer, ClientError> {
        Ok(Transfer(answered(self.ftp.retr_as_stream(name)).await?))
    }

    /// Begins to write a file.
    ///
    /// # Errors
    /// When the server does not take it.
    pub async fn store(&mut self, name: &str) -> Result<Transfer, ClientError> {
        Ok(Transfer(answered(self.ftp.put_with_stream(name)).await?))
    }

    /// Gives a file another name, or another folder.
    ///
    /// # Errors
    /// When the server does not.
    pub async fn rename(&mut self, from: &str, to: &str) -> Result<(), ClientError> {
        answered(self.ftp.rename(from, to)).await
    }

    /// Removes a file.
    ///
    /// # Errors
    /// When the server does not.
    pub async fn remove(&mut self, name: &str) -> Result<(), ClientError> {
        answered(self.ftp.rm(name)).await
    }

    /// Sees to it that a folder is there.
    ///
    /// # Errors
    /// When the connection fails. What the server says is no proof: many refuse because the folder is there already.
    pub async fn make_folder(&mut self, name: &str) -> Result<(), ClientError> {
        match answered(self.ftp.mkdir(name)).await {
            Ok(()) | Err(ClientError::Refused(_)) => Ok(()),
            Err(error) => Err(error),
        }
    }

    /// Whether the connection still works.
    pub async fn is_alive(&mut self) -> bool {
        answered(self.ftp.noop()).await.is_ok()
    }

    /// Says goodbye; nobody waits for long.
    pub async fn quit(mut self) {
        let _ = timeout(Duration::from_secs(1), self.ftp.quit()).await;
    }
}

pub struct Transfer(TransferStream<AsyncRustlsStream>);

impl Transfer {
    /// Reads some bytes; 0 at the end, which is only true when [`Transfer::finish`] agrees.
    ///
    /// # Errors
    /// When the connection fails.
    pub async fn read(&mut self, buffer: &mut [u8]) -> Result<usize, ClientError> {
        in_time(self.0.read(buffer)).await
    }

    /// Writes bytes.
    ///
    /// # Errors
    /// When the connection fails.
    pub async fn write(&mut self, bytes: &[u8]) -> Result<(), ClientError> {
        in_time(self.0.write_all(bytes)).await
    }

    /// Ends the transfer; only the server's word says that all of it came through.
    ///
    /// # Errors
    /// When it did not.
    pub async fn finish(self) -> Result<(), ClientError> {
        answered(self.0.finish()).await
    }
}

async fn in_time<T>(transferred: impl Future<Output = io::Result<T>>) -> Result<T, ClientError> {
    match timeout(ANSWER_TIMEOUT, transferred).await {
        Ok(Ok(done)) => Ok(done),
        Ok(Err(error)) => Err(ClientError::Lost(error.to_string())),
        Err(_) => Err(ClientError::Lost(format!("no bytes within {} s", ANSWER_TIMEOUT.as_secs()))),
    }
}

/// TLS that trusts whom this machine trusts.
fn tls() -> Result<AsyncRustlsConnector, ClientError> {
    let here = |error: &dyn std::fmt::Display| ClientError::Here(format!("TLS: {error}"));
    let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(|error| here(&error))?
        .with_platform_verifier()
        .map_err(|error| here(&error))?
        .with_no_client_auth();
    Ok(TlsConnector::from(Arc::new(config)).into())
}
