-- Recovery on a live environment: keys that are given up, shares on their way, files as they were handed over.

-- When the Compromise of its key was confirmed. It certifies and issues nothing from then on; its lists go on.
ALTER TABLE authority ADD compromised_at timestamptz;

-- A sharing that was begun: the record waits here until the passphrase has changed, and opens the store from then on.
ALTER TABLE recovery_custody ADD next text;
ALTER TABLE recovery_custody ALTER quorum DROP NOT NULL;
-- Where what the shares open lies, in words: the identity of the key store; of the Symmetric Key, of the pair it opens.
ALTER TABLE recovery_custody ADD store text;

-- Which key cures a Compromised Recovery Private Key, as it was set when the procedure was chosen (REC-A02).
ALTER TABLE recovery_event ADD cured_by text NOT NULL DEFAULT 'contingency'
  CHECK (cured_by IN ('contingency', 'recovery'));

-- What was exchanged, as it was: a folder that has lost a file gets it again, and its sequence has no gap.
ALTER TABLE recovery_file ADD octets bytea;
-- A detached CMS signature (DER); absent of a file that nobody has signed yet.
ALTER TABLE recovery_file ADD signature bytea;
