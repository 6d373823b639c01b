-- The attempts that came to nothing, a JSON list of {endpoint, why, status, ms,
-- drill}, and what they may have cost beside cost_nano, by estimate.
ALTER TABLE usage ADD COLUMN failures TEXT;
ALTER TABLE usage ADD COLUMN lost_nano INTEGER;

-- What instances tell each other of how endpoints fare; the newest notice about
-- an endpoint and model stands. `told` is the database's time, in milliseconds:
-- what one has read up to.
CREATE TABLE health (
  endpoint TEXT NOT NULL,
  model    TEXT NOT NULL,
  at       INTEGER NOT NULL,
  told     INTEGER NOT NULL,
  notice   TEXT NOT NULL,
  PRIMARY KEY (endpoint, model)
) WITHOUT ROWID;
CREATE INDEX health_by_time ON health (told);
