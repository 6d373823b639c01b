//! The host that an address in a request names.

/// The prefix of an address that holds its own content.
const INLINE: &str = "data:";

/// Whether an address holds its own content.
pub fn is_inline(address: &str) -> bool {
    let start = address.get(..INLINE.len());
    start.is_some_and(|start| start.eq_ignore_ascii_case(INLINE))
}

/// The host of an address, in lower case; empty where parsers of addresses may disagree
/// about it, which no zone allows.
pub fn host_of(address: &str) -> String {
    let nothing = String::new();
    let rest = ["https://", "http://"].iter().find_map(|scheme| {
        let start = address.get(..scheme.len())?;
        start
            .eq_ignore_ascii_case(scheme)
            .then(|| address.get(scheme.len()..))?
    });
    let Some(rest) = rest else { return nothing };
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let authority = rest.get(..end).unwrap_or_default();
    let host = match authority.split_once(':') {
        None => authority,
        Some((host, port)) if port.bytes().all(|b| b.is_ascii_digit()) => host,
        Some(_) => return nothing,
    };
    let letter = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'.');
    let plain = !host.is_empty()
        && host.len() <= 253
        && host.bytes().all(letter)
        && !host.starts_with('.')
        && !host.ends_with('.')
        && !host.contains("..");
    match plain {
        true => host.to_ascii_lowercase(),
        false => nothing,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_is_told_only_where_everybody_reads_the_same() {
        for (address, host) in [
            ("https://Files.example.com/a.pdf?x=1#y", "files.example.com"),
            ("HTTP://files.example.com:8080", "files.example.com"),
            (
                "https://files.example.com?@evil.example",
                "files.example.com",
            ),
        ] {
            assert_eq!(host_of(address), host, "{address}");
        }
        for address in [
            "https://files.example.com@evil.example/a",
            "https://files.example.com:80@evil.example/",
            "https://evil.example\\@files.example.com/",
            "https:///files.example.com",
            "https://evil.example%2efiles.example.com/",
            "https://files.example.com\t.evil.example",
            " https://files.example.com",
            "https://[::1]/",
            "https://files.example.com.",
            "gs://bucket/file",
            "file-123",
            "//files.example.com",
            "",
        ] {
            assert_eq!(host_of(address), "", "{address}");
        }
        assert!(is_inline("DATA:image/png;base64,AA"));
        assert!(!is_inline("https://data:1"));
    }
}
