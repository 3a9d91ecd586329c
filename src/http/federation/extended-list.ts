/** The extended list endpoint: subordinates page by page, with their statements. @see EXTLIST §3.2, §3.3 */
import { FederationError } from '../../federation/errors.ts';
import type { NumericDate } from '../../federation/time.ts';
import {
  type ExtendedListQuery,
  isUsual,
  MAX_PAGE_ENTITIES,
  NO_SUBORDINATES,
} from '../../issuance/companion/extended-lists.ts';
import type { ReadyAnswer } from '../../issuance/ready-answers.ts';
import type { ServedAuthority } from '../../registry/authorities/authority-directory.ts';
import type { SubordinateFilter } from '../../registry/entities/list-subordinates.ts';
import type { EndpointRequest, FederationDependencies } from './federation-door.ts';
import { markFilter } from './list.ts';
import { booleanParameter, limitParameter, listParameter, optionalParameter, storable } from './parameters.ts';

/**
 * Filters as in the list, but that several `trust_mark_type` name entities with any of these marks.
 * @throws FederationError parameter_invalid, parameter_repeated, page_unknown
 */
export function answerExtendedList(
  { served, exchange, caller }: EndpointRequest,
  { extendedLists, clock, resolve: { quotas } }: FederationDependencies,
): ReadyAnswer | Promise<ReadyAnswer> {
  const query = exchange.parameters;
  const filter = filterOf(served, query, new Date(clock.now() * 1000));
  const updatedAfter = timeParameter(query, 'updated_after');
  const updatedBefore = timeParameter(query, 'updated_before');
  const wanted: Omit<ExtendedListQuery, 'filter'> = {
    from: optionalParameter(query, 'from'),
    limit: limitParameter(query, MAX_PAGE_ENTITIES),
    updatedAfter,
    updatedBefore,
    // Whoever asks by time wants to see the times.
    hasAuditTimestamps: booleanParameter(query, 'audit_timestamps') || updatedAfter !== null || updatedBefore !== null,
    claims: [...new Set(listParameter(query, 'claims'))].sort(),
  };
  if (filter === undefined) return NO_SUBORDINATES;
  // Pages that lie ready for everybody cost next to nothing; there is no end to all other questions.
  if (!isUsual({ ...wanted, filter })) exchange.once('lookup', () => quotas.charge(exchange, caller, 'lookup'));
  const page = extendedLists.page(served, { ...wanted, filter });
  return page instanceof Promise ? page.then(known) : page;
}

/** Undefined when nobody could pass. */
function filterOf(served: ServedAuthority, query: URLSearchParams, now: Date): SubordinateFilter | undefined {
  const isMarked = booleanParameter(query, 'trust_marked');
  const markTypes = query.getAll('trust_mark_type');
  const given = [...new Set(query.getAll('entity_type'))].sort();
  const filter = { intermediate: booleanParameter(query, 'intermediate'), entityTypes: storable(given) };
  if (given.length > 0 && filter.entityTypes.length === 0) return undefined;
  if (!isMarked && markTypes.length === 0) return filter;
  const marks = markFilter(served, markTypes, now);
  return marks && { ...filter, marks };
}

function known(page: ReadyAnswer | undefined): ReadyAnswer {
  if (page !== undefined) return page;
  throw new FederationError('page_unknown', 'from is no next of this list; begin without it', 'from');
}

/** Seconds since the epoch, as far as a database can tell them apart from never. */
const SECONDS = /^\d{1,12}(?:\.\d{1,9})?$/;

function timeParameter(query: URLSearchParams, name: string): NumericDate | null {
  const value = optionalParameter(query, name);
  if (value === undefined) return null;
  if (SECONDS.test(value)) return Number(value);
  throw new FederationError('parameter_invalid', `the parameter ${name} is a time in seconds since 1970`, name);
}
