//! What the HTTP API answers with (design, section 6). Times are RFC 3339 text in UTC.

mod announce;
mod breaker;
mod class;
mod dead_letter;
mod file;
mod loyalty;
mod simulator;
mod source;
mod transports;
mod workers;

pub use announce::{AnnounceWanted, Announced, AnnouncedAgain};
pub use breaker::{Breaker, BreakerState, UnknownBreakerState};
pub use class::{
    ClassStarted, ClassView, ClassWanted, HandedOver, Joined, QuestionAsked, QuestionView, QuestionWanted,
    Vote,
};
pub use dead_letter::{Attempt, DeadLetter, Desk, DeskDone};
pub use file::{Dropped, FileState, UnknownFileState, WarehouseFile, WarehouseFiles};
pub use loyalty::{Loyalty, LoyaltyWanted, Points};
pub use simulator::{Preset, Simulator, SimulatorState, SimulatorWanted, StyleChoice, UnknownPreset};
pub use source::{CodeStep, Source};
pub use transports::{
    Broken, EncodingRow, LossCounts, MeasureProgress, MeasureState, Scenario, TransportRow, Transports,
    Undisturbed, UnknownScenario,
};
pub use workers::{Crew, Workers, WorkersState, WorkersWanted};

use crate::{Dispatch, Encoding, Id, Sku, Style, Transport};
use serde::{Deserialize, Serialize};

/// One arrival that was accepted, or one sale.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Accepted {
    /// The arrival's id, which every message it causes carries as `correlation_id`.
    pub id: Id,
    /// What arrived.
    pub sku: Sku,
    /// How many pieces.
    pub quantity: u32,
    /// The style of the system in which it arrived.
    pub style: Style,
    /// The transport of that system.
    #[serde(default, skip_serializing_if = "Transport::is_default")]
    pub transport: Transport,
}

/// The answer to `GET /api/others`: whether what others bind and consume at the broker is seen.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Others {
    /// Why it is not seen, if so.
    pub hidden: Option<String>,
}

/// One line of inventory's stock list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct StockLevel {
    /// The SKU.
    pub sku: Sku,
    /// Pieces in the warehouse, as recorded.
    pub on_hand: u32,
    /// Pieces promised to somebody.
    pub reserved: u32,
    /// Pieces never to be sold.
    pub safety_stock: u32,
    /// Pieces for sale, as last recalculated.
    pub available: u32,
    /// Grows with every change of the recorded numbers.
    pub version: u64,
}

/// One product as the catalog shows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Product {
    /// The SKU.
    pub sku: Sku,
    /// Its name for people.
    pub name: String,
    /// Whether it is shown as available.
    pub available: bool,
    /// How many are shown as available.
    pub quantity: u32,
    /// The version of inventory's numbers that this reflects.
    pub version: u64,
    /// When the catalog last changed it.
    pub updated_at: String,
}

/// Which products the store shows; also the query of `GET /api/shelves`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct ShelvesWanted {
    /// Words that the SKU or the name contains, in any case.
    pub search: String,
    /// Which of those.
    pub show: Show,
    /// Which page, from 1. Behind the last page comes the last page, and before the first comes the first.
    pub page: u32,
}

/// Which products are shown.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Show {
    /// All.
    #[default]
    All,
    /// Those that are available in either shop.
    Available,
    /// Those that are sold out in either shop.
    SoldOut,
}

impl Show {
    /// Every choice, in the order in which they are offered.
    pub const EVERY: [Self; 3] = [Self::All, Self::Available, Self::SoldOut];

    /// As it stands in an address.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::All => "all",
            Self::Available => "available",
            Self::SoldOut => "sold-out",
        }
    }

    /// The choice by that name; all when there is none.
    #[must_use]
    pub fn of(name: &str) -> Self {
        Self::EVERY.into_iter().find(|show| show.as_str() == name).unwrap_or_default()
    }
}

/// A product, and what the two catalogs say of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Shelf {
    /// The SKU.
    pub sku: Sku,
    /// Its name for people.
    pub name: String,
    /// Pieces for sale in choreography's shop; none when its catalog does not list the product.
    pub choreography: Option<u32>,
    /// Pieces for sale in orchestration's shop; none when its catalog does not list the product.
    pub orchestration: Option<u32>,
}

impl Shelf {
    /// Pieces for sale in a style's shop.
    #[must_use]
    pub const fn quantity(&self, style: Style) -> Option<u32> {
        match style {
            Style::Choreography => self.choreography,
            Style::Orchestration => self.orchestration,
        }
    }
}

/// A page of the store.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Shelves {
    /// The products on it, by name.
    pub shelves: Vec<Shelf>,
    /// Which page this is, from 1.
    pub page: u32,
    /// How many pages there are of what was wanted.
    pub pages: u32,
    /// How many products were found.
    pub found: u32,
    /// How many products there are at all.
    pub products: u32,
    /// How many of them are available in choreography's shop, and in orchestration's.
    pub available: [u32; 2],
}

/// Who waits for what.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Wish {
    /// The wish's id.
    pub id: i64,
    /// Whom to tell.
    pub email: String,
    /// What they are called, if they said so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// What they wish for.
    pub sku: Sku,
    /// Since when.
    pub wished_at: String,
    /// When they were last told, if ever.
    pub notified_at: Option<String>,
}

