-- The DCCKI and the S1SPKIs: connections of DCCKI Subscribers, requests for certificates, meetings of the DCCKI PMA Functions.

-- A DCC Gateway Connection of a Party with the host names behind it; of each Party one is in force.
CREATE TABLE dccki_connection (
  id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  party integer NOT NULL REFERENCES party,
  -- How the DCC knows the connection.
  gateway text NOT NULL CHECK (gateway <> ''),
  hosts text[] NOT NULL CHECK (cardinality(hosts) > 0),
  state text NOT NULL CHECK (state IN ('requested', 'in force', 'superseded', 'refused')),
  requested_at timestamptz NOT NULL,
  in_force_at timestamptz,
  ended_at timestamptz,
  CHECK ((in_force_at IS NOT NULL) = (state IN ('in force', 'superseded')))
);

CREATE UNIQUE INDEX dccki_connection_in_force ON dccki_connection (party) WHERE state = 'in force';

-- A request for a certificate of a PKI whose profiles say all there is to say about a CSR.
CREATE TABLE profiled_request (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  pki text NOT NULL CHECK (pki IN ('dccki', 's1spki-foc', 's1spki-moc')),
  -- The DCCKI Subscriber; of an S1SPKI none, whose one subscriber is its S1SP.
  party integer REFERENCES party CHECK ((party IS NOT NULL) = (pki = 'dccki')),
  -- The person's reference, or the serial number of the credential whose system signed it.
  person text,
  credential text,
  sha256 bytea NOT NULL CHECK (octet_length(sha256) = 32),
  csr bytea NOT NULL,
  received_at timestamptz NOT NULL,
  -- What it asks for; none where it could not be read.
  profile text,
  subject jsonb,
  names text[],
  key_id bytea CHECK (octet_length(key_id) = 8),
  -- verified: somebody of the Registration Authority decides. approved: the signer has not answered yet.
  state text NOT NULL CHECK (state IN ('verified', 'approved', 'issued', 'refused', 'ineligible')),
  code text,
  says text,
  approved_at timestamptz,
  answered_at timestamptz,
  -- The newest signing that its certificate was written down in.
  signing bigint,
  authority smallint,
  serial bytea CHECK (octet_length(serial) = 16),
  CHECK (num_nonnulls(person, credential) = 1),
  CHECK ((state IN ('refused', 'ineligible')) = (code IS NOT NULL AND says IS NOT NULL)),
  CHECK (state IN ('refused', 'ineligible') OR num_nulls(profile, subject, key_id) = 0),
  CHECK (state NOT IN ('approved', 'issued') OR approved_at IS NOT NULL),
  CHECK ((state = 'issued') = (serial IS NOT NULL) AND (serial IS NULL) = (authority IS NULL)),
  CHECK ((state IN ('issued', 'refused', 'ineligible')) = (answered_at IS NOT NULL))
);

CREATE INDEX profiled_request_of_party ON profiled_request (party, id);
CREATE INDEX profiled_request_open ON profiled_request (id) WHERE state IN ('verified', 'approved');
CREATE INDEX profiled_request_key ON profiled_request (key_id);
CREATE INDEX profiled_request_serial ON profiled_request (serial) WHERE serial IS NOT NULL;
-- The same octets sent again are the same request, until it was answered with a no.
CREATE UNIQUE INDEX profiled_request_once ON profiled_request (pki, coalesce(party, 0), sha256)
  WHERE state IN ('verified', 'approved', 'issued');

-- Meetings of the DCCKI PMA Functions (dccki.md section 7): a record is never edited; who was told is added.
CREATE TABLE dccki_meeting (
  reference text PRIMARY KEY,
  held_on date NOT NULL,
  -- By role, never by name.
  attendees text[] NOT NULL CHECK (cardinality(attendees) > 0),
  agenda text[] NOT NULL CHECK (cardinality(agenda) > 0),
  papers text[] NOT NULL,
  notifications text[] NOT NULL,
  recommendations text[] NOT NULL,
  -- The journal has SHA-256(salt, the record): papers may be confidential.
  salt bytea NOT NULL CHECK (octet_length(salt) = 32),
  recorded_at timestamptz NOT NULL,
  recorded_by text NOT NULL
);

CREATE TABLE dccki_meeting_told (
  meeting text NOT NULL REFERENCES dccki_meeting,
  body text NOT NULL CHECK (body IN ('SMKI PMA', 'SSC')),
  told_on date NOT NULL,
  PRIMARY KEY (meeting, body)
);
