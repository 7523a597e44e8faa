//! What handlers take from a request, parsed at the edge.

use super::{BODY_MAX_BYTES, problem::Problem};
use axum::{
    body::Bytes,
    extract::{FromRequest, FromRequestParts, Path, Query, Request, rejection::QueryRejection},
    http::{HeaderMap, StatusCode, Uri, header, request::Parts},
};
use flow::{Actor, Id, Service, Sku, System, Transport, cookies, system::UnknownTransport};
use percent_encoding::percent_decode;
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::Value;
use std::{collections::HashMap, sync::Arc};

/// The header in which a program says who it is: percent-encoded UTF-8.
const HEADER_ACTOR: &str = "x-skuflow-actor";

/// The system that a call concerns: the style in the path, over the transport in the query (`?transport=`), or over AMQP.
pub struct SystemPath(pub System);
/// The service in the path.
pub struct PathService(pub Service);
/// The SKU in the path.
pub struct PathSku(pub Sku);
/// The numeric id in the path.
pub struct PathId(pub i64);
/// Who asks: by the header `X-Skuflow-Actor`, or else by the cookies of the page.
pub struct By(pub Arc<Actor>);
pub struct JsonBody<T>(pub T);

async fn in_path(parts: &mut Parts, name: &str) -> Result<String, Problem> {
    let Path(mut all) = Path::<HashMap<String, String>>::from_request_parts(parts, &())
        .await
        .map_err(|error| Problem::malformed(error.to_string()))?;
    all.remove(name).ok_or_else(|| Problem::not_found(format!("the path names no {name}")))
}

#[derive(Deserialize)]
struct TransportQuery {
    transport: Option<String>,
}

/// The transport that a query names; the default without one.
///
/// # Errors
/// When there is no such transport (400).
pub fn transport_in(uri: &Uri) -> Result<Transport, Problem> {
    Ok(named_transport_in(uri)?.unwrap_or_default())
}

/// The transport that a query names, if it names one.
///
/// # Errors
/// When there is no such transport (400).
pub fn named_transport_in(uri: &Uri) -> Result<Option<Transport>, Problem> {
    let Query(TransportQuery { transport }) =
        Query::try_from_uri(uri).map_err(|error: QueryRejection| Problem::malformed(error.body_text()))?;
    let named = transport.map(|word| word.parse()).transpose();
    named.map_err(|error: UnknownTransport| Problem::malformed(error.to_string()))
}

impl<S: Sync> FromRequestParts<S> for SystemPath {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        let style = in_path(parts, "style").await?;
        let style = style
            .parse()
            .map_err(|error: flow::style::UnknownStyle| Problem::not_found(error.to_string()))?;
        Ok(Self(System { style, transport: transport_in(&parts.uri)? }))
    }
}

impl<S: Sync> FromRequestParts<S> for PathService {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        let service = in_path(parts, "service").await?;
        service
            .parse()
            .map(Self)
            .map_err(|error: flow::style::UnknownService| Problem::not_found(error.to_string()))
    }
}

impl<S: Sync> FromRequestParts<S> for PathSku {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        let sku = in_path(parts, "sku").await?;
        Sku::parse(&sku).map(Self).map_err(|error| Problem::malformed(format!("sku: {error}")))
    }
}

impl<S: Sync> FromRequestParts<S> for PathId {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        let id = in_path(parts, "id").await?;
        id.parse()
            .map(Self)
            .map_err(|_| Problem::not_found(format!("{id:?} is not an id; ids are whole numbers")))
    }
}

impl<S: Sync> FromRequestParts<S> for By {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        let name = parts.headers.get(HEADER_ACTOR).map(|header| name_in(header.as_bytes())).transpose();
        let name = name.map_err(|why| Problem::malformed(format!("X-Skuflow-Actor: {why}")))?;
        let cookies = sent_cookies(&parts.headers);
        // Programs of others on this host may have cookies of the same names: what makes no sense is not ours.
        let of_page = || name_in(cookies::value_of(&cookies, cookies::NAME)?.as_bytes()).ok().flatten();
        Ok(Self(Arc::new(Actor { name: name.unwrap_or_else(of_page), id: reader(&parts.headers) })))
    }
}

