//! The command line. Each flag is also an environment variable: `SKUFLOW_` and the flag's name in capitals.

use crate::{measure::Amounts, simulate::Simulate, web::public_url::PublicUrl};
use bridge::management::ManagementUrl;
use clap::{CommandFactory, Parser, Subcommand, error::ErrorKind};
use journal::Keep;
use messaging::BrokerUri;
use redis_transport::RedisUrl;
use std::{
    net::{SocketAddr, ToSocketAddrs},
    path::PathBuf,
    str::FromStr,
    time::Duration,
};
use warehouse::ftp::{FtpUrl, FtpUrlError};
use wishlist::smtp::SmtpServer;
use zeromq_transport::ListenAt;

/// See how services talk: a warehouse, three services, two styles, every message live in your browser.
#[derive(Debug, Parser)]
#[command(name = "skuflow", version, about)]
pub struct Cli {
    #[command(subcommand)]
    pub command: Command,
}

/// What the program can do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Serve the page and run the services.
    Serve(Box<Serve>),
    /// Take a data folder back to the seed; no server may be using it.
    Reset(Owned),
    /// Write the products, the stock and the wishes of a data folder as CSV; no server may be using it.
    Export(Export),
    /// Take in what `export` wrote, in place of what is there; no server may be using the folder.
    Import(Import),
    /// Foresee what both styles would do under a load, by a model: throughput, latency, what saturates, what it takes at scale.
    Simulate(Box<Simulate>),
}

#[derive(Debug, Clone, clap::Args)]
pub struct Owned {
    /// The folder of the stores.
    #[arg(long, env = "SKUFLOW_DATA", default_value = "./data", value_name = "DIR")]
    pub data: PathBuf,
}

/// Which data, and where to.
#[derive(Debug, Clone, clap::Args)]
pub struct Export {
    #[command(flatten)]
    pub owned: Owned,
    /// The folder for the files; made when missing.
    #[arg(long, value_name = "DIR")]
    pub to: PathBuf,
}

/// Which data, and where from.
#[derive(Debug, Clone, clap::Args)]
pub struct Import {
    #[command(flatten)]
    pub owned: Owned,
    /// The folder with the files.
    #[arg(long, value_name = "DIR")]
    pub from: PathBuf,
}

/// The settings of `skuflow serve`.
#[derive(Debug, Clone, clap::Args)]
pub struct Serve {
    /// Where the page is; port 0 picks one.
    #[arg(long, env = "SKUFLOW_ADDR", default_value = "127.0.0.1:3000", value_name = "HOST:PORT", value_parser = address)]
    pub addr: SocketAddr,

    /// Where readers see the page, when a proxy stands before it: `https://lab.example:8443/`. It is then answered under
    /// that name too, changes from its page are taken, and links in e-mails lead there.
    #[arg(long, env = "SKUFLOW_PUBLIC_URL", value_name = "URL")]
    pub public_url: Option<PublicUrl>,

    /// The key of whoever may change something, sent as `Authorization: Bearer KEY`; everybody else only looks on. A server
    /// beyond loopback (`--addr 0.0.0.0:3000`) always wants one: without this flag it makes one and prints it.
    #[arg(long, env = "SKUFLOW_PRESENTER_KEY", value_name = "KEY", hide_env_values = true)]
    pub presenter_key: Option<classes::Key>,

    /// The broker: `embedded`, or `amqp://user:pass@host:port/vhost`.
    #[arg(long, env = "SKUFLOW_BROKER", default_value = "embedded", hide_env_values = true)]
    pub broker: BrokerChoice,

    /// RabbitMQ's management API, `http://user:pass@host:15672`: what others bind and consume is then seen too.
    /// Only with `--broker amqp://…`; the embedded broker tells it anyway.
    #[arg(long, env = "SKUFLOW_MANAGEMENT", value_name = "URL", hide_env_values = true)]
    pub management: Option<ManagementUrl>,

    /// Where the embedded broker listens (user and password `guest`, vhost `/`).
    #[arg(long, env = "SKUFLOW_AMQP_LISTEN", default_value = "127.0.0.1:0", value_name = "HOST:PORT", value_parser = address)]
    pub amqp_listen: SocketAddr,

    /// The Redis for the systems over Redis, `redis://user:pass@host:port/database`. Without one, a `redis-server` or
    /// `valkey-server` of the PATH is started when such a system is first used, and ended with us.
    #[arg(long, env = "SKUFLOW_REDIS", value_name = "URL", hide_env_values = true)]
    pub redis: Option<RedisUrl>,

    /// Where inventory's ZeroMQ sockets are, `tcp://127.0.0.1:5600`: that port and the five behind it. Without it they are on
    /// ports of loopback that the system chooses, which `GET /api/{style}/transport?transport=zeromq` tells.
    #[arg(long, env = "SKUFLOW_ZEROMQ_LISTEN", value_name = "ADDRESS")]
    pub zeromq_listen: Option<ListenAt>,

