/** All participants of an authority in their order, in segments: a change renders and deflates anew only those it falls into. */
import type { NumericDate } from '../../federation/time.ts';
import type { PublicParticipant } from '../../registry/directory/public-participants.ts';
import { type DeflatedPiece, deflatePiece } from './deflated-pieces.ts';
import { type ParticipantView, participantObject } from './participant-object.ts';

/** Organisations that follow each other. */
export interface ParticipantSegment {
  /** In order, at least one. */
  ids: readonly string[];
  /** Their objects with what stands between them. */
  piece: DeflatedPiece;
  /** When a date next makes another text of it; Infinity if none does. */
  changesAt: NumericDate;
}

/** Segments that are replaced together, and whom the new ones may have. */
export interface SegmentRun {
  start: number;
  end: number;
  /** In order. */
  ids: readonly string[];
}

export const SEPARATOR = ',\n';

/** Organisations in a segment, on average. */
const SEGMENT_SIZE = 32;

/**
 * Whether a segment begins with it: by its id alone, so that every node cuts the same organisations in the same way,
 * whatever it saw happen.
 */
function isCut(id: string): boolean {
  return Number.parseInt(id.slice(-2), 16) % SEGMENT_SIZE === 0;
}

/** The runs of segments into which these organisations fall, by their present segments and whether there or not. */
export function runsOf(segments: readonly ParticipantSegment[], ids: readonly string[]): SegmentRun[] {
  const sorted = ids.toSorted();
  if (segments.length === 0) return sorted.length === 0 ? [] : [{ start: 0, end: 0, ids: sorted }];
  const byIndex = new Map<number, string[]>();
  const among = (index: number) => {
    const present = byIndex.get(index) ?? [];
    byIndex.set(index, present);
    return present;
  };
  for (const id of sorted) {
    const index = indexOf(segments, id);
    among(index).push(id);
    // Without its first one, a segment belongs to the one before.
    if (index > 0 && segments[index]?.ids[0] === id) among(index - 1);
  }
  const runs: { start: number; end: number; ids: Set<string> }[] = [];
  for (const index of [...byIndex.keys()].toSorted((one, other) => one - other)) {
    const last = runs.at(-1);
    const run = last?.end === index ? last : { start: index, end: index, ids: new Set<string>() };
    if (run !== last) runs.push(run);
    run.end = index + 1;
    for (const id of [...(segments[index]?.ids ?? []), ...among(index)]) run.ids.add(id);
  }
  return runs.map((run) => ({ ...run, ids: [...run.ids].toSorted() }));
}

/** The last segment that begins with the id or before it; the first one for what comes before all. */
function indexOf(segments: readonly ParticipantSegment[], id: string): number {
  let [low, high] = [0, segments.length - 1];
  while (low < high) {
    const middle = Math.ceil((low + high) / 2);
    if ((segments[middle]?.ids[0] ?? '') <= id) low = middle;
    else high = middle - 1;
  }
  return low;
}

/** Read at a time; in between, others have their turn. */
const PIECE = 200;

/** @param read gives those of the organisations that are public, in order */
export async function renderSegments(
  ids: readonly string[],
  read: (ids: readonly string[]) => PublicParticipant[] | Promise<PublicParticipant[]>,
  view: ParticipantView,
): Promise<ParticipantSegment[]> {
  const segments: ParticipantSegment[] = [];
  let open: { ids: string[]; texts: string[]; changesAt: NumericDate } | undefined;
  const close = async () => {
    if (open === undefined) return;
    const { texts, ...rest } = open;
    segments.push({ ...rest, piece: await deflatePiece(texts.join(SEPARATOR)) });
    open = undefined;
  };
  for (let start = 0; start < ids.length; start += PIECE) {
    for (const participant of await read(ids.slice(start, start + PIECE))) {
      if (isCut(participant.id)) await close();
      const { object, changesAt } = participantObject(participant, view);
      open ??= { ids: [], texts: [], changesAt: Number.POSITIVE_INFINITY };
      open.ids.push(participant.id);
      open.texts.push(JSON.stringify(object));
      open.changesAt = Math.min(open.changesAt, changesAt);
    }
  }
  await close();
  return segments;
}
