-- The most a call could cost, which was reserved for it, and whether it cost more
-- than that.
ALTER TABLE usage ADD COLUMN reserved_nano INTEGER;
ALTER TABLE usage ADD COLUMN over_bound INTEGER;

-- What was spent by the hour, so that a month is some thousand rows to read and
-- not some million. Written in the same transaction as the rows it sums, see
-- src/record.rs. `hour` is its beginning, in milliseconds since 1970 (UTC); what a
-- call does not say is ''. Money is in billionths of a US dollar; calls without a
-- price are counted in `unpriced` and add nothing to it.
CREATE TABLE usage_by_hour (
  hour        INTEGER NOT NULL,
  zone        TEXT NOT NULL,
  team        TEXT NOT NULL,
  feature     TEXT NOT NULL,
  environment TEXT NOT NULL,
  model       TEXT NOT NULL,
  endpoint    TEXT NOT NULL,
  calls       INTEGER NOT NULL,
  not_ok      INTEGER NOT NULL,
  estimated   INTEGER NOT NULL,
  unpriced    INTEGER NOT NULL,
  input       INTEGER NOT NULL,
  cache_read  INTEGER NOT NULL,
  cache_write INTEGER NOT NULL,
  output      INTEGER NOT NULL,
  reasoning   INTEGER NOT NULL,
  cost_nano   INTEGER NOT NULL,
  lost_nano   INTEGER NOT NULL,
  PRIMARY KEY (hour, zone, team, feature, environment, model, endpoint)
) WITHOUT ROWID;
CREATE INDEX usage_by_hour_by_team ON usage_by_hour (team, hour);

-- Calls whose team's object could not be reached when they ended. Their rows are in
-- `usage`; what they took of limits is here until the object reads it.
CREATE TABLE spilled (
  id    TEXT PRIMARY KEY NOT NULL,
  team  TEXT NOT NULL,
  event TEXT NOT NULL
) WITHOUT ROWID;
CREATE INDEX spilled_by_team ON spilled (team);
