-- Files of the Repository for SFTP: a delta each day, the whole now and then. The files lie in the home; here is what they are.

CREATE TABLE repository_file (
  kind text NOT NULL CHECK (kind IN ('DELTA', 'FULL')),
  sequence integer NOT NULL CHECK (sequence BETWEEN 1 AND 999999),
  name text NOT NULL UNIQUE,
  -- Changes from `covers_from` on, before `covers_until`; the whole has no beginning.
  covers_from timestamptz,
  covers_until timestamptz NOT NULL,
  created_at timestamptz NOT NULL,
  -- Signings that were written down by `covers_until` and not complete yet: the next delta looks at them again.
  unfinished bigint[] NOT NULL,
  records bigint NOT NULL,
  octets bigint NOT NULL,
  sha256 bytea NOT NULL CHECK (octet_length(sha256) = 32),
  -- Of the detached signature beside it, if whoever made it had the credential.
  signature_octets integer CHECK (signature_octets > 0),
  -- When it was taken away again.
  removed_at timestamptz,
  PRIMARY KEY (kind, sequence),
  CHECK ((covers_from IS NULL) = (kind = 'FULL'))
);

-- Who fetched what: for the rule on demand (REP).
CREATE TABLE repository_download (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  party integer NOT NULL,
  name text NOT NULL,
  at timestamptz NOT NULL,
  octets bigint NOT NULL
);

CREATE INDEX repository_download_of_party ON repository_download (party, at);
