//! Pages and JSON go out compressed, and nothing else is changed by that.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on says where")]

mod common;

use common::{On, Skuflow};
use reqwest::{
    Response, StatusCode,
    header::{ACCEPT_ENCODING, CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE, VARY},
};

async fn asked(skuflow: &Skuflow, method: &str, path: &str, accept: &str) -> Response {
    skuflow.request(method, path).header(ACCEPT_ENCODING, accept).send().await.unwrap()
}

fn header(response: &Response, name: reqwest::header::HeaderName) -> Option<String> {
    Some(response.headers().get(name)?.to_str().unwrap().to_owned())
}

#[tokio::test]
async fn pages_and_json_are_compressed_for_whoever_takes_it_and_nothing_else_is() {
    let skuflow = Skuflow::start(On::Embedded).await;
    skuflow.arrive("MUG-RED", 3, "both").await;
    skuflow.settled().await;
    for path in ["/lab/choreography", "/api/journal", "/api/choreography/catalog/products"] {
        let plain = skuflow.get(path).await.bytes().await.unwrap();
        for encoding in ["br", "gzip"] {
            let answer = asked(&skuflow, "GET", path, encoding).await;
            assert_eq!(header(&answer, CONTENT_ENCODING).as_deref(), Some(encoding), "{path}");
            assert_eq!(header(&answer, VARY).as_deref(), Some("accept-encoding"), "{path}");
            let packed = answer.bytes().await.unwrap();
            assert!(packed.len() * 3 < plain.len(), "{path}: {} of {} bytes", packed.len(), plain.len());
        }
        let head = asked(&skuflow, "HEAD", path, "br").await;
        assert_eq!(head.status(), StatusCode::OK, "HEAD {path}");
        assert_eq!(header(&head, CONTENT_ENCODING).as_deref(), Some("br"), "HEAD {path}");
    }

    let problem = asked(&skuflow, "GET", "/api/nothing", "br, gzip").await;
    assert_eq!(header(&problem, CONTENT_TYPE).as_deref(), Some("application/problem+json"));
    assert_eq!(header(&problem, CONTENT_ENCODING), None);
    let length: usize = header(&problem, CONTENT_LENGTH).unwrap().parse().unwrap();
    assert_eq!(problem.bytes().await.unwrap().len(), length);

    let stream = asked(&skuflow, "GET", "/api/journal/stream?after=0", "br, gzip").await;
    assert_eq!(header(&stream, CONTENT_ENCODING), None);
}
