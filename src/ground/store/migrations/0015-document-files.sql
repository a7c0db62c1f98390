-- The octets of documents: kept with the version that they are, and never changed.

-- Whether its octets are kept here, and who entered them: a person's reference. Whoever entered a version does not decide
-- on it; what was generated here nobody entered.
ALTER TABLE document_version ADD kept boolean NOT NULL DEFAULT false, ADD entered_by text CHECK (entered_by IS NULL OR kept);

CREATE TABLE document_file (
  version integer PRIMARY KEY REFERENCES document_version,
  octets bytea NOT NULL CHECK (octet_length(octets) > 0)
);

-- PDF and DOCX are compressed already.
ALTER TABLE document_file ALTER COLUMN octets SET STORAGE EXTERNAL;

-- The store takes no octets but those that the register names, whoever writes them, and keeps them as they are.
CREATE FUNCTION document_file_stands() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP <> 'INSERT' THEN RAISE EXCEPTION 'the octets of a document are never changed or removed'; END IF;
  PERFORM FROM document_version v
    WHERE v.id = NEW.version AND v.kept AND v.sha256 = sha256(NEW.octets) AND v.octets = octet_length(NEW.octets);
  IF NOT FOUND THEN RAISE EXCEPTION 'these are not the octets of that version'; END IF;
  RETURN NEW;
END $$;

CREATE TRIGGER document_file_stands BEFORE INSERT OR UPDATE OR DELETE ON document_file
  FOR EACH ROW EXECUTE FUNCTION document_file_stands();

-- A version is what it was entered as. It is decided on once; after that nothing changes but the day on which it ends.
CREATE FUNCTION document_version_stands() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  may_change text[] := CASE WHEN OLD.state = 'draft'
    THEN '{state,decided_at,decision,basis,amendments,salt,effective_from,effective_until}'
    ELSE '{effective_until}' END;
BEGIN
  IF TG_OP = 'UPDATE' AND to_jsonb(NEW) - may_change = to_jsonb(OLD) - may_change THEN RETURN NEW; END IF;
  RAISE EXCEPTION 'a version of a document is never changed or removed';
END $$;

CREATE TRIGGER document_version_stands BEFORE UPDATE OR DELETE ON document_version
  FOR EACH ROW EXECUTE FUNCTION document_version_stands();

-- What everybody may read: the octets of a version that is in force, was, or will be, of a document that is not
-- confidential. A program that must not read the table reads these, and no others.
CREATE FUNCTION public_document_file(ref text, name text) RETURNS bytea
  LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
  SELECT f.octets FROM document_file f JOIN document_version v ON v.id = f.version JOIN document d ON d.ref = v.document
    WHERE v.document = $1 AND v.version = $2 AND v.effective_from IS NOT NULL AND NOT d.confidential
$$;
