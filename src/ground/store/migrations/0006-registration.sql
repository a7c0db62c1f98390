-- Registration in full: organisations on their forms, people and their offices, tasks, entry tests, credentials.

-- `device_subscriber` marks Parties that a test environment enters without the procedures. Of all others the status of
-- Authorised Subscriber is derived from what stands below, and never stored.
ALTER TABLE party
  ADD COLUMN kind text NOT NULL DEFAULT 'party' CHECK (kind IN ('party', 'rdp', 'dcc', 's1sp')),
  ADD COLUMN ceased_at timestamptz,
  -- The one that provides SMKI Services: the Registration Authority's own credentials are of it.
  ADD COLUMN operator boolean NOT NULL DEFAULT false;

CREATE UNIQUE INDEX party_operator ON party (operator) WHERE operator;

-- Organisation Information Forms, every version as it was received (RAPP 5.1).
CREATE TABLE organisation_form (
  id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  party integer NOT NULL REFERENCES party,
  version integer NOT NULL CHECK (version > 0),
  state text NOT NULL CHECK (state IN ('submitted', 'in force', 'superseded', 'refused', 'void', 'withdrawn')),
  form jsonb NOT NULL,
  submitted_at timestamptz NOT NULL,
  in_force_at timestamptz,
  ended_at timestamptz,
  UNIQUE (party, version),
  CHECK ((in_force_at IS NOT NULL) = (state IN ('in force', 'superseded', 'withdrawn')))
);

CREATE UNIQUE INDEX organisation_form_in_force ON organisation_form (party) WHERE state = 'in force';
CREATE UNIQUE INDEX organisation_form_submitted ON organisation_form (party) WHERE state = 'submitted';

-- One continuous range of EUI-64 identifiers for a User Role of a form, unsigned 64 bits, both ends in it.
CREATE TABLE eui64_range (
  form integer NOT NULL REFERENCES organisation_form,
  user_role text NOT NULL,
  first numeric(20) NOT NULL CHECK (first >= 0),
  last numeric(20) NOT NULL CHECK (last < 18446744073709551616),
  PRIMARY KEY (form, user_role),
  CHECK (first <= last)
);

-- People, by reference. What is personal stands in `person_data` alone, and can be erased there.
CREATE TABLE person (
  id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  reference text NOT NULL UNIQUE CHECK (reference ~ '^p-[0-9a-f]{12}$'),
  entered_at timestamptz NOT NULL,
  erased_at timestamptz
);

CREATE TABLE person_data (
  person integer PRIMARY KEY REFERENCES person,
  data jsonb NOT NULL,
  -- The journal binds personal data by SHA-256(salt, data): without the salt it says nothing.
  salt bytea NOT NULL CHECK (octet_length(salt) = 32),
  commitment bytea NOT NULL CHECK (octet_length(commitment) = 32)
);

-- A person in an office, from nomination to cessation.
CREATE TABLE appointment (
  id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  person integer NOT NULL REFERENCES person,
  office text NOT NULL CHECK (office IN ('NO', 'SRO', 'ARO', 'RA_MANAGER', 'RA_PERSONNEL', 'PMA_MEMBER')),
  -- None for the Registration Authority and the SMKI PMA.
  party integer REFERENCES party CHECK ((party IS NOT NULL) = (office IN ('NO', 'SRO', 'ARO'))),
  -- Certificate Policies that an ARO is authorised for.
  policies text[] NOT NULL CHECK ((cardinality(policies) > 0) = (office = 'ARO')),
  state text NOT NULL CHECK (state IN ('nominated', 'appointed', 'refused', 'ceased')),
  nominated_at timestamptz NOT NULL,
  appointed_at timestamptz,
  ceased_at timestamptz,
  CHECK ((appointed_at IS NOT NULL) = (state IN ('appointed', 'ceased'))),
  CHECK ((ceased_at IS NOT NULL) = (state = 'ceased'))
);

CREATE UNIQUE INDEX appointment_once ON appointment (person, office, coalesce(party, 0))
  WHERE state IN ('nominated', 'appointed');
CREATE INDEX appointment_of_party ON appointment (party, office) WHERE state = 'appointed';

-- What several people decide together.
CREATE TABLE task (
  id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  kind text NOT NULL,
  -- What it is about, in the words of the room that owns the kind.
  subject text NOT NULL,
  party integer REFERENCES party,
  -- People whom it concerns: none of them takes a step in it.
  about integer[] NOT NULL,
  -- Of what is to be approved, as it stands: a step is taken on this digest and no other.
  digest bytea NOT NULL CHECK (octet_length(digest) = 32),
  state text NOT NULL DEFAULT 'open' CHECK (state IN ('open', 'approved', 'refused', 'withdrawn', 'void')),
  opened_at timestamptz NOT NULL,
  decided_at timestamptz,
  CHECK ((decided_at IS NULL) = (state = 'open'))
);

CREATE UNIQUE INDEX task_open ON task (kind, subject) WHERE state = 'open';

