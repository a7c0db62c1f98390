-- Revocation: requests as cases, deferrals (L16), rejected Device Certificates, emergency suspensions, Events of Default.

-- A deferral of a failed supplier's revocations, by decision of the SMKI PMA (L16).
CREATE TABLE revocation_deferral (
  id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  decision text NOT NULL,
  party integer NOT NULL REFERENCES party,
  user_ids text[] NOT NULL,
  mpids text[] NOT NULL,
  -- Whether it covers every certificate of the supplier, later ones too; else those listed below alone.
  whole boolean NOT NULL,
  started_at timestamptz NOT NULL,
  review_at timestamptz NOT NULL CHECK (review_at > started_at),
  -- When it lapses unless it is extended; none: when a decision ends it.
  ends_at timestamptz CHECK (ends_at >= review_at),
  ended_at timestamptz,
  end_decision text,
  CHECK (end_decision IS NULL OR ended_at IS NOT NULL)
);

CREATE UNIQUE INDEX revocation_deferral_open ON revocation_deferral (party) WHERE ended_at IS NULL;

-- What the supplier held when it began.
CREATE TABLE deferral_certificate (
  deferral integer NOT NULL REFERENCES revocation_deferral,
  authority smallint NOT NULL,
  serial bytea NOT NULL CHECK (octet_length(serial) = 16),
  PRIMARY KEY (deferral, authority, serial)
);

CREATE TABLE deferral_extension (
  deferral integer NOT NULL REFERENCES revocation_deferral,
  number smallint NOT NULL,
  decision text NOT NULL,
  review_at timestamptz NOT NULL,
  ends_at timestamptz,
  at timestamptz NOT NULL,
  PRIMARY KEY (deferral, number)
);

-- One certificate that is to be revoked, from the request to the list (registration-revocation.md section 6.3).
CREATE TABLE revocation_case (
  id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  object text NOT NULL,
  -- Whose list it will stand on.
  authority smallint NOT NULL,
  serial bytea NOT NULL CHECK (octet_length(serial) = 16),
  expires_at timestamptz NOT NULL,
  -- Of the certificate, so that what is approved is what was looked at.
  sha256 bytea NOT NULL CHECK (octet_length(sha256) = 32),
  party integer REFERENCES party,
  -- Its record from request to end, where it is a credential.
  credential integer REFERENCES credential_life,
  -- How it came about: by a request, a rejection after download, a credential that had ended, a duty to revoke.
  origin text NOT NULL CHECK (origin IN ('request', 'rejection', 'credential', 'duty')),
  ground text NOT NULL,
  -- 6 and 8 are certificateHold and removeFromCRL: never.
  reason smallint NOT NULL CHECK (reason IN (0, 1, 2, 3, 4, 5, 9)),
  form text,
  -- A direction of the SMKI PMA, where it rests on one.
  decision text,
  urgent boolean NOT NULL,
  state text NOT NULL CHECK
    (state IN ('received', 'authenticated', 'deferred', 'approved', 'revoked', 'listed', 'refused', 'cancelled')),
  task integer UNIQUE REFERENCES task,
  deferral integer REFERENCES revocation_deferral,
  -- The notice by which the SMKI PMA was asked about a Compromise under a deferral.
  question integer REFERENCES notice,
  received_at timestamptz NOT NULL,
  authenticated_at timestamptz,
  deferred_at timestamptz,
  approved_at timestamptz,
  revoked_at timestamptz,
  -- Until when the list that names it is lodged.
  list_due_at timestamptz,
  list_number bigint,
  listed_at timestamptz,
  ended_at timestamptz,
  CHECK ((revoked_at IS NOT NULL) = (state IN ('revoked', 'listed'))),
  CHECK ((listed_at IS NOT NULL) = (state = 'listed') AND (list_number IS NOT NULL) = (state = 'listed')),
  CHECK (state <> 'deferred' OR deferral IS NOT NULL)
);

