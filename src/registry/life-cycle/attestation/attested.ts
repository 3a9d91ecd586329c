/** Where the database has what members confirm now and then: contacts, certifications, accepted terms. */
import { type SQL, sql } from 'drizzle-orm';

/** A moment as a parameter. */
export function at(now: Date): SQL {
  return sql`${now.toISOString()}::timestamptz`;
}

export function days(count: SQL): SQL {
  return sql`make_interval(days => ${count})`;
}

/** From when on a contact's time runs. */
export const CONTACT_SINCE = sql`coalesce(contacts.last_confirmed_at, contacts.created_at)`;

/** Of a reminder: one that is confirmed is reminded anew when its time is up once more, another address at once. */
export const CONTACT_OCCASION = sql`'contact:' || contacts.id || ':' || ${milliseconds(CONTACT_SINCE)} || ':' || md5(contacts.email)`;

/** Contacts of open organisations, with these, that nobody confirmed in time. */
export function dueContacts(now: Date): SQL {
  return sql`contacts
    JOIN organisations ON organisations.id = contacts.organisation_id
    JOIN authorities ON authorities.id = organisations.authority_id
    WHERE contacts.removed_at IS NULL AND organisations.state IN ('active', 'suspended')
      AND authorities.contact_confirmation_days IS NOT NULL
      AND ${CONTACT_SINCE} + ${days(sql`authorities.contact_confirmation_days`)} <= ${at(now)}`;
}

/** APIs of open entities that are offered and, but for the end of it, certified. */
export function certifiedApis(now: Date): SQL {
  return sql`api_resources
    JOIN authorization_servers ON authorization_servers.id = api_resources.authorization_server_id
    JOIN entities ON entities.id = authorization_servers.entity_id
    JOIN organisations ON organisations.id = entities.organisation_id
    JOIN authorities ON authorities.id = organisations.authority_id
    WHERE api_resources.removed_at IS NULL AND authorization_servers.removed_at IS NULL
      AND (api_resources.retires_at IS NULL OR api_resources.retires_at > ${at(now)})
      AND (authorization_servers.retires_at IS NULL OR authorization_servers.retires_at > ${at(now)})
      AND api_resources.certification_status IN ('certified', 'self_certified')
      AND entities.state IN ('active', 'suspended') AND organisations.state IN ('active', 'suspended')`;
}

export const API_NAME = sql`api_resources.family || ' ' || api_resources.api_version || ' at ' || authorization_servers.issuer`;

/** The version of its terms that an authority asks for; null where it asks for none. */
export const TERMS_VERSION = sql`(jsonb_path_query_first(authorities.enrolment_flow, '$[*] ? (@.step == "terms").version') #>> '{}')`;

/** Open organisations that accepted terms at some time, and not those that count. */
export const OUTDATED_TERMS = sql`organisations
  JOIN authorities ON authorities.id = organisations.authority_id
  WHERE organisations.state IN ('active', 'suspended') AND ${TERMS_VERSION} IS NOT NULL
    AND EXISTS (SELECT 1 FROM organisation_terms WHERE organisation_id = organisations.id)
    AND NOT EXISTS (
      SELECT 1 FROM organisation_terms AS accepted
      WHERE accepted.organisation_id = organisations.id AND accepted.version = ${TERMS_VERSION}
        AND accepted.withdrawn_at IS NULL)`;

/** The occasion of a reminder to a contact of the organisation. */
export const TERMS_REMINDER = sql`'terms:' || organisations.id || ':' || ${TERMS_VERSION} || ':' || contacts.id`;

export function milliseconds(moment: SQL): SQL {
  return sql`(extract(epoch FROM ${moment}) * 1000)::bigint`;
}
