//! The table's definition, as data: the embedded table is made from it, and a test holds `template.yaml` to it.

/// A global secondary index: its keys, and the attributes that it carries beside them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Index {
    pub name: &'static str,
    pub hash: &'static str,
    pub range: &'static str,
    /// Empty: the keys alone.
    pub carries: &'static [&'static str],
}

/// Partition and sort key; all keys, of the indexes too, are strings.
pub const HASH: &str = "pk";
pub const RANGE: &str = "sk";

/// When an item may be removed, in seconds since 1970. Expiry is checked on read too, since removal can take days.
pub const EXPIRES: &str = "expiresAt";

/// Lists the transactions of a space, newest first, and finds them by a reference.
pub const SPACE: Index =
    Index { name: "space", hash: "spaceKey", range: "spaceSort", carries: &["transactionId", "state", "importState", "needsAttention"] };

/// Sparse: only what waits for something to happen.
pub const DUE: Index = Index { name: "due", hash: "dueShard", range: "due", carries: &[] };

pub const INDEXES: [Index; 2] = [SPACE, DUE];
