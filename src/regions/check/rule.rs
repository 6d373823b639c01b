//! Every rule the configuration is checked against, in one table: its id, how
//! bad it is to break it, and why it is there. `regions/CHECKS.md` is this
//! table as a page.

use crate::regions::finding::Severity;
use serde::{Serialize, Serializer};

macro_rules! rules {
    ($($name:ident $id:literal $severity:ident $title:literal $why:literal)*) => {
        /// A rule of the configuration.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
        pub enum Rule { $(#[doc = $title] $name,)* }

        impl Rule {
            /// All of them, in the order they are documented in.
            pub const ALL: &'static [Rule] = &[$(Rule::$name,)*];

            /// The name it goes by.
            pub fn id(self) -> &'static str {
                match self { $(Rule::$name => $id,)* }
            }

            /// How bad it is to break it.
            pub fn severity(self) -> Severity {
                match self { $(Rule::$name => Severity::$severity,)* }
            }

            /// The rule in one sentence.
            pub fn title(self) -> &'static str {
                match self { $(Rule::$name => $title,)* }
            }

            /// Why it is one, and what to do.
            pub fn why(self) -> &'static str {
                match self { $(Rule::$name => $why,)* }
            }
        }
    };
}

rules! {
    // ---- the files
    Syntax "syntax" Error "A file is valid TOML." "Most often a quote, a comma or a bracket is missing on the line that is named or on the one before."
    UnknownField "unknown-field" Error "A file has only fields that exist." "A misspelt field that was passed over would be a rule that is not kept."
    UnknownWord "unknown-word" Error "A field has one of the words that it can have." "Such as the four guarantees, or the names of the dialects."
    WrongType "wrong-type" Error "A field has a value of the right kind." "Texts stand in quotes, dates and numbers do not, lists stand in square brackets."
    MissingField "missing-field" Error "Every field that is needed is there." "Nothing about a zone or a claim is assumed."
    DuplicateName "duplicate-name" Error "No two things have the same name." "Rows, receipts and headers name the endpoint that served a request; of two tables of one name only one would count."

    // ---- countries, places, zones
    UnknownCountry "unknown-country" Error "A country is named by its ISO 3166-1 code of two letters." "The United Kingdom is GB, Greece is GR."
    UnknownGroup "unknown-group" Error "A group such as @eu27 stands in groups.toml." "A group that does not exist would leave its countries out."
    CountryTwice "country-twice" Error "A country is in one zone only." "Which zone's rules held would be chance."
    EmptyZone "empty-zone" Error "A zone other than the default zone has at least one country." "Its rules would hold for nobody."
    UnknownPlace "unknown-place" Error "A place in `hosting` stands in places.toml." "A misspelt place is a place nobody is in, or a claim that no zone takes."
    NoHosting "no-hosting" Error "A zone names at least one place." "Every one of its requests would be refused."
    UnknownZone "unknown-zone" Error "A zone that is named exists." "There is one file a zone in regions/zones; its name is the zone's id."
    UnknownStore "unknown-store" Error "A zone's `usage_store` stands in policy.toml." "Its rows could not be written."
    StoreJurisdiction "store-jurisdiction" Error "Rows of a zone lie in a jurisdiction that the zone allows, where Cloudflare has one." "Cloudflare keeps a database within the EU or the US if it is created so. A zone held to those places whose rows may lie anywhere keeps half of its promise."
    UnknownJurisdiction "unknown-jurisdiction" Error "A store's jurisdiction is one that Cloudflare has." "For databases these are eu, us and fedramp."
    DefaultTakesAll "default-hosting" Error "The default zone does not let requests go anywhere in the world." "It holds for callers of whom nothing is known; some of them are in your strictest zone."
    LooseZone "loose-zone" Warning "A zone asks for a guarantee and names real places." "`guarantee = \"none\"` or hosting in `global` means that nobody promises where a request is processed."
    KeyAlone "key-alone" Warning "The caller's country is not ignored." "With `when_key_and_country_differ = \"key\"` a key of another zone takes the callers of any country out of theirs."
    NothingServes "nothing-serves" Error "At least one endpoint can serve each zone." "Every request of its callers would be refused."
    OneEndpoint "one-endpoint" Warning "A model that a zone can use has more than one endpoint there, or the only one says why that is accepted." "When the only endpoint fails, requests for the model fail. `alone` at the endpoint states the reason; the line goes when the endpoint is no longer the only one."
    ReviewDue "review-due" Warning "Zones and claims are looked at again in time." "A zone by its `review_by`; a claim within a year of `reviewed`. Providers change what they promise."
    ReviewedAhead "reviewed-ahead" Error "A claim was reviewed in the past." "A date to come is a slip of the pen."
    NoReviewer "no-reviewer" Error "Every claim has a source and a reviewer." "A claim is somebody's word for something that is written somewhere."
    SourceIsNoLink "source-link" Error "A claim's source is the address of a page." "An auditor wants to read it."
    BadRetention "bad-retention" Error "A zone keeps its records from 1 to 3650 days, or for good." "What is deleted cannot be brought back, so a slip of the pen must not delete what was called this minute. Without `retention_days` they are kept for good."
    UnknownColo "bad-colo" Error "A data center is named by three capital letters, in one country." "As `cf.colo` has it: FRA, VIE, ZRH."
    CompletionsNowhere "completions-unserved" Error "`completions` stands at claims of endpoints that have them." "A prompt is passed on as it came and never translated: the endpoint speaks `openai-chat`, at its usual paths and without `quirks`."

    // ---- what requests may make a provider do
    UnknownEgress "unknown-egress" Error "A kind of egress that is named stands in egress.toml." "A misspelt kind would be allowed to nobody, or claimed by nobody."
    EgressPlace "egress-place" Error "A zone does not let a request choose where it is processed." "Endpoints settle that with `fixed`; a zone that allowed it would give up its promise."
    EgressHost "egress-host" Error "A host in a zone's `[egress]` is a host name, or `*.` and a domain." "Addresses are compared with it letter by letter; a scheme, a port or a path would never fit."
    EgressAnyHost "egress-any-host" Warning "A zone names the hosts that addresses may lead to." "With `*` a request can have a provider fetch from any server in the world, and with the address tell it something."
    EgressUnclaimed "egress-unclaimed" Warning "What a zone allows under `[egress]` an endpoint claims." "Requests that ask for it are refused all the same, until a claim's `egress` says where it happens and how firmly that is promised."
    EgressUnbounded "egress-unbounded" Warning "A claim of egress that hides what is read says `context`." "A file at an address or a stored answer is not in the request: without the most tokens that the model takes in nobody can say what it may cost, and calls that a budget holds for are refused."

    // ---- endpoints
    BadHost "bad-host" Error "A host is a bare host name." "The gateway puts https:// before it and the path behind it."
    BadAuth "bad-auth" Error "An endpoint says which header takes which secret." "bearer:, x-api-key:, api-key: or google:, followed by the name of a Worker secret in capital letters."
    OwnSecret "own-secret" Error "An endpoint's secret is not one that the gateway itself uses." "The secret is sent to the endpoint's host. What receipts are signed with, who may use the admin API, and the gateway's stores and settings stay with the gateway: give the endpoint a secret of its own name."
    BadFixed "bad-fixed" Error "Only fields that the dialect lets an endpoint fix are fixed." "A field the gateway did not know would stand in the body twice, and the provider might take the caller's."
    PromiseNowhere "promise-nowhere" Error "Hosting in `global` goes with the guarantee `none`." "A promise to process anywhere in the world is none."
    PriceMissing "price-missing" Error "Every model has a price." "Its calls would be unpriced, and the bill could not be explained."
    AliasToNothing "alias-to-nothing" Error "An alias stands for a model that an endpoint serves." "Applications that use it would be refused."
    AliasShadows "alias-shadows" Error "An alias is not a model's own name." "What a request means would depend on where one looks."
    UnknownModel "unknown-model" Error "A model in `[models]` of gateway.toml is one that an endpoint serves." "What is said of it would hold for no call."
    BadSpan "bad-span" Error "A span of time is a number with its unit, above zero." "Such as 500ms, 45s, 10m or 2h, in quotes."
    TimeoutOrder "timeout-order" Error "No single time limit is longer than `total`." "It could never be reached."
    EmptyLimit "empty-limit" Error "A limit limits something." "Money, requests, tokens or calls at once; a limit without any would be kept by every call."
    RunawayPace "runaway-pace" Error "What is taken for a loop is 3 to 1000 calls within a second to ten minutes." "Fewer are a conversation; more, or calls longer ago, are not remembered. `action = \"off\"` does not look at all."
    UnknownTimeZone "unknown-time-zone" Error "A time zone has its name of the IANA database." "Budgets begin at midnight there; whose midnight must not be guessed."
    BadWebhook "bad-webhook" Error "A webhook is an https address." "What is spent is nobody else's business."
    BadOrigin "bad-origin" Error "An origin in `[cors]` is `https://` and a host, with a port if need be." "Browsers send it so, and it is compared letter by letter; a path, a capital letter or a `*` would never fit."
    BadPrice "bad-price" Error "A price is a decimal number of dollars in quotes." "Money is counted in whole billionths of a dollar, never in floating point."

    // ---- traps of the providers
    OpenAiGlobal "openai-global-host" Error "api.openai.com promises no place." "Only the regional hosts do, such as eu.api.openai.com, with a project of that region."
    OpenAiStorageOnly "openai-storage-only" Error "OpenAI's hosts outside Europe, the US and the Emirates promise storage only." "au, in, jp, kr, ca, sg and gb keep data at rest in the country; the model may run anywhere."
    OpenAiPlace "openai-wrong-place" Error "A regional host of OpenAI is in its own region." "A project's region never changes, and a wrong host answers with an error."
    AnthropicPlace "anthropic-no-eu" Error "Anthropic's own API is in the US or nowhere in particular." "There is no EU; Claude in Europe is on Bedrock or Vertex."
    AnthropicUnfixed "anthropic-geo-unfixed" Error "A claim about the US at api.anthropic.com fixes `inference_geo = \"us\"`." "Without it Anthropic may process the request anywhere."
    AnthropicTooOld "anthropic-geo-too-old" Error "`inference_geo` goes only with models of the 4.6 class and later." "Older ones answer it with an error."
    ClaudeOnAwsHost "claude-aws-platform" Error "aws-external-anthropic.*.api.aws is in the US or nowhere in particular." "It looks regional, but it is Anthropic's platform on AWS, which knows no EU."
    ClaudeInFoundry "claude-foundry-no-eu" Error "Claude in Azure Foundry is Global Standard or in the US data zone." "There is no EU there, whatever the resource's region is."
    BedrockGlobal "bedrock-global-profile" Error "A Bedrock id that begins with `global.` promises no place." "It may run anywhere in the world, also when a European host is asked."
    BedrockGeography "bedrock-profile-host" Error "A Bedrock geography profile is asked at a host of that geography." "`eu.` from a host in the US is an error at AWS."
    BedrockPlace "bedrock-wrong-place" Error "A Bedrock claim's place is where its id and host lead." "`eu.` runs anywhere in the EU geography; an id without prefix runs in the host's own region. London (eu-west-2) and Zurich (eu-central-2) are not in the EU: a place for `eu.` asked there has the United Kingdom or Switzerland in it."
    BedrockTooStrong "bedrock-profile-promise" Error "A Bedrock geography profile promises processing, not more." "The request may leave the region that was asked, though not the geography."
    AzureNoSku "azure-sku-missing" Error "An Azure OpenAI endpoint declares its `sku`." "The host name does not show it, and the SKU decides where the model runs."
    AzureSku "azure-sku-promise" Error "An Azure claim promises no more than its SKU does." "Standard and ProvisionedManaged stay in the region; DataZone* promise processing in the EU or the US; Global* and DeveloperTier promise nothing."
    AzureDeveloper "azure-developer-tier" Error "Azure's DeveloperTier serves no zone." "It gives no promise of any kind about where data goes; it may be listed with hosting `global` only."
    SkuElsewhere "sku-elsewhere" Error "`sku` stands at Azure endpoints only." "Elsewhere it means nothing."
    VertexNoHost "vertex-no-such-host" Error "Vertex's multi-region hosts are aiplatform.eu.rep.googleapis.com and aiplatform.us.rep.googleapis.com." "eu-aiplatform.googleapis.com does not exist and answers 404."
    VertexGlobal "vertex-global-host" Error "aiplatform.googleapis.com promises no place." "Only a region's host or a multi-region host does."
    VertexPlace "vertex-wrong-place" Error "A Vertex claim's place is the host's region." "The name of the region in host and path decides where the model runs."
    GeminiApi "gemini-api-global" Error "The Gemini API promises no place." "generativelanguage.googleapis.com is global; the same models on Vertex can be held to a region."
    MistralBare "mistral-bare-host" Error "api.mistral.ai promises no place." "The company is French, but only api.eu.mistral.ai and api.us.mistral.ai promise where the model runs."
    MistralPlace "mistral-wrong-place" Error "A regional host of Mistral is in its own region and promises processing." "Account data and usage figures may lie elsewhere."
    XaiPlace "xai-wrong-place" Error "A regional host of xAI is in its own region and promises processing." "eu-west-1.api.x.ai is in the EU, us-east-1.api.x.ai in the US."
    OpenRouterEurope "openrouter-europe" Error "OpenRouter's Europe is wider than the EU." "It counts the United Kingdom and Switzerland in: name a place of places.toml that has them too. Its free tier (`:free`) promises no place."
    GlobalHost "global-host" Error "A host that serves the whole world promises no place." "Groq, Together, DeepSeek, Fireworks, OpenRouter, xAI, Cohere and Perplexity say nothing about where their ordinary hosts process."
    UpliftMissing "uplift-missing" Warning "A regional host that charges a premium says so." "About 10 % at Anthropic's US endpoint, OpenAI's regional hosts for models since 5 March 2026, Mistral's regional hosts, Vertex outside of global, Azure's data zones, and Bedrock's eu., jp. and au. profiles. Costs come out too low without `uplift_percent`."

    // ---- the deployment
    SmartPlacement "smart-placement" Error "Smart placement is off." "Cloudflare would run the gateway near the provider, out of the caller's region."
    WorkersDev "workers-dev-open" Error "`workers_dev` is off where the gateway is deployed." "workers.dev cannot be held to a region, and passes by whatever guards your domain."
    MissingBinding "missing-binding" Error "wrangler.toml binds every store that the gateway needs." "KEYS, LEDGER, AUDIT, and a database for each store of policy.toml."
    BindingJurisdiction "binding-jurisdiction" Error "A database is declared with the jurisdiction that policy.toml gives it." "A database takes its jurisdiction when it is created and never again."
    NoCron "missing-cron" Error "wrangler.toml has a cron trigger." "It deletes hourly what a zone no longer keeps (`retention_days`); a map that says so can come into force without a deploy."
    CreateMe "create-me" Error "Everything marked `create-me` is filled in before a deploy." "README.md, \"Deploy\", says how to get each id."
    SecretMissing "secret-missing" Error "Every endpoint in use has its secret." "An endpoint without one is passed over. Set it with `wrangler secret put`, or say `off` at the endpoint."
    PublishedMap "published-map" Warning "The map that is deployed is the map that is in force." "A map that was published stays in force over a deploy, until another is published or `meridian rollback --to built-in` is run."
    LocalOnly "local-only" Error "Nothing that is for local runs is deployed." "The module that local runs put before the worker lets a header say where a caller is."
}

impl Serialize for Rule {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.id())
    }
}
