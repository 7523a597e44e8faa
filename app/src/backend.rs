//! What the server lends to the page while it renders: the current truth, without a detour over HTTP.

use flow::{
    Picture, Style,
    api::{Email, Problem, Product, StockLevel, Wish},
    fault::Holding,
};
use std::{future::Future, pin::Pin, sync::Arc};

/// An answer that is being worked out.
pub type Answer<T> = Pin<Box<dyn Future<Output = Result<T, Problem>> + Send>>;

/// The server's side of the page. The `web` module implements it and puts an `Arc<dyn Backend>` into the context.
pub trait Backend: Send + Sync + 'static {
    /// The picture after every event so far; its `seq` is where the browser's stream goes on.
    fn picture(&self) -> Picture;
    /// Which gates are closed, and what waits at them.
    fn holding(&self, style: Style) -> Holding;
    /// Which broker carries the messages, in words: `embedded broker`, or `RabbitMQ at HOST:PORT`.
    fn broker_label(&self) -> String;
    /// The catalog's products.
    fn products(&self, style: Style) -> Answer<Vec<Product>>;
    /// Inventory's stock list.
    fn stock(&self, style: Style) -> Answer<Vec<StockLevel>>;
    /// Who waits for what.
    fn wishes(&self, style: Style) -> Answer<Vec<Wish>>;
    /// Every e-mail sent, newest first.
    fn emails(&self, style: Style) -> Answer<Vec<Email>>;
}

/// How the backend travels through Leptos' context.
pub type SharedBackend = Arc<dyn Backend>;
