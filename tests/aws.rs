//! AWS's framing and signature against the vectors of AWS's own SDKs and
//! recorded answers of Bedrock.
//!
//! They are other people's data and lie beside the project, in
//! `../shared/vectors`; where they are missing, these tests say so and pass.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]

use base64::engine::{general_purpose::STANDARD, Engine};
use meridian::frame::eventstream::{Frame, Splitter};
use meridian::units::Millis;
use meridian::upstream::sigv4::{sign, AccessKey, Request, Scope};
use serde_json::Value;
use sha2::{Digest, Sha256};
use std::fs;
use std::path::{Path, PathBuf};

fn vectors(part: &str) -> Option<PathBuf> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../shared/vectors")
        .join(part);
    if path.exists() {
        return Some(path);
    }
    eprintln!("skipped: {} is not here", path.display());
    None
}

fn json(path: &Path) -> Value {
    serde_json::from_slice(&fs::read(path).unwrap()).unwrap()
}

fn entries(folder: &Path) -> Vec<PathBuf> {
    let mut found: Vec<PathBuf> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    found.sort();
    found
}

fn name(path: &Path) -> String {
    path.file_name().unwrap().to_string_lossy().into_owned()
}

/// What a stream is made of, and how it ends.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
struct Read {
    frames: Vec<Owned>,
    broken: bool,
    half: bool,
}

#[derive(Debug, Clone, PartialEq, Eq, Default)]
struct Owned {
    message: String,
    event: String,
    exception: String,
    content: String,
    payload: Vec<u8>,
}

impl Owned {
    fn of(frame: Frame<'_>) -> Owned {
        Owned {
            message: frame.message_type.to_owned(),
            event: frame.event_type.to_owned(),
            exception: frame.exception_type.to_owned(),
            content: frame.content_type.to_owned(),
            payload: frame.payload.to_vec(),
        }
    }
}

fn read<'b>(pieces: impl IntoIterator<Item = &'b [u8]>) -> Read {
    let mut splitter = Splitter::default();
    let mut read = Read::default();
    for piece in pieces {
        let on = |frame: Frame<'_>| read.frames.push(Owned::of(frame));
        if splitter.push(piece, on).is_err() {
            read.broken = true;
            return read;
        }
    }
    read.half = splitter.rest();
    read
}

/// Reads a stream whole, cut in two at every byte, and byte by byte.
fn read_every_way(stream: &[u8], what: &str) -> Read {
    let whole = read([stream]);
    for cut in 1..stream.len() {
        let (one, other) = stream.split_at(cut);
        assert_eq!(read([one, other]), whole, "{what} cut at {cut}");
    }
    for size in [1, 2, 3, 7, 13, 64, 1_000] {
        assert_eq!(read(stream.chunks(size)), whole, "{what} by {size}");
    }
    whole
}

/// Bit by bit and so unlike what is tested.
fn crc32(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(!0_u32, |crc, byte| {
        (0..8).fold(crc ^ u32::from(*byte), |crc, _| {
            (crc >> 1) ^ (0xEDB8_8320 * (crc & 1))
        })
    })
}

/// The same frame with checksums that fit.
fn repaired(frame: &[u8]) -> Vec<u8> {
    let mut bytes = frame[..8].to_vec();
    bytes.extend(crc32(&bytes).to_be_bytes());
    bytes.extend(&frame[12..frame.len() - 4]);
    bytes.extend(crc32(&bytes).to_be_bytes());
    bytes
}

/// A sound stream with any one byte wrong is broken, or waits for more bytes
/// than there are.
fn no_wrong_byte_passes(stream: &[u8], what: &str) {
    for at in 0..stream.len() {
        let mut wrong = stream.to_vec();
        wrong[at] ^= 0x15;
        let read = read([wrong.as_slice()]);
        assert!(read.broken, "{what}: byte {at} is wrong");
    }
}

