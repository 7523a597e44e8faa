//! Channel and connection exceptions, with RabbitMQ's reply codes and texts.

use std::fmt;

/// Reply codes that end a channel or a connection, and those a `basic.return` carries (spec 1.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ReplyCode {
    NoRoute,
    ConnectionForced,
    AccessRefused,
    NotFound,
    ResourceLocked,
    PreconditionFailed,
    FrameError,
    SyntaxError,
    CommandInvalid,
    ChannelError,
    UnexpectedFrame,
    NotAllowed,
    NotImplemented,
    InternalError,
}

impl ReplyCode {
    pub(crate) fn code(self) -> u16 {
        match self {
            Self::NoRoute => 312,
            Self::ConnectionForced => 320,
            Self::AccessRefused => 403,
            Self::NotFound => 404,
            Self::ResourceLocked => 405,
            Self::PreconditionFailed => 406,
            Self::FrameError => 501,
            Self::SyntaxError => 502,
            Self::CommandInvalid => 503,
            Self::ChannelError => 504,
            Self::UnexpectedFrame => 505,
            Self::NotAllowed => 530,
            Self::NotImplemented => 540,
            Self::InternalError => 541,
        }
    }

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::NoRoute => "NO_ROUTE",
            Self::ConnectionForced => "CONNECTION_FORCED",
            Self::AccessRefused => "ACCESS_REFUSED",
            Self::NotFound => "NOT_FOUND",
            Self::ResourceLocked => "RESOURCE_LOCKED",
            Self::PreconditionFailed => "PRECONDITION_FAILED",
            Self::FrameError => "FRAME_ERROR",
            Self::SyntaxError => "SYNTAX_ERROR",
            Self::CommandInvalid => "COMMAND_INVALID",
            Self::ChannelError => "CHANNEL_ERROR",
            Self::UnexpectedFrame => "UNEXPECTED_FRAME",
            Self::NotAllowed => "NOT_ALLOWED",
            Self::NotImplemented => "NOT_IMPLEMENTED",
            Self::InternalError => "INTERNAL_ERROR",
        }
    }

    /// A hard error ends the connection, a soft one only its channel (spec 1.2, "reply-code").
    pub(crate) fn is_hard(self) -> bool {
        !matches!(
            self,
            Self::NoRoute
                | Self::AccessRefused
                | Self::NotFound
                | Self::ResourceLocked
                | Self::PreconditionFailed
        )
    }
}

/// Why a channel or a connection is closed by the broker.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Exception {
    pub(crate) reply_code: ReplyCode,
    explanation: String,
}

/// What an operation yields when it may end its channel or connection.
pub(crate) type Outcome<T> = Result<T, Exception>;

impl Exception {
    pub(crate) fn new(reply_code: ReplyCode, explanation: impl Into<String>) -> Self {
        Self { reply_code, explanation: explanation.into() }
    }

    /// `NAME - explanation`, cut to the 255 bytes of a short string the way RabbitMQ cuts it.
    pub(crate) fn reply_text(&self) -> String {
        const SHORT_STRING_BYTES: usize = 255;
        const ELLIPSIS: &str = "...";
        let mut text = self.to_string();
        if text.len() > SHORT_STRING_BYTES {
            text.truncate(text.floor_char_boundary(SHORT_STRING_BYTES - ELLIPSIS.len()));
            text.push_str(ELLIPSIS);
        }
        text
    }
}

impl fmt::Display for Exception {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.reply_code.name())?;
        if self.explanation.is_empty() { Ok(()) } else { write!(f, " - {}", self.explanation) }
    }
}

macro_rules! shorthand {
    ($($name:ident => $code:ident),* $(,)?) => {
        impl Exception {
            $(pub(crate) fn $name(explanation: impl Into<String>) -> Self {
                Self::new(ReplyCode::$code, explanation)
            })*
        }
    };
}

shorthand! {
    access_refused => AccessRefused,
    not_found => NotFound,
    resource_locked => ResourceLocked,
    precondition_failed => PreconditionFailed,
    frame_error => FrameError,
    syntax_error => SyntaxError,
    command_invalid => CommandInvalid,
    channel_error => ChannelError,
    unexpected_frame => UnexpectedFrame,
    not_allowed => NotAllowed,
    not_implemented => NotImplemented,
    internal_error => InternalError,
    connection_forced => ConnectionForced,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reply_text_never_exceeds_a_short_string() {
        let exception = Exception::not_found("ä".repeat(200));
        let text = exception.reply_text();
        assert!(text.len() <= 255);
        assert!(text.starts_with("NOT_FOUND - ä") && text.ends_with("..."));
    }
}
