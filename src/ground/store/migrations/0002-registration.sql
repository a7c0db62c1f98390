-- Registration: the Parties, their identifiers, and what they show at the doors.

CREATE TABLE party (
  id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  -- Short, for folders and commands: `import-supplier`.
  name text NOT NULL UNIQUE CHECK (name ~ '^[a-z0-9][a-z0-9-]{0,31}$'),
  trading_name text NOT NULL,
  -- Whether it is an Authorised Subscriber for Device Certificates.
  device_subscriber boolean NOT NULL,
  registered_at timestamptz NOT NULL
);

-- User Roles of a Party, each with its EUI-64 identifier.
CREATE TABLE party_role (
  party integer NOT NULL REFERENCES party,
  role smallint NOT NULL,
  eui64 bytea NOT NULL CHECK (octet_length(eui64) = 8),
  PRIMARY KEY (party, role)
);

-- IKI credentials: the certificate does not say what it is for, this record does (certificates.md section 6).
CREATE TABLE credential (
  -- SHA-256 of the issuer's name, DER.
  issuer bytea NOT NULL CHECK (octet_length(issuer) = 32),
  serial bytea NOT NULL CHECK (octet_length(serial) = 16),
  party integer NOT NULL REFERENCES party,
  kind text NOT NULL CHECK (kind IN ('PORTAL_ORG', 'PORTAL_DEVICE', 'ADHOC_WS', 'BATCH_WS', 'FILE_SIGN', 'RA_STAFF')),
  role smallint,
  system_name text NOT NULL,
  state text NOT NULL CHECK (state IN ('active', 'suspended', 'revoked')),
  issued_at timestamptz NOT NULL,
  PRIMARY KEY (issuer, serial)
);

-- Keys of the Repository's web service; only their SHA-256 is kept (they are 256 random bits, not chosen by people).
CREATE TABLE api_key (
  sha256 bytea PRIMARY KEY CHECK (octet_length(sha256) = 32),
  party integer NOT NULL REFERENCES party,
  state text NOT NULL CHECK (state IN ('active', 'revoked')),
  issued_at timestamptz NOT NULL
);