#[test]
fn frames_of_the_rust_sdk() {
    let folder =
        "aws/eventstream/smithy-rs-test_data/rust-runtime/aws-smithy-eventstream/test_data";
    let Some(folder) = vectors(folder) else {
        return;
    };
    let (mut valid, mut invalid) = (0, 0);
    for path in entries(&folder) {
        let (bytes, name) = (fs::read(&path).unwrap(), name(&path));
        let read = read_every_way(&bytes, &name);
        if name.starts_with("valid") {
            assert!(!read.broken && !read.half, "{name}");
            let payload: &[u8] = match name.as_str() {
                "valid_with_all_headers_and_payload" => b"some payload",
                "valid_no_headers" => b"another test payload",
                _ => b"",
            };
            let frame = Owned {
                payload: payload.to_vec(),
                ..Owned::default()
            };
            assert_eq!(read.frames, [frame], "{name}");
            no_wrong_byte_passes(&bytes, &name);
            valid += 1;
        } else {
            assert!(read.broken && read.frames.is_empty(), "{name}");
            // Most of them also have a wrong checksum: what they are named for
            // must be seen without it.
            let read = read_every_way(&repaired(&bytes), &name);
            let only_checksum = name.ends_with("_checksum");
            assert_eq!(read.broken, !only_checksum, "{name} repaired");
            invalid += 1;
        }
    }
    assert_eq!((valid, invalid), (3, 8));
}

#[test]
fn frames_of_the_typescript_sdk() {
    let folder =
        "aws/eventstream/smithy-typescript-test_vectors/packages/eventstream-codec/test_vectors";
    let Some(folder) = vectors(folder) else {
        return;
    };
    let mut all = Vec::new();
    let (mut positive, mut negative) = (0, 0);
    for path in entries(&folder.join("encoded/positive")) {
        let (bytes, name) = (fs::read(&path).unwrap(), name(&path));
        let told = json(&folder.join("decoded/positive").join(&name));
        let read = read_every_way(&bytes, &name);
        let payload = STANDARD.decode(told["payload"].as_str().unwrap()).unwrap();
        assert_eq!((read.broken, read.half), (false, false), "{name}");
        assert_eq!(read.frames.len(), 1, "{name}");
        assert_eq!(read.frames[0].payload, payload, "{name}");
        no_wrong_byte_passes(&bytes, &name);
        all.extend(bytes);
        positive += 1;
    }
    for path in entries(&folder.join("encoded/negative")) {
        let (bytes, name) = (fs::read(&path).unwrap(), name(&path));
        let read = read_every_way(&bytes, &name);
        assert!(read.broken && read.frames.is_empty(), "{name}");
        negative += 1;
    }
    assert_eq!((positive, negative), (5, 4));
    assert_eq!(
        read_every_way(&all, "one after another").frames.len(),
        positive
    );
}

#[test]
fn streams_of_bedrock_with_faults() {
    let Some(path) = vectors("aws/eventstream-bedrock.json") else {
        return;
    };
    let cases = json(&path);
    let (mut failures, mut broken, mut halves) = (0, 0, 0);
    for case in cases.as_array().unwrap() {
        let name = case["name"].as_str().unwrap();
        let stream = STANDARD.decode(case["b64"].as_str().unwrap()).unwrap();
        let read = read_every_way(&stream, name);
        let told: Vec<Owned> = case["expected_frames"]
            .as_array()
            .unwrap()
            .iter()
            .map(|frame| {
                let header = |name: &str| frame["headers"][name].as_str().unwrap_or("").to_owned();
                Owned {
                    message: header(":message-type"),
                    event: header(":event-type"),
                    exception: header(":exception-type") + &header(":error-code"),
                    content: header(":content-type"),
                    payload: frame["payload"].as_str().unwrap().as_bytes().to_vec(),
                }
            })
            .collect();
        assert_eq!(read.frames, told, "{name}");
        assert_eq!(read.broken, !case["expected_error"].is_null(), "{name}");
        assert_eq!(read.half, name == "truncated-tail", "{name}");
        failures += usize::from(read.frames.iter().any(|frame| frame.message != "event"));
        broken += usize::from(read.broken);
        halves += usize::from(read.half);
    }
    assert_eq!(cases.as_array().unwrap().len(), 14);
    assert_eq!((failures, broken, halves), (7, 2, 1));
}

