//! How rows come into a database: once each, and into the sums of their hour.

/// Writes a JSON list of rows. A row that is there already stays as it is, so
/// writing twice is harmless.
pub const INSERT: &str = concat!(
    "INSERT INTO usage (id, at, key_id, team, feature, environment, tags, country, ",
    "colo, zone, zone_reason, map, dialect, model_asked, model, model_served, endpoint, hosting, ",
    "attempts, stream, status, outcome, error, stopped, tier, input, cache_read, cache_write_5m, ",
    "cache_write_1h, audio_input, output, reasoning, audio_output, estimated, cost_nano, ",
    "first_byte_ms, duration_ms, key_zone, zone_asked, receipt, failures, lost_nano, ",
    "reserved_nano, over_bound, runaway, egress, held_nano, held_calls, ",
    "counts, at_least) SELECT ",
    "value->>'id', value->>'at', value->>'key_id', value->>'team', value->>'feature', ",
    "value->>'environment', value->>'tags', value->>'country', value->>'colo', value->>'zone', ",
    "value->>'zone_reason', value->>'map', value->>'dialect', value->>'model_asked', ",
    "value->>'model', value->>'model_served', value->>'endpoint', value->>'hosting', ",
    "value->>'attempts', value->>'stream', value->>'status', ",
    // Rows that waited since before anything was held say `unsettled`.
    "iif(value->>'outcome' = 'unsettled', 'held', value->>'outcome'), value->>'error', ",
    "value->>'stopped', value->>'tier', value->>'input', value->>'cache_read', ",
    "value->>'cache_write_5m', value->>'cache_write_1h', value->>'audio_input', value->>'output', ",
    "value->>'reasoning', value->>'audio_output', ",
    "value->>'estimated' AND value->>'outcome' <> 'unsettled', ",
    "iif(value->>'outcome' = 'unsettled', 0, value->>'cost_nano'), ",
    "value->>'first_byte_ms', value->>'duration_ms', value->>'key_zone', ",
    "value->>'zone_asked', value->>'receipt', value->>'failures', value->>'lost_nano', ",
    "value->>'reserved_nano', value->>'over_bound', value->>'runaway', ",
    // Rows that waited since before there was this column have none.
    "coalesce(value->>'egress', ''), ",
    "iif(value->>'outcome' = 'unsettled', value->>'cost_nano', coalesce(value->>'held_nano', 0)), ",
    "iif(value->>'outcome' = 'unsettled', value->>'zone' <> '', coalesce(value->>'held_calls', 0)), ",
    "coalesce(value->>'counts', ''), coalesce(value->>'at_least', '') ",
    // The WHERE keeps SQLite from reading the ON as part of a join.
    "FROM json_each(?1) WHERE true ON CONFLICT (id) DO NOTHING",
);

/// Adds a JSON list of rows to the sums by the hour: those that [`INSERT`], right
/// after it in the same transaction, will find new.
pub const SUM_UP: &str = concat!(
    "INSERT INTO usage_by_hour (hour, zone, team, feature, environment, model, endpoint, ",
    "calls, not_ok, estimated, unpriced, input, cache_read, cache_write, output, reasoning, ",
    "cost_nano, lost_nano, at_least, held_nano, held_calls) ",
    "SELECT (value->>'at') / 3600000 * 3600000, value->>'zone', ",
    "value->>'team', coalesce(value->>'feature', ''), coalesce(value->>'environment', ''), ",
    "coalesce(value->>'model', ''), coalesce(value->>'endpoint', ''), ",
    // What is held for an instance, or not any more, is no call. One in the background
    // is counted when it is known what became of it.
    "sum(value->>'outcome' NOT IN ('held', 'unsettled', 'background') OR ",
    "value->>'outcome' <> 'background' AND value->>'zone' <> ''), ",
    "sum(value->>'outcome' NOT IN ('ok', 'held', 'unsettled', 'background') OR ",
    "value->>'outcome' NOT IN ('ok', 'background') AND value->>'zone' <> ''), sum(value->>'estimated' AND value->>'outcome' <> 'unsettled'), sum(value->>'cost_nano' IS NULL), ",
    "sum(value->>'input' + value->>'audio_input'), sum(value->>'cache_read'), ",
    "sum(value->>'cache_write_5m' + value->>'cache_write_1h'), ",
    "sum(value->>'output' + value->>'audio_output'), sum(value->>'reasoning'), ",
    "coalesce(sum(iif(value->>'outcome' = 'unsettled', 0, value->>'cost_nano')), 0), ",
    "coalesce(sum(value->>'lost_nano'), 0), ",
    "coalesce(sum(value->>'at_least' <> ''), 0), ",
    "coalesce(sum(iif(value->>'outcome' = 'unsettled', value->>'cost_nano', value->>'held_nano')), 0), ",
    "coalesce(sum(iif(value->>'outcome' = 'unsettled', value->>'zone' <> '', value->>'held_calls')), 0) ",
    "FROM json_each(?1) WHERE NOT EXISTS (SELECT 1 FROM usage WHERE usage.id = value->>'id') ",
    "GROUP BY 1, 2, 3, 4, 5, 6, 7 ON CONFLICT DO UPDATE SET calls = calls + excluded.calls, ",
    "not_ok = not_ok + excluded.not_ok, estimated = estimated + excluded.estimated, ",
    "unpriced = unpriced + excluded.unpriced, input = input + excluded.input, ",
    "cache_read = cache_read + excluded.cache_read, ",
    "cache_write = cache_write + excluded.cache_write, output = output + excluded.output, ",
    "reasoning = reasoning + excluded.reasoning, cost_nano = cost_nano + excluded.cost_nano, ",
    "lost_nano = lost_nano + excluded.lost_nano, at_least = at_least + excluded.at_least, ",
    "held_nano = held_nano + excluded.held_nano, held_calls = held_calls + excluded.held_calls",
);