CREATE TABLE task_step (
  task integer NOT NULL REFERENCES task,
  number smallint NOT NULL,
  step text NOT NULL CHECK (step IN ('request', 'verify', 'approve', 'refuse', 'withdraw')),
  person integer NOT NULL REFERENCES person,
  office text NOT NULL,
  -- Who of the Registration Authority recorded what that person had signed.
  through integer REFERENCES person,
  at timestamptz NOT NULL,
  words text NOT NULL,
  evidence jsonb NOT NULL,
  digest bytea NOT NULL CHECK (octet_length(digest) = 32),
  -- What it was taken on has changed since: it counts no more.
  void boolean NOT NULL DEFAULT false,
  PRIMARY KEY (task, number)
);

-- SMKI and Repository Entry Process Tests.
CREATE TABLE srept (
  party integer PRIMARY KEY REFERENCES party,
  interfaces text[] NOT NULL CHECK (cardinality(interfaces) > 0),
  -- Results count from here on.
  started_at timestamptz NOT NULL,
  planned_at timestamptz NOT NULL,
  completed_at timestamptz,
  withdrawn_at timestamptz
);

CREATE TABLE srept_result (
  id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  party integer NOT NULL REFERENCES srept,
  scenario text NOT NULL,
  passed boolean NOT NULL,
  automatic boolean NOT NULL,
  words text NOT NULL,
  evidence jsonb NOT NULL,
  person integer NOT NULL REFERENCES person,
  at timestamptz NOT NULL
);

CREATE INDEX srept_result_of_party ON srept_result (party, scenario, id);

-- Applications to be an Authorised Subscriber, per Certificate Policy.
CREATE TABLE application (
  id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  party integer NOT NULL REFERENCES party,
  policy text NOT NULL,
  state text NOT NULL CHECK (state IN ('applied', 'accepted', 'refused', 'ended')),
  applied_at timestamptz NOT NULL,
  accepted_at timestamptz,
  ended_at timestamptz
);

CREATE UNIQUE INDEX application_once ON application (party, policy) WHERE state IN ('applied', 'accepted');

-- What the Registration Authority tells others: the Panel, the holder of a credential.
CREATE TABLE notice (
  id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  recipient text NOT NULL,
  subject text NOT NULL,
  about jsonb NOT NULL,
  at timestamptz NOT NULL
);

CREATE INDEX notice_to ON notice (recipient, id);

-- Credentials of every kind, from request to end. What opens a door stands in `credential`, `api_key`,
-- `repository_user` and `ssh_key`; its state is changed there in the same transaction.
CREATE TABLE credential_life (
  id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  party integer NOT NULL REFERENCES party,
  person integer REFERENCES person,
  kind text NOT NULL,
  role smallint,
  -- CN of a certificate; of others the name that the Party gives the system or account.
  system_name text NOT NULL,
  -- SHA-256 of the CSR and of its public key; of an SSH key.
  request_sha256 bytea CHECK (octet_length(request_sha256) = 32),
  key_sha256 bytea CHECK (octet_length(key_sha256) = 32),
  ssh_key bytea,
  replaces integer REFERENCES credential_life,
  state text NOT NULL,
  requested_at timestamptz NOT NULL,
  issued_at timestamptz,
  active_at timestamptz,
  expires_at timestamptz,
  ended_at timestamptz,
  -- Days before the end for which the notice was given.
  noticed integer[] NOT NULL DEFAULT '{}'
);

CREATE INDEX credential_life_of_party ON credential_life (party, kind);
CREATE INDEX credential_life_of_person ON credential_life (person);
CREATE INDEX credential_life_key ON credential_life (key_sha256);
CREATE INDEX credential_life_ending ON credential_life (expires_at) WHERE ended_at IS NULL;

ALTER TABLE credential
  ADD COLUMN life integer UNIQUE REFERENCES credential_life,
  DROP CONSTRAINT credential_state_check,
  ADD CONSTRAINT credential_state_check
    CHECK (state IN ('issued', 'active', 'suspended', 'locked', 'revoked', 'expired', 'returned'));

ALTER TABLE api_key
  ADD COLUMN life integer UNIQUE REFERENCES credential_life,
  DROP CONSTRAINT api_key_state_check,
  ADD CONSTRAINT api_key_state_check
    CHECK (state IN ('issued', 'active', 'suspended', 'locked', 'revoked', 'expired', 'returned'));

-- Accounts of the Repository portal (repository.md section 6). A password is kept as scrypt's output alone.
CREATE TABLE repository_user (
  username text PRIMARY KEY,
  life integer NOT NULL UNIQUE REFERENCES credential_life,
  salt bytea NOT NULL,
  log2n smallint NOT NULL,
  hash bytea NOT NULL,
  must_change boolean NOT NULL,
  -- Wrong passwords that may still count.
  failures timestamptz[] NOT NULL DEFAULT '{}'
);

CREATE TABLE ssh_key (
  -- Of the key as it stands in the protocol (RFC 4253 6.6).
  sha256 bytea PRIMARY KEY CHECK (octet_length(sha256) = 32),
  life integer NOT NULL UNIQUE REFERENCES credential_life
);