/// An e-mail that was sent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Email {
    /// The e-mail's id.
    pub id: i64,
    /// The receiver's address.
    pub to: String,
    /// What it is about.
    pub sku: Sku,
    /// Its subject.
    pub subject: String,
    /// Its text.
    pub body: String,
    /// When it was sent.
    pub sent_at: String,
    /// The arrival that caused it.
    pub correlation_id: Option<Id>,
    /// Whether it left by SMTP too.
    #[serde(default)]
    pub delivery: Delivery,
    /// Why it cannot be sent, or has not left yet.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub delivery_reason: Option<String>,
    /// How often it was tried.
    #[serde(default)]
    pub tries: u32,
    /// When it is tried again, if it was put off.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_try_at: Option<String>,
}

/// What became of an e-mail by SMTP.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Delivery {
    /// No SMTP server is named: it is in the mailbox here and nowhere else.
    #[default]
    None,
    /// It waits to be sent, or to be tried again.
    Queued,
    /// The SMTP server took it.
    Sent,
    /// It cannot be sent, and is not tried again.
    NotSendable,
}

/// The answer to `POST /api/products`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProductsAdded {
    /// How many products are new.
    pub added: u64,
    /// How many were there and are called otherwise now.
    pub renamed: u64,
    /// Rows that say no product.
    pub rejected: Vec<BadRow>,
}

/// A row that does not count.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BadRow {
    /// Its line, from 1.
    pub line: u64,
    /// Why it does not count.
    pub reason: String,
}

/// How full a queue was when it was looked at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct QueueDepth {
    /// The queue's name.
    pub name: String,
    /// The style of the system to which it belongs.
    pub style: Style,
    /// The transport of that system.
    #[serde(default, skip_serializing_if = "Transport::is_default")]
    pub transport: Transport,
    /// Messages waiting to be delivered.
    pub ready: u64,
    /// Messages delivered and not yet settled.
    pub unacked: u64,
    /// How many consumers it has.
    pub consumers: u64,
    /// When this was measured.
    pub sampled_at: String,
}

/// What carries a system's messages and how it stands, as `GET /api/{style}/transport` tells it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TransportTold {
    /// Which transport.
    pub transport: Transport,
    /// How it stands.
    pub state: TransportState,
    /// How messages travel over it.
    pub mode: String,
    /// In which ways they can.
    pub modes: Vec<String>,
    /// How consumers take them.
    pub fetch: String,
    /// In which ways they can, in that mode.
    #[serde(default)]
    pub fetches: Vec<String>,
    /// What it promises.
    pub promise: String,
    /// What serves it and where, as far as that is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub server: Option<String>,
    /// What is wrong, and what mends it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
    /// Where an outsider can connect, where there is no server to connect to.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub sockets: Vec<SocketTold>,
}

/// A socket of inventory's to which others connect.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SocketTold {
    /// Its type: `PUB`, `PUSH` or `ROUTER`.
    #[serde(rename = "type")]
    pub socket_type: String,
    /// Where it is, such as `tcp://127.0.0.1:5600`.
    pub endpoint: String,
    /// What it carries: the first frame of its messages.
    pub carries: String,
}

/// The body of `PUT /api/{style}/transport`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TransportWanted {
    /// In which mode messages are to travel; without it, as they do.
    #[serde(default)]
    pub mode: Option<String>,
    /// How consumers are to take them; without it, as they do, or as is usual in that mode.
    #[serde(default)]
    pub fetch: Option<String>,
}

/// How a transport stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TransportState {
    /// Nobody has used it yet: nothing was started or connected for it.
    Asleep,
    /// It was set to work, and its services are not connected yet.
    Starting,
    /// Its server answers.
    Running,
    /// Its server does not answer now.
    Down,
    /// What serves it is not installed here.
    NotInstalled,
}

/// In what encoding the consumers of a system ask inventory: the answer to `GET /api/{style}/encoding`, and the body of `PUT`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EncodingChoice {
    /// That encoding.
    #[serde(deserialize_with = "crate::encoding::by_its_word")]
    pub encoding: Encoding,
}

/// Who waits for what, by the token at an e-mail's end: the answer to `GET /api/{style}/wishlist/unsubscribe/{token}`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Unsubscription {
    /// Whose wish it is.
    pub email: String,
    /// What they wish for.
    pub sku: Sku,
}

/// The body of `POST /api/arrivals` and `POST /api/sales`, as the page sends it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StockRequest {
    /// The SKU as typed; the server parses it.
    pub sku: String,
    /// The quantity as typed; the server parses it.
    pub quantity: i64,
    /// `choreography`, `orchestration` or `both`.
    pub style: String,
    /// What is to carry the messages.
    #[serde(default, skip_serializing_if = "Transport::is_default")]
    pub transport: Transport,
    /// How choreography's event reaches the queues.
    #[serde(default)]
    pub dispatch: Dispatch,
}

/// An error answer: `application/problem+json` (RFC 9457, section 3).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Problem {
    /// What kind of problem this is; `about:blank` where the status says it all.
    #[serde(rename = "type", default = "about_blank")]
    pub problem_type: String,
    /// The kind of problem in a few words.
    pub title: String,
    /// The HTTP status.
    pub status: u16,
    /// What to mend.
    pub detail: String,
}

fn about_blank() -> String {
    "about:blank".to_owned()
}
