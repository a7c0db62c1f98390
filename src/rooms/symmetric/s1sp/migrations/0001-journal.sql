-- The journal: an append-only Merkle log of acts (docs/formats/journal.md).

-- An act writes its entry here in its own transaction, and waits for no other writer. Ids may commit out of order.
CREATE TABLE journal_pending (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  octets bytea NOT NULL CHECK (octet_length(octets) BETWEEN 1 AND 65535)
) WITH (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 1000, vacuum_truncate = off);

-- The integrator moves what is committed here and gives it its position: without a gap, whatever ids do. A row is
-- never touched again, and rows lie in the order in which they are read. (A nullable position in one table would be
-- shorter, but its index of pending rows fills with dead ones that only a vacuum of the whole log takes out.)
CREATE TABLE journal_entry (
  position bigint PRIMARY KEY CHECK (position >= 0),
  id bigint NOT NULL UNIQUE,
  octets bytea NOT NULL
);

-- Hashes of the tree as C2SP tlog-tiles has them: 1 to 256 of 32 octets; level 0 holds leaf hashes, a higher level the
-- roots of the full tiles below. A partial tile grows in place, and what it was before is its beginning.
CREATE TABLE journal_tile (
  level smallint NOT NULL CHECK (level >= 0),
  index bigint NOT NULL CHECK (index >= 0),
  hashes bytea NOT NULL CHECK (octet_length(hashes) BETWEEN 32 AND 8192 AND octet_length(hashes) % 32 = 0),
  PRIMARY KEY (level, index)
);

-- Hashes do not compress.
ALTER TABLE journal_tile ALTER COLUMN hashes SET STORAGE EXTERNAL;

-- One chain without branches: each checkpoint follows an earlier and smaller one, and no two follow the same.
CREATE TABLE journal_checkpoint (
  size bigint PRIMARY KEY CHECK (size > 0),
  previous bigint UNIQUE NULLS NOT DISTINCT REFERENCES journal_checkpoint (size) CHECK (previous < size),
  root bytea NOT NULL CHECK (octet_length(root) = 32),
  note text NOT NULL,
  at timestamptz NOT NULL
);

-- These guard against mistakes. Against one who may drop them, the tree and its signed checkpoints do.
CREATE FUNCTION journal_only_grows() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION 'the journal only grows: no % on %', TG_OP, TG_TABLE_NAME;
END
$$;

CREATE TRIGGER journal_pending_only_grows BEFORE UPDATE OR TRUNCATE ON journal_pending
  FOR EACH STATEMENT EXECUTE FUNCTION journal_only_grows();

CREATE TRIGGER journal_entry_only_grows BEFORE UPDATE OR DELETE OR TRUNCATE ON journal_entry
  FOR EACH STATEMENT EXECUTE FUNCTION journal_only_grows();

CREATE TRIGGER journal_tile_only_grows BEFORE DELETE OR TRUNCATE ON journal_tile
  FOR EACH STATEMENT EXECUTE FUNCTION journal_only_grows();

CREATE TRIGGER journal_checkpoint_only_grows BEFORE UPDATE OR DELETE OR TRUNCATE ON journal_checkpoint
  FOR EACH STATEMENT EXECUTE FUNCTION journal_only_grows();
