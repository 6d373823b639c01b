-- Calls whose provider goes on in the background: what is needed to settle one when its
-- answer is asked for. `answer` is a hash of the team and the answer's id.
CREATE TABLE background (
  id     TEXT PRIMARY KEY,
  answer TEXT NOT NULL,
  call   TEXT NOT NULL
);
CREATE INDEX background_by_answer ON background (answer);
