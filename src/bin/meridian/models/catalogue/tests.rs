//! Small catalogues of each format, made up, and files that are none.

use super::*;

const TODAY: &str = "2026-11-27";

const LITELLM: &str = r#"{
  "sample_spec": {"litellm_provider": "one of the providers", "input_cost_per_token": 0.0},
  "claude-x-9": {
    "litellm_provider": "anthropic", "mode": "chat", "max_input_tokens": 1000000.0,
    "max_output_tokens": 64000, "input_cost_per_token": 3e-06, "output_cost_per_token": 1.5e-05,
    "cache_read_input_token_cost": 3e-07, "cache_creation_input_token_cost": 3.75e-06,
    "cache_creation_input_token_cost_above_1hr": 6e-06,
    "input_cost_per_token_above_200k_tokens": 6e-06,
    "input_cost_per_token_above_200k_tokens_batches": 9e-06,
    "output_cost_per_token_above_200k_tokens": 2.25e-05,
    "cache_read_input_token_cost_above_200k_tokens": null,
    "cache_creation_input_token_cost_above_1hr_above_200k_tokens": 1.2e-05,
    "search_context_cost_per_query": {"search_context_size_low": 0.01, "search_context_size_high": 0.01}
  },
  "mistral/mistral-x": {"litellm_provider": "mistral", "mode": "chat", "deprecation_date": "2027-01-31",
    "input_cost_per_token": 1.0000000000000001e-07, "output_cost_per_token": "free"},
  "vertex_ai/claude-x@20260101": {"litellm_provider": "vertex_ai-anthropic_models", "mode": "chat"},
  "azure/eu/gpt-x": {"litellm_provider": "azure", "mode": "chat"},
  "1024-x-1024/gpt-image-9": {"litellm_provider": "openai", "mode": "image_generation"},
  "ft:gpt-x": {"litellm_provider": "openai", "mode": "chat"},
  "gpt-x\"]\nhosting = \"eu": {"litellm_provider": "openai", "mode": "chat"},
  "gpt-sound": {"litellm_provider": "openai", "mode": "chat", "supported_output_modalities": ["text", "audio"]},
  "text-embed-x": {"litellm_provider": "openai", "mode": "embedding", "input_cost_per_token": 2e-08},
  "of-nobody": {"litellm_provider": "a-seller-without-endpoints", "mode": "chat"},
  "broken": 7
}"#;

const GENAI: &str = r#"[
  {"id": "anthropic", "api_pattern": "x", "models": [
    {"id": "claude-x-9", "context_window": 200000, "deprecated": true,
     "match": {"or": [{"starts_with": "claude-x"}, {"equals": "claude-9-x"}]},
     "prices": [
       {"prices": {"input_mtok": {"base": 3, "tiers": [{"start": 200000, "price": 6}]},
                   "output_mtok": {"base": 15, "tiers": [{"start": 200000, "price": 22.5}]}}},
       {"constraint": {"start_date": "2026-03-13"}, "prices": {"input_mtok": 2.50, "output_mtok": 12.5}},
       {"constraint": {"start_date": "2027-03-13"}, "prices": {"input_mtok": 9, "output_mtok": 9}}]},
    {"id": "claude-stepped", "match": {"equals": "a"}, "prices":
      {"input_mtok": {"base": 1, "tiers": [{"start": 10, "price": 2}, {"start": 20, "price": 3}]}}},
    {"id": "claude-tiered", "match": {"equals": "b"}, "prices":
      {"input_mtok": {"base": 1, "tiers": [{"start": 10, "price": 2}]}, "output_mtok": 5}}]},
  {"id": "deepseek", "api_pattern": "x", "models": [
    {"id": "deepseek-x", "match": {"equals": "deepseek-x"}, "prices": [
      {"prices": {"input_mtok": 1}},
      {"constraint": {"start_time": "00:30:00Z", "end_time": "16:30:00Z"}, "prices": {"input_mtok": 2}}]}]},
  {"id": "of-nobody", "api_pattern": "x", "models": [{"id": "y", "prices": {}}]}
]"#;

