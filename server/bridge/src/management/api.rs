//! RabbitMQ's management HTTP API: what the bridge asks it.

use percent_encoding::{NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use reqwest::{Client, StatusCode, Url};
use serde::{Deserialize, de::DeserializeOwned};
use std::{fmt, str::FromStr, time::Duration};

/// How long an answer may take.
const TIMEOUT: Duration = Duration::from_secs(3);

/// `http://user:pass@host:port`, with `guest` for what is not said.
#[derive(Clone, PartialEq, Eq)]
pub struct ManagementUrl {
    /// Scheme, host, port and path, without a slash at the end.
    base: String,
    user: String,
    password: String,
}

/// A text that is no [`ManagementUrl`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}; use http://user:pass@host:port")]
pub struct ManagementUrlError(String);

impl FromStr for ManagementUrl {
    type Err = ManagementUrlError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let wrong = |what: &str| ManagementUrlError(what.to_owned());
        let mut url: Url = text.parse().map_err(|error| ManagementUrlError(format!("{error}")))?;
        if url.scheme() != "http" {
            return Err(wrong("it is not an HTTP address"));
        }
        let decode = |text: &str| {
            let text = percent_decode_str(text).decode_utf8().map_err(|_| wrong("it is not UTF-8"))?;
            Ok(text.into_owned())
        };
        let (user, password) = match url.username() {
            "" => ("guest".to_owned(), "guest".to_owned()),
            user => (decode(user)?, decode(url.password().unwrap_or(""))?),
        };
        let is_cleared = url.set_username("").and_then(|()| url.set_password(None)).is_ok();
        if !is_cleared {
            return Err(wrong("it names no host"));
        }
        url.set_query(None);
        url.set_fragment(None);
        Ok(Self { base: url.as_str().trim_end_matches('/').to_owned(), user, password })
    }
}

/// Without user and password: this is shown and logged.
impl fmt::Display for ManagementUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.base)
    }
}

