-- Organisation CSRs from receipt to what their Subscriber said of the Certificate, and CSRs for IKI Certificates.

CREATE TABLE organisation_csr (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  party integer NOT NULL,
  -- Who submitted it, by reference, and with which credential.
  person text NOT NULL,
  credential integer,
  -- The client's own mark: submitted again under it, the same CSR is not a second one.
  reference text CHECK (reference <> ''),
  -- SHA-256 of what arrived. The PKCS#10 in it, DER; none where there was none.
  sha256 bytea NOT NULL CHECK (octet_length(sha256) = 32),
  csr bytea,
  received_at timestamptz NOT NULL,
  -- What the CSR asks for; none where it could not be read.
  eui64 bytea CHECK (octet_length(eui64) = 8),
  role smallint,
  usage smallint,
  common_name text,
  key_id bytea,
  -- held: the Registration Authority must act first. approved: every check was passed, the signer has not answered yet.
  state text NOT NULL CHECK (state IN ('refused', 'held', 'approved', 'issued')),
  code text,
  says text,
  -- Receipt, as response times are measured: arrival and all checks passed.
  approved_at timestamptz,
  -- The Registration Authority has looked into the anomaly that it was held for.
  allowed boolean NOT NULL DEFAULT false,
  -- The newest signing that its Certificate was written down in.
  signing bigint,
  answered_at timestamptz,
  authority smallint,
  serial bytea CHECK (octet_length(serial) = 16),
  -- L11.5 to L11.7.
  downloaded_at timestamptz,
  accepted_at timestamptz,
  rejected_at timestamptz,
  UNIQUE (party, reference),
  CHECK ((state IN ('refused', 'held')) = (code IS NOT NULL AND says IS NOT NULL)),
  CHECK (state = 'refused' OR csr IS NOT NULL),
  CHECK (state NOT IN ('approved', 'issued') OR approved_at IS NOT NULL),
  CHECK ((state = 'issued') = (serial IS NOT NULL)),
  CHECK ((serial IS NULL) = (authority IS NULL)),
  CHECK ((state IN ('issued', 'refused')) = (answered_at IS NOT NULL)),
  CHECK (accepted_at IS NULL OR rejected_at IS NULL),
  CHECK (state = 'issued' OR (downloaded_at IS NULL AND accepted_at IS NULL AND rejected_at IS NULL))
);

CREATE INDEX organisation_csr_of_party ON organisation_csr (party, id);
CREATE INDEX organisation_csr_open ON organisation_csr (id) WHERE state IN ('held', 'approved');
CREATE INDEX organisation_csr_key ON organisation_csr (key_id) WHERE state IN ('held', 'approved');

-- The CSR of an approved credential, kept before its IKI Certificate is written down.
CREATE TABLE iki_csr (
  credential integer PRIMARY KEY,
  csr bytea NOT NULL,
  received_at timestamptz NOT NULL,
  signing bigint,
  -- When the certificate was issued, or the credential had come to its end before it was.
  answered_at timestamptz
);

CREATE INDEX iki_csr_open ON iki_csr (credential) WHERE answered_at IS NULL;