/// A name in percent-encoded UTF-8; none when it is empty.
fn name_in(encoded: &[u8]) -> Result<Option<Id>, String> {
    let text =
        percent_decode(encoded).decode_utf8().map_err(|_| "it is not percent-encoded UTF-8".to_owned())?;
    Actor::parse_name(&text).map_err(|error| error.to_string())
}

fn sent_cookies(headers: &HeaderMap) -> String {
    let all = headers.get_all(header::COOKIE).iter().filter_map(|value| value.to_str().ok());
    all.collect::<Vec<_>>().join("; ")
}

/// The id of the browser that asks; none for a program.
pub fn reader(headers: &HeaderMap) -> Option<Id> {
    Actor::parse_id(cookies::value_of(&sent_cookies(headers), cookies::ID)?).ok()
}

impl<S: Send + Sync, T: DeserializeOwned> FromRequest<S> for JsonBody<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        let body = json_bytes(request, state).await?;
        // What a call wants is an object; serde would also take its values as an array.
        if body.trim_ascii_start().starts_with(b"[") {
            return Err(Problem::invalid("the body must be a JSON object, not an array".to_owned()));
        }
        parse(&body).map(Self)
    }
}

/// The type of a request's body, without its parameters; empty when it is not told.
pub fn essence(headers: &HeaderMap) -> &str {
    let content_type = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    content_type.and_then(|value| value.split(';').next()).unwrap_or("").trim()
}

/// The body of a request that says it is JSON, and is not too large.
pub async fn json_bytes<S: Send + Sync>(request: Request, state: &S) -> Result<Bytes, Problem> {
    let essence = essence(request.headers());
    if !essence.eq_ignore_ascii_case("application/json") {
        let detail = format!("send JSON with the header Content-Type: application/json, not {essence:?}");
        return Err(Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, detail));
    }
    bytes(request, state).await
}

/// The body of a request, of whatever type, that is not too large.
pub async fn bytes<S: Send + Sync>(request: Request, state: &S) -> Result<Bytes, Problem> {
    Bytes::from_request(request, state).await.map_err(|error| match error.status() {
        StatusCode::PAYLOAD_TOO_LARGE => Problem::new(
            StatusCode::PAYLOAD_TOO_LARGE,
            format!("the body may have at most {BODY_MAX_BYTES} bytes; send several smaller requests"),
        ),
        _ => Problem::malformed(error.body_text()),
    })
}

/// Reads JSON; tells what cannot be parsed (400) from what parses and cannot be (422).
pub fn parse<T: DeserializeOwned>(body: &[u8]) -> Result<T, Problem> {
    serde_json::from_slice(body).map_err(|error| match error.classify() {
        serde_json::error::Category::Data => Problem::invalid(in_json_terms(&error.to_string())),
        // Where a word is expected, serde takes another value for a fault of the JSON.
        _ => match serde_json::from_slice::<Value>(body).map(serde_json::from_value::<T>) {
            Ok(Err(error)) => Problem::invalid(in_json_terms(&error.to_string())),
            _ => Problem::malformed(format!("the body is not valid JSON: {error}")),
        },
    })
}

