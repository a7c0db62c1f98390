-- What witnesses signed under our checkpoints (docs/formats/journal.md, Witnesses). Not evidence by itself: each line is
-- checked with the key of its witness whenever it is used.
CREATE TABLE journal_cosignature (
  size bigint NOT NULL REFERENCES journal_checkpoint (size),
  witness text NOT NULL,
  line text NOT NULL CHECK (octet_length(line) <= 1024),
  at timestamptz NOT NULL,
  PRIMARY KEY (size, witness)
);
