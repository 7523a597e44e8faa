//! A request's body that may be slow, but not still.

use axum::body::{Body, Bytes, HttpBody};
use hyper::body::{Frame, SizeHint};
use std::{
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};
use tokio::time::{Sleep, sleep};

/// Nothing of the body has come for too long.
#[derive(Debug, thiserror::Error)]
#[error("nothing more of it came within {} s", .0.as_secs())]
struct TooStill(Duration);

/// A body of which something has to come from time to time, as long as somebody waits for it.
///
/// A handler that has other things to do, because the services are behind, does not look for a while, and then finds the
/// time over although its client is not to blame. So the body fails when the time is over twice in a row.
pub struct Restless {
    body: Body,
    still_max: Duration,
    waiting: Option<Pin<Box<Sleep>>>,
    is_warned: bool,
}

impl Restless {
    /// Fails the body when nothing came for `still_max`, twice in a row.
    #[must_use]
    pub const fn new(body: Body, still_max: Duration) -> Self {
        Self { body, still_max, waiting: None, is_warned: false }
    }
}

impl HttpBody for Restless {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        let this = &mut *self;
        if let Poll::Ready(frame) = Pin::new(&mut this.body).poll_frame(cx) {
            (this.waiting, this.is_warned) = (None, false);
            return Poll::Ready(frame);
        }
        loop {
            let waiting = this.waiting.get_or_insert_with(|| Box::pin(sleep(this.still_max)));
            if waiting.as_mut().poll(cx).is_pending() {
                return Poll::Pending;
            }
            this.waiting = None;
            if std::mem::replace(&mut this.is_warned, true) {
                return Poll::Ready(Some(Err(axum::Error::new(TooStill(this.still_max)))));
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures::{StreamExt, stream};
    use std::convert::Infallible;

    const STILL_MAX: Duration = Duration::from_secs(30);

    fn restless(body: Body) -> axum::body::BodyDataStream {
        Body::new(Restless::new(body, STILL_MAX)).into_data_stream()
    }

    #[tokio::test(start_paused = true)]
    async fn a_body_of_which_nothing_more_comes_fails() {
        let mut body = restless(Body::from_stream(stream::pending::<Result<Bytes, Infallible>>()));
        let error = body.next().await.unwrap().unwrap_err();
        assert!(error.to_string().contains("within 30 s"), "{error}");
    }

    #[tokio::test(start_paused = true)]
    async fn a_body_that_trickles_may_take_as_long_as_it_likes() {
        let trickle = stream::iter(0..100).then(async |_| {
            sleep(STILL_MAX * 9 / 10).await;
            Ok::<_, Infallible>(Bytes::from_static(b"x"))
        });
        assert_eq!(restless(Body::from_stream(trickle)).count().await, 100);
    }

    #[tokio::test(start_paused = true)]
    async fn a_body_at_which_nobody_looked_for_long_is_not_to_blame() {
        let (sender, receiver) = futures::channel::mpsc::unbounded::<Result<Bytes, Infallible>>();
        let mut body = restless(Body::from_stream(receiver));
        assert!(futures::poll!(body.next()).is_pending());
        sleep(STILL_MAX * 5).await;
        assert!(futures::poll!(body.next()).is_pending(), "it has not even been asked for more");
        sender.unbounded_send(Ok(Bytes::from_static(b"x"))).unwrap();
        assert_eq!(body.next().await.unwrap().unwrap(), "x");
    }
}
