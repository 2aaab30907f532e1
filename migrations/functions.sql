-- Functions and triggers of the first migration. Security-definer functions are owned by trustportal_definer (may
-- bypass row-level security, cannot log in) and listed in tests/integration/sweeps: each returns ids and what it must.

CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION 'rows of % are only added, never changed or removed', TG_TABLE_NAME USING ERRCODE = 'restrict_violation';
END $$;

CREATE FUNCTION freeze_edition() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP = 'DELETE' THEN
    RAISE EXCEPTION 'an edition is never removed' USING ERRCODE = 'restrict_violation';
  END IF;
  IF (OLD.trust_id, OLD.school_id, OLD.policy_id, OLD.template_version_id, OLD.previous_id, OLD.major, OLD.header, OLD.place_name, OLD.tree,
      OLD.answers, OLD."values", OLD.content_hash, OLD.changes, OLD.material, OLD.reason, OLD.submitted_by, OLD.submitted_at)
     IS DISTINCT FROM
     (NEW.trust_id, NEW.school_id, NEW.policy_id, NEW.template_version_id, NEW.previous_id, NEW.major, NEW.header, NEW.place_name, NEW.tree,
      NEW.answers, NEW."values", NEW.content_hash, NEW.changes, NEW.material, NEW.reason, NEW.submitted_by, NEW.submitted_at) THEN
    RAISE EXCEPTION 'an edition never changes' USING ERRCODE = 'restrict_violation';
  END IF;
  IF OLD.state <> 'submitted' AND OLD.state <> NEW.state THEN
    RAISE EXCEPTION 'an edition is decided once' USING ERRCODE = 'restrict_violation';
  END IF;
  IF OLD.state = 'approved' AND (OLD.state, OLD.minor, OLD.approved_at, OLD.approvals, OLD.effective_on)
     IS DISTINCT FROM (NEW.state, NEW.minor, NEW.approved_at, NEW.approvals, NEW.effective_on) THEN
    RAISE EXCEPTION 'an approved edition never changes' USING ERRCODE = 'restrict_violation';
  END IF;
  IF OLD.pdf_hash IS NOT NULL AND OLD.pdf_hash IS DISTINCT FROM NEW.pdf_hash THEN
    RAISE EXCEPTION 'a stored PDF never changes' USING ERRCODE = 'restrict_violation';
  END IF;
  RETURN NEW;
END $$;

CREATE FUNCTION freeze_version() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP = 'DELETE' THEN
    IF OLD.state <> 'draft' THEN
      RAISE EXCEPTION 'a version that was submitted is never removed' USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN OLD;
  END IF;
  IF OLD.state = 'published' THEN
    RAISE EXCEPTION 'a published version never changes' USING ERRCODE = 'restrict_violation';
  END IF;
  IF OLD.state <> NEW.state AND (OLD.state, NEW.state) NOT IN (('draft', 'submitted'), ('draft', 'discarded'),
       ('submitted', 'approved'), ('submitted', 'draft'), ('approved', 'published'), ('approved', 'draft')) THEN
    RAISE EXCEPTION 'a version is submitted, then approved, then published' USING ERRCODE = 'restrict_violation';
  END IF;
  IF OLD.state IN ('submitted', 'approved') AND NEW.state IN ('submitted', 'approved', 'published')
     AND (OLD.policy_id, OLD.based_on_id, OLD.header, OLD.tree, OLD.content_hash, OLD.reason, OLD.marks, OLD.submitted_by)
     IS DISTINCT FROM
         (NEW.policy_id, NEW.based_on_id, NEW.header, NEW.tree, NEW.content_hash, NEW.reason, NEW.marks, NEW.submitted_by) THEN
    RAISE EXCEPTION 'a submitted version never changes: take it back to draft first' USING ERRCODE = 'restrict_violation';
  END IF;
  RETURN NEW;
END $$;