/// What serde says is wrong, in the words of JSON instead of Rust's.
#[must_use]
pub fn in_json_terms(said: &str) -> String {
    const TERMS: [(&str, &str); 6] = [
        ("expected string or map", "expected one of the known words"),
        ("invalid type: map", "invalid type: object"),
        ("invalid type: sequence", "invalid type: array"),
        ("expected a map", "expected an object"),
        ("expected a sequence", "expected an array"),
        ("expected f64", "expected a number"),
    ];
    let said = TERMS.iter().fold(said.to_owned(), |said, (rust, json)| said.replace(rust, json));
    let Some((before, expected)) = said.split_once("expected ") else { return said };
    let mut words = expected.splitn(3, ' ');
    let (first, second) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
    let is_whole = |word: &str| {
        let bits = word.strip_prefix(['u', 'i']);
        bits.is_some_and(|bits| bits == "size" || bits.parse::<u8>().is_ok())
    };
    let (term, taken) = match first {
        "struct" => ("an object", first.len() + 1 + second.len()),
        "enum" => ("one of the known words", first.len() + 1 + second.len()),
        whole if is_whole(whole) => ("a whole number", whole.len()),
        _ => return said,
    };
    format!("{before}expected {term}{}", &expected[taken..])
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::response::IntoResponse as _;

    async fn by(headers: &[(&str, &str)]) -> Result<Arc<Actor>, StatusCode> {
        let mut request = Request::builder();
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let (mut parts, ()) = request.body(()).unwrap().into_parts();
        let by = By::from_request_parts(&mut parts, &()).await;
        by.map(|By(actor)| actor).map_err(|problem| problem.into_response().status())
    }

    #[tokio::test]
    async fn who_asks_is_told_by_the_header_or_by_the_cookies_of_the_page() {
        let is = async |headers: &[(&str, &str)], name: Option<&str>, id: Option<&str>| {
            let actor = by(headers).await.unwrap();
            assert_eq!((actor.name.as_deref(), actor.id.as_deref()), (name, id), "{headers:?}");
        };
        is(&[], None, None).await;
        is(&[("x-skuflow-actor", "Gr%C3%BC%C3%9Fe")], Some("Grüße"), None).await;
        is(&[("cookie", "theme=dark; name=Ada%20L; browser=b1")], Some("Ada L"), Some("b1")).await;
        is(&[("cookie", "name=Ada; browser=b1"), ("x-skuflow-actor", "Bob")], Some("Bob"), Some("b1")).await;
        is(&[("cookie", "name=%00; browser=<b>")], None, None).await;
    }

    #[test]
    fn a_wrong_body_is_told_of_in_the_words_of_json() {
        #[derive(Debug, Deserialize)]
        struct Wanted {
            #[expect(dead_code, reason = "it is only parsed")]
            count: u16,
        }
        let detail = |body: &str| parse::<Wanted>(body.as_bytes()).unwrap_err().to_api().detail;
        for (body, said) in [
            (r#""three""#, "expected an object"),
            (r#"{"count":"three"}"#, "expected a whole number"),
            (r#"{"count":-1}"#, "expected a whole number"),
            (r#"{"count":{}}"#, "invalid type: object, expected a whole number"),
            (r#"{"count":[]}"#, "invalid type: array"),
            ("{}", "missing field `count`"),
        ] {
            let detail = detail(body);
            assert!(
                detail.contains(said) && !detail.contains("u16") && !detail.contains("Wanted"),
                "{detail}"
            );
        }
    }

    #[test]
    fn a_value_in_place_of_a_word_is_no_fault_of_the_json() {
        #[derive(Debug, Deserialize)]
        #[serde(rename_all = "snake_case")]
        enum Word {
            One,
        }
        assert!(matches!(parse::<Vec<Word>>(b"[\"one\"]").unwrap()[..], [Word::One]));
        for body in ["[null]", "[3]", "[true]"] {
            let problem = parse::<Vec<Word>>(body.as_bytes()).unwrap_err().to_api();
            assert_eq!(problem.status, 422, "{problem:?}");
            assert!(problem.detail.contains("expected one of the known words"), "{problem:?}");
        }
        assert_eq!(parse::<Vec<Word>>(b"[nul]").unwrap_err().to_api().status, 400);
    }

    #[tokio::test]
    async fn an_array_is_not_taken_for_an_object_with_those_values() {
        let request =
            Request::builder().header("content-type", "application/json").body("[3]".into()).unwrap();
        let refused = JsonBody::<(u16,)>::from_request(request, &()).await.map(|_| ()).unwrap_err();
        assert!(refused.to_api().detail.contains("must be a JSON object"), "{refused:?}");
    }

    #[tokio::test]
    async fn a_name_in_the_header_that_cannot_be_shown_is_refused() {
        for bad in ["%FF", "a%0Ab", &"a".repeat(41)] {
            assert_eq!(by(&[("x-skuflow-actor", bad)]).await, Err(StatusCode::BAD_REQUEST), "{bad}");
        }
    }
}
