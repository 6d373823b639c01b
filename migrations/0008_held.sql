-- The most that calls can have cost of which nobody knows what they cost, because
-- their instance died or the platform cut them off, and for how many calls that is
-- held. It is in no cost. Below zero it is not held any more.
ALTER TABLE usage ADD COLUMN held_nano INTEGER NOT NULL DEFAULT 0;
ALTER TABLE usage ADD COLUMN held_calls INTEGER NOT NULL DEFAULT 0;
ALTER TABLE usage_by_hour ADD COLUMN held_nano INTEGER NOT NULL DEFAULT 0;
ALTER TABLE usage_by_hour ADD COLUMN held_calls INTEGER NOT NULL DEFAULT 0;

-- Until now such rows were `unsettled` and charged as spent. Those without a zone are
-- what an instance had borrowed, and no call.
UPDATE usage_by_hour AS sums SET
  calls = sums.calls - old.strays,
  not_ok = sums.not_ok - old.strays,
  estimated = sums.estimated - old.estimates,
  cost_nano = sums.cost_nano - old.cost,
  held_nano = sums.held_nano + old.cost,
  held_calls = sums.held_calls + old.cut_off
FROM (
  SELECT at / 3600000 * 3600000 AS hour, zone, team, coalesce(feature, '') AS feature,
    coalesce(environment, '') AS environment, coalesce(model, '') AS model,
    coalesce(endpoint, '') AS endpoint, sum(zone = '') AS strays, sum(zone <> '') AS cut_off,
    sum(estimated) AS estimates, coalesce(sum(cost_nano), 0) AS cost
  FROM usage WHERE outcome = 'unsettled' GROUP BY 1, 2, 3, 4, 5, 6, 7
) AS old
WHERE sums.hour = old.hour AND sums.zone = old.zone AND sums.team = old.team
  AND sums.feature = old.feature AND sums.environment = old.environment
  AND sums.model = old.model AND sums.endpoint = old.endpoint;
UPDATE usage SET outcome = 'held', estimated = 0, held_nano = coalesce(cost_nano, 0),
  held_calls = zone <> '', cost_nano = iif(cost_nano IS NULL, NULL, 0)
WHERE outcome = 'unsettled';
