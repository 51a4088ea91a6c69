//! The command line as it was typed, ready to be pasted: how a command whose answer got lost is sent again.

use std::env;

/// The command with its idempotency key, if it did not name one.
pub fn with_key(key: &str) -> String {
    let typed: Vec<String> = env::args().skip(1).collect();
    let named = typed.iter().any(|argument| argument == "--key" || argument.starts_with("--key="));
    let key: &[String] = if named { &[] } else { &["--key".to_owned(), key.to_owned()] };
    let words = typed.iter().chain(key).map(|word| quoted(word));
    std::iter::once("collana".to_owned()).chain(words).collect::<Vec<_>>().join(" ")
}

/// The command as it was typed.
pub fn same() -> String {
    std::iter::once("collana".to_owned()).chain(env::args().skip(1).map(|word| quoted(&word))).collect::<Vec<_>>().join(" ")
}

/// One word for a POSIX shell.
pub fn quoted(word: &str) -> String {
    let is_plain = !word.is_empty() && word.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_./:=,@%+".contains(&b));
    if is_plain { word.to_owned() } else { format!("'{}'", word.replace('\'', r"'\''")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_is_quoted_where_a_shell_would_read_it_otherwise() {
        assert_eq!(quoted("--amount"), "--amount");
        assert_eq!(quoted("SO 1; rm"), "'SO 1; rm'");
        assert_eq!(quoted("it's"), r"'it'\''s'");
        assert_eq!(quoted(""), "''");
    }
}
