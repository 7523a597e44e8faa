//! Skuflow vocabulary.