#[test]
fn recorded_streams_of_bedrock() {
    for (kind, streams) in [
        ("bedrock-converse-stream", 10),
        ("bedrock-invoke-with-response-stream", 8),
    ] {
        let Some(folder) = vectors(&format!("recorded/{kind}")) else {
            return;
        };
        let mut seen = 0;
        for folder in entries(&folder) {
            // An answer that was refused at once is plain JSON.
            let Ok(stream) = fs::read(folder.join("response.eventstream.bin")) else {
                assert!(folder.join("response.json").exists(), "{folder:?}");
                continue;
            };
            let read = read_every_way(&stream, &name(&folder));
            assert_eq!((read.broken, read.half), (false, false), "{folder:?}");
            for frame in &read.frames {
                assert_eq!(frame.message, "event", "{folder:?}");
                assert_eq!(frame.content, "application/json", "{folder:?}");
                let payload: Value = serde_json::from_slice(&frame.payload).unwrap();
                if kind == "bedrock-invoke-with-response-stream" {
                    assert_eq!(frame.event, "chunk", "{folder:?}");
                    let inner = STANDARD.decode(payload["bytes"].as_str().unwrap());
                    serde_json::from_slice::<Value>(&inner.unwrap()).unwrap();
                }
            }
            let events: Vec<&str> = read.frames.iter().map(|f| f.event.as_str()).collect();
            if kind == "bedrock-converse-stream" {
                assert_eq!(events.first(), Some(&"messageStart"), "{folder:?}");
                assert_eq!(events.last(), Some(&"metadata"), "{folder:?}");
            }
            seen += 1;
        }
        assert_eq!(seen, streams, "{kind}");
    }
}

#[test]
fn streams_picked_by_hand() {
    let Some(folder) = vectors("recorded-handpicked") else {
        return;
    };
    let exception = folder.join("req_llm-bedrock-exception/response.eventstream.bin");
    let read = read_every_way(&fs::read(exception).unwrap(), "exception");
    assert_eq!(read.frames.len(), 1);
    assert!(!read.broken && !read.half);
    assert_eq!(read.frames[0].message, "exception");
    assert_eq!(read.frames[0].exception, "validationException");
    assert_eq!(read.frames[0].event, "");

    // Three of the four chunks it came in; the first held two frames.
    let folder = folder.join("req_llm-bedrock-guardrail-blocked-stream");
    let stream = fs::read(folder.join("response.partial.eventstream.bin")).unwrap();
    let whole = read_every_way(&stream, "guardrail");
    let lengths = json(&folder.join("chunk_lengths.json"));
    let mut rest = stream.as_slice();
    let chunks = lengths.as_array().unwrap().iter().map(|length| {
        let (chunk, after) = rest.split_at(length.as_u64().unwrap() as usize);
        rest = after;
        chunk
    });
    assert_eq!(crate::read(chunks), whole);
    let events: Vec<&str> = whole.frames.iter().map(|f| f.event.as_str()).collect();
    assert_eq!(
        events,
        [
            "messageStart",
            "contentBlockDelta",
            "contentBlockStop",
            "messageStop"
        ]
    );
    assert!(!whole.broken && !whole.half);
}

/// A time as AWS writes it, with or without dashes and colons.
fn at(time: &str) -> Millis {
    let digits: String = time.chars().filter(char::is_ascii_digit).take(14).collect();
    let number = |from: usize, to: usize| digits[from..to].parse::<u64>().unwrap();
    let (year, month, day) = (number(0, 4), number(4, 6), number(6, 8));
    let leap =
        |year: u64| year.is_multiple_of(4) && !year.is_multiple_of(100) || year.is_multiple_of(400);
    let years: u64 = (1970..year).map(|year| 365 + u64::from(leap(year))).sum();
    let of_year: u64 = [
        31,
        28 + u64::from(leap(year)),
        31,
        30,
        31,
        30,
        31,
        31,
        30,
        31,
        30,
    ]
    .iter()
    .take(month as usize - 1)
    .sum();
    let seconds = number(8, 10) * 3_600 + number(10, 12) * 60 + number(12, 14);
    Millis(((years + of_year + day - 1) * 86_400 + seconds) * 1_000)
}

fn key(id: &Value, secret: &Value, session: &Value) -> AccessKey {
    AccessKey {
        id: id.as_str().unwrap().to_owned(),
        secret: secret.as_str().unwrap().to_owned(),
        session: session.as_str().map(str::to_owned),
    }
}

