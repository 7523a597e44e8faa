//! What comes back from inventory, and what of it is told in the journal.

use crate::{root_cause, silence};
use axum::{
    body::HttpBody,
    http::{HeaderMap, Response, StatusCode},
};
use encodings::{answer, decode, media_type};
use flow::{Availability, Encoding, Sku, event::AnswerBody};
use http_body_util::{BodyExt as _, Limited};
use http_edge::extract::essence;
use messaging::Failure;
use std::time::Instant;

/// An answer is some hundred bytes.
const ANSWER_MAX_BYTES: usize = 64 * 1024;

/// What has come so far; also of an answer that makes no sense, or ends too early.
#[derive(Debug, Default)]
pub struct Heard {
    pub status: Option<StatusCode>,
    /// As the answer names it.
    pub encoding: Encoding,
    pub body: Option<AnswerBody>,
}

impl Heard {
    /// Reads an answer in the encoding that it names, whatever was asked for.
    ///
    /// # Errors
    /// When it tells no availability.
    pub async fn listen<B>(&mut self, response: Response<B>, sku: Sku) -> Result<Availability, Failure>
    where
        B: HttpBody<Error: std::error::Error + Send + Sync + 'static>,
    {
        self.status = Some(response.status());
        match response.status() {
            StatusCode::OK => {}
            StatusCode::NOT_FOUND => {
                return Err(Failure::Permanent(format!("inventory does not know {sku}")));
            }
            status => return Err(Failure::Transient(format!("inventory answered {status}"))),
        }
        let named = media_type::named(essence(response.headers()));
        self.encoding = named.unwrap_or_default();
        let encode_ns = encode_ns(response.headers());
        let of_type = essence(response.headers()).to_owned();
        let body = Limited::new(response.into_body(), ANSWER_MAX_BYTES).collect().await;
        let body = body.map_err(|error| silence(root_cause(&*error)))?.to_bytes();
        let started = Instant::now();
        let answer = named.map(|encoding| decode::<Availability>(&body, encoding));
        let took_ns = u64::try_from(started.elapsed().as_nanos()).unwrap_or(u64::MAX);
        let decode_ns = matches!(answer, Some(Ok(_))).then_some(took_ns);
        self.body = Some(AnswerBody::new(&body, encode_ns, decode_ns));
        let makes_no_sense =
            |why: String| Failure::Transient(format!("inventory's answer makes no sense: {why}"));
        match answer {
            Some(answer) => answer.map_err(|error| makes_no_sense(error.to_string())),
            None => Err(makes_no_sense(format!("its type is {of_type:?}"))),
        }
    }
}

fn encode_ns(headers: &HeaderMap) -> Option<u64> {
    answer::encode_ns(headers.get(answer::HEADER_SERVER_TIMING)?.to_str().ok()?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::{body::Body, http::header};
    use encodings::encode;

    fn known() -> Availability {
        Availability { sku: Sku::parse("MUG-RED").unwrap(), available: true, quantity: 12, version: 2 }
    }

    async fn hear(content_type: Option<&str>, body: Vec<u8>) -> (Heard, Result<Availability, Failure>) {
        let mut response = Response::builder().header(answer::HEADER_SERVER_TIMING, "encode;dur=0.001250");
        if let Some(content_type) = content_type {
            response = response.header(header::CONTENT_TYPE, content_type);
        }
        let mut heard = Heard::default();
        let answer = heard.listen(response.body(Body::from(body)).unwrap(), known().sku).await;
        (heard, answer)
    }

    fn nonsense(answer: Result<Availability, Failure>) -> String {
        match answer {
            Err(Failure::Transient(reason)) if reason.starts_with("inventory's answer makes no sense: ") => {
                reason
            }
            other => panic!("{other:?}"),
        }
    }

    #[tokio::test]
    async fn an_answer_is_read_in_the_encoding_that_it_names_and_told_with_its_bytes_and_times() {
        for (name, encoding) in media_type::ALL {
            let body = encode(&known(), encoding);
            let (heard, answer) = hear(Some(&format!("{name}; charset=utf-8")), body.clone()).await;
            assert_eq!(answer.unwrap(), known(), "{name}");
            assert_eq!((heard.status, heard.encoding), (Some(StatusCode::OK), encoding));
            let told = heard.body.unwrap();
            assert_eq!((told.size_bytes, &told.bytes), (body.len() as u64, &body));
            assert_eq!((told.encode_ns, told.decode_ns.is_some()), (Some(1_250), true));
        }
    }

    #[tokio::test]
    async fn a_body_that_is_not_what_its_type_says_is_a_failure_that_is_tried_again_and_told_with_its_bytes()
    {
        for &said in Encoding::ALL {
            for &is in Encoding::ALL.iter().filter(|is| **is != said) {
                let body = encode(&known(), is);
                let (heard, answer) = hear(Some(media_type::name(said)), body.clone()).await;
                nonsense(answer);
                assert_eq!(heard.encoding, said);
                let told = heard.body.unwrap();
                assert_eq!((told.bytes, told.decode_ns), (body, None), "{is} as {said}");
            }
            let (heard, answer) = hear(Some(media_type::name(said)), Vec::new()).await;
            nonsense(answer);
            assert_eq!(heard.body.unwrap().size_bytes, 0);
        }
    }

    #[tokio::test]
    async fn an_answer_of_another_type_or_of_none_is_not_guessed_at() {
        for content_type in [Some("text/html"), Some(""), None] {
            let (heard, answer) = hear(content_type, encode(&known(), Encoding::Json)).await;
            let reason = nonsense(answer);
            assert!(reason.ends_with(&format!("its type is {:?}", content_type.unwrap_or(""))), "{reason}");
            assert_eq!(heard.body.unwrap().decode_ns, None);
        }
    }

    #[tokio::test]
    async fn an_answer_that_is_too_long_is_none() {
        let (heard, answer) = hear(Some("application/msgpack"), vec![0; ANSWER_MAX_BYTES + 1]).await;
        assert!(matches!(answer, Err(Failure::Transient(_))), "{answer:?}");
        assert_eq!((heard.status, heard.body), (Some(StatusCode::OK), None));
    }
}
