-- Maps that were published or proposed, and who decided what about them. Times
-- are milliseconds since 1970 (UTC).
CREATE TABLE maps (
  version TEXT PRIMARY KEY NOT NULL,
  map     TEXT NOT NULL
) WITHOUT ROWID;

CREATE TABLE drafts (
  id         TEXT PRIMARY KEY NOT NULL,
  at         INTEGER NOT NULL,
  author     TEXT NOT NULL,
  why        TEXT NOT NULL,
  base       TEXT NOT NULL,
  version    TEXT NOT NULL REFERENCES maps (version),
  state      TEXT NOT NULL CHECK (state IN ('open', 'approved', 'withdrawn')),
  decided_by TEXT,
  decided_at INTEGER
) WITHOUT ROWID;

-- Append-only, each entry sealed with the hash of the one before. The number is
-- the lock: of two who write at once one finds it taken and looks again.
CREATE TABLE audit (
  seq     INTEGER PRIMARY KEY NOT NULL,
  at      INTEGER NOT NULL,
  who     TEXT NOT NULL,
  via     TEXT NOT NULL,
  action  TEXT NOT NULL,
  subject TEXT NOT NULL,
  version TEXT NOT NULL,
  why     TEXT NOT NULL,
  prev    TEXT NOT NULL,
  hash    TEXT NOT NULL UNIQUE
);

CREATE TRIGGER audit_is_not_altered BEFORE UPDATE ON audit
BEGIN SELECT RAISE(ABORT, 'the audit log is append-only'); END;

CREATE TRIGGER audit_is_not_deleted BEFORE DELETE ON audit
BEGIN SELECT RAISE(ABORT, 'the audit log is append-only'); END;

CREATE TRIGGER audit_is_a_chain BEFORE INSERT ON audit
WHEN NEW.seq <> 1 + (SELECT coalesce(max(seq), 0) FROM audit)
  OR (NEW.seq > 1 AND NEW.prev <> (SELECT hash FROM audit WHERE seq = NEW.seq - 1))
BEGIN SELECT RAISE(ABORT, 'the entry does not follow from the last one'); END;
