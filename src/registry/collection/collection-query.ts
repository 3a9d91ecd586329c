/** What is asked of the collection of an authority, and what is known of each entity there. @see COLLECTION §2 */
import type { JsonObject } from '../../federation/json.ts';

/** An authority of ours, as far as finding what is below it needs one. */
export interface CollectingAuthority {
  id: string;
  entityIdentifier: string;
}

/** A Trust Mark type that each entity must show a valid mark of. */
export interface CollectedMark {
  trustMarkType: string;
  /** The type as defined by those issuers that count. */
  typeIds: readonly string[];
}

export interface CollectionQuery {
  /** Entities that play any of these; empty: all. */
  entityTypes: readonly string[];
  marks: readonly CollectedMark[];
  /** What was signed with these keys counts no longer. */
  revokedKids: readonly string[];
  /** Text in an identifier or a name, in whatever case; null: any. */
  text: string | null;
  /** The Entity Identifier that the page begins with, or the first one after it; null: the first page. */
  from: string | null;
  limit: number;
  /** What is read of each: it is large, so no more than is shown. */
  reads: { metadata: boolean; trustMarks: boolean };
}

export interface CollectedEntity {
  entityIdentifier: string;
  entityTypes: string[];
  /**
   * Metadata of its Entity Configuration as last verified, and what its superior says instead; null where not read. Of
   * who is below an Intermediate elsewhere the first is its Resolved Metadata, as last seen.
   */
  ownMetadata: JsonObject | null;
  superiorMetadata: JsonObject | null;
  /** `trust_marks` of its Entity Configuration as last verified; null where not read. */
  trustMarks: JsonObject[] | null;
}
