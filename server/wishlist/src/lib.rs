//! Wishlist: knows who waits for what, and mails them when it is there.

pub mod address;
pub mod http;
pub mod mail;
pub mod mailer;
pub mod message;
pub mod smtp;
pub mod wishes;

use address::MailAddress;
use flow::{
    Availability, Id, Kind, Service, Sku, Style,
    api::{Email, Wish},
    event::State,
};
use journal::Journal;
use messaging::{Delivered, Handled};
use std::{path::Path, sync::Arc};
use store::{
    Store, StoreError,
    effect::Effect,
    epoch::{self, Floors, VersionError, Word},
    inbox,
};
use tokio::sync::watch;
use wishes::WishRecord;

/// Opens the service's store in `dir`, with the seed when it is new.
///
/// # Errors
/// When the store cannot be opened or seeded.
pub async fn open_store(dir: &Path) -> Result<Store, StoreError> {
    let schema = [wishes::SCHEMA, mail::SCHEMA, inbox::SCHEMA, epoch::SCHEMA].concat();
    let store = Store::open(&dir.join("wishlist.db"), &schema)?;
    store
        .write(|tx| {
            wishes::upgrade(tx)?;
            mail::upgrade(tx)?;
            wishes::seed(tx, &seed::PRODUCTS)?;
            inbox::forget_old(tx)
        })
        .await?;
    Ok(store)
}

/// The wishlist service.
#[derive(Debug, Clone)]
pub struct Wishlist {
    store: Store,
    journal: Journal,
    /// Grows when e-mails were stored; the mailer looks at it.
    stored_emails: watch::Sender<u64>,
    /// Why the SMTP server cannot be used, while it cannot.
    smtp_offline: watch::Sender<Option<String>>,
    post: Arc<Post>,
}

/// How e-mails leave.
#[derive(Debug, Clone)]
pub struct Post {
    /// Where readers see the page, for the links in them: `http://host:port`.
    pub base_url: String,
    /// Whether an SMTP server is named.
    pub has_smtp: bool,
}

impl Wishlist {
    /// Opens the service's store in `dir`, with the seed when it is new.
    ///
    /// # Errors
    /// When the store cannot be opened or seeded.
    pub async fn open(dir: &Path, journal: Journal, post: Post) -> Result<Self, StoreError> {
        let store = open_store(dir).await?;
        let (stored_emails, smtp_offline) = (watch::Sender::new(0), watch::Sender::new(None));
        Ok(Self { store, journal, stored_emails, smtp_offline, post: Arc::new(post) })
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
        let (queue, reporter) = (message.queue, message.reporter.clone());
        let message_id = message.envelope.message_id.clone();
        let correlation_id = Id::clone(&message.envelope.correlation_id);
        let (stored_emails, post) = (self.stored_emails.clone(), Arc::clone(&self.post));
        let updated: Result<Effect<_>, VersionError> = self
            .store
            .write_then(
                move |tx| {
                    if !inbox::is_new(tx, queue, &message_id)? {
                        let known_version = wishes::version_of(tx, queue.style, known.sku)?;
                        return Ok(Effect::Duplicate { known_version });
                    }
                    let before = match wishes::remember(tx, queue.style, known, word)? {
                        Effect::Stored(before) => before,
                        Effect::NothingNewer { known_version } => {
                            return Ok(Effect::NothingNewer { known_version });
                        }
                        Effect::Duplicate { known_version } => {
                            return Ok(Effect::Duplicate { known_version });
                        }
                    };
                    let was_available = before.is_some_and(|before| before.available);
                    let emails = if known.available && !was_available {
                        mail::tell_everybody(tx, queue.style, known, &correlation_id, &post.base_url)?
                    } else {
                        Vec::new()
                    };
                    Ok(Effect::Stored((before, emails)))
                },
                move |updated| {
                    if let Some(decision) = updated.decision(Some(known.version)) {
                        reporter.tell(decision);
                    }
                    let Effect::Stored((before, emails)) = updated else { return };
                    reporter.tell(Kind::StateChanged { before: *before, after: known.into() });
                    for email in emails {
                        let (to, subject) = (email.to.clone(), email.subject.clone());
                        reporter.tell(Kind::EmailSent { email_id: email.id, to, subject });
                    }
                    if !emails.is_empty() {
                        stored_emails.send_modify(|n| *n += 1);
                    }
                },
            )
            .await;
        Ok(updated?.into())
    }

    /// Who waits for what, oldest first.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn wishes(&self, style: Style) -> Result<Vec<Wish>, StoreError> {
        self.store.read(move |tx| wishes::list(tx, style)).await
    }

    /// Adds a wish; the same wish twice is one wish.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn wish(
        &self,
        style: Style,
        email: MailAddress,
        name: Option<String>,
        sku: Sku,
    ) -> Result<Wish, StoreError> {
        self.store.write(move |tx| wishes::add(tx, style, email.as_str(), name.as_deref(), sku)).await
    }

    /// The wish that whoever knows the token may take away.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn wish_of(&self, style: Style, token: &str) -> Result<Option<Wish>, StoreError> {
        let token = token.to_owned();
        self.store.read(move |tx| wishes::by_token(tx, style, &token)).await
    }

    /// One e-mail in all its forms.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn email(&self, style: Style, id: i64) -> Result<Option<mail::Forms>, StoreError> {
        self.store.read(move |tx| mail::find(tx, style, id)).await
    }

    /// Takes a wish away; `false` when there is none of that id.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn forget(&self, style: Style, id: i64) -> Result<bool, StoreError> {
        self.store.write(move |tx| wishes::remove(tx, style, id)).await
    }

    /// Every e-mail sent, newest first.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn emails(&self, style: Style) -> Result<Vec<Email>, StoreError> {
        let has_smtp = self.post.has_smtp;
        let offline = self.smtp_offline.borrow().clone();
        let offline = offline.map(|reason| format!("the SMTP server cannot be used now: {reason}"));
        self.store.read(move |tx| mail::list(tx, style, has_smtp, offline.as_deref())).await
    }

    /// How many e-mails were sent.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn mailed(&self, style: Style) -> Result<u64, StoreError> {
        self.store.read(move |tx| mail::count(tx, style)).await
    }

    /// Takes on other wishes in place of all there are, and what is for sale in place of what is not newer than `floors`;
    /// the e-mails are gone with it.
    ///
    /// # Errors
    /// When the store fails; nothing is changed then.
    pub async fn replace(
        &self,
        wishes: Vec<WishRecord>,
        stock: Vec<(Style, Availability)>,
        floors: Floors,
    ) -> Result<(), StoreError> {
        let journal = self.journal.clone();
        self.store
            .write_then(
                move |tx| wishes::replace(tx, floors, &stock, &wishes),
                move |told: &Vec<(Style, Availability)>| journal.report_reset(Service::Wishlist, told),
            )
            .await?;
        Ok(())
    }

    /// The highest version that is known of each system.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn highest(&self) -> Result<Floors, StoreError> {
        self.store.read(wishes::highest).await
    }

    /// What is known of each SKU.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn known(&self, style: Style) -> Result<Vec<(Sku, State)>, StoreError> {
        self.store.read(move |tx| wishes::known(tx, style)).await
    }

    /// Whether the store answers.
    ///
    /// # Errors
    /// When it does not.
    pub async fn ping(&self) -> Result<(), StoreError> {
        self.store.ping().await
    }
}
