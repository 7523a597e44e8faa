//! The warehouse's request and the storefront's sale, by HTTP.

use super::{
    line::{Line, movements},
    ndjson::{self, Recorder},
};
use axum::{
    Json, Router,
    extract::{Request, State},
    http::{HeaderMap, StatusCode},
    response::{IntoResponse, Response},
    routing::post,
};
use encodings::{
    body::{encoded, msgpack_lines, proto_arrivals},
    codec::Named,
};
use flow::{Encoding, api::Accepted, event::Origin};
use http_edge::{
    extract::{essence, named_transport_in, parse},
    problem::Problem,
};
use inventory::{
    Inventory,
    intake::{IdempotencyKey, Reason},
};
use serde::Serialize;

/// The most arrivals or sales in one request.
const BATCH_MAX: usize = 1_000;
/// The longest `Idempotency-Key`, in characters.
const KEY_MAX_LEN: usize = 255;

pub fn routes(recorder: Recorder) -> Router {
    Router::new().route("/api/arrivals", post(arrivals)).route("/api/sales", post(sales)).with_state(recorder)
}

#[derive(Serialize)]
struct AcceptedArrivals {
    arrivals: Vec<Accepted>,
}

#[derive(Serialize)]
struct AcceptedSales {
    sales: Vec<Accepted>,
}

async fn arrivals(State(recorder): State<Recorder>, request: Request) -> Result<Response, Problem> {
    if essence(request.headers()).eq_ignore_ascii_case(ndjson::CONTENT_TYPE) {
        let key = idempotency_key(request.headers())?;
        let transport = named_transport_in(request.uri())?;
        return Ok(recorder.answer(request, key, transport).await);
    }
    let reason = Reason::Arrival(Origin::Request);
    let arrivals = accept(&recorder.inventory, request, "arrivals", reason).await?;
    Ok((StatusCode::ACCEPTED, Json(AcceptedArrivals { arrivals })).into_response())
}

async fn sales(
    State(recorder): State<Recorder>,
    request: Request,
) -> Result<(StatusCode, Json<AcceptedSales>), Problem> {
    let sales = accept(&recorder.inventory, request, "sales", Reason::Sale).await?;
    Ok((StatusCode::ACCEPTED, Json(AcceptedSales { sales })))
}

async fn accept(
    inventory: &Inventory,
    request: Request,
    endpoint: &'static str,
    reason: Reason,
) -> Result<Vec<Accepted>, Problem> {
    let key = idempotency_key(request.headers())?;
    let transport = named_transport_in(request.uri())?;
    let (encoding, body) = encoded(request).await?;
    let mut lines = lines(encoding, &body)?;
    lines.iter_mut().try_for_each(|line| line.addressed_to(transport))?;
    let key = key.map(|key| IdempotencyKey {
        endpoint,
        key,
        request: serde_json::to_string(&lines).expect("lines are plain data"),
    });
    let movements = movements(&lines)?;
    Ok(inventory.record(movements, reason, key).await?)
}

/// One line, or a list of them.
fn lines(encoding: Encoding, body: &[u8]) -> Result<Vec<Line>, Problem> {
    let is_array = || body.iter().find(|byte| !byte.is_ascii_whitespace()) == Some(&b'[');
    let lines = match encoding {
        Encoding::Json if is_array() => {
            parse::<Vec<Named<Line>>>(body)?.into_iter().map(|Named(line)| line).collect()
        }
        Encoding::Json => vec![parse(body)?],
        Encoding::MsgPack => msgpack_lines(body)?,
        Encoding::Protobuf => proto_arrivals(body)?.into_iter().map(Line::from).collect(),
    };
    if lines.is_empty() || lines.len() > BATCH_MAX {
        return Err(Problem::invalid(format!("send 1 to {BATCH_MAX} at a time, not {}", lines.len())));
    }
    Ok(lines)
}

fn idempotency_key(headers: &HeaderMap) -> Result<Option<String>, Problem> {
    let Some(value) = headers.get("idempotency-key") else { return Ok(None) };
    match value.to_str() {
        Ok(key) if (1..=KEY_MAX_LEN).contains(&key.len()) => Ok(Some(key.to_owned())),
        _ => Err(Problem::malformed(format!(
            "Idempotency-Key: use 1 to {KEY_MAX_LEN} visible ASCII characters"
        ))),
    }
}
