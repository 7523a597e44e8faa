//! What became of an e-mail by SMTP, and why it has not left.

use crate::pages::when::when;
use flow::api::{Delivery, Email};
use leptos::prelude::*;

/// A mark of its own shape, and a word; nothing where there is no SMTP server.
#[component]
pub fn DeliveryPill(
    /// What became of it.
    delivery: Delivery,
) -> impl IntoView {
    let (class, word) = match delivery {
        Delivery::None => return None,
        Delivery::Queued => ("pill pill-wait", "Waits"),
        Delivery::Sent => ("pill pill-done", "Sent"),
        Delivery::NotSendable => ("pill pill-failed", "Not sendable"),
    };
    Some(view! { <span class=class>{word}</span> })
}

/// Whether an e-mail is where it was to go; without an SMTP server that is this mailbox.
#[must_use]
pub const fn has_left(delivery: Delivery) -> bool {
    matches!(delivery, Delivery::None | Delivery::Sent)
}

/// Why an e-mail has not left, and what comes next. Nothing when there is nothing to tell.
#[component]
pub fn Delayed(email: Email) -> impl IntoView {
    let is_lost = email.delivery == Delivery::NotSendable;
    let reason = email.delivery_reason?;
    let title = if is_lost { "This e-mail cannot be sent." } else { "This e-mail has not been sent yet." };
    let next = match email.next_try_at {
        _ if is_lost => "It is not retried. Other e-mails are not affected.".into_any(),
        None => "It is sent when the server is available again.".into_any(),
        Some(time) => {
            let s = if email.tries == 1 { "" } else { "s" };
            view! {
                {format!("Tried {} time{s}; again at ", email.tries)}
                <time datetime=time.clone()>{when(&time)}</time>
                " UTC."
            }
            .into_any()
        }
    };
    Some(view! {
        <div class="letter-why" data-lost=is_lost.to_string()>
            <strong>{title}</strong>
            <p>{reason}</p>
            <p>{next}</p>
        </div>
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pages::mailbox::letter::tests::email;

    #[test]
    fn an_email_that_was_put_off_says_why_and_when_it_is_tried_again() {
        let email = Email {
            delivery: Delivery::Queued,
            delivery_reason: Some("451 later".into()),
            tries: 2,
            next_try_at: Some("2026-01-01T10:02:03Z".into()),
            ..email(1, "2026-01-01T00:00:00Z")
        };
        let drawn = Owner::new().with(|| view! { <Delayed email /> }.to_html());
        assert!(drawn.contains("has not been sent yet") && drawn.contains("451 later"), "{drawn}");
        assert!(drawn.contains("Tried 2 times") && drawn.contains("2026-01-01T10:02:03Z"), "{drawn}");
    }
}