impl fmt::Debug for ManagementUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub(super) enum ApiError {
    #[error("the management API refused user {0}: wrong password?")]
    Refused(String),
    #[error("the management API does not let user {0} see the virtual host: it needs the tag `monitoring`")]
    Forbidden(String),
    #[error("the management API does not answer")]
    Silent(#[source] reqwest::Error),
    #[error("the management API answers with {0}")]
    Status(StatusCode),
    #[error("the management API answers what is not understood")]
    Odd(#[source] reqwest::Error),
}

#[derive(Debug, Deserialize)]
pub(super) struct Binding {
    /// The exchange; empty for the default exchange.
    pub source: String,
    pub destination: String,
    pub destination_type: String,
    pub routing_key: String,
}

/// A queue, as far as it matters here. Numbers are missing until RabbitMQ has measured for the first time.
#[derive(Debug, Deserialize)]
pub(super) struct Queue {
    pub messages_ready: Option<u64>,
    pub messages_unacknowledged: Option<u64>,
    owner_pid_details: Option<serde_json::Value>,
}

impl Queue {
    /// The connection that an exclusive queue belongs to.
    pub fn owner(&self) -> Option<&str> {
        self.owner_pid_details.as_ref()?.get("name")?.as_str()
    }
}

#[derive(Debug, Deserialize)]
pub(super) struct Consumer {
    pub consumer_tag: String,
    pub queue: QueueName,
    /// An empty list where RabbitMQ does not know the channel (yet).
    channel_details: serde_json::Value,
}

#[derive(Debug, Deserialize)]
pub(super) struct QueueName {
    pub name: String,
}

impl Consumer {
    /// The channel and the connection in which it consumes, as RabbitMQ names them.
    pub fn place(&self) -> Option<(&str, &str)> {
        let of = |name| self.channel_details.get(name)?.as_str();
        of("name").zip(of("connection_name"))
    }
}

#[derive(Debug, Deserialize)]
pub(super) struct Connection {
    pub name: String,
    #[serde(default)]
    client_properties: serde_json::Value,
}

impl Connection {
    /// What the client calls itself: the connection's name, or else the product, or else its address.
    pub fn title(&self) -> &str {
        let says = |property: &str| self.client_properties.get(property).and_then(|value| value.as_str());
        let peer = self.name.split(" -> ").next().unwrap_or(&self.name);
        says("connection_name").or_else(|| says("product")).unwrap_or(peer)
    }
}

/// The API, for one virtual host.
#[derive(Debug, Clone)]
pub(super) struct Api {
    client: Client,
    url: ManagementUrl,
    vhost: String,
}

impl Api {
    /// # Errors
    /// When the HTTP client cannot be set up.
    pub fn new(url: ManagementUrl, vhost: &str) -> reqwest::Result<Self> {
        let client = Client::builder().no_proxy().timeout(TIMEOUT).build()?;
        Ok(Self { client, url, vhost: encode(vhost) })
    }

    pub fn url(&self) -> &ManagementUrl {
        &self.url
    }

    pub async fn bindings(&self) -> Result<Vec<Binding>, ApiError> {
        let columns = "columns=source,destination,destination_type,routing_key";
        Ok(self.get(&format!("bindings/{}?{columns}", self.vhost)).await?.unwrap_or_default())
    }

    /// None when there is no such queue (any more).
    pub async fn queue(&self, name: &str) -> Result<Option<Queue>, ApiError> {
        self.get(&format!("queues/{}/{}", self.vhost, encode(name))).await
    }

    pub async fn consumers(&self) -> Result<Vec<Consumer>, ApiError> {
        Ok(self.get(&format!("consumers/{}", self.vhost)).await?.unwrap_or_default())
    }

    pub async fn connections(&self) -> Result<Vec<Connection>, ApiError> {
        let path = format!("vhosts/{}/connections?columns=name,client_properties", self.vhost);
        Ok(self.get(&path).await?.unwrap_or_default())
    }

    async fn get<T: DeserializeOwned>(&self, path: &str) -> Result<Option<T>, ApiError> {
        let request = self.client.get(format!("{}/api/{path}", self.url.base));
        let request = request.basic_auth(&self.url.user, Some(&self.url.password));
        let answer = request.send().await.map_err(ApiError::Silent)?;
        match answer.status() {
            StatusCode::NOT_FOUND => Ok(None),
            StatusCode::UNAUTHORIZED => Err(ApiError::Refused(self.url.user.clone())),
            StatusCode::FORBIDDEN => Err(ApiError::Forbidden(self.url.user.clone())),
            status if !status.is_success() => Err(ApiError::Status(status)),
            _ => answer.json().await.map(Some).map_err(ApiError::Odd),
        }
    }
}

fn encode(name: &str) -> String {
    utf8_percent_encode(name, NON_ALPHANUMERIC).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_taken_apart_and_shown_without_its_password() {
        let url: ManagementUrl = "http://me:s%40fe@rabbit.example:15672/prefix/".parse().unwrap();
        assert_eq!((&*url.user, &*url.password), ("me", "s@fe"));
        assert_eq!(url.to_string(), "http://rabbit.example:15672/prefix");
        assert_eq!(format!("{url:?}"), "http://rabbit.example:15672/prefix");
        let plain: ManagementUrl = "http://127.0.0.1:15672".parse().unwrap();
        assert_eq!((&*plain.user, &*plain.password), ("guest", "guest"));
    }

    #[test]
    fn what_is_no_http_address_is_refused() {
        for text in ["", "127.0.0.1:15672", "amqp://127.0.0.1", "https://rabbit.example"] {
            assert!(text.parse::<ManagementUrl>().is_err(), "{text}");
        }
    }

    #[test]
    fn a_connection_is_called_what_it_calls_itself() {
        let of = |text: &str| serde_json::from_str::<Connection>(text).unwrap().title().to_owned();
        let name = r#""name":"127.0.0.1:5000 -> 127.0.0.1:5672""#;
        let named = r#""client_properties":{"connection_name":"audit","product":"pika"}"#;
        assert_eq!(of(&format!("{{{name},{named}}}")), "audit");
        assert_eq!(of(&format!(r#"{{{name},"client_properties":{{"product":"pika"}}}}"#)), "pika");
        assert_eq!(of(&format!("{{{name}}}")), "127.0.0.1:5000");
    }
}