    /// The folder of the stores; made when missing.
    #[arg(long, env = "SKUFLOW_DATA", default_value = "./data", value_name = "DIR")]
    pub data: PathBuf,

    /// The warehouse's FTP server that inventory watches: `embedded`, or `ftp://user:pass@host:port/dir` (or `ftps://…`).
    #[arg(long, env = "SKUFLOW_FTP", default_value = "embedded", value_name = "URL", hide_env_values = true)]
    pub ftp: FtpChoice,

    /// Where the embedded FTP server listens (user and password `warehouse`).
    #[arg(long, env = "SKUFLOW_FTP_LISTEN", default_value = "127.0.0.1:0", value_name = "HOST:PORT", value_parser = address)]
    pub ftp_listen: SocketAddr,

    /// For how many milliseconds size and time of a file must stay as they are before it is taken in, on an FTP server
    /// that is not ours. A file that is renamed from NAME.part is taken in at once.
    #[arg(long, env = "SKUFLOW_FTP_QUIET_MS", default_value_t = 5_000, value_name = "MS")]
    pub ftp_quiet_ms: u64,

    /// How many megabytes of the journal are kept at most, in the data folder.
    #[arg(long, env = "SKUFLOW_JOURNAL_KEEP_MB", default_value_t = 256, value_name = "MB",
        value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    pub journal_keep_mb: u32,

    /// For how many hours the journal is kept at most.
    #[arg(long, env = "SKUFLOW_JOURNAL_KEEP_HOURS", default_value_t = 168, value_name = "HOURS",
        value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    pub journal_keep_hours: u32,

    /// Also send the e-mails by this server: `smtp://…` (`?tls=required` for STARTTLS) or `smtps://…`.
    #[arg(long, env = "SKUFLOW_SMTP", value_name = "URL", hide_env_values = true, value_parser = smtp_url)]
    pub smtp: Option<String>,

    /// How much `POST /api/transports/run` sends; no flag.
    #[arg(skip)]
    pub amounts: Amounts,
}

impl Serve {
    /// How much of the journal is kept.
    #[must_use]
    pub fn keep(&self) -> Keep {
        Keep {
            bytes: u64::from(self.journal_keep_mb) << 20,
            age: Duration::from_secs(u64::from(self.journal_keep_hours) * 60 * 60),
        }
    }
}

/// Which broker carries the messages.
#[derive(Debug, Clone)]
pub enum BrokerChoice {
    /// Our own, in this process.
    Embedded,
    /// The one at that address.
    At(BrokerUri),
}

impl FromStr for BrokerChoice {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "embedded" => Ok(Self::Embedded),
            uri => uri.parse().map(Self::At),
        }
    }
}

/// Which FTP server the warehouse's files come from.
#[derive(Debug, Clone)]
pub enum FtpChoice {
    /// Our own, in this process.
    Embedded,
    /// The one at that address.
    At(FtpUrl),
}

impl FromStr for FtpChoice {
    type Err = FtpUrlError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "embedded" => Ok(Self::Embedded),
            url => url.parse().map(Self::At),
        }
    }
}

/// Where to listen: an address, or a name that stands for one. Of several addresses of a name, IPv4 comes first, as in
/// the defaults.
fn address(text: &str) -> Result<SocketAddr, String> {
    let found: Vec<_> = text
        .to_socket_addrs()
        .map_err(|error| format!("{error}; use HOST:PORT, like 127.0.0.1:3000 or localhost:3000"))?
        .collect();
    let first = found.iter().find(|address| address.is_ipv4()).or_else(|| found.first());
    first.copied().ok_or_else(|| "that name has no address".to_owned())
}

fn smtp_url(url: &str) -> Result<String, String> {
    SmtpServer::parse(url).map_err(|error| {
        format!(
            "{error}; use smtp://host:port, smtp://user:pass@host:587?tls=required or smtps://user:pass@host"
        )
    })?;
    Ok(url.to_owned())
}

/// Reads the command line; a mistake is told in one line.
///
/// # Errors
/// The line, and whether it is an error at all: `--help` and `--version` end here too.
pub fn parse(args: impl IntoIterator<Item = String>) -> Result<Cli, clap::Error> {
    let cli = Cli::try_parse_from(args)?;
    if let Command::Serve(settings) = &cli.command
        && settings.management.is_some()
        && matches!(settings.broker, BrokerChoice::Embedded)
    {
        let detail = "--management is RabbitMQ's; name its broker too (--broker amqp://…), or leave it out\n";
        return Err(Cli::command().error(ErrorKind::ArgumentConflict, detail));
    }
    Ok(cli)
}

/// A mistake on the command line in one line, without clap's usage and hints.
#[must_use]
pub fn one_line(error: &clap::Error) -> String {
    let text = error.to_string();
    let told: Vec<_> = text
        .lines()
        .take_while(|line| !line.starts_with("Usage:") && !line.starts_with("For more information"))
        .map(str::trim)
        .filter(|line| !line.is_empty())
        .collect();
    format!("skuflow: {}; see skuflow --help", told.join(" ").trim_start_matches("error: "))
}