-- One certificate is in one case at a time; what was refused may be asked for anew.
CREATE UNIQUE INDEX revocation_case_once ON revocation_case (authority, serial)
  WHERE state NOT IN ('refused', 'cancelled');
CREATE INDEX revocation_case_unlisted ON revocation_case (authority) WHERE state = 'revoked';
CREATE INDEX revocation_case_deferred ON revocation_case (deferral) WHERE deferral IS NOT NULL;
CREATE INDEX revocation_case_party ON revocation_case (party);

-- Device Certificates that a Subscriber rejected: logged and investigated, never revoked (APPM, L11.6).
CREATE TABLE device_rejection (
  id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  authority smallint NOT NULL,
  serial bytea NOT NULL CHECK (octet_length(serial) = 16),
  party integer NOT NULL REFERENCES party,
  words text NOT NULL,
  evidence jsonb NOT NULL,
  logged_at timestamptz NOT NULL,
  finding text,
  investigated_at timestamptz,
  CHECK ((finding IS NULL) = (investigated_at IS NULL))
);

CREATE UNIQUE INDEX device_rejection_open ON device_rejection (authority, serial) WHERE investigated_at IS NULL;

-- Emergency suspensions (L2.14). One is on record for ever; `ended_at` says since when it holds no more.
CREATE TABLE suspension (
  id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  decision text NOT NULL,
  scope text NOT NULL CHECK (scope IN ('service', 'interface', 'authority', 'party', 'certificates')),
  interface text CHECK ((interface IS NOT NULL) = (scope = 'interface')),
  authority smallint CHECK ((authority IS NOT NULL) = (scope = 'authority')),
  party integer REFERENCES party CHECK ((party IS NOT NULL) = (scope = 'party')),
  stops text NOT NULL CHECK (stops IN ('services', 'certificates', 'both')),
  ground text NOT NULL,
  -- Interfaces that go on although the scope covers them.
  goes_on text[] NOT NULL,
  started_at timestamptz NOT NULL,
  ended_at timestamptz CHECK (ended_at >= started_at),
  end_decision text,
  -- Of an authority whose own certificate was revoked: it never resumes.
  for_good boolean NOT NULL DEFAULT false,
  CHECK ((ended_at IS NULL) = (end_decision IS NULL)),
  CHECK (ended_at IS NULL OR NOT for_good)
);

-- What is asked at every request reads this: as many rows as there are suspensions in force, mostly none.
CREATE INDEX suspension_in_force ON suspension (id) WHERE ended_at IS NULL;

CREATE TABLE suspension_certificate (
  suspension integer NOT NULL REFERENCES suspension,
  authority smallint NOT NULL,
  serial bytea NOT NULL CHECK (octet_length(serial) = 16),
  PRIMARY KEY (suspension, authority, serial)
);

CREATE TABLE suspension_informed (
  suspension integer NOT NULL REFERENCES suspension,
  number smallint NOT NULL,
  -- `party 3`, `SEC Panel`, or a person's reference.
  who text NOT NULL,
  how text NOT NULL,
  at timestamptz NOT NULL,
  PRIMARY KEY (suspension, number)
);

-- Events of Default (L2.5): material breach of the SMKI Document Set by a SMKI Participant.
CREATE TABLE event_of_default (
  id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  party integer NOT NULL REFERENCES party,
  -- The provision that was broken.
  provision text NOT NULL,
  -- The steps as they were settled when it was found: what is configured later changes none that is under way.
  flow jsonb NOT NULL,
  found_at timestamptz NOT NULL,
  closed_at timestamptz
);

CREATE TABLE event_of_default_step (
  event integer NOT NULL REFERENCES event_of_default,
  number smallint NOT NULL,
  step text NOT NULL,
  person text NOT NULL,
  office text NOT NULL,
  decision text,
  words text NOT NULL,
  evidence jsonb NOT NULL,
  at timestamptz NOT NULL,
  PRIMARY KEY (event, number)
);