const MODELS_DEV: &str = r#"{
  "anthropic": {"id": "anthropic", "npm": "x", "env": ["KEY"], "models": {
    "claude-x-9": {"id": "claude-x-9", "modalities": {"input": ["text"], "output": ["text"]},
      "cost": {"input": 3, "output": 15.0, "cache_read": 0.3, "cache_write": 3.75,
               "tiers": [{"tier": {"type": "context", "size": 272000}, "input": 6, "output": 22.5, "cache_read": 0.6}],
               "context_over_200k": {"input": 7, "output": 7}},
      "limit": {"context": 1000000, "output": 64000}, "status": "deprecated"},
    "claude-old": {"cost": {"input": 1, "output": 2, "context_over_200k": {"input": 2, "output": 4}},
      "limit": {"context": 0, "output": 5000000000}},
    "claude-voice-x": {"modalities": {"output": ["audio"]}}}},
  "of-nobody": {"npm": "x", "models": {"y": {}}}
}"#;

fn read(text: &str) -> (Format, Catalogue) {
    let (format, offers) = Catalogue::read(text, TODAY).unwrap();
    (format, Catalogue::new(format, format.to_string(), offers))
}

fn seller(name: &str) -> &'static Seller {
    Seller::in_genai(name).unwrap()
}

fn said(rates: &Rates) -> Vec<(&str, String)> {
    let known = RATES
        .iter()
        .filter_map(|name| Some((*name, rates.get(name)?)));
    known
        .map(|(name, amount)| (name, decimal::written(*amount)))
        .collect()
}

fn pairs(written: &str) -> Vec<(&str, String)> {
    let pairs = written.split(' ').filter_map(|one| one.split_once('='));
    pairs
        .map(|(name, amount)| (name, amount.to_owned()))
        .collect()
}

#[test]
fn litellm_is_read_by_its_fields_and_nothing_else_is_taken_for_a_price() {
    let (format, catalogue) = read(LITELLM);
    assert_eq!(format, Format::LiteLlm);
    let ids: Vec<&str> = catalogue
        .offers
        .iter()
        .map(|offer| offer.id.as_str())
        .collect();
    let expected = [
        "claude-x-9",
        "gpt-sound",
        "mistral-x",
        "text-embed-x",
        "claude-x@20260101",
    ];
    assert_eq!(ids, expected);
    let offer = catalogue
        .find(seller("anthropic"), "claude-x-9-20260101")
        .unwrap();
    let rates = "input=3.00 output=15.00 cache_read=0.30 cache_write_5m=3.75 cache_write_1h=6.00";
    assert_eq!(said(&offer.rates), pairs(rates));
    let Long::Above(above, long) = &offer.long else {
        panic!("{:?}", offer.long);
    };
    // What has no price of its own above the step costs what it costs below.
    let rates = "input=6.00 output=22.50 cache_read=0.30 cache_write_5m=3.75 cache_write_1h=12.00";
    assert_eq!((*above, said(long)), (200_000, pairs(rates)));
    assert_eq!(
        (offer.context, offer.max_output),
        (Some(1_000_000), Some(64_000))
    );
    assert_eq!(
        offer.web_search.map(decimal::written).as_deref(),
        Some("0.01")
    );
    assert_eq!((offer.kind, &offer.ends), (Some(Kind::Text), &None));
    let unclear = catalogue.find(seller("mistral"), "mistral-x").unwrap();
    assert_eq!(unclear.unread, ["input", "output"]);
    assert_eq!(unclear.ends, Some(Ends::On("2027-01-31".to_owned())));
    let sound = catalogue.find(seller("openai"), "gpt-sound").unwrap();
    assert_eq!(sound.kind, Some(Kind::Other));
    let embeds = catalogue.find(seller("openai"), "text-embed-x").unwrap();
    assert_eq!(said(&embeds.rates), pairs("input=0.02 output=0"));
}

#[test]
fn genai_prices_holds_by_the_day_and_names_are_exact() {
    let (format, catalogue) = read(GENAI);
    assert_eq!(format, Format::GenaiPrices);
    let anthropic = seller("anthropic");
    let offer = catalogue.find(anthropic, "claude-9-x").unwrap();
    assert_eq!(said(&offer.rates), pairs("input=2.50 output=12.50"));
    assert_eq!((&offer.long, offer.context), (&Long::Same, Some(200_000)));
    assert_eq!(offer.ends, Some(Ends::Unsaid));
    // `starts_with` would take in a newer model with another price.
    assert!(catalogue.find(anthropic, "claude-x-9-5").is_none());
    let stepped = catalogue.find(anthropic, "claude-stepped").unwrap();
    assert_eq!(stepped.long, Long::Beyond);
    let tiered = catalogue.find(anthropic, "claude-tiered").unwrap();
    let Long::Above(10, long) = &tiered.long else {
        panic!("{:?}", tiered.long);
    };
    assert_eq!(said(long), pairs("input=2.00 output=5.00"));
    let by_hour = catalogue.find(seller("deepseek"), "deepseek-x").unwrap();
    assert_eq!(
        (by_hour.rates.len(), by_hour.unread.as_slice()),
        (0, &["prices"][..])
    );
}

