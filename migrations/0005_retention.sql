-- What a zone no longer keeps is found by its age, whatever else lies in the
-- database: without these each look would read all that other zones keep for good.
CREATE INDEX usage_by_zone ON usage (zone, at);
CREATE INDEX usage_by_hour_by_zone ON usage_by_hour (zone, hour);
