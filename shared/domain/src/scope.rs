//! What an API key may do.

use crate::named::named;

named! {
    Scope {
        Import = "import",
        Read = "read",
        Capture = "capture",
        Refund = "refund",
        Void = "void",
        Transactions = "transactions",
        Admin = "admin",
    }
}