#[test]
fn models_dev_has_tiers_or_the_older_field() {
    let (format, catalogue) = read(MODELS_DEV);
    assert_eq!(format, Format::ModelsDev);
    let anthropic = seller("anthropic");
    let offer = catalogue.find(anthropic, "claude-x-9").unwrap();
    let rates = "input=3.00 output=15.00 cache_read=0.30 cache_write_5m=3.75";
    assert_eq!(said(&offer.rates), pairs(rates));
    let Long::Above(272_000, long) = &offer.long else {
        panic!("{:?}", offer.long);
    };
    let rates = "input=6.00 output=22.50 cache_read=0.60 cache_write_5m=3.75";
    assert_eq!(said(long), pairs(rates));
    assert_eq!(
        (offer.context, offer.max_output),
        (Some(1_000_000), Some(64_000))
    );
    assert_eq!(
        (offer.kind, &offer.ends),
        (Some(Kind::Text), &Some(Ends::Unsaid))
    );
    let old = catalogue.find(anthropic, "claude-old").unwrap();
    assert!(matches!(old.long, Long::Above(200_000, _)));
    assert_eq!((old.context, old.max_output), (None, None));
    let voice = catalogue.find(anthropic, "claude-voice-x").unwrap();
    assert_eq!(voice.kind, Some(Kind::Other));
}

#[test]
fn a_file_that_is_no_catalogue_is_told_which_there_are() {
    let deep = format!("{}{}", "[".repeat(1_000_000), "]".repeat(1_000_000));
    let deep_object = format!("{{\"a\":{}}}", deep);
    for text in [
        "",
        "{",
        "[",
        "null",
        "7",
        "[]",
        "{}",
        "[1]",
        "{\"a\":1}",
        "{\"models\":{}}",
        &deep,
        &deep_object,
        "[{\"id\":\"anthropic\",\"models\":[]}]",
        "{\"a\":{\"models\":{}}}",
        "id: anthropic\nmodels:\n",
        "\u{feff}{}",
    ] {
        let refused = Catalogue::read(text, TODAY).unwrap_err().to_string();
        for name in ["LiteLLM", "genai-prices", "models.dev"] {
            let start: String = text.chars().take(20).collect();
            assert!(refused.contains(name), "{start}: {refused}");
        }
    }
}

#[test]
fn hostile_fields_are_passed_over() {
    for value in [
        "[]",
        "{}",
        "\"x\"",
        "-1",
        "1e999999999",
        "true",
        "[[[[[]]]]]",
        "{\"base\":{}}",
        "null",
        "{\"base\":1,\"tiers\":[{\"start\":-1,\"price\":{}}]}",
        "\"2026-99-99\\u001b[31m\"",
    ] {
        let names = [
            "litellm_provider",
            "mode",
            "deprecation_date",
            "max_input_tokens",
            "input_cost_per_token",
            "input_cost_per_token_above_1k_tokens",
            "search_context_cost_per_query",
            "supported_output_modalities",
        ];
        for name in names {
            let text = format!(
                "{{\"gpt-x\":{{\"{name}\":{value}}},\"b\":{{\"litellm_provider\":\"x\"}}}}"
            );
            let (_, offers) = Catalogue::read(&text, TODAY).unwrap();
            assert!(offers.len() <= 1);
        }
        let all: Vec<String> = ["match", "prices", "context_window", "deprecated"]
            .iter()
            .map(|name| format!("\"{name}\":{value}"))
            .collect();
        let text = format!("[{{\"id\":\"openai\",\"api_pattern\":\"\",\"models\":[{value},{{\"id\":\"gpt-x\",{}}}]}}]", all.join(","));
        assert!(Catalogue::read(&text, TODAY).unwrap().1.len() == 1);
        let all: Vec<String> = ["cost", "limit", "modalities", "status"]
            .iter()
            .map(|name| format!("\"{name}\":{value}"))
            .collect();
        let text = format!("{{\"openai\":{{\"npm\":\"\",\"models\":{{\"gpt-x\":{{{}}},\"y\":{value}}}}},\"z\":{value}}}", all.join(","));
        assert!(!Catalogue::read(&text, TODAY).unwrap().1.is_empty());
    }
}