fn added<'h>(headers: &'h [(&'static str, String)], wanted: &str) -> &'h str {
    let found = headers.iter().find(|(name, _)| *name == wanted);
    found.map_or("", |(_, value)| value)
}

fn hash(body: &[u8]) -> String {
    Sha256::digest(body)
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

#[test]
fn bedrock_is_signed_as_botocore_does() {
    let Some(path) = vectors("aws/sigv4-bedrock-botocore.json") else {
        return;
    };
    let cases = json(&path);
    for case in cases.as_array().unwrap() {
        let text = |name: &str| case[name].as_str().unwrap();
        let headers: Vec<(&str, &str)> = case["headers_in"]
            .as_object()
            .unwrap()
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str().unwrap()))
            .collect();
        // The signer wants them in lower case.
        let names: Vec<String> = headers
            .iter()
            .map(|(name, _)| name.to_lowercase())
            .collect();
        let headers: Vec<(&str, &str)> = names
            .iter()
            .zip(&headers)
            .map(|(name, (_, value))| (name.as_str(), *value))
            .collect();
        let request = Request {
            method: text("method"),
            host: text("host"),
            path: text("path"),
            query: "",
            headers: &headers,
            body: &[text("body").as_bytes()],
        };
        let scope = Scope {
            region: text("region"),
            service: text("service"),
        };
        let key = key(
            &case["access_key"],
            &case["secret_key"],
            &case["session_token"],
        );
        let signed = sign(&key, scope, request, at(text("amz_date")));
        let told = case["signed_headers_out"].as_object().unwrap();
        let kept = case["headers_in"].as_object().unwrap().len();
        assert_eq!(signed.len(), told.len() - kept, "{}", text("name"));
        for (header, value) in told {
            if case["headers_in"].get(header).is_none() {
                let got = added(&signed, &header.to_lowercase());
                assert_eq!(got, value.as_str().unwrap(), "{}", text("name"));
            }
        }
    }
    assert_eq!(cases.as_array().unwrap().len(), 60);
}

/// A request as the suites write it down.
struct Written {
    method: String,
    path: String,
    query: String,
    host: String,
    headers: Vec<(String, String)>,
    body: String,
}

impl Written {
    fn read(path: &Path) -> Written {
        let text = fs::read_to_string(path).unwrap().replace('\r', "");
        let (head, body) = text.split_once("\n\n").unwrap_or((&text, ""));
        let mut lines = head.lines();
        let (method, rest) = lines.next().unwrap().split_once(' ').unwrap();
        let target = rest.strip_suffix(" HTTP/1.1").unwrap();
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        let mut headers: Vec<(String, String)> = Vec::new();
        for line in lines {
            match line.starts_with(' ') {
                true => headers.last_mut().unwrap().1 += &format!("\n{line}"),
                false => {
                    let (name, value) = line.split_once(':').unwrap();
                    headers.push((name.to_lowercase(), value.to_owned()));
                }
            }
        }
        let is_host = |(name, _): &(String, String)| name == "host";
        let host = headers
            .iter()
            .find(|header| is_host(header))
            .unwrap()
            .1
            .clone();
        // Those the signer adds itself.
        headers.retain(|(name, _)| {
            !["host", "x-amz-date", "x-amz-security-token"].contains(&name.as_str())
        });
        // A query is sent encoded, and one of the suites writes it as it is meant.
        let query = query.bytes().fold(String::new(), |query, byte| match byte {
            byte if byte.is_ascii() => query + char::from(byte).to_string().as_str(),
            byte => query + format!("%{byte:02X}").as_str(),
        });
        Written {
            method: method.to_owned(),
            path: path.to_owned(),
            query,
            host,
            headers,
            body: body.to_owned(),
        }
    }

    fn needs_normalising(&self) -> bool {
        let mut segments = self.path.split('/').skip(1).peekable();
        while let Some(segment) = segments.next() {
            let last = segments.peek().is_none();
            if segment == "." || segment == ".." || segment.is_empty() && !last {
                return true;
            }
        }
        false
    }

    fn authorization(&self, key: &AccessKey, scope: Scope<'_>, at: Millis) -> String {
        let headers: Vec<(&str, &str)> = self
            .headers
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()))
            .collect();
        let request = Request {
            method: &self.method,
            host: &self.host,
            path: &self.path,
            query: &self.query,
            headers: &headers,
            body: &[self.body.as_bytes()],
        };
        added(&sign(key, scope, request, at), "authorization").to_owned()
    }
}

