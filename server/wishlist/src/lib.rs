//! Wishlist: knows who waits for what, and mails them when it is there.
//!
//! - [`Wishlist`]: the service. [`http`]: its API.
//! - [`message`]: how an e-mail is written. [`mailer`], [`smtp`]: how it leaves. [`address`]: where it may go.
//! - [`wish_store`]: what it asks of its store. [`sqlite`], [`wishes`], [`mail`]: how SQLite answers.

pub mod address;
pub mod http;
pub mod mail;
pub mod mailer;
pub mod message;
pub mod smtp;
pub mod sqlite;
pub mod wish_store;
pub mod wishes;

use address::MailAddress;
use flow::{
    Availability, Id, Kind, Service, Sku, System,
    api::{Email, Wish},
    event::State,
};
use journal::Journal;
use messaging::{Delivered, Handled};
use std::{collections::HashSet, sync::Arc};
use store::{
    StoreError,
    epoch::{Floors, VersionError, Word},
    inbox::Consumer,
};
use tokio::sync::watch;
use wish_store::{News, Updated, WishStore};
use wishes::WishRecord;

#[derive(Debug, Clone)]
pub struct Wishlist {
    store: Arc<dyn WishStore>,
    journal: Journal,
    /// Grows when e-mails were stored; the mailer looks at it.
    stored_emails: watch::Sender<u64>,
    /// Why the SMTP server cannot be used, while it cannot.
    smtp_offline: watch::Sender<Option<String>>,
    post: Post,
}

#[derive(Debug, Clone)]
pub struct Post {
    /// Where readers see the page, for the links in them: `http://host:port`.
    pub base_url: Arc<str>,
    /// Whether an SMTP server is named.
    pub has_smtp: bool,
}

impl Wishlist {
    /// The service on that store.
    #[must_use]
    pub fn new(store: impl WishStore + 'static, journal: Journal, post: Post) -> Self {
        let (stored_emails, smtp_offline) = (watch::Sender::new(0), watch::Sender::new(None));
        Self { store: Arc::new(store), journal, stored_emails, smtp_offline, post }
    }

    /// Takes in what is for sale, unless something newer is known. When the SKU turns from not available to
    /// available, everybody who wished for it gets one e-mail.
    ///
    /// # Errors
    /// When a command is too far ahead of what is known, or the store fails.
    pub async fn update(
        &self,
        message: &Delivered,
        known: Availability,
        word: Word,
    ) -> Result<Handled, VersionError> {
        let news = News {
            consumer: Consumer { system: message.system, queue: message.queue },
            message_id: Id::clone(&message.envelope.message_id),
            correlation_id: Id::clone(&message.envelope.correlation_id),
            known,
            word,
        };
        let stored_emails = self.stored_emails.clone();
        let told = message.tells(Some(known.version), move |(before, emails): &Updated, reporter| {
            reporter.tell(Kind::StateChanged { before: *before, after: known.into() });
            for email in emails {
                let (to, subject) = (email.to.clone(), email.subject.clone());
                reporter.tell(Kind::EmailSent { email_id: email.id, to, subject });
            }
            if !emails.is_empty() {
                stored_emails.send_modify(|n| *n += 1);
            }
        });
        let updated = self.store.update(news, Arc::clone(&self.post.base_url), told).await;
        Ok(updated?.into())
    }

    /// Who waits for what, oldest first.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn wishes(&self, system: System) -> Result<Vec<Wish>, StoreError> {
        self.store.wishes(system).await
    }

    /// Adds a wish; the same wish twice is one wish.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn wish(
        &self,
        system: System,
        email: MailAddress,
        name: Option<String>,
        sku: Sku,
    ) -> Result<Wish, StoreError> {
        self.store.wish(system, email, name, sku).await
    }

    /// The wish that whoever knows the token may take away.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn wish_of(&self, system: System, token: &str) -> Result<Option<Wish>, StoreError> {
        self.store.wish_of(system, token.to_owned()).await
    }

    /// One e-mail in all its forms.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn email(&self, system: System, id: i64) -> Result<Option<mail::Forms>, StoreError> {
        self.store.email(system, id).await
    }

    /// Takes a wish away; `false` when there is none of that id.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn forget(&self, system: System, id: i64) -> Result<bool, StoreError> {
        self.store.forget(system, id).await
    }

    /// Every e-mail sent, newest first.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn emails(&self, system: System) -> Result<Vec<Email>, StoreError> {
        let has_smtp = self.post.has_smtp;
        let offline = self.smtp_offline.borrow().clone();
        let offline = offline.map(|reason| format!("the SMTP server cannot be used now: {reason}"));
        self.store.emails(system, has_smtp, offline).await
    }

    /// How many e-mails were sent.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn mailed(&self, system: System) -> Result<u64, StoreError> {
        self.store.mailed(system).await
    }

    /// Takes on other wishes in place of all there are, and what is for sale in place of what is not newer than `floors`;
    /// the e-mails are gone with it.
    ///
    /// # Errors
    /// When the store fails; nothing is changed then.
    pub async fn replace(
        &self,
        wishes: Vec<WishRecord>,
        stock: Vec<(System, Availability)>,
        floors: Floors,
    ) -> Result<(), StoreError> {
        let journal = self.journal.clone();
        let tell = move |told: &Vec<_>| journal.report_reset(Service::Wishlist, told);
        self.store.replace(wishes, stock, floors, Box::new(tell)).await
    }

    /// The highest version that is known of each system.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn highest(&self) -> Result<Floors, StoreError> {
        self.store.highest().await
    }

    /// Which of these messages the consumer has handled. What was begun before counts.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn handled(&self, consumer: Consumer, ids: Vec<Id>) -> Result<HashSet<Id>, StoreError> {
        self.store.handled(consumer, ids).await
    }

    /// What is known of each SKU.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn known(&self, system: System) -> Result<Vec<(Sku, State)>, StoreError> {
        self.store.known(system).await
    }

    /// Whether the store answers.
    ///
    /// # Errors
    /// When it does not.
    pub async fn ping(&self) -> Result<(), StoreError> {
        self.store.ping().await
    }
}
