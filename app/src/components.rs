//! The parts that pages are put together from.

pub mod blank;
pub mod connection_pill;
pub mod header;
pub mod help;
pub mod hold_banner;
pub mod icons;
pub mod keys_switch;
pub mod look_on;
pub mod neighbour_banner;
pub mod no_script;
pub mod product_icon;
pub mod ready;
pub mod style_mark;
pub mod theme_button;

pub use blank::{Blank, Failure};
pub use product_icon::ProductIcon;
pub use style_mark::{StyleMark, title};