/// The `authorization` that a signed request of the suites has.
fn told_authorization(path: &Path) -> String {
    let text = fs::read_to_string(path).unwrap().replace('\r', "");
    let line = text
        .lines()
        .find_map(|line| line.strip_prefix("Authorization:"));
    line.unwrap().trim().to_owned()
}

/// What became of the cases of a suite.
#[derive(Debug, PartialEq, Eq, Default)]
struct Ran {
    signed: usize,
    /// Skipped: the path must be normalised first. Such a path is never sent
    /// to Bedrock.
    normalised: usize,
    /// Skipped: the path is encoded already and must not be encoded again, as
    /// for S3.
    encoded_once: usize,
    /// Cases that have a signature in the query besides, which is skipped: the
    /// signer makes headers.
    in_query: usize,
}

fn run_crt_suite(folder: &Path) -> Ran {
    let mut ran = Ran::default();
    for folder in entries(folder) {
        let context = folder.join("context.json");
        if !context.exists() {
            continue;
        }
        let context = json(&context);
        ran.in_query += usize::from(folder.join("query-signed-request.txt").exists());
        let mut written = Written::read(&folder.join("request.txt"));
        if context["normalize"] == true && written.needs_normalising() {
            ran.normalised += 1;
            continue;
        }
        if written.path.contains('%') {
            ran.encoded_once += 1;
            continue;
        }
        if context["sign_body"] == true {
            let hash = hash(written.body.as_bytes());
            written
                .headers
                .push(("x-amz-content-sha256".to_owned(), hash));
        }
        let keys = &context["credentials"];
        let mut key = key(
            &keys["access_key_id"],
            &keys["secret_access_key"],
            &keys["token"],
        );
        // The token goes along without a signature.
        if context["omit_session_token"] == true {
            key.session = None;
        }
        let scope = Scope {
            region: context["region"].as_str().unwrap(),
            service: context["service"].as_str().unwrap(),
        };
        let got = written.authorization(&key, scope, at(context["timestamp"].as_str().unwrap()));
        let told = told_authorization(&folder.join("header-signed-request.txt"));
        assert_eq!(got, told, "{folder:?}");
        ran.signed += 1;
    }
    ran
}

const SECRET: &str = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY";

#[test]
fn the_suite_of_the_c_sdk() {
    let Some(folder) = vectors("aws/sigv4/aws-c-auth-suite/tests/aws-signing-test-suite/v4") else {
        return;
    };
    assert_eq!(entries(&folder).len(), 38);
    let told = Ran {
        signed: 32,
        normalised: 6,
        encoded_once: 0,
        in_query: 38,
    };
    assert_eq!(run_crt_suite(&folder), told);
}

#[test]
fn the_suite_of_the_rust_sdk() {
    let folder = "aws/sigv4/smithy-rs-suite/aws/rust-runtime/aws-sigv4/aws-signing-test-suite/v4";
    let Some(folder) = vectors(folder) else {
        return;
    };
    // Two more than the other suite, without a context. Of them,
    // `double-encode-path` is skipped: its files contradict each other (two
    // dates) and its secret is not told.
    assert_eq!(entries(&folder).len(), 40);
    let told = Ran {
        signed: 31,
        normalised: 6,
        encoded_once: 1,
        in_query: 38,
    };
    assert_eq!(run_crt_suite(&folder), told);

    let folder = folder.join("double-url-encode");
    let key = AccessKey {
        id: "AKIDEXAMPLE".to_owned(),
        secret: SECRET.to_owned(),
        session: None,
    };
    let scope = Scope {
        region: "us-east-2",
        service: "lambda",
    };
    let got = Written::read(&folder.join("request.txt")).authorization(
        &key,
        scope,
        at("20210511T154045Z"),
    );
    assert_eq!(
        got,
        told_authorization(&folder.join("header-signed-request.txt"))
    );
}

