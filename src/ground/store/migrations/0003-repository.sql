-- The Repository: every certificate from before it is signed, and every list.

-- A signing is a group of certificates that are written down together, then signed, then kept together.
CREATE TABLE signing (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  state text NOT NULL DEFAULT 'intended' CHECK (state IN ('intended', 'complete', 'abandoned')),
  count integer NOT NULL CHECK (count > 0),
  at timestamptz NOT NULL,
  -- One slot of equal length for each certificate, in order of position; a DER signature ends before its slot does.
  slot smallint NOT NULL CHECK (slot > 0),
  signatures bytea CHECK (octet_length(signatures) = count * slot),
  CHECK ((state = 'complete') = (signatures IS NOT NULL))
);

-- A piece of the signatures can be read without the rest.
ALTER TABLE signing ALTER COLUMN signatures SET STORAGE EXTERNAL;
CREATE INDEX signing_intended ON signing (id) WHERE state = 'intended';

-- What was, or was to be, signed. It is a certificate when its signing is complete. No foreign keys here: a million
-- rows a night pay for each, and `smki journal verify` checks what they would.
CREATE TABLE certificate (
  signing bigint NOT NULL,
  position smallint NOT NULL,
  authority smallint NOT NULL,
  family smallint NOT NULL,
  usage smallint NOT NULL,
  role smallint,
  -- Which certificate of this EUI-64 it is, counted from 1: two writers cannot take the same.
  ordinal integer,
  eui64 bytea,
  serial bytea NOT NULL,
  key_id bytea NOT NULL,
  tbs bytea NOT NULL,
  PRIMARY KEY (signing, position)
);

CREATE UNIQUE INDEX certificate_serial ON certificate (serial, authority);
CREATE UNIQUE INDEX certificate_eui64 ON certificate (eui64, ordinal);
CREATE INDEX certificate_key ON certificate (key_id);

-- Certificates that are no longer in use on request of their Subscriber, or by recovery (repository.md section 4).
CREATE TABLE not_in_use (
  signing bigint NOT NULL,
  position smallint NOT NULL,
  since timestamptz NOT NULL,
  PRIMARY KEY (signing, position)
);

-- Every list ever made, with the interval in which it was current.
CREATE TABLE list (
  authority smallint NOT NULL,
  number bigint NOT NULL CHECK (number > 0),
  name text NOT NULL,
  this_update timestamptz NOT NULL,
  next_update timestamptz NOT NULL,
  der bytea NOT NULL,
  -- The newest revocation that it names.
  covers bigint NOT NULL,
  lodged_at timestamptz NOT NULL,
  superseded_at timestamptz,
  PRIMARY KEY (authority, number)
);

-- Lists hardly compress, and large ones are read by the piece.
ALTER TABLE list ALTER COLUMN der SET STORAGE EXTERNAL;

CREATE UNIQUE INDEX list_current ON list (authority) WHERE superseded_at IS NULL;

-- What stands, or is about to stand, on its authority's list.
CREATE TABLE revoked (
  authority smallint NOT NULL,
  serial bytea NOT NULL CHECK (octet_length(serial) = 16),
  at timestamptz NOT NULL,
  reason smallint NOT NULL,
  expires_at timestamptz NOT NULL,
  -- Ascending in the order in which revocations were entered.
  seq bigint GENERATED ALWAYS AS IDENTITY,
  -- The last list that named it: one made after it expired.
  last_list bigint,
  PRIMARY KEY (authority, serial)
);

CREATE INDEX revoked_seq ON revoked (authority, seq);
CREATE INDEX revoked_expiring ON revoked (authority, expires_at) WHERE last_list IS NULL;