-- Who is signed in with this cookie, and who they are in the trust of this address. It also sets the tenancy settings
-- of the transaction, so that a page needs one round trip before its own queries.
CREATE FUNCTION sign_on(p_token bytea, p_slug text, p_now timestamptz, p_today date)
RETURNS TABLE (session_id uuid, account_id uuid, content jsonb, authenticated_at timestamptz, method text,
               trust_id uuid, trust_name text, colour text, logo_hash text, settings jsonb,
               person_id uuid, person_name text, roles jsonb, stale boolean)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
#variable_conflict use_column
DECLARE
  ses web_session%ROWTYPE;
  tru trust%ROWTYPE;
  per person%ROWTYPE;
  held jsonb;
  officer boolean;
  schools text;
BEGIN
  SELECT s.* INTO ses FROM web_session s LEFT JOIN account a ON a.id = s.account_id
   WHERE s.token_hash = p_token AND s.created_at > p_now - interval '12 hours'
     AND s.seen_at > p_now - interval '60 minutes' AND (s.account_id IS NULL OR a.active);
  IF NOT FOUND THEN RETURN; END IF;
  IF p_slug IS NOT NULL AND ses.account_id IS NOT NULL THEN
    SELECT t.* INTO tru FROM trust t WHERE t.slug = p_slug;
    IF FOUND THEN
      SELECT p.* INTO per FROM person p WHERE p.trust_id = tru.id AND p.account_id = ses.account_id;
      IF FOUND THEN
        SELECT jsonb_agg(jsonb_build_object('role', m.role, 'school', m.school_id, 'slug', s.slug, 'name', s.name,
                                            'short_name', s.short_name, 'label', s.role_labels ->> m.role)
                         ORDER BY s.short_name NULLS FIRST, m.role),
               coalesce(bool_or(m.school_id IS NULL AND m.role <> 'central_staff'), false),
               '{' || coalesce(string_agg(DISTINCT m.school_id::text, ','), '') || '}'
          INTO held, officer, schools
          FROM membership m LEFT JOIN school s ON s.trust_id = m.trust_id AND s.id = m.school_id
         WHERE m.trust_id = tru.id AND m.person_id = per.id AND m.from_on <= p_today
           AND (m.to_on IS NULL OR m.to_on >= p_today);
      END IF;
    END IF;
  END IF;
  IF held IS NULL THEN
    RETURN QUERY SELECT ses.id, ses.account_id, ses.content, ses.authenticated_at, ses.method::text,
                        NULL::uuid, NULL::text, NULL::text, NULL::text, NULL::jsonb, NULL::uuid, NULL::text, NULL::jsonb,
                        ses.seen_at < p_now - interval '1 minute';
    RETURN;
  END IF;
  PERFORM set_config('app.trust_id', tru.id::text, true), set_config('app.person_id', per.id::text, true),
          set_config('app.school_ids', schools, true),
          set_config('app.all_schools', CASE WHEN officer THEN 'on' ELSE 'off' END, true);
  RETURN QUERY SELECT ses.id, ses.account_id, ses.content, ses.authenticated_at, ses.method::text,
                      tru.id, tru.name::text, tru.colour::text, tru.logo_hash::text, tru.settings,
                      per.id, per.name::text, held, ses.seen_at < p_now - interval '1 minute';
END $$;

CREATE FUNCTION account_trusts(p_account uuid, p_today date)
RETURNS TABLE (trust_id uuid, slug text, name text, person_id uuid)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
  SELECT t.id, t.slug, t.name, p.id FROM person p JOIN trust t ON t.id = p.trust_id
   WHERE p.account_id = p_account AND EXISTS (
     SELECT 1 FROM membership m WHERE m.trust_id = p.trust_id AND m.person_id = p.id
        AND m.from_on <= p_today AND (m.to_on IS NULL OR m.to_on >= p_today))
   ORDER BY t.name
$$;

