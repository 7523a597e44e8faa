//! The lease of a lesson: as long as this page renews it, the system is this lesson's; then the server mends what it has set.

use crate::api::fetch;
use crate::me;
use flow::api::Problem;
use leptos::prelude::window;
use serde::Deserialize;
use serde_json::json;
use std::time::Duration;

/// How often it is renewed.
pub const EVERY: Duration = Duration::from_secs(5);
/// The same tab has the same one, so that a reload does not stand in its own way.
const KEY: &str = "skuflow-lease";

#[derive(Deserialize)]
struct Told {
    fresh: bool,
}

/// Takes it, or renews it; says whether nothing is set yet.
///
/// # Errors
/// When somebody else has it, or the server cannot be reached.
pub async fn take(lesson: &str) -> Result<bool, Problem> {
    let body = json!({ "id": id() }).to_string();
    let answer = fetch::send("PUT", &path(lesson), Some(body)).await?;
    Ok(serde_json::from_str::<Told>(&answer).is_ok_and(|told| told.fresh))
}

/// Gives it up, once the server has mended all.
///
/// # Errors
/// When the server cannot be reached.
pub async fn give_up(lesson: &str) -> Result<(), Problem> {
    fetch::send("DELETE", &ending(lesson), None).await.map(|_| ())
}

/// Gives it up as the page goes.
pub fn leave(lesson: &str) {
    fetch::while_leaving("DELETE", &ending(lesson));
}

fn path(lesson: &str) -> String {
    format!("/api/lessons/{lesson}/lease")
}

fn ending(lesson: &str) -> String {
    format!("{}?id={}", path(lesson), id())
}

/// This tab's own name. Without a place to keep it, whoever has no name shares one.
fn id() -> String {
    let Ok(Some(storage)) = window().session_storage() else { return "tab".to_owned() };
    if let Ok(Some(known)) = storage.get_item(KEY) {
        return known;
    }
    let new = me::random_id().unwrap_or_else(|| "tab".to_owned());
    let _ = storage.set_item(KEY, &new);
    new
}