#[test]
fn the_suite_of_botocore() {
    let Some(folder) = vectors("aws/sigv4/botocore-suite/tests/unit/auth/aws4_testsuite") else {
        return;
    };
    let mut folders: Vec<PathBuf> = Vec::new();
    for folder in entries(&folder) {
        match name(&folder).as_str() {
            "normalize-path" | "post-sts-token" => folders.extend(entries(&folder)),
            _ => folders.push(folder),
        }
    }
    let (mut signed, mut normalised) = (0, 0);
    for folder in folders {
        let file = |ending: &str| folder.join(format!("{}.{ending}", name(&folder)));
        if !file("req").exists() {
            assert!(folder.is_file(), "{folder:?}");
            continue;
        }
        let written = Written::read(&file("req"));
        if written.needs_normalising() {
            normalised += 1;
            continue;
        }
        let canonical = fs::read_to_string(file("creq")).unwrap();
        let token = canonical
            .lines()
            .find_map(|line| line.strip_prefix("x-amz-security-token:"));
        let key = AccessKey {
            id: "AKIDEXAMPLE".to_owned(),
            secret: SECRET.to_owned(),
            session: token.map(str::to_owned),
        };
        let scope = Scope {
            region: "us-east-1",
            service: "service",
        };
        let got = written.authorization(&key, scope, at("20150830T123600Z"));
        let told = fs::read_to_string(file("authz")).unwrap();
        assert_eq!(got, told.trim(), "{folder:?}");
        signed += 1;
    }
    assert_eq!((signed, normalised), (28, 6));
}

/// A request as OpenAI's library sends it: it signs the hash of the body too.
fn openai_authorization(
    key: &AccessKey,
    scope: Scope<'_>,
    time: &str,
    headers: &[(&str, &str)],
    body: &[u8],
) -> String {
    let hash = hash(body);
    let mut headers = headers.to_vec();
    headers.push(("x-amz-content-sha256", &hash));
    let request = Request {
        method: "POST",
        host: "bedrock-mantle.us-east-1.api.aws",
        path: "/openai/v1/responses",
        query: "",
        headers: &headers,
        body: &[body],
    };
    added(&sign(key, scope, request, at(time)), "authorization").to_owned()
}

#[test]
fn the_fixtures_of_openai_for_bedrock() {
    let Some(folder) = vectors("aws/sigv4/openai-python-bedrock/tests/fixtures") else {
        return;
    };
    let one = json(&folder.join("bedrock/v1/sigv4.json"));
    let keys = &one["credentials"];
    let scope = Scope {
        region: one["region"].as_str().unwrap(),
        service: one["service"].as_str().unwrap(),
    };
    let got = openai_authorization(
        &key(
            &keys["accessKeyId"],
            &keys["secretAccessKey"],
            &keys["sessionToken"],
        ),
        scope,
        one["signingDate"].as_str().unwrap(),
        &[(
            "content-type",
            one["request"]["contentType"].as_str().unwrap(),
        )],
        one["request"]["body"].as_str().unwrap().as_bytes(),
    );
    assert_eq!(got, one["expected"]["authorization"].as_str().unwrap());

    let (mut signed, mut others) = (0, 0);
    for case in json(&folder.join("bedrock_auth/v1/cases.json"))["cases"]
        .as_array()
        .unwrap()
    {
        // The others are about which credential is taken and when to retry.
        if case["kind"] != "sigv4" {
            others += 1;
            continue;
        }
        let (keys, signing) = (&case["given"]["credentials"], &case["given"]["signing"]);
        let request = &case["given"]["request"];
        let headers: Vec<(&str, &str)> = request["headers"]
            .as_object()
            .unwrap()
            .iter()
            .filter(|(name, _)| *name != "host")
            .map(|(name, value)| (name.as_str(), value.as_str().unwrap()))
            .collect();
        let scope = Scope {
            region: signing["region"].as_str().unwrap(),
            service: signing["service"].as_str().unwrap(),
        };
        let got = openai_authorization(
            &key(
                &keys["access_key_id"],
                &keys["secret_access_key"],
                &keys["session_token"],
            ),
            scope,
            signing["timestamp"].as_str().unwrap(),
            &headers,
            &STANDARD
                .decode(request["body_base64"].as_str().unwrap())
                .unwrap(),
        );
        let told = &case["expected"]["headers"]["authorization"];
        assert_eq!(got, told.as_str().unwrap());
        signed += 1;
    }
    assert_eq!((signed, others), (2, 12));
}