CREATE FUNCTION find_trust(p_slug text) RETURNS uuid
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
  SELECT id FROM trust WHERE slug = p_slug
$$;

CREATE FUNCTION find_public_place(p_trust text, p_school text) RETURNS TABLE (trust_id uuid, school_id uuid)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
  SELECT s.trust_id, s.id FROM school s JOIN trust t ON t.id = s.trust_id WHERE t.slug = p_trust AND s.slug = p_school
$$;

CREATE FUNCTION find_invitation(p_token bytea) RETURNS TABLE (trust_id uuid, invitation_id uuid)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
  SELECT i.trust_id, i.id FROM invitation i WHERE i.token_hash = p_token
$$;

CREATE FUNCTION find_printed(p_hash text) RETURNS TABLE (trust_id uuid, school_id uuid, kind text, id uuid)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
  SELECT e.trust_id, e.school_id, 'edition', e.id FROM edition e WHERE e.content_hash = p_hash AND e.state = 'approved'
  UNION ALL
  SELECT v.trust_id, NULL, 'version', v.id FROM template_version v WHERE v.content_hash = p_hash AND v.state = 'published'
$$;

CREATE FUNCTION trust_ids() RETURNS SETOF uuid
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$ SELECT id FROM trust ORDER BY id $$;

CREATE FUNCTION lease_outbox(p_limit integer, p_seconds integer) RETURNS TABLE (id uuid, trust_id uuid, queue text)
LANGUAGE sql SECURITY DEFINER SET search_path = public, pg_temp AS $$
  UPDATE outbox o SET dispatched_at = clock_timestamp()
   WHERE o.id IN (
     SELECT i.id FROM outbox i
      WHERE i.done_at IS NULL AND i.failed_at IS NULL AND i.not_before <= clock_timestamp()
        AND (i.dispatched_at IS NULL OR i.dispatched_at < clock_timestamp() - make_interval(secs => p_seconds))
      ORDER BY i.created_at LIMIT p_limit FOR UPDATE SKIP LOCKED)
  RETURNING o.id, o.trust_id, o.queue::text
$$;

CREATE FUNCTION release_outbox(p_ids uuid[]) RETURNS void
LANGUAGE sql SECURITY DEFINER SET search_path = public, pg_temp AS $$
  UPDATE outbox SET dispatched_at = NULL WHERE id = ANY (p_ids) AND done_at IS NULL
$$;

CREATE FUNCTION outbox_oldest() RETURNS timestamptz
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
  SELECT min(greatest(created_at, not_before)) FROM outbox WHERE done_at IS NULL
$$;

CREATE FUNCTION append_audit(p_trust uuid, p_id uuid, p_action text, p_school uuid, p_entry text, p_salt bytea, p_payload text)
RETURNS void LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
  head audit_head%ROWTYPE;
  link bytea;
BEGIN
  IF p_trust IS DISTINCT FROM NULLIF(current_setting('app.trust_id', true), '')::uuid THEN
    RAISE EXCEPTION 'the audit trail of another trust' USING ERRCODE = 'insufficient_privilege';
  END IF;
  INSERT INTO audit_head (trust_id, position, hash) VALUES (p_trust, 0, ''::bytea) ON CONFLICT DO NOTHING;
  SELECT * INTO head FROM audit_head WHERE trust_id = p_trust FOR UPDATE;
  link := sha256(head.hash || convert_to((head.position + 1)::text || p_entry, 'UTF8'));
  INSERT INTO audit_event (trust_id, position, id, at, action, school_id, entry, hash)
  VALUES (p_trust, head.position + 1, p_id, ((p_entry::jsonb) ->> 'at')::timestamptz, p_action, p_school, p_entry, link);
  INSERT INTO audit_payload (trust_id, event_id, school_id, salt, payload) VALUES (p_trust, p_id, p_school, p_salt, p_payload);
  UPDATE audit_head SET position = head.position + 1, hash = link WHERE trust_id = p_trust;
END $$;
