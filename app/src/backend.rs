//! What the server lends to the page while it renders: the current truth, without a detour over HTTP.

use flow::{
    Event, Picture, System,
    api::{Email, Problem, Product, Shelves, ShelvesWanted, StockLevel, Transports, Wish},
    fault::Holding,
};
use std::{future::Future, pin::Pin, sync::Arc};

/// Says with the answer's status that nothing is at the address. The `web` module puts it into each request's context.
#[derive(Clone)]
pub struct SayNotFound(pub Arc<dyn Fn() + Send + Sync>);

/// Who asks may look and not change anything. The `web` module puts it into the context of such a request.
#[derive(Debug, Clone, Copy)]
pub struct LooksOn;

/// An answer that is being worked out.
pub type Answer<T> = Pin<Box<dyn Future<Output = Result<T, Problem>> + Send>>;

/// The server's side of the page. The `web` module implements it and puts an `Arc<dyn Backend>` into the context.
pub trait Backend: Send + Sync + 'static {
    /// The picture after every event so far; its `seq` is where the browser's stream goes on.
    fn picture(&self) -> Picture;
    /// The newest events of a style, at most `limit`, the newest first.
    fn newest_events(&self, system: System, limit: usize) -> Answer<Vec<Event>>;
    /// Which gates are closed, and what waits at them.
    fn holding(&self, system: System) -> Holding;
    /// Which broker carries the messages, in words: `embedded broker`, or `RabbitMQ at HOST:PORT`.
    fn broker_label(&self) -> String;
    /// At most `limit` of the catalog's products whose SKU and name contain the words of `search`.
    fn products(&self, system: System, search: String, limit: u32) -> Answer<Vec<Product>>;
    /// A page of the store.
    fn shelves(&self, wanted: ShelvesWanted) -> Answer<Shelves>;
    fn stock(&self, system: System) -> Answer<Vec<StockLevel>>;
    /// Who waits for what.
    fn wishes(&self, system: System) -> Answer<Vec<Wish>>;
    /// Every e-mail sent, newest first.
    fn emails(&self, system: System) -> Answer<Vec<Email>>;
    /// Every lesson, as it stands in the list.
    fn lessons(&self) -> Vec<lessons::Brief>;
    fn lesson(&self, id: &str) -> Option<lessons::Lesson>;
    /// What each system takes and loses, as far as it has been measured.
    fn transports(&self) -> Answer<Transports>;
}

/// How the backend travels through Leptos' context.
pub type SharedBackend = Arc<dyn Backend>;
