//! One file for each kind of item: what it holds, how it is written, how it is read back.

pub(crate) mod bucket;
pub(crate) mod head;
pub(crate) mod interaction;
pub(crate) mod operation;
pub(crate) mod properties;
pub(crate) mod reference;
pub(crate) mod settings;
pub(crate) mod webhook;
