-- One row a request. src/record.rs has the same columns, and a test holds the
-- two together. Times are milliseconds since 1970 (UTC); money is in billionths
-- of a US dollar, NULL where no price is known.
CREATE TABLE usage (
  id             TEXT PRIMARY KEY NOT NULL,
  at             INTEGER NOT NULL,
  key_id         TEXT NOT NULL,
  team           TEXT NOT NULL,
  feature        TEXT,
  environment    TEXT,
  tags           TEXT NOT NULL,
  country        TEXT NOT NULL,
  colo           TEXT NOT NULL,
  zone           TEXT NOT NULL,
  zone_reason    TEXT NOT NULL,
  map            TEXT NOT NULL,
  dialect        TEXT NOT NULL,
  model_asked    TEXT NOT NULL,
  model          TEXT,
  model_served   TEXT,
  endpoint       TEXT,
  hosting        TEXT,
  attempts       INTEGER NOT NULL,
  stream         INTEGER NOT NULL,
  status         INTEGER NOT NULL,
  outcome        TEXT NOT NULL,
  error          TEXT,
  stopped        TEXT,
  tier           TEXT,
  input          INTEGER NOT NULL,
  cache_read     INTEGER NOT NULL,
  cache_write_5m INTEGER NOT NULL,
  cache_write_1h INTEGER NOT NULL,
  audio_input    INTEGER NOT NULL,
  output         INTEGER NOT NULL,
  reasoning      INTEGER NOT NULL,
  audio_output   INTEGER NOT NULL,
  estimated      INTEGER NOT NULL,
  cost_nano      INTEGER,
  first_byte_ms  INTEGER,
  duration_ms    INTEGER NOT NULL
) WITHOUT ROWID;

-- Ids sort by time, so the primary key serves time ranges; these serve the bill.
CREATE INDEX usage_by_team ON usage (team, id);
